/**
 * What surrounds a path: the JSON string it stands in, that string's key, the quotes around it. Both
 * directions of translation ask the same questions of the same text, so both find the same path ends.
 *
 * Every question costs as much as the text since the last one, so that a whole text costs its length:
 * ask in the order of offsets.
 *
 * @module
 */
import { endsPath, skipBackslashes } from "./boundary.ts";

const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const COMMA = 0x2c;
const SLASH = 0x2f;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const BACKTICK = 0x60;
const LETTER_A = 0x61;
const LETTER_E = 0x65;
const LETTER_G = 0x67;
const LETTER_N = 0x6e;
const LETTER_R = 0x72;
const LETTER_T = 0x74;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** A byte-order mark, as byte text. */
const BOM = "\xef\xbb\xbf";
/** How far back a key may begin before its end: longer ones are not names of fields. */
const LONGEST_KEY = 64;

/**
 * How content is encoded: `jsonl` one JSON record a line, `json` one JSON document, `text` anything else.
 * It decides what a token without a form means, so a file kind's codec never changes.
 */
export type Codec = "jsonl" | "json" | "text";

/** Where the path ends that begins at a root. */
export type PathExtent =
  /** A field or key that is a path, or a path in quotes: to this offset, spaces and all. */
  | { readonly kind: "field" | "quoted"; readonly end: number }
  /** In running text: to the first character that ends a path. */
  | { readonly kind: "prose" };

const PROSE: PathExtent = { kind: "prose" };

/** How the separators of a path are recognised. */
export interface SeparatorRule {
  /** Backslashes that make one separator: 1 in plain text, 2 in a JSON string, 4 in JSON inside it. */
  readonly unit: number;
  /** Whether runs of backslashes separate (Windows local form) or are mere text (portable form). */
  readonly backslashSeparates: boolean;
}

/** A line; no JSON string goes beyond one. */
interface Line {
  readonly start: number;
  readonly end: number;
  /** Whether it looks like a JSON object from its first to its last character. */
  readonly isRecord: boolean;
}

/** Remembers the answer for the last offset it was asked about. */
class Last<T> {
  #at = -1;
  #answer: T | undefined;

  /** Returns the remembered answer, or the one that `find` gives. */
  of(at: number, find: () => T): T {
    if (this.#at !== at || this.#answer === undefined) this.#answer = find();
    this.#at = at;
    return this.#answer;
  }
}

/** Answers questions about the text around an offset. */
export class TextContext {
  readonly #text: string;
  readonly #codec: Codec;
  readonly #isJson: boolean;
  #line: Line = { start: 0, end: -1, isRecord: false };
  /** The offset that the quotes below were looked for from. */
  #asked = -1;
  #nearestQuote = -1;
  #openingQuote = -1;
  readonly #level = new Last<number>();
  readonly #inner = new Last<number>();
  readonly #key = new Last<string>();
  readonly #signed = new Last<boolean>();
  readonly #signedRecord = new Last<boolean>();
  readonly #nested = new Last<boolean>();

  constructor(text: string, codec: Codec) {
    this.#text = text;
    this.#codec = codec;
    this.#isJson = codec !== "text";
  }

  /** Returns the offset at which the line of `at` begins. */
  lineStart(at: number): number {
    return this.#lineOf(at).start;
  }

  /** Returns the offset at which the line of `at` ends, without its newline. */
  lineEnd(at: number): number {
    return this.#lineOf(at).end;
  }

