/**
 * ccsync as an executable that can be replaced, from source: `UPGRADED_FILE` stands for it.
 *
 * @module
 */
import { run } from "../../src/cli/app.ts";
import { readEnvironment } from "../../src/machine/environment.ts";

Deno.exit(
  await run(Deno.args, (terminal) => {
    const env = { ...readEnvironment(), executable: Deno.env.get("UPGRADED_FILE") };
    return { env, terminal };
  }),
);
