/**
 * Sessions that two machines continued while apart: both continuations stay resumable, on every machine.
 *
 * @module
 */
import "../support/in_process.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  assertSettled,
  BASE,
  firstRecord,
  forksOf,
  goOn,
  leafOf,
  loseState,
  onlyFork,
  onlyForkInHub,
  open,
  sync,
  twoMachines,
} from "../support/continuing.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

for (const first of ["push", "pull"] as const) {
  Deno.test(`both went on, ${first} first: the last one's branch goes on, the other one is kept as a fork`, async () => {
    await using world = await World.create();
    const [laptop, desk, id] = await twoMachines(world);
    const onLaptop = goOn(laptop, id, "on laptop");
    await laptop.ccsync("push");
    const inHub = laptop.read(id);
    const onDesk = goOn(desk, id, "on desk");
    const { stderr } = await desk.ccsync(first);
    const [, short = ""] =
      /two machines continued ".*": the other continuation is kept as session ([0-9a-f]{8})/
        .exec(stderr) ?? [];
    await assertSettled(desk, laptop);
    for (const machine of [laptop, desk]) {
      const fork = await onlyFork(machine, id);
      assert.equal(fork.id.slice(0, 8), short);
      assert.match(fork.title, /^turn one \(fork of \d{4}-\d\d-\d\d from laptop\)$/);
      assert.equal(fork.machine, "laptop");
      assert.equal(fork.headless, true, "as its parent is");
      assert.equal(leafOf(machine, id), onDesk);
      assert.equal(leafOf(machine, fork.id), onLaptop);
      const [before, title] = [machine.read(fork.id), machine.read(fork.id).trimEnd().split("\n")];
      assert.equal(JSON.parse(title.at(-1) ?? "").sessionId, fork.id);
      const expected = inHub.replaceAll(laptop.projects, machine.projects);
      assert.equal(before.slice(0, expected.length), expected);
    }
  });
}

Deno.test("a fork stores nothing twice, whichever machine sends it", async () => {
  for (const first of ["push", "pull"] as const) {
    await using world = await World.create();
    const [laptop, desk, id] = await twoMachines(world);
    // Text that reads like a path of the other machine must not become one.
    goOn(laptop, id, `${"x".repeat(1_200_000)} a path elsewhere: ${desk.home}/notes`);
    goOn(laptop, id, "and more");
    await laptop.ccsync("push");
    const parent = await world.hubTranscript(id);
    goOn(desk, id, "on desk");
    await desk.ccsync(first);
    await desk.ccsync("push");
    const { id: fork } = await onlyForkInHub(desk, id);
    const kept = await world.hubTranscript(fork);
    assert.ok(kept.startsWith(parent));
    assert.match(kept.slice(parent.length), /^\{"type":"custom-title".*\}\n$/);
    const blob = async (session: string) => {
      const path = `main:sessions/${session.slice(0, 2)}/${session}/transcript/000000.jsonl`;
      return (await world.git("rev-parse", path)).stdout;
    };
    assert.equal(await blob(fork), await blob(id), first);
    const meta = JSON.parse(await world.hubFile(`sessions/${fork.slice(0, 2)}/${fork}/meta.json`));
    assert.equal(meta.bytes, new TextEncoder().encode(kept).length);
    assert.equal(meta.lines, kept.split("\n").length - 1);
    assert.equal(meta.forkOf, id);
    assert.equal(meta.lastEditedBy, "laptop");
  }
});

Deno.test("two machines that pull the same divergence make the same fork", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  const tablet = await world.joined("tablet");
  await tablet.ccsync("pull");
  const onLaptop = goOn(laptop, id, "on laptop");
  await laptop.ccsync("push");
  const onDesk = goOn(desk, id, "on desk");
  const onTablet = goOn(tablet, id, "on tablet");
  await Promise.all([desk.ccsync("pull"), tablet.ccsync("pull")]);
  const [a, b] = [await onlyFork(desk, id), await onlyFork(tablet, id)];
  assert.equal(a.id, b.id);
  assert.equal(desk.neutral(desk.read(a.id)), tablet.neutral(tablet.read(b.id)));
  await desk.ccsync("push");
  await assertSettled(tablet, desk, laptop);
  // The desk's push came before the tablet's, so that its branch is hidden, too.
  const leaves = (await forksOf(laptop, id)).map((fork) => leafOf(laptop, fork.id));
  assert.deepEqual(leaves.sort(), [onLaptop, onDesk].sort());
  assert.equal(leafOf(laptop, id), onTablet);
});

