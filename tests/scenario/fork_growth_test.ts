/**
 * Sessions that machines write in turns: each continuation has one fork, which grows as long as nobody goes on
 * with it.
 *
 * @module
 */
import "../support/in_process.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { forkId } from "../../src/hub/format.ts";
import type { SessionId } from "../../src/brands.ts";
import {
  assertAtRest,
  assertSettled,
  BASE,
  forksOf,
  goOn,
  leafOf,
  loseState,
  onlyFork,
  onlyForkInHub,
  open,
  sync,
  twoDiverged,
  twoMachines,
} from "../support/continuing.ts";
import { type TestMachine, World } from "../support/world.ts";

const TURNS = 10;

/** A fork's transcript without the titles that ccsync put there. */
const withoutMarks = (text: string) =>
  text.split(/(?<=\n)/).filter((line) => !line.includes('"forkOf":"')).join("");

/** Watches what the hub has of the sessions, to see that nothing of it is ever rewritten. */
class Growing {
  readonly #world: World;
  readonly #before = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Returns all transcripts of the hub, and asserts that they only grew. */
  async look(): Promise<ReadonlyMap<string, string>> {
    const names = await this.#world.hubFiles();
    const ids = names.flatMap((name) =>
      /^sessions\/..\/([^/]+)\/meta\.json$/.exec(name)?.[1] ?? []
    );
    for (const id of ids) {
      const now = await this.#world.hubTranscript(id);
      assert.ok(now.startsWith(this.#before.get(id) ?? ""), `${id} was rewritten`);
      this.#before.set(id, now);
      const meta = await this.#world.hubFile(`sessions/${id.slice(0, 2)}/${id}/meta.json`);
      const { bytes, lines } = JSON.parse(meta) as { bytes: number; lines: number };
      assert.equal(bytes, new TextEncoder().encode(now).length, `bytes of ${id}`);
      assert.equal(lines, now.split("\n").length - 1, `lines of ${id}`);
    }
    return this.#before;
  }
}

/** Asserts that nobody but ccsync wrote a session's forks: they have what it has, from the beginning on. */
async function assertUntouched(world: World, id: string, forks: readonly string[]): Promise<void> {
  const parent = await world.hubTranscript(id);
  for (const fork of forks) {
    assert.ok(parent.startsWith(withoutMarks(await world.hubTranscript(fork))), fork);
  }
}

/** Takes a second session of the same project and puts a fork of an earlier version of ccsync there. */
function putOldFork(machine: TestMachine, id: string, leaf: string): string {
  const fork = forkId(id as SessionId, leaf);
  const customTitle = "turn one (fork of 2026-01-01 from laptop)";
  const mark = {
    type: "custom-title",
    customTitle,
    sessionId: fork,
    forkOf: id,
    machine: "laptop",
  };
  machine.write(fork, machine.read(id) + JSON.stringify(mark) + "\n");
  return fork;
}

for (const number of [2, 3]) {
  Deno.test(`${number} machines that write in turns without pulling make as many forks as branches`, async () => {
    await using world = await World.create();
    const ids = ["laptop", "desk", "tablet"].slice(0, number);
    const machines: TestMachine[] = [];
    for (const id of ids) machines.push(await world.joined(id));
    const [first] = machines;
    assert.ok(first !== undefined);
    const id = first.plant(BASE);
    await sync(...machines);
    const growing = new Growing(world);
    const leaves = new Map<TestMachine, string>();
    const words: string[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      for (const machine of machines) {
        const text = `words ${turn} of ${machine.id}`;
        leaves.set(machine, goOn(machine, id, text));
        words.push(text);
        machine.writeFile(`file-history/${id}/0123456789abcdef@v${turn}`, text);
        await machine.ccsync("push");
      }
      const inHub = await growing.look();
      assert.ok(inHub.size <= 1 + number, `${inHub.size - 1} forks after turn ${turn}`);
    }
    const forks = await forksOf(first, id, "--remote");
    assert.equal(forks.length, number);
    for (const fork of forks) assert.match(fork.title, /^turn one \(fork of .* from \w+\)$/);
    await assertUntouched(world, id, forks.map((fork) => fork.id));
    await assertSettled(...machines);
    assert.equal((await forksOf(first, id)).length, number);
    await growing.look();
    const last = machines.at(-1);
    assert.ok(last !== undefined);
    const shown = forks.map((fork) => leafOf(first, fork.id));
    for (const machine of machines) {
      assert.equal(leafOf(machine, id), leaves.get(last));
      const text = machine.read(id);
      for (const word of words) assert.equal(text.split(`"content":"${word} in `).length, 2, word);
      const leaf = leaves.get(machine) ?? "";
      assert.ok(machine === last || shown.includes(leaf), `${machine.id}'s branch can be resumed`);
    }
    for (const fork of forks) {
      const files = first.files(`file-history/${fork.id}`).length;
      assert.ok(files >= TURNS - 1, `${files} files`);
    }
  });
}

Deno.test("a fork that somebody went on with stays as it is; its branch goes on in another one", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  const growing = new Growing(world);
  goOn(laptop, id, "laptop 1");
  await laptop.ccsync("push");
  goOn(desk, id, "desk 1");
  await sync(desk);
  const { id: fork } = await onlyFork(desk, id);
  const onFork = goOn(desk, fork, "on the fork");
  await desk.ccsync("push");
  const before = await world.hubTranscript(fork);
  let onLaptop = "";
  for (let turn = 2; turn < 6; turn++) {
    onLaptop = goOn(laptop, id, `laptop ${turn}`);
    await laptop.ccsync("push");
    goOn(desk, id, `desk ${turn}`);
    await desk.ccsync("push");
    await growing.look();
  }
  assert.equal(await world.hubTranscript(fork), before);
  await assertSettled(laptop, desk);
  // The one that somebody went on with, the one that grows instead, and the desk's.
  const forks = await forksOf(laptop, id);
  assert.equal(forks.length, 3);
  const leaves = forks.map((one) => leafOf(laptop, one.id));
  assert.ok(leaves.includes(onFork) && leaves.includes(onLaptop));
  assert.equal(leafOf(laptop, fork), onFork);
});

Deno.test("a fork that somebody goes on with while it grows diverges like every session, and loses nothing", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoDiverged(world);
  await sync(desk, laptop);
  const { id: fork } = await onlyFork(desk, id);
  const tablet = await world.joined("tablet");
  await tablet.ccsync("pull");
  // The laptop is on its own branch again, as if it had not pulled.
  const onLaptop = goOn(laptop, id, "laptop 2", { after: leafOf(laptop, fork) });
  await laptop.ccsync("push");
  const onFork = goOn(tablet, fork, "tablet on the fork");
  const onDesk = goOn(desk, id, "desk 2");
  await desk.ccsync("push");
  await assertSettled(tablet, desk, laptop);
  assert.equal(leafOf(laptop, id), onDesk);
  assert.equal(leafOf(laptop, fork), onFork);
  // What the fork was given meanwhile is a fork of it.
  assert.equal(leafOf(laptop, (await onlyFork(laptop, fork)).id), onLaptop);
});

