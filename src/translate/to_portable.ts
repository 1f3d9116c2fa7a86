/**
 * Local form to portable form: the way out.
 *
 * @module
 */
import {
  canBegin,
  canBeginDirName,
  canEnd,
  canEndDirName,
  endsPath,
  isEscapedSpace,
  isFileUrl,
  skipBackslashes,
} from "./boundary.ts";
import { type ByteSink, byteText } from "./bytes.ts";
import { type PathExtent, type SeparatorRule, TextContext } from "./context.ts";
import { Rewriter } from "./rewriter.ts";
import { formOf } from "./spelling.ts";
import { readToken, TOKEN_OPEN, tokenText } from "./token.ts";
import { toLocal } from "./to_local.ts";
import type { Literal, Reading, Translator } from "./translator.ts";

const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const QUOTE = 0x22;

/**
 * Returns the portable form of content in this machine's local form. Bytes that are no path under a root
 * and no literal token are kept; where nothing is found the very same array is returned.
 *
 * `toLocal(t, toPortable(t, x))` equals `x` for all bytes (T1).
 *
 * @param bytes Whole lines for `jsonl`, a whole document otherwise
 */
export function toPortable(translator: Translator, bytes: Uint8Array): Uint8Array {
  const text = byteText(bytes);
  const encode = (how: How) => new Encoder(translator, bytes, text, how).run();
  const portable = encode({});
  // On POSIX a token stands for exactly the bytes it replaced. Where separators were converted too, the
  // path's end was a judgement: look whether the reader will judge alike.
  if (translator.profile.style === "posix" || portable === bytes) return portable;
  const precise = differingLines(text, byteText(toLocal(translator, portable)));
  if (precise.size === 0) return portable;
  const second = encode({ precise });
  return byteText(toLocal(translator, second)) === text ? second : encode({ escapesOnly: true });
}

/** How literally to encode. */
interface How {
  /** The beginnings of lines whose paths name every separator. */
  readonly precise?: ReadonlySet<number>;
  /** Whether roots stay as they are, and only literal tokens are escaped. */
  readonly escapesOnly?: boolean;
}

/** Returns where the lines of `text` begin that read otherwise in `other`, which has as many. */
function differingLines(text: string, other: string): Set<number> {
  const differing = new Set<number>();
  if (text === other) return differing;
  for (let at = 0, otherAt = 0; at < text.length;) {
    const [end, otherEnd] = [lineEnd(text, at), lineEnd(other, otherAt)];
    if (text.slice(at, end) !== other.slice(otherAt, otherEnd)) differing.add(at);
    [at, otherAt] = [end, otherEnd];
  }
  return differing;
}

function lineEnd(text: string, at: number): number {
  const newline = text.indexOf("\n", at);
  return newline === -1 ? text.length : newline + 1;
}

/** A root that was found. */
interface Hit {
  readonly at: number;
  readonly end: number;
  readonly literal: Literal;
  readonly reading: Reading;
}

class Encoder {
  readonly #translator: Translator;
  readonly #text: string;
  readonly #how: How;
  readonly #context: TextContext;
  readonly #rewriter: Rewriter;
  /** Where the field ends that is one path as a whole: no other path begins in it. */
  #fieldEnd = 0;

  constructor(translator: Translator, bytes: Uint8Array, text: string, how: How) {
    this.#translator = translator;
    this.#text = text;
    this.#how = how;
    this.#context = new TextContext(text, translator.codec);
    this.#rewriter = new Rewriter(bytes, text);
  }

