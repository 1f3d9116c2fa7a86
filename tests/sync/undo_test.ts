/**
 * Undoing where something is wrong: a kill at any point, a journal that lies, backups that are gone.
 *
 * @module
 */
import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import type { SessionId } from "../../src/brands.ts";
import { CcsyncError } from "../../src/errors.ts";
import { type Change, Journal, type Operation } from "../../src/machine/journal.ts";
import { pull } from "../../src/sync/pull.ts";
import { push } from "../../src/sync/push.ts";
import { undo, type UndoReport } from "../../src/sync/undo.ts";
import { openWorkspace } from "../support/workspace.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

function line(machine: TestMachine, id: string, text: string): string {
  const cwd = join(machine.projects, "app");
  return promptLine({ id, cwd, text: `${text} in ${cwd}` });
}

const EVERYTHING = { isDryRun: false, all: false, isForced: false };

async function pushed(machine: TestMachine): Promise<void> {
  await using workspace = openWorkspace(machine);
  const { failed } = await push(workspace, EVERYTHING);
  assert.deepEqual(failed, []);
}

async function pulled(machine: TestMachine): Promise<void> {
  await using workspace = openWorkspace(machine);
  const { failed } = await pull(workspace, EVERYTHING);
  assert.deepEqual(failed, []);
}

async function undone(machine: TestMachine, id?: number): Promise<UndoReport> {
  await using workspace = openWorkspace(machine);
  const report = await undo(workspace, { isDryRun: false, ...(id === undefined ? {} : { id }) });
  return report ?? assert.fail("nothing to undo");
}

function operationsOf(machine: TestMachine): Operation[] {
  return new Journal(machine.ccsyncHome, Date.now).operations();
}

function operationPath(machine: TestMachine, id: number): string {
  return join(machine.ccsyncHome, "backups/operations", `${id}.jsonl`);
}

/**
 * Returns a laptop and a desk on which the last operation, 2, merged so many sessions: each is one change, for
 * the desk's lines say nothing that would need a fork.
 */
async function merged(
  world: World,
  count: number,
): Promise<{ laptop: TestMachine; desk: TestMachine; ids: string[]; before: string[] }> {
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "work" });
  const ids = Array.from({ length: count }, (_, i) => {
    const id = `${i}${crypto.randomUUID().slice(1)}`;
    laptop.write(id, line(laptop, id, "common"));
    return id;
  });
  await pushed(laptop);
  await pulled(desk);
  for (const id of ids) {
    laptop.append(id, line(laptop, id, "on laptop"));
    const title = { type: "custom-title", customTitle: "on desk", sessionId: id };
    desk.append(id, JSON.stringify(title) + "\n");
  }
  await pushed(laptop);
  const before = ids.map((id) => desk.read(id));
  await pulled(desk);
  return { laptop, desk, ids, before };
}

function copyTree(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { isDirectory, name } of Deno.readDirSync(from)) {
    if (isDirectory) copyTree(join(from, name), join(to, name));
    else {
      Deno.copyFileSync(join(from, name), join(to, name));
      const { mtime } = Deno.statSync(join(from, name));
      Deno.utimeSync(join(to, name), mtime ?? 0, mtime ?? 0);
    }
  }
}

