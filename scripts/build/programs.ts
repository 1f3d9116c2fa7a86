/**
 * What the parts of the build share: running programs, files, and words for people.
 *
 * @module
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { CcsyncError } from "../../src/errors.ts";

/** The repository. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const CERTIFICATE_HINT =
  "in a network with its own certificates, DENO_TLS_CA_STORE=system makes Deno trust them";

/** Returns whether there is something at a path. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Writes a value as a JSON file. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(path, `${JSON.stringify(value)}\n`);
}

/** How to run a program, and what to say if it fails. */
interface RunOptions {
  /** What it is run for, after "cannot". */
  readonly purpose: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly hints?: readonly string[];
}

/**
 * Runs a program to its end and returns what it printed to stdout.
 *
 * @throws {CcsyncError} kind "failed" with what it printed to stderr when it fails
 */
export async function run(
  program: string,
  args: readonly string[],
  { purpose, cwd = ROOT, env = {}, hints = [] }: RunOptions,
): Promise<string> {
  const output = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", PATH: searchPath(), ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (output.success) return decoder.decode(output.stdout);
  const end = output.signal ?? `exit code ${output.code}`;
  const why = decoder.decode(output.stderr).trim().replace(/\n+Stack backtrace:[^]*$/, "");
  throw new CcsyncError("failed", `cannot ${purpose}: ${end}\n${why}`, {
    hints: /certificate/i.test(why) ? [...hints, CERTIFICATE_HINT] : hints,
  });
}

/**
 * Returns where programs are looked for. Without any PATH, Deno up to 2.7 does not even start with
 * permissions that name programs.
 */
function searchPath(): string {
  return Deno.env.get("PATH") ?? dirname(Deno.execPath());
}

/** Prints a line for people; stdout is for the result. */
export function say(line: string): void {
  print(Deno.stderr, line);
}

/** Prints a line to a stream. */
export function print(stream: { writeSync(bytes: Uint8Array): number }, line: string): void {
  stream.writeSync(new TextEncoder().encode(`${line}\n`));
}
