/**
 * Memory and `CLAUDE.md` between machines, with the program itself: one set for all machines.
 *
 * @module
 */
import "../support/in_process.ts";
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { projectDirName } from "../../src/translate/project_dir.ts";
import { FIXTURES, promptLine, type TestMachine, World } from "../support/world.ts";

const RECORDED = "alice/.claude/projects/-home-alice-projects-app/memory";

/** Returns where a note lies on a machine. */
function note(machine: TestMachine, name: string, project = "app"): string {
  const directory = projectDirName(machine.own(join(machine.projects, project)));
  return join(machine.claude, "projects", directory, "memory", name);
}

const claudeMd = (machine: TestMachine) => join(machine.claude, "CLAUDE.md");

function put(path: string, text: string): void {
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.writeTextFileSync(path, text);
}

/** Returns a file's text, `undefined` where there is none. */
function get(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Makes a project known by a session in one of its directories. */
function work(machine: TestMachine, directory = "app"): void {
  const id = crypto.randomUUID();
  machine.write(
    id,
    promptLine({ id, cwd: machine.own(join(machine.projects, directory)), text: "hello" }),
    directory,
  );
}

/** Returns two machines with other paths and the project's first notes on both. */
async function twoMachines(
  world: World,
  notes: Readonly<Record<string, string>>,
): Promise<[TestMachine, TestMachine]> {
  const [laptop, desk] = [
    await world.joined("laptop"),
    await world.joined("desk", { projects: "my work" }),
  ];
  work(laptop);
  for (const [name, text] of Object.entries(notes)) put(note(laptop, name), text);
  await sync(laptop, desk);
  return [laptop, desk];
}

async function sync(...machines: readonly TestMachine[]): Promise<void> {
  for (const machine of machines) {
    await machine.ccsync("push");
    await machine.ccsync("pull");
  }
}

/** Asserts that a note reads alike on both machines, each with its own paths, and returns it. */
function converged(a: TestMachine, b: TestMachine, name: string): string | undefined {
  const [one, other] = [a, b].map((machine) => {
    const text = get(note(machine, name));
    return text === undefined ? undefined : machine.neutral(text);
  });
  assert.equal(one, other);
  return get(note(a, name));
}

/** Returns the contents of a machine's backups. */
function backups(machine: TestMachine): string[] {
  const objects = join(machine.ccsyncHome, "backups/objects");
  return [...Deno.readDirSync(objects)].map(({ name }) =>
    Deno.readTextFileSync(join(objects, name))
  );
}

Deno.test("recorded memory and CLAUDE.md go to another machine with its own paths", async () => {
  await using world = await World.create();
  const [laptop, desk] = [
    await world.joined("laptop"),
    await world.joined("desk", { projects: "my work" }),
  ];
  work(laptop);
  const names = ["MEMORY.md", "likes-tabs.md"];
  for (const name of names) {
    const recorded = Deno.readTextFileSync(join(FIXTURES, RECORDED, name));
    put(note(laptop, name), laptop.localise(recorded));
  }
  put(claudeMd(laptop), `Projects are in ${laptop.own(laptop.projects)}.\n`);
  await laptop.ccsync("push");
  for (const name of (await world.hubFiles()).filter((name) => /^(?:memory|claude)\//.test(name))) {
    assert.ok(!(await world.hubFile(name)).includes(laptop.home), name);
  }
  await desk.ccsync("pull");
  assert.match(converged(laptop, desk, "likes-tabs.md") ?? "", /projects\/app\/src/);
  const there = desk.own(join(desk.projects, "app/src"));
  assert.ok(get(note(desk, "likes-tabs.md"))?.includes(there));
  assert.equal(get(claudeMd(desk)), `Projects are in ${desk.own(desk.projects)}.\n`);
});

Deno.test("memory alone makes a commit; nothing new makes none", async () => {
  await using world = await World.create();
  const [laptop] = await twoMachines(world, { "MEMORY.md": "one\n" });
  const head = async () => (await world.git("rev-parse", "main")).stdout;
  const before = await head();
  assert.match((await laptop.ccsync("push")).stdout, /nothing to push/);
  assert.equal(await head(), before);
  put(note(laptop, "MEMORY.md"), "one\ntwo\n");
  await laptop.ccsync("push");
  assert.notEqual(await head(), before);
});

Deno.test("two machines edit different lines of a note", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world, { "MEMORY.md": "one\ntwo\nthree\n" });
  put(note(laptop, "MEMORY.md"), "one by laptop\ntwo\nthree\n");
  put(note(desk, "MEMORY.md"), `one\ntwo\nthree by desk in ${desk.own(desk.projects)}\n`);
  await sync(laptop, desk, laptop);
  assert.equal(
    converged(laptop, desk, "MEMORY.md"),
    `one by laptop\ntwo\nthree by desk in ${laptop.own(laptop.projects)}\n`,
  );
});