Deno.test("an undo that was killed at any point is finished by running it again", async () => {
  await using world = await World.create();
  const { desk, ids, before, laptop } = await merged(world, 3);
  const after = ids.map((id) => desk.read(id));
  const read = () => ids.map((id) => desk.read(id));
  const saved = join(world.folder, "saved");
  copyTree(desk.home, saved);
  await undone(desk);
  assert.deepEqual(read(), before);
  const journal = Deno.readTextFileSync(operationPath(desk, 3)).trimEnd().split("\n");
  assert.equal(journal.length, 1 + ids.length + 1, "a header, a line for each file, and the end");
  const order = operationsOf(desk)[0]?.changes.map(({ path }) => path) ?? [];
  // Killed when so many lines were written, the last of them torn or not, and all but one file placed or all.
  for (let lines = 1; lines <= 1 + ids.length; lines++) {
    for (
      const [isTorn, placed] of [[true, lines - 2], [false, lines - 2], [false, lines - 1]] as const
    ) {
      if (placed < 0) continue;
      const backups = join(world.folder, "backups");
      copyTree(join(desk.ccsyncHome, "backups/objects"), backups);
      Deno.removeSync(desk.home, { recursive: true });
      copyTree(saved, desk.home);
      copyTree(backups, join(desk.ccsyncHome, "backups/objects"));
      const text = journal.slice(0, lines).join("\n") + "\n";
      Deno.writeTextFileSync(operationPath(desk, 3), isTorn ? text.slice(0, -20) : text);
      for (const path of order.slice(0, placed)) {
        Deno.writeTextFileSync(path, before[ids.indexOf(basename(path, ".jsonl"))] ?? "");
      }
      const what = `${lines} lines, ${isTorn ? "torn, " : ""}${placed} placed`;
      const isBegun = lines > 1 || !isTorn;
      const { left, operation } = await undone(desk);
      assert.deepEqual(left, [], what);
      assert.equal(operation.id, 2, what);
      assert.deepEqual(read(), before, what);
      assert.equal(operationsOf(desk)[0]?.id, isBegun ? 3 : 4, what);
      await undone(desk);
      assert.deepEqual(read(), after, `${what}: taken back as a whole`);
    }
  }
  await undone(desk);
  await pushed(desk);
  await pulled(laptop);
  for (const id of ids) assert.equal(laptop.read(id).split("on desk").length, 2);
});

/** Changes the journal of operation 2 on a machine, and returns what undoing it does. */
async function withJournal(
  desk: TestMachine,
  change: (lines: string[]) => string[],
): Promise<UndoReport> {
  const path = operationPath(desk, 2);
  const lines = Deno.readTextFileSync(path).trimEnd().split("\n");
  Deno.writeTextFileSync(path, change(lines).join("\n") + "\n");
  return await undone(desk, 2);
}

/** Returns the lines with the first change made another one. */
function firstChange(lines: readonly string[], edit: (change: Change) => unknown): string[] {
  return lines.map((line, i) => i === 1 ? JSON.stringify(edit(JSON.parse(line) as Change)) : line);
}

Deno.test("undo writes nowhere but to files that ccsync syncs; all others go on", async () => {
  await using world = await World.create();
  const { desk, ids, before } = await merged(world, 2);
  const [first = "", second = ""] = ids;
  const claude = desk.claude;
  const transcript = desk.transcriptPath(first);
  const outside = [
    join(desk.home, ".bashrc"),
    join(claude, "..", ".bashrc"),
    `${claude}/projects/../../.bashrc`,
    `${claude}-other/x.jsonl`,
    claude,
    "relative.jsonl",
    "",
    join(claude, "settings.json"),
    join(claude, ".credentials.json"),
    join(claude, "shell-snapshots/x.sh"),
    join(claude, "unknown/file"),
  ];
  const original = Deno.readTextFileSync(operationPath(desk, 2));
  const merges = ids.map((id) => desk.read(id));
  for (const path of outside) {
    const { files, left } = await withJournal(desk, (lines) =>
      firstChange(lines, (change) => ({
        ...change,
        path,
        effect: {
          kind: "replace",
          before: { ...(change.effect as { before: object }).before },
          after: null,
        },
      })));
    assert.deepEqual(left.map(({ why }) => why.replace(/directory|syncs/, "")).length, 1, path);
    assert.match(
      left[0]?.why ?? "",
      /not in Claude Code's directory|no file that ccsync syncs/,
      path,
    );
    assert.deepEqual(files.map((file) => file.session?.id), [second], path);
    assert.equal(desk.read(first), merges[0]);
    assert.equal(desk.read(second), before[1]);
    assert.deepEqual([...Deno.readDirSync(desk.home)].map(({ name }) => name).sort(), [
      ".claude",
      ".claude-session-sync",
      "work",
    ]);
    Deno.writeTextFileSync(operationPath(desk, 2), original);
    desk.write(second, merges[1] ?? "");
  }
  const owner = (change: Change) => ({
    ...change,
    owner: { ...change.owner, session: "../x" as SessionId },
  });
  const { left } = await withJournal(desk, (lines) => firstChange(lines, owner));
  assert.match(left[0]?.why ?? "", /its journal contradicts itself/);
  assert.equal(Deno.readTextFileSync(transcript), merges[0]);
});

