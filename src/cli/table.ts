/**
 * Tables that align whatever the script, and fit the terminal.
 *
 * @module
 */
import width from "fast-string-width";
import { clean } from "./terminal.ts";

/** One column of a table. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Which end is cut when there is no room: of a path, the beginning. @default {"end"} */
  readonly cut?: "start" | "end";
  /** Columns that may shrink to this width when space is short, the widest first; others keep theirs. */
  readonly shrinksTo?: number;
  /** The table drops columns of the highest number first when shrinking is not enough. */
  readonly dropOrder?: number;
}

const GAP = "  ";

/** The columns that are shown, from left to right, each with its place in a row and its width. */
export type Layout = readonly (Column & { readonly index: number; readonly width: number })[];

/** Returns the lines of a table: titles, then rows; no line is wider than `available`. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  available: number,
): string[] {
  const cells = rows.map((row) => row.map(clean));
  const layout = layOut(columns, cells, available);
  return [columns.map(({ title }) => title), ...cells].map((row) => formatRow(layout, row));
}

/**
 * Decides which columns of a table are shown and how wide, so that no line is wider than `available`.
 *
 * @param rows The rows that the widths are for, cleaned
 */
export function layOut(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  available: number,
): Layout {
  const natural = columns.map(({ title }, i) => {
    let widest = width(title);
    for (const row of rows) {
      // Wider than all there is need not be known exactly.
      if (widest >= available) break;
      const cell = row[i] ?? "";
      // No letter is wider than two columns, and most cells are no wider than one before.
      if (2 * cell.length > widest) widest = Math.max(widest, widthOf(cell));
    }
    return widest;
  });
  const shown = columnsThatFit(columns, natural, available);
  const widths = shrink(columns, natural, shown, available);
  return columns.map((column, index) => ({ ...column, index, width: widths[index] ?? 0 }))
    .filter(({ index }) => shown.includes(index));
}

/** Returns one line of a table; what is too wide for its column is cut. */
export function formatRow(layout: Layout, row: readonly string[]): string {
  return layout.map(({ align = "left", cut, index, width }, place) =>
    fit(row[index] ?? "", width, align, place === layout.length - 1, cut)
  ).join(GAP).trimEnd();
}

function columnsThatFit(
  columns: readonly Column[],
  natural: readonly number[],
  available: number,
): number[] {
  let shown = columns.map((_, i) => i);
  const least = (i: number) => Math.min(natural[i] ?? 0, columns[i]?.shrinksTo ?? Infinity);
  while (shown.length > 1 && total(shown.map(least)) > available) {
    const order = (i: number) => columns[i]?.dropOrder ?? 0;
    const drop = shown.reduce((worst, i) => order(i) > order(worst) ? i : worst);
    if (order(drop) === 0) break;
    shown = shown.filter((i) => i !== drop);
  }
  return shown;
}

function shrink(
  columns: readonly Column[],
  natural: readonly number[],
  shown: readonly number[],
  available: number,
): number[] {
  const widths = [...natural];
  while (total(shown.map((i) => widths[i] ?? 0)) > available) {
    const candidates = shown.filter((i) => (widths[i] ?? 0) > (columns[i]?.shrinksTo ?? Infinity));
    if (candidates.length === 0) break;
    const widest = candidates.reduce((a, b) => (widths[b] ?? 0) > (widths[a] ?? 0) ? b : a);
    widths[widest] = (widths[widest] ?? 1) - 1;
  }
  return widths;
}

const total = (widths: readonly number[]) =>
  widths.reduce((sum, w) => sum + w, 0) + GAP.length * (widths.length - 1);

/** Returns a text in exactly so many columns: cut with an ellipsis, or padded. */
export function fit(
  text: string,
  columns: number,
  align: "left" | "right",
  isLast = false,
  cut: "start" | "end" = "end",
): string {
  const cutText = text.length > columns && columns > 0 ? cutPlain(text, columns, cut) : undefined;
  if (cutText !== undefined) return cutText;
  const natural = widthOf(text);
  const shown = natural > columns ? truncate(text, columns, cut) : text;
  const padding = columns - (natural > columns ? widthOf(shown) : natural);
  if (padding <= 0) return shown;
  if (align === "right") return " ".repeat(padding) + shown;
  return isLast ? shown : shown + " ".repeat(padding);
}

