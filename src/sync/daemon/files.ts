/**
 * The files by which the daemon and others find each other, and how it is stopped.
 *
 * @module
 */
import { join } from "node:path";
import { isDaemonRunning } from "../../machine/one_process.ts";

/** Returns where the daemon's log is. */
export function logPath(ccsyncHome: string): string {
  return join(ccsyncHome, "daemon.log");
}

/** Returns where the file is that makes the daemon stop, on every system. */
export function stopPath(ccsyncHome: string): string {
  return join(ccsyncHome, "daemon.stop");
}

/** Longer than a run takes that moves no gigabytes. */
const STOP_MS = 120_000;
const POLL_MS = 50;

/** Makes a running daemon end, and returns whether none runs any more. */
export async function stopDaemon(ccsyncHome: string): Promise<boolean> {
  if (!isDaemonRunning(ccsyncHome)) return true;
  Deno.writeTextFileSync(stopPath(ccsyncHome), "", { mode: 0o600 });
  return await isWithin(STOP_MS, () => !isDaemonRunning(ccsyncHome));
}

/** Returns whether something becomes true within a time. */
export async function isWithin(ms: number, look: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < ms; waited += POLL_MS) {
    if (look()) return true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return look();
}
