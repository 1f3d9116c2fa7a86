/**
 * What becomes of a command line: a command is run, or what went wrong is said, and that makes the exit code: the one
 * switch from an error to it.
 *
 * @module
 */
import { CcsyncError, EXIT_CODES, firstFailure, messageOf, systemFailure } from "../errors.ts";
import { VERSION } from "../version.ts";
import { automationTrouble, removeReplaced, runComplete, runHook } from "./commands.ts";
import type { Context, Ending } from "./context.ts";
import type { Act, GlobalOptions } from "./program.ts";
import { type OutputOptions, Terminal } from "./terminal.ts";

/** The surroundings a run needs, made once the options are known: `--help` needs none. */
export type MakeContext = (terminal: Terminal) => Context;

/** Runs ccsync with its arguments, and returns the exit code. Never throws. */
export async function run(args: readonly string[], makeContext: MakeContext): Promise<number> {
  let terminal = new Terminal(guessOutput(args));
  // Claude Code runs it, and takes some exit codes for orders: not one word is refused.
  if (args[0] === HOOK) {
    await runHook(() => makeContext(terminal), args.slice(1));
    return 0;
  }
  let ending = "done" as Ending;
  const act: Act = async (name, options, work) => {
    terminal = new Terminal(outputOf(options));
    const context = makeContext(terminal);
    if (context.env.os === "windows") await removeReplaced(context.env);
    const trouble = ALONE.has(name) ? undefined : await automationTrouble(context.env);
    if (trouble !== undefined) terminal.warn(trouble);
    ending = await work(context);
  };
  try {
    // Who asks for the version, or for help alone, need not wait for what reads command lines.
    if (VERSION_FLAGS.has(args[0] ?? "")) {
      terminal.result(VERSION);
      return 0;
    }
    if (args.length === 1 && HELP_FLAGS.has(args[0] ?? "")) {
      const { overviewHelp } = await import("./help.ts");
      terminal.result(overviewHelp(terminal.width));
      return 0;
    }
    const { commandTable, obey } = await import("./program.ts");
    if (args[0] === COMPLETE) {
      await runComplete(() => makeContext(terminal), commandTable(), args.slice(1));
      return 0;
    }
    const code = await obey(args, act);
    if (code !== undefined) return code;
    if (typeof ending === "object") return ending.code;
    return ending === "done" ? 0 : EXIT_CODES.partial;
  } catch (error) {
    return explain(terminal, firstFailure(error));
  }
}

/** The commands that no person runs. */
const HOOK = "hook";
const COMPLETE = "complete";

const VERSION_FLAGS: ReadonlySet<string> = new Set(["-V", "--version"]);
const HELP_FLAGS: ReadonlySet<string> = new Set(["-h", "--help"]);

/** Commands that do not tell how syncing by itself goes: the one that does it, and those without a hub. */
const ALONE: ReadonlySet<string> = new Set(["daemon", "completions", "upgrade"]);

function outputOf(options: GlobalOptions): OutputOptions {
  return {
    isJson: options.json === true,
    isQuiet: options.quiet === true,
    isVerbose: options.verbose === true,
    hasColor: options.color !== false,
  };
}

/** How to print an error that comes before the options were understood. */
function guessOutput(args: readonly string[]): OutputOptions {
  return outputOf({ json: args.includes("--json"), color: !args.includes("--no-color") });
}

/** Says what went wrong, and returns the exit code: the one switch from an error to a code. */
function explain(terminal: Terminal, error: unknown): number {
  const known = error instanceof CcsyncError ? error : systemFailure(error);
  if (known !== undefined) return fail(terminal, known);
  return fail(terminal, unexpected(error), error instanceof Error ? error.stack : undefined);
}

function unexpected(error: unknown): CcsyncError {
  return new CcsyncError("internal", `cannot go on: ${messageOf(error)}`, {
    cause: error,
    hints: [
      "your sessions are as they were, or complete; running the command again continues",
      `this is a mistake in ccsync ${VERSION}: please report the lines above with what you did`,
    ],
  });
}

function fail(terminal: Terminal, error: CcsyncError, stack?: string): number {
  const code = EXIT_CODES[error.kind];
  if (stack !== undefined) terminal.note(stack);
  if (terminal.options.isVerbose && error.cause instanceof Error) {
    terminal.detail(error.cause.stack ?? error.cause.message);
  }
  const { kind, message, hints } = error;
  terminal.error(message, hints, { code, kind, message, hints });
  return code;
}
