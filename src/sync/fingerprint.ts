/**
 * Tells whether the beginning of a file is still what it was, without reading all of a large one every time.
 *
 * @module
 */
import { hash } from "node:crypto";
import { readFully } from "../machine/streams.ts";

/** Bytes of one block. */
export const BLOCK_BYTES = 1024 * 1024;
/** Up to so many blocks are all checked every time: a few milliseconds. */
const ALWAYS_ALL = 8;
/** Of a longer file, so many blocks besides the first and the last two; each time others. */
const ROTATING = 4;

/** Returns the hashes of a file's first `length` bytes, block by block, keeping those of `known` that are still whole. */
export function blockHashes(
  path: string,
  length: number,
  known: readonly string[] = [],
  knownLength = 0,
): string[] {
  const kept = Math.min(Math.floor(knownLength / BLOCK_BYTES), Math.floor(length / BLOCK_BYTES));
  using file = Deno.openSync(path, { read: true });
  const hashes = known.slice(0, kept);
  const buffer = new Uint8Array(BLOCK_BYTES);
  file.seekSync(kept * BLOCK_BYTES, Deno.SeekMode.Start);
  for (let at = kept * BLOCK_BYTES; at < length; at += BLOCK_BYTES) {
    hashes.push(hashOf(file, buffer.subarray(0, Math.min(BLOCK_BYTES, length - at))));
  }
  return hashes;
}

/**
 * Returns whether a file's first `length` bytes still have these hashes. Of a long file, the beginning,
 * the end and some blocks between are looked at; which, changes with `turn`, so that an edit in the
 * middle, which keeps every length, is found within a bounded number of turns.
 *
 * @param turn Counts the calls; `all` looks at every block
 */
export function hasPrefix(
  path: string,
  length: number,
  hashes: readonly string[],
  turn: number | "all",
): boolean {
  if (hashes.length !== Math.ceil(length / BLOCK_BYTES)) return false;
  using file = Deno.openSync(path, { read: true });
  if (file.statSync().size < length) return false;
  const buffer = new Uint8Array(BLOCK_BYTES);
  return blocksToCheck(hashes.length, turn).every((index) => {
    const at = index * BLOCK_BYTES;
    file.seekSync(at, Deno.SeekMode.Start);
    const block = buffer.subarray(0, Math.min(BLOCK_BYTES, length - at));
    return hashOf(file, block) === hashes[index];
  });
}

/** Returns which of so many blocks are checked in this turn. */
export function blocksToCheck(count: number, turn: number | "all"): number[] {
  if (turn === "all" || count <= ALWAYS_ALL) return Array.from({ length: count }, (_, i) => i);
  const chosen = new Set([0, count - 2, count - 1]);
  for (let i = 0; i < ROTATING; i++) chosen.add((turn * ROTATING + i) % count);
  return [...chosen].sort((a, b) => a - b);
}

function hashOf(file: Deno.FsFile, block: Uint8Array): string {
  const size = readFully(file, block);
  return hash("sha256", block.subarray(0, size), "hex");
}
