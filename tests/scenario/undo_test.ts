/**
 * `ccsync undo`, with the program itself: what a pull changed comes back, nothing that came later is lost, and
 * the hub never notices.
 *
 * @module
 */
import "../support/in_process.ts";
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { projectDirName } from "../../src/translate/project_dir.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

const RECORDED =
  "alice/.claude/projects/-home-alice-projects-app/11111111-1111-4111-8111-111111111111.jsonl";
const BASE = "variants/base.jsonl";

function line(machine: TestMachine, id: string, text: string): string {
  const own = (path: string) => machine.own(join(machine.projects, path));
  return promptLine({ id, cwd: own("app"), text: `${text} in ${own("app/src")}` });
}

async function sync(...machines: readonly TestMachine[]): Promise<void> {
  for (const machine of machines) {
    await machine.ccsync("push");
    await machine.ccsync("pull");
  }
}

/** Returns two machines that hold the same session. */
async function twoMachines(
  world: World,
  fixture = BASE,
): Promise<{ laptop: TestMachine; desk: TestMachine; id: string }> {
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "work" });
  const id = laptop.plant(fixture);
  await sync(laptop, desk);
  return { laptop, desk, id };
}

/** Asserts that no line is in the hub twice and that both machines hold the same after another round. */
async function assertSettles(
  world: World,
  [a, b]: readonly [TestMachine, TestMachine],
  id: string,
): Promise<void> {
  const inHub = async () => (await world.hubTranscript(id)).split("\n").length;
  const before = await inHub();
  await sync(a, b, a, b);
  assert.equal(await inHub(), before, "nothing is doubled");
  assert.equal(a.neutral(a.read(id)), b.neutral(b.read(id)));
}

Deno.test("undo takes back a merge; a push then doubles nothing, and the next pull merges again", async () => {
  await using world = await World.create();
  const { laptop, desk, id } = await twoMachines(world);
  laptop.append(id, line(laptop, id, "on laptop"));
  await laptop.ccsync("push");
  desk.append(id, line(desk, id, "on desk"));
  const before = desk.read(id);
  await desk.ccsync("pull");
  const merged = desk.read(id);
  assert.notEqual(merged, before);
  const { stdout } = await desk.ccsync("undo");
  assert.match(stdout, /undid "pull" \(2\) of just now: 1 file/);
  assert.equal(desk.read(id), before);
  await desk.ccsync("push");
  const inHub = await world.hubTranscript(id);
  assert.equal(inHub.split("on desk").length, 2, "sent once");
  assert.match(inHub, /on laptop.*\n.*on desk/);
  await desk.ccsync("pull");
  assert.equal(desk.read(id), merged);
  await assertSettles(world, [laptop, desk], id);
});

Deno.test("undo is undone by undo, again and again", async () => {
  await using world = await World.create();
  const { laptop, desk, id } = await twoMachines(world, RECORDED);
  laptop.append(id, line(laptop, id, "on laptop"));
  await laptop.ccsync("push");
  const before = desk.read(id);
  await desk.ccsync("pull");
  const after = desk.read(id);
  for (const expected of [before, after, before, after]) {
    await desk.ccsync("undo");
    assert.equal(desk.read(id), expected);
  }
  assert.match((await desk.ccsync("pull")).stdout, /nothing to pull/);
  await assertSettles(world, [laptop, desk], id);
});

Deno.test("undo cuts off what a pull appended, and the next pull brings it again", async () => {
  await using world = await World.create();
  const { laptop, desk, id } = await twoMachines(world);
  const before = desk.read(id);
  laptop.append(id, line(laptop, id, "on laptop"));
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  const after = desk.read(id);
  const head = (await world.git("rev-parse", "main")).stdout;
  await desk.ccsync("undo");
  assert.equal(desk.read(id), before);
  assert.match((await desk.ccsync("push")).stdout, /nothing to push/);
  assert.equal((await world.git("rev-parse", "main")).stdout, head);
  assert.match((await desk.ccsync("list", "--all")).stdout, /to pull/);
  await desk.ccsync("pull");
  assert.equal(desk.read(id), after);
});

