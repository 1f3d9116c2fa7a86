/**
 * One executable: compiled, given its details, and tried.
 *
 * @module
 */
import { join, resolve } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { CcsyncError } from "../../src/errors.ts";
import { type Bundle, MAIN } from "./bundle.ts";
import type { Compiler } from "./compiler.ts";
import { permissionFlags } from "./permissions.ts";
import { run, say, writeJson } from "./programs.ts";
import { isWindows, type Target } from "./targets.ts";
import { addWindowsDetails } from "./windows.ts";

/**
 * Writes a bundle to a new directory, ready to be compiled.
 *
 * @returns The directory
 */
export async function layOut({ files }: Bundle, work: string): Promise<string> {
  const directory = join(work, "bundle");
  await Deno.mkdir(directory);
  // The nearest configuration is the one that counts: this one keeps all others out.
  await writeJson(join(work, "deno.json"), {});
  for (const [name, text] of files) {
    const path = join(directory, name);
    await Deno.writeTextFile(path, text);
    // The executable records when its files were changed: always at the same time, for the same bytes.
    await Deno.utime(path, 0, 0);
  }
  return directory;
}

/** What an executable is made of. */
export interface Making {
  /** What {@linkcode layOut} returned. */
  readonly source: string;
  /** Path of the executable. */
  readonly executable: string;
  readonly target: Target;
  readonly compiler: Compiler;
}

/** Makes an executable. On Windows, Explorer shows its icon and version. */
export async function makeExecutable(making: Making): Promise<void> {
  await compile(making);
  if (isWindows(making.target)) await addWindowsDetails(making.executable);
}

/**
 * Compiles a bundle.
 *
 * `--quiet` is for the executable: without it, every start reports each allowed program that is not
 * installed. `--no-code-cache` is, too: that cache is a file with a name known to everybody, in a
 * directory that everybody may write to.
 */
async function compile({ source, executable, target, compiler }: Making): Promise<void> {
  say(`compiling for ${target}`);
  const flags = ["--quiet", "--no-check", "--no-code-cache", "--no-prompt", "--include=."];
  // A process that stays gives memory back with the one: src/machine/memory.ts. With the other, one that knows
  // thousands of sessions need not tidy up nine times in a fifth of a second, which takes a tenth of it; and more
  // than 8 MB of it would take long sessions more memory than they are worth.
  const engine = "--v8-flags=--expose-gc,--min-semi-space-size=8";
  const place = [`--target=${target}`, `--output=${executable}`];
  const args = ["compile", ...flags, engine, ...permissionFlags(), ...place, MAIN];
  const env = compiler.runtime === undefined ? {} : { DENORT_BIN: resolve(compiler.runtime) };
  try {
    await run(compiler.deno, args, { purpose: `compile for "${target}"`, cwd: source, env });
  } catch (error) {
    throw compiler.runtime === undefined ? withRuntimeHints(error, target) : error;
  }
}

/** Returns an error that says what to do where Deno's download server cannot be reached. */
function withRuntimeHints(error: unknown, target: Target): unknown {
  // Deno names the file it wants, denort-<target>.zip, whatever goes wrong with it.
  if (!(error instanceof CcsyncError) || !error.message.includes("denort")) return error;
  const message =
    `cannot download Deno's runtime for "${target}"; nothing was built for it\n${error.message}`;
  return new CcsyncError("failed", message, {
    hints: [
      `set DENORT_BIN to the runtime (denort) of Deno ${Deno.version.deno} for ${target}`,
      "for tests, --test-runtime takes an older runtime from the npm registry",
      ...error.hints,
    ],
    cause: error,
  });
}

/**
 * Starts an executable and checks that it knows its version.
 *
 * @returns The duration in milliseconds
 * @throws {CcsyncError} kind "failed" when it does not work
 */
export async function verify(executable: string): Promise<number> {
  say("starting it with --version");
  const start = performance.now();
  const printed = await run(executable, ["--version"], {
    purpose: "start the executable",
    hints: [`a runtime named by DENORT_BIN has to be that of Deno ${Deno.version.deno}`],
  });
  if (!printed.includes(config.version)) {
    const why = `--version printed "${printed.trim()}" instead of ${config.version}`;
    throw new CcsyncError("failed", `cannot use the executable: ${why}`);
  }
  return performance.now() - start;
}
