/**
 * Tests ccsync for Windows, as far as Wine can show it: the tests of `tests/wine/`, scenarios with machines that
 * have Windows beside one that has not, and the demo between the two.
 *
 * Usage: `deno task test:wine [--inside] [FILE...]`. Files are scenarios that are played so, in place of the usual
 * ones; with `--inside`, test files that Deno for Windows runs itself, so that everything in them is on Windows.
 * Ends with a line `N passed, N failed`.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { noWine, patched, windowsDeno, windowsExecutable, Wine } from "../tests/wine/wine.ts";
import { countsOf, deno, run, say } from "./test.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Scenarios that say nothing of paths, modes, signals or shells that only one family of systems has. */
const SCENARIOS: readonly string[] = ["tests/scenario/retention_test.ts"];

const TEST = ["test", "-A", "--frozen", "--no-check"] as const;

/** Runs test files in Deno for Windows. What it finds wrong may be the tests': few were written for Windows. */
async function inside(files: readonly string[], executable: string): Promise<string> {
  using wine = await Wine.start();
  const cache = join(ROOT, ".cache/wine/deno");
  // Wine knows no certificates: what is to be had from a registry has to be there.
  await deno(["install", "--frozen", "--entrypoint", "main.ts", ...files], { DENO_DIR: cache });
  const { args, env, path } = await wine.program(await windowsDeno(), [...TEST, ...files], {
    NO_COLOR: "1",
    DENO_DIR: wine.drives.toWindows(cache),
    CCSYNC_BIN: wine.drives.toWindows(await patched(executable)),
  });
  return (await run(path, args, env)).output;
}

/** Plays scenarios and the demo between both systems. */
async function beside(files: readonly string[], executable: string): Promise<string> {
  const env = { CCSYNC_WINDOWS_BIN: executable };
  const scenarios = files.length > 0 ? files : SCENARIOS;
  const outputs = files.length > 0 ? [] : [
    (await deno([...TEST, "tests/wine/"], env)).output,
    (await deno(["run", "-A", "--frozen", "scripts/demo.ts", "--windows"], env)).ok
      ? "| 1 passed | 0 failed"
      : "| 0 passed | 1 failed",
  ];
  const preload = "--preload=tests/wine/with_windows.ts";
  outputs.push((await deno([...TEST, preload, ...scenarios], env)).output);
  return outputs.join("\n");
}

async function main(args: readonly string[]): Promise<number> {
  if (noWine !== undefined) {
    say(`nothing is tested with Windows: ${noWine}\n\n0 passed, 0 failed\n`);
    return 0;
  }
  const files = args.filter((arg) => arg !== "--inside");
  const executable = await windowsExecutable();
  const output = args.includes("--inside")
    ? await inside(files, executable)
    : await beside(files, executable);
  const { failed, passed } = countsOf(output) ?? { failed: 1, passed: 0 };
  say(`\n${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