Deno.test("undo leaves a session alone that went on since, and says so", async () => {
  await using world = await World.create();
  const { laptop, desk, id } = await twoMachines(world);
  laptop.append(id, line(laptop, id, "on laptop"));
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  desk.append(id, line(desk, id, "went on"));
  const now = desk.read(id);
  const { code, stderr, stdout } = await desk.try("undo");
  assert.equal(code, EXIT_CODES.partial);
  assert.match(stderr, /left as it is: .*it was changed since/);
  assert.match(stdout, /nothing of "pull" \(2\) .* was undone \(1 left as they are\)/);
  assert.equal(desk.read(id), now);
  await desk.ccsync("push");
  await assertSettles(world, [laptop, desk], id);
});

Deno.test("undo removes a session that a pull brought, with all its files; it goes on, it stays", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "work" });
  laptop.plantAll();
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  const all = desk.files();
  const { stdout } = await desk.ccsync("undo", "--dry-run");
  assert.match(stdout, /would undo "pull" \(1\)/);
  assert.deepEqual(desk.files(), all);
  await desk.ccsync("undo");
  assert.deepEqual(desk.files(), []);
  assert.match((await desk.ccsync("push")).stdout, /nothing to push/);
  await desk.ccsync("pull");
  assert.deepEqual(desk.files(), all);
  const id = "11111111-1111-4111-8111-111111111111";
  desk.append(id, line(desk, id, "went on"));
  const { code } = await desk.try("undo");
  assert.equal(code, EXIT_CODES.partial);
  assert.match(desk.read(id), /went on/);
  const beside = join(dirname(desk.transcriptPath(id)), id);
  assert.ok([...Deno.readDirSync(beside)].length > 0, "what the transcript quotes stays, too");
});

Deno.test("undo leaves a session whose sub-agent alone went on since", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "work" });
  const id = laptop.plant("variants/base.jsonl");
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  const agent = desk.transcriptPath(id).replace(/\.jsonl$/, "/subagents/agent-a1.jsonl");
  Deno.mkdirSync(dirname(agent), { recursive: true });
  Deno.writeTextFileSync(agent, line(desk, id, "by the agent"));
  const { code, stderr } = await desk.try("undo");
  assert.equal(code, EXIT_CODES.partial);
  assert.match(stderr, /left as it is: .*it was changed since/);
  assert.ok(desk.has(id));
  await assertSettles(world, [laptop, desk], id);
});

Deno.test("undo does not touch a session that is open in Claude Code", async () => {
  await using world = await World.create();
  const { laptop, desk, id } = await twoMachines(world);
  laptop.append(id, line(laptop, id, "on laptop"));
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  const live = `sessions/${Deno.pid}.json`;
  const claim = { pid: Deno.pid, sessionId: id, updatedAt: Date.now() + 1000 };
  desk.writeFile(live, JSON.stringify(claim));
  const before = desk.read(id);
  const { code, stderr } = await desk.try("undo");
  assert.equal(code, EXIT_CODES.partial);
  assert.match(
    stderr,
    /it is open in Claude Code on this machine; close it there, then undo again/,
  );
  assert.equal(desk.read(id), before);
  Deno.removeSync(join(desk.claude, live));
  await desk.ccsync("undo");
  assert.doesNotMatch(desk.read(id), /on laptop/);
});

Deno.test("undo of a move after set-path: old place, old paths; a push doubles nothing, a pull moves again", async () => {
  await using world = await World.create();
  const { laptop, desk, id } = await twoMachines(world, RECORDED);
  desk.append(id, line(desk, id, "before the move"));
  const before = desk.read(id);
  const moved = join(desk.home, "moved");
  await desk.ccsync("config", "set-path", "PROJECTS", "desk", moved);
  assert.ok(!desk.has(id));
  const { stdout } = await desk.ccsync("undo");
  assert.match(stdout, /undid "config"/);
  assert.equal(desk.read(id), before);
  const directory = projectDirName(desk.own(join(moved, "app")));
  const target = join(desk.claude, "projects", directory, `${id}.jsonl`);
  assert.throws(() => Deno.lstatSync(target), Deno.errors.NotFound);
  const lines = (await world.hubTranscript(id)).split("\n").length;
  await desk.ccsync("push");
  const inHub = await world.hubTranscript(id);
  assert.equal(inHub.split("\n").length, lines + 1, "the unsent line, and nothing twice");
  assert.ok(!inHub.includes(desk.quoted(desk.home)));
  await desk.ccsync("pull");
  assert.ok(!desk.has(id));
  const there = desk.quoted(join(moved, "app/src"));
  assert.ok(Deno.readTextFileSync(target).includes(`before the move in ${there}`));
  await laptop.ccsync("pull");
  const here = laptop.quoted(join(laptop.projects, "app/src"));
  assert.ok(laptop.read(id).includes(`before the move in ${here}`));
});

