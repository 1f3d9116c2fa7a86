/**
 * Conversations between machines, on real git: fast-forward, divergence, moves, clean-up, lost state.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import type { SessionId } from "../../src/brands.ts";
import { EXIT_CODES } from "../../src/errors.ts";
import { lstatIfThere } from "../../src/machine/files.ts";
import { type Base, State } from "../../src/machine/state.ts";
import { TRANSCRIPT } from "../../src/sync/document.ts";
import { blockHashes } from "../../src/sync/fingerprint.ts";
import { until } from "../support/process.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

const RECORDED =
  "alice/.claude/projects/-home-alice-projects-app/11111111-1111-4111-8111-111111111111.jsonl";
const BASE = "variants/base.jsonl";

/** Returns a line that this machine's Claude Code could have written. */
function line(machine: TestMachine, id: string, text: string, at?: string): string {
  const own = (path: string) => machine.own(join(machine.projects, path));
  return promptLine({
    id,
    cwd: own("app"),
    text: `${text} in ${own("app/src")}`,
    ...(at === undefined ? {} : { at }),
  });
}

async function sync(...machines: readonly TestMachine[]): Promise<void> {
  for (const machine of machines) {
    await machine.ccsync("push");
    await machine.ccsync("pull");
  }
}

/** Asserts that both machines hold the same conversation, each with its own paths. */
function assertConverged(a: TestMachine, b: TestMachine, id: string): void {
  assert.equal(a.neutral(a.read(id)), b.neutral(b.read(id)));
}

Deno.test("a conversation goes to another machine and comes back", async () => {
  await using world = await World.create();
  const [laptop, desk] = [
    await world.joined("laptop"),
    await world.joined("desk", { projects: "my work" }),
  ];
  const id = laptop.plant(RECORDED);
  const before = laptop.read(id);
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  const added = line(desk, id, "continued");
  desk.append(id, added);
  await desk.ccsync("push");
  await laptop.ccsync("pull");
  const after = laptop.read(id);
  assert.ok(after.startsWith(before));
  assert.equal(laptop.neutral(after.slice(before.length)), desk.neutral(added));
  assertConverged(laptop, desk, id);
});

Deno.test("push with nothing to send makes no commit", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  laptop.plant(RECORDED);
  await laptop.ccsync("push");
  const { stdout: head } = await world.git("rev-parse", "main");
  const { stdout } = await laptop.ccsync("push");
  assert.match(stdout, /nothing to push/);
  assert.equal((await world.git("rev-parse", "main")).stdout, head);
});

Deno.test("both machines append while apart; the second push merges and nobody loses a line", async () => {
  await using world = await World.create();
  const [laptop, desk] = [
    await world.joined("laptop"),
    await world.joined("desk", { projects: "work" }),
  ];
  const id = laptop.plant(BASE);
  await sync(laptop, desk);
  const [fromLaptop, fromDesk] = [line(laptop, id, "on laptop"), line(desk, id, "on desk")];
  laptop.append(id, fromLaptop);
  desk.append(id, fromDesk);
  await laptop.ccsync("push");
  const { stdout } = await desk.ccsync("push");
  assert.match(stdout, /1 merged/);
  await sync(desk, laptop);
  assertConverged(laptop, desk, id);
  const merged = laptop.read(id);
  const ending = laptop.neutral(fromLaptop) + desk.neutral(fromDesk);
  assert.ok(laptop.neutral(merged).endsWith(ending));
  await sync(laptop, desk);
  assert.equal(laptop.read(id), merged, "merging again changes nothing");
});

Deno.test("a pull merges local lines that were never pushed, and keeps the old file", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  const id = laptop.plant(BASE);
  await sync(laptop, desk);
  laptop.append(id, line(laptop, id, "on laptop"));
  await laptop.ccsync("push");
  desk.append(id, line(desk, id, "on desk"));
  const old = desk.read(id);
  await desk.ccsync("pull");
  assert.match(desk.read(id), /on laptop.*\n.*on desk/);
  const backups = [...Deno.readDirSync(join(desk.ccsyncHome, "backups/objects"))];
  const kept = backups.map(({ name }) =>
    Deno.readTextFileSync(join(desk.ccsyncHome, "backups/objects", name))
  );
  assert.deepEqual(kept, [old]);
  await sync(desk, laptop);
  assertConverged(laptop, desk, id);
});

