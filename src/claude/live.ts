/**
 * Which sessions are open in Claude Code on this machine right now.
 *
 * Source: `<claude>/sessions/<pid>.json` {pid, sessionId, updatedAt, ...}, one per live terminal client, left
 * behind by SIGKILL; observed with client 2.1.197, fixture `sessions/22522.json`.
 *
 * @module
 */
import { join } from "node:path";
import * as v from "valibot";
import { asSessionId, type LocalPath, type SessionId } from "../brands.ts";
import { entriesOf, readTextIfThere } from "../machine/files.ts";
import { isSameProcess, type ProcessTrace, runningProcesses } from "../machine/processes.ts";
import { liveDir } from "./layout.ts";

const schema = v.looseObject({
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  sessionId: v.string(),
  updatedAt: v.optional(v.number()),
  startedAt: v.optional(v.number()),
});

/** A client that said it has a session open. */
interface LiveClaim extends ProcessTrace {
  readonly id: SessionId;
}

/** Returns the sessions that a running client has open. */
export async function liveSessions(claudeDir: LocalPath, now: number): Promise<Set<SessionId>> {
  const claims = readClaims(claudeDir);
  if (claims.length === 0) return new Set();
  const running = await runningProcesses(claims.map(({ pid }) => pid), now);
  // Without a way to ask, a claim counts: putting lines under an open client would lose its place.
  return new Set(
    claims.filter((claim) => isSameProcess(claim, running) ?? true).map(({ id }) => id),
  );
}

function readClaims(claudeDir: LocalPath): LiveClaim[] {
  return entriesOf(liveDir(claudeDir)).flatMap((entry) => {
    if (!entry.isFile || !/^\d+\.json$/.test(entry.name)) return [];
    const content = readTextIfThere(join(liveDir(claudeDir), entry.name));
    const claim = content === undefined ? undefined : parseClaim(content);
    return claim === undefined ? [] : [claim];
  });
}

function parseClaim(content: string): LiveClaim | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(content);
  } catch {
    // Being written at this moment, or damaged: it names no session.
    return undefined;
  }
  const result = v.safeParse(schema, raw);
  if (!result.success) return undefined;
  const id = asSessionId(result.output.sessionId);
  // Without a time, any process of that number counts.
  const at = result.output.updatedAt ?? result.output.startedAt ?? Infinity;
  return id === undefined ? undefined : { pid: result.output.pid, id, at };
}
