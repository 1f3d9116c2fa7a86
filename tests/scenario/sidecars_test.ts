/**
 * The files that belong to a session travel with it.
 *
 * @module
 */
import "../support/in_process.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

const HEADLESS = "11111111-1111-4111-8111-111111111111";
const INTERACTIVE = "b9a316af-110f-4ec1-9a0e-575002e0dbaa";

/** The recorded files that belong to sessions, by their path under the Claude directory. */
function sessionFiles(machine: TestMachine): string[] {
  const isSynced = /^(?:projects\/[^/]+\/[0-9a-f-]{36}|file-history|tasks\/[^/]+\/\d|plans)/;
  return machine.files().filter((path) => isSynced.test(path));
}

/** Makes a session with nothing but one prompt, and returns its id. */
function newSession(machine: TestMachine): string {
  const id = crypto.randomUUID();
  machine.write(
    id,
    promptLine({ id, cwd: machine.own(join(machine.projects, "app")), text: "hello" }),
  );
  return id;
}

/** Returns the path of a file in a session's own directory. */
function beside(machine: TestMachine, id: string, name: string): string {
  return join(machine.transcriptPath(id).replace(/\.jsonl$/, ""), name);
}

function writeBeside(
  machine: TestMachine,
  id: string,
  name: string,
  content: string | Uint8Array,
): void {
  const path = beside(machine, id, name);
  machine.writeFile(path.slice(machine.claude.length + 1), content);
}

Deno.test("every file of every recorded session arrives, in one commit, as if written there", async () => {
  await using world = await World.create();
  const [laptop, desk] = [
    await world.joined("laptop", { home: "l/alice" }),
    await world.joined("desk", { home: "desk/Users/Bob B", projects: "my work" }),
  ];
  laptop.plantAll();
  const before = sessionFiles(laptop).map((path) => [path, laptop.readFile(path)]);
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  const expected = world.machine("desk", { home: "desk/Users/Bob B", projects: "my work" });
  for (const [path = "", content = ""] of before) {
    const there = path.replaceAll(dashed(laptop.projects), dashed(desk.projects));
    // Names of more than 200 characters end in a hash of the whole path.
    if (there.includes("ddddd")) continue;
    const isUsersOwn = path.startsWith("file-history");
    const arrived = desk.readFile(there);
    if (isUsersOwn) assert.equal(arrived, content, path);
    else assert.equal(expected.neutral(arrived), laptop.neutral(content), path);
  }
  assert.equal(sessionFiles(desk).length, before.length);
  assert.deepEqual(sessionFiles(laptop).map((path) => [path, laptop.readFile(path)]), before);
  const { stdout } = await world.git("log", "--format=%s", "main", "--", `sessions/11/${HEADLESS}`);
  assert.equal(stdout.trimEnd().split("\n").length, 1);
  const { stdout: again } = await desk.ccsync("push");
  assert.match(again, /nothing to push/);
});

const dashed = (path: string) => path.replace(/[^a-zA-Z0-9]/g, "-");

Deno.test("what is never synced stays: locks, live clients, history, aliases", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  laptop.plantAll();
  laptop.writeFile(".credentials.json", "secret");
  laptop.writeFile("settings.json", "{}");
  await laptop.ccsync("push", "--all");
  const names = (await world.hubFiles()).join("\n");
  assert.doesNotMatch(names, /lock|history\.jsonl|aliases|credentials|settings|22522/);
  const { stdout } = await world.git("grep", "-l", "secret", "main");
  assert.equal(stdout, "");
});

Deno.test("a sub-agent's transcript that both machines continued merges like a transcript", async () => {
  await using world = await World.create();
  const [laptop, desk] = [
    await world.joined("laptop"),
    await world.joined("desk", { projects: "work" }),
  ];
  laptop.plantAll();
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  const name = "subagents/agent-a33c9246e75436a1a.jsonl";
  for (const machine of [laptop, desk]) {
    const cwd = machine.own(join(machine.projects, "app"));
    const line = promptLine({ id: HEADLESS, cwd, text: `by ${machine.id} in ${cwd}` });
    Deno.writeTextFileSync(beside(machine, HEADLESS, name), line, { append: true });
  }
  for (const machine of [laptop, desk, laptop]) {
    await machine.ccsync("push");
    await machine.ccsync("pull");
  }
  const read = (machine: TestMachine) =>
    machine.neutral(Deno.readTextFileSync(beside(machine, HEADLESS, name)));
  assert.equal(read(laptop), read(desk));
  assert.match(read(laptop), /by laptop in \{PROJECTS\}\/app.*\n.*by desk in \{PROJECTS\}\/app/);
});

