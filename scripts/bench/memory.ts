/**
 * Peak memory of a push and a pull of one session that is larger than any memory should be.
 *
 * @module
 */
import { invocationOf } from "../../tests/support/ccsync.ts";
import { type TestMachine, World } from "../../tests/support/world.ts";
import { peaksOf } from "./measure.ts";
import type { Finding } from "./report.ts";
import { joiningArgs, plantSessions, type Scale } from "./stage.ts";
import { planEqualSessions } from "./transcripts.ts";

const LIMIT_MB = 200;

/** Measures the memory of ccsync and of the git processes that work for it. */
export async function benchMemory({ giant }: Scale): Promise<Finding[]> {
  await using world = await World.create();
  const desk = await world.joined("desk");
  plantSessions(desk, planEqualSessions(1, giant, 8));
  const size = `${giant / 1e9} GB`;
  const push = await memoryOf(desk, "push", size, [["push"]]);
  const lap = world.machine("lap");
  return [...push, ...await memoryOf(lap, "first pull", size, [joiningArgs(lap), ["pull"]])];
}

async function memoryOf(
  machine: TestMachine,
  what: string,
  size: string,
  commands: readonly (readonly string[])[],
): Promise<Finding[]> {
  const peaks = { own: 0, git: 0, hub: 0 };
  for (const command of commands) {
    const { git, hub, own } = await peaksOf(await invocationOf(machine, command), machine.home);
    peaks.own = Math.max(peaks.own, own);
    peaks.git = Math.max(peaks.git, git);
    peaks.hub = Math.max(peaks.hub, hub);
  }
  const of = { own: "ccsync", git: "its git", hub: "git at the hub's side" } as const;
  return (["own", "git", "hub"] as const).map((who) => ({
    what: `memory of a ${what} of ${size}: ${of[who]}`,
    measured: { value: peaks[who] / 1e6, unit: "MB" },
    against: "",
    found: peaks[who] / 1e6,
    reach: { bound: "at most", value: LIMIT_MB, unit: "MB" },
  }));
}
