/**
 * What `ccsync doctor` finds.
 *
 * @module
 */
import { CcsyncError, messageOf } from "../../errors.ts";

/** One line of the examination. */
export interface Finding {
  /** What was looked at, a word or two. */
  readonly topic: string;
  readonly level: "ok" | "warning" | "error";
  readonly what: string;
  /** What mends it: a command, or a sentence. */
  readonly mend?: string;
  /** Mends it, where that is safe: it deletes nothing that somebody wrote. */
  readonly fix?: () => Promise<void> | void;
}

/** Returns a finding that all is well. */
export function ok(topic: string, what: string): Finding {
  return { topic, level: "ok", what };
}

/** Returns a finding of what a check threw; what is no expected failure is thrown on. */
export function failed(topic: string, error: unknown): Finding {
  if (!(error instanceof CcsyncError)) throw error;
  const [mend] = error.hints;
  return { topic, level: "error", what: messageOf(error), ...(mend === undefined ? {} : { mend }) };
}
