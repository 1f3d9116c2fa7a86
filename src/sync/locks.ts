/**
 * Claims sessions for this machine, and judges the claims of others. A lock is a courtesy between machines:
 * what keeps data safe is the merge, and the hub itself, which moves a lock only from what it is.
 *
 * @module
 */
import type { Oid, SessionId } from "../brands.ts";
import { type HubLock, type Lock, readLocks, writeLock } from "../hub/locks.ts";
import type { LockMove } from "../hub/mirror.ts";
import { randomId } from "../machine/environment.ts";
import { isSameProcess, type ProcessTable, runningProcesses } from "../machine/processes.ts";
import type { Workspace } from "./workspace.ts";

/** Clocks differ: a lock counts for this part of its TTL longer. */
const SKEW_MARGIN = 0.2;

/**
 * What a lock means to this machine: `held` by somebody at work, `expired`, or `left` behind by a process
 * of this machine that has ended.
 */
export type LockStanding = "held" | "expired" | "left";

/** A lock as people see it. Times are ISO 8601, by the holder's clock; empty where it cannot be read. */
export interface LockView {
  readonly session: SessionId;
  readonly oid: Oid;
  readonly machine: string;
  readonly host: string;
  readonly pid: number;
  readonly acquiredAt: string;
  readonly heartbeatAt: string;
  readonly expiresAt: string;
  /** Whether this machine holds it. */
  readonly isOurs: boolean;
  readonly standing: LockStanding;
}

/** Returns all locks that were fetched last, and what they mean here, by session. */
export async function lockViews(workspace: Workspace): Promise<Map<SessionId, LockView>> {
  const locks = await readLocks(workspace.mirror);
  const { config: { machineId }, env } = workspace;
  const now = env.now();
  const ours = [...locks.values()].flatMap(({ lock }) => lock?.machine === machineId ? [lock] : []);
  const running = ours.length === 0
    ? new Map<number, number>()
    : await runningProcesses(ours.map(({ pid }) => pid), now);
  return new Map([...locks].map(([session, found]) => {
    return [session, viewOf(found, machineId, running, now)];
  }));
}

function viewOf(
  { lock, oid, session }: HubLock,
  machineId: string,
  running: ProcessTable,
  now: number,
): LockView {
  if (lock === undefined) return { session, oid, ...UNREADABLE };
  const { acquiredAt, heartbeatAt, host, machine, pid } = lock;
  const isOurs = machine === machineId;
  return {
    session,
    oid,
    machine,
    host,
    pid,
    acquiredAt,
    heartbeatAt,
    expiresAt: new Date(expiryOf(lock)).toISOString(),
    isOurs,
    standing: standingOf(lock, isOurs ? running : "unknown", now),
  };
}

/** A newer ccsync may have written it: it counts until somebody takes it over. */
const UNREADABLE = {
  machine: "unknown",
  host: "",
  pid: 0,
  acquiredAt: "",
  heartbeatAt: "",
  expiresAt: "",
  isOurs: false,
  standing: "held",
} as const;

/**
 * Returns what a lock means.
 *
 * @param running The processes of the machine that holds it, `unknown` for another machine
 */
export function standingOf(lock: Lock, running: ProcessTable, now: number): LockStanding {
  const isAlive = isSameProcess({ pid: lock.pid, at: Date.parse(lock.heartbeatAt) }, running);
  if (isAlive === true) return "held";
  if (isAlive === false) return "left";
  return now > expiryOf(lock) ? "expired" : "held";
}

/** Returns when a lock expires unless it is renewed, milliseconds since 1970. */
function expiryOf({ heartbeatAt, ttl }: Lock): number {
  return Date.parse(heartbeatAt) + ttl * (1 + SKEW_MARGIN) * 1000;
}

/**
 * Tries to lock a session, one round trip to the hub.
 *
 * @param from The lock that the hub is believed to have, which is replaced
 * @returns `undefined` where the hub has another lock by now: fetch, and judge anew
 */
export async function acquireLock(
  workspace: Workspace,
  session: SessionId,
  from: Oid | undefined,
): Promise<HeldLock | undefined> {
  const { config, env, mirror } = workspace;
  const now = new Date(env.now()).toISOString();
  const lock: Lock = {
    session,
    machine: config.machineId,
    host: env.hostname,
    pid: Deno.pid,
    token: randomId(),
    acquiredAt: now,
    heartbeatAt: now,
    ttl: config.lockTtl,
  };
  const to = await writeLock(mirror, lock);
  const outcome = await mirror.push(undefined, [{ session, from, to }]);
  return outcome === "pushed" ? new HeldLock(lock, to) : undefined;
}

/** Releases locks if they still are what they were seen to be; returns whether they were. */
export async function releaseLocks(
  { mirror }: Workspace,
  locks: readonly Pick<LockView, "session" | "oid">[],
): Promise<boolean> {
  if (locks.length === 0) return true;
  const moves = locks.map(({ oid, session }) => ({ session, from: oid, to: undefined }));
  return await mirror.push(undefined, moves) === "pushed";
}

/** Who has a lock now that was this process's. */
export type NewHolder = { readonly machine: string; readonly at: string } | "nobody";

/** A lock that this process got. Every push of its renews it in the same step, or fails with it. */
export class HeldLock {
  readonly session: SessionId;
  #lock: Lock;
  #oid: Oid;
  #state: "held" | "released" | NewHolder = "held";

  constructor(lock: Lock, oid: Oid) {
    this.session = lock.session as SessionId;
    this.#lock = lock;
    this.#oid = oid;
  }

  /** Whether the hub had it when it was last heard of. */
  get isHeld(): boolean {
    return this.#state === "held";
  }

  /** Who has it instead, once this process lost it. */
  get newHolder(): NewHolder | undefined {
    return this.#state === "held" || this.#state === "released" ? undefined : this.#state;
  }

  /** Returns the move that goes with a push: to a newer heartbeat, or away. None where it was lost. */
  async move(workspace: Workspace, isRelease: boolean): Promise<LockMove | undefined> {
    if (!this.isHeld) return undefined;
    const heartbeatAt = new Date(workspace.env.now()).toISOString();
    this.#lock = { ...this.#lock, heartbeatAt };
    const to = isRelease ? undefined : await writeLock(workspace.mirror, this.#lock);
    return { session: this.session, from: this.#oid, to };
  }

  /** Takes note of a move that the hub accepted. */
  moved({ to }: LockMove): void {
    if (to === undefined) this.#state = "released";
    else this.#oid = to;
  }

  /** Looks, after a fetch, whether the hub still has it. */
  async verify({ mirror }: Workspace): Promise<void> {
    if (!this.isHeld) return;
    const found = (await readLocks(mirror)).get(this.session);
    if (found?.oid === this.#oid) return;
    // The hub took a move, and its answer was lost.
    if (found?.lock?.token === this.#lock.token) this.#oid = found.oid;
    else if (found === undefined) this.#state = "nobody";
    else {
      const { acquiredAt: at = "", machine = "another machine" } = found.lock ?? {};
      this.#state = { machine, at };
    }
  }
}
