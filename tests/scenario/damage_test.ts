/**
 * Transcripts as they should not be: damaged lines travel as they are, nothing is lost.
 *
 * @module
 */
import "../support/in_process.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { FIXTURES, promptLine, World } from "../support/world.ts";

/** Damage that consists of complete lines: everything is sent, byte for byte. */
const WHOLE = ["garb", "crlf", "bom", "dup"];

for (const name of WHOLE) {
  Deno.test(`a transcript with damage "${name}" comes back byte for byte`, async () => {
    await using world = await World.create();
    const [laptop, desk] = [
      await world.joined("laptop"),
      await world.joined("desk", { projects: "work" }),
    ];
    const id = laptop.plant(`variants/${name}.jsonl`);
    const before = laptop.read(id);
    await laptop.ccsync("push", "--all");
    await desk.ccsync("pull", "--all");
    await Deno.remove(laptop.transcriptPath(id));
    await laptop.ccsync("pull", "--all", "--force");
    assert.equal(laptop.read(id), before);
  });
}

for (const name of ["torn", "nonl"]) {
  Deno.test(`a last line without line end ("${name}") waits, is told of, and is not lost`, async () => {
    await using world = await World.create();
    const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
    const id = laptop.plant(`variants/${name}.jsonl`);
    const before = laptop.read(id);
    const complete = before.slice(0, before.lastIndexOf("\n") + 1);
    const { stderr } = await laptop.ccsync("push");
    assert.match(stderr, /its last line has no line end yet/);
    await desk.ccsync("pull");
    assert.equal(desk.read(id).replaceAll(desk.projects, laptop.projects), complete);
    assert.equal(laptop.read(id), before);
    laptop.append(id, "\n");
    await laptop.ccsync("push");
    await desk.ccsync("pull");
    assert.equal(desk.read(id).replaceAll(desk.projects, laptop.projects), before + "\n");
  });
}

Deno.test("a torn line under which the hub has new lines becomes a line of its own", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  const id = laptop.plant("variants/base.jsonl");
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  const cwd = desk.own(join(desk.projects, "app"));
  desk.append(id, promptLine({ id, cwd, text: "from desk" }));
  await desk.ccsync("push");
  laptop.append(id, '{"torn":"by a crash');
  await laptop.ccsync("pull");
  assert.match(laptop.read(id), /from desk.*\n\{"torn":"by a crash\n$/);
});

Deno.test("a torn append of an earlier pull is completed", () => completeTornAppend("pull"));

Deno.test("a torn append of an earlier pull is completed though a push came first", () => {
  return completeTornAppend("push", "pull");
});

async function completeTornAppend(...commands: readonly string[]): Promise<void> {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  const id = laptop.plant("variants/base.jsonl");
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  const cwd = laptop.own(join(laptop.projects, "app"));
  laptop.append(id, promptLine({ id, cwd, text: "one" }) + promptLine({ id, cwd, text: "two" }));
  await laptop.ccsync("push");
  const whole = laptop.read(id).replaceAll(laptop.projects, desk.projects);
  const torn = whole.slice(desk.read(id).length, whole.length - 30);
  desk.append(id, torn);
  for (const command of commands) await desk.ccsync(command);
  assert.equal(desk.read(id), whole);
}

Deno.test("a line of 40 MB is cut into blobs below the limit and comes back whole", async () => {
  await using world = await World.create();
  const [laptop, desk] = [
    await world.joined("laptop"),
    await world.joined("desk", { projects: "work" }),
  ];
  const id = crypto.randomUUID();
  const cwd = laptop.own(join(laptop.projects, "app"));
  const huge = promptLine({
    id,
    cwd,
    text: `${cwd}/x `.repeat(100) + "x".repeat(40 * 1024 * 1024),
  });
  laptop.write(
    id,
    promptLine({ id, cwd, text: "before" }) + huge + promptLine({ id, cwd, text: "after" }),
  );
  await laptop.ccsync("push");
  const { stdout } = await world.git("ls-tree", "-r", "-l", "main");
  const sizes = stdout.split("\n").map((row) => Number(row.split(/\s+/)[3] ?? 0));
  assert.ok(Math.max(...sizes) <= 32 * 1024 * 1024);
  await desk.ccsync("pull");
  assert.ok(desk.read(id) === laptop.read(id).replaceAll(laptop.projects, desk.projects));
});

Deno.test("a long transcript is cut into segments, and a push changes only the last", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const id = crypto.randomUUID();
  const cwd = laptop.own(join(laptop.projects, "app"));
  const lines = Array.from(
    { length: 3000 },
    (_, i) => promptLine({ id, cwd, text: `${i} ${"y".repeat(1000)}` }),
  );
  laptop.write(id, lines.join(""));
  await laptop.ccsync("push");
  const segments = async () => {
    const { stdout } = await world.git(
      "ls-tree",
      "-r",
      "main",
      "--",
      `sessions/${id.slice(0, 2)}/${id}/transcript`,
    );
    return stdout.trimEnd().split("\n");
  };
  const before = await segments();
  assert.ok(before.length >= 3);
  laptop.append(id, promptLine({ id, cwd, text: "one more" }));
  await laptop.ccsync("push");
  assert.deepEqual((await segments()).slice(0, -1), before.slice(0, -1));
});

