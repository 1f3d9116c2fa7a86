/**
 * The first push and the first pull, against git doing the same by itself.
 *
 * @module
 */
import { join } from "node:path";
import { World } from "../../tests/support/world.ts";
import { ccsyncOn, git, inTurns, medianOf, remove, shell } from "./measure.ts";
import type { Finding } from "./report.ts";
import { joinHub, plantSessions, pushedWorld, type Scale } from "./stage.ts";
import { planSessions } from "./transcripts.ts";

/** Measures a first push against copying, adding, committing and pushing the same files. */
export async function benchFirstPush({ rounds, size }: Scale): Promise<Finding[]> {
  await using world = await World.create();
  const desk = world.machine("desk");
  plantSessions(desk, planSessions(size, 1));
  const [hub, work] = [join(world.folder, "plain.git"), join(world.folder, "plain")];
  const times = await inTurns(rounds.long, [
    {
      prepare: async () => {
        await remove(world.hub);
        await remove(desk.ccsyncHome);
        await joinHub(desk);
      },
      run: () => ccsyncOn(desk, "push"),
    },
    {
      prepare: async () => {
        await remove(hub);
        await remove(work);
        await git(world.folder, "init", "--quiet", "--bare", "--initial-branch=main", hub);
        await git(world.folder, "clone", "--quiet", hub, work);
      },
      run: () =>
        shell(
          work,
          `cp -r '${desk.claude}/projects' . && git add -A && git commit --quiet -m x && git push --quiet origin HEAD:main`,
        ),
    },
  ]);
  return [{
    what: "first push",
    measured: { value: medianOf(times, ([ours = NaN]) => ours), unit: "ms" },
    reference: { value: medianOf(times, ([, plain = NaN]) => plain), unit: "ms" },
    against: "cp -r, add, commit, push",
    found: medianOf(times, ([ours = NaN, plain = NaN]) => ours / plain),
    reach: { bound: "at most", value: 0.9, unit: "x" },
  }];
}

/** Measures `init` and the first pull of a new machine against a clone with its files, nothing linked. */
export async function benchFirstPull({ rounds, size }: Scale): Promise<Finding[]> {
  await using pushed = await pushedWorld(planSessions(size, 1));
  const { world } = pushed;
  const lap = world.machine("lap");
  const clone = join(world.folder, "clone");
  const times = await inTurns(rounds.long, [
    {
      prepare: async () => {
        await remove(lap.claude);
        await remove(lap.ccsyncHome);
      },
      // Joining fetches the hub already: it belongs to what a new machine waits for.
      run: async () => {
        await joinHub(lap);
        await ccsyncOn(lap, "pull");
      },
    },
    {
      prepare: () => remove(clone),
      run: () => git(world.folder, "clone", "--quiet", "--no-local", world.hub, clone),
    },
  ]);
  return [{
    what: "first pull, with init",
    measured: { value: medianOf(times, ([ours = NaN]) => ours), unit: "ms" },
    reference: { value: medianOf(times, ([, plain = NaN]) => plain), unit: "ms" },
    against: "git clone",
    found: medianOf(times, ([ours = NaN, plain = NaN]) => ours / plain),
    reach: { bound: "at most", value: 1.5, unit: "x" },
  }];
}
