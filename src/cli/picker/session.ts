import type { SessionId } from "../../brands.ts";

/** What the picker shows of a session, and finds it by. */
export interface PickerSession {
  readonly id: SessionId;
  readonly title: string;
  /** The project's directory here, `~` for the home directory. */
  readonly project: string;
  /** The machine that edited it last. */
  readonly machine: string;
  /** ISO 8601 time of the last event. */
  readonly updatedAt: string;
  /** Bytes. */
  readonly size: number;
  readonly branch: string;
  readonly firstPrompt: string;
  readonly lastPrompt: string;
  readonly lastAnswer: string;
  /** What else to know before resuming it, a few words each: `locked by macbook`. */
  readonly badges: readonly string[];
  /** Whether it was forked from the session above it. */
  readonly isFork: boolean;
}
