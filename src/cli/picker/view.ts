/**
 * What the picker shows: lines of text for a list and the size of a terminal.
 *
 * @module
 */
import {
  beginning,
  type Column,
  fit,
  formatAge,
  formatRow,
  formatSize,
  type Layout,
  layOut,
  wrap,
} from "../table.ts";
import { clean, type Colors } from "../terminal.ts";
import type { List } from "./list.ts";
import type { PickerSession } from "./session.ts";

/** As `ccsync list` has them. */
const COLUMNS: readonly Column[] = [
  { title: "TITLE" },
  { title: "PROJECT", shrinksTo: 10, dropOrder: 3, cut: "start" },
  { title: "EDITED ON", shrinksTo: 9, dropOrder: 4 },
  { title: "WHEN", dropOrder: 2 },
  { title: "SIZE", align: "right", dropOrder: 5 },
  { title: "STATE", shrinksTo: 8, dropOrder: 1 },
];

/** The widest age and size there are. */
const WIDEST: readonly string[] = ["", "", "", "59 min ago", "999 KB", ""];

/** So many sessions decide on the widths of columns: all of them would take too long, and rarely differ. */
const SAMPLE = 200;

/** In front of each row, with or without the pointer. */
const MARGIN = 2;

/** What there is room for on a terminal. */
export interface Shape {
  /** Rows of the list. */
  readonly rows: number;
  readonly hasTitles: boolean;
  readonly hasFooter: boolean;
  /** Lines for the last prompt, and as many for the last answer. */
  readonly preview: number;
}

/** Returns what there is room for on a terminal of so many lines. */
export function shapeOf(lines: number): Shape {
  const hasTitles = lines >= 8;
  const hasFooter = lines >= 6;
  const preview = lines >= 20 ? 2 : lines >= 14 ? 1 : 0;
  // The question, the filter, and one line that stays free for a filter that wraps after all.
  const others = 3 + Number(hasTitles) + Number(hasFooter) + previewHeight(preview);
  return { rows: Math.max(1, lines - others), hasTitles, hasFooter, preview };
}

/** An empty line and what is known otherwise come first. */
const previewHeight = (preview: number) => preview === 0 ? 0 : 2 + 2 * preview;

/** Returns the columns for a terminal of this width, the same wherever in the list one is. */
export function layoutFor(
  sessions: readonly PickerSession[],
  columns: number,
  now: number,
): Layout {
  const rows = sessions.slice(0, SAMPLE).map((session) => cellsOf(session, now));
  const [title = { title: "" }, ...others] = COLUMNS;
  // Titles tell sessions apart: other columns shrink, or go, before they do.
  const shrinksTo = Math.max(12, Math.floor(columns / 3));
  return layOut([{ ...title, shrinksTo }, ...others], [WIDEST, ...rows], roomFor(columns) - MARGIN);
}

/** The last column stays empty: some terminals begin a new line once it is written to. */
const roomFor = (columns: number) => Math.max(1, columns - 1);

function cellsOf(session: PickerSession, now: number): string[] {
  const title = clean(session.title) || "(no title)";
  return [
    session.isFork ? `└ ${title}` : title,
    clean(session.project),
    clean(session.machine),
    formatAge(session.updatedAt, now),
    formatSize(session.size),
    clean(session.badges.join(", ")),
  ];
}

/** All that a frame depends on. */
export interface Scene {
  readonly list: List;
  /** How many sessions there are without a filter. */
  readonly total: number;
  readonly columns: number;
  readonly shape: Shape;
  readonly layout: Layout;
  readonly colors: Colors;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Before the filter, on its line. */
export const FILTER_PROMPT = "> ";

/** Returns the lines above the filter, and those below; none is wider than the terminal. */
export function frameOf(scene: Scene): { readonly above: string[]; readonly below: string[] } {
  const { colors, columns, layout, list, shape, total } = scene;
  const room = roomFor(columns);
  const cut = (text: string) => fit(text, room, "left", true);
  const question = "Which session?";
  const count = `${grouped(list.matches.length)} of ${grouped(total)}`;
  const header = cut(`${question}  ${count}`);
  const titles = formatRow(layout, COLUMNS.map(({ title }) => title));
  const lines = rowsOf(scene);
  return {
    above: [colors.bold(header.slice(0, question.length)) + header.slice(question.length)],
    below: [
      ...(shape.hasTitles ? [colors.dim(cut(" ".repeat(MARGIN) + titles))] : []),
      ...lines,
      // What is below the list stays where it is.
      ...Array<string>(shape.rows - lines.length).fill(""),
      ...previewOf(scene),
      ...(shape.hasFooter ? [colors.dim(cut(KEYS))] : []),
    ],
  };
}

const KEYS = "enter resume · ↑↓ move · type to filter · ctrl-c leave";

function rowsOf({ colors, columns, layout, list, now, shape }: Scene): string[] {
  const cut = (text: string) => fit(text, roomFor(columns), "left", true);
  if (list.matches.length === 0) return [cut("  no session has all these words")];
  return list.matches.slice(list.top, list.top + shape.rows).map((session, place) => {
    const row = formatRow(layout, cellsOf(session, now));
    return list.top + place === list.active ? colors.cyan(cut(`❯ ${row}`)) : cut(`  ${row}`);
  });
}

function previewOf({ colors, columns, list, shape: { preview } }: Scene): string[] {
  if (preview === 0) return [];
  const session = list.matches[list.active];
  const lines = session === undefined ? [] : [
    colors.dim(fit(detailsOf(session), roomFor(columns), "left", true)),
    ...labelled("You", session.lastPrompt, columns, preview),
    ...labelled("Claude", session.lastAnswer, columns, preview),
  ];
  return ["", ...lines, ...Array<string>(previewHeight(preview) - 1 - lines.length).fill("")];
}

function detailsOf({ branch, id }: PickerSession): string {
  return clean([id.slice(0, 8), ...(branch === "" ? [] : [`on ${branch}`])].join(" "));
}

function labelled(label: string, text: string, columns: number, most: number): string[] {
  const margin = "Claude: ".length;
  const cleaned = clean(text);
  if (cleaned.trim() === "") return [];
  const lines = wrap(cleaned, Math.max(1, roomFor(columns) - margin), most);
  return lines.map((line, i) => {
    const head = (i === 0 ? `${label}: ` : "").padEnd(margin);
    return fit(head + line, roomFor(columns), "left", true);
  });
}

/** Returns a number with its thousands apart: `5,000`. */
function grouped(number: number): string {
  return String(number).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** Returns as much of a filter as its line has room for: it must not wrap. */
export function fittingFilter(filter: string, columns: number): string {
  return beginning(clean(filter), roomFor(columns) - FILTER_PROMPT.length);
}