Deno.test("two machines edit the same line of a note: both stay", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world, { "MEMORY.md": "one\ntwo\nthree\n" });
  put(note(laptop, "MEMORY.md"), "one\ntwo by laptop\nthree\n");
  put(note(desk, "MEMORY.md"), "one\ntwo by desk\nthree\n");
  await sync(laptop, desk, laptop);
  const merged = "one\ntwo by laptop\ntwo by desk\nthree\n";
  assert.equal(converged(laptop, desk, "MEMORY.md"), merged);
  await sync(desk, laptop);
  assert.equal(converged(laptop, desk, "MEMORY.md"), merged, "merging again changes nothing");
});

Deno.test("one machine deletes a note: it goes everywhere, and stays in the backup", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world, { "MEMORY.md": "index\n", "old.md": "old\n" });
  await Deno.remove(note(laptop, "old.md"));
  await sync(laptop, desk);
  assert.equal(converged(laptop, desk, "old.md"), undefined);
  assert.ok(!(await world.hubFiles()).some((name) => name.endsWith("/old.md")));
  assert.deepEqual(backups(desk), ["old\n"]);
});

Deno.test("one machine deletes a note that the other one edits: the edit stays", async () => {
  await using world = await World.create();
  const notes = { "MEMORY.md": "index\n", "a.md": "a\n", "b.md": "b\n" };
  const [laptop, desk] = await twoMachines(world, notes);
  await Deno.remove(note(laptop, "a.md"));
  put(note(desk, "a.md"), "a by desk\n");
  put(note(laptop, "b.md"), "b by laptop\n");
  await Deno.remove(note(desk, "b.md"));
  await sync(laptop, desk, laptop);
  assert.equal(converged(laptop, desk, "a.md"), "a by desk\n");
  assert.equal(converged(laptop, desk, "b.md"), "b by laptop\n");
});

Deno.test("two machines add a note of the same name: both texts stay", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world, { "MEMORY.md": "index\n" });
  const text = (by: string) => `---\nname: new\nby: ${by}\n---\n\nWhat ${by} found.\n`;
  put(note(laptop, "new.md"), text("laptop"));
  put(note(desk, "new.md"), text("desk"));
  await sync(laptop, desk, laptop);
  assert.equal(
    converged(laptop, desk, "new.md"),
    "---\nname: new\nby: laptop\nby: desk\n---\n\nWhat laptop found.\n\nWhat desk found.\n",
  );
});

Deno.test("a pull merges what was not pushed yet, and keeps the old set", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world, { "MEMORY.md": "one\ntwo\n" });
  put(note(laptop, "MEMORY.md"), "one by laptop\ntwo\n");
  put(note(laptop, "more.md"), "more\n");
  await laptop.ccsync("push");
  put(note(desk, "MEMORY.md"), "one\ntwo\nthree by desk\n");
  put(note(desk, "own.md"), "own\n");
  await desk.ccsync("pull");
  assert.equal(get(note(desk, "MEMORY.md")), "one by laptop\ntwo\nthree by desk\n");
  assert.equal(get(note(desk, "more.md")), "more\n");
  assert.equal(get(note(desk, "own.md")), "own\n");
  assert.deepEqual(backups(desk), ["one\ntwo\nthree by desk\n"]);
  await sync(desk, laptop);
  for (const name of ["MEMORY.md", "more.md", "own.md"]) {
    assert.notEqual(converged(laptop, desk, name), undefined);
  }
});