Deno.test("a fork that a pull made grows at the next pull, and is sent as one", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  let [onLaptop, onDesk] = ["", ""];
  for (let turn = 0; turn < 4; turn++) {
    // Text that reads like a path of the other machine must not become one.
    onLaptop = goOn(laptop, id, `laptop ${turn}, as in ${desk.home}/notes`);
    await laptop.ccsync("push");
    onDesk = goOn(desk, id, `desk ${turn}`);
    await desk.ccsync("pull");
    const { id: fork } = await onlyFork(desk, id);
    assert.equal(leafOf(desk, fork), onLaptop);
    assert.equal(leafOf(desk, id), onDesk);
    assert.equal(desk.read(fork).split('"forkOf":"').length, 2, "one title");
  }
  const { id: fork } = await onlyFork(desk, id);
  await desk.ccsync("push");
  await assertUntouched(world, id, [(await onlyForkInHub(desk, id)).id]);
  await assertAtRest(desk, laptop);
  for (const machine of [laptop, desk]) {
    assert.equal((await onlyFork(machine, id)).id, fork);
    assert.equal(leafOf(machine, id), onDesk);
    assert.equal(leafOf(machine, fork), onLaptop);
  }
  // What was replaced on the way can be had back.
  assert.match((await desk.ccsync("undo", "--list")).stdout, /pull/);
});

