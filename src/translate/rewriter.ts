/**
 * How both directions write: everything is copied but the pieces that are replaced, and the separators of
 * the path in which the copying is.
 *
 * @module
 */
import { ByteSink } from "./bytes.ts";
import { type PathExtent, readTail, type SeparatorRule } from "./context.ts";

/** The rest of a path, behind its root. */
export interface Tail {
  readonly extent: PathExtent;
  readonly rule: SeparatorRule;
  /** Returns what stands for the next separator (`b` or `f`), or `undefined` where the rest is not converted. */
  convert(separator: string): string | undefined;
  /** Is told when the path has ended. */
  end?(output: ByteSink): void;
}

/** Copies a text, replacing pieces of it. Nothing is copied before the first replacement. */
export class Rewriter {
  readonly #bytes: Uint8Array;
  readonly #text: string;
  #output: ByteSink | undefined;
  #done = 0;
  #tail: Tail | undefined;

  /** @param text The same bytes, as byte text */
  constructor(bytes: Uint8Array, text: string) {
    this.#bytes = bytes;
    this.#text = text;
  }

  /** Puts byte text in the place of `[from, to)`; returns where it stands in the output. */
  replace(from: number, to: number, replacement: string): number {
    // Placeholders are about as long as what they stand for.
    this.#output ??= new ByteSink(this.#bytes.length + (this.#bytes.length >> 4) + 1024);
    this.#copyTo(from, this.#output);
    const at = this.#output.length;
    this.#output.put(replacement);
    this.#done = to;
    return at;
  }

  /** Converts the separators of a path from here on, up to its end. */
  follow(tail: Tail): void {
    this.leave();
    this.#tail = tail;
  }

  /** Ends the path, if there is one: what follows is not part of it. */
  leave(at: number = this.#done): void {
    if (this.#tail === undefined || this.#output === undefined) return;
    this.#copyTo(at, this.#output);
    this.#tail?.end?.(this.#output);
    this.#tail = undefined;
  }

  /** Copies the rest, and returns the output: the input itself where nothing was replaced. */
  finish(): Uint8Array {
    if (this.#output === undefined) return this.#bytes;
    this.#copyTo(this.#bytes.length, this.#output);
    this.leave();
    return this.#output.take();
  }

  #copyTo(to: number, output: ByteSink): void {
    while (this.#tail !== undefined && this.#done < to) this.#copyStep(this.#tail, to, output);
    if (this.#done < to) output.write(this.#bytes.subarray(this.#done, to));
    this.#done = to;
  }

  #copyStep(tail: Tail, to: number, output: ByteSink): void {
    const { separators, next, ends } = readTail(this.#text, this.#done, to, tail.extent, tail.rule);
    if (separators === "") output.write(this.#bytes.subarray(this.#done, next));
    else if (!this.#convert(tail, separators, output)) return this.leave();
    this.#done = next;
    if (ends) this.leave();
  }

  /** Writes these separators, or returns `false` where the first of them is not to be converted. */
  #convert(tail: Tail, separators: string, output: ByteSink): boolean {
    for (const separator of separators) {
      const converted = tail.convert(separator);
      if (converted === undefined) return false;
      output.put(converted);
    }
    return true;
  }
}