  /**
   * Returns whether paths at `at` are kept as they are: in content that carries a signature (T5), which are
   * the fields of `thinking` and `redacted_thinking` blocks, and in lines that are no records.
   * Source: fixture `11111111-1111-4111-8111-111111111111.jsonl`.
   */
  isOpaque(at: number): boolean {
    if (!this.#isJson) return false;
    if (this.#codec === "jsonl" && !this.#lineOf(at).isRecord) return true;
    const open = this.#stringAt(at);
    return open !== -1 && this.#signed.of(open, () => this.#isSigned(open));
  }

  /**
   * Returns how often a path at `at` is JSON-escaped: once more than ordinary inside JSON that is itself
   * the content of a string.
   *
   * @param ordinary How often text of this codec is escaped
   */
  levelAt(at: number, ordinary: number): number {
    return this.#level.of(at, () => this.#findLevel(at, ordinary));
  }

  /** Returns how far the path reaches whose root begins at `start` and ends at `rootEnd`. */
  extentOf(start: number, rootEnd: number, rule: SeparatorRule): PathExtent {
    const quote = this.#text.charCodeAt(start - 1);
    if (quote !== QUOTE && quote !== APOSTROPHE && quote !== BACKTICK) return PROSE;
    const escapes = quote === QUOTE ? this.#backslashesBefore(start - 1) : 0;
    const end = this.#enclosedEnd(rootEnd, rule, quote, escapes);
    if (end === undefined) return PROSE;
    if (quote === QUOTE) return this.#stringExtent(start - 1 - escapes, rootEnd, end, escapes);
    const isPath = this.#isOnePath(rootEnd, end) && this.#closes(quote, end);
    return isPath ? { kind: "quoted", end } : PROSE;
  }

  #findLevel(at: number, ordinary: number): number {
    this.#findQuotes(at);
    const quote = this.#nearestQuote;
    const inner = quote === -1 ? 0 : this.#inner.of(quote, () => this.#levelInside(quote));
    if (inner > 0) return inner;
    const open = this.#openingQuote;
    if (!this.#isJson || open === -1) return ordinary;
    return this.#nested.of(open, () => this.#isNested(open)) ? ordinary + 1 : ordinary;
  }

  /** Returns how often what follows a quote is escaped, or 0 where it opens no string inside the text. */
  #levelInside(quote: number): number {
    const backslashes = this.#backslashesBefore(quote);
    // One level has a backslash before its quotes, the next three, then seven.
    const depth = Math.log2(backslashes + 1);
    const isInner = backslashes > 0 || !this.#isJson;
    const opens = isInner && Number.isInteger(depth) && this.#opensString(quote - backslashes);
    return opens ? depth + 1 : 0;
  }

  /**
   * Returns how far a path reaches in the double quotes that open at `open` and close at `end`. A field
   * of such a name is one path, and so is a key; of other fields only their own words tell where it ends.
   */
  #stringExtent(open: number, rootEnd: number, end: number, escapes: number): PathExtent {
    const key = this.#keyOf(open);
    if (key !== "") return isPathKey(key) ? { kind: "field", end } : PROSE;
    const isKey = this.#text.charCodeAt(end + escapes + 1) === COLON && this.#opensString(open);
    if (isKey) return { kind: "field", end };
    return this.#isOnePath(rootEnd, end) ? { kind: "quoted", end } : PROSE;
  }

  /** Returns whether a quote closes: an apostrophe inside a word (don't) does not. */
  #closes(quote: number, end: number): boolean {
    return quote !== APOSTROPHE || endsPath(this.#text, end + 1) ||
      this.#text.charCodeAt(end + 1) === BACKSLASH;
  }