Deno.test("undo takes back what a pull gave a fork; the next pull gives it again", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoDiverged(world);
  await desk.ccsync("pull");
  const { id: fork } = await onlyFork(desk, id);
  const before = desk.read(fork);
  const onLaptop = goOn(laptop, id, "laptop 2");
  await laptop.ccsync("push");
  goOn(desk, id, "desk 2");
  await desk.ccsync("pull");
  const grown = desk.read(fork);
  await desk.ccsync("undo");
  assert.equal(desk.read(fork), before);
  await desk.ccsync("pull");
  assert.equal(desk.read(fork), grown);
  await assertSettled(desk, laptop);
  assert.equal(leafOf(laptop, (await onlyFork(laptop, id)).id), onLaptop);
});

for (const isOpen of [false, true]) {
  const what = isOpen ? "is open here" : "was gone on with here";
  Deno.test(`a fork that a pull made and that ${what} does not grow; its branch gets another one`, async () => {
    await using world = await World.create();
    const [laptop, desk, id] = await twoDiverged(world);
    await desk.ccsync("pull");
    const { id: fork } = await onlyFork(desk, id);
    const onFork = isOpen ? leafOf(desk, fork) : goOn(desk, fork, "on the fork");
    const before = desk.read(fork);
    {
      using _open = isOpen ? open(desk, fork) : undefined;
      const onLaptop = goOn(laptop, id, "laptop 2");
      await laptop.ccsync("push");
      goOn(desk, id, "desk 2");
      await desk.ccsync("pull");
      assert.equal(desk.read(fork), before);
      const leaves = (await forksOf(desk, id)).map((one) => leafOf(desk, one.id));
      assert.deepEqual(leaves.sort(), [onFork, onLaptop].sort());
    }
    await assertSettled(desk, laptop);
    const forks = await forksOf(laptop, id);
    assert.equal(forks.length, 2);
    assert.equal(leafOf(laptop, fork), onFork);
  });
}

Deno.test("where a fork in the hub has to grow, a pull leaves the session to the push, and says so", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoDiverged(world);
  await sync(desk);
  const { id: fork } = await onlyFork(desk, id);
  const onLaptop = goOn(laptop, id, "laptop 2");
  await laptop.ccsync("push");
  const onDesk = goOn(desk, id, "desk 2");
  const [before, forkBefore] = [desk.read(id), desk.read(fork)];
  for (const options of [["--dry-run"], []]) {
    const { stderr } = await desk.ccsync("pull", ...options);
    assert.match(stderr, /waits .*: it went on both here and elsewhere; ccsync push merges it/);
    assert.equal(desk.read(id), before);
    assert.equal(desk.read(fork), forkBefore);
  }
  await desk.ccsync("push");
  await assertSettled(desk, laptop);
  for (const machine of [laptop, desk]) {
    assert.equal(leafOf(machine, id), onDesk);
    assert.equal(leafOf(machine, fork), onLaptop);
    // The laptop's push had made one of the desk's branch.
    assert.equal((await forksOf(machine, id)).length, 2);
  }
});

