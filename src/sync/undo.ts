/**
 * Takes back what an operation changed in Claude Code's directory.
 *
 * The file and the base go back together, so that the machine is as it was before the operation: the next
 * push sends nothing that the hub has, and the next pull does the same again.
 *
 * @module
 */
import { completeEnd } from "./pieces.ts";
import { Buffer } from "node:buffer";
import { join, relative, resolve } from "node:path";
import { asSessionId, type LocalPath, type SessionId } from "../brands.ts";
import { describeFile } from "../claude/kinds.ts";
import { liveSessions } from "../claude/live.ts";
import { survivingTime } from "../claude/retention.ts";
import { isSameStamp, scanSidecars, stampOf } from "../claude/scan.ts";
import { CcsyncError, FileTrouble, messageOf } from "../errors.ts";
import { parseMeta } from "../hub/format.ts";
import {
  hashOfFile,
  HeldFile,
  lstatIfThere,
  PendingFile,
  piecesOfFile,
  removeWithFolders,
} from "../machine/files.ts";
import { writeAll } from "../machine/streams.ts";
import type { Change, Content, Effect, Kept, Operation, Owner } from "../machine/journal.ts";
import { subjectOf } from "../machine/journal.ts";
import type { FileStamp, State, TextBase } from "../machine/state.ts";
import { TRANSCRIPT } from "./document.ts";
import { isFileTrouble } from "./facts.ts";
import { identityOf } from "./memory/files.ts";
import { rootOf } from "./memory/sets.ts";
import { isContinuation } from "./memory/view.ts";
import { type ChangeFacts, type FileNow, planUndo, type UndoAction } from "./plan.ts";
import { isUnder, type Workspace } from "./workspace.ts";

/** An operation, as lists show it. */
export interface ListedOperation {
  readonly id: number;
  /** ISO 8601. */
  readonly at: string;
  readonly command: string;
  /** How many files it changed. */
  readonly files: number;
  /** The sessions that it changed. */
  readonly sessions: readonly { readonly id: SessionId; readonly title: string }[];
  /** The memory files that it changed. */
  readonly memory: readonly LocalPath[];
}

/** What was, or would be, done with a file. */
export interface UndoneFile {
  readonly path: LocalPath;
  readonly action: Exclude<UndoAction, "none" | "leave">;
  /** The session that it belongs to, and its title; `null` for a memory file. */
  readonly session: { readonly id: SessionId; readonly title: string } | null;
}

/** What was not taken back, and why. */
export interface Left {
  readonly what: string;
  readonly why: string;
}

/** What undoing did, or would do. */
export interface UndoReport {
  readonly operation: ListedOperation;
  readonly isDryRun: boolean;
  readonly files: readonly UndoneFile[];
  readonly left: readonly Left[];
}

/** What to undo, and how. */
export interface UndoOptions {
  /** @default the last operation */
  readonly id?: number;
  /** Compute the plan and write nothing. */
  readonly isDryRun: boolean;
}

/** Lists the operations that can be undone, the last one first. */
export function listOperations(workspace: Workspace): ListedOperation[] {
  const titles = titlesOf(workspace);
  return workspace.journal.operations().map((operation) => listed(operation, titles));
}

/**
 * Takes back an operation, or the last one; one that broke off while it took back another is gone on with.
 * Returns `undefined` where there is none. What was changed since, or is open in Claude Code, is left alone.
 *
 * @throws {CcsyncError} kind "usage" where there is no operation of that number
 */
export async function undo(
  workspace: Workspace,
  { id, isDryRun }: UndoOptions,
): Promise<UndoReport | undefined> {
  const { env, journal } = workspace;
  const operations = journal.operations();
  const [last] = operations;
  const broken = last !== undefined && last.undoes !== null && !last.isDone ? last : undefined;
  const wanted = id ?? broken?.undoes ?? last?.id;
  const operation = operations.find((one) => one.id === wanted);
  if (operation === undefined) {
    if (id === undefined) return undefined;
    throw new CcsyncError("usage", `cannot undo "${id}": there is no such operation`, {
      hints: ["ccsync undo --list shows those that can be undone"],
    });
  }
  const undoing = new Undoing(workspace, operation, await liveSessions(env.claudeDir, env.now()));
  const items = undoing.plan();
  if (!isDryRun) {
    if (broken?.undoes === operation.id) journal.resume(broken);
    else journal.begin(`undo ${operation.id}`, operation.id);
    for (const item of items) await undoing.apply(item);
    journal.end();
  }
  return {
    operation: listed(operation, titlesOf(workspace)),
    isDryRun,
    files: isDryRun ? items.flatMap((item) => undoing.fileOf(item)) : undoing.files,
    left: undoing.left,
  };
}

