/**
 * ccsync as a program that other programs start: how, and in the background.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Environment } from "./environment.ts";
import { shQuoted } from "./schedules.ts";

/** Returns the program and the first arguments that start this ccsync: the executable, or its source. */
export function selfCommand(): readonly [program: string, ...args: string[]] {
  const program = Deno.execPath();
  if (Deno.build.standalone) return [program];
  return [program, "run", "-A", "--quiet", "--frozen", fileURLToPath(Deno.mainModule)];
}

/**
 * Starts this ccsync in the background: it outlives its parent, and what ends that.
 *
 * @param directory Where it runs; must not be one that anybody wants to remove
 */
export function startInBackground(args: readonly string[], directory: string): void {
  const [program, ...first] = selfCommand();
  const child = new Deno.Command(program, {
    args: [...first, ...args],
    cwd: directory,
    detached: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  child.unref();
}

/** Returns how ccsync is started, for a hook: Claude Code has a shell run it. */
export function hookProgram(
  os: Environment["os"],
  command: readonly string[] = selfCommand(),
): string {
  if (os !== "windows") return command.map(shQuoted).join(" ");
  // Both shells that may run it there take this.
  return command.map((word) => {
    const path = word.replaceAll("\\", "/");
    return /^[\w:/.-]+$/.test(path) ? path : `"${path}"`;
  }).join(" ");
}
