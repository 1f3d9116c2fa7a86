/**
 * Linters for what is not TypeScript. Their packages are large, and only for tests: they have a configuration and a
 * lock file of their own in `tests/linters/`, so that nobody else installs them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { described, runToEnd } from "./process.ts";

const FOLDER = fileURLToPath(new URL("../linters/", import.meta.url));

/** Returns what a linter finds in files; `yaml` returns a line of JSON a file. */
export async function lint(
  linter: "powershell" | "actions" | "yaml",
  paths: readonly string[],
): Promise<string[]> {
  const flags = ["--quiet", "--frozen", "--no-check", "-A", `--config=${FOLDER}deno.json`];
  const result = await runToEnd(Deno.execPath(), {
    args: ["run", ...flags, `${FOLDER}${linter}.ts`, ...paths],
    cwd: FOLDER,
  });
  assert.equal(result.code, 0, described(result));
  return result.stdout.split("\n").filter((line) => line !== "");
}
