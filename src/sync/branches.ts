/**
 * Decides how a merged transcript is resumed, and which fork keeps the continuation that the merge hides.
 *
 * One continuation has one fork, which grows with it: the fork has what the session's transcript had when the merge
 * hid it, and what that had more each further time, with its title behind. The rule, on every machine and for every
 * state of the hub the same:
 *
 * 1. A fork's id is made of the session's and of a record of the continuation. The forks that may keep one are
 *    therefore those of its records, looked at from the last one back.
 * 2. The first that shows the continuation's last record keeps it: nothing is to be done.
 * 3. The first that ends within the continuation, and has nothing but lines of the session's transcript in their
 *    order and titles by ccsync, grows.
 * 4. Else there is a new one, of the continuation's first record, which stays the same while it grows; where
 *    somebody went on with that fork, or it keeps another branch from there, of its last record.
 *
 * A fork that somebody went on with is never written to, nor one that would hide anything by it. In the hub only a
 * push makes a fork grow, by appending what the hub has; a pull makes those grow that were never sent, and else leaves
 * the session alone until the push.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { asMachineId, type LocalPath, type Oid, type SessionId } from "../brands.ts";
import { liveSessions } from "../claude/live.ts";
import { stampOf } from "../claude/scan.ts";
import { forkId, isForkId, parseMeta } from "../hub/format.ts";
import { lstatIfThere } from "../machine/files.ts";
import type { FileStamp } from "../machine/state.ts";
import { Conversation } from "../transcript/conversation.ts";
import { equalBytes, joinBytes, splitLines } from "../transcript/lines.ts";
import { type Branch, type ForkUse, reconcile, useOf } from "../transcript/reconcile.ts";
import { recordOf, textOf } from "../transcript/records.ts";
import { FORK_KEY } from "../transcript/summary.ts";
import { utf8 } from "../translate/bytes.ts";
import {
  type Comparison,
  HUB_START,
  type HubPosition,
  localForm,
  localised,
  positionAfter,
  type TwoSided,
} from "./content.ts";
import { TRANSCRIPT } from "./document.ts";
import { isFileTrouble, type SessionView } from "./facts.ts";
import { markIn } from "./marks.ts";
import { piecesOf } from "./pieces.ts";
import { planPush } from "./plan.ts";
import type { Workspace } from "./workspace.ts";

/** The session that keeps the hub's continuation of another one, and what has to be done for that. */
export type Fork =
  /** Nothing: it has all of the continuation. */
  | { readonly kind: "kept"; readonly id: SessionId }
  | {
    /** It has to be made. */
    readonly kind: "new";
    readonly id: SessionId;
    readonly title: string;
    /** The line behind the hub's transcript, in local form: its title, and what it was forked of. */
    readonly line: Uint8Array;
  }
  | {
    /** The hub's has to grow. */
    readonly kind: "behind";
    readonly id: SessionId;
    readonly growth: Growth;
  }
  | {
    /** One that was never sent has to grow. */
    readonly kind: "unsent";
    readonly id: SessionId;
    /** Its file as it was looked at. */
    readonly stamp: FileStamp;
    /** The line behind the hub's transcript, as it is there. */
    readonly line: Uint8Array;
  };

/** What a fork in the hub lacks. */
export interface Growth {
  /** Where its parent's transcript goes on after what it has. */
  readonly from: HubPosition;
  /** Its last title, in portable form. */
  readonly mark: Uint8Array;
}

/** A comparison that a merge can go by. */
export interface Branches {
  /** Its missing lines select, where that is needed, the branch that resuming has to take. */
  readonly comparison: Comparison;
  readonly fork?: Fork;
}

/**
 * Sees to how a transcript is resumed once the missing lines are added to it. Reads both sides as a whole: only
 * where they diverged.
 *
 * @param to End of the local bytes that were compared
 * @param known For a pull: the sessions that are here
 */
