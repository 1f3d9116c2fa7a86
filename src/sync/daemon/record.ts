/**
 * What the daemon tells of itself: `daemon.json`, for `status`, hooks, and the next command.
 *
 * @module
 */
import { join } from "node:path";
import * as v from "valibot";
import type { Environment } from "../../machine/environment.ts";
import { readTextIfThere, writeFile } from "../../machine/files.ts";
import { isDaemonRunning } from "../../machine/one_process.ts";

const schema = v.looseObject({
  /** The process, and how it works: on and on, or once for a scheduler. */
  pid: v.number(),
  mode: v.picklist(["daemon", "once"]),
  startedAt: v.string(),
  /** Seconds. */
  interval: v.number(),
  pushOnly: v.boolean(),
  /** When it was told to stop. */
  endedAt: v.optional(v.string()),
  /** The last run. */
  last: v.optional(v.object({
    at: v.string(),
    work: v.picklist(["sync", "push"]),
    outcome: v.picklist(["done", "partial", "failed", "offline"]),
  })),
  /** Since when no run has succeeded, and why the last one did not. */
  failing: v.optional(v.object({ since: v.string(), why: v.string() })),
});

/** What the daemon tells of itself. Times are ISO 8601. */
export type DaemonRecord = Readonly<v.InferOutput<typeof schema>>;

const pathOf = (ccsyncHome: string) => join(ccsyncHome, "daemon.json");

/** Returns what the last daemon told, `undefined` where none ever ran or its file is damaged. */
export function readRecord(ccsyncHome: string): DaemonRecord | undefined {
  const content = readTextIfThere(pathOf(ccsyncHome));
  if (content === undefined) return undefined;
  try {
    const result = v.safeParse(schema, JSON.parse(content));
    return result.success ? result.output : undefined;
  } catch {
    // The next run writes it anew.
    return undefined;
  }
}

/** Writes it. */
export function writeRecord(ccsyncHome: string, record: DaemonRecord): void {
  writeFile(pathOf(ccsyncHome), JSON.stringify(record, null, 2) + "\n");
}

/** Returns the options of a daemon that works as the last one did. */
export function argumentsLike(record: DaemonRecord | undefined): string[] {
  if (record === undefined) return [];
  return ["--interval", String(record.interval), ...record.pushOnly ? ["--push-only"] : []];
}

/** So many intervals without success are no passing trouble. */
const PATIENCE_INTERVALS = 2;

/** Since when, and why, nothing is synced any more. */
export interface AutomationFault {
  /** ISO 8601. */
  readonly since: string;
  readonly why: string;
}

/** Returns how syncing by itself stands on this machine. */
export function automationOf({ ccsyncHome, now }: Pick<Environment, "ccsyncHome" | "now">): {
  readonly record: DaemonRecord | undefined;
  readonly isRunning: boolean;
  readonly fault: AutomationFault | undefined;
} {
  const [record, isRunning] = [readRecord(ccsyncHome), isDaemonRunning(ccsyncHome)];
  return { record, isRunning, fault: automationFault(record, isRunning, now()) };
}

/**
 * Returns since when and why nothing is synced any more although it should be by itself; `undefined` where it
 * is, nobody asked for it, or the trouble is too young to speak of.
 */
export function automationFault(
  record: DaemonRecord | undefined,
  isRunning: boolean,
  now: number,
): AutomationFault | undefined {
  if (record === undefined) return undefined;
  const { endedAt, failing, interval, last, mode, startedAt } = record;
  const isLong = (since: string) => now - Date.parse(since) > interval * 1000 * PATIENCE_INTERVALS;
  if (failing !== undefined && isLong(failing.since)) return failing;
  const lastAt = last?.at ?? startedAt;
  const isLost = mode === "daemon" && endedAt === undefined && !isRunning && isLong(lastAt);
  return isLost ? { since: lastAt, why: "the daemon has ended without being told to" } : undefined;
}
