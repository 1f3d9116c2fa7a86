/**
 * Runs tests on Windows, as far as Wine is that: first those of `tests/wine/`, where machines with Windows stand
 * beside others; then tests of the other folders inside Wine, so that every machine of theirs has Windows.
 *
 * Usage: `deno task test:wine [FILE...]`; files are run inside Wine, and no others. Ends with a line
 * `N passed, N failed`.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { patched, windowsDeno, windowsExecutable, Wine } from "../tests/wine/wine.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

async function main(files: readonly string[]): Promise<number> {
  const executable = await windowsExecutable();
  using wine = await Wine.start();
  const program = await wine.program(
    await windowsDeno(),
    ["test", "-A", "--frozen", "--no-check", ...files],
    {
      NO_COLOR: "1",
      DENO_DIR: wine.drives.toWindows(join(ROOT, ".cache/wine/deno")),
      CCSYNC_BIN: wine.drives.toWindows(await patched(executable)),
    },
  );
  const { code } = await new Deno.Command(program.path, {
    args: [...program.args],
    cwd: ROOT,
    env: { ...program.env },
    clearEnv: true,
    stdin: "null",
  }).spawn().status;
  return code;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