Deno.test("undo refuses a damaged or missing backup and damaged lines; all others go on", async () => {
  await using world = await World.create();
  const { desk, ids, before } = await merged(world, 4);
  const merges = ids.map((id) => desk.read(id));
  const [, ...changes] = Deno.readTextFileSync(operationPath(desk, 2)).trimEnd().split("\n");
  const objects = changes.map((line) => {
    const { effect } = JSON.parse(line) as Change;
    const hash = effect.kind === "replace" ? effect.before?.hash : undefined;
    return join(desk.ccsyncHome, "backups/objects", hash ?? "");
  });
  Deno.writeTextFileSync(objects[0] ?? "", "damaged");
  Deno.removeSync(objects[1] ?? "");
  const { files, left } = await withJournal(desk, (lines) => lines.with(3, "garbage"));
  assert.deepEqual(files.map(({ session }) => session?.id), [ids[3]]);
  assert.deepEqual(left.map(({ why }) => why), [
    "1 line of its journal is damaged",
    "its backup is damaged",
    "its backup is missing",
  ]);
  assert.deepEqual(ids.map((id) => desk.read(id)), [...merges.slice(0, 3), before[3]]);
});

Deno.test("undo follows and replaces no link", async () => {
  if (Deno.build.os === "windows") return;
  await using world = await World.create();
  const { desk, ids } = await merged(world, 2);
  const [first = "", second = ""] = ids;
  const path = desk.transcriptPath(first);
  const elsewhere = join(world.folder, "elsewhere");
  Deno.renameSync(path, elsewhere);
  Deno.symlinkSync(elsewhere, path);
  const content = Deno.readTextFileSync(elsewhere);
  const { files, left } = await undone(desk);
  assert.deepEqual(files.map(({ session }) => session?.id), [second]);
  assert.match(left[0]?.why ?? "", /is a link/);
  assert.equal(Deno.readTextFileSync(elsewhere), content);
  assert.ok(Deno.lstatSync(path).isSymlink);

  const project = dirname(path);
  const moved = join(world.folder, "moved");
  Deno.renameSync(project, moved);
  Deno.symlinkSync(moved, project);
  const names = () => [...Deno.readDirSync(moved)].map(({ name }) => name).sort();
  const before = [names(), Deno.readTextFileSync(join(moved, `${second}.jsonl`))];
  const report = await undone(desk, 2);
  assert.deepEqual(report.files, []);
  assert.equal(report.left.length, 2);
  assert.deepEqual([names(), Deno.readTextFileSync(join(moved, `${second}.jsonl`))], before);
});

Deno.test("a restored file has a time that survives the clean-up, and its own permissions", async () => {
  await using world = await World.create();
  const { desk, ids } = await merged(world, 1);
  const [id = ""] = ids;
  const times = [
    [5, 5],
    [40, 0],
  ] as const;
  for (const [daysAgo, expected] of times) {
    await withJournal(desk, (lines) =>
      firstChange(lines, ({ effect, ...change }) => {
        const before = effect.kind === "replace" ? effect.before : null;
        const mtimeMs = Date.now() - daysAgo * 86_400_000;
        return { ...change, effect: { ...effect, before: { ...before, mtimeMs, mode: 0o640 } } };
      }));
    const { mode, mtime } = Deno.statSync(desk.transcriptPath(id));
    const age = (Date.now() - (mtime?.getTime() ?? 0)) / 86_400_000;
    assert.ok(Math.abs(age - expected) < 0.1, `${daysAgo} days: ${age}`);
    if (Deno.build.os !== "windows") assert.equal((mode ?? 0) & 0o777, 0o640);
    await undone(desk);
  }
});

