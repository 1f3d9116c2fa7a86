/**
 * Transcripts for the bench, shaped like recorded ones, equal for equal seeds.
 *
 * The shape. In the recorded sessions (`tests/fixtures/`, Claude Code 2.1.197) a line has 760 bytes on
 * average (median 557, the longest 34 KB) and 1.05 paths under the home, the projects folder or the temporary
 * tree, which is 1.4 a KB; a third of the bytes are tool results. Those are sessions with a stand-in for the
 * model: real tools print more. So here a line has 1.25 KB and 2.2 paths on average, 1.8 a KB, and half of the
 * bytes are tool results: nine of ten below 1 KB, the others 4 to 12 KB. An image is stored twice in one line
 * (the recorded client makes a line of 1.28 MB of a PNG of 480 KB); here images have 240 KB, and are 5 % of the
 * bytes. One turn is a prompt, thinking in every third, a text, one to five tool calls with their
 * results, the file history in every fourth, and the last prompt. Text is words of a fixed vocabulary, the
 * frequent ones often, so that it compresses about four to one; ids and images do not compress.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A source of numbers that are equal for equal seeds (xorshift). */
export class Numbers {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1;
  }

  /** Returns a whole number of 0 to 2^32 - 1. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** Returns a whole number of `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + this.next() % (to - from + 1);
  }

  /** Returns whether something of this probability happens. */
  happens(probability: number): boolean {
    return this.next() < probability * 2 ** 32;
  }

  /** Returns a UUID of version 4. */
  uuid(): string {
    const hex = () => this.next().toString(16).padStart(8, "0");
    const [a, b, c, d] = [hex(), hex(), hex(), hex()];
    return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-8${c.slice(1, 4)}-${c.slice(4)}${d}`;
  }
}

const VOCABULARY = 4096;
const SYLLABLES = "ba de fi go lu ma ne pi ro su ta ve xi zo con ter ment ing pro ex re un".split(
  " ",
);
/** What code and listings are made of besides words, escaped as in a JSON string. */
const MARKS = ["\\n", "\\n  ", ", ", " = ", "(", ") ", "; ", ": ", '\\"', ".", " => ", " {\\n"];

const WORDS: readonly Uint8Array[] = makeWords();

function makeWords(): Uint8Array[] {
  const numbers = new Numbers(7);
  return Array.from({ length: VOCABULARY }, () => {
    const syllables = Array.from({ length: numbers.between(1, 4) }, () => {
      return SYLLABLES[numbers.next() % SYLLABLES.length] ?? "";
    });
    const mark = numbers.happens(0.8) ? " " : MARKS[numbers.next() % MARKS.length] ?? "";
    return new TextEncoder().encode(syllables.join("") + mark);
  });
}

/** What a transcript is to be like. */
export interface TranscriptOptions {
  readonly seed: number;
  readonly id: string;
  /** The session's working directory. */
  readonly cwd: string;
  readonly home: string;
  /** It ends with the first turn at or after so many bytes. */
  readonly bytes: number;
  /** Time of the first record, milliseconds since 1970. @default {Date.UTC(2026, 0, 1)} */
  readonly from?: number;
}

const PIECE_BYTES = 1024 * 1024;
/** In every other stretch of so many bytes, texts and results name a path. */
const PATH_EVERY = 400;
const IMAGE_BYTES = 240 * 1024;
/** So that images are 5 % of the bytes: a turn has about 11 KB. */
const IMAGE_IN = (0.05 * 11 * 1024) / (2 * IMAGE_BYTES * 4 / 3);

/** Yields a transcript in pieces of about 1 MiB, whole lines each. */
export function* transcriptOf(options: TranscriptOptions): Generator<Uint8Array> {
  const writer = new TurnWriter(options);
  for (let done = 0; done < options.bytes;) {
    const piece = writer.piece(Math.min(PIECE_BYTES, options.bytes - done));
    done += piece.length;
    yield piece;
  }
}

class TurnWriter {
  readonly #numbers: Numbers;
  readonly #options: TranscriptOptions;
  /** The longest turn has an image and five long results. */
  readonly #bytes = new Uint8Array(2 * PIECE_BYTES);
  readonly #buffer = Buffer.from(this.#bytes.buffer);
  #at = 0;
  #parent = "null";
  #time: number;

  constructor(options: TranscriptOptions) {
    this.#numbers = new Numbers(options.seed);
    this.#options = options;
    this.#time = options.from ?? Date.UTC(2026, 0, 1);
  }

  /** Returns the next turns, at least so many bytes of them. */
  piece(bytes: number): Uint8Array {
    this.#at = 0;
    while (this.#at < bytes) this.#turn();
    return this.#bytes.slice(0, this.#at);
  }

  #turn(): void {
    const numbers = this.#numbers;
    const { home, id } = this.#options;
    const prompt = () => this.#words(numbers.between(60, 400));
    this.#record("user", '"message":{"role":"user","content":"', prompt, '"}');
    if (numbers.happens(1 / 3)) {
      this.#block(
        '{"type":"thinking","thinking":"',
        () => this.#words(700),
        '","signature":"',
        300,
      );
    }
    this.#block('{"type":"text","text":"', () => this.#prose(600), '"', 0);
    const calls = numbers.between(1, 5);
    for (let i = 0; i < calls; i++) this.#toolCall();
    if (numbers.happens(IMAGE_IN)) this.#image();
    const leaf = this.#parent;
    if (numbers.happens(1 / 4)) {
      const uuid = numbers.uuid();
      this.#put(
        `{"type":"file-history-snapshot","messageId":"${uuid}","snapshot":{"messageId":"${uuid}","trackedFileBackups":{"src/a.ts":{"backupFileName":null,"version":1},"${home}/.config/tool.json":{"backupFileName":"${
          uuid.slice(0, 8)
        }@v2","version":2}},"timestamp":"${this.#now()}"},"isSnapshotUpdate":false}\n`,
      );
    }
    this.#put('{"type":"last-prompt","lastPrompt":"');
    this.#words(numbers.between(40, 180));
    this.#put(`","leafUuid":${leaf},"sessionId":"${id}"}\n`);
  }

  #toolCall(): void {
    const numbers = this.#numbers;
    const path = this.#path();
    const tool = `toolu_${numbers.uuid().replaceAll("-", "").slice(0, 24)}`;
    const input =
      `{"type":"tool_use","id":"${tool}","name":"Read","input":{"file_path":"${path}","description":"`;
    this.#block(input, () => this.#words(numbers.between(40, 500)), '"}', 0);
    const isLong = numbers.happens(1 / 10);
    const size = isLong ? numbers.between(4_000, 12_000) : numbers.between(100, 1_000);
    const result = () => {
      this.#put(
        `[{"tool_use_id":"${tool}","type":"tool_result","content":"`,
      );
      this.#prose(size);
      this.#put(`"}]},"toolUseResult":{"type":"text","file":{"filePath":"${path}","numLines":`);
    };
    this.#record("user", '"message":{"role":"user","content":', result, `${size >> 5}}}`);
  }

  #image(): void {
    const image = () => {
      const from = this.#at;
      this.#base64(IMAGE_BYTES * 4 / 3);
      const to = this.#at;
      this.#put('"}}]}]},"toolUseResult":{"type":"image","file":{"base64":"');
      this.#at += this.#buffer.copy(this.#buffer, this.#at, from, to);
    };
    const opening =
      '"message":{"role":"user","content":[{"type":"tool_result","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"';
    this.#record("user", opening, image, '"}}');
  }

  /** Writes an assistant's record with one block, which closes with a signature of so many characters. */
  #block(opening: string, body: () => void, closing: string, signature: number): void {
    const numbers = this.#numbers;
    const request = numbers.uuid().slice(0, 8);
    const whole = () => {
      body();
      this.#put(closing);
      if (signature > 0) {
        this.#base64(signature);
        this.#put('"');
      }
    };
    this.#record(
      "assistant",
      `"message":{"model":"claude-opus-4","id":"msg_${request}","type":"message","role":"assistant","content":[${opening}`,
      whole,
      `}],"stop_reason":null,"usage":{"input_tokens":${
        numbers.between(1, 9999)
      },"cache_read_input_tokens":${
        numbers.between(1000, 99_999)
      },"output_tokens":1}},"requestId":"req_${request}"`,
    );
  }

  #record(type: string, opening: string, body: () => void, closing: string): void {
    const { cwd, id } = this.#options;
    const uuid = this.#numbers.uuid();
    this.#put(`{"parentUuid":${this.#parent},"isSidechain":false,"type":"${type}",${opening}`);
    body();
    this.#put(
      `${closing},"uuid":"${uuid}","timestamp":"${this.#now()}","userType":"external","entrypoint":"cli","cwd":"${cwd}","sessionId":"${id}","version":"2.1.197","gitBranch":"main"}\n`,
    );
    this.#parent = `"${uuid}"`;
  }

  #now(): string {
    this.#time += this.#numbers.between(500, 20_000);
    return new Date(this.#time).toISOString();
  }

  #path(): string {
    const word = () => String(this.#numbers.between(100, 999));
    return `${this.#options.cwd}/src/module${word()}/file${word()}.ts`;
  }

  /** Writes words, and a path every few KB. */
  #prose(bytes: number): void {
    for (let left = bytes; left > 0; left -= PATH_EVERY) {
      if (this.#numbers.happens(0.5)) this.#put(`${this.#path()}:${left} `);
      this.#words(Math.min(left, PATH_EVERY));
    }
  }

  #words(bytes: number): void {
    const buffer = this.#bytes;
    const end = this.#at + bytes;
    let at = this.#at;
    while (at < end) {
      // The cube of a number below 1: the first words are the frequent ones.
      const number = this.#numbers.next() / 2 ** 32;
      const word = WORDS[Math.floor(number * number * number * VOCABULARY)] ?? MARK;
      for (let i = 0; i < word.length; i++) buffer[at++] = word[i] ?? 0;
    }
    this.#at = at;
  }

  #base64(characters: number): void {
    for (let i = 0; i < characters; i++) {
      this.#bytes[this.#at++] = BASE64[this.#numbers.next() & 63] ?? 0;
    }
  }

  #put(text: string): void {
    this.#at += this.#buffer.write(text, this.#at, "latin1");
  }
}

