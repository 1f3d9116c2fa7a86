/**
 * What many pushes leave behind.
 *
 * @module
 */
import { deflateSync } from "node:zlib";
import { push } from "../../src/sync/push.ts";
import { SEGMENT_BYTES } from "../../src/transcript/segments.ts";
import { openWorkspace } from "../../tests/support/workspace.ts";
import type { TestMachine } from "../../tests/support/world.ts";
import { ccsyncOn, git, median, sizeOf, timed } from "./measure.ts";
import type { Finding } from "./report.ts";
import { addTurns, firstOf, pushedWorld, type Scale } from "./stage.ts";
import { planEqualSessions, planSpreadSessions } from "./transcripts.ts";

const LONG_SESSION = 50_000_000;
const STEP = 100_000;
const STEPS = 100;

/** Measures how much 100 pushes of +100 KB to one session of 50 MB add to the hub, once git has tidied it. */
export async function benchGrowth(): Promise<Finding[]> {
  await using pushed = await pushedWorld(planEqualSessions(1, LONG_SESSION, 3));
  const { desk, sessions, world } = pushed;
  const before = await tidiedSize(world.hub);
  let compressed = 0;
  for (let step = 0; step < STEPS; step++) {
    compressed += deflateSync(addTurns(desk, firstOf(sessions), STEP, 2000 + step)).length;
    await ccsyncOn(desk, "push");
  }
  const grown = await tidiedSize(world.hub) - before;
  return [{
    what: `growth of the hub by ${STEPS} pushes of +100 KB, after git gc`,
    measured: { value: grown / 1e6, unit: "MB" },
    reference: { value: compressed / 1e6, unit: "MB" },
    against: "the new bytes, compressed",
    found: grown / compressed,
    reach: { bound: "at most", value: 1.5, unit: "x" },
  }];
}

async function tidiedSize(hub: string): Promise<number> {
  await git(hub, "gc", "--quiet", "--prune=now");
  return sizeOf(`${hub}/objects`);
}

const SMALL = 500;
const MANY_SESSIONS = 50;
/** So much time is between two pushes, as with the daemon. */
const INTERVAL_MS = 5 * 60_000;
const COMPARED = 100;

/**
 * Measures whether the last of many pushes are as fast as the first, and whether the mirror stays tidy. The
 * pushes are made in this process, each with a workspace of its own, at times that are five minutes apart.
 *
 * A push writes a session's last segment as a whole. Sessions that began alike would fill theirs together: some
 * are always about to begin one, as in real use, so that only what the history costs is left to see.
 */
export async function benchMany({ pushes }: Scale): Promise<Finding[]> {
  await using pushed = await pushedWorld(planSpreadSessions(MANY_SESSIONS, SEGMENT_BYTES, 4));
  const { desk, sessions, world } = pushed;
  const times: number[] = [];
  for (let i = 0; i < pushes; i++) {
    const session = sessions[i % MANY_SESSIONS] ?? firstOf(sessions);
    addTurns(desk, session, SMALL, 3000 + i);
    times.push(await timed(() => pushAt(desk, Date.now() + i * INTERVAL_MS)));
  }
  const [first, last] = [times.slice(0, COMPARED), times.slice(-COMPARED)].map(median);
  const [mirror, hub] = [`${desk.ccsyncHome}/mirror.git`, world.hub].map(sizeOf);
  return [
    {
      what: `the last ${COMPARED} of ${pushes} small pushes`,
      measured: { value: last ?? NaN, unit: "ms" },
      reference: { value: first ?? NaN, unit: "ms" },
      against: `the first ${COMPARED}`,
      found: (last ?? NaN) / (first ?? NaN),
      reach: { bound: "at most", value: 1.3, unit: "x" },
    },
    {
      what: "the mirror after them",
      measured: { value: (mirror ?? NaN) / 1e6, unit: "MB" },
      reference: { value: (hub ?? NaN) / 1e6, unit: "MB" },
      against: "the hub",
      found: (mirror ?? NaN) / (hub ?? NaN),
      reach: { bound: "at most", value: 1.5, unit: "x" },
    },
  ];
}

async function pushAt(machine: TestMachine, now: number): Promise<void> {
  await using workspace = openWorkspace(machine, { now: () => now });
  const { failed } = await push(workspace, { isDryRun: false, all: false });
  if (failed.length > 0) throw new Error(JSON.stringify(failed));
}
