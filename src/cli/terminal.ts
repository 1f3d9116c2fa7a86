/**
 * The two output streams, and what may be written to a terminal.
 *
 * @module
 */
import pc from "picocolors";
import { writeAll } from "../machine/streams.ts";

/** How the user wants to be talked to. */
export interface OutputOptions {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  readonly hasColor: boolean;
}

/** Functions that colour a text, or leave it as it is. */
export type Colors = ReturnType<typeof pc.createColors>;

const CLEAR_LINE = "\r\x1b[2K";

/** Columns of the terminal that stderr goes to. */
function errorWidth(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    // Some terminals do not tell.
    return 80;
  }
}

/** Where a command writes: results to stdout, everything else to stderr. */
export class Terminal {
  readonly options: OutputOptions;
  readonly colors: Colors;
  /** Those for stderr, where prompts are, too. */
  readonly errorColors: Colors;
  /** Whether somebody looks who wants to see how work goes on. */
  readonly showsSteps: boolean;
  #stepLength = 0;
  /** What waits until another program gives the terminal back. */
  #held: Set<string> | undefined;

  constructor(options: OutputOptions) {
    const wants = options.hasColor && !Deno.noColor && Deno.env.get("TERM") !== "dumb";
    this.options = options;
    this.colors = pc.createColors(wants && Deno.stdout.isTerminal());
    this.errorColors = pc.createColors(wants && Deno.stderr.isTerminal());
    this.showsSteps = Deno.stderr.isTerminal() && !options.isQuiet && !options.isJson;
  }

  /** Columns of the terminal that results go to; 80 where they go elsewhere. */
  get width(): number {
    try {
      return Deno.stdout.isTerminal() ? Deno.consoleSize().columns || 80 : 80;
    } catch {
      // Some terminals do not tell.
      return 80;
    }
  }

  /**
   * Another program has the terminal from here on: what is to be said waits until the returned object is
   * disposed, and a warning rings. Where messages go elsewhere, they do not wait.
   */
  handOver(): Disposable {
    this.#clearStep();
    if (Deno.stderr.isTerminal()) this.#held = new Set();
    return {
      [Symbol.dispose]: () => {
        const held = this.#held ?? [];
        this.#held = undefined;
        for (const text of held) this.#say(text);
      },
    };
  }

  /** Writes a result. */
  result(text: string): void {
    this.#clearStep();
    write(Deno.stdout, text + "\n");
  }

  /** Writes a result as JSON. */
  json(value: unknown): void {
    this.result(JSON.stringify(value, null, 2));
  }

  /** Writes an explanation that nobody needs who asked for silence. */
  note(text: string): void {
    if (this.options.isQuiet || this.options.isJson) return;
    this.#say(text + "\n");
  }

  /** Writes what the user has to know whatever was asked for. */
  warn(text: string): void {
    // OSC 9 is a notification to the terminals that know it, and nothing to the others.
    if (this.#held !== undefined) write(Deno.stderr, `\x07\x1b]9;ccsync: ${clean(text)}\x07`);
    this.#say(`${this.errorColors.yellow("warning:")} ${clean(text)}\n`);
  }

  /** Writes details, if they were asked for. */
  detail(text: string): void {
    if (!this.options.isVerbose) return;
    this.#say(this.errorColors.dim(clean(text)) + "\n");
  }

  /** Shows what is being done, in place, on a terminal only. */
  step(text: string): void {
    if (this.options.isVerbose) return this.detail(text);
    this.#showInPlace([...clean(text)].slice(0, 70).join("") + " ...");
  }

  /** Shows how far work has come, in place, on a terminal only. */
  progress(text: string): void {
    this.#showInPlace([...clean(text)].slice(0, errorWidth() - 1).join(""));
  }

  #showInPlace(line: string): void {
    if (!this.showsSteps || this.#held !== undefined) return;
    // Cleared and written at once: it is done often, and must not flicker.
    write(Deno.stderr, (this.#stepLength > 0 ? CLEAR_LINE : "") + this.errorColors.dim(line));
    this.#stepLength = line.length;
  }

  /** Writes an error, its hints, and for programs the same as JSON in the last line. */
  error(message: string, hints: readonly string[], json: unknown): void {
    this.#say(`${this.errorColors.red("error:")} ${clean(message)}\n`);
    for (const hint of hints) this.#say(`${this.errorColors.cyan("hint:")} ${clean(hint)}\n`);
    if (this.options.isJson) this.#say(JSON.stringify({ error: json }) + "\n");
  }

  #say(text: string): void {
    if (this.#held !== undefined) {
      this.#held.add(text);
      return;
    }
    this.#clearStep();
    write(Deno.stderr, text);
  }

  /** Writes what a prompt shows, at once: what comes later must not overtake it. */
  prompt(text: string | Uint8Array): void {
    this.#clearStep();
    write(Deno.stderr, text);
  }

  #clearStep(): void {
    if (this.#stepLength > 0) write(Deno.stderr, CLEAR_LINE);
    this.#stepLength = 0;
  }
}

function write(stream: typeof Deno.stdout | typeof Deno.stderr, text: string | Uint8Array): void {
  try {
    writeAll(stream, typeof text === "string" ? new TextEncoder().encode(text) : text);
  } catch (error) {
    // The reader has gone (`ccsync list | head`), or the terminal was closed: there is nobody to tell.
    const isGone = error instanceof Deno.errors.BrokenPipe ||
      (error instanceof Error && /input\/output error/i.test(error.message));
    if (!isGone) throw error;
  }
}

/**
 * Makes text from elsewhere safe for a terminal: control characters and those that reorder text
 * (bidirectional overrides) become visible or go.
 */
export function clean(text: string): string {
  if (!UNSAFE.test(text)) return text;
  return text
    .replace(/[\t\r\n]+/g, " ")
    .replace(CONTROL, "\ufffd")
    .replace(REORDERING, "");
}

// deno-lint-ignore no-control-regex -- control characters are exactly what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;
const REORDERING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
const UNSAFE = new RegExp(`${CONTROL.source}|${REORDERING.source}`);