const MARK = new Uint8Array([0x20]);
const BASE64 = new TextEncoder().encode(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
);

/** One session of a generated directory. */
export interface PlannedSession {
  readonly id: string;
  readonly bytes: number;
  /** The name of its project. */
  readonly project: string;
}

/** Sizes of sessions, and the share of the bytes that they have: most sessions are small, most bytes are not. */
const SIZES = [[10_000_000, 0.4], [1_000_000, 0.4], [100_000, 0.2]] as const;
const PROJECTS = 20;

/** Returns sessions that have so many bytes together: of 200 MB, 8 are of 10 MB, 80 of 1 MB, 400 of 100 KB. */
export function planSessions(bytes: number, seed: number): PlannedSession[] {
  const numbers = new Numbers(seed);
  return SIZES.flatMap(([size, share]) => {
    const count = Math.max(1, Math.round(bytes * share / size));
    const each = Math.min(size, Math.ceil(bytes * share));
    return Array.from({ length: count }, () => plannedSession(numbers, each));
  });
}

/** Returns so many sessions of one size. */
export function planEqualSessions(count: number, bytes: number, seed: number): PlannedSession[] {
  const numbers = new Numbers(seed);
  return Array.from({ length: count }, () => plannedSession(numbers, bytes));
}

/** Returns so many sessions of evenly spread sizes, up to the largest. */
export function planSpreadSessions(count: number, largest: number, seed: number): PlannedSession[] {
  const numbers = new Numbers(seed);
  return Array.from({ length: count }, (_, i) => {
    return plannedSession(numbers, Math.ceil(((i + 1) * largest) / count));
  });
}

function plannedSession(numbers: Numbers, bytes: number): PlannedSession {
  return { id: numbers.uuid(), bytes, project: `app${numbers.next() % PROJECTS}` };
}