/** Runs the work while somebody writes to a file right before it is replaced or removed. */
async function whileWritten<T>(path: string, text: string, work: () => Promise<T>): Promise<T> {
  const { removeSync, renameSync } = Deno;
  const write = (at: string | URL) => {
    if (at === path) Deno.writeTextFileSync(path, text, { append: true });
  };
  Deno.renameSync = (from, to) => {
    write(to);
    renameSync(from, to);
  };
  Deno.removeSync = (at, options) => {
    write(at);
    removeSync(at, options);
  };
  try {
    return await work();
  } finally {
    Object.assign(Deno, { removeSync, renameSync });
  }
}

Deno.test("a line that Claude Code writes at the last moment is not lost by undo", async () => {
  if (Deno.build.os === "windows") return;
  await using world = await World.create();
  const { desk, ids, before } = await merged(world, 1);
  const [id = ""] = ids;
  const [path, late] = [desk.transcriptPath(id), line(desk, id, "late")];
  const restored = await whileWritten(path, late, () => undone(desk));
  assert.deepEqual(restored.left, []);
  assert.equal(desk.read(id), before[0] + late);
  const now = desk.read(id);
  const created = operationsOf(desk).find((one) => one.id === 1);
  assert.equal(created?.changes[0]?.path, path);
  const { files, left } = await undone(desk, 1);
  assert.deepEqual([files.length, left.length], [0, 1]);
  assert.equal(desk.read(id), now);
});

Deno.test("a new session that Claude Code goes on with at the last moment is not removed by undo", async () => {
  if (Deno.build.os === "windows") return;
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "work" });
  const id = crypto.randomUUID();
  laptop.write(id, line(laptop, id, "common"));
  await pushed(laptop);
  await pulled(desk);
  const [content, late] = [desk.read(id), line(desk, id, "late")];
  const { files, left } = await whileWritten(
    desk.transcriptPath(id),
    late,
    () => undone(desk),
  );
  assert.deepEqual(files, []);
  assert.match(left[0]?.why ?? "", /it was changed since/);
  assert.equal(desk.read(id), content + late);
});

Deno.test("undo of an append that completed a torn line cuts at the end of a line", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "work" });
  const id = crypto.randomUUID();
  laptop.write(id, line(laptop, id, "common"));
  await pushed(laptop);
  await pulled(desk);
  const whole = desk.read(id);
  laptop.append(id, line(laptop, id, "on laptop"));
  await pushed(laptop);
  const torn = laptop.read(id).replaceAll(laptop.projects, desk.projects).slice(0, -30);
  desk.write(id, torn);
  await pulled(desk);
  const complete = desk.read(id);
  assert.ok(complete.startsWith(torn) && complete.endsWith("\n"));
  await undone(desk);
  assert.equal(desk.read(id), whole);
  assert.deepEqual((await undone(desk, 2)).left, [], "done already");
  await pulled(desk);
  assert.equal(desk.read(id), complete);
});

Deno.test("undo of an append leaves a line alone that was edited in its place", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "work" });
  const id = crypto.randomUUID();
  laptop.write(id, line(laptop, id, "common"));
  await pushed(laptop);
  await pulled(desk);
  laptop.append(id, line(laptop, id, "on laptop"));
  await pushed(laptop);
  await pulled(desk);
  const edited = desk.read(id).replace("on laptop", "on latpop");
  desk.write(id, edited);
  const { files, left } = await undone(desk);
  assert.deepEqual([files.length, left.length], [0, 1]);
  assert.equal(desk.read(id), edited);
});

Deno.test("undo with a number that nothing has is refused", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  await assert.rejects(undone(desk, 7), (error) => {
    return error instanceof CcsyncError && error.kind === "usage" &&
      error.message === 'cannot undo "7": there is no such operation';
  });
});