  /**
   * Returns where the closing quote (with its escapes) stands, or `undefined` where anything comes first
   * that no path holds: a line end or another escape. Quotes that the string itself escapes are part of it.
   */
  #enclosedEnd(
    from: number,
    rule: SeparatorRule,
    close: number,
    escapes: number,
  ): number | undefined {
    const text = this.#text;
    for (let i = from; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit < SPACE) return undefined;
      if (unit === BACKSLASH) {
        const after = skipBackslashes(text, i);
        const rest = (after - i) % rule.unit;
        const isQuote = close === QUOTE && text.charCodeAt(after) === QUOTE;
        if (rest > 0 && rest === escapes && isQuote) return after - rest;
        if (rest > 0 && !(isQuote && rest === 2 * escapes + 1)) return undefined;
        i = rest > 0 ? after : after - 1;
      } else if (unit === close && escapes === 0) return i;
      else if (unit === QUOTE) return undefined;
    }
    return undefined;
  }

  /** Returns whether what stands in quotes reads as one path with spaces rather than a command or a list. */
  #isOnePath(from: number, end: number): boolean {
    return !NO_PATH.test(this.#text.slice(from, end));
  }

  /** Returns whether a quote at `quote` (its backslashes skipped) opens a key, a value or an element. */
  #opensString(quote: number): boolean {
    const before = this.#skipSpaceBack(quote - 1);
    const unit = this.#text.charCodeAt(before);
    if (unit === OPEN_BRACKET || unit === OPEN_BRACE) return true;
    if (unit !== COLON && unit !== COMMA) return false;
    const last = this.#text.charCodeAt(this.#skipSpaceBack(before - 1));
    if (last === QUOTE) return true;
    return unit === COMMA && (last === CLOSE_BRACE || last === CLOSE_BRACKET);
  }

  /** Skips spaces and escaped line ends and tabs backwards: the indentation of pretty-printed JSON. */
  #skipSpaceBack(from: number): number {
    const text = this.#text;
    for (let i = from;;) {
      const unit = text.charCodeAt(i);
      if (unit <= SPACE && (unit !== NEWLINE || this.#codec !== "jsonl")) i--;
      else if (isSpaceLetter(unit) && text.charCodeAt(i - 1) === BACKSLASH) {
        i -= 1 + this.#backslashesBefore(i);
      } else return i;
    }
  }

  #backslashesBefore(at: number): number {
    let i = at;
    while (this.#text.charCodeAt(i - 1) === BACKSLASH) i--;
    return at - i;
  }

  #lineOf(at: number): Line {
    if (at >= this.#line.start && at <= this.#line.end) return this.#line;
    const text = this.#text;
    let { end, start } = this.#line;
    // Forwards from the line before: going back takes many times longer.
    if (at < start) end = -1;
    while (end < at) {
      start = end + 1;
      const newline = text.indexOf("\n", start);
      end = newline === -1 ? text.length : newline;
    }
    this.#line = { start, end, isRecord: this.#isRecord(start, end) };
    return this.#line;
  }

  #isRecord(start: number, end: number): boolean {
    const text = this.#text;
    const first = text.startsWith(BOM, start) ? start + BOM.length : start;
    let last = end - 1;
    while (last > first && text.charCodeAt(last) <= SPACE) last--;
    return text.charCodeAt(first) === OPEN_BRACE && text.charCodeAt(last) === CLOSE_BRACE;
  }

  /** Finds the nearest quote before `at` on its line, and the unescaped one that opens the string around it. */
  #findQuotes(at: number): void {
    const { start } = this.#lineOf(at);
    const isLater = start <= this.#asked && this.#asked <= at;
    const floor = isLater ? this.#asked : start;
    let nearest = isLater ? this.#nearestQuote : -1;
    let opening = isLater ? this.#openingQuote : -1;
    // Searched natively: texts are long, and quotes in them rare.
    const stretch = this.#text.slice(floor, at);
    for (let i = stretch.lastIndexOf('"'), isFirst = true; i !== -1; isFirst = false) {
      if (isFirst) nearest = floor + i;
      if (this.#backslashesBefore(floor + i) % 2 === 0) {
        opening = floor + i;
        break;
      }
      i = i === 0 ? -1 : stretch.lastIndexOf('"', i - 1);
    }
    this.#asked = at;
    this.#nearestQuote = nearest;
    this.#openingQuote = opening;
  }

  /** Returns the opening quote of the JSON string around `at`, or -1. */
  #stringAt(at: number): number {
    this.#findQuotes(at);
    return this.#openingQuote;
  }

  /** Returns the key of the string that opens at `open`, its backslashes included; empty for keys and elements. */
  #keyOf(open: number): string {
    return this.#key.of(open, () => {
      const close = this.#keyEnd(open);
      if (close === -1) return "";
      const before = this.#recordText(close, -LONGEST_KEY);
      return before.slice(before.lastIndexOf('"') + 1);
    });
  }

  /** Returns where the key of the string that opens at `open` ends, or -1. */
  #keyEnd(open: number): number {
    const text = this.#text;
    const colon = this.#skipSpaceBack(open - 1);
    if (text.charCodeAt(colon) !== COLON) return -1;
    const end = this.#skipSpaceBack(colon - 1);
    return text.charCodeAt(end) === QUOTE ? end - this.#backslashesBefore(end) : -1;
  }

  #isSigned(open: number): boolean {
    // Most keys are told from these by their last letter.
    const last = this.#text.charCodeAt(this.#keyEnd(open) - 1);
    if (last !== LETTER_G && last !== LETTER_E && last !== LETTER_A) return false;
    const key = this.#keyOf(open);
    if (key === "thinking") return true;
    if (key === "signature") {
      return this.#signedRecord.of(this.#recordOf(open).start, () => this.#hasThinking(open));
    }
    if (key !== "data") return false;
    const close = this.#closingQuote(open);
    return this.#recordText(open, -SIGNED_NEIGHBOUR).includes("redacted_thinking") ||
      this.#recordText(close, SIGNED_NEIGHBOUR).includes("redacted_thinking");
  }

  #hasThinking(at: number): boolean {
    const { start, end } = this.#recordOf(at);
    return this.#text.slice(start, end).includes('"thinking"');
  }

  /** Returns the bounds of the record around `at`: its line, or the whole document. */
  #recordOf(at: number): Pick<Line, "start" | "end"> {
    return this.#codec === "json" ? { start: 0, end: this.#text.length } : this.#lineOf(at);
  }

  /** Returns up to so many characters of the record after `at`, or before it where the number is negative. */
  #recordText(at: number, length: number): string {
    const { start, end } = this.#recordOf(at);
    const other = Math.min(Math.max(at + length, start), end);
    return this.#text.slice(Math.min(at, other), Math.max(at, other));
  }

  /** Returns whether the whole content of the string that opens at `open` is a JSON object or array. */
  #isNested(open: number): boolean {
    const text = this.#text;
    const first = text.charCodeAt(open + 1);
    const second = text.charCodeAt(open + 2);
    const third = text.charCodeAt(open + 3);
    // An object begins with an escaped key quote or a line end, an array with anything: [x] is also prose.
    const opens = first === OPEN_BRACE
      ? second === BACKSLASH && (third === QUOTE || third === LETTER_N || third === LETTER_R)
      : first === OPEN_BRACKET && (second === BACKSLASH || second === OPEN_BRACE);
    if (!opens) return false;
    const last = this.#skipSpaceBack(this.#closingQuote(open) - 1);
    return text.charCodeAt(last) === (first === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET);
  }

  /** Returns where the string ends that opens at `open`. */
  #closingQuote(open: number): number {
    const { end } = this.#lineOf(open);
    for (let i = this.#text.indexOf('"', open + 1); i !== -1 && i < end;) {
      if (this.#backslashesBefore(i) % 2 === 0) return i;
      i = this.#text.indexOf('"', i + 1);
    }
    return end;
  }
}

