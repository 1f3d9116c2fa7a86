/**
 * Finds Claude Code on this machine, and starts it with the terminal handed over.
 *
 * @module
 */
import { isAbsolute, join } from "node:path";
import type { LocalPath } from "../brands.ts";
import { CcsyncError } from "../errors.ts";
import type { Environment } from "../machine/environment.ts";
import { findProgram } from "../machine/programs.ts";

/** Where its own installer and older versions put it, relative to the home directory. */
const USUAL_PLACES: readonly string[] = [".local/bin", ".claude/local", "bin"];

/**
 * Returns the path of Claude Code's program.
 *
 * @throws {CcsyncError} kind "setup" where there is none
 */
export function findClient(
  { claudeProgram, home, os, searchPath }: Pick<
    Environment,
    "claudeProgram" | "home" | "os" | "searchPath"
  >,
): string {
  const isPath = isAbsolute(claudeProgram) || /[/\\]/.test(claudeProgram);
  const places = [...searchPath, ...USUAL_PLACES.map((place) => join(home, place))];
  // A path that is whole, or begins here, is not looked for in directories.
  const found = findProgram(claudeProgram, isPath ? ["."] : places, os);
  if (found !== undefined) return found;
  throw new CcsyncError(
    "setup",
    `cannot start Claude Code: there is no program "${claudeProgram}"${
      isPath ? "" : " on the PATH"
    }`,
    {
      hints: [
        "install Claude Code (npm install -g @anthropic-ai/claude-code), or name its program: CCSYNC_CLAUDE=/path/to/claude; nothing was changed",
      ],
    },
  );
}

/** Claude Code while it runs. */
export interface RunningClient {
  /** Its exit code once it has ended; 128 and the signal's number where a signal ended it. */
  readonly ended: Promise<number>;
  /** Asks it to end. */
  stop(signal: "SIGTERM" | "SIGHUP"): void;
}

/**
 * Starts Claude Code; it has the terminal until it ends.
 *
 * @throws {CcsyncError} kind "setup" where the system does not let it start
 */
export function startClient(
  program: string,
  args: readonly string[],
  directory: LocalPath,
): RunningClient {
  const child = spawn(program, args, directory);
  return {
    ended: child.status.then(({ code }) => code),
    stop: (signal) => {
      try {
        child.kill(signal);
      } catch (error) {
        // It has ended at this very moment.
        if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
      }
    },
  };
}

function spawn(program: string, args: readonly string[], directory: LocalPath): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args],
      cwd: directory,
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    throw new CcsyncError("setup", `cannot start "${program}": the system refuses to run it`, {
      hints: ["start it yourself to see why; name another with CCSYNC_CLAUDE=/path/to/claude"],
      cause: error,
    });
  }
}

/** Milliseconds that a program has to tell its version. */
const VERSION_PATIENCE_MS = 10_000;

/** Returns what a program says of its version, in one line. */
export async function clientVersion(program: string): Promise<string> {
  const signal = AbortSignal.timeout(VERSION_PATIENCE_MS);
  const command = new Deno.Command(program, { args: ["--version"], stdin: "null", signal });
  const { code, stdout } = await command.output();
  const [line = ""] = new TextDecoder().decode(stdout).split("\n");
  return code === 0 && line !== "" ? `version ${line.trim()}` : "of an unknown version";
}
