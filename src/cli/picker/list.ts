/**
 * The picker's list as a value: which sessions match, which one is chosen, and which are in the window.
 *
 * @module
 */
import type { PickerSession } from "./session.ts";

/** What the user has typed and where they are. */
export interface List {
  readonly filter: string;
  /** The sessions that match the filter, in the order they came. */
  readonly matches: readonly PickerSession[];
  /** Index of the chosen match; 0 where there is none. */
  readonly active: number;
  /** Index of the first match in the window. */
  readonly top: number;
}

/** Where a key leads to. */
export type Move = "up" | "down" | "pageup" | "pagedown" | "home" | "end";

/** Returns the list after a move; `rows` is the height of the window. */
export function moved(list: List, move: Move, rows: number): List {
  const last = Math.max(0, list.matches.length - 1);
  const { active: from } = list;
  const to = {
    up: from - 1,
    down: from + 1,
    pageup: from - rows,
    pagedown: from + rows,
    home: 0,
    end: last,
  }[move];
  return windowed({ ...list, active: Math.max(0, Math.min(last, to)) }, rows);
}

/** Returns the list with its window where the chosen one is in it, moved as little as can be. */
export function windowed(list: List, rows: number): List {
  const { active, matches, top } = list;
  const latest = Math.max(0, matches.length - rows);
  return { ...list, top: Math.min(latest, active, Math.max(top, active - rows + 1)) };
}

/** Finds sessions by what the user typed. */
export type Search = (filter: string) => readonly PickerSession[];

/**
 * Returns the search in these sessions: all words have to occur, in whatever case, in the title, the
 * project, the machine, the branch or the first prompt, or begin the id.
 */
export function searchIn(sessions: readonly PickerSession[]): Search {
  let texts: readonly string[] | undefined;
  return (filter) => {
    const words = folded(filter).split(/\s+/).filter((word) => word !== "");
    if (words.length === 0) return sessions;
    // The list opens without this.
    const searched = texts ??= sessions.map(textOf);
    return sessions.filter(({ id }, i) =>
      words.every((word) => searched[i]?.includes(word) === true || id.startsWith(word))
    );
  };
}

function textOf({ branch, firstPrompt, machine, project, title }: PickerSession): string {
  return folded([title, project, machine, branch, firstPrompt].join("\n"));
}

/** macOS has file names, and so projects, with accents as characters of their own. */
const folded = (text: string) => text.toLowerCase().normalize("NFC");