/** What a separator scan finds at an offset: a run of separators, the end of the path, or plain text. */
export interface TailStep {
  /** Separators here, one letter each (`b` or `f`); empty for anything else. */
  readonly separators: string;
  /** First offset after the separators or the plain text. */
  readonly next: number;
  /** Whether the path ends at `next`. */
  readonly ends: boolean;
}

/** Reads one step of the rest of a path: up to the next separators, or these. */
export function readTail(
  text: string,
  at: number,
  to: number,
  extent: PathExtent,
  rule: SeparatorRule,
): TailStep {
  const isProse = extent.kind === "prose";
  const limit = isProse ? to : Math.min(extent.end, to);
  for (let i = at; i < limit; i++) {
    const unit = text.charCodeAt(i);
    if (unit === SLASH) {
      return i > at ? plain(i) : { separators: "f", next: i + 1, ends: false };
    }
    if (unit === BACKSLASH) {
      const after = Math.min(skipBackslashes(text, i), limit);
      const whole = rule.backslashSeparates ? Math.floor((after - i) / rule.unit) : 0;
      if (whole > 0) {
        return i > at
          ? plain(i)
          : { separators: "b".repeat(whole), next: i + whole * rule.unit, ends: false };
      }
      if (isProse) return { separators: "", next: i, ends: true };
      i = after - 1;
    } else if (isProse && endsPath(text, i)) {
      return { separators: "", next: i, ends: true };
    }
  }
  return { separators: "", next: limit, ends: !isProse && limit === extent.end };
}

const plain = (next: number): TailStep => ({ separators: "", next, ends: false });

const isSpaceLetter = (unit: number): boolean =>
  unit === LETTER_N || unit === LETTER_R || unit === LETTER_T;

/** Room for the `type` beside the `data` of a redacted block. */
const SIGNED_NEIGHBOUR = 64;

/**
 * What tells a command, a list or the end of a sentence in quotes from the rest of one path with spaces:
 * characters that names on Windows cannot have, separators of lists, further paths, options, a full stop.
 */
const NO_PATH = /[<>|:;,*?&]| [ /{~]| -[^ ]|^\.+$/;

/**
 * Returns whether a field of this name holds one path. Source: the record tables observed with client
 * 2.1.197 (cwd, file_path, filePath, planFilePath, originalCwd, relocatedCwd, worktreePath, outputFile,
 * persistedOutputPath, skillDir, filename, notebook_path, ...); `originalFile` holds a file's content, and
 * `PATH` of an environment a list.
 */
function isPathKey(key: string): boolean {
  return key !== "originalFile" &&
    /(?:[pP]ath|[dD]ir|cwd|Cwd|[fF]ile|[dD]irectory|file[nN]ame|[fF]older|[pP]roject|[rR]oot)$/
      .test(key);
}
