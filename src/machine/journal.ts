/**
 * What ccsync changed in Claude Code's directory, so that it can be undone: a journal with one file an
 * operation, and the old contents, named by their hashes.
 *
 * @module
 */
import { join } from "node:path";
import * as v from "valibot";
import type { LocalPath, SessionId } from "../brands.ts";
import { FileTrouble, messageOf } from "../errors.ts";
import {
  entriesOf,
  hashOfFile,
  isTemporary,
  makePrivateDirectory,
  PendingFile,
  piecesOfFile,
  readTextIfThere,
  removeIfThere,
  syncDirectory,
  writeFile,
} from "./files.ts";
import { writeAll } from "./streams.ts";
import type { Base, TextBase } from "./state.ts";

/** A content of so many bytes. */
export interface Content {
  /** SHA-256. */
  readonly hash: string;
  readonly size: number;
}

/** A content that is kept, and how the file looked that had it. */
export interface Kept extends Content {
  readonly mtimeMs: number;
  /** Permissions; `null` where the system has none. */
  readonly mode: number | null;
}

/** What happened to one file. */
export type Effect =
  | {
    readonly kind: "replace";
    /** What was there; `null` where nothing was. */
    readonly before: Kept | null;
    /** What is there now; `null` where the file was removed. */
    readonly after: Content | null;
  }
  | {
    readonly kind: "append";
    /** Size before. */
    readonly from: number;
    readonly added: Content;
  };

/** What a file is, and what this machine and the hub had agreed on for it before. */
export type Owner =
  | { readonly session: SessionId; readonly name: string; readonly base: Base | null }
  | {
    /** A set of shared texts, and the path in it. */
    readonly set: string;
    readonly text: string;
    readonly base: TextBase | null;
    /** The content of that base, where it is kept; base64. */
    readonly baseText: string | null;
    /** The hub's head up to which the base was known to be true. */
    readonly hub: string | null;
  };

/** One change of one file. */
export interface Change {
  readonly path: LocalPath;
  readonly owner: Owner;
  readonly effect: Effect;
}

/** What one command changed. */
export interface Operation {
  /** Counts up from 1. */
  readonly id: number;
  /** ISO 8601. */
  readonly at: string;
  readonly command: string;
  /** The operation that this one took back, if it did. */
  readonly undoes: number | null;
  /** Whether it came to its end; only noted for what undoes another one. */
  readonly isDone: boolean;
  /** In the order in which they were made; at most one a path. */
  readonly changes: readonly Change[];
  /** Lines of the journal that could not be read. */
  readonly damaged: number;
}

/** Older backups are removed, but for the newest of a session or text. */
export const KEPT_DAYS = 30;
/** Of the others, so many bytes are kept. */
export const KEPT_BYTES = 2 * 1024 ** 3;
const DAY_MS = 86_400_000;

const HASH = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const COUNT = v.pipe(v.number(), v.integer(), v.minValue(0));
const CONTENT = v.object({ hash: HASH, size: COUNT });
const KEPT = v.object({ ...CONTENT.entries, mtimeMs: v.number(), mode: v.nullable(COUNT) });
const STAMP = v.object({ size: v.number(), mtimeMs: v.number(), ino: v.number() });
const BASE = v.object({
  id: v.string(),
  name: v.string(),
  tree: v.string(),
  segments: v.array(v.string()),
  project: v.string(),
  path: v.string(),
  localBytes: COUNT,
  aligned: v.boolean(),
  blocks: v.array(v.string()),
  stamp: STAMP,
  profile: v.string(),
});
const TEXT_BASE = v.object({
  set: v.string(),
  path: v.string(),
  oid: v.string(),
  hash: v.string(),
  file: v.string(),
  folder: v.string(),
  stamp: STAMP,
  profile: v.string(),
});
// Do not change: the journal of an older ccsync is read by newer ones.
const HEADER = v.object({
  format: v.literal(1),
  at: v.pipe(v.string(), v.isoTimestamp()),
  command: v.string(),
  undoes: v.nullable(COUNT),
});
const CHANGE = v.object({
  path: v.string(),
  owner: v.union([
    v.object({ session: v.string(), name: v.string(), base: v.nullable(BASE) }),
    v.object({
      set: v.string(),
      text: v.string(),
      base: v.nullable(TEXT_BASE),
      baseText: v.nullable(v.string()),
      hub: v.nullable(v.string()),
    }),
  ]),
  effect: v.variant("kind", [
    v.object({
      kind: v.literal("replace"),
      before: v.nullable(KEPT),
      after: v.nullable(CONTENT),
    }),
    v.object({ kind: v.literal("append"), from: COUNT, added: CONTENT }),
  ]),
});
const END = v.object({ done: v.literal(true) });

