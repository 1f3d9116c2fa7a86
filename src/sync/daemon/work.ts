/**
 * One run of the daemon: pulls, pushes, and looks after the locks of sessions that people opened by
 * themselves.
 *
 * @module
 */
import type { SessionId } from "../../brands.ts";
import { liveSessions } from "../../claude/live.ts";
import { acquireLock, type HeldLock, lockViews, releaseLocks } from "../locks.ts";
import { lookAround } from "../overview.ts";
import { pull } from "../pull.ts";
import { push } from "../push.ts";
import type { SyncReport } from "../report.ts";
import type { Workspace } from "../workspace.ts";

/** How to work. */
export interface RunOptions {
  /** Whether to bring what other machines sent. */
  readonly isPull: boolean;
  /** Whether the hub was not asked for longer than a moment. */
  readonly isStale: boolean;
  /** Sessions that are over whatever Claude Code's files say. */
  readonly over: ReadonlySet<SessionId>;
}

/** Pulls where that is wanted, and pushes; returns what was done. Throws as {@linkcode push}. */
export async function synchronizeOnce(
  workspace: Workspace,
  open: OpenSessions,
  { isPull, isStale, over }: RunOptions,
): Promise<SyncReport[]> {
  const pulled = isPull
    ? [await pull(workspace, { isDryRun: false, all: false, isForced: false, command: "daemon" })]
    : [];
  const locks = await open.claims(workspace, over);
  const pushed = await push(workspace, {
    isDryRun: false,
    all: false,
    isOptimistic: isPull || !isStale,
    locks,
  });
  return [...pulled, pushed];
}

/** The locks that the daemon holds: of sessions that are open here without `ccsync resume`. */
export class OpenSessions {
  readonly #held = new Map<SessionId, HeldLock>();
  readonly #takesLocks: boolean;

  /** @param takesLocks Whether somebody will be there to renew them */
  constructor(takesLocks: boolean) {
    this.#takesLocks = takesLocks;
  }

  /** Whether there is anything to release. */
  get isHolder(): boolean {
    return [...this.#held.values()].some(({ isHeld }) => isHeld);
  }

  /**
   * Locks what is open here and free, frees what processes of this machine left behind, and returns the locks
   * that the next push has to renew, or release because their sessions are closed.
   */
  async claims(
    workspace: Workspace,
    over: ReadonlySet<SessionId>,
  ): Promise<{ readonly held: HeldLock; readonly isRelease: boolean }[]> {
    this.#dropLost(workspace);
    const open = await openHere(workspace, over);
    const locks = await lockViews(workspace);
    const left = [...locks.values()].filter(({ isOurs, session, standing }) => {
      return isOurs && standing === "left" && !open.has(session);
    });
    await releaseLocks(workspace, left);
    for (const session of this.#takesLocks ? open : []) {
      const lock = locks.get(session);
      if (this.#held.has(session) || lock?.standing === "held") continue;
      const held = await acquireLock(workspace, session, lock?.oid);
      if (held !== undefined) this.#held.set(session, held);
    }
    return [...this.#held.values()].map((held) => ({ held, isRelease: !open.has(held.session) }));
  }

  /** Returns all of them, to be released. */
  all(): { readonly held: HeldLock; readonly isRelease: true }[] {
    return [...this.#held.values()].map((held) => ({ held, isRelease: true }));
  }

  #dropLost({ config, progress }: Workspace): void {
    for (const [session, { isHeld, newHolder }] of this.#held) {
      if (isHeld) continue;
      this.#held.delete(session);
      if (newHolder === undefined || newHolder === "nobody") continue;
      // `ccsync resume` on this machine goes on with what the daemon began.
      if (newHolder.machine === config.machineId) continue;
      progress.warn(`${newHolder.machine} has taken session ${session} over, which is open here`);
    }
  }
}

/** Returns the sessions that Claude Code has open on this machine and that are synced at all. */
async function openHere(
  workspace: Workspace,
  over: ReadonlySet<SessionId>,
): Promise<Set<SessionId>> {
  const { env } = workspace;
  // Looking at all sessions is for those machines only that have one open.
  if ((await liveSessions(env.claudeDir, env.now())).size === 0) return new Set();
  const { sessions } = await lookAround(workspace, { all: false });
  const open = sessions.filter(({ facts, id }) => facts.isLive && !over.has(id));
  return new Set(open.map(({ id }) => id));
}
