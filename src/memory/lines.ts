/**
 * Texts as lines, whatever their encoding, and what differs between two of them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { diffIndices } from "node-diff3";

/** One line. Lines are compared by their text alone: another line end is no other line. */
export interface Line {
  /** One UTF-16 unit a byte (Latin-1), so that all bytes survive and equal bytes are equal texts. */
  readonly text: string;
  /** What ends the line; the last one may have nothing. */
  readonly end: "\n" | "\r\n" | "";
}

/** Returns the lines of a text. */
export function splitText(bytes: Uint8Array): Line[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const lines: Line[] = [];
  for (let from = 0; from < text.length;) {
    const newline = text.indexOf("\n", from);
    if (newline === -1) {
      lines.push({ text: text.slice(from), end: "" });
      break;
    }
    const isCrlf = newline > from && text.charCodeAt(newline - 1) === 0x0d;
    const end = isCrlf ? "\r\n" : "\n";
    lines.push({ text: text.slice(from, newline + 1 - end.length), end });
    from = newline + 1;
  }
  return lines;
}

/** Returns the text that lines make. */
export function joinText(lines: readonly Line[]): Uint8Array {
  return Buffer.from(lines.map(({ text, end }) => text + end).join(""), "latin1");
}

/** A place where two lists of lines differ: so many lines of the one stand for so many of the other. */
export interface Hunk {
  /** Where it begins in the first list. */
  readonly start: number;
  /** Lines of the first list. */
  readonly count: number;
  /** Where it begins in the second list. */
  readonly otherStart: number;
  /** Lines of the second list. */
  readonly otherCount: number;
}

/**
 * The diff takes time and memory with the product of the two lengths; above this (5,000 lines against
 * 5,000 others, a quarter of a second) all between the equal beginning and the equal end counts as different.
 */
const MOST_PAIRS = 25_000_000;

/** Returns where two lists of lines differ, in order. Between hunks is at least one equal line. */
export function diffLines(a: readonly Line[], b: readonly Line[]): Hunk[] {
  const head = commonLength(a, b, (lines, i) => lines[i]?.text);
  const longest = Math.min(a.length, b.length) - head;
  const tail = Math.min(longest, commonLength(a, b, (lines, i) => lines.at(-1 - i)?.text));
  const [from, to] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  if (from.length === 0 && to.length === 0) return [];
  if (from.length === 0 || to.length === 0 || from.length * to.length > MOST_PAIRS) {
    return [{ start: head, count: from.length, otherStart: head, otherCount: to.length }];
  }
  return diffIndices(from.map(({ text }) => text), to.map(({ text }) => text)).map((found) => ({
    start: head + found.buffer1[0],
    count: found.buffer1[1],
    otherStart: head + found.buffer2[0],
    otherCount: found.buffer2[1],
  }));
}

function commonLength(
  a: readonly Line[],
  b: readonly Line[],
  at: (lines: readonly Line[], i: number) => string | undefined,
): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && at(a, length) === at(b, length)) length++;
  return length;
}

/** Returns which line of the second list each line of the first one is; -1 where it is none. */
export function alignLines(count: number, hunks: readonly Hunk[]): number[] {
  const aligned: number[] = [];
  let shift = 0;
  for (const hunk of hunks) {
    while (aligned.length < hunk.start) aligned.push(aligned.length + shift);
    for (let i = 0; i < hunk.count; i++) aligned.push(-1);
    shift += hunk.otherCount - hunk.count;
  }
  while (aligned.length < count) aligned.push(aligned.length + shift);
  return aligned;
}

/** Returns whether two lists have the same texts. */
export function sameLines(a: readonly Line[], b: readonly Line[]): boolean {
  return a.length === b.length && a.every(({ text }, i) => text === b[i]?.text);
}

/** Returns how often each text occurs. */
export function countTexts(lines: readonly Line[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { text } of lines) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}
