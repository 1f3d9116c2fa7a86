/**
 * The sessions of this machine or of the hub, as lists show them.
 *
 * @module
 */
import type { SessionId } from "../brands.ts";
import { NO_SUMMARY } from "../transcript/summary.ts";
import {
  describe,
  type DescribedSession,
  type ListedSession,
  NO_PROMPTS,
  type Prompts,
} from "./listed.ts";
import { type LockView, lockViews } from "./locks.ts";
import { lookAround, type Overview, together } from "./overview.ts";
import { listedOf } from "./settled.ts";
import { openState, type Workspace } from "./workspace.ts";

/** Which sessions to list. */
export interface ListOptions {
  /** Those of this machine: here, or cleaned up from here; those in the hub; or both. */
  readonly side: "here" | "hub" | "both";
  /** Include sessions outside the sync directories. */
  readonly all: boolean;
  /** Include sessions held without a terminal. */
  readonly headless: boolean;
}

/**
 * Lists sessions, the last edited first, each with its forks behind it. Nothing is fetched.
 *
 * @param found All sessions of the same scope, where they were looked at just now
 */
export async function listSessions(
  workspace: Workspace,
  options: ListOptions,
  found?: Overview,
): Promise<ListedSession[]> {
  const { others, settled } = await find(workspace, options, found);
  return inOrder([...others, ...settled], options);
}

/** Does the same, and tells what was said in them. */
export async function describeSessions(
  workspace: Workspace,
  options: ListOptions,
  found?: Overview,
): Promise<DescribedSession[]> {
  const sessions = await listSessions(workspace, options, found);
  const prompts = workspace.state.settledPrompts();
  return sessions.map((session) => {
    return { ...NO_SUMMARY, ...session, ...promptsOf(session, prompts) };
  });
}

/**
 * Returns what tells what was said in the sessions of a list. One looks at the first, if at all: what was said in the
 * others is read when it is asked for, and may be gone by then, where another process has found something new in them.
 */
export function promptsIn(
  { env, progress, state }: Workspace,
  [first]: readonly ListedSession[],
): (session: ListedSession) => Prompts {
  const inFirst = first === undefined ? undefined : state.settledPrompt(first.id);
  let prompts: PromptsById | undefined;
  const inOther: PromptsById = (id) => {
    prompts ??= readPrompts({ env, progress });
    return prompts(id);
  };
  return (session) => promptsOf(session, session.id === first?.id ? () => inFirst : inOther);
}

type PromptsById = (id: SessionId) => unknown;

function readPrompts({ env, progress }: Pick<Workspace, "env" | "progress">): PromptsById {
  using state = openState(env, progress);
  return state.settledPrompts();
}

function promptsOf(session: ListedSession, prompts: PromptsById): Prompts {
  return isDescribed(session) ? session : prompts(session.id) as Prompts | undefined ?? NO_PROMPTS;
}

function isDescribed(session: ListedSession): session is DescribedSession {
  return "firstPrompt" in session;
}

async function find(
  workspace: Workspace,
  { all, side }: ListOptions,
  found: Overview | undefined,
): Promise<{ readonly others: DescribedSession[]; readonly settled: ListedSession[] }> {
  // Git is asked for the locks while this process looks at the sessions.
  const [locks, { sessions, settled }] = await together(
    lockViews(workspace),
    found === undefined ? lookAround(workspace, { all }) : Promise.resolve(found),
  );
  const others = sessions.filter(({ transcript: { base, hub, local } }) => {
    // What Claude Code's clean-up took from here is one of this machine's sessions still.
    const isOurs = local !== undefined || (base && hub) !== undefined;
    return side === "both" || (side === "hub" ? hub !== undefined : isOurs);
  }).map((view) => describe(workspace, view));
  return {
    others: others.map((session) => locked(session, locks)),
    settled: listedOf(workspace, settled).map((session) => locked(session, locks)),
  };
}

function locked<T extends ListedSession>(session: T, locks: ReadonlyMap<SessionId, LockView>): T {
  const lock = locks.get(session.id);
  return lock === undefined ? session : { ...session, lock };
}

function inOrder<T extends ListedSession>(
  sessions: readonly T[],
  { headless }: ListOptions,
): T[] {
  const sorted = sessions
    .filter((session) => headless || !session.headless)
    .sort((a, b) => {
      if (a.updatedAt === b.updatedAt) return a.id < b.id ? -1 : 1;
      return a.updatedAt > b.updatedAt ? -1 : 1;
    });
  return underParents(sorted);
}

/** Puts forks behind the session that they were forked of, where that is listed, too. */
export function underParents<T extends Pick<ListedSession, "id" | "forkOf">>(
  sessions: readonly T[],
): T[] {
  if (sessions.every(({ forkOf }) => forkOf === "")) return [...sessions];
  const ids = new Set<string>(sessions.map(({ id }) => id));
  const forks = Map.groupBy(sessions, ({ forkOf }) => ids.has(forkOf) ? forkOf : "");
  const ordered = new Set<T>();
  // All of them once more: the hub may claim that sessions are forks of each other.
  const pending = [...forks.get("") ?? [], ...sessions].reverse();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (ordered.has(next)) continue;
    ordered.add(next);
    pending.push(...(forks.get(next.id) ?? []).toReversed());
  }
  return [...ordered];
}