Deno.test("CLAUDE.md is merged and deleted like a note", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world, { "MEMORY.md": "index\n" });
  put(claudeMd(laptop), "# Rules\n\n- tabs\n");
  await sync(laptop, desk);
  put(claudeMd(laptop), "# Rules\n\n- tabs\n- by laptop\n");
  put(claudeMd(desk), "# Rules\n\n- spaces\n");
  await sync(desk, laptop, desk);
  const merged = "# Rules\n\n- spaces\n- by laptop\n";
  assert.deepEqual([laptop, desk].map((machine) => get(claudeMd(machine))), [merged, merged]);
  await Deno.remove(claudeMd(desk));
  await sync(desk, laptop);
  assert.equal(get(claudeMd(laptop)), undefined);
  assert.ok(backups(laptop).includes(merged));
});

Deno.test("a removed memory folder is no deletion: the next pull brings it back", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world, { "MEMORY.md": "index\n", "a.md": "a\n" });
  await Deno.remove(dirname(note(desk, "MEMORY.md")), { recursive: true });
  await desk.ccsync("push");
  await laptop.ccsync("pull");
  assert.equal(get(note(laptop, "a.md")), "a\n");
  await desk.ccsync("pull");
  assert.equal(converged(laptop, desk, "a.md"), "a\n");
});

Deno.test("a lost state loses no note, doubles no line, and deletes nothing", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world, { "MEMORY.md": "one\ntwo\n", "a.md": "a\n" });
  put(note(desk, "MEMORY.md"), "one\ntwo\nthree\n");
  await Deno.remove(note(desk, "a.md"));
  for (const name of ["state.db", "state.db-wal", "state.db-shm"]) {
    await Deno.remove(join(desk.ccsyncHome, name)).catch(() => undefined);
  }
  await sync(desk, laptop);
  assert.equal(converged(laptop, desk, "MEMORY.md"), "one\ntwo\nthree\n");
  assert.equal(converged(laptop, desk, "a.md"), "a\n");
});

Deno.test("three machines change the same notes at once, push at once, and converge", async () => {
  await using world = await World.create();
  const machines = [
    await world.joined("a"),
    await world.joined("b", { projects: "bb" }),
    await world.joined("c"),
  ];
  const [a, b, c] = machines;
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  work(a);
  put(note(a, "MEMORY.md"), "one\ntwo\n");
  await sync(...machines);
  for (const machine of machines) {
    put(note(machine, "MEMORY.md"), `one\ntwo by ${machine.id}\nadded by ${machine.id}\n`);
    put(note(machine, "same.md"), `by ${machine.id} in ${machine.own(machine.projects)}\n`);
    put(claudeMd(machine), `rule of ${machine.id}\n`);
  }
  await Promise.all(machines.map((machine) => machine.ccsync("push")));
  await sync(...machines, ...machines);
  for (const other of [b, c]) {
    for (const name of ["MEMORY.md", "same.md"]) converged(a, other, name);
    assert.equal(get(claudeMd(a)), get(claudeMd(other)));
  }
  for (const { id } of machines) {
    const index: string = get(note(a, "MEMORY.md")) ?? "";
    for (const text of [`two by ${id}`, `added by ${id}`]) {
      assert.equal(index.split(`${text}\n`).length, 2, `"${text}" once in ${index}`);
    }
    assert.match(get(claudeMd(a)) ?? "", new RegExp(`rule of ${id}\n`));
  }
});

Deno.test("sub-directories and worktrees use the memory of the git root", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "work" });
  work(laptop, "app/src/deep");
  put(note(laptop, "MEMORY.md"), "of the root\n");
  put(
    join(laptop.projects, "trees/one/.git"),
    `gitdir: ${join(laptop.projects, "repo/.git/worktrees/one")}\n`,
  );
  work(laptop, "trees/one");
  put(note(laptop, "MEMORY.md", "repo"), "of the repository\n");
  const { stderr } = await laptop.ccsync("push");
  assert.doesNotMatch(stderr, /skipped/);
  await desk.ccsync("pull");
  assert.equal(get(note(desk, "MEMORY.md")), "of the root\n");
  assert.equal(get(note(desk, "MEMORY.md", "repo")), "of the repository\n");
});

Deno.test("memory outside the sync directories stays, CLAUDE.md goes; --all takes all", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  work(laptop, "../elsewhere");
  put(note(laptop, "MEMORY.md", "../elsewhere"), "outside\n");
  put(claudeMd(laptop), "rules\n");
  await laptop.ccsync("push");
  const shared = async () => {
    return (await world.hubFiles()).filter((name) => /^(?:memory|claude)\//.test(name));
  };
  assert.deepEqual(await shared(), ["claude/CLAUDE.md"]);
  await laptop.ccsync("push", "--all");
  assert.match(
    (await shared()).join("\n"),
    /^memory\/HOME-elsewhere-[0-9a-f]{16}\/files\/MEMORY\.md$/m,
  );
});

