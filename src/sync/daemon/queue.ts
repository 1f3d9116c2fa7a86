/**
 * What Claude Code's hooks leave for the daemon: empty files named `<session>.<event>`, so that what was
 * announced twice is there once, and nobody reads half of it.
 *
 * @module
 */
import { join } from "node:path";
import { asSessionId, type SessionId } from "../../brands.ts";
import { entriesOf, makePrivateDirectory, removeIfThere } from "../../machine/files.ts";
import type { HookEvent } from "./timetable.ts";

/** Something that a hook announced. */
export interface Announcement {
  readonly session: SessionId;
  readonly event: HookEvent;
}

const EVENTS: readonly HookEvent[] = ["session-start", "stop", "session-end"];

/** Returns a text as a hook's event, `undefined` where it is none. */
export function asHookEvent(text: string): HookEvent | undefined {
  return EVENTS.find((event) => event === text);
}

const directoryOf = (ccsyncHome: string) => join(ccsyncHome, "queue");

/** Leaves an announcement. */
export function announce(ccsyncHome: string, { event, session }: Announcement): void {
  makePrivateDirectory(directoryOf(ccsyncHome));
  const path = join(directoryOf(ccsyncHome), `${session}.${event}`);
  Deno.writeTextFileSync(path, "", { mode: 0o600 });
}

/** Returns what was announced, and forgets it. */
export function takeAnnouncements(ccsyncHome: string): Announcement[] {
  return entriesOf(directoryOf(ccsyncHome)).flatMap(({ name }) => {
    const dot = name.indexOf(".");
    const [session, event] = [asSessionId(name.slice(0, dot)), asHookEvent(name.slice(dot + 1))];
    if (session === undefined || event === undefined) return [];
    removeIfThere(join(directoryOf(ccsyncHome), name));
    return [{ session, event }];
  });
}
