/**
 * Cuts a transcript into segments, the blobs of the hub. Concatenated they are the transcript.
 *
 * Do not change: machines that cut differently would rewrite each other's segments.
 *
 * @module
 */
import { joinBytes, newlineAt } from "./lines.ts";

/** A segment ends at the first line end at or after so many bytes. */
export const SEGMENT_BYTES = 1024 * 1024;
/** A line so long ends its segment without a line end: no blob comes near a host's limit. */
export const LONGEST_SEGMENT = 32 * 1024 * 1024;

const NEWLINE = 0x0a;

/** Cuts a stream of portable bytes into segments; memory is bounded by one segment. */
export class SegmentCutter {
  #parts: Uint8Array[] = [];
  #length = 0;

  /** @param last The transcript's last segment so far, which grows if it is not full */
  constructor(last: Uint8Array = new Uint8Array()) {
    if (last.length > 0) this.#add(last);
  }

  /** Takes bytes and returns the segments that are full now. */
  push(bytes: Uint8Array): Uint8Array[] {
    const full: Uint8Array[] = [];
    let rest = bytes;
    // A last segment that was full already ends before these bytes.
    if (this.#isFull()) full.push(this.#take());
    while (rest.length > 0) {
      const size = this.#sizeToTake(rest);
      this.#add(rest.subarray(0, size));
      rest = rest.subarray(size);
      if (this.#isFull()) full.push(this.#take());
    }
    return full;
  }

  /** Returns the last segment, `undefined` where nothing is left for it. */
  end(): Uint8Array | undefined {
    return this.#length === 0 ? undefined : this.#take();
  }

  #sizeToTake(bytes: Uint8Array): number {
    const enough = Math.max(0, SEGMENT_BYTES - this.#length - 1);
    const newline = newlineAt(bytes, enough);
    const size = newline === -1 ? bytes.length : newline + 1;
    return Math.min(size, LONGEST_SEGMENT - this.#length);
  }

  #isFull(): boolean {
    if (this.#length >= LONGEST_SEGMENT) return true;
    return this.#length >= SEGMENT_BYTES && this.#parts.at(-1)?.at(-1) === NEWLINE;
  }

  #add(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  #take(): Uint8Array {
    const segment = this.#parts.length === 1 && this.#parts[0] !== undefined
      ? this.#parts[0].slice()
      : joinBytes(this.#parts);
    this.#parts = [];
    this.#length = 0;
    return segment;
  }
}
