/**
 * Reads YAML strictly.
 *
 * Usage: `deno run yaml.ts FILE...`. Prints a line of JSON a file.
 *
 * @module
 */
import { parse } from "yaml";

for (const path of Deno.args) {
  console.log(JSON.stringify(parse(Deno.readTextFileSync(path), { strict: true })));
}
