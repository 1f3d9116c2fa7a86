/**
 * The ccsync program: real surroundings in, exit code out.
 *
 * @module
 */
import { run } from "./src/cli/app.ts";
import { readEnvironment } from "./src/machine/environment.ts";

const code = await run(Deno.args, (terminal) => ({ env: readEnvironment(), terminal }));
Deno.exit(code);