Deno.test("resume pushes by itself where a fork has to grow, and opens a session that has what both sides said", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoDiverged(world);
  await sync(desk);
  const onDesk = goOn(desk, id, "desk 2");
  const onLaptop = goOn(laptop, id, "laptop 2");
  await laptop.ccsync("push");
  Deno.mkdirSync(join(desk.projects, "app"), { recursive: true });
  const seen = join(world.folder, "seen");
  desk.scriptClaude(`cp '${desk.transcriptPath(id)}' '${seen}'`);
  await desk.ccsync("resume", id);
  const opened = Deno.readTextFileSync(seen);
  for (const record of [onDesk, onLaptop]) assert.ok(opened.includes(record), record);
  await assertSettled(desk, laptop);
});

Deno.test("a pull does not wait for a push that would not send what is new here", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoDiverged(world);
  await sync(desk);
  const onLaptop = goOn(laptop, id, "laptop 2");
  await laptop.ccsync("push");
  const onDesk = goOn(desk, id, "desk 2", { isKilled: true });
  desk.write(id, desk.read(id).trimEnd());
  await desk.ccsync("pull");
  assert.match(desk.read(id), /laptop 2/);
  const leaves = (await forksOf(desk, id)).map((one) => leafOf(desk, one.id));
  assert.ok(leaves.includes(onLaptop));
  await assertSettled(desk, laptop);
  assert.equal(leafOf(laptop, id), onDesk);
});

Deno.test("a pull does not wait for a push either where the hub's history was taken back", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoDiverged(world);
  await desk.ccsync("push");
  const head = (await world.git("rev-parse", "main")).stdout.trim();
  const onDesk = goOn(desk, id, "desk 2");
  await desk.ccsync("push");
  await world.git("update-ref", "refs/heads/main", head);
  const onLaptop = goOn(laptop, id, "laptop 2");
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  assert.match(desk.read(id), /laptop 2/);
  await assertSettled(desk, laptop);
  assert.equal(leafOf(laptop, id), onDesk);
  assert.ok((await forksOf(laptop, id)).some((fork) => leafOf(laptop, fork.id) === onLaptop));
});

Deno.test("what is no file in the place of a fork keeps nothing from being merged", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoDiverged(world);
  await desk.ccsync("pull");
  const { id: fork } = await onlyFork(desk, id);
  const before = desk.read(fork);
  Deno.removeSync(desk.transcriptPath(fork));
  Deno.mkdirSync(desk.transcriptPath(fork));
  const onLaptop = goOn(laptop, id, "laptop 2");
  await laptop.ccsync("push");
  const onDesk = goOn(desk, id, "desk 2");
  await desk.try("pull");
  assert.match(desk.read(id), /laptop 2/);
  Deno.removeSync(desk.transcriptPath(fork));
  desk.write(fork, before);
  await assertSettled(desk, laptop);
  assert.equal(leafOf(laptop, id), onDesk);
  assert.ok((await forksOf(laptop, id)).some((one) => leafOf(laptop, one.id) === onLaptop));
});

Deno.test("machines that make one fork at once, of a shorter and a longer branch, end with the longer one", async () => {
  for (const order of [[0, 1], [1, 0]]) {
    await using world = await World.create();
    const [laptop, desk, id] = await twoMachines(world);
    const tablet = await world.joined("tablet");
    await tablet.ccsync("pull");
    goOn(laptop, id, `laptop 1, as in ${desk.home}/notes`);
    await laptop.ccsync("push");
    const onDesk = goOn(desk, id, "desk 1");
    await desk.ccsync("pull");
    const onLaptop = goOn(laptop, id, `laptop 2, as in ${desk.home} and ${tablet.home}/notes`);
    await laptop.ccsync("push");
    const onTablet = goOn(tablet, id, "tablet 1");
    await tablet.ccsync("pull");
    const { id: fork } = await onlyFork(desk, id);
    assert.equal((await onlyFork(tablet, id)).id, fork);
    const growing = new Growing(world);
    for (const i of order) {
      await [desk, tablet][i]?.ccsync("push");
      await growing.look();
    }
    await assertUntouched(world, id, [fork]);
    await assertAtRest(desk, tablet, laptop);
    await assertUntouched(world, id, [fork]);
    assert.equal(leafOf(laptop, fork), onLaptop);
    const [first, last] = order[0] === 0 ? [onDesk, onTablet] : [onTablet, onDesk];
    assert.equal(leafOf(laptop, id), last);
    const leaves = (await forksOf(laptop, id)).map((one) => leafOf(laptop, one.id));
    assert.deepEqual(leaves.sort(), [onLaptop, first].sort());
  }
});

