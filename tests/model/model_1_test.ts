import { runModel } from "./runs.ts";

// Two files, so that they run side by side.
Deno.test("three machines lose no line and converge, whatever happens (seed 1)", async () => {
  await runModel({ seed: 1, runs: 100, isShrunk: false });
});
