/**
 * Finds programs as the system does, and runs them to their end.
 *
 * @module
 */
import { resolve } from "node:path";
import type { Environment } from "./environment.ts";

const WINDOWS_ENDINGS: readonly string[] = [".exe", ".cmd", ".bat"];

/** Returns the path of the first program of a name in the directories, `undefined` where there is none. */
export function findProgram(
  name: string,
  directories: readonly string[],
  os: Environment["os"],
): string | undefined {
  const endings = os === "windows" ? ["", ...WINDOWS_ENDINGS] : [""];
  return directories.flatMap((directory) =>
    endings.map((ending) => resolve(directory, name) + ending)
  ).find((path) => isProgram(path, os));
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

/** What a program left behind. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; `undefined` where there is none of that name. */
export async function runProgram(
  program: string,
  args: readonly string[],
  directory?: string,
): Promise<ProgramResult | undefined> {
  const decoder = new TextDecoder();
  try {
    const { code, stderr, stdout } = await new Deno.Command(program, {
      args: [...args],
      ...(directory !== undefined && { cwd: directory }),
      stdin: "null",
    }).output();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