/** The journal of this machine. One process at a time uses it. */
export class Journal {
  readonly #directory: string;
  readonly #now: () => number;
  #begun: Pick<Operation, "command" | "undoes"> | undefined;
  /** The file of the operation, once it changed something. */
  #file: string | undefined;

  constructor(ccsyncHome: string, now: () => number) {
    this.#directory = join(ccsyncHome, "backups");
    this.#now = now;
  }

  /** Begins an operation. It leaves nothing unless it changes something. */
  begin(command: string, undoes: number | null = null): void {
    this.#begun = { command, undoes };
    this.#file = undefined;
  }

  /** Goes on with an operation that broke off. */
  resume(operation: Operation): void {
    const { changes, command, id, undoes } = operation;
    this.begin(command, undoes);
    // Without the line that a kill tore: it would swallow the next one.
    this.#rewrite(operation, changes);
    if (changes.length > 0) this.#file = this.#operationPath(id);
  }

  /**
   * Copies a file's content to where it is kept, durably.
   *
   * @throws {FileTrouble} The file changed meanwhile
   */
  keep(path: string): Kept {
    const { mode, mtime, size } = Deno.statSync(path);
    const hash = hashOfFile(path);
    using pending = new PendingFile(this.objectPath(hash));
    for (const piece of piecesOfFile(path, 0, Infinity)) pending.write(piece);
    if (pending.hash !== hash || pending.size !== size) {
      throw new FileTrouble("it changed while it was being backed up; run again");
    }
    // Written anew even where it is there: an earlier copy may be damaged.
    pending.place();
    return {
      hash,
      size,
      mtimeMs: mtime?.getTime() ?? 0,
      mode: mode === null ? null : mode & 0o777,
    };
  }