for (const order of [[0, 1, 2], [2, 0, 1], [1, 2, 0]]) {
  Deno.test(`three machines went on, order ${order}: each branch is the session's or a fork's`, async () => {
    await using world = await World.create();
    const machines = [await world.joined("a"), await world.joined("b"), await world.joined("c")];
    const [a] = machines;
    assert.ok(a !== undefined);
    const id = a.plant(BASE);
    await sync(...machines);
    const leaves = machines.map((machine) => goOn(machine, id, `by ${machine.id}`));
    const inOrder = order.flatMap((i) => machines[i] ?? []);
    for (const [i, machine] of inOrder.entries()) {
      // Some pull before they push.
      if (i !== 1) await machine.ccsync("pull");
      await machine.ccsync("push");
    }
    await assertSettled(...inOrder);
    const last = leaves[order.at(-1) ?? 0] ?? "";
    assert.equal(leafOf(a, id), last);
    const kept = (await forksOf(a, id)).map((fork) => leafOf(a, fork.id));
    assert.deepEqual(kept.sort(), leaves.filter((leaf) => leaf !== last).sort());
  });
}

Deno.test("both went on while the session was open here: the push forks, and closing it changes nothing more", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  const onLaptop = goOn(laptop, id, "on laptop");
  await laptop.ccsync("push");
  let onDesk = "";
  {
    using _open = open(desk, id);
    onDesk = goOn(desk, id, "on desk");
    const before = desk.read(id);
    await desk.ccsync("push");
    assert.equal(desk.read(id), before);
    onDesk = goOn(desk, id, "more on desk");
    await desk.ccsync("push");
    await desk.ccsync("pull");
    assert.equal(leafOf(desk, (await onlyFork(desk, id)).id), onLaptop);
  }
  await assertSettled(desk, laptop);
  await onlyFork(laptop, id);
  for (const machine of [laptop, desk]) assert.equal(leafOf(machine, id), onDesk);
});

Deno.test("sessions that diverge again and again keep every branch; going on together is no divergence", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  const hidden: string[] = [];
  let last = "";
  for (let round = 0; round < 3; round++) {
    hidden.push(goOn(laptop, id, `laptop ${round}`));
    await laptop.ccsync("push");
    goOn(desk, id, `desk ${round}`);
    await desk.ccsync(round === 1 ? "push" : "pull");
    await sync(desk, laptop);
    // The laptop goes on where the desk stopped, and the desk follows.
    last = goOn(laptop, id, `together ${round}`);
    await sync(laptop, desk);
  }
  await assertSettled(laptop, desk);
  assert.equal(leafOf(desk, id), last);
  const forks = await forksOf(desk, id);
  assert.deepEqual(forks.map((fork) => leafOf(desk, fork.id)).sort(), hidden.sort());
});

Deno.test("a fork is a session like others: it goes on, diverges, and its own fork stands under it", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  goOn(laptop, id, "on laptop");
  await laptop.ccsync("push");
  goOn(desk, id, "on desk");
  await sync(desk, laptop, desk);
  const { id: fork } = await onlyFork(desk, id);
  const hidden = goOn(laptop, fork, "the fork on laptop");
  await laptop.ccsync("push");
  const shown = goOn(desk, fork, "the fork on desk");
  await assertSettled(desk, laptop);
  assert.equal(leafOf(laptop, fork), shown);
  const inner = await onlyFork(laptop, fork);
  assert.equal(leafOf(laptop, inner.id), hidden);
  assert.match(inner.title, /^turn one \(fork of .* from laptop\) \(fork of .* from laptop\)$/);
  const { stdout } = await laptop.ccsync("list", "--all");
  const rows = stdout.split("\n").slice(1).map((row) => row.slice(0, 24));
  assert.deepEqual(rows.slice(0, 3), [
    `${id.slice(0, 8)}  ${"turn one".padEnd(14)}`,
    `${fork.slice(0, 8)}  └ turn one (fo`,
    `${inner.id.slice(0, 8)}    └ turn one (`,
  ]);
});

for (const lost of ["before the pull", "before the push", "after the push"]) {
  Deno.test(`a state lost ${lost} makes no second fork and loses none`, async () => {
    await using world = await World.create();
    const [laptop, desk, id] = await twoMachines(world);
    const onLaptop = goOn(laptop, id, "on laptop");
    await laptop.ccsync("push");
    const onDesk = goOn(desk, id, "on desk");
    if (lost === "before the pull") loseState(desk);
    await desk.ccsync("pull");
    if (lost === "before the push") loseState(desk);
    await desk.ccsync("push");
    if (lost === "after the push") loseState(desk);
    await assertSettled(desk, laptop);
    assert.equal(leafOf(laptop, id), onDesk);
    assert.equal(leafOf(laptop, (await onlyFork(laptop, id)).id), onLaptop);
  });
}