Deno.test("three machines diverge and converge, whatever the order", async () => {
  await using world = await World.create();
  const [a, b, c] = [
    await world.joined("a"),
    await world.joined("b", { projects: "bb" }),
    await world.joined("c"),
  ];
  const id = a.plant(BASE);
  await sync(a, b, c);
  for (const machine of [a, b, c]) machine.append(id, line(machine, id, `by ${machine.id}`));
  await sync(c, a, b);
  a.append(id, line(a, id, "again by a"));
  await sync(b, c, a, b, c);
  assertConverged(a, b, id);
  assertConverged(a, c, id);
  for (const text of ["by a", "by b", "by c", "again by a"]) {
    assert.ok(a.read(id).includes(text), text);
  }
});

Deno.test("a lost state is rebuilt: nothing is lost, nothing is doubled", async () => {
  await using world = await World.create();
  const [laptop, desk] = [
    await world.joined("laptop"),
    await world.joined("desk", { projects: "work" }),
  ];
  const id = laptop.plant(RECORDED);
  await sync(laptop, desk);
  desk.append(id, line(desk, id, "unpushed"));
  const before = desk.read(id);
  for (const name of ["state.db", "state.db-wal", "state.db-shm"]) {
    await Deno.remove(join(desk.ccsyncHome, name)).catch(() => undefined);
  }
  const inHub = await world.hubTranscript(id);
  await desk.ccsync("pull");
  assert.equal(desk.read(id), before);
  await desk.ccsync("push");
  assert.equal((await world.hubTranscript(id)).split("\n").length, inHub.split("\n").length + 1);
  await sync(laptop, desk);
  assertConverged(laptop, desk, id);
});

Deno.test("a lost mirror is fetched again", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const id = laptop.plant(BASE);
  await laptop.ccsync("push");
  await Deno.remove(join(laptop.ccsyncHome, "mirror.git"), { recursive: true });
  laptop.append(id, line(laptop, id, "more"));
  await laptop.ccsync("push");
  assert.match(await world.hubTranscript(id), /more/);
});

Deno.test("an edited middle diverges: the edited line goes up, the old one stays in the hub", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const id = laptop.plant(BASE);
  await laptop.ccsync("push");
  const edited = laptop.read(id).replace("Stub reply", "Sbut reply");
  laptop.write(id, edited);
  await laptop.ccsync("push");
  const inHub = await world.hubTranscript(id);
  assert.match(inHub, /Stub reply 32/);
  assert.match(inHub, /Sbut reply 32/);
});

Deno.test("a long conversation that goes on elsewhere is known block by block, and an edit in it is found", async () => {
  await using world = await World.create();
  const [laptop, desk] = [
    await world.joined("laptop"),
    await world.joined("desk", { projects: "my work" }),
  ];
  const id = laptop.plant(BASE);
  for (let i = 0; i < 3; i++) laptop.append(id, line(laptop, id, `part ${i} ${"x".repeat(1e6)}`));
  await sync(laptop, desk);
  for (const more of ["x".repeat(10), "x".repeat(1e6)]) {
    desk.append(id, line(desk, id, `continued ${more}`));
    await sync(desk, laptop);
  }
  assertConverged(laptop, desk, id);
  const known = baseOf(laptop, id);
  assert.deepEqual(known.blocks, blockHashes(known.path, known.localBytes));
  laptop.write(id, laptop.read(id).replace("part 1 x", "part 1 y"));
  await sync(laptop, desk);
  for (const part of ["part 1 x", "part 1 y"]) {
    assert.ok((await world.hubTranscript(id)).includes(part), part);
    assert.ok(desk.read(id).includes(part), part);
  }
});

/** Returns what a machine and the hub agreed on for a transcript. */
function baseOf(machine: TestMachine, id: string): Base {
  using state = State.open(machine.ccsyncHome, (why) => assert.fail(why));
  const base = state.bases([id as SessionId]).get(id as SessionId)?.get(TRANSCRIPT);
  assert.ok(base !== undefined);
  return base;
}

