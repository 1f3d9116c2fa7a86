/**
 * All sessions of this machine and of the hub, as they stand.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { LocalPath, Oid, SessionId } from "../brands.ts";
import { liveSessions } from "../claude/live.ts";
import { type Scan, scanInSteps, scanTranscripts, type Skipped } from "../claude/scan.ts";
import { gatherFacts, type Scope, type SessionView } from "./facts.ts";
import { noteSettled, settledSessions } from "./settled.ts";
import { fetchHub, type Workspace } from "./workspace.ts";

/** All sessions, and what had to be passed over. */
export interface Overview {
  /** Those that may need something. */
  readonly sessions: readonly SessionView[];
  /** Those that need nothing. */
  readonly settled: ReadonlySet<SessionId>;
  readonly skipped: readonly Skipped[];
}

/** A scan that is older, in milliseconds, does not count: a hub can be slow. */
const FRESH_MS = 500;

/**
 * Fetches as {@linkcode fetchHub}, and uses the time that git takes to scan this machine's transcripts. What that found
 * is returned unless git took long.
 */
export async function fetchAndScan(
  workspace: Workspace,
): Promise<{ readonly head: Oid | undefined; readonly seen: Scan | undefined }> {
  const [head, { at, seen }] = await together(
    fetchHub(workspace),
    scanBeside(workspace.env.claudeDir),
  );
  return { head, seen: performance.now() - at < FRESH_MS ? seen : undefined };
}

/**
 * Returns what comes of both. Where one fails, the other is waited for all the same: no git of a command that has
 * ended may be at work while the next one runs.
 */
export async function together<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return [await a, await b];
}

/** Scans while other work goes on, and tells when it began. */
async function scanBeside(claudeDir: LocalPath): Promise<{ at: number; seen: Scan }> {
  await nextTurn();
  const at = performance.now();
  const steps = scanInSteps(claudeDir, true);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return { at, seen: step.value };
    await nextTurn();
  }
}

/**
 * Waits until what can go on by itself, as the start of a program, has done so. A timer of no time would wait for two
 * milliseconds.
 */
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Looks at all sessions in scope. */
export async function lookAround(
  workspace: Workspace,
  scope: Scope,
  scan: Scan = scanTranscripts(workspace.env.claudeDir, true),
): Promise<Overview> {
  const { env } = workspace;
  const live = await liveSessions(env.claudeDir, env.now());
  const look = { live, scan, skipped: [...scan.skipped] };
  const settled = settledSessions(workspace, look, scope);
  const sessions = await gatherFacts(workspace, look, scope, settled);
  noteSettled(workspace, sessions);
  return { sessions, settled, skipped: look.skipped };
}
