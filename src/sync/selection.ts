/**
 * Which session is meant by what somebody typed.
 *
 * @module
 */
import { CcsyncError } from "../errors.ts";
import type { ListedSession } from "./listed.ts";

/** So many sessions are named as candidates. */
const MOST_CANDIDATES = 10;

/**
 * Returns the one session whose id begins so.
 *
 * @throws {CcsyncError} kind "usage" where there is none, or more than one: with candidates
 */
export function sessionOf(sessions: readonly ListedSession[], prefix: string): ListedSession {
  const wanted = prefix.toLowerCase();
  const matching = sessions.filter(({ id }) => id.startsWith(wanted));
  const [found, ...others] = matching;
  if (found !== undefined && others.length === 0) return found;
  if (found === undefined) {
    throw new CcsyncError("usage", `cannot find the session "${prefix}": no id begins so`, {
      hints: [...candidates(sessions), "ccsync list --remote --all lists all sessions"],
    });
  }
  throw new CcsyncError(
    "usage",
    `cannot tell which session "${prefix}" is: ${matching.length} ids begin so`,
    { hints: [...candidates(matching), "type more of the id"] },
  );
}

/**
 * Returns the session with the last event; what Claude Code merely touched does not count.
 *
 * @throws {CcsyncError} kind "usage" where there is none
 */
export function latestOf(sessions: readonly ListedSession[]): ListedSession {
  const [first, ...rest] = sessions;
  if (first === undefined) throw noSessions();
  return rest.reduce((a, b) => (b.updatedAt > a.updatedAt ? b : a), first);
}

/** Returns the sessions that a machine began or edited last. */
export function sessionsFrom<T extends ListedSession>(
  sessions: readonly T[],
  machine: string,
): readonly T[] {
  const found = sessions.filter((session) =>
    session.machine === machine || session.createdBy === machine
  );
  if (found.length > 0) return found;
  const machines = [...new Set(sessions.flatMap((each) => [each.machine, each.createdBy]))].sort();
  throw new CcsyncError("usage", `cannot find sessions of the machine "${machine}"`, {
    hints: machines.length === 0
      ? noSessions().hints
      : [`there are some of: ${machines.join(", ")}`],
  });
}

/** The error where there is nothing to choose from. */
export function noSessions(): CcsyncError {
  return new CcsyncError("usage", "cannot resume: there is no session to resume", {
    hints: [
      "--all includes sessions outside the sync directories (ccsync config show) and those held without a terminal",
    ],
  });
}

function candidates(sessions: readonly ListedSession[]): string[] {
  const shown = sessions.slice(0, MOST_CANDIDATES).map(({ id, title, project }) =>
    `${id}  ${title || "(no title)"}  ${project}`
  );
  const more = sessions.length - shown.length;
  return more > 0 ? [...shown, `and ${more} more`] : shown;
}