Deno.test("a rewritten file is replaced whole, and the old content is in a backup", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  laptop.plantAll();
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  const task = `tasks/${INTERACTIVE}/1.json`;
  const old = desk.readFile(task);
  laptop.writeFile(task, old.replace("completed", "pending") + " ");
  const { stderr } = await laptop.ccsync("push");
  assert.match(stderr, /files .* 1 file/);
  await desk.ccsync("pull");
  assert.equal(desk.readFile(task), laptop.readFile(task));
  const objects = join(desk.ccsyncHome, "backups/objects");
  const kept = [...Deno.readDirSync(objects)].map(({ name }) =>
    Deno.readTextFileSync(join(objects, name))
  );
  assert.ok(kept.includes(old));
});

Deno.test("a file rewritten on both sides: the last push counts everywhere", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  laptop.plantAll();
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  const task = `tasks/${INTERACTIVE}/1.json`;
  laptop.writeFile(task, '{"id":"1","by":"laptop"}');
  desk.writeFile(task, '{"id":"1","by":"desk"}');
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  assert.match(desk.readFile(task), /desk/, "an unpushed change is not overwritten");
  await desk.ccsync("push");
  await laptop.ccsync("pull");
  assert.equal(laptop.readFile(task), desk.readFile(task));
});

Deno.test("a sidecar that Claude Code's clean-up took is not deleted in the hub", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  laptop.plantAll();
  await laptop.ccsync("push");
  const name = beside(laptop, HEADLESS, "tool-results/b297me79w.txt");
  const content = Deno.readTextFileSync(name);
  const before = await world.hubFiles();
  Deno.removeSync(name);
  laptop.append(
    HEADLESS,
    promptLine({ id: HEADLESS, cwd: laptop.own(join(laptop.projects, "app")), text: "more" }),
  );
  await laptop.ccsync("push");
  await laptop.ccsync("pull");
  assert.deepEqual(await world.hubFiles(), before);
  Deno.removeSync(laptop.transcriptPath(HEADLESS));
  await laptop.ccsync("pull");
  assert.equal(Deno.readTextFileSync(name), content, "restored with its session");
});

Deno.test("a file that was never sent goes up with the paths that its session was moved to", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  const id = newSession(laptop);
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  const own = (path: string) => laptop.own(join(laptop.projects, path));
  writeBeside(
    laptop,
    id,
    "subagents/agent-a1.jsonl",
    promptLine({ id, cwd: own("app"), text: `read ${own("app/src")}` }),
  );
  const setPath = (path: string) =>
    desk.ccsync("config", "set-path", "PROJECTS", "laptop", laptop.own(path), "--yes");
  await setPath(join(laptop.home, "moved"));
  await laptop.ccsync("pull");
  await setPath(laptop.projects);
  await laptop.ccsync("push");
  const [file = ""] = (await world.hubFiles()).filter((path) => path.includes("/agent-a1.jsonl"));
  const inHub = await world.hubFile(file);
  assert.match(inHub, /read \{\{PROJECTS\}\}\/app\/src/);
});

Deno.test("a sidecar of 300 MB travels in bounded blobs", async () => {
  await using world = await World.create();
  const [laptop, desk] = [
    await world.joined("laptop"),
    await world.joined("desk", { projects: "work" }),
  ];
  const id = newSession(laptop);
  const line = `${laptop.projects}/app/src/file.txt: ${"output ".repeat(140)}\n`;
  const block = line.repeat(Math.floor(1024 * 1024 / line.length));
  const path = beside(laptop, id, "tool-results/big.txt");
  writeBeside(laptop, id, "tool-results/big.txt", "");
  {
    using file = Deno.openSync(path, { append: true });
    const bytes = new TextEncoder().encode(block);
    for (let size = 0; size < 300 * 1024 * 1024; size += bytes.length) file.writeSync(bytes);
  }
  await laptop.ccsync("push");
  const { stdout } = await world.git("ls-tree", "-r", "-l", "main");
  const sizes = stdout.trimEnd().split("\n").map((row) => Number(row.split(/\s+/)[3]));
  assert.ok(Math.max(...sizes) <= 32 * 1024 * 1024);
  await desk.ccsync("pull");
  const arrived = beside(desk, id, "tool-results/big.txt");
  const there = new TextEncoder().encode(block.replaceAll(laptop.projects, desk.projects));
  using file = Deno.openSync(arrived);
  const first = new Uint8Array(there.length);
  for (let done = 0; done < first.length;) done += file.readSync(first.subarray(done)) ?? Infinity;
  assert.deepEqual(first, there);
  const ratio = Deno.statSync(arrived).size / Deno.statSync(path).size;
  assert.equal(ratio, there.length / new TextEncoder().encode(block).length);
});