Deno.test("links and names that not every system allows are refused with a report", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world, { "MEMORY.md": "index\n", "a.md": "a\n" });
  const secret = join(world.folder, "secret");
  put(secret, "secret\n");
  await Deno.remove(note(laptop, "a.md"));
  Deno.symlinkSync(secret, note(laptop, "a.md"));
  Deno.symlinkSync(secret, claudeMd(laptop));
  put(note(laptop, "a:b.md"), "x\n");
  const { stderr } = await laptop.ccsync("push");
  assert.match(stderr, /a\.md.*it is a link/);
  assert.match(stderr, /CLAUDE\.md.*it is a link/);
  assert.match(stderr, /a:b\.md.*not every system allows/);
  put(note(desk, "a.md"), "a by desk\n");
  put(claudeMd(desk), "rules\n");
  await desk.ccsync("push");
  await laptop.ccsync("pull");
  assert.equal(get(secret), "secret\n");
  assert.ok(Deno.lstatSync(note(laptop, "a.md")).isSymlink);
});

Deno.test("memory of a project whose placeholder is unknown here comes as soon as it is mapped", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  await laptop.ccsync("config", "add-placeholder", `WORK=${laptop.home}/work`);
  work(laptop, "../work/app");
  put(
    note(laptop, "MEMORY.md", "../work/app"),
    `in ${laptop.own(join(laptop.home, "work/app"))}\n`,
  );
  await laptop.ccsync("push", "--all");
  const desk = await world.joined("desk");
  const { stderr } = await desk.try("pull");
  assert.match(
    stderr,
    /WORK has no path on this machine; run: ccsync config add-placeholder WORK=/,
  );
  await desk.ccsync("config", "add-placeholder", `WORK=${desk.projects}/deep`);
  await desk.ccsync("pull");
  const there = desk.own(join(desk.projects, "deep/app"));
  assert.equal(get(note(desk, "MEMORY.md", "deep/app")), `in ${there}\n`);
});

Deno.test("moving the projects folder takes its memory along", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world, { "MEMORY.md": "index\n" });
  put(note(laptop, "a.md"), `in ${laptop.own(join(laptop.projects, "app"))}\n`);
  await sync(laptop, desk);
  const old = note(desk, "a.md");
  put(note(desk, "MEMORY.md"), `index\nbefore the move in ${desk.own(desk.projects)}\n`);
  const moved = join(desk.home, "moved");
  await desk.ccsync("config", "set-path", "PROJECTS", "desk", moved);
  await sync(desk);
  const project = desk.own(join(moved, "app"));
  const directory = join(desk.claude, "projects", projectDirName(project), "memory");
  assert.equal(get(join(directory, "a.md")), `in ${project}\n`);
  assert.equal(get(join(directory, "MEMORY.md")), `index\nbefore the move in ${desk.own(moved)}\n`);
  assert.equal(get(old), undefined);
  await laptop.ccsync("pull");
  assert.equal(
    get(note(laptop, "MEMORY.md")),
    `index\nbefore the move in ${laptop.own(laptop.projects)}\n`,
  );
});

Deno.test("--dry-run tells of notes and writes nothing", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world, { "MEMORY.md": "one\n", "a.md": "a\n" });
  put(note(laptop, "MEMORY.md"), "one\ntwo\n");
  await Deno.remove(note(laptop, "a.md"));
  const { stdout: head } = await world.git("rev-parse", "main");
  const push = await laptop.ccsync("push", "--dry-run");
  assert.match(push.stdout + push.stderr, /MEMORY\.md/);
  assert.equal((await world.git("rev-parse", "main")).stdout, head);
  await laptop.ccsync("push");
  const pull = await desk.ccsync("pull", "--dry-run");
  assert.match(pull.stdout + pull.stderr, /MEMORY\.md/);
  assert.equal(get(note(desk, "MEMORY.md")), "one\n");
  assert.equal(get(note(desk, "a.md")), "a\n");
  await desk.ccsync("pull");
  assert.equal(converged(laptop, desk, "MEMORY.md"), "one\ntwo\n");
  assert.equal(converged(laptop, desk, "a.md"), undefined);
});
