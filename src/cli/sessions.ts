/**
 * How one session of a list reads.
 *
 * @module
 */
import type { ListedSession } from "../sync/listed.ts";
import { isUnder } from "../sync/workspace.ts";
import type { PathStyle } from "../translate/profile.ts";

/** Returns a path with `~` for the home directory, as people write it. */
export function homeRelative(path: string, home: string, style: PathStyle): string {
  return isUnder(style, path, home) ? `~${path.slice(home.length)}` : path;
}

/** Returns what is to be known of a session, in a few words. */
export function stateOf(session: ListedSession): string {
  return badgesOf(session).join(", ") || "in step";
}

/** Returns what sets a session apart from one that is simply in step, a few words each. */
export function badgesOf(session: ListedSession): string[] {
  const { forkOf, isLive, lock } = session;
  // A lock of this machine's own means no more than that it is open here.
  const isLocked = lock !== null && lock.standing === "held" && !(lock.isOurs && isLive);
  return [
    ...(isLocked ? [`locked by ${lock.machine}`] : []),
    ...(isLive ? ["open here"] : []),
    ...(forkOf === "" ? [] : ["fork"]),
    ...placeOf(session),
  ];
}

function placeOf({ isHere, isInHub, isLive, isUnpulled, isUnpushed }: ListedSession): string[] {
  if (!isInHub) return ["only here"];
  if (!isHere) return ["only in the hub"];
  if (isUnpushed && isUnpulled) return ["diverged"];
  if (isUnpushed) return ["to push"];
  return isUnpulled && !isLive ? ["to pull"] : [];
}
