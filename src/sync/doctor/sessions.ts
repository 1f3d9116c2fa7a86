/**
 * Whether sessions are safe: pushed, of a size that can be handled, and not about to be deleted.
 *
 * @module
 */
import { isRecent } from "../../claude/retention.ts";
import type { Workspace } from "../workspace.ts";
import type { ListedSession } from "../listed.ts";
import { type Finding, ok } from "./finding.ts";

const DAY_MS = 86_400_000;
/** A clean-up within so many days is told of. */
const SOON_DAYS = 7;
/** Claude Code itself is slow with transcripts above this; 50 MB is where its own limits begin (client 2.1.197). */
const LARGE_BYTES = 50_000_000;

/** Looks for work that is on this machine only. */
export function checkUnpushed(
  { state }: Workspace,
  sessions: readonly ListedSession[],
): Finding {
  const unpushed = sessions.filter(({ isHere, isUnpushed }) => isHere && isUnpushed);
  if (unpushed.length === 0) return ok("pushed", "all sessions are in the hub");
  return {
    topic: "pushed",
    level: "warning",
    what:
      `${unpushed.length} sessions have lines that are on this machine only; the last push was ${
        state.fact("last_push") ?? "never"
      }`,
    mend: "ccsync push",
  };
}

/** Tells of sessions that Claude Code deletes soon, and whether each is safe. */
export function checkRetention(
  { env, retentionDays }: Workspace,
  sessions: readonly ListedSession[],
  modifiedAt: (session: ListedSession) => number | undefined,
): Finding[] {
  const soon = sessions.filter((session) => {
    const at = modifiedAt(session);
    return at !== undefined && !isRecent(at, env.now() + SOON_DAYS * DAY_MS, retentionDays);
  });
  const unsafe = soon.filter(({ isInHub, isUnpushed }) => !isInHub || isUnpushed);
  const safe = soon.length - unsafe.length;
  return [
    ok(
      "retention",
      `Claude Code deletes sessions after ${retentionDays} days; ${safe} go within ${SOON_DAYS} days and are in the hub`,
    ),
    ...unsafe.map(({ id, title }): Finding => ({
      topic: "retention",
      level: "warning",
      what: `Claude Code deletes ${
        id.slice(0, 8)
      } "${title}" within ${SOON_DAYS} days, and it is not in the hub`,
      mend: "ccsync push --all",
    })),
  ];
}

/** Tells of very large sessions. */
export function checkSizes(sessions: readonly ListedSession[]): Finding[] {
  return sessions.filter(({ size }) => size > LARGE_BYTES).map(({ id, size, title }) => ({
    topic: "size",
    level: "warning",
    what: `${id.slice(0, 8)} "${title}" has ${
      Math.round(size / 1_000_000)
    } MB: Claude Code itself is slow to resume it`,
    mend: "/compact in Claude Code, or a new session",
  }));
}

/** Tells of what an earlier run left undone. */
export function checkTrouble({ state }: Workspace): Finding[] {
  const trouble = state.fact("trouble");
  if (trouble === undefined) return [];
  const { at, command, why } = JSON.parse(trouble) as Readonly<Record<string, string>>;
  return [{
    topic: "last runs",
    level: "warning",
    what: `ccsync ${command}, ${at}: ${why}`,
    mend: `ccsync ${command}`,
  }];
}