Deno.test("a fork that another machine sent shorter gets what it lacks here as the hub has it", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  const tablet = await world.joined("tablet");
  await tablet.ccsync("pull");
  goOn(laptop, id, "laptop 1");
  await laptop.ccsync("push");
  goOn(desk, id, "desk 1");
  await desk.ccsync("pull");
  // Text that reads like a path of the machine that sends it must not become one.
  const onLaptop = goOn(laptop, id, `laptop 2, as in ${tablet.home}/notes`);
  await laptop.ccsync("push");
  const onTablet = goOn(tablet, id, "tablet 1");
  await tablet.ccsync("pull");
  const { id: fork } = await onlyFork(tablet, id);
  // Claude Code's clean-up took the session, so that its push cannot see to the fork.
  Deno.removeSync(desk.transcriptPath(id));
  await desk.ccsync("push");
  const growing = new Growing(world);
  const before = (await growing.look()).get(fork) ?? "";
  assert.ok(before !== "" && !before.includes("laptop 2"));
  await tablet.ccsync("push");
  assert.match((await growing.look()).get(fork) ?? "", /laptop 2/);
  await assertUntouched(world, id, [fork]);
  await desk.ccsync("pull", "--force");
  await assertAtRest(desk, tablet, laptop);
  for (const machine of [laptop, desk, tablet]) {
    assert.equal((await onlyFork(machine, id)).id, fork);
    assert.equal(leafOf(machine, fork), onLaptop);
    assert.equal(leafOf(machine, id), onTablet);
  }
});

Deno.test("a fork that an earlier version made of the last record grows, and is not made a second time", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  const first = goOn(laptop, id, "laptop 1");
  await laptop.ccsync("push");
  const old = putOldFork(laptop, id, first);
  await laptop.ccsync("push");
  goOn(desk, id, "desk 1");
  await desk.ccsync("push");
  assert.equal((await onlyForkInHub(desk, id)).id, old);
  const onLaptop = goOn(laptop, id, "laptop 2");
  await laptop.ccsync("push");
  const onDesk = goOn(desk, id, "desk 2");
  await desk.ccsync("push");
  await assertSettled(laptop, desk);
  const forks = await forksOf(desk, id);
  assert.deepEqual(forks.map((fork) => fork.id === old).sort(), [false, true]);
  assert.equal(leafOf(desk, old), onLaptop);
  assert.equal(leafOf(desk, id), onDesk);
});

Deno.test("a fork grows across segments, and whoever lost the state", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  const growing = new Growing(world);
  let [onLaptop, onDesk] = ["", ""];
  for (let turn = 0; turn < 3; turn++) {
    onLaptop = goOn(laptop, id, `laptop ${turn} ${"x".repeat(600_000)}`);
    await laptop.ccsync("push");
    onDesk = goOn(desk, id, `desk ${turn} ${"y".repeat(700_000)}`);
    if (turn === 1) loseState(desk);
    await desk.ccsync("push");
    if (turn === 1) loseState(laptop);
    await growing.look();
  }
  const forks = (await forksOf(laptop, id, "--remote")).map((fork) => fork.id);
  assert.equal(forks.length, 2);
  await assertUntouched(world, id, forks);
  await assertSettled(laptop, desk);
  assert.equal(leafOf(laptop, id), onDesk);
  assert.ok(forks.some((fork) => leafOf(desk, fork) === onLaptop));
  assert.equal((await forksOf(laptop, id)).length, 2);
});