for (const next of ["pull", "push"] as const) {
  Deno.test(`a pull that was killed after it made the fork is completed by the next ${next}`, async () => {
    await using world = await World.create();
    // Sessions are sent in the order of their ids: this one after its fork.
    const last = { id: "ffffffff-ffff-4fff-8fff-ffffffffffff" };
    const [laptop, desk, id] = await twoMachines(world, last);
    goOn(laptop, id, "on laptop");
    await laptop.ccsync("push");
    const onDesk = goOn(desk, id, "on desk");
    const unmerged = desk.read(id);
    await desk.ccsync("pull");
    const { id: fork } = await onlyFork(desk, id);
    desk.write(id, unmerged);
    loseState(desk);
    const onFork = goOn(desk, fork, "on the fork");
    const { stderr } = await desk.ccsync(next);
    assert.match(stderr, new RegExp(`kept as session ${fork.slice(0, 8)}`));
    await assertSettled(desk, laptop);
    assert.equal(leafOf(laptop, id), onDesk);
    assert.equal(leafOf(laptop, (await onlyFork(laptop, id)).id), onFork);
  });
}

Deno.test("a fork that went on before it was ever sent keeps what it shares with its parent", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  goOn(laptop, id, "on laptop");
  await laptop.ccsync("push");
  const parent = await world.hubTranscript(id);
  goOn(desk, id, "on desk");
  await desk.ccsync("pull");
  const { id: fork } = await onlyFork(desk, id);
  const onFork = goOn(desk, fork, "on the fork");
  // The parent may go on meanwhile, too.
  goOn(laptop, id, "more on laptop");
  await laptop.ccsync("push");
  await desk.ccsync("push");
  assert.ok((await world.hubTranscript(fork)).startsWith(parent));
  await assertSettled(desk, laptop);
  assert.equal(leafOf(laptop, fork), onFork);
  const of = (await forksOf(laptop, id)).find((session) => session.id === fork);
  assert.equal(of?.machine, "desk");
});

for (const first of ["push", "pull"] as const) {
  Deno.test(`a client that was killed, ${first} first: what was added last is resumed all the same`, async () => {
    await using world = await World.create();
    const [laptop, desk, id] = await twoMachines(world);
    const onLaptop = goOn(laptop, id, "on laptop");
    await laptop.ccsync("push");
    const onDesk = goOn(desk, id, "on desk", { isKilled: true });
    await desk.ccsync(first);
    await assertSettled(desk, laptop);
    for (const machine of [laptop, desk]) {
      assert.equal(leafOf(machine, id), onDesk);
      assert.equal(leafOf(machine, (await onlyFork(machine, id)).id), onLaptop);
    }
    const selects =
      `{"type":"last-prompt","lastPrompt":"on desk in ${laptop.projects}/app/src","leafUuid":"${onDesk}","sessionId":"${id}"}\n`;
    assert.ok(laptop.read(id).endsWith(selects));
  });
}

Deno.test("a session that was only looked at on one machine does not hide what was said on the other", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  const start = leafOf(desk, id);
  // After a rewind: what follows does not descend from where the desk is.
  const onLaptop = goOn(laptop, id, "on laptop", { after: firstRecord(laptop, id) });
  await laptop.ccsync("push");
  const look = { type: "last-prompt", lastPrompt: "turn two", leafUuid: start, sessionId: id };
  desk.append(id, JSON.stringify(look) + "\n");
  await assertSettled(desk, laptop);
  for (const machine of [laptop, desk]) assert.equal(leafOf(machine, id), onLaptop);
  assert.deepEqual(await forksOf(laptop, id, "--remote"), []);
});

const EDITS: Readonly<Record<string, (text: string, id: string) => string>> = {
  "an edited middle": (text) => text.replace("Stub reply", "Sbut reply"),
  "a tombstone": (text) => text.split("\n").toSpliced(4, 1).join("\n"),
  "a title": (text, id) =>
    text + JSON.stringify({ type: "custom-title", customTitle: "new", sessionId: id }) + "\n",
};

