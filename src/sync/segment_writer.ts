/**
 * Writes a document into the hub, cut into segments.
 *
 * @module
 */
import type { Oid } from "../brands.ts";
import type { CommitChanges } from "../hub/commit_writer.ts";
import { countLines } from "../transcript/lines.ts";
import { SegmentCutter } from "../transcript/segments.ts";
import { type Document, documentSegmentPath } from "./document.ts";

/** The document that segments are written of. */
type Written = Pick<Document, "id" | "name" | "hub">;

/** What a document begins with that is in the mirror already. */
export interface Beginning {
  readonly segments: readonly Oid[];
  /** Content of the segment after those, which grows unless it is full. */
  readonly last: Uint8Array;
}

/** Writes portable bytes as the segments of a document. */
export class SegmentWriter {
  lines = 0;
  bytes = 0;
  readonly #changes: CommitChanges;
  readonly #document: Written;
  readonly #cutter: SegmentCutter;
  readonly #replaces: boolean;
  #index: number;

  private constructor(
    changes: CommitChanges,
    document: Written,
    { last, segments }: Beginning,
    replaces: boolean,
  ) {
    this.#changes = changes;
    this.#document = document;
    this.#index = segments.length;
    this.#cutter = new SegmentCutter(last);
    this.#replaces = replaces;
  }

  /** Continues the hub's document after a beginning of it. */
  static extend(changes: CommitChanges, document: Written, beginning: Beginning): SegmentWriter {
    return new SegmentWriter(changes, document, beginning, false);
  }

  /** Puts a document in the place of whatever the hub has. */
  static replace(changes: CommitChanges, document: Written): SegmentWriter {
    return new SegmentWriter(changes, document, { segments: [], last: new Uint8Array() }, true);
  }

  /** Begins a document that the hub does not have with content of another one, without storing that twice. */
  static async branch(
    changes: CommitChanges,
    document: Written,
    beginning: Beginning,
  ): Promise<SegmentWriter> {
    for (const [i, oid] of beginning.segments.entries()) {
      await changes.link(documentSegmentPath(document, i), oid);
    }
    return new SegmentWriter(changes, document, beginning, false);
  }

  /** How many segments the document has so far. */
  get segments(): number {
    return this.#index;
  }

  async write(content: Uint8Array): Promise<void> {
    if (content.length === 0) return;
    this.lines += countLines(content);
    this.bytes += content.length;
    for (const segment of this.#cutter.push(content)) await this.#segment(segment);
  }

  async end(): Promise<void> {
    const last = this.bytes > 0 ? this.#cutter.end() : undefined;
    if (last !== undefined) await this.#segment(last);
    if (!this.#replaces) return;
    // An empty file is a segment, too: without any, the document would not be there.
    if (this.#index === 0) await this.#segment(new Uint8Array());
    const before = this.#document.hub?.segments.length ?? 0;
    for (let i = this.#index; i < before; i++) {
      await this.#changes.remove(documentSegmentPath(this.#document, i));
    }
  }

  async #segment(content: Uint8Array): Promise<void> {
    await this.#changes.write(documentSegmentPath(this.#document, this.#index++), content);
  }
}
