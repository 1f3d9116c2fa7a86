/**
 * Killed while something is sent: setting up, pushing, the end of `resume`.
 *
 * @module
 */
import { join } from "node:path";
import { promptLine } from "../support/world.ts";
import { killTest } from "./kill.ts";
import { BASE, diverged, initArgs, inTurns, plantAll } from "./scenes.ts";

killTest("init that creates the hub", (world) => {
  const machine = world.machine("laptop");
  return Promise.resolve({ machine, args: initArgs(machine) });
});

killTest("push of a new session with all that belongs to it", async (world) => {
  const machine = await world.joined("laptop");
  plantAll(machine);
  return { machine, args: ["push"] };
});

killTest("push that merges", async (world) => {
  const machine = await diverged(world);
  return { machine, args: ["push"] };
});

killTest("push that makes a fork grow", async (world) => {
  const machine = await inTurns(world, "push");
  return { machine, args: ["push"] };
});

killTest("push of a fork that has news, and of its session, which makes it grow", async (world) => {
  const machine = await inTurns(world, "pull");
  return { machine, args: ["push"] };
});

killTest("the end of resume", async (world) => {
  const machine = await world.joined("laptop");
  plantAll(machine);
  await machine.ccsync("push");
  const cwd = join(machine.projects, "app");
  Deno.mkdirSync(cwd, { recursive: true });
  const line = promptLine({ id: BASE, cwd, text: "written in Claude Code" }).trimEnd();
  machine.scriptClaude(`printf '%s\\n' '${line}' >> '${machine.transcriptPath(BASE)}'`);
  return { machine, args: ["resume", BASE], again: ["update"], after: "claude --resume" };
});
