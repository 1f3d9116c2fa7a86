/**
 * How far long work has come, in one line: bytes, sessions, rate, time left.
 *
 * @module
 */
import type { Transfer } from "../hub/transfer.ts";
import type { Amount } from "../sync/workspace.ts";
import { formatSize } from "./table.ts";

/** When something that goes on was begun and shown. */
interface Shown {
  /** Milliseconds since 1970. */
  readonly begunAt: number;
  /** When it was shown last. */
  readonly shownAt: number;
}

/** Work that is going on. */
export interface Work extends Shown {
  readonly what: string;
  readonly total: Amount;
  readonly done: Amount;
  /** What was done before, in an earlier part: it says nothing of the rate. */
  readonly before: Amount;
}

/** A part of git's that is going on. */
export interface TransferPart extends Shown, Pick<Transfer, "what"> {}

/** What takes no longer is not worth a line. */
const PATIENCE_MS = 500;
/** Nobody reads faster. */
const INTERVAL_MS = 100;
/** Before so much was done, the rate is a guess. */
const MEASURED_MS = 1000;

/** Returns work at its beginning. */
export function begun(what: string, total: Amount, done: Amount, now: number): Work {
  return { what, total, done, before: done, begunAt: now, shownAt: 0 };
}

/** Returns the work after a part of it. */
export function advanced(work: Work, { bytes, sessions }: Partial<Amount>): Work {
  const done = {
    bytes: work.done.bytes + (bytes ?? 0),
    sessions: work.done.sessions + (sessions ?? 0),
  };
  return { ...work, done };
}

/** Returns whether it is time to show the work, the first time or again. */
export function isDue({ begunAt, shownAt }: Shown, now: number): boolean {
  return now - begunAt >= PATIENCE_MS && now - shownAt >= INTERVAL_MS;
}

/** Returns the line: `sending 64 MB of 200 MB, 12 of 488 sessions, 31 MB/s, 5 s left`. */
export function lineOf({ before, begunAt, done, total, what }: Work, now: number): string {
  // What is foreseen is read from the hub's records, and may be less than there is.
  const all = Math.max(total.bytes, done.bytes);
  const parts = [
    `${what} ${formatSize(done.bytes)} of ${formatSize(all)}`,
    `${done.sessions} of ${Math.max(total.sessions, done.sessions)} sessions`,
  ];
  const [bytes, ms] = [done.bytes - before.bytes, now - begunAt];
  if (bytes > 0 && ms >= MEASURED_MS) {
    const rate = bytes / ms;
    parts.push(
      `${formatSize(Math.round(rate * 1000))}/s`,
      `${formatTime((all - done.bytes) / rate)} left`,
    );
  }
  return parts.join(", ");
}

/** Returns the part that a transfer is in: the one before, or a new one. */
export function partOf(
  { what }: Transfer,
  before: TransferPart | undefined,
  now: number,
): TransferPart {
  return before?.what === what ? before : { what, begunAt: now, shownAt: 0 };
}

/** Returns the line: `fetching from the hub: 64 MB, 45%, 31 MB/s, 5 s left`. */
export function transferLineOf(
  { bytes, share, what }: Transfer,
  { begunAt }: TransferPart,
  now: number,
): string {
  const parts = bytes === undefined ? [] : [formatSize(bytes)];
  parts.push(`${Math.round(share * 100)}%`);
  const ms = now - begunAt;
  if (share > 0 && ms >= MEASURED_MS) {
    if (bytes !== undefined) parts.push(`${formatSize(Math.round((bytes / ms) * 1000))}/s`);
    parts.push(`${formatTime((ms * (1 - share)) / share)} left`);
  }
  return `${what}: ${parts.join(", ")}`;
}

/** Returns a duration of milliseconds for people: `8 s`, `2 min 5 s`, `3 h 20 min`. */
export function formatTime(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