  /** Notes a change that is about to be made. Where a content is replaced, the note survives a power failure. */
  record(change: Change): void {
    const { effect } = change;
    const isFirst = this.#file === undefined;
    const lines = isFirst ? [this.#header(), change] : [change];
    this.#file ??= this.#operationPath((this.#ids()[0] ?? 0) + 1);
    const replaces = effect.kind === "replace" && effect.before !== null;
    this.#append(this.#file, lines, replaces);
    if (isFirst && replaces) syncDirectory(join(this.#directory, "operations"));
  }

  /** Notes that the operation came to its end, and removes what need not be kept any longer. */
  end(): void {
    if (this.#file === undefined) return;
    if (this.#begun?.undoes !== null) this.#append(this.#file, [{ done: true }], true);
    this.#prune();
  }

  /** Returns the operations that are known, the last one first. */
  operations(): Operation[] {
    return this.#ids().flatMap((id) => {
      const operation = parseOperation(id, readTextIfThere(this.#operationPath(id)) ?? "");
      return operation === undefined ? [] : [operation];
    });
  }

  /** Returns where a content is kept. */
  objectPath(hash: string): string {
    return join(this.#directory, "objects", hash);
  }

  /** Returns why a content cannot be brought back; `undefined` where it can. */
  faultOf({ hash }: Content): string | undefined {
    try {
      const isSame = hashOfFile(this.objectPath(hash)) === hash;
      return isSame ? undefined : "its backup is damaged";
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "its backup is missing";
      return `its backup cannot be read: ${messageOf(error)}`;
    }
  }

  #header(): unknown {
    if (this.#begun === undefined) throw new TypeError("Cannot record outside an operation");
    return { format: 1, at: new Date(this.#now()).toISOString(), ...this.#begun };
  }

  #append(path: string, lines: readonly unknown[], isDurable: boolean): void {
    makePrivateDirectory(join(this.#directory, "operations"));
    using file = Deno.openSync(path, { append: true, create: true, mode: 0o600 });
    writeAll(file, new TextEncoder().encode(textOf(lines)));
    if (isDurable) file.syncSync();
  }

  #operationPath(id: number): string {
    return join(this.#directory, "operations", `${id}.jsonl`);
  }

  /** Returns the numbers of the operations, the highest first. */
  #ids(): number[] {
    return entriesOf(join(this.#directory, "operations"))
      .flatMap(({ name }) => /^([1-9]\d{0,14})\.jsonl$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => b - a);
  }

  /** Looks at every operation at most once a day, unless there is too much. */
  #prune(): void {
    const mark = join(this.#directory, "pruned");
    const last = Date.parse(readTextIfThere(mark) ?? "");
    const now = this.#now();
    const isDue = Number.isNaN(last) || Math.abs(now - last) > DAY_MS;
    if (!isDue && this.#keptBytes() <= KEPT_BYTES) return;
    const operations = this.operations();
    const kept = keptChanges(operations, now);
    for (const operation of operations) {
      const changes = kept.get(operation.id) ?? [];
      if (changes.length < operation.changes.length) this.#rewrite(operation, changes);
    }
    const known = new Set(operations.flatMap(({ changes }) => changes).flatMap(keptHash));
    this.#removeObjects(known, new Set([...kept.values()].flat().flatMap(keptHash)), now);
    writeFile(mark, new Date(now).toISOString());
  }

  #keptBytes(): number {
    const objects = join(this.#directory, "objects");
    return entriesOf(objects).reduce((sum, { name }) => {
      return sum + Deno.statSync(join(objects, name)).size;
    }, 0);
  }

  #rewrite({ at, command, id, isDone, undoes }: Operation, changes: readonly Change[]): void {
    if (changes.length === 0) return removeIfThere(this.#operationPath(id));
    const lines = [
      { format: 1, at, command, undoes },
      ...changes,
      ...(isDone ? [{ done: true }] : []),
    ];
    writeFile(this.#operationPath(id), textOf(lines));
  }

  /** What no operation names may belong to one that could not be read: it goes by its own age. */
  #removeObjects(known: ReadonlySet<string>, kept: ReadonlySet<string>, now: number): void {
    const objects = join(this.#directory, "objects");
    for (const { name } of entriesOf(objects)) {
      const path = join(objects, name);
      const isOurs = isTemporary(name) || /^[0-9a-f]{64}$/.test(name);
      if (!isOurs || kept.has(name)) continue;
      const age = now - (Deno.statSync(path).mtime?.getTime() ?? now);
      if (known.has(name) || isTemporary(name) || age > KEPT_DAYS * DAY_MS) removeIfThere(path);
    }
  }
}

function textOf(lines: readonly unknown[]): string {
  return lines.map((line) => JSON.stringify(line) + "\n").join("");
}

/** Returns what one journal file says; `undefined` where its operation never changed anything, or it is unreadable. */
export function parseOperation(id: number, text: string): Operation | undefined {
  const [first, ...rest] = text.split("\n").filter((line) => line !== "");
  const header = parsed(HEADER, first);
  if (header === undefined) return undefined;
  const changes = new Map<string, Change>();
  let [damaged, isDone] = [0, false];
  for (const [i, line] of rest.entries()) {
    const change = parsed(CHANGE, line) as Change | undefined;
    if (change !== undefined) addChange(changes, change);
    else if (parsed(END, line) !== undefined) isDone = true;
    // The last line may be torn: what it was about to announce was not done.
    else if (i < rest.length - 1 || text.endsWith("\n")) damaged++;
  }
  const { at, command, undoes } = header;
  return { id, at, command, undoes, isDone, damaged, changes: [...changes.values()] };
}

function parsed<T extends v.GenericSchema>(schema: T, line = ""): v.InferOutput<T> | undefined {
  try {
    const result = v.safeParse(schema, JSON.parse(line));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/** A path that is noted twice, because the operation was killed and went on, was changed once. */
function addChange(changes: Map<string, Change>, change: Change): void {
  const earlier = changes.get(change.path);
  const isOne = earlier?.effect.kind === "replace" && change.effect.kind === "replace";
  if (earlier === undefined || !isOne) changes.set(change.path, change);
  else {
    const effect = { ...earlier.effect, after: change.effect.after } as Effect;
    changes.set(change.path, { ...earlier, effect });
  }
}

/** Names the session or the text that a change belongs to. */
export function subjectOf({ owner }: Change): string {
  return "session" in owner ? owner.session : `${owner.set}/${owner.text}`;
}

function keptHash({ effect }: Change): string[] {
  return effect.kind === "replace" && effect.before !== null ? [effect.before.hash] : [];
}

function keptSize(changes: readonly Change[]): number {
  return changes.reduce((sum, { effect }) => {
    return sum + (effect.kind === "replace" ? effect.before?.size ?? 0 : 0);
  }, 0);
}

/**
 * Returns which changes stay undoable, by operation. What an operation did to one session or text stays or goes as
 * a whole: half of it undone would be worse than nothing.
 *
 * @param operations The last one first
 */
export function keptChanges(
  operations: readonly Operation[],
  now: number,
): ReadonlyMap<number, readonly Change[]> {
  const kept = new Map<number, readonly Change[]>();
  const seen = new Set<string>();
  let bytes = 0;
  for (const { at, changes, id } of operations) {
    const isOld = now - Date.parse(at) > KEPT_DAYS * DAY_MS;
    const staying = [...Map.groupBy(changes, subjectOf)].flatMap(([subject, group]) => {
      const size = keptSize(group);
      const holds = group.some((change) => keptHash(change).length > 0);
      const isNewest = holds && !seen.has(subject);
      if (holds) seen.add(subject);
      const stays = isNewest || (!isOld && bytes + size <= KEPT_BYTES);
      if (stays) bytes += size;
      return stays ? group : [];
    });
    kept.set(id, staying);
  }
  return kept;
}
