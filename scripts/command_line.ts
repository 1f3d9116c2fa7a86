/**
 * The command lines of scripts: errors in the program's own form, and its exit codes.
 *
 * @module
 */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { CcsyncError, EXIT_CODES, messageOf } from "../src/errors.ts";
import { say } from "./build/programs.ts";

/** Flags by name, as the standard parser takes them. */
type Flags = NonNullable<ParseArgsConfig["options"]>;

/**
 * Returns the flags as given; the standard parser, with its advice for other programs left out.
 *
 * @param help The command that shows all of them
 * @throws {CcsyncError} kind "usage" when a flag is not known, or has no value
 */
export function readFlags<const T extends Flags>(
  args: readonly string[],
  options: T,
  help: string,
): ReturnType<typeof parseArgs<{ args: string[]; options: T }>>["values"] {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const [why] = messageOf(error).split(/\.(?:\s|$)/);
    throw new CcsyncError("usage", `cannot read the command line: ${why}`, {
      hints: [help],
      cause: error,
    });
  }
}

/** Runs a script to its end, and returns its exit code; what could not be done is told as ccsync does. */
export async function asProgram(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CcsyncError)) throw error;
    say(`error: ${error.message}`);
    for (const hint of error.hints) say(`hint: ${hint}`);
    return EXIT_CODES[error.kind];
  }
}