/** Returns where a note lies on a machine. */
function note(machine: TestMachine, name: string): string {
  const directory = projectDirName(machine.own(join(machine.projects, "app")));
  return join(machine.claude, "projects", directory, "memory", name);
}

function put(path: string, text: string): void {
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.writeTextFileSync(path, text);
}

Deno.test("undo brings back deleted and merged memory; a push takes nothing back from the others", async () => {
  await using world = await World.create();
  const { laptop, desk } = await twoMachines(world);
  put(note(laptop, "MEMORY.md"), "one\ntwo\nthree\n");
  put(note(laptop, "gone.md"), "to be deleted\n");
  put(join(laptop.claude, "CLAUDE.md"), "old\n");
  await sync(laptop, desk);
  Deno.removeSync(note(laptop, "gone.md"));
  put(note(laptop, "MEMORY.md"), "one by laptop\ntwo\nthree\n");
  put(note(laptop, "new.md"), "new\n");
  put(join(laptop.claude, "CLAUDE.md"), "new\n");
  await laptop.ccsync("push");
  put(note(desk, "MEMORY.md"), "one\ntwo\nthree by desk\n");
  await desk.ccsync("pull");
  const paths = ["MEMORY.md", "new.md"].map((name) => note(desk, name));
  const pulled = paths.map((path) => Deno.readTextFileSync(path));
  await desk.ccsync("undo");
  assert.equal(Deno.readTextFileSync(note(desk, "gone.md")), "to be deleted\n");
  assert.equal(Deno.readTextFileSync(note(desk, "MEMORY.md")), "one\ntwo\nthree by desk\n");
  assert.equal(Deno.readTextFileSync(join(desk.claude, "CLAUDE.md")), "old\n");
  assert.throws(() => Deno.lstatSync(note(desk, "new.md")), Deno.errors.NotFound);
  await desk.ccsync("push");
  const memory = (await world.hubFiles()).filter((name) => name.startsWith("memory/"));
  assert.ok(!memory.some((name) => name.endsWith("gone.md")), "deleted it stays");
  assert.ok(memory.some((name) => name.endsWith("new.md")), "new it stays");
  assert.equal(await world.hubFile("claude/CLAUDE.md"), "new\n");
  await desk.ccsync("pull");
  assert.deepEqual(paths.map((path) => Deno.readTextFileSync(path)), pulled);
  assert.throws(() => Deno.lstatSync(note(desk, "gone.md")), Deno.errors.NotFound);
  assert.equal(pulled[0], "one by laptop\ntwo\nthree by desk\n");
});

Deno.test("undo of a merge that was pushed since doubles nothing", async () => {
  await using world = await World.create();
  const { laptop, desk, id } = await twoMachines(world);
  laptop.append(id, line(laptop, id, "on laptop"));
  await laptop.ccsync("push");
  desk.append(id, line(desk, id, "on desk"));
  const before = desk.read(id);
  await sync(desk);
  await desk.ccsync("undo");
  assert.equal(desk.read(id), before);
  assert.match((await desk.ccsync("push")).stdout, /nothing to push/);
  desk.append(id, line(desk, id, "more on desk"));
  await desk.ccsync("push");
  assert.match(await world.hubTranscript(id), /on laptop.*\n.*on desk.*\n.*more on desk/);
  await assertSettles(world, [laptop, desk], id);
});

Deno.test("undo after the state was lost loses and doubles nothing either", async () => {
  await using world = await World.create();
  const { laptop, desk, id } = await twoMachines(world, RECORDED);
  laptop.append(id, line(laptop, id, "on laptop"));
  await laptop.ccsync("push");
  desk.append(id, line(desk, id, "on desk"));
  const before = desk.read(id);
  await desk.ccsync("pull");
  for (const name of ["state.db", "state.db-wal", "state.db-shm", "mirror.git"]) {
    await Deno.remove(join(desk.ccsyncHome, name), { recursive: true }).catch(() => undefined);
  }
  await desk.ccsync("undo");
  assert.equal(desk.read(id), before);
  await desk.ccsync("push");
  assert.equal((await world.hubTranscript(id)).split("on desk").length, 2);
  await assertSettles(world, [laptop, desk], id);
});