Deno.test("a binary sidecar comes as it is, whatever its bytes look like", async () => {
  await using world = await World.create();
  const [laptop, desk] = [
    await world.joined("laptop"),
    await world.joined("desk", { projects: "work" }),
  ];
  const id = newSession(laptop);
  const text = new TextEncoder().encode(`{{PROJECTS}} {{~HOME}} ${laptop.projects}/app`);
  const bytes = new Uint8Array([0, 255, 10, 254, ...text, 0, 13, 10, 128]);
  writeBeside(laptop, id, "other/picture.png", bytes);
  writeBeside(laptop, id, "tool-results/not-text.txt", bytes);
  laptop.writeFile(`image-cache/${id}/1.png`, bytes);
  laptop.writeFile(`file-history/${id}/0123456789abcdef@v1`, bytes);
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  assert.deepEqual(Deno.readFileSync(beside(desk, id, "other/picture.png")), bytes);
  assert.deepEqual(Deno.readFileSync(join(desk.claude, `image-cache/${id}/1.png`)), bytes);
  assert.deepEqual(
    Deno.readFileSync(join(desk.claude, `file-history/${id}/0123456789abcdef@v1`)),
    bytes,
  );
  Deno.removeSync(beside(laptop, id, "tool-results"), { recursive: true });
  Deno.removeSync(laptop.transcriptPath(id));
  await laptop.ccsync("pull");
  assert.deepEqual(Deno.readFileSync(beside(laptop, id, "tool-results/not-text.txt")), bytes);
});

Deno.test("an empty sidecar arrives empty", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  const id = newSession(laptop);
  writeBeside(laptop, id, "tool-results/empty.txt", "");
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  assert.equal(Deno.readTextFileSync(beside(desk, id, "tool-results/empty.txt")), "");
});

Deno.test("a link in place of a sidecar is refused and told of; the rest goes on", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const id = newSession(laptop);
  writeBeside(laptop, id, "tool-results/good.txt", "good");
  Deno.writeTextFileSync(join(laptop.home, "secret.txt"), "secret");
  Deno.symlinkSync(join(laptop.home, "secret.txt"), beside(laptop, id, "tool-results/link.txt"));
  const { code, stderr, stdout } = await laptop.try("push");
  assert.equal(code, EXIT_CODES.partial);
  assert.match(stderr, /link\.txt": it is not a regular file/);
  assert.match(stdout, /pushed 1 session/);
  const names = (await world.hubFiles()).join("\n");
  assert.match(names, /good\.txt/);
  assert.doesNotMatch(names, /link\.txt/);
});

Deno.test("a link in place of a sidecar's directory leads nowhere on a pull", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  const id = newSession(laptop);
  writeBeside(laptop, id, "tool-results/x.txt", "x");
  await laptop.ccsync("push");
  const outside = join(desk.home, "outside");
  Deno.mkdirSync(outside);
  Deno.mkdirSync(beside(desk, id, ""), { recursive: true });
  Deno.symlinkSync(outside, beside(desk, id, "tool-results"));
  const { code, stderr } = await desk.try("pull");
  assert.equal(code, EXIT_CODES.partial, stderr);
  assert.match(stderr, /is a link/);
  assert.deepEqual([...Deno.readDirSync(outside)], []);
});

Deno.test("names in the hub that leave their directory are not used", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  const id = newSession(laptop);
  writeBeside(laptop, id, "tool-results/x.txt", "x");
  await laptop.ccsync("push");
  const prefix = `sessions/${id.slice(0, 2)}/${id}/files/session`;
  await world.changeHub({
    [`${prefix}/a\\b.txt/000000`]: "x",
    [`${prefix}/..\\..\\evil.txt/000000`]: "x",
    [`${prefix}/tool-results/X.TXT/000000`]: "case",
    [`${prefix}/nul.txt/000000`]: "x",
  });
  const { stderr } = await desk.ccsync("pull");
  assert.match(stderr, /has a character that not every system allows/);
  assert.match(stderr, /differs from another one only in case/);
  assert.match(stderr, /is reserved on Windows/);
  assert.ok(desk.has(id));
});

Deno.test("list, status and --dry-run count the files of sessions", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  laptop.plantAll();
  assert.match((await laptop.ccsync("push", "--dry-run")).stderr, /73 lines, 3 files/);
  await laptop.ccsync("push");
  const { stdout } = await laptop.ccsync("list", "--all", "--json");
  const listed = new Map(
    JSON.parse(stdout).map((one: { id: string; files: number }) => [one.id, one.files]),
  );
  assert.equal(listed.get(HEADLESS), 3);
  assert.match((await desk.ccsync("pull", "--dry-run")).stderr, /73 lines, 3 files/);
  await desk.ccsync("pull");
  writeBeside(desk, HEADLESS, "tool-results/new.txt", "new");
  const status = JSON.parse((await desk.ccsync("status", "--json")).stdout);
  assert.equal(status.toPush, 1);
  assert.ok(status.filesHere >= 4);
  assert.equal(status.toPull, 0);
});