Deno.test("a symbolic link in place of a transcript is refused and told of", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const id = laptop.plant("variants/base.jsonl");
  const path = laptop.transcriptPath(id);
  await Deno.rename(path, join(laptop.home, "target.jsonl"));
  await Deno.symlink(join(laptop.home, "target.jsonl"), path);
  const { code, stderr, stdout } = await laptop.try("push");
  assert.equal(code, EXIT_CODES.partial);
  assert.match(stderr, /it is not a regular file/);
  assert.match(stdout, /nothing to push/);
});

Deno.test("a file that is no session is left alone", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  laptop.plant("variants/base.jsonl");
  const directory = join(laptop.transcriptPath("x"), "..");
  await Deno.writeTextFile(join(directory, "notes.jsonl"), "mine\n");
  await Deno.copyFile(join(FIXTURES, "variants/A.jsonl"), join(directory, "A.jsonl"));
  assert.match((await laptop.ccsync("push")).stdout, /pushed 1 session/);
});

Deno.test("what was agreed on with a history that was taken back is no obstacle, even with a new mirror", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const id = laptop.plant("variants/base.jsonl");
  await laptop.ccsync("push");
  const { stdout: early } = await world.git("rev-parse", "main");
  const cwd = laptop.own(join(laptop.projects, "app"));
  laptop.append(id, promptLine({ id, cwd, text: "taken back" }));
  await laptop.ccsync("push");
  await world.git("update-ref", "refs/heads/main", early.trim());
  await world.git("gc", "--prune=now", "--quiet");
  Deno.removeSync(join(laptop.ccsyncHome, "mirror.git"), { recursive: true });
  laptop.append(id, promptLine({ id, cwd, text: "more" }));
  await laptop.ccsync("push");
  assert.match(await world.hubTranscript(id), /taken back.*\n.*more/);
});

Deno.test("files of a first pull that a power failure left empty or cut are completed by the next one", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const ids = [
    laptop.plant("variants/A.jsonl"),
    laptop.plant(
      "alice/.claude/projects/-home-alice-projects-app/b9a316af-110f-4ec1-9a0e-575002e0dbaa.jsonl",
    ),
  ];
  await laptop.ccsync("push");
  const desk = await world.joined("desk");
  await desk.ccsync("pull");
  const before = ids.map((id) => desk.read(id));
  for (const [i, id] of ids.entries()) {
    const path = desk.transcriptPath(id);
    const { mtime } = Deno.statSync(path);
    Deno.truncateSync(path, i * 1000);
    Deno.utimeSync(path, mtime ?? 0, mtime ?? 0);
  }
  await desk.ccsync("push");
  await desk.ccsync("pull");
  assert.deepEqual(ids.map((id) => desk.read(id)), before);
  assert.deepEqual(
    ids.map((id) => laptop.neutral(laptop.read(id))),
    ids.map((id) => desk.neutral(desk.read(id))),
  );
});
