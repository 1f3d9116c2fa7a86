/**
 * One process at a time changes the Claude directory or the mirror: a lock of the operating system, which
 * ends with its holder, whatever way it ends.
 *
 * @module
 */
import { join } from "node:path";
import { CcsyncError } from "../errors.ts";
import { makePrivateDirectory } from "./files.ts";

const LOCK_FILE = "process.lock";
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
  makePrivateDirectory(ccsyncHome);
  using file = Deno.openSync(join(ccsyncHome, LOCK_FILE), {
    read: true,
    write: true,
    create: true,
    mode: 0o600,
  });
  await acquire(file, onWait);
  try {
    return await work();
  } finally {
    file.unlockSync();
  }
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
