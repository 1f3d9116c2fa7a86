/**
 * What is left alone, on this machine and in the hub, and said to be.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { textNameFault } from "../../src/sync/memory/files.ts";
import { actions, refused, Shared, sync } from "./support.ts";

const LINK = "it is a link, and ccsync neither follows nor replaces links";

Deno.test("textNameFault() names what some system or git cannot have", () => {
  const faults: Readonly<Record<string, RegExp | undefined>> = {
    "MEMORY.md": undefined,
    "deep/über – 笔记.md": undefined,
    "../x.md": /leaves its directory/,
    "a/./b.md": /leaves its directory/,
    "/etc/passwd": /leaves its directory/,
    "a//b.md": /leaves its directory/,
    "a\\b.md": /not every system allows/,
    "a:b.md": /not every system allows/,
    "a\nb.md": /control characters/,
    "a\x1b[31m.md": /control characters/,
    "CON.md": /reserved on Windows/,
    "dot./x.md": /reserved on Windows/,
    ".git/config": /git's own/,
    "deep/.GIT": /git's own/,
    "git~1": /git's own/,
    "\ufffd.md": /not valid Unicode/,
    [`${"ü".repeat(128)}.md`]: /too long/,
  };
  for (const [path, fault] of Object.entries(faults)) {
    if (fault === undefined) assert.equal(textNameFault(path), undefined, path);
    else assert.match(textNameFault(path) ?? "", fault, path);
  }
});

Deno.test("links are neither followed nor replaced, nor taken for deletions", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b")];
  a.session();
  a.write("MEMORY.md", "index\n");
  a.write("note.md", "note\n");
  a.write("deep/x.md", "x\n");
  a.write(a.claudeMd, "mine\n");
  await sync(a, b);
  const secret = shared.at("secret");
  b.write(`${secret}/x.md`, "secret\n");
  for (const path of [b.memory("note.md"), b.memory("deep"), b.claudeMd]) b.remove(path);
  Deno.symlinkSync(`${secret}/x.md`, b.memory("note.md"));
  Deno.symlinkSync(secret, b.memory("deep"));
  Deno.symlinkSync(`${secret}/x.md`, b.claudeMd);
  const pushed = await b.push();
  assert.deepEqual(actions(pushed), []);
  const expected = [`CLAUDE.md: ${LINK}`, `deep: ${LINK}`, `note.md: ${LINK}`];
  assert.deepEqual(refused(pushed), expected);
  a.write("note.md", "note 2\n");
  a.write("deep/x.md", "x 2\n");
  a.write(a.claudeMd, "mine 2\n");
  await a.push();
  const pulled = await b.pull();
  assert.deepEqual(actions(pulled), []);
  assert.deepEqual(refused(pulled), expected);
  assert.equal(b.read(`${secret}/x.md`), "secret\n");
});

Deno.test("a memory folder that is a link is left alone", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b")];
  a.session();
  b.session();
  a.write("MEMORY.md", "index\n");
  await a.push();
  Deno.mkdirSync(shared.at("elsewhere"));
  Deno.symlinkSync(shared.at("elsewhere"), b.memory().replace(/\/$/, ""));
  for (const report of [await b.pull(), await b.push()]) {
    assert.deepEqual(actions(report), []);
    assert.deepEqual(refused(report), [`memory: ${LINK}`]);
  }
  assert.deepEqual([...Deno.readDirSync(shared.at("elsewhere"))], []);
});

Deno.test("local names that some system cannot have are told of; the other notes go", async () => {
  await using shared = await Shared.create();
  const a = shared.machine("a");
  a.session();
  for (const name of ["MEMORY.md", "a:b.md", "aux.md", "a\nb.md", ".git/x", ".DS_Store"]) {
    a.write(name, "x\n");
  }
  Deno.writeTextFileSync(a.memory(".ccsync-0f.tmp"), "half");
  const report = await a.push();
  assert.deepEqual(actions(report), ["send MEMORY.md"]);
  assert.deepEqual(refused(report), [
    ".git: its name is one of git's own",
    "a\nb.md: its name has control characters",
    "a:b.md: its name has a character that not every system allows",
    "aux.md: its name is reserved on Windows",
  ]);
});

Deno.test("files above 32 MiB are told of and left alone on both sides", async () => {
  await using shared = await Shared.create();
  const [a, b] = await shared.pair({ "MEMORY.md": "index\n", "note.md": "note\n" });
  Deno.truncateSync(a.memory("note.md"), 32 * 1024 * 1024 + 1);
  const pushed = await a.push();
  assert.deepEqual(actions(pushed), []);
  assert.deepEqual(refused(pushed), ["note.md: it is larger than 32 MiB"]);
  await shared.plant("files/MEMORY.md", new Uint8Array(80 * 1024 * 1024));
  const pulled = await b.pull();
  assert.deepEqual(actions(pulled), []);
  assert.deepEqual(refused(pulled), ["MEMORY.md: it is larger than 32 MiB"]);
  assert.deepEqual(b.neutral(), { "MEMORY.md": "index\n", "note.md": "note\n" });
  b.write("MEMORY.md", "changed\n");
  assert.deepEqual(actions(await b.push()), [], "what is in the way is not replaced either");
});

Deno.test("a hub written by somebody else: links, names, projects", async () => {
  await using shared = await Shared.create();
  const [, b] = await shared.pair({ "MEMORY.md": "index\n", "note.md": "note\n" });
  await shared.plant("files/link.md", "/etc/passwd", "120000");
  await shared.plant("files/note.md", "/etc/passwd", "120000");
  await shared.plant("files/run.md", "x", "100755");
  await shared.plant("files/a\\b.md", "x");
  await shared.plant("files/com1.md", "x");
  await shared.plant("files/e\x1b[31m.md", "x");
  await shared.plant("files/.../x.md", "x");
  await shared.plant("extra.md", "x");
  await shared.plant("/memory/claude/files/CLAUDE.md", "x");
  await shared.plant("/memory/app-0000000000000000/files/x.md", "x");
  await shared.plant("/memory/app-0000000000000000/project.json", '{"project":"{{PROJECTS}}/b"}');
  await shared.plant("/claude/settings.json", "{}");
  const report = await b.pull();
  assert.deepEqual(actions(report), []);
  assert.deepEqual(refused(report), [
    "a\\b.md: its name has a character that not every system allows",
    "com1.md: its name is reserved on Windows",
    "e\x1b[31m.md: its name has control characters",
    "project.json: it does not name the project of this memory",
    "x.md: its name is reserved on Windows",
  ]);
  assert.deepEqual(b.neutral(), { "MEMORY.md": "index\n", "note.md": "note\n" });
  assert.deepEqual(Object.keys(b.neutral()), ["MEMORY.md", "note.md"]);
  b.write("note.md", "changed\n");
  assert.deepEqual(actions(await b.push()), [], "a link in the hub is not replaced");
});

Deno.test("names that differ in case alone: one of them is told of where they are one", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b", { os: "darwin" })];
  a.session();
  a.write("Note.md", "one\n");
  a.write("note.md", "two\n");
  await a.push();
  const { failed, items } = await b.pull();
  assert.deepEqual(actions({ items }), ["take Note.md"]);
  assert.match(failed[0]?.why ?? "", /another name differs from it in case alone/);
  assert.deepEqual(b.neutral(), { "Note.md": "one\n" });
});

Deno.test("a note here and a folder of its name there: told of on both sides, nothing is lost", async () => {
  await using shared = await Shared.create();
  const [a, b] = await shared.pair({ "MEMORY.md": "index\n", "x": "note\n" });
  a.remove("x");
  a.write("x/y.md", "in the folder\n");
  b.write("x", "note, edited\n");
  await a.push();
  const { failed: unsent } = await b.push();
  assert.match(unsent[0]?.why ?? "", /in the hub, a folder of that name is in the way/);
  const { failed } = await b.pull();
  assert.match(failed[0]?.why ?? "", /a file is in the way that has the name of its folder/);
  assert.equal(b.read("x"), "note, edited\n");
  b.remove("x");
  assert.deepEqual(actions(await b.pull()), ["take x/y.md"]);
});

Deno.test("a note that became a folder, and back", async () => {
  await using shared = await Shared.create();
  const [a, b] = await shared.pair({ "MEMORY.md": "index\n", "x": "note\n" });
  a.remove("x");
  a.write("x/y.md", "in the folder\n");
  await sync(a, b);
  assert.deepEqual(b.neutral(), { "MEMORY.md": "index\n", "x/y.md": "in the folder\n" });
  b.remove("x");
  b.write("x", "note again\n");
  await sync(b, a);
  assert.deepEqual(a.neutral(), { "MEMORY.md": "index\n", "x": "note again\n" });
});

Deno.test("what is no text travels byte for byte; changed on both sides, the hub's counts and says so", async () => {
  await using shared = await Shared.create();
  const [a, b] = [shared.machine("a"), shared.machine("b")];
  a.session();
  const image = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 256);
  a.write("image.png", image);
  a.write("latin1.md", Uint8Array.of(0x66, 0xfc, 0x72, 0x0a));
  a.write("data.json", '{"a": 1}');
  await sync(a, b);
  assert.deepEqual(Deno.readFileSync(b.memory("image.png")), image);
  assert.deepEqual(Deno.readFileSync(b.memory("latin1.md")), Uint8Array.of(0x66, 0xfc, 0x72, 0x0a));
  a.write("image.png", Uint8Array.of(0, 1));
  b.write("image.png", Uint8Array.of(0, 2));
  a.write("data.json", '{"a": 2}');
  b.write("data.json", '{"a": 3}');
  await a.push();
  assert.deepEqual(actions(await b.push()), []);
  const report = await b.pull();
  assert.deepEqual(actions(report), ["take data.json", "take image.png"]);
  for (const { note } of report.items) assert.match(note ?? "", /it cannot be merged/);
  assert.deepEqual(Deno.readFileSync(b.memory("image.png")), Uint8Array.of(0, 1));
  assert.ok(b.backups.includes('{"a": 3}'));
});

const UNREADABLE = "what cannot be read is told of, is no deletion, and stops nothing else";

Deno.test(UNREADABLE, { ignore: Deno.uid() === 0 }, async () => {
  await using shared = await Shared.create();
  const a = shared.machine("a");
  a.session();
  a.write("MEMORY.md", "index\n");
  a.write("deep/note.md", "note\n");
  await a.push();
  Deno.chmodSync(a.memory("deep"), 0o000);
  a.write("MEMORY.md", "index 2\n");
  const report = await a.push();
  assert.deepEqual(actions(report), ["send MEMORY.md"]);
  assert.deepEqual(refused(report), ["deep: it cannot be read: permission denied"]);
  Deno.chmodSync(a.memory("deep"), 0o700);
  const project = join(a.memory(), "..");
  Deno.chmodSync(project, 0o000);
  const other = await a.push();
  assert.deepEqual(actions(other), []);
  assert.deepEqual(refused(other), ["memory: it cannot be read: permission denied"]);
  Deno.chmodSync(project, 0o700);
});
