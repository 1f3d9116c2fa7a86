/**
 * Shared texts between machines, on real git.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { LocalPath, PlaceholderName } from "../../src/brands.ts";
import { receiveMemory } from "../../src/sync/memory/receive.ts";
import { gatherMemory } from "../../src/sync/memory/view.ts";
import { actions, type Machine, Shared, sync } from "./support.ts";

const OTHER = "OTHER" as PlaceholderName;

Deno.test("notes and CLAUDE.md go to another machine with its paths, and nothing goes twice", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b", { projects: "my work" })];
  a.session();
  a.write("MEMORY.md", "- [Tabs](tabs.md)\n");
  a.write("deep/tabs.md", `See ${a.projects}/app/src, and ${a.home}/x.\r\n`);
  a.write(a.claudeMd, `Work in ${a.projects}.\n`);
  assert.deepEqual(actions(await a.push()), [
    "send CLAUDE.md",
    "send MEMORY.md",
    "send deep/tabs.md",
  ]);
  assert.equal(await shared.text("deep/tabs.md"), "See {{PROJECTS}}/app/src, and {{HOME}}/x.\r\n");
  assert.deepEqual(actions(await b.pull()), [
    "take CLAUDE.md",
    "take MEMORY.md",
    "take deep/tabs.md",
  ]);
  assert.equal(b.read("deep/tabs.md"), `See ${b.projects}/app/src, and ${b.home}/x.\r\n`);
  assert.equal(b.read(b.claudeMd), `Work in ${b.projects}.\n`);
  for (const machine of [a, b]) {
    assert.deepEqual(actions(await machine.push()), []);
    assert.deepEqual(actions(await machine.pull()), []);
  }
  assert.deepEqual(b.backups, []);
});

Deno.test("the hub's layout: a readable key, the project beside the files", async () => {
  await using shared = await Shared.create();
  const a = shared.machine("a");
  a.session();
  a.write("MEMORY.md", "x\n");
  a.write(a.claudeMd, "y\n");
  await a.push();
  assert.deepEqual((await shared.files()).map((name) => name.replace(/[0-9a-f]{16}/, "KEY")), [
    "ccsync.json",
    "claude/CLAUDE.md",
    "memory/PROJECTS-app-KEY/files/MEMORY.md",
    "memory/PROJECTS-app-KEY/project.json",
  ]);
  assert.equal(await shared.text("project.json"), '{"project":"{{PROJECTS}}/app"}\n');
});

Deno.test("edits of different lines come together, of neighbouring lines too", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b", { projects: "work" })];
  a.session();
  a.write("MEMORY.md", "one\ntwo\nthree\nfour\n");
  await sync(a, b);
  a.write("MEMORY.md", "ONE\ntwo\nTHREE\nfour\n");
  b.write("MEMORY.md", `one\nTWO\nthree\nfour\nfive ${b.projects}\n`);
  await a.push();
  assert.deepEqual(actions(await b.push()), ["merge MEMORY.md"]);
  assert.equal(
    await shared.text("MEMORY.md"),
    "ONE\nTWO\nTHREE\nfour\nfive {{PROJECTS}}\n",
  );
  assert.deepEqual(actions(await b.pull()), ["take MEMORY.md"]);
  assert.deepEqual(actions(await a.pull()), ["take MEMORY.md"]);
  assert.deepEqual(a.neutral(), b.neutral());
  assert.deepEqual([...actions(await a.push()), ...actions(await b.push())], []);
});

Deno.test("of the same line both edits stay, the hub's first", async () => {
  await using shared = await Shared.create();
  const [a, b] = await shared.pair({ "MEMORY.md": "one\ntwo\nthree\n" });
  a.write("MEMORY.md", "one\ntwo by a\nthree\n");
  b.write("MEMORY.md", "one\ntwo by b\nthree\n");
  await a.push();
  assert.deepEqual(actions(await b.pull()), ["merge MEMORY.md"]);
  assert.equal(b.read("MEMORY.md"), "one\ntwo by a\ntwo by b\nthree\n");
  assert.deepEqual(b.backups, ["one\ntwo by b\nthree\n"]);
  await sync(b, a);
  assert.deepEqual(a.neutral(), b.neutral());
});

Deno.test("a deletion is shared, and the old text is in the backup", async () => {
  await using shared = await Shared.create();
  const [a, b] = await shared.pair({ "MEMORY.md": "index\n", "deep/old.md": "old\n" });
  a.remove("deep/old.md");
  assert.deepEqual(actions(await a.pull()), [], "it does not come back before the push");
  assert.deepEqual(actions(await a.push()), ["delete deep/old.md"]);
  assert.deepEqual(actions(await b.pull()), ["delete deep/old.md"]);
  assert.deepEqual(b.neutral(), { "MEMORY.md": "index\n" });
  assert.deepEqual(b.backups, ["old\n"]);
  assert.throws(() => Deno.lstatSync(b.memory("deep")), Deno.errors.NotFound);
  assert.deepEqual([...actions(await b.push()), ...actions(await a.pull())], []);
});

Deno.test("an edit beats a deletion, whoever is first", async () => {
  for (const isDeletionFirst of [true, false]) {
    await using shared = await Shared.create();
    const [a, b] = await shared.pair({ "MEMORY.md": "index\n", "note.md": "note\n" });
    a.remove("note.md");
    b.write("note.md", "note, edited\n");
    await sync(...(isDeletionFirst ? [a, b] : [b, a]));
    await sync(a, b);
    assert.equal(a.read("note.md"), "note, edited\n");
    assert.deepEqual(a.neutral(), b.neutral());
  }
});

Deno.test("of two notes of one name both texts stay, each field and line once", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b")];
  a.session();
  b.session();
  const note = (by: string) => `---\nname: note\nauthor: ${by}\n---\n\nIn common.\nBy ${by}.\n`;
  a.write("note.md", note("a"));
  b.write("note.md", note("b"));
  await sync(a, b, a);
  assert.deepEqual(a.neutral(), b.neutral());
  assert.equal(
    a.read("note.md"),
    "---\nname: note\nauthor: a\nauthor: b\n---\n\nIn common.\nBy a.\nBy b.\n",
  );
});

Deno.test("a removed folder is no deletion, even where Claude Code made a new one", async () => {
  await using shared = await Shared.create();
  const [, b] = await shared.pair({ "MEMORY.md": "index\n", "note.md": "note\n" });
  b.remove("");
  assert.deepEqual(actions(await b.push()), []);
  Deno.mkdirSync(b.memory());
  assert.deepEqual(actions(await b.push()), []);
  b.write("MEMORY.md", "index\nnew\n");
  assert.deepEqual(actions(await b.push()), ["send MEMORY.md"]);
  assert.deepEqual(actions(await b.pull()), ["take note.md"]);
  b.remove("note.md");
  assert.deepEqual(actions(await b.push()), ["delete note.md"]);
});

Deno.test("an empty folder is no deletion either", async () => {
  await using shared = await Shared.create();
  const a = shared.machine("a");
  a.session();
  a.write("MEMORY.md", "index\n");
  await a.push();
  a.remove("MEMORY.md");
  assert.deepEqual(actions(await a.push()), []);
  assert.deepEqual(actions(await a.pull()), ["take MEMORY.md"]);
});

Deno.test("CLAUDE.md: its deletion is shared, unless all of Claude's directory was removed", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b")];
  a.write(a.claudeMd, "one\n");
  await sync(a, b);
  Deno.removeSync(b.env.claudeDir, { recursive: true });
  assert.deepEqual(actions(await b.push()), []);
  Deno.mkdirSync(join(b.env.claudeDir, "projects"), { recursive: true });
  assert.deepEqual(actions(await b.push()), []);
  assert.deepEqual(actions(await b.pull()), ["take CLAUDE.md"]);
  b.remove(b.claudeMd);
  assert.deepEqual(actions(await b.push()), ["delete CLAUDE.md"]);
  assert.deepEqual(actions(await a.pull()), ["delete CLAUDE.md"]);
  assert.equal(a.read(a.claudeMd), undefined);
});

Deno.test("a lost state loses, doubles and deletes nothing", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b", { projects: "work" })];
  a.session();
  a.write("MEMORY.md", "one\ntwo\nthree\n");
  a.write("note.md", "note\n");
  a.write("other.md", "other\n");
  await sync(a, b);
  b.write("MEMORY.md", `one\ntwo\nmore in ${b.projects}\nthree\n`);
  b.remove("other.md");
  a.write("MEMORY.md", "one\ntwo\nthree\nfour\n");
  await a.push();
  await b.forget();
  assert.deepEqual(actions(await b.push()), ["merge MEMORY.md"]);
  assert.deepEqual(actions(await b.pull()), ["take MEMORY.md", "take other.md"]);
  assert.equal(b.read("MEMORY.md"), `one\ntwo\nmore in ${b.projects}\nthree\nfour\n`);
  await a.pull();
  assert.deepEqual(a.neutral(), b.neutral());
});

Deno.test("three machines change everything at once and converge, whatever the order", async () => {
  for (const order of ["abc", "cab", "bca"]) {
    await using shared = await Shared.create();
    const machines = [..."abc"].map((id) => shared.machine(id, { projects: `work-${id}` }));
    const [first] = machines;
    first?.session();
    first?.write("MEMORY.md", "one\ntwo\nthree\n");
    first?.write("note.md", "note\n");
    await sync(...machines);
    for (const machine of machines) {
      const { id } = machine;
      machine.write("MEMORY.md", `one\ntwo by ${id}\nthree\nadded by ${id}\n`);
      machine.write("same.md", `by ${id} in ${machine.projects}\n`);
      machine.write(`own-${id}.md`, "own\n");
    }
    first?.remove("note.md");
    const inOrder = [...order].flatMap((id) => machines.filter((machine) => machine.id === id));
    await sync(...inOrder, ...inOrder);
    const [a, b, c] = machines.map((machine) => machine.neutral());
    assert.deepEqual(a, b);
    assert.deepEqual(a, c);
    assert.deepEqual(Object.keys(a ?? {}), [
      "MEMORY.md",
      "own-a.md",
      "own-b.md",
      "own-c.md",
      "same.md",
    ]);
    for (const id of order) {
      for (const text of [`two by ${id}\n`, `added by ${id}\n`]) {
        assert.equal(a?.["MEMORY.md"]?.split(text).length, 2, `${text} in ${a?.["MEMORY.md"]}`);
      }
      assert.ok(a?.["same.md"]?.includes(`by ${id} in {PROJECTS}\n`));
    }
    for (const machine of machines) assert.deepEqual(actions(await machine.push()), []);
  }
});

Deno.test("a push that was rejected begins anew on the other one's commit", async () => {
  await using shared = await Shared.create();
  const [a, b] = await shared.pair({ "MEMORY.md": "one\n" });
  a.write("MEMORY.md", "one\nby a\n");
  b.write("MEMORY.md", "by b\none\n");
  const { head, view } = await b.look();
  await a.push();
  assert.equal((await b.commit(head, view)).isPushed, false);
  assert.deepEqual(actions(await b.push()), ["merge MEMORY.md"]);
  await sync(a, b);
  assert.equal(a.read("MEMORY.md"), "by b\none\nby a\n");
  assert.deepEqual(a.neutral(), b.neutral());
});

Deno.test("a push whose end was not remembered is found to be done", async () => {
  await using shared = await Shared.create();
  const [a, b] = await shared.pair({
    "MEMORY.md": "one\ntwo\n",
    "note.md": "note\n",
    "gone.md": "gone\n",
  });
  a.write("MEMORY.md", "one\ntwo by a\n");
  await a.push();
  b.write("MEMORY.md", "one\ntwo by b\n");
  b.write("note.md", "note by b\n");
  b.remove("gone.md");
  const { head, view } = await b.look();
  assert.equal((await b.commit(head, view)).isPushed, true);
  const { view: after } = await b.look();
  assert.equal(after.isChanged, false);
  assert.deepEqual(actions(await b.pull()), ["take MEMORY.md"]);
  await a.pull();
  assert.deepEqual(a.neutral(), b.neutral());
  assert.deepEqual(a.neutral(), {
    "MEMORY.md": "one\ntwo by a\ntwo by b\n",
    "note.md": "note by b\n",
  });
});

Deno.test("what was written after the look is neither lost nor taken for sent", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b")];
  a.session();
  a.write("MEMORY.md", "one\n");
  const { head, view } = await a.look();
  a.write("MEMORY.md", "one\ntwo\n");
  const { sent } = await a.commit(head, view);
  assert.match(sent.report.failed[0]?.why ?? "", /it changed meanwhile/);
  await sync(a, b);
  assert.equal(b.read("MEMORY.md"), "one\ntwo\n");
  a.write("MEMORY.md", "one\ntwo\nthree\n");
  await a.push();
  const { view: coming } = await b.look();
  b.write("MEMORY.md", "zero\none\ntwo\n");
  const report = await receiveMemory(b.workspace, coming, { isDryRun: false });
  assert.match(report.failed[0]?.why ?? "", /it changed meanwhile/);
  await sync(b, a);
  assert.equal(a.read("MEMORY.md"), "zero\none\ntwo\nthree\n");
});

Deno.test("a file touched in the same instant is read again, an old one is not", async () => {
  await using shared = await Shared.create();
  const a = shared.machine("a");
  a.session();
  a.write("MEMORY.md", "one\n");
  const path = a.memory("MEMORY.md");
  shared.now = Deno.statSync(path).mtime?.getTime() ?? 0;
  await a.push();
  const keepTime = (text: string) => {
    const { atime, mtime } = Deno.statSync(path);
    Deno.writeTextFileSync(path, text);
    Deno.utimeSync(path, atime ?? 0, mtime ?? 0);
  };
  keepTime("two\n");
  assert.deepEqual(actions(await a.push()), ["send MEMORY.md"]);
  shared.now += 60_000;
  await a.push();
  keepTime("six\n");
  assert.deepEqual(actions(await a.push()), [], "what nobody can see is not looked for");
});

Deno.test("memory of the git root is found through sub-directories and worktrees", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b", { projects: "work" })];
  a.session("app/src/deep");
  a.write("MEMORY.md", "of the root\n");
  const tree = join(a.projects, "elsewhere/tree");
  a.write(join(tree, ".git"), `gitdir: ${join(a.projects, "repo/.git/worktrees/tree")}\n`);
  a.session("elsewhere/tree/sub");
  a.write(a.memory("MEMORY.md", "repo"), "of the repository\n");
  const { skipped } = await a.push();
  assert.deepEqual(skipped, []);
  await b.pull();
  assert.equal(b.read("MEMORY.md"), "of the root\n");
  assert.equal(b.read(b.memory("MEMORY.md", "repo")), "of the repository\n");
});

Deno.test("memory whose project nobody knows waits, and says so; outside the sync directories it stays", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b")];
  a.write("MEMORY.md", "x\n");
  a.session("../outside");
  a.write(a.memory("MEMORY.md", "../outside"), "outside\n");
  const report = await a.push();
  assert.deepEqual(actions(report), []);
  assert.deepEqual(report.skipped.map(({ what }) => what), [a.memory().replace(/\/$/, "")]);
  assert.match(report.skipped[0]?.why ?? "", /its project is not known yet/);
  assert.deepEqual(actions(await a.push(true)), ["send MEMORY.md"]);
  assert.deepEqual(actions(await b.pull()), []);
  assert.deepEqual(actions(await b.pull(true)), ["take MEMORY.md"]);
  assert.equal(b.read(b.memory("MEMORY.md", "../outside")), "outside\n");
});

Deno.test("memory of a project whose placeholder is unknown here waits for it", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b")];
  const withOther = (machine: Machine, root: string) =>
    machine.workspace.setPlaceholders(
      new Map(machine.workspace.config.placeholders).set(OTHER, root as LocalPath),
    );
  withOther(a, join(a.home, "other"));
  a.session("../other/app");
  a.write(a.memory("MEMORY.md", "../other/app"), "x\n");
  await a.push(true);
  assert.deepEqual((await b.pull()).unmapped, [{ name: "OTHER", projects: 1 }]);
  withOther(b, join(b.projects, "deep"));
  assert.deepEqual((await b.pull()).unmapped, []);
  assert.equal(b.read(b.memory("MEMORY.md", "deep/app")), "x\n");
});

Deno.test("a token unknown here stays a token when its text is edited here", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b")];
  const places = a.workspace.config.placeholders;
  const other = new Map(places).set(OTHER, "/srv/other" as LocalPath);
  a.workspace.setPlaceholders(other);
  a.session();
  a.write("MEMORY.md", "see /srv/other/x\n");
  await sync(a, b);
  assert.equal(b.read("MEMORY.md"), "see {{OTHER}}/x\n");
  b.write("MEMORY.md", `see {{OTHER}}/x\nand ${b.projects}\n`);
  await sync(b, a);
  assert.equal(a.read("MEMORY.md"), `see /srv/other/x\nand ${a.projects}\n`);
  b.workspace.setPlaceholders(
    new Map(b.workspace.config.placeholders).set(OTHER, "/o" as LocalPath),
  );
  b.write("MEMORY.md", `see {{OTHER}}/x\nand ${b.projects}\nmore\n`);
  assert.deepEqual(actions(await b.pull()), ["merge MEMORY.md"]);
  assert.equal(b.read("MEMORY.md"), `see /o/x\nand ${b.projects}\nmore\n`);
  await sync(b, a);
  assert.equal(a.read("MEMORY.md"), `see /srv/other/x\nand ${a.projects}\nmore\n`);
});

Deno.test("placeholders that move take the memory with them, unsent edits and new notes too", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b")];
  a.session();
  a.write("MEMORY.md", `in ${a.projects}/app\n`);
  a.write("note.md", `note in ${a.projects}/app\n`);
  a.write("gone.md", "gone\n");
  await sync(a, b);
  const old = b.memory();
  const before = b.projects;
  b.write("MEMORY.md", `in ${before}/app\nedited in ${before}\n`);
  b.write("new.md", `new in ${before}\n`);
  b.remove("gone.md");
  const moved = join(b.home, "moved") as LocalPath;
  b.workspace.setPlaceholders(new Map([["PROJECTS" as PlaceholderName, moved]]));
  assert.equal(b.projects, moved);
  const report = await b.pull();
  assert.deepEqual(actions(report), ["merge MEMORY.md", "take note.md"]);
  assert.deepEqual(report.skipped, [], "the old folder is no unknown project's");
  assert.equal(b.read("MEMORY.md"), `in ${moved}/app\nedited in ${moved}\n`);
  assert.deepEqual(actions(await b.push()), ["delete gone.md", "send MEMORY.md", "send new.md"]);
  assert.deepEqual(actions(await b.pull()), ["take new.md"]);
  assert.equal(b.read("new.md"), `new in ${moved}\n`);
  assert.deepEqual([...Deno.readDirSync(old)], []);
  await sync(a, b);
  assert.deepEqual(a.neutral(), b.neutral());
  assert.deepEqual(Object.keys(a.neutral()), ["MEMORY.md", "new.md", "note.md"]);
  assert.ok(b.backups.includes(`in ${before}/app\nedited in ${before}\n`));
});

Deno.test("a note made where the memory is about to move deletes nothing of the one that was synced", async () => {
  await using shared = await Shared.create();
  const [a, b] = await shared.pair({ "MEMORY.md": "- of both\n" });
  const old = b.memory();
  const moved = join(b.home, "moved") as LocalPath;
  b.workspace.setPlaceholders(new Map([["PROJECTS" as PlaceholderName, moved]]));
  b.write("MEMORY.md", "- new\n");
  await b.push();
  await b.pull();
  assert.deepEqual(b.read("MEMORY.md")?.split("\n").sort(), ["", "- new", "- of both"]);
  assert.deepEqual([...Deno.readDirSync(old)], []);
  assert.ok(b.backups.includes("- of both\n"));
  await sync(a, b);
  assert.deepEqual(a.neutral(), b.neutral());
  assert.equal(a.read("MEMORY.md")?.split("\n").length, 3);
});

Deno.test("two sets that are for one directory here: the one of the nearest placeholder is used", async () => {
  await using shared = await Shared.create();
  const APPS = "APPS" as PlaceholderName;
  const [a, b, c] = [
    shared.machine("a"),
    shared.machine("b", { projects: "work" }),
    shared.machine("c"),
  ];
  const inApps = (machine: Machine) =>
    machine.workspace.setPlaceholders(
      new Map([[APPS, machine.workspace.config.syncDirectories[0] ?? a.home as LocalPath]]),
    );
  const path = (machine: Machine) => {
    const root = machine.workspace.config.syncDirectories[0] ?? "";
    const name = join(root, "app").replace(/[^a-zA-Z0-9]/g, "-");
    return join(machine.env.claudeDir, "projects", name, "memory/MEMORY.md");
  };
  a.workspace.setPlaceholders(new Map());
  a.write(path(a), "by a\n");
  a.sessionAt(join(a.home, "projects/app"));
  inApps(b);
  b.write(path(b), "by b\n");
  b.sessionAt(join(b.home, "work/app"));
  inApps(c);
  await a.push();
  await b.push();
  const keys = (await shared.files()).filter((name) => name.endsWith("/project.json"));
  assert.deepEqual(keys.map((name) => name.replace(/-[0-9a-f]{16}.*/, "")), [
    "memory/APPS-app",
    "memory/HOME-projects-app",
  ]);
  await c.pull();
  assert.equal(c.read(path(c)), "by b\n");
  inApps(a);
  assert.deepEqual(actions(await a.push()), ["merge MEMORY.md"]);
  for (const machine of [a, b, c]) {
    await machine.pull();
    assert.equal(machine.read(path(machine)), "by b\nby a\n");
  }
});

