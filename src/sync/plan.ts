/**
 * Decides what a push or a pull does with each session. Pure: facts in, actions out.
 *
 * @module
 */

/** What is known of a local transcript against the base. */
export type LocalState =
  | "absent"
  /** Nothing after what the hub has. */
  | "unchanged"
  /** Its beginning is what was synced; there is more after it. */
  | "grown"
  /** Never synced, or its beginning is no longer what was synced. */
  | "unknown";

/** What is known of the hub's transcript against the base. */
export type HubState = "absent" | "unchanged" | "changed";

/** The facts about one session that a decision needs. */
export interface SessionFacts {
  readonly local: LocalState;
  readonly hub: HubState;
  /** Whether the local file begins with exactly the local form of what the hub had. */
  readonly isAligned: boolean;
  /** Whether the local file is where, and written with the placeholders, it has to be now. */
  readonly isPlaced: boolean;
  /** Whether the project of the local transcript changed since it was synced. */
  readonly isMoved: boolean;
  /** Whether a last line without newline waits. */
  readonly isTorn: boolean;
  /** Whether Claude Code has the session open here. */
  readonly isLive: boolean;
  /** Whether the last event is recent enough to be put back unasked. */
  readonly isRecent: boolean;
}

/** What a push does with a session. */
export type PushAction =
  | "none"
  /** The hub does not have it: send all lines. */
  | "create"
  /** Send the lines after the base. */
  | "append"
  /** Find the lines that the hub lacks, and send those. */
  | "merge"
  /** Only the project changed. */
  | "move";

/** Returns what a push does. Every local line ends up in the hub, whatever the hub got meanwhile. */
export function planPush(facts: SessionFacts): PushAction {
  if (facts.local === "absent") return "none";
  if (facts.hub === "absent") return "create";
  if (facts.local === "unknown") return "merge";
  if (facts.local === "unchanged") return facts.isMoved ? "move" : "none";
  return facts.hub === "unchanged" ? "append" : "merge";
}

/** The facts about one sidecar that a decision needs. */
export interface SidecarFacts {
  readonly local: LocalState;
  readonly hub: HubState;
  readonly merge: "append" | "replace";
  /** Whether both sides ever agreed. */
  readonly hasBase: boolean;
  /** Whether the local file begins with exactly the local form of what the hub had. */
  readonly isAligned: boolean;
  /** Whether the local file is where, and written with the placeholders, it has to be now. */
  readonly isPlaced: boolean;
}

/** What a push does with a sidecar: as with a transcript, or `replace` it as a whole. */
export type SidecarPush = Exclude<PushAction, "move"> | "replace";

/** Returns what a push does with a sidecar. A file that is gone here is never taken for a deletion. */
export function planSidecarPush({ hasBase, hub, local, merge }: SidecarFacts): SidecarPush {
  if (local === "absent" || local === "unchanged") return "none";
  if (hub === "absent") return "create";
  if (merge === "append") return local === "grown" && hub === "unchanged" ? "append" : "merge";
  // Two different files that never agreed: the hub's counts, and the next pull backs up the local one.
  return hasBase ? "replace" : "none";
}

/** What a pull does with a sidecar. */
export type SidecarPull =
  | "none"
  | "create"
  /** Add what the hub has more, or merge line by line. */
  | "join"
  /** Put the hub's content in place of the local one. */
  | "replace";

/**
 * Returns what a pull does with a sidecar.
 *
 * @param restores Whether the session itself is being put here, with all that belongs to it
 */
export function planSidecarPull(facts: SidecarFacts, restores: boolean): SidecarPull {
  const { hasBase, hub, isAligned, isPlaced, local, merge } = facts;
  if (hub === "absent") return "none";
  if (local === "absent") {
    // Claude Code's clean-up takes old files one by one; what the hub has not changed since is left at that.
    return restores || !hasBase || hub === "changed" ? "create" : "none";
  }
  if (merge === "append") {
    const isCurrent = hub === "unchanged" && isAligned && isPlaced && local !== "unknown";
    return isCurrent ? "none" : "join";
  }
  if (local === "unchanged") return hub === "changed" || !isPlaced ? "replace" : "none";
  return hasBase ? "none" : "replace";
}

/** What a pull does with a session. */
export type PullAction =
  | "none"
  /** It is not here: write all of it. */
  | "create"
  /** It is not here and old: Claude Code's clean-up removed it, or would at once. */
  | "leave-old"
  /** Add the hub's new lines at the end. */
  | "append"
  /** Write the hub's transcript, then the local lines that it lacks. */
  | "merge"
  /** It is open in Claude Code: lines put under it would become a side branch. */
  | "wait";

/** Returns what a pull does. */
export function planPull(facts: SessionFacts, force: boolean): PullAction {
  if (facts.hub === "absent") return "none";
  if (facts.local === "absent") return facts.isRecent || force ? "create" : "leave-old";
  const isCurrent = facts.hub === "unchanged" && facts.isAligned && facts.isPlaced;
  if (isCurrent && facts.local !== "unknown") return "none";
  if (facts.isLive) return "wait";
  const continues = facts.local === "unchanged" && facts.isAligned && facts.isPlaced;
  return continues && !facts.isTorn ? "append" : "merge";
}

/** How a file stands to what an operation did with it. */
export type FileNow =
  | "absent"
  /** As the operation found it. */
  | "as-before"
  /** As the operation left it. */
  | "as-left"
  | "other";

/** The facts about one change that a decision to undo it needs. */
export interface ChangeFacts {
  readonly now: FileNow;
  /** What the operation did: it wrote a file where none was, put one in another's place, ... */
  readonly did: "create" | "replace" | "remove" | "append";
}

/** What undoing does with a file. */
export type UndoAction =
  | "none"
  /** Bring back the content that is kept. */
  | "restore"
  /** Remove what was not there before. */
  | "remove"
  /** Take away what was appended. */
  | "cut"
  /** Somebody changed it since: that must not be lost. */
  | "leave";

/** Returns what undoing does with a file. */
export function planUndo({ did, now }: ChangeFacts): UndoAction {
  if (now === "as-before") return "none";
  if (did === "replace") return now === "other" ? "leave" : "restore";
  if (now !== "as-left") return "leave";
  return ({ create: "remove", remove: "restore", append: "cut" } as const)[did];
}
