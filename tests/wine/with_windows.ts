/**
 * Loaded before scenarios: all machines of a world but its first have Windows, or all of them where
 * `CCSYNC_WINDOWS_MACHINES` says so.
 *
 * @module
 */
import { TestMachine, World } from "../support/world.ts";
import { WindowsMachine } from "./windows_machine.ts";
import { Wine } from "./wine.ts";

const wine = await Wine.started();

const isFirstWindows = Deno.env.get("CCSYNC_WINDOWS_MACHINES") === "all";
const seen = new WeakMap<World, string>();

World.maker = {
  parent: wine.drives.c,
  make: (world, id, options) => {
    // The same machine may be asked for twice.
    const first = seen.get(world) ?? id;
    seen.set(world, first);
    return id === first && !isFirstWindows
      ? new TestMachine(world, id, options)
      : new WindowsMachine(wine, world, id, options);
  },
};
