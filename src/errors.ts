/**
 * What can go wrong, as values: the kind decides the exit code (one table, `EXIT_CODES`), the message
 * and hints are for people.
 *
 * @module
 */

/** Exit code of every kind of failure. Codes never change meaning; the README's table is checked against this. */
export const EXIT_CODES = {
  failed: 1,
  usage: 2,
  partial: 3,
  locked: 4,
  unreachable: 5,
  credentials: 6,
  setup: 7,
  internal: 70,
  cancelled: 130,
} as const;

/** The kinds of failure a user can meet. */
export type ErrorKind = keyof typeof EXIT_CODES;

/** What a {@linkcode CcsyncError} carries besides its message. */
export interface ErrorDetails {
  /** What to do about it, each a sentence or a command to paste. */
  readonly hints?: readonly string[];
  /** The error underneath, for `--verbose` and bug reports. */
  readonly cause?: unknown;
  /**
   * Whether the same call may succeed later without anybody doing anything.
   *
   * @default {false}
   */
  readonly transient?: boolean;
}

/** A failure ccsync expects and explains: printed without a stack trace. */
export class CcsyncError extends Error {
  override readonly name = "CcsyncError";
  readonly kind: ErrorKind;
  readonly hints: readonly string[];
  readonly transient: boolean;

  /**
   * @param kind What sort of failure it is; decides the exit code
   * @param message `cannot <do what> "<what>": <why>`, no final period
   */
  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.hints = details.hints ?? [];
    this.transient = details.transient ?? false;
  }
}

/** One file that cannot be synced now; all others go on, and the run ends as partly done. */
export class FileTrouble extends Error {
  override readonly name = "FileTrouble";
}

/** Returns the message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
