import { runModel } from "./runs.ts";

// Two files, so that they run side by side.
Deno.test("three machines lose no line and converge, whatever happens (seed 2)", async () => {
  await runModel({ seed: 2, runs: 100, isShrunk: false });
});
