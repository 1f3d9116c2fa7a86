/**
 * A session as the picker has it.
 *
 * @module
 */
import type { SessionId } from "../../brands.ts";
import type { ListedSession, Prompts } from "../../sync/listed.ts";
import type { Environment } from "../../machine/environment.ts";
import { badgesOf, homeRelative } from "../sessions.ts";

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

/** What rows have in common. */
export interface RowSources {
  readonly env: Pick<Environment, "home" | "style">;
  /** Whether a session is among those that are shown. */
  readonly isShown: (id: string) => boolean;
  readonly promptsOf: (session: ListedSession) => Prompts;
}

/** A session of a list as the picker has it: of thousands it shows a few, so each thing is found when it is asked for. */
export class PickerRow implements PickerSession {
  readonly id: SessionId;
  readonly #session: ListedSession;
  readonly #from: RowSources;

  constructor(session: ListedSession, from: RowSources) {
    this.id = session.id;
    this.#session = session;
    this.#from = from;
  }

  get title(): string {
    return this.#session.title;
  }

  get project(): string {
    const { home, style } = this.#from.env;
    return homeRelative(this.#session.project, home, style);
  }

  get machine(): string {
    return this.#session.machine;
  }

  get updatedAt(): string {
    return this.#session.updatedAt;
  }

  get size(): number {
    return this.#session.size;
  }

  get branch(): string {
    return this.#session.branch;
  }

  get firstPrompt(): string {
    return this.#from.promptsOf(this.#session).firstPrompt;
  }

  get lastPrompt(): string {
    return this.#from.promptsOf(this.#session).lastPrompt;
  }

  get lastAnswer(): string {
    return this.#from.promptsOf(this.#session).lastAnswer;
  }

  get badges(): readonly string[] {
    return badgesOf(this.#session);
  }

  get isFork(): boolean {
    const { forkOf } = this.#session;
    return forkOf !== "" && this.#from.isShown(forkOf);
  }
}