Deno.test("undo after the hub's history was taken back deletes no note", async () => {
  await using world = await World.create();
  const { laptop, desk } = await twoMachines(world);
  const { stdout: early } = await world.git("rev-parse", "main");
  put(note(laptop, "MEMORY.md"), "one\n");
  await sync(laptop, desk);
  put(note(laptop, "MEMORY.md"), "two\n");
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  await world.git("update-ref", "refs/heads/main", early.trim());
  await desk.try("pull");
  assert.equal(Deno.readTextFileSync(note(desk, "MEMORY.md")), "two\n");
  await desk.ccsync("undo");
  await desk.ccsync("pull");
  assert.equal(Deno.readTextFileSync(note(desk, "MEMORY.md")), "one\n");
  await desk.ccsync("push");
  const memory = (await world.hubFiles()).find((name) => name.endsWith("/MEMORY.md")) ?? "";
  assert.equal(await world.hubFile(memory), "one\n");
});

Deno.test("undo of a note that became a folder, and of a folder that became a note", async () => {
  await using world = await World.create();
  const { laptop, desk } = await twoMachines(world);
  put(note(laptop, "a"), "a note\n");
  put(note(laptop, "b/c.md"), "in a folder\n");
  await sync(laptop, desk);
  Deno.removeSync(note(laptop, "a"));
  Deno.removeSync(note(laptop, "b"), { recursive: true });
  put(note(laptop, "a/d.md"), "in a folder now\n");
  put(note(laptop, "b"), "a note now\n");
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  assert.equal(Deno.readTextFileSync(note(desk, "a/d.md")), "in a folder now\n");
  await desk.ccsync("undo");
  assert.equal(Deno.readTextFileSync(note(desk, "a")), "a note\n");
  assert.equal(Deno.readTextFileSync(note(desk, "b/c.md")), "in a folder\n");
  await desk.ccsync("undo");
  assert.equal(Deno.readTextFileSync(note(desk, "b")), "a note now\n");
  assert.equal(Deno.readTextFileSync(note(desk, "a/d.md")), "in a folder now\n");
});

Deno.test("undo --list names operations, undo ID takes an earlier one back, but not what changed since", async () => {
  await using world = await World.create();
  const { laptop, desk, id } = await twoMachines(world);
  const other = crypto.randomUUID();
  laptop.write(other, line(laptop, other, "another session"));
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  laptop.append(id, line(laptop, id, "on laptop"));
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  const { stdout } = await desk.ccsync("undo", "--list");
  assert.match(stdout, /ID +WHEN +COMMAND +FILES +WHAT\n +3 .*pull.*\n +2 .*pull.*another session/);
  const [last] = JSON.parse((await desk.ccsync("undo", "--list", "--json")).stdout);
  assert.deepEqual([last.id, last.command, last.files, last.sessions[0].id], [3, "pull", 1, id]);
  const report = JSON.parse((await desk.ccsync("undo", "2", "--json")).stdout);
  assert.deepEqual(report.files.map(({ action }: { action: string }) => action), ["remove"]);
  assert.ok(!desk.has(other));
  const { code, stderr } = await desk.try("undo", "1");
  assert.equal(code, EXIT_CODES.partial, "operation 3 went on where 1 ended");
  assert.match(stderr, /it was changed since/);
  for (const wrong of ["99", "x", "-1", "0"]) {
    assert.equal((await desk.try("undo", "--", wrong)).code, EXIT_CODES.usage);
  }
  assert.equal((await desk.try("undo", "1", "--list")).code, EXIT_CODES.usage);
});

Deno.test("undo where nothing was changed says so", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  assert.match((await desk.ccsync("undo")).stdout, /nothing to undo/);
  assert.match((await desk.ccsync("undo", "--list")).stderr, /nothing to undo/);
  assert.equal((await desk.ccsync("undo", "--json")).stdout, "null\n");
});
