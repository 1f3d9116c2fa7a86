/**
 * Finds Claude Code on this machine, and starts it with the terminal handed over.
 *
 * @module
 */
import { isAbsolute, join, resolve } from "node:path";
import type { LocalPath } from "../brands.ts";
import { CcsyncError } from "../errors.ts";
import type { Environment } from "../machine/environment.ts";

/** Where its own installer and older versions put it, relative to the home directory. */
const USUAL_PLACES: readonly string[] = [".local/bin", ".claude/local", "bin"];
const WINDOWS_ENDINGS: readonly string[] = [".exe", ".cmd", ".bat"];

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
  const paths = isPath
    ? [resolve(claudeProgram)]
    : places.map((place) => resolve(place, claudeProgram));
  const endings = os === "windows" ? ["", ...WINDOWS_ENDINGS] : [""];
  const found = paths.flatMap((path) => endings.map((ending) => path + ending))
    .find((path) => isProgram(path, os));
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

function isProgram(path: string, os: Environment["os"]): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    // On Windows a script of npm's for other shells has the bare name.
    if (os === "windows") {
      return isFile && WINDOWS_ENDINGS.some((end) => path.toLowerCase().endsWith(end));
    }
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch {
    // Not there, or nothing that this user may look at: the next place counts.
    return false;
  }
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