/** A change, and what is done about it. */
interface Item {
  readonly change: Change;
  readonly action: Exclude<UndoAction, "leave">;
  /** What was seen at the path. */
  readonly stamp: FileStamp | undefined;
}

class Undoing {
  readonly files: UndoneFile[] = [];
  readonly left: Left[] = [];
  readonly #workspace: Workspace;
  /** Sessions and texts of which something could not be taken back after all. */
  readonly #failed = new Set<string>();
  readonly #operation: Operation;
  readonly #live: ReadonlySet<SessionId>;
  readonly #titles: Titles;
  /** As they were before anything was undone: a session that moves back has one base, and two files. */
  readonly #bases: ReturnType<State["bases"]>;
  readonly #textBases: readonly TextBase[];

  constructor(workspace: Workspace, operation: Operation, live: ReadonlySet<SessionId>) {
    this.#workspace = workspace;
    this.#operation = operation;
    this.#live = live;
    this.#titles = titlesOf(workspace);
    this.#bases = workspace.state.bases();
    this.#textBases = workspace.state.textBases();
    const { damaged, id } = operation;
    if (damaged > 0) {
      const lines = damaged === 1
        ? "1 line of its journal is"
        : `${damaged} lines of its journal are`;
      this.left.push({ what: `operation ${id}`, why: `${lines} damaged` });
    }
  }

