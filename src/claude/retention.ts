/**
 * What Claude Code's clean-up takes: by the time of modification, without asking.
 *
 * Source: `cleanupPeriodDays` in `settings.json`, 30 unless set, at least 1; it goes by mtime, a few seconds
 * after a start; observed with client 2.1.197.
 *
 * @module
 */
import { join } from "node:path";
import type { LocalPath } from "../brands.ts";
import { readTextIfThere } from "../machine/files.ts";

const DEFAULT_DAYS = 30;
const DAY_MS = 86_400_000;
/** A restored file has to be this much younger than what the clean-up takes. */
const MARGIN_DAYS = 2;

/** Returns for how many days after the last write Claude Code keeps a session's files on this machine. */
export function retentionDays(claudeDir: LocalPath): number {
  try {
    const settings: unknown = JSON.parse(readTextIfThere(join(claudeDir, "settings.json")) ?? "");
    const isObject = typeof settings === "object" && settings !== null;
    const days = isObject && "cleanupPeriodDays" in settings ? settings.cleanupPeriodDays : NaN;
    return typeof days === "number" && Number.isFinite(days) ? Math.max(1, days) : DEFAULT_DAYS;
  } catch {
    // None there, unreadable, or no JSON.
    return DEFAULT_DAYS;
  }
}

/** Returns whether a file of this time, milliseconds since 1970, is no prey of the clean-up. */
export function isRecent(at: number, now: number, days: number): boolean {
  return now - at < days * DAY_MS;
}

/** Returns the time to give to a file that is put back: its own where that survives the clean-up, else now. */
export function survivingTime(at: number, now: number, days: number): number {
  return at <= now && isRecent(at, now, days - MARGIN_DAYS) ? at : now;
}