for (const [what, edit] of Object.entries(EDITS)) {
  Deno.test(`${what} while the other machine went on forks nothing and is not lost`, async () => {
    for (const hasState of [true, false]) {
      await using world = await World.create();
      const [laptop, desk, id] = await twoMachines(world);
      const onLaptop = goOn(laptop, id, "on laptop");
      await laptop.ccsync("push");
      desk.write(id, edit(desk.read(id), id));
      const edited = desk.read(id).split("\n");
      if (!hasState) loseState(desk);
      await assertSettled(desk, laptop);
      assert.deepEqual(await forksOf(desk, id, "--remote"), []);
      assert.equal(leafOf(desk, id), onLaptop);
      const merged = new Set(desk.read(id).split("\n"));
      assert.deepEqual(edited.filter((line) => !merged.has(line)), []);
    }
  });
}

Deno.test("a rewind, and a record that Claude Code took back, are branches of one machine: no fork", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  goOn(laptop, id, "on laptop");
  goOn(laptop, id, "from the beginning", { after: firstRecord(laptop, id) });
  await sync(laptop, desk);
  goOn(laptop, id, "cut short", { isKilled: true });
  await sync(laptop, desk);
  const lines = laptop.read(id).trimEnd().split("\n");
  const prompt = JSON.parse(lines.at(-2) ?? "").uuid;
  laptop.write(id, lines.slice(0, -1).join("\n") + "\n");
  const retried = goOn(laptop, id, "tried again", { after: prompt });
  await assertSettled(laptop, desk);
  assert.match(desk.read(id), /answer to cut short/);
  assert.equal(leafOf(desk, id), retried);
  assert.deepEqual(await forksOf(desk, id, "--remote"), []);
});

Deno.test("sub-agents that went on on both sides merge and fork nothing; a fork has its parent's sidecars", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  const log = (machine: TestMachine, session = id) => {
    return `${
      machine.transcriptPath(session).slice(machine.claude.length + 1, -6)
    }/subagents/a.jsonl`;
  };
  const add = (machine: TestMachine, text: string) => {
    const before = machine.files().includes(log(machine)) ? machine.readFile(log(machine)) : "";
    const cwd = machine.own(join(machine.projects, "app"));
    machine.writeFile(log(machine), before + promptLine({ id, cwd, text }));
  };
  add(laptop, "begun");
  laptop.writeFile(`file-history/${id}/0123456789abcdef@v1`, "old content");
  await sync(laptop, desk);
  add(laptop, "agent on laptop");
  add(desk, "agent on desk");
  await assertSettled(laptop, desk);
  assert.match(laptop.readFile(log(laptop)), /begun.*\n.*agent on laptop.*\n.*agent on desk/);
  assert.deepEqual(await forksOf(laptop, id, "--remote"), []);
  for (const first of ["push", "pull"] as const) {
    goOn(laptop, id, "on laptop");
    await laptop.ccsync("push");
    goOn(desk, id, "on desk");
    await desk.ccsync(first);
    await assertSettled(desk, laptop);
  }
  const forks = await forksOf(laptop, id);
  assert.equal(forks.length, 2);
  for (const { id: fork } of forks) {
    assert.equal(laptop.readFile(`file-history/${fork}/0123456789abcdef@v1`), "old content");
    assert.match(desk.readFile(log(desk, fork)), /agent on laptop.*\n.*agent on desk/);
  }
});

Deno.test("--dry-run tells of the fork and makes none; --json names it", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  goOn(laptop, id, "on laptop");
  await laptop.ccsync("push");
  goOn(desk, id, "on desk");
  const forkIn = ({ stdout }: { readonly stdout: string }) => JSON.parse(stdout).sessions[0].fork;
  const pulled = forkIn(await desk.ccsync("pull", "--dry-run", "--json"));
  assert.equal(forkIn(await desk.ccsync("push", "--dry-run", "--json")), pulled);
  assert.deepEqual(await forksOf(desk, id), []);
  assert.equal(forkIn(await desk.ccsync("push", "--json")), pulled);
  assert.equal((await onlyForkInHub(desk, id)).id, pulled);
});

Deno.test("undo takes a merge back with its fork; the next pull makes both again", async () => {
  await using world = await World.create();
  const [laptop, desk, id] = await twoMachines(world);
  const onLaptop = goOn(laptop, id, "on laptop");
  await laptop.ccsync("push");
  const onDesk = goOn(desk, id, "on desk");
  const before = desk.read(id);
  await desk.ccsync("pull");
  const { id: fork } = await onlyFork(desk, id);
  await desk.ccsync("undo");
  assert.equal(desk.read(id), before);
  assert.ok(!desk.has(fork));
  await desk.ccsync("pull");
  assert.equal((await onlyFork(desk, id)).id, fork);
  await assertSettled(desk, laptop);
  assert.equal(leafOf(laptop, id), onDesk);
  assert.equal(leafOf(laptop, fork), onLaptop);
});