const ELLIPSIS = "…";

/** Letters that are one column each, whatever stands beside them. A list has thousands of such cells. */
const PLAIN = /^[\x20-\x7e]*$/;

function widthOf(text: string): number {
  return PLAIN.test(text) ? text.length : width(text);
}

/** Cuts a text of plain letters to exactly so many columns; `undefined` where it has others. */
function cutPlain(text: string, columns: number, cut: "start" | "end"): string | undefined {
  // What goes need not be plain, but for what could belong to the last letter that stays.
  const kept = cut === "end" ? text.slice(0, columns + 1) : text;
  if (!PLAIN.test(kept)) return undefined;
  return cut === "end"
    ? text.slice(0, columns - 1) + ELLIPSIS
    : ELLIPSIS + text.slice(text.length - columns + 1);
}

/** Cuts by what a reader sees as one character, so that no emoji is torn. */
function truncate(text: string, columns: number, cut: "start" | "end"): string {
  if (columns <= 0) return "";
  const characters = [...graphemes(text)].map(({ segment }) => segment);
  if (cut === "start") characters.reverse();
  const kept: string[] = [];
  let used = 0;
  for (const character of characters) {
    used += width(character);
    if (used > columns - 1) break;
    kept.push(character);
  }
  return cut === "start" ? ELLIPSIS + kept.reverse().join("") : kept.join("") + ELLIPSIS;
}

/** Returns the lines of a text, broken at spaces where there are any; the last of `most` is cut. */
export function wrap(text: string, columns: number, most: number): string[] {
  const lines: string[] = [];
  let rest = text.trim();
  while (rest !== "" && lines.length < most - 1) {
    const line = firstLine(rest, columns);
    lines.push(line.trimEnd());
    rest = rest.slice(line.length).trimStart();
  }
  return rest === "" || most < 1 ? lines : [...lines, fit(rest, columns, "left", true)];
}

function firstLine(text: string, columns: number): string {
  const fitting = beginning(text, columns);
  if (fitting === text) return text;
  const space = text[fitting.length] === " " ? fitting.length : fitting.lastIndexOf(" ");
  if (space > 0) return text.slice(0, space);
  // A line has one character at least, or there would be no end.
  const [first] = graphemes(text);
  return fitting || (first?.segment ?? text);
}

/** Returns the beginning of a text that fits into so many columns. */
export function beginning(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let [end, used] = [0, 0];
  for (const { segment } of graphemes(text)) {
    used += width(segment);
    if (used > columns) break;
    end += segment.length;
  }
  return text.slice(0, end);
}

/**
 * Letters that no other one of them joins: Latin, Greek, Cyrillic, punctuation, arrows, and those of Chinese,
 * Japanese and Korean.
 */
const UNJOINED =
  /^[\x20-\u02ff\u0370-\u0482\u048a-\u0556\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u2193\u2500-\u25ff\u3000-\u3029\u3041-\u3096\u30a1-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9d]*$/;

let segmenter: Intl.Segmenter | undefined;

function graphemes(text: string): Iterable<{ readonly segment: string }> {
  // The first Intl object costs some 10 ms: what most people write does without.
  if (UNJOINED.test(text)) return [...text].map((segment) => ({ segment }));
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

const UNITS = ["B", "KB", "MB", "GB", "TB"] as const;

/** Returns a size in bytes for people: `0 B`, `74 KB`, `1.2 GB`. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // What would be rounded to 1000 has the next unit.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Returns how long ago a time was: `just now`, `5 min ago`, `3 h ago`, `12 d ago`, then the date. */
export function formatAge(iso: string, now: number): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return "unknown";
  const seconds = Math.floor((now - at) / 1000);
  // A clock that is ahead elsewhere is no reason for a negative age.
  if (seconds < MINUTE) return "just now";
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ago`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ago`;
  if (seconds < 90 * DAY) return `${Math.floor(seconds / DAY)} d ago`;
  return new Date(at).toISOString().slice(0, 10);
}
