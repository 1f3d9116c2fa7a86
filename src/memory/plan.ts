/**
 * Decides what a push and a pull do with each shared text. Pure: facts in, actions out.
 *
 * @module
 */

/** How a text stands on one side against the base: the version that this machine and the hub last agreed on. */
export type TextState =
  | "absent"
  | "unchanged"
  /** Other than the base, or there is no base. */
  | "changed";

/** The facts about one shared text that a decision needs. */
export interface TextFacts {
  readonly local: TextState;
  readonly hub: TextState;
  /** Whether this machine and the hub ever agreed on a version. */
  readonly hasBase: boolean;
  /** Whether the whole set is gone here, or its folder is another one: then nothing was deleted. */
  readonly isSetGone: boolean;
  /** Whether the local file is where, and written with the placeholders, it has to be now. */
  readonly isPlaced: boolean;
  /** Where both sides changed it: whether the local version has anything that the hub's lacks. */
  readonly hasNews: boolean;
  /** Where both sides changed it: whether the hub's version has anything that the local one lacks. */
  readonly lacksNews: boolean;
}

/** What a push does with a text. */
export type TextPush =
  | "none"
  /** Write the local version. */
  | "send"
  /** Write what both versions make together. */
  | "merge"
  /** Remove it from the hub. */
  | "delete";

/** Returns what a push does: local changes and deletions go up, and an edit beats a deletion. */
export function planTextPush(facts: TextFacts): TextPush {
  const { hasBase, hasNews, hub, isSetGone, local } = facts;
  if (local === "absent") {
    return hasBase && hub === "unchanged" && !isSetGone ? "delete" : "none";
  }
  if (local === "unchanged") return "none";
  if (hub !== "changed") return "send";
  return hasNews ? "merge" : "none";
}

/** What a pull does with a text. */
export type TextPull =
  | "none"
  /** Write the hub's version. */
  | "take"
  /** Write what both versions make together. */
  | "merge"
  /** Remove it here. */
  | "delete";

/** Returns what a pull does: the local set becomes the hub's, but what was changed here stays in it. */
export function planTextPull(facts: TextFacts): TextPull {
  const { hasBase, hasNews, hub, isPlaced, isSetGone, lacksNews, local } = facts;
  if (hub === "absent") return hasBase && local === "unchanged" ? "delete" : "none";
  if (local === "absent") {
    // A deletion here that the hub does not know yet waits for the push.
    return hasBase && hub === "unchanged" && !isSetGone ? "none" : "take";
  }
  if (local === "unchanged") return hub === "changed" || !isPlaced ? "take" : "none";
  if (hub === "unchanged") return isPlaced ? "none" : "merge";
  if (!lacksNews) return isPlaced ? "none" : "merge";
  return hasNews ? "merge" : "take";
}
