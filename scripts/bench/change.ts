/**
 * A small change to a long history, against the least that git needs for the same.
 *
 * @module
 */
import { join } from "node:path";
import type { TestMachine } from "../../tests/support/world.ts";
import { ccsyncOn, git, inTurns, medianOf, shell } from "./measure.ts";
import type { Finding } from "./report.ts";
import { addTurns, firstOf, joinHub, type Pushed, type Scale, worldWithHistory } from "./stage.ts";
import { transcriptOf } from "./transcripts.ts";

const CHANGE = 10_000;
const SHORT_HISTORY = 50_000_000;

/** Measures a push and a pull of +10 KB against bare fast-import and push, and bare fetch. */
export async function benchChange({ rounds, size }: Scale): Promise<Finding[]> {
  await using pushed = await worldWithHistory(size);
  const { desk, sessions, world } = pushed;
  const session = firstOf(sessions);
  const lap = world.machine("lap");
  await joinHub(lap);
  await ccsyncOn(lap, "pull");
  const plain = await plainPlumbing(pushed);
  let turn = 0;
  const pushes = await inTurns(rounds.short, [
    { run: () => ccsyncOn(desk, "--version") },
    {
      prepare: () => Promise.resolve(addTurns(desk, session, CHANGE, 1000 + turn++)),
      run: () => ccsyncOn(desk, "push"),
    },
    { prepare: plain.prepare, run: plain.push },
  ]);
  const mirror = join(world.folder, "bare-fetch.git");
  await git(world.folder, "clone", "--quiet", "--bare", "--no-local", world.hub, mirror);
  const more = async () => {
    addTurns(desk, session, CHANGE, 1000 + turn++);
    await ccsyncOn(desk, "push");
  };
  const pulls = await inTurns(rounds.short, [
    { run: () => ccsyncOn(lap, "--version") },
    { prepare: more, run: () => ccsyncOn(lap, "pull") },
    { prepare: more, run: () => fetchMain(mirror) },
  ]);
  return [
    changed("push of +10 KB", pushes, "fast-import, push; after the start"),
    changed("pull of +10 KB", pulls, "git fetch; after the start"),
  ];
}

async function fetchMain(mirror: string): Promise<void> {
  await git(mirror, "fetch", "--quiet", "origin", "main:main");
}

function changed(what: string, times: readonly number[][], against: string): Finding {
  return {
    what,
    measured: { value: medianOf(times, ([, ours = NaN]) => ours), unit: "ms" },
    reference: { value: medianOf(times, ([, , plain = NaN]) => plain), unit: "ms" },
    against,
    found: medianOf(times, ([start = NaN, ours = NaN, plain = NaN]) => (ours - start) / plain),
    reach: { bound: "at most", value: 2, unit: "x" },
  };
}

/** The same commit without ccsync: a hub and a mirror of their own, and a stream that is written before. */
async function plainPlumbing({ sessions, world }: Pushed): Promise<{
  readonly prepare: () => Promise<void>;
  readonly push: () => Promise<string>;
}> {
  const [hub, mirror] = [join(world.folder, "plain.git"), join(world.folder, "mirror.git")];
  await git(world.folder, "clone", "--quiet", "--bare", "--no-local", world.hub, hub);
  await git(world.folder, "clone", "--quiet", "--bare", "--no-local", world.hub, mirror);
  const { id } = firstOf(sessions);
  const path = `sessions/${id.slice(0, 2)}/${id}/transcript/000000.jsonl`;
  const stream = join(world.folder, "stream");
  let content = await git(hub, "show", `main:${path}`);
  let turn = 0;
  return {
    prepare: async () => {
      const options = { seed: 5000 + turn++, id, cwd: "/p", home: "/h", bytes: CHANGE };
      for (const piece of transcriptOf(options)) content += new TextDecoder().decode(piece);
      const data = new TextEncoder().encode(content).length;
      await Deno.writeTextFile(
        stream,
        `commit refs/heads/main\ncommitter x <x@x> ${turn} +0000\ndata 1\nx\nfrom refs/heads/main^0\nM 100644 inline ${path}\ndata ${data}\n${content}\n`,
      );
    },
    push: () =>
      shell(mirror, `git fast-import --quiet < ${stream} && git push --quiet ${hub} main`),
  };
}

/** Measures a push of +10 KB at a short and at a long history. */
export async function benchHistory({ history, rounds }: Scale): Promise<Finding[]> {
  await using short = await worldWithHistory(SHORT_HISTORY);
  await using long = await worldWithHistory(history);
  let turn = 0;
  const contender = ({ desk, sessions }: Pushed) => ({
    prepare: () => Promise.resolve(addTurns(desk, firstOf(sessions), CHANGE, 1000 + turn++)),
    run: () => pushOn(desk),
  });
  const times = await inTurns(rounds.short, [contender(long), contender(short)]);
  return [{
    what: `push of +10 KB at ${history / 1e6} MB of history`,
    measured: { value: medianOf(times, ([there = NaN]) => there), unit: "ms" },
    reference: { value: medianOf(times, ([, here = NaN]) => here), unit: "ms" },
    against: `at ${SHORT_HISTORY / 1e6} MB`,
    found: medianOf(times, ([there = NaN, here = NaN]) => there / here),
    reach: { bound: "at most", value: 1.2, unit: "x" },
  }];
}

async function pushOn(machine: TestMachine): Promise<void> {
  await ccsyncOn(machine, "push");
}
