/**
 * Keeps a session in step with the hub while Claude Code has it open: pushes what was added, and renews the
 * lock in the same step, so that a machine that lost its lock cannot do either.
 *
 * @module
 */
import type { SessionId } from "../brands.ts";
import { acquireLock, type HeldLock, lockViews } from "./locks.ts";
import { push } from "./push.ts";
import type { SessionReport, SyncReport } from "./report.ts";
import { fetchHub, type Workspace } from "./workspace.ts";

/** Keeps one session in step. */
export class SessionKeeper {
  /** Sessions that another machine continued, too, in all steps so far. */
  readonly forked: SessionReport[] = [];
  readonly #session: SessionId;
  #held: HeldLock | undefined;
  /** The holder that was told of: one message each. */
  #told: string | undefined;

  /** @param held The lock, `undefined` where the hub could not be asked for it */
  constructor(session: SessionId, held: HeldLock | undefined) {
    this.#session = session;
    this.#held = held;
  }

  /** Whether this process has the lock, as far as it knows. */
  get isHolder(): boolean {
    return this.#held?.isHeld ?? false;
  }

  /**
   * Pushes and renews the lock; the last time releases it.
   *
   * @throws {CcsyncError} as {@linkcode push}; calling it again continues
   */
  async step(workspace: Workspace, isLast: boolean): Promise<SyncReport> {
    if (!isLast && !this.isHolder) await this.#tryToLock(workspace);
    const held = this.#held;
    const report = await push(workspace, {
      isDryRun: false,
      all: false,
      also: this.#session,
      isOptimistic: true,
      ...(held === undefined ? {} : { locks: [{ held, isRelease: isLast }] }),
    });
    // A fork that grows is told of once.
    const known = new Set(this.forked.map(({ fork }) => fork));
    const isNews = ({ fork }: SessionReport) => fork !== undefined && !known.has(fork);
    this.forked.push(...report.sessions.filter(isNews));
    if (held?.newHolder !== undefined && held.newHolder !== "nobody") {
      this.#tell(workspace, held.newHolder.machine);
    }
    return report;
  }

  /** Locks what could not be locked before, or what somebody released, unless another machine has it now. */
  async #tryToLock(workspace: Workspace): Promise<void> {
    await fetchHub(workspace);
    const lock = (await lockViews(workspace)).get(this.#session);
    // A daemon of this machine may have locked it meanwhile: that is as good.
    if (lock?.standing === "held") {
      return lock.isOurs ? undefined : this.#tell(workspace, lock.machine);
    }
    this.#held = await acquireLock(workspace, this.#session, lock?.oid);
    this.#told = undefined;
  }

  #tell({ progress }: Workspace, machine: string): void {
    if (this.#told === machine) return;
    this.#told = machine;
    progress.warn(
      `${machine} has taken this session over: what is written here is pushed all the same, and merged; both continuations are kept, but better close one of them`,
    );
  }
}

/**
 * Runs a step again and again until something has ended, never two at a time, and returns how it ended.
 *
 * @param isDue Whether the first step is due at once
 */
export async function accompany<T>(
  ended: Promise<T>,
  intervalMs: number,
  isDue: boolean,
  step: () => Promise<void>,
): Promise<T> {
  let isOver = false;
  let wake = () => {};
  const end = () => {
    isOver = true;
    wake();
  };
  // Once: every further reaction to its end would be kept until then.
  ended.then(end, end);
  if (isDue) await step();
  while (!isOver) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, intervalMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    if (!isOver) await step();
  }
  return await ended;
}