Deno.test("a transcript that Claude Code's clean-up took is not deleted in the hub, and comes back", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const id = laptop.plant(BASE);
  laptop.append(id, line(laptop, id, "today"));
  await laptop.ccsync("push");
  const before = laptop.read(id);
  await Deno.remove(laptop.transcriptPath(id));
  await laptop.ccsync("push");
  assert.match(await world.hubTranscript(id), /today/);
  await laptop.ccsync("pull");
  assert.equal(laptop.read(id), before);
});

Deno.test("an old session is only brought back by pull --force, with a time that survives the clean-up", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  const id = crypto.randomUUID();
  laptop.write(id, line(laptop, id, "long ago", "2024-02-03T04:05:06.000Z"));
  await laptop.ccsync("push");
  const { stderr } = await desk.ccsync("pull");
  assert.match(stderr, /pull --force brings it back/);
  assert.ok(!desk.has(id));
  await desk.ccsync("pull", "--force");
  assert.ok(desk.has(id));
  const { mtime } = Deno.statSync(desk.transcriptPath(id));
  assert.ok((mtime?.getTime() ?? 0) > Date.now() - 60_000);
});

Deno.test("a session that moved to another project moves on the other machine, too", async () => {
  await using world = await World.create();
  const [laptop, desk] = [
    await world.joined("laptop"),
    await world.joined("desk", { projects: "work" }),
  ];
  const id = laptop.plant(BASE);
  await sync(laptop, desk);
  const content = laptop.read(id);
  const moved = JSON.stringify({
    type: "relocated",
    relocatedCwd: laptop.own(join(laptop.projects, "other")),
    sessionId: id,
  });
  await Deno.remove(laptop.transcriptPath(id));
  laptop.write(id, `${content}${moved}\n`, "other");
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  assert.ok(!desk.has(id), "not in two places");
  assert.ok(desk.read(id, "other").includes(desk.quoted(join(desk.projects, "other"))));
  await sync(desk, laptop);
  assert.ok(laptop.has(id, "other") && !laptop.has(id));
});

Deno.test("a session open in Claude Code is not written to until it is closed", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  const id = laptop.plant(BASE);
  await sync(laptop, desk);
  laptop.append(id, line(laptop, id, "on laptop"));
  await laptop.ccsync("push");
  const live = join(desk.claude, "sessions", `${Deno.pid}.json`);
  await Deno.mkdir(join(desk.claude, "sessions"));
  await Deno.writeTextFile(
    live,
    JSON.stringify({ pid: Deno.pid, sessionId: id, updatedAt: Date.now() + 1000 }),
  );
  const before = desk.read(id);
  const { stderr } = await desk.ccsync("pull");
  assert.match(stderr, /it is open in Claude Code on this machine/);
  assert.equal(desk.read(id), before);
  desk.append(id, line(desk, id, "on desk"));
  await desk.ccsync("push");
  assert.match(await world.hubTranscript(id), /on laptop.*\n.*on desk/);
  desk.append(id, line(desk, id, "more on desk"));
  await desk.ccsync("push");
  await Deno.remove(live);
  await sync(desk, laptop, desk);
  assertConverged(laptop, desk, id);
  assert.equal(
    (await world.hubTranscript(id)).split("\n").length,
    laptop.read(id).split("\n").length,
  );
});

Deno.test("a moved session that meets an older copy of itself: the copy is backed up", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  const id = laptop.plant(BASE);
  await sync(laptop, desk);
  const content = desk.read(id);
  const moved = {
    type: "relocated",
    relocatedCwd: desk.own(join(desk.projects, "other")),
    sessionId: id,
  };
  await Deno.remove(desk.transcriptPath(id));
  desk.write(id, `${content}${JSON.stringify(moved)}\n`, "other");
  await desk.ccsync("push");
  laptop.write(id, "an older copy\n", "other");
  await Deno.utime(laptop.transcriptPath(id, "other"), 1, 1);
  await laptop.try("pull");
  assert.match(laptop.read(id, "other"), /relocatedCwd/);
  const objects = join(laptop.ccsyncHome, "backups/objects");
  const kept = [...Deno.readDirSync(objects)].map(({ name }) => {
    return Deno.readTextFileSync(join(objects, name));
  });
  assert.ok(kept.includes("an older copy\n"));
});