export async function reconcileBranches(
  workspace: Workspace,
  view: SessionView,
  document: TwoSided,
  comparison: Comparison,
  to: number,
  known?: ReadonlySet<SessionId>,
): Promise<Branches> {
  const { base, codec, hub, local, localState, name } = document;
  const isOneSided = comparison.missing.length === 0 || comparison.beginsWithHub;
  if (name !== TRANSCRIPT || isOneSided) return { comparison };
  const inHub = (segments: readonly Oid[]) =>
    linesOf(localForm(workspace, codec, segments, HUB_START, comparison.profile));
  const [there, here] = [new Conversation(), new Conversation()];
  // What both sides once had and only this one lacks was taken back here: it is no news from the hub.
  const before = localState === "unknown" ? base?.segments ?? [] : [];
  if (await positionAfter(workspace, before, hub.segments) !== undefined) {
    for await (const line of inHub(before)) here.know(line);
  }
  for await (const line of linesOf(piecesOf(local.path, codec, 0, to))) here.add(line);
  for await (const line of inHub(hub.segments)) there.add(line);
  const { missing, other } = reconcile(view.id, there, here, comparison.missing);
  const reconciled = { comparison: { ...comparison, missing } };
  if (other === undefined) return reconciled;
  const isInPlace = local.path === view.path && comparison.profile === workspace.profileKey;
  // What a push would not merge at once, or a pull has to move, must not wait for it.
  const mayWait = isInPlace && !view.facts.isTorn && planPush(view.facts) === "merge";
  const pulled = known === undefined ? undefined : { known, mayWait };
  return { ...reconciled, fork: await new ForkFinder(workspace, view, pulled).forkOf(other) };
}

async function* linesOf(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield* splitLines(piece);
}

/** What a pull knows. */
interface Pulled {
  /** The sessions that are here. */
  readonly known: ReadonlySet<SessionId>;
  /** Whether the session can be left to the next push. */
  readonly mayWait: boolean;
}

/** Finds the fork that keeps a continuation of a session. */
class ForkFinder {
  readonly #workspace: Workspace;
  readonly #view: SessionView;
  readonly #pulled: Pulled | undefined;
  readonly #inHub: ReadonlySet<SessionId>;
  readonly #forks: ReadonlySet<SessionId>;

  /** @param pulled What a pull knows; a push goes by the hub alone */
  constructor(workspace: Workspace, view: SessionView, pulled: Pulled | undefined) {
    this.#workspace = workspace;
    this.#view = view;
    this.#pulled = pulled;
    this.#inHub = new Set(workspace.state.catalogueIds().filter(isForkId));
    this.#forks = this.#inHub.union(new Set([...pulled?.known ?? []].filter(isForkId)));
  }