  run(): Uint8Array {
    const { anchors } = this.#translator;
    for (let from = 0;;) {
      anchors.lastIndex = from;
      const found = anchors.exec(this.#text);
      if (found === null) return this.#rewriter.finish();
      const [anchor] = found;
      from = anchor === TOKEN_OPEN
        ? this.#escapeAt(found.index)
        : this.#replaceAt(found.index, anchor);
    }
  }

  /** Escapes the token at `at`, if there is one; returns where to go on. */
  #escapeAt(at: number): number {
    const token = readToken(this.#text, at);
    if (token === undefined) return at + 1;
    const tilde = at + TOKEN_OPEN.length;
    this.#rewriter.replace(tilde, tilde, "~");
    return token.end;
  }

  /** Replaces the root at `at`, if there is one; returns where to go on. */
  #replaceAt(at: number, anchor: string): number {
    if (this.#how.escapesOnly === true) return at + 1;
    for (const literal of this.#translator.literalsAt(anchor)) {
      if (!this.#text.startsWith(literal.text, at)) continue;
      const end = at + literal.text.length;
      const reading = this.#readingAt(literal, at, end);
      if (reading === undefined) continue;
      if (this.#context.isOpaque(at)) break;
      this.#replace({ at, end, literal, reading });
      return end;
    }
    return at + 1;
  }

  #replace(hit: Hit): void {
    const { at, end, reading } = hit;
    // A directory name stands inside another path; any other root begins its own.
    if (reading.spelling.kind === "dir") {
      this.#rewriter.replace(at, end, reading.token);
      return;
    }
    const extent = this.#context.extentOf(at, end, reading.rule);
    if (extent.kind === "field") this.#fieldEnd = extent.end;
    this.#rewriter.leave(at);
    const tokenAt = this.#rewriter.replace(at, end, reading.token);
    if (this.#translator.profile.style === "windows") this.#follow(hit, extent, tokenAt);
  }

  /** Returns how to read the literal at `[at, end)`, or `undefined` where it is no root. */
  #readingAt(literal: Literal, at: number, end: number): Reading | undefined {
    const text = this.#text;
    const reading = literal.readings.find((candidate) => this.#fits(candidate, literal, at, end));
    if (reading === undefined) return undefined;
    const { kind, rest } = reading.spelling;
    if (kind === "dir") {
      const isEnd = rest === undefined ? canEndDirName : canEnd;
      return canBeginDirName(text, at) && isEnd(text, end) ? reading : undefined;
    }
    if (at < this.#fieldEnd) return undefined;
    const isBounded = canEnd(text, end) && canBegin(text, at) && !this.#goesOn(at, end, reading);
    return isBounded ? reading : undefined;
  }

  /** Returns whether the surroundings allow for a reading; of several that read the same, they ask for one. */
  #fits(reading: Reading, literal: Literal, at: number, end: number): boolean {
    const ordinary = this.#translator.level;
    if (reading.spelling.kind === "url") return isFileUrl(this.#text, at);
    if (literal.isDrive) return this.#fitsDrive(reading, end);
    return literal.readings.length === 1 || reading.level === ordinary ||
      reading.level === this.#context.levelAt(at, ordinary);
  }

  /** A drive's separators tell how often they are escaped: as often as one of them fits. */
  #fitsDrive(reading: Reading, end: number): boolean {
    if (reading.spelling.kind === "dir") return true;
    if (!isNative(reading)) return this.#text.charCodeAt(end) === SLASH;
    const run = skipBackslashes(this.#text, end) - end;
    return reading.level === Math.min(Math.floor(Math.log2(run)), this.#translator.level + 2);
  }

  /** Returns whether the name goes on behind what would end it in prose: `{"cwd":"/home/u/projects (old)"}`. */
  #goesOn(at: number, end: number, reading: Reading): boolean {
    const after = this.#text.charCodeAt(end);
    if (after === SLASH || after === QUOTE || end === this.#text.length) return false;
    if (after === BACKSLASH) {
      if (this.#translator.profile.style === "windows") return false;
      if (isEscapedSpace(this.#text, end)) return true;
    }
    const extent = this.#context.extentOf(at, end, reading.rule);
    return extent.kind !== "prose" && extent.end > end;
  }

  /** Makes the separators of the rest of a path portable. */
  #follow({ at, end, literal, reading }: Hit, extent: PathExtent, tokenAt: number): void {
    const { spelling, rule, token } = reading;
    const ordinary = isNative(reading) ? "b" : "f";
    if (ordinary === "f" && spelling.kind !== "fwd") return;

    const isPrecise = this.#how.precise?.has(this.#context.lineStart(at)) === true;
    if (literal.isDrive && ordinary === "b" && !isPrecise) this.#dropSeparator(end, extent, rule);
    let separators = "";
    let isOrdinary = true;
    this.#rewriter.follow({
      extent,
      rule,
      convert(separator) {
        separators += separator;
        isOrdinary &&= separator === ordinary;
        return "/";
      },
      end(output: ByteSink) {
        if (isOrdinary && !isPrecise) return;
        const precise = tokenText(literal.name, formOf({ ...spelling, separators }));
        output.replace(tokenAt, token.length, precise);
      },
    });
  }

  /** The directory of a drive is `D:\` where every other loses its last separator: the token stands for both. */
  #dropSeparator(end: number, extent: PathExtent, { unit }: SeparatorRule): void {
    const after = end + unit;
    const run = skipBackslashes(this.#text, end) - end;
    const isLast = extent.kind === "prose"
      ? run < 2 * unit && (run > unit || endsPath(this.#text, after))
      : after === extent.end;
    if (isLast) this.#rewriter.replace(end, after, "");
  }
}

const isNative = ({ spelling: { kind } }: Reading): boolean => kind === "native" || kind === "ext";