Deno.test("the cut directory name of a deeply nested project becomes the other machine's", async () => {
  await using world = await World.create();
  const [laptop, desk] = [
    await world.joined("laptop"),
    await world.joined("desk", {
      projects: "a much longer name for the projects",
    }),
  ];
  const deep = `${"d".repeat(80)}/${"e".repeat(80)}/${"f".repeat(80)}`;
  const id = crypto.randomUUID();
  const output = (machine: TestMachine) =>
    join(machine.transcriptPath(id, deep).replace(/\.jsonl$/, ""), "tool-results/x.txt");
  const cwd = laptop.own(join(laptop.projects, deep));
  laptop.write(id, promptLine({ id, cwd, text: `saved to ${output(laptop)}` }), deep);
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  assert.ok(desk.read(id, deep).includes(`saved to ${output(desk)}`));
  assert.ok(!(await world.hubTranscript(id)).includes("eeee-ffff"));
});

Deno.test("--dry-run says what would be done and writes nothing", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  const id = laptop.plant(RECORDED);
  const { stdout: head } = await world.git("rev-parse", "main");
  const files = () =>
    ["config.json"].map((name) => Deno.readTextFileSync(join(laptop.ccsyncHome, name)));
  const before = files();
  assert.match((await laptop.ccsync("push", "--dry-run")).stdout, /would push 1 session/);
  assert.deepEqual(files(), before);
  assert.equal((await world.git("rev-parse", "main")).stdout, head);
  await laptop.ccsync("push");
  const { stdout, stderr } = await desk.ccsync("pull", "--dry-run");
  assert.match(stdout, /would pull 1 session/);
  assert.match(stderr, /73 lines/);
  assert.ok(!desk.has(id));
});

Deno.test("sessions outside the sync directories are left alone unless --all says otherwise", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const id = crypto.randomUUID();
  const cwd = laptop.own(join(laptop.home, "elsewhere"));
  const directory = join(laptop.claude, "projects", cwd.replace(/[^a-zA-Z0-9]/g, "-"));
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(join(directory, `${id}.jsonl`), promptLine({ id, cwd, text: "hello" }));
  assert.match((await laptop.ccsync("push")).stdout, /nothing to push/);
  assert.doesNotMatch((await laptop.ccsync("list")).stdout, /hello/);
  assert.match((await laptop.ccsync("list", "--all")).stdout, /hello/);
  assert.match((await laptop.ccsync("push", "--all")).stdout, /pushed 1 session/);
  assert.match(
    await world.hubFile(`sessions/${id.slice(0, 2)}/${id}/meta.json`),
    /\{\{HOME\}\}\/elsewhere/,
  );
});

Deno.test("a placeholder that is unknown here is told of, and its session comes as soon as it is mapped", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  await laptop.ccsync("config", "add-placeholder", `WORK=${laptop.home}/work`);
  const id = crypto.randomUUID();
  const cwd = laptop.own(join(laptop.home, "work/app"));
  const directory = join(laptop.claude, "projects", cwd.replace(/[^a-zA-Z0-9]/g, "-"));
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(join(directory, `${id}.jsonl`), promptLine({ id, cwd, text: "hello" }));
  await laptop.ccsync("push", "--all");
  const desk = await world.joined("desk");
  const { code, stderr } = await desk.try("pull");
  assert.equal(code, EXIT_CODES.partial);
  assert.match((await desk.ccsync("status")).stdout, /trouble +ccsync pull/);
  assert.match(
    stderr,
    /WORK has no path on this machine; run: ccsync config add-placeholder WORK=/,
  );
  await desk.ccsync("config", "add-placeholder", `WORK=${desk.projects}/deep`);
  await desk.ccsync("pull");
  assert.doesNotMatch((await desk.ccsync("status")).stdout, /trouble/);
  const arrived = desk.read(id, "deep/app");
  assert.ok(arrived.includes(`"cwd":"${desk.quoted(join(desk.projects, "deep/app"))}"`));
});

