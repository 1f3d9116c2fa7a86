/**
 * Killed while something is brought: joining a hub, pulling, merging.
 *
 * @module
 */
import { killTest } from "./kill.ts";
import { diverged, initArgs, inTurns, plantAll, pushedElsewhere } from "./scenes.ts";

killTest("init that joins a hub", async (world) => {
  const first = await world.joined("laptop");
  plantAll(first);
  await first.ccsync("push");
  const machine = world.machine("desk", { projects: "work" });
  return { machine, args: initArgs(machine) };
});

killTest("pull of a new session with all that belongs to it", async (world) => {
  const machine = await pushedElsewhere(world);
  return { machine, args: ["pull"] };
});

killTest("pull that merges", async (world) => {
  const machine = await diverged(world);
  return { machine, args: ["pull"] };
});

killTest("pull that makes a fork grow", async (world) => {
  const machine = await inTurns(world, "pull");
  return { machine, args: ["pull"] };
});

killTest("undo of a pull that merged", async (world) => {
  const machine = await diverged(world);
  await machine.ccsync("pull");
  return { machine, args: ["undo"] };
});
