/**
 * One process at a time changes the Claude directory or the mirror, and one daemon runs: locks of the
 * operating system, which end with their holder, whatever way it ends.
 *
 * @module
 */
import { join } from "node:path";
import { CcsyncError } from "../errors.ts";
import { makePrivateDirectory } from "./files.ts";

const LOCK_FILE = "process.lock";
const DAEMON_LOCK_FILE = "daemon.lock";
const POLL_MS = 50;
/** Longer than any single operation should hold it while still small enough to be noticed. */
const PATIENCE_MS = 10 * 60_000;

/** Tells that another process is waited for. Called once, only if there is a wait. */
export type OnWait = () => void;

/**
 * Runs the work while no other ccsync process of this CCSYNC_HOME does.
 *
 * @throws {CcsyncError} kind "failed", transient, when another process keeps the lock for ten minutes
 */
export async function alone<T>(
  ccsyncHome: string,
  onWait: OnWait,
  work: () => Promise<T>,
): Promise<T> {
  // Closing it unlocks it. Unlocking first would be one more thing that can fail: under Wine it does.
  using file = openLock(ccsyncHome, LOCK_FILE);
  await acquire(file, onWait);
  return await work();
}

async function acquire(file: Deno.FsFile, onWait: OnWait): Promise<void> {
  if (file.tryLockSync(true)) return;
  onWait();
  // Polled, not awaited: a blocking lock call could not be given up.
  for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (file.tryLockSync(true)) return;
  }
  throw new CcsyncError(
    "failed",
    "cannot start: another ccsync process has been at work for ten minutes",
    {
      transient: true,
      hints: ["wait for it to end, or end it, then run the command again; nothing was changed"],
    },
  );
}

function openLock(ccsyncHome: string, name: string): Deno.FsFile {
  makePrivateDirectory(ccsyncHome);
  return Deno.openSync(join(ccsyncHome, name), {
    read: true,
    write: true,
    create: true,
    mode: 0o600,
  });
}

/** Somebody who only looks whether a daemon runs holds the lock for a moment. */
const CLAIM_TRIES = 10;

/**
 * Makes this process the daemon of this CCSYNC_HOME until the returned object is disposed; `undefined` where
 * another one is.
 */
export async function claimDaemon(ccsyncHome: string): Promise<Disposable | undefined> {
  const file = openLock(ccsyncHome, DAEMON_LOCK_FILE);
  for (let tries = 0; tries < CLAIM_TRIES; tries++) {
    if (file.tryLockSync(true)) return file;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  file.close();
  return undefined;
}

/** Returns whether a daemon of this CCSYNC_HOME runs. */
export function isDaemonRunning(ccsyncHome: string): boolean {
  try {
    using file = Deno.openSync(join(ccsyncHome, DAEMON_LOCK_FILE), { read: true });
    // Shared: those who only look do not get into each other's way.
    return !file.tryLockSync(false);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
