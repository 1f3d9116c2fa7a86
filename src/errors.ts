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

/** What the system says where the computer, not ccsync, is in the way, what that means, and what to do. */
const SYSTEM_FAILURES: readonly (readonly [RegExp, what: string, hint: string])[] = [
  [
    /no space left|disk is full|not enough space|quota exceeded|file too large/i,
    "the disk is full",
    "free some space, then run the command again",
  ],
  [
    /read-only file system|readonly database|write[- ]protected/i,
    "the disk is read-only",
    "make it writable, then run the command again",
  ],
  [
    /permission denied|access is denied|operation not permitted|unable to open database file/i,
    "permission denied",
    "see whom the path belongs to, and make it yours; then run the command again",
  ],
  [
    /input\/output error|disk i\/o error/i,
    "the disk reports errors",
    "see whether the disk is full or broken, then run the command again",
  ],
  [/too many open files/i, "too many files are open", "run the command again later"],
  [
    /another program has it open/,
    "another program has a file open",
    "end that program, or run the command again later",
  ],
];

/**
 * Returns a failure of the computer's (a full disk, missing permissions), or of a file that nothing goes on
 * without, as one that is explained, and `undefined` for anything else.
 */
export function systemFailure(error: unknown): CcsyncError | undefined {
  if (!(error instanceof Error) || error instanceof CcsyncError) return undefined;
  if (error instanceof FileTrouble) {
    return new CcsyncError("failed", `cannot go on: ${error.message}`, {
      hints: ["ccsync doctor examines the set-up; what was done so far stays, and nothing is lost"],
      cause: error,
    });
  }
  const said = messageOf(error);
  const [, what, hint] = SYSTEM_FAILURES.find(([message]) => message.test(said)) ?? [];
  if (what === undefined || hint === undefined) return undefined;
  // "Permission denied (os error 13): open '/x'"
  const where = said.replace(/^[^:]*\(os error \d+\)(?:: )?/, "");
  const message = where === "" ? what : `${what}: ${where}`;
  return new CcsyncError("failed", `cannot go on: ${message}`, {
    hints: [`${hint}; what was done so far stays, and nothing is lost`],
    cause: error,
  });
}

/** What error numbers of Windows mean, in the words of other systems. Source: winerror.h */
const WINDOWS_ERRORS: Readonly<Record<string, string>> = {
  4: "too many open files",
  5: "permission denied",
  19: "read-only file system",
  23: "input/output error",
  32: "another program has it open",
  33: "another program has it open",
  39: "no space left on device",
  112: "no space left on device",
  123: "its name is not allowed on Windows",
  206: "file name too long",
  // Wine says so of paths of more than 260 characters.
  234: "file name too long",
  1117: "input/output error",
};

/** Returns a message of the system in English: Windows has it in the user's language, with a number. */
export function inEnglish(message: string, os = Deno.build.os): string {
  if (os !== "windows") return message;
  return message.replace(/^[^:]*\(os error (\d+)\)/, (text, number) => {
    const words = WINDOWS_ERRORS[number];
    return words === undefined ? text : `${words} (os error ${number})`;
  });
}

/** Returns what went wrong first, where putting things away went wrong after that. */
export function firstFailure(error: unknown): unknown {
  return error instanceof SuppressedError ? firstFailure(error.suppressed) : error;
}

/** Returns the message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? inEnglish(error.message) : String(error);
}