Deno.test("a placeholder that is added rewrites nothing whose paths stay", async () => {
  await using shared = await Shared.create();
  const a = shared.machine("a");
  a.session();
  a.write("MEMORY.md", `in ${a.projects}/app\n`);
  await a.push();
  a.workspace.setPlaceholders(
    new Map(a.workspace.config.placeholders).set(OTHER, "/srv/other" as LocalPath),
  );
  assert.deepEqual(actions(await a.push()), []);
  assert.deepEqual(actions(await a.pull()), []);
  assert.deepEqual(a.backups, []);
});

Deno.test("another hub, or a history taken back, deletes nothing here", async () => {
  for (const isTakenBack of [true, false]) {
    await using shared = await Shared.create();
    const [a, b] = [shared.machine("a"), shared.machine("b")];
    a.session();
    b.write(b.claudeMd, "by b\n");
    await b.push();
    const early = (await shared.git("rev-parse", "main")).trim();
    a.write("MEMORY.md", "one\n");
    a.write(a.claudeMd, "by a\n");
    await sync(a, b, a);
    if (isTakenBack) await shared.git("update-ref", "refs/heads/main", early);
    else await shared.rewrite(early);
    assert.deepEqual(actions(await a.pull()), []);
    assert.equal(a.read("MEMORY.md"), "one\n");
    assert.deepEqual(actions(await a.push()), ["merge CLAUDE.md", "send MEMORY.md"]);
    await b.pull();
    assert.equal(b.read("MEMORY.md"), "one\n");
    assert.equal(b.read(b.claudeMd), "by b\nby a\n");
  }
});

Deno.test("a look before anything was fetched forgets nothing", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b")];
  a.session();
  b.session();
  a.write("MEMORY.md", "one\n");
  a.write("note.md", "note\n");
  await sync(a, b);
  const { texts } = await gatherMemory(b.workspace, undefined, false);
  assert.deepEqual(texts.map(({ pull }) => pull), ["none", "none"]);
  b.remove("note.md");
  assert.deepEqual(actions(await b.push()), ["delete note.md"]);
});

Deno.test("--dry-run tells and writes nothing", async () => {
  await using shared = await Shared.create();
  const [a, b] = await shared.pair({ "MEMORY.md": "one\n", "note.md": "note\n" });
  a.write("MEMORY.md", "two\n");
  a.remove("note.md");
  await a.push();
  assert.deepEqual(actions(await b.pull(false, true)), ["delete note.md", "take MEMORY.md"]);
  assert.deepEqual(b.neutral(), { "MEMORY.md": "one\n", "note.md": "note\n" });
  assert.deepEqual(actions(await b.pull()), ["delete note.md", "take MEMORY.md"]);
});
