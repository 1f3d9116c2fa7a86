/**
 * Lines of a transcript: one JSON record each, ended by a newline. Source: Claude Code appends whole lines
 * (observed with client 2.1.197); a last line without a newline is torn and waits.
 *
 * @module
 */
import { Buffer } from "node:buffer";

const NEWLINE = 0x0a;

/** Returns the length of the complete lines: up to and including the last newline. */
export function completeLength(bytes: Uint8Array): number {
  return bytes.lastIndexOf(NEWLINE) + 1;
}

/** Returns where the next newline is, or -1. Not `Buffer`'s own search: that is several times slower for one byte. */
export function newlineAt(bytes: Uint8Array, from: number): number {
  return Uint8Array.prototype.indexOf.call(bytes, NEWLINE, from);
}

/** Returns the lines, each with its newline; a last one without is a line of its own. No bytes are copied. */
export function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < bytes.length;) {
    const newline = newlineAt(bytes, from);
    const to = newline === -1 ? bytes.length : newline + 1;
    lines.push(bytes.subarray(from, to));
    from = to;
  }
  return lines;
}

/** Returns how many newlines there are. */
export function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = newlineAt(bytes, 0); at !== -1; at = newlineAt(bytes, at + 1)) count++;
  return count;
}

/** Returns the bytes of all parts, one after another. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/**
 * Returns a line as text of one UTF-16 unit a byte: equal lines have equal texts, and V8 searches text natively.
 * `Buffer` takes some ten times as long to find one.
 */
export function byteText(line: Uint8Array): string {
  return Buffer.from(line.buffer, line.byteOffset, line.length).toString("latin1");
}

/** Returns whether two byte strings are equal. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
