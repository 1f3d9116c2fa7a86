/**
 * When the daemon works: pure decisions. Times are milliseconds since 1970, by a clock that may jump.
 *
 * @module
 */

/** What a run does: `sync` pulls and pushes, `push` only sends what changed here. */
export type Work = "sync" | "push";

/** What came of a run. `offline` is a hub that cannot be reached. */
export type Outcome = "done" | "partial" | "failed" | "offline";

/** What happened since the last look. */
export interface News {
  /** Whether something under the Claude directory changed. */
  readonly hasChanged: boolean;
  /** Whether this computer came into another network, or into one at all. */
  readonly isElsewhere: boolean;
  /** What Claude Code's hooks announced. */
  readonly hooks: readonly HookEvent[];
}

/** What hooks announce, as their command says it. */
export type HookEvent = "session-start" | "stop" | "session-end";

/** What is planned. */
export interface Timetable {
  readonly intervalMs: number;
  /** When to pull and push. */
  readonly syncAt: number;
  /** When to push what changed, if something did, and since when it waits. */
  readonly push: { readonly at: number; readonly since: number } | undefined;
  /** Tries in a row that did not reach the hub. */
  readonly offline: number;
  /** When somebody last looked. */
  readonly seenAt: number;
}

/** Claude Code writes for as long as it works: a push waits for a pause. */
const PAUSE_MS = 3_000;
/** But no longer than this. */
const LONGEST_WAIT_MS = 30_000;
/** At Stop, Claude Code has not written the turn yet. Observed with client 2.1.197: it does within 0.1 s. */
const AFTER_STOP_MS = 2_000;
/** Nobody looked for so long: the computer slept, or the clock was set. */
const SLEPT_MS = 30_000;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 60_000;

/** Returns the plan of a daemon that begins: to work at once. */
export function begin(intervalMs: number, now: number): Timetable {
  return { intervalMs, syncAt: now, push: undefined, offline: 0, seenAt: now };
}

/** Returns the plan after a look at what happened. */
export function noted(plan: Timetable, news: News, now: number): Timetable {
  const { hasChanged, hooks, isElsewhere } = news;
  const hasSlept = now < plan.seenAt || now - plan.seenAt > SLEPT_MS;
  const isUrgent = hasSlept || hooks.includes("session-start") || (isElsewhere && plan.offline > 0);
  const wishes = [
    ...hasChanged ? [now + PAUSE_MS] : [],
    ...hooks.includes("stop") ? [now + AFTER_STOP_MS] : [],
    ...hooks.includes("session-end") ? [now] : [],
  ];
  return {
    ...plan,
    seenAt: now,
    syncAt: isUrgent ? now : plan.syncAt,
    push: pushAfter(hasSlept ? undefined : plan.push, wishes, now),
  };
}

function pushAfter(
  push: Timetable["push"],
  wishes: readonly number[],
  now: number,
): Timetable["push"] {
  if (wishes.length === 0) return push;
  const since = push?.since ?? now;
  return { since, at: Math.min(...wishes, since + LONGEST_WAIT_MS) };
}

/** Returns what is to be done now, if anything is. */
export function due({ offline, push, syncAt }: Timetable, now: number): Work | undefined {
  if (now >= syncAt) return "sync";
  // What changes while the hub cannot be reached goes with the next try.
  return offline === 0 && push !== undefined && now >= push.at ? "push" : undefined;
}

/** Returns the plan after a run. */
export function ended(plan: Timetable, work: Work, outcome: Outcome, now: number): Timetable {
  const offline = outcome === "offline" ? plan.offline + 1 : 0;
  const pauseMs = offline > 0 ? retryMs(offline, plan.intervalMs) : plan.intervalMs;
  const isKept = work === "push" && offline === 0;
  return {
    ...plan,
    offline,
    push: undefined,
    syncAt: isKept ? plan.syncAt : now + pauseMs,
    seenAt: now,
  };
}

function retryMs(offline: number, intervalMs: number): number {
  return Math.min(intervalMs, LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (offline - 1));
}
