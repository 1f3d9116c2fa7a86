/**
 * The one guard for all prompts: nothing waits where nobody can answer, and whatever ends a prompt leaves
 * the terminal as it was.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import process from "node:process";
import { Writable } from "node:stream";
import { CcsyncError } from "../errors.ts";
import { fit } from "./table.ts";
import { clean, type Colors, type Terminal } from "./terminal.ts";

/** What every prompt is given. */
export interface Asking {
  /** What to do where there is no terminal, a sentence: `pass --yes`. */
  readonly instead: string;
}

/** Where a prompt is shown, and what ends it from outside. */
export interface PromptContext {
  readonly output: Writable;
  readonly signal: AbortSignal;
}

/** Returns whether somebody can be asked: prompts read from stdin and are shown on stderr. */
export function canPrompt(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
}

/** Asks yes or no. Throws as {@linkcode guarded}. */
export async function confirm(
  terminal: Terminal,
  question: string,
  options: Asking & { readonly default: boolean },
): Promise<boolean> {
  return await guarded(terminal, question, options.instead, async (context) => {
    const library = await import("./prompt_library.ts");
    const theme = themeOf(terminal.errorColors);
    const asked = { message: clean(question), default: options.default, theme };
    return await library.confirm(asked, context);
  });
}

/** How a line of text is asked for. */
export interface InputOptions extends Asking {
  readonly default?: string;
  /** Returns what is wrong with an answer, `undefined` where nothing is. */
  readonly validate?: (answer: string) => string | undefined;
}

/** Asks for a line of text. Throws as {@linkcode guarded}. */
export async function input(
  terminal: Terminal,
  question: string,
  options: InputOptions,
): Promise<string> {
  return await guarded(terminal, question, options.instead, async (context) => {
    const library = await import("./prompt_library.ts");
    const theme = themeOf(terminal.errorColors);
    const validate = (answer: string) => options.validate?.(answer) ?? true;
    const asked = { message: clean(question), default: options.default ?? "", validate, theme };
    return await library.input(asked, context);
  });
}

/** One of several answers. */
export interface Choice<T> {
  readonly name: string;
  readonly value: T;
}

/** Asks for one of a few answers. Throws as {@linkcode guarded}. */
export async function choose<T>(
  terminal: Terminal,
  question: string,
  choices: readonly Choice<T>[],
  options: Asking,
): Promise<T> {
  return await guarded(terminal, question, options.instead, async (context) => {
    const library = await import("./prompt_library.ts");
    const theme = themeOf(terminal.errorColors);
    // The pointer, a space, and none of them in the last column.
    const room = promptSize().columns - 3;
    const shown = choices.map(({ name, value }) => {
      return { name: fit(clean(name), room, "left", true), value };
    });
    const asked = { message: clean(question), choices: shown, loop: false, theme };
    return await library.select(asked, context);
  });
}

/** Returns the size of the terminal that prompts are on. */
export function promptSize(): { readonly columns: number; readonly rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || 80, rows: rows || 24 };
  } catch {
    // Some terminals do not tell.
    return { columns: 80, rows: 24 };
  }
}

/**
 * Shows one prompt, and gives the terminal back however that ends.
 *
 * @param question What is asked, for the message where nobody can be
 * @param instead What to do where there is no terminal
 * @throws {CcsyncError} kind "usage" at once where there is no terminal; kind "cancelled" on Ctrl-C, Ctrl-D,
 * the end of the input, and the signals that end a program
 */
export async function guarded<T>(
  terminal: Terminal,
  question: string,
  instead: string,
  show: (context: PromptContext) => Promise<T>,
): Promise<T> {
  requireTerminal(question, instead);
  using leaving = new Leaving();
  try {
    return await show({ output: new Output(terminal), signal: leaving.signal });
  } catch (error) {
    if (!isLeaving(error)) throw error;
    throw new CcsyncError("cancelled", "cancelled", { cause: error });
  }
}

/**
 * Checks that somebody can be asked.
 *
 * @throws {CcsyncError} kind "usage" where there is no terminal
 */
export function requireTerminal(question: string, instead: string): void {
  if (canPrompt()) return;
  throw new CcsyncError("usage", `cannot ask "${question}": this is no terminal`, {
    hints: [instead],
  });
}

/** The terminal as the library wants it. */
class Output extends Writable {
  constructor(terminal: Terminal) {
    super({
      write(chunk: Buffer, _encoding, done) {
        terminal.prompt(chunk);
        done();
      },
    });
  }

  get columns(): number {
    return promptSize().columns;
  }
}

/** By name: the classes come with the library, which may not be loaded yet. */
function isLeaving(error: unknown): boolean {
  return error instanceof Error && /^(?:Abort|Cancel|Exit)PromptError$/.test(error.name);
}

const CTRL_D = 0x04;
const SIGNALS = Deno.build.os === "windows"
  ? ["SIGINT"] as const
  : ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Notices what the library does not: on Ctrl-D and at the end of the input its prompts wait for ever, and a
 * signal ends the program with the cursor hidden.
 */
class Leaving implements Disposable {
  readonly #controller = new AbortController();
  readonly #leave = () => this.#controller.abort();
  readonly #look = (data: Uint8Array | string) => {
    // The byte is part of no character and of no key's sequence.
    if (typeof data === "string" ? data.includes("\x04") : data.includes(CTRL_D)) this.#leave();
  };

  constructor() {
    process.stdin.on("data", this.#look);
    process.stdin.on("end", this.#leave);
    // With a listener of ours the library does not send the signal once more.
    for (const signal of SIGNALS) process.on(signal, this.#leave);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#leave);
    process.stdin.off("end", this.#leave);
    process.stdin.off("data", this.#look);
    // A listener makes it flow, whether or not a prompt came of it: what is typed next is for others.
    process.stdin.pause();
  }
}

/** The library's own theme has colours where NO_COLOR forbids them, with some versions of Deno. */
function themeOf(colors: Colors) {
  const { bold, cyan, dim, green, red, yellow } = colors;
  return {
    prefix: { idle: cyan("?"), done: green("✔") },
    spinner: { interval: 80, frames: [yellow("…")] },
    style: {
      answer: cyan,
      message: (text: string) => bold(text),
      error: (text: string) => red(`> ${text}`),
      defaultAnswer: (text: string) => dim(`(${text})`),
      confirmDefault: (text: string) => text.toUpperCase(),
      help: dim,
      highlight: cyan,
      key: (text: string) => cyan(`<${text}>`),
      disabled: dim,
      description: cyan,
      keysHelpTip: (keys: [key: string, action: string][]) =>
        dim(keys.map(([key, action]) => `${key} ${action}`).join(" · ")),
    },
  };
}
