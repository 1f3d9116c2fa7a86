/**
 * The picker: the user chooses a session from a list that narrows while they type.
 *
 * @module
 */
import type { SessionId } from "../../brands.ts";
import { type Asking, guarded } from "../prompts.ts";
import type { Terminal } from "../terminal.ts";
import type { PickerSession } from "./session.ts";

/** The screen that programs get for themselves: what was there before comes back with the other one. */
const OWN_SCREEN = "\x1b[?1049h";
const SCREEN_BEFORE = "\x1b[?1049l";

/**
 * Lets the user choose one of these sessions, in the order given. Throws as `guarded()`.
 *
 * @param now Milliseconds since 1970, for ages
 */
export async function pickSession(
  terminal: Terminal,
  sessions: readonly PickerSession[],
  now: number,
  { instead }: Asking,
): Promise<SessionId> {
  return await guarded(terminal, "Which session?", instead, async (context) => {
    const { pickerPrompt } = await import("./prompt.ts");
    const config = { sessions, now, colors: terminal.errorColors };
    terminal.prompt(OWN_SCREEN);
    try {
      return await pickerPrompt(config, { ...context, clearPromptOnDone: true });
    } finally {
      terminal.prompt(SCREEN_BEFORE);
    }
  });
}