Deno.test("moving the projects folder keeps its sessions: set-path localises them anew", async () => {
  await using world = await World.create();
  const [laptop, desk] = [
    await world.joined("laptop"),
    await world.joined("desk", { projects: "work" }),
  ];
  const id = laptop.plant(RECORDED);
  await sync(laptop, desk);
  const old = desk.projects;
  desk.append(id, line(desk, id, "before the move"));
  const moved = join(desk.home, "moved");
  await desk.ccsync("config", "set-path", "PROJECTS", "desk", moved);
  assert.ok(!desk.has(id), "the old file is gone");
  const path = join(
    desk.claude,
    "projects",
    desk.own(join(moved, "app")).replace(/[^a-zA-Z0-9]/g, "-"),
    `${id}.jsonl`,
  );
  const content = Deno.readTextFileSync(path);
  assert.ok(content.includes(`before the move in ${desk.quoted(join(moved, "app/src"))}`));
  const unsigned = content.replace(/"thinking":"(?:[^"\\]|\\.)*"/g, "");
  assert.ok(!unsigned.includes(desk.quoted(old)));
  await desk.ccsync("push");
  await laptop.ccsync("pull");
  const here = laptop.quoted(join(laptop.projects, "app/src"));
  assert.ok(laptop.read(id).includes(`before the move in ${here}`));
});

Deno.test("a path set for another machine is used there after its next pull", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  const id = laptop.plant(BASE);
  await sync(laptop, desk);
  const moved = join(desk.home, "elsewhere");
  await laptop.ccsync("config", "set-path", "PROJECTS", "desk", desk.own(moved));
  await desk.ccsync("pull");
  const { stdout } = await desk.ccsync("config", "show", "--json");
  assert.equal(JSON.parse(stdout).custom_placeholders.PROJECTS, desk.own(moved));
  const path = join(
    desk.claude,
    "projects",
    desk.own(join(moved, "app")).replace(/[^a-zA-Z0-9]/g, "-"),
    `${id}.jsonl`,
  );
  assert.ok(Deno.readTextFileSync(path).includes(`"cwd":"${desk.quoted(join(moved, "app"))}"`));
});

Deno.test("two machines push at once, again and again: all arrives, nobody sees an error", async () => {
  await using world = await World.create();
  const machines = [await world.joined("a"), await world.joined("b"), await world.joined("c")];
  const common = machines[0]?.plant(BASE) ?? "";
  await sync(...machines);
  for (let round = 0; round < 3; round++) {
    for (const machine of machines) {
      machine.append(common, line(machine, common, `${machine.id} ${round}`));
      const own = crypto.randomUUID();
      machine.write(own, line(machine, own, `own of ${machine.id} ${round}`));
    }
    await Promise.all(machines.map((machine) => machine.ccsync("push")));
  }
  await sync(...machines, ...machines);
  const [a, b, c] = machines;
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  assertConverged(a, b, common);
  assertConverged(a, c, common);
  for (const { id } of machines) {
    for (const round of [0, 1, 2]) assert.ok(a.read(common).includes(`${id} ${round} in`));
  }
  const { stdout } = await a.ccsync("list", "--format", "json");
  assert.equal(
    JSON.parse(stdout).length,
    9,
    "three own sessions of each; the recorded one is headless",
  );
});

Deno.test(
  "two pushes at once on one machine: the second one says that it waits, and both go through",
  async () => {
    await using world = await World.create();
    const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
    const [id, other] = [desk.plant(BASE), crypto.randomUUID()];
    // The hub takes what is pushed when it is told to.
    const [hook, go] = [join(world.hub, "hooks/pre-receive"), join(world.folder, "go")];
    const waiting = join(world.folder, "waiting");
    const script = `#!/bin/sh\ntouch '${waiting}'; while [ ! -e '${go}' ]; do sleep 0.02; done\n`;
    Deno.mkdirSync(dirname(hook), { recursive: true });
    Deno.writeTextFileSync(hook, script, { mode: 0o755 });
    await using first = await desk.start("push");
    await until("the first one's push", () => lstatIfThere(waiting));
    desk.write(other, line(desk, other, "written meanwhile"));
    await using second = await desk.start("push");
    await until("the second one", () => {
      return second.errors.includes("waiting for another ccsync") ? true : undefined;
    });
    Deno.writeTextFileSync(go, "");
    for (const { ended } of [first, second]) {
      assert.match((await ended).stdout, /pushed 1 session/);
    }
    await laptop.ccsync("pull");
    for (const one of [id, other]) assertConverged(laptop, desk, one);
  },
);