  async forkOf(branch: Branch): Promise<Fork> {
    const { id: session } = this.#view;
    for (const record of this.#forks.size === 0 ? [] : branch.records) {
      const id = forkId(session, record);
      if (!this.#forks.has(id)) continue;
      const found = await this.#found(id, branch);
      if (found !== undefined) return found;
    }
    const last = forkId(session, branch.records[0] ?? branch.first);
    const id = [forkId(session, branch.first), last].find((id) => !this.#isTaken(id));
    // It did keep it, and whoever went on with it has gone back since.
    if (id === undefined) return { kind: "kept", id: last };
    return newFork(this.#workspace, this.#view, id);
  }

  async #found(id: SessionId, branch: Branch): Promise<Fork | undefined> {
    if (this.#inHub.has(id)) return await this.#inHubFor(id, branch);
    try {
      return await this.#hereFor(id, branch);
    } catch (error) {
      // A file that cannot be read keeps nothing, but must not keep its session from being merged.
      if (!isFileTrouble(error)) throw error;
      return undefined;
    }
  }

  #isTaken(id: SessionId): boolean {
    return this.#forks.has(id) ||
      (this.#pulled !== undefined && lstatIfThere(this.#pathOf(id)) !== undefined);
  }

  /** Where a pull makes forks: beside their session. */
  #pathOf(id: SessionId): LocalPath {
    return join(dirname(this.#view.path ?? ""), `${id}.jsonl`) as LocalPath;
  }

  async #inHubFor(id: SessionId, branch: Branch): Promise<Fork | undefined> {
    const parent = this.#view.transcript.hub?.segments ?? [];
    const segments = this.#workspace.state.catalogueRow(id)?.transcript.segments ?? [];
    const conversation = new Conversation();
    const content = localForm(this.#workspace, "jsonl", segments, HUB_START);
    for await (const line of linesOf(content)) conversation.add(line);
    const growth = await this.#growthOf(id, segments, parent);
    const use = useOf(conversation, growth !== undefined, branch);
    if (use === "keeps") return { kind: "kept", id };
    const mayGrow = this.#pulled?.mayWait ?? true;
    return use === "grows" && mayGrow && growth !== undefined
      ? { kind: "behind", id, growth }
      : undefined;
  }

  /** Returns what a fork in the hub lacks, `undefined` where it has more than its parent's lines and titles. */
  async #growthOf(
    id: SessionId,
    segments: readonly Oid[],
    parent: readonly Oid[],
  ): Promise<Growth | undefined> {
    const { objects } = this.#workspace.mirror;
    let from = 0;
    while (from < segments.length && segments[from] === parent[from]) from++;
    const [own, theirs]: [Uint8Array[], Uint8Array[]] = [[], []];
    for (const oid of segments.slice(from)) own.push(await objects.blob(oid));
    for (const oid of parent.slice(from)) theirs.push(await objects.blob(oid));
    const [rest, expected] = [joinBytes(own), joinBytes(theirs)];
    let mark: Uint8Array | undefined;
    let skip = 0;
    for (const line of splitLines(rest)) {
      const isMark = markIn(line, id) !== undefined;
      if (isMark) mark = line;
      else if (equalBytes(expected.subarray(skip, skip + line.length), line)) skip += line.length;
      else return undefined;
    }
    if (mark === undefined) return undefined;
    let segment = from;
    for (const { length } of theirs) {
      if (skip < length) break;
      skip -= length;
      segment++;
    }
    return { from: { segment, skip }, mark };
  }

  /** Looks at a fork that a pull has made here and that the hub does not have. */
  async #hereFor(id: SessionId, branch: Branch): Promise<Fork | undefined> {
    if (this.#pulled === undefined) return undefined;
    const path = this.#pathOf(id);
    const info = lstatIfThere(path);
    if (info?.isFile !== true) return undefined;
    const stamp = stampOf(info);
    const parent = this.#view.transcript.hub?.segments ?? [];
    const expected = linesOf(localForm(this.#workspace, "jsonl", parent, HUB_START));
    const conversation = new Conversation();
    let line: Uint8Array | undefined;
    let isUntouched = true;
    for await (const own of linesOf(piecesOf(path, "jsonl", 0, stamp.size))) {
      conversation.add(own);
      if (markIn(own, id) !== undefined) line = own;
      else if (isUntouched) {
        const next = await expected.next();
        isUntouched = next.done !== true && equalBytes(next.value, own);
      }
    }
    const use: ForkUse = useOf(conversation, isUntouched, branch);
    if (use === "keeps") return { kind: "kept", id };
    if (use === "none" || line === undefined || await this.#isOpen(id)) return undefined;
    return { kind: "unsent", id, stamp, line };
  }

  async #isOpen(id: SessionId): Promise<boolean> {
    const { env } = this.#workspace;
    return (await liveSessions(env.claudeDir, env.now())).has(id);
  }
}

/** So much of a title stays, so that there is room for what is put behind it. */
const TITLE_LENGTH = 120;

/**
 * Returns a fork that has to be made. Its title is cut in portable form: cut in local form, it would end elsewhere
 * on every machine, and could end inside a path.
 */
function newFork(workspace: Workspace, view: SessionView, id: SessionId): Fork {
  const machine = asMachineId(view.meta?.lastEditedBy ?? "") ?? "";
  const [day] = /^\d{4}-\d\d-\d\d/.exec(view.meta?.updatedAt ?? "") ?? [];
  const origin = [
    ...day === undefined ? [] : [` of ${day}`],
    ...machine === "" ? [] : [` from ${machine}`],
  ];
  const meta = view.portableMeta === undefined ? undefined : parseMeta(view.portableMeta);
  const beginning = [...meta?.title || view.id].slice(0, TITLE_LENGTH).join("");
  const title = `${beginning.replace(/\{\{[^{}]*\}?$/, "")} (fork${origin.join("")})`;
  const record = {
    type: "custom-title",
    customTitle: title,
    sessionId: id,
    [FORK_KEY]: view.id,
    machine,
  };
  const line = localised(workspace, "jsonl", utf8(JSON.stringify(record) + "\n"));
  return { kind: "new", id, title: textOf(recordOf(line)?.["customTitle"]), line };
}
