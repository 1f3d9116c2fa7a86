/**
 * Reads local files in bounded pieces of whole lines.
 *
 * @module
 */
import type { LocalPath } from "../brands.ts";
import type { KindCodec } from "../claude/kinds.ts";
import { FileTrouble } from "../errors.ts";
import { readRange } from "../machine/files.ts";
import { readFully } from "../machine/streams.ts";
import { completeLength } from "../transcript/lines.ts";

/**
 * Size of the pieces that are read at once; a longer line makes its piece longer. Measured with Deno 2.9.6:
 * pieces of 1 MiB take 70 MB more memory, for their texts outlive many collections, and no less time.
 */
const PIECE_BYTES = 128 * 1024;

/**
 * Yields `[from, to)` of a file in pieces: of whole lines where the codec translates, else of any bytes.
 *
 * @throws {FileTrouble} The file became shorter meanwhile
 */
export function* piecesOf(
  path: LocalPath,
  codec: KindCodec,
  from: number,
  to: number,
): Generator<Uint8Array> {
  using file = Deno.openSync(path, { read: true });
  file.seekSync(from, Deno.SeekMode.Start);
  let carry: Uint8Array = new Uint8Array();
  for (let at = from; at < to;) {
    // A long line is read in steps that double, or it would be copied again and again.
    const size = Math.min(Math.max(PIECE_BYTES, carry.length), to - at);
    const piece = new Uint8Array(carry.length + size);
    piece.set(carry);
    const count = readFully(file, piece.subarray(carry.length));
    if (count === 0) throw new FileTrouble(`"${path}" became shorter while it was read`);
    at += count;
    const read = piece.subarray(0, carry.length + count);
    const isWhole = at >= to || codec === "binary";
    const complete = isWhole ? read.length : completeLength(read);
    if (complete > 0) yield read.subarray(0, complete);
    carry = read.subarray(complete);
  }
}

/** Returns where the complete lines of a file end: after its last newline before `size`, not before `from`. */
export function completeEnd(path: LocalPath, from: number, size: number): number {
  for (let to = size; to > from;) {
    const start = Math.max(from, to - PIECE_BYTES);
    const complete = completeLength(readRange(path, start, to));
    if (complete > 0) return start + complete;
    to = start;
  }
  return from;
}