  /** Returns what is to be done, in order: what was changed last comes first. */
  plan(): Item[] {
    const subjects = Map.groupBy(this.#operation.changes, subjectOf);
    const items = [...subjects.values()].flatMap((changes) => this.#planSubject(changes));
    const order = new Map(this.#operation.changes.map((change, i) => [change, i]));
    return items.toSorted((a, b) => (order.get(b.change) ?? 0) - (order.get(a.change) ?? 0));
  }

  /** What a session's transcript quotes stays as long as it does. */
  #planSubject(changes: readonly Change[]): Item[] {
    const [{ owner, path } = { owner: undefined, path: "" }] = changes;
    const session = owner !== undefined && "session" in owner ? owner.session : undefined;
    const what = session === undefined ? path : nameOf(session, this.#titles);
    if (session !== undefined && this.#live.has(session)) {
      this.left.push({ what, why: OPEN_HERE });
      return [];
    }
    const items: Item[] = [];
    const documents = Map.groupBy(changes, ({ owner }) => "session" in owner ? owner.name : "");
    const names = [...documents.keys()].sort();
    for (const name of names) {
      const document = documents.get(name) ?? [];
      try {
        items.push(...document.map((change) => this.#planChange(change)));
      } catch (error) {
        if (!isFileTrouble(error)) throw error;
        const isTranscript = session !== undefined && name === TRANSCRIPT;
        const file = session === undefined || isTranscript ? what : `${name} of ${what}`;
        this.left.push({ what: file, why: messageOf(error) });
        if (isTranscript) return [];
      }
    }
    if (session === undefined || !this.#leavesOrphans(session, items)) return items;
    this.left.push({ what, why: CHANGED_SINCE });
    return [];
  }

  /** Whether files that came to a session since would be left where its transcript is no more. */
  #leavesOrphans(session: SessionId, items: readonly Item[]): boolean {
    const transcripts = items.filter(({ change: { owner } }) => {
      return "session" in owner && owner.name === TRANSCRIPT;
    });
    const removed = transcripts.find(({ action }) => action === "remove");
    if (removed === undefined) return false;
    const known = new Set(items.map(({ change }) => change.path));
    const { claudeDir } = this.#workspace.env;
    const files = scanSidecars(claudeDir, removed.change.path, session, undefined, []);
    // A session that moves back keeps what does not lie beside its transcript.
    const isMove = transcripts.length > 1;
    return files.some(({ name, path }) => {
      return !known.has(path) && (!isMove || name.startsWith("session/"));
    });
  }

  /** @throws {FileTrouble} saying why the change cannot be taken back */
  #planChange(change: Change): Item {
    const { env, journal } = this.#workspace;
    const { effect, path } = change;
    const fault = pathFault(env, path) ?? ownerFault(change.owner);
    if (fault !== undefined) throw new FileTrouble(fault);
    const info = lstatIfThere(path);
    // A folder where a note was may be gone once what is in it has been undone.
    const stamp = info === undefined || info.isDirectory ? undefined : stampOf(info);
    const action = planUndo({ did: deedOf(effect), now: fileNow(path, stamp, effect) });
    if (action === "leave") throw new FileTrouble(CHANGED_SINCE);
    const kept = effect.kind === "replace" ? effect.before : null;
    const damage = action === "restore" && kept !== null ? journal.faultOf(kept) : undefined;
    if (damage !== undefined) throw new FileTrouble(damage);
    return { change, action, stamp };
  }

  /** Returns what the report says of an item. */
  fileOf({ action, change: { owner, path } }: Item): UndoneFile[] {
    if (action === "none") return [];
    const session = "session" in owner
      ? { id: owner.session, title: this.#titles.get(owner.session) ?? owner.session }
      : null;
    return [{ path, action, session }];
  }

  /** Takes one change back. What cannot be is left, and told of. */
  async apply(item: Item): Promise<void> {
    const { action, change, change: { effect, path } } = item;
    // Half of a move undone would leave the session nowhere, or in two places.
    if (this.#failed.has(subjectOf(change))) return;
    try {
      if (action === "restore" && effect.kind === "replace" && effect.before !== null) {
        this.#restore(item, effect.before);
      } else if (action === "cut" && effect.kind === "append") this.#cut(item, effect.from);
      else if (action === "remove") this.#remove(item);
    } catch (error) {
      if (!isFileTrouble(error)) throw error;
      this.#failed.add(subjectOf(change));
      this.left.push({ what: path, why: messageOf(error) });
      return;
    }
    await this.#restoreBase(change);
    this.files.push(...this.fileOf(item));
  }

  #restore(item: Item, { hash, mode, mtimeMs, size }: Kept): void {
    const { env, journal, retentionDays } = this.#workspace;
    const { change: { path } } = item;
    using pending = new PendingFile(path);
    for (const piece of piecesOfFile(journal.objectPath(hash), 0, size)) pending.write(piece);
    if (pending.hash !== hash) throw new FileTrouble("its backup is damaged");
    if (mode !== null && env.os !== "windows") Deno.chmodSync(pending.path, mode);
    this.#replace(item, pending, survivingTime(mtimeMs, env.now(), retentionDays));
  }

  /** Writes what was there before the append, never ending in the middle of a line. */
  #cut(item: Item, from: number): void {
    const { change: { path } } = item;
    using pending = new PendingFile(path);
    const end = completeEnd(path, 0, from);
    for (const piece of piecesOfFile(path, 0, end)) pending.write(piece);
    this.#replace(item, pending, this.#workspace.env.now());
  }

  #replace(item: Item, pending: PendingFile, mtimeMs: number): void {
    const { change: { path }, stamp } = item;
    this.#note(item, { hash: pending.hash, size: pending.size });
    using held = this.#hold(item);
    pending.place(mtimeMs);
    const late = held?.after(stamp?.size ?? 0) ?? new Uint8Array();
    if (late.length === 0) return;
    using file = Deno.openSync(path, { append: true });
    writeAll(file, late);
    file.syncSync();
  }

  #remove(item: Item): void {
    const { claudeDir } = this.#workspace.env;
    const { change: { owner, path }, stamp } = item;
    this.#note(item, null);
    using held = this.#hold(item);
    const [first = "", second = ""] = partsOf(claudeDir, path);
    const folder = "set" in owner ? rootOf({ file: path, path: owner.text }) : undefined;
    removeWithFolders(path, folder ?? join(claudeDir, first, second));
    if (held === undefined || held.after(stamp?.size ?? 0).length === 0) return;
    using back = new PendingFile(path);
    back.write(held.after(0));
    back.place();
    throw new FileTrouble(CHANGED_SINCE);
  }

  /** Windows neither replaces nor removes a file that is open. */
  #hold({ change: { path }, stamp }: Item): HeldFile | undefined {
    const { os } = this.#workspace.env;
    return stamp === undefined || os === "windows" ? undefined : new HeldFile(path);
  }

  /** Keeps what is there, and notes what takes its place. */
  #note({ change: { owner, path }, stamp }: Item, after: Content | null): void {
    const { journal } = this.#workspace;
    const before = stamp === undefined ? null : journal.keep(path);
    const effect: Effect = { kind: "replace", before, after };
    journal.record({ path, owner: this.#ownerNow(owner), effect });
    const info = lstatIfThere(path);
    const isSame = info === undefined || stamp === undefined
      ? info === stamp
      : isSameStamp(stampOf(info), stamp);
    if (!isSame) throw new FileTrouble(CHANGED_SINCE);
  }

  /** Returns the owner with today's base. */
  #ownerNow(owner: Owner): Owner {
    const { state } = this.#workspace;
    if ("session" in owner) {
      const base = this.#bases.get(owner.session)?.get(owner.name) ?? null;
      return { ...owner, base };
    }
    const { set, text } = owner;
    const base = this.#textBases.find((one) => one.set === set && one.path === text) ?? null;
    const content = state.baseText(set, text);
    const baseText = content === undefined ? null : Buffer.from(content).toString("base64");
    return { set, text, base, baseText, hub: state.fact("memory_head") ?? null };
  }

  async #restoreBase({ owner, path }: Change): Promise<void> {
    const { mirror, state } = this.#workspace;
    if ("session" in owner) {
      if (owner.base === null) state.removeBase({ id: owner.session, name: owner.name });
      else state.setBase(owner.base);
      return;
    }
    const { base, baseText, hub, set, text } = owner;
    const head = state.fact("memory_head");
    const holds = hub !== null && head !== undefined &&
      (hub === head || await isContinuation(mirror, hub, head));
    if (base === null || !holds) return state.removeTextBase({ set, path: text });
    const root = rootOf({ file: path, path: text });
    // The folder may have been made anew for it.
    const folder = base.file === path && root !== undefined ? identityOf(root) : base.folder;
    state.setTextBase(
      { ...base, folder },
      baseText === null ? undefined : Buffer.from(baseText, "base64"),
    );
  }
}

