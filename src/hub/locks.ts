/**
 * Locks in the hub: one ref a session, to a parentless commit with an empty tree whose message is the lock.
 * A ref is compared and swapped at the server, so of two machines that race one wins; and renewing a lock
 * leaves no history on `main`.
 *
 * Do not change: the refs and the JSON are read by other machines' ccsync.
 *
 * @module
 */
import * as v from "valibot";
import { asMachineId, asSessionId, type Oid, type SessionId } from "../brands.ts";
import { FileTrouble } from "../errors.ts";
import type { Mirror } from "./mirror.ts";
import type { GitObject } from "./object_reader.ts";

/** Four digits of a year are enough, and what is added to it stays a time. */
const LAST_TIME_MS = Date.parse("9999-12-31T23:59:59Z");
const time = v.pipe(v.string(), v.check((text) => Math.abs(Date.parse(text)) <= LAST_TIME_MS));

const schema = v.looseObject({
  session: v.string(),
  machine: v.pipe(v.string(), v.check((text) => asMachineId(text) !== undefined)),
  host: v.fallback(v.pipe(v.string(), v.maxLength(300)), ""),
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  token: v.pipe(v.string(), v.maxLength(100)),
  acquiredAt: time,
  heartbeatAt: time,
  /** Seconds after the last heartbeat. */
  ttl: v.pipe(v.number(), v.minValue(1), v.maxValue(86_400)),
});

/** A time-limited claim on a session. Times are ISO 8601, by the holder's clock. */
export type Lock = v.InferOutput<typeof schema>;

/** A lock as the hub has it. */
export interface HubLock {
  readonly session: SessionId;
  readonly oid: Oid;
  /** What it says; `undefined` where it cannot be read, as from a newer ccsync. */
  readonly lock: Lock | undefined;
}

/** Returns the locks that were fetched last, by session. Names that are no session's are left out. */
export async function readLocks(mirror: Mirror): Promise<Map<SessionId, HubLock>> {
  const locks = new Map<SessionId, HubLock>();
  for (const [name, oid] of await mirror.lockRefs()) {
    const session = asSessionId(name);
    if (session === undefined) continue;
    const commit = await read(mirror, oid);
    const text = commit?.type === "commit" ? new TextDecoder().decode(commit.bytes) : "";
    const message = text.slice(text.indexOf("\n\n") + 2);
    locks.set(session, { session, oid, lock: parseLock(session, message) });
  }
  return locks;
}

async function read(mirror: Mirror, oid: Oid): Promise<GitObject | undefined> {
  try {
    return await mirror.objects.read(oid);
  } catch (error) {
    // One of megabytes is none.
    if (error instanceof FileTrouble) return undefined;
    throw error;
  }
}

/** Returns what a lock of a session says, or `undefined` where it is none of that session. */
export function parseLock(session: SessionId, json: string): Lock | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch {
    // The schema refuses `undefined`.
  }
  const result = v.safeParse(schema, raw);
  return result.success && result.output.session === session ? result.output : undefined;
}

/** Writes a lock into the mirror. It counts once its ref was moved in the hub. */
export async function writeLock(mirror: Mirror, lock: Lock): Promise<Oid> {
  const info = {
    message: JSON.stringify(lock) + "\n",
    machine: lock.machine,
    at: Date.parse(lock.heartbeatAt),
  };
  return await mirror.commit(undefined, info, () => Promise.resolve());
}