const OPEN_HERE = "it is open in Claude Code on this machine; close it there, then undo again";
const CHANGED_SINCE = "it was changed since, and nothing of that must be lost";

function deedOf(effect: Effect): ChangeFacts["did"] {
  if (effect.kind === "append") return "append";
  if (effect.before === null) return "create";
  return effect.after === null ? "remove" : "replace";
}

function fileNow(path: LocalPath, stamp: FileStamp | undefined, effect: Effect): FileNow {
  if (effect.kind === "append") {
    const { added, from } = effect;
    if (stamp === undefined) return "absent";
    const isCut = stamp.size < from && stamp.size === completeEnd(path, 0, from);
    if (stamp.size === from || isCut) return "as-before";
    const isLeft = stamp.size === from + added.size && hashOfFile(path, from) === added.hash;
    return isLeft ? "as-left" : "other";
  }
  const { after, before } = effect;
  if (stamp === undefined) {
    return before === null ? "as-before" : after === null ? "as-left" : "absent";
  }
  const sizes = [before, after].map((content) => content?.size);
  const hash = sizes.includes(stamp.size) ? hashOfFile(path) : undefined;
  if (hash === undefined) return "other";
  return hash === before?.hash ? "as-before" : hash === after?.hash ? "as-left" : "other";
}

/** Returns a path's parts under Claude Code's directory. */
function partsOf(claudeDir: LocalPath, path: LocalPath): string[] {
  return relative(claudeDir, path).split(/[\\/]/);
}

/** Why nothing is written at a path; `undefined` where it may be. The journal may have been tampered with. */
function pathFault(
  { claudeDir, style }: Workspace["env"],
  path: LocalPath,
): string | undefined {
  const isInside = resolve(path) === path && isUnder(style, path, claudeDir) && path !== claudeDir;
  if (!isInside) return "it is not in Claude Code's directory";
  const parts = partsOf(claudeDir, path);
  const kind = describeFile(parts.join("/"));
  if (kind === undefined || ("scope" in kind && kind.scope === "machine")) {
    return "it is no file that ccsync syncs";
  }
  let at: string = claudeDir;
  for (const part of parts) {
    at = join(at, part);
    const info = lstatIfThere(at);
    if (info?.isSymlink === true) return `"${at}" is a link`;
    const isFile = info === undefined || info.isFile || info.isDirectory;
    if (!isFile) return `"${at}" is not a regular file`;
  }
  return undefined;
}

function ownerFault(owner: Owner): string | undefined {
  if ("set" in owner) return undefined;
  const { base, name, session } = owner;
  const isOne = base === null || (base.id === session && base.name === name);
  return asSessionId(session) !== undefined && isOne ? undefined : "its journal contradicts itself";
}

type Titles = ReadonlyMap<SessionId, string>;

/** Returns the titles of the sessions that the hub has. */
function titlesOf(workspace: Workspace): Titles {
  const titles = new Map<SessionId, string>();
  for (const [id, { meta }] of workspace.state.catalogue()) {
    const parsed = parseMeta(meta);
    const title = parsed === undefined ? undefined : workspace.localJson(parsed)?.title;
    if (title !== undefined && title !== "") titles.set(id, title);
  }
  return titles;
}

function nameOf(id: SessionId, titles: Titles): string {
  const title = titles.get(id);
  return title === undefined ? id : `${id.slice(0, 8)}  ${title}`;
}

function listed({ at, changes, command, id }: Operation, titles: Titles): ListedOperation {
  const sessions = new Set(changes.flatMap(({ owner }) => "session" in owner ? owner.session : []));
  const memory = changes.filter(({ owner }) => "set" in owner).map(({ path }) => path);
  return {
    id,
    at,
    command,
    files: changes.length,
    sessions: [...sessions].map((id) => ({ id, title: titles.get(id) ?? id })),
    memory,
  };
}
