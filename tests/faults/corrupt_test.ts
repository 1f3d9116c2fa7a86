/**
 * What ccsync keeps for itself is damaged: the mirror and the state are caches, and the next run makes them
 * anew.
 *
 * @module
 */
import "../support/in_process.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { described } from "../support/process.ts";
import { type TestMachine, World } from "../support/world.ts";
import { BASE, diverged, goOn } from "./scenes.ts";
import { assertExplained } from "./told.ts";

/** Ways to damage a mirror. */
const MIRRORS: Readonly<Record<string, (mirror: string) => void>> = {
  "an empty HEAD": (mirror) => Deno.writeTextFileSync(join(mirror, "HEAD"), ""),
  "no HEAD": (mirror) => Deno.removeSync(join(mirror, "HEAD")),
  "no refs": (mirror) => Deno.removeSync(join(mirror, "refs"), { recursive: true }),
  "no objects": (mirror) => Deno.removeSync(join(mirror, "objects"), { recursive: true }),
  "objects that are gone": (mirror) => {
    for (const path of objectsOf(mirror)) Deno.removeSync(path);
  },
  "objects that are empty, as after a power failure": (mirror) => {
    for (const path of objectsOf(mirror)) damage(path, () => new Uint8Array());
  },
  "objects with other bytes in them": (mirror) => {
    for (const path of objectsOf(mirror)) damage(path, (bytes) => bytes.fill(7, bytes.length >> 1));
  },
  "a ref that is empty": (mirror) => Deno.writeTextFileSync(join(mirror, "refs/hub/main"), ""),
  "a ref to nothing": (mirror) => {
    Deno.writeTextFileSync(join(mirror, "refs/hub/main"), `${"12345678".repeat(5)}\n`);
  },
  "a configuration that is none": (mirror) => {
    Deno.writeTextFileSync(join(mirror, "config"), "[core\nbare");
  },
  "packed refs that are none": (mirror) => {
    Deno.writeTextFileSync(join(mirror, "packed-refs"), "what is this\n");
  },
};

function objectsOf(mirror: string): string[] {
  const objects = join(mirror, "objects");
  return [...Deno.readDirSync(objects)].flatMap(({ name }) => {
    const directory = join(objects, name);
    return [...Deno.readDirSync(directory)].filter(({ isFile }) => isFile)
      .map((file) => join(directory, file.name));
  });
}

function damage(path: string, change: (bytes: Uint8Array) => Uint8Array): void {
  const bytes = Deno.readFileSync(path);
  Deno.chmodSync(path, 0o600);
  Deno.writeFileSync(path, change(bytes));
}

Deno.test("a damaged mirror is set aside and made anew by the next run, and nothing is lost", async () => {
  await using world = await World.create();
  const machine = await diverged(world);
  const mirror = join(machine.ccsyncHome, "mirror.git");
  for (const [name, harm] of Object.entries(MIRRORS)) {
    harm(mirror);
    await assertMended(machine, name, /the mirror of the hub is damaged/);
    goOn(machine);
  }
  assert.ok(Deno.statSync(`${mirror}.damaged`).isDirectory);
  await assertConverges(machine, Object.keys(MIRRORS).length + 1);
});

Deno.test("a mirror whose old objects are damaged is found out by who needs them", async () => {
  await using world = await World.create();
  const machine = await diverged(world);
  await machine.ccsync("push");
  await machine.ccsync("pull");
  Deno.removeSync(machine.transcriptPath(BASE));
  const mirror = join(machine.ccsyncHome, "mirror.git");
  MIRRORS["objects with other bytes in them"]?.(mirror);
  const result = await machine.try("pull");
  assertExplained(result, EXIT_CODES.failed, /the mirror of the hub is damaged/);
  assert.ok(!machine.has(BASE));
  await machine.ccsync("pull");
  assert.match(machine.read(BASE), /said on laptop.*\n.*said on desk/);
});

Deno.test("locks and half packs that a killed git left in the mirror are in nobody's way", async () => {
  await using world = await World.create();
  const machine = await diverged(world);
  const mirror = join(machine.ccsyncHome, "mirror.git");
  const left = [
    "HEAD.lock",
    "config.lock",
    "packed-refs.lock",
    "shallow.lock",
    "refs/hub/main.lock",
    "refs/ccsync/outgoing.lock",
    "objects/pack/tmp_pack_AbCdEf",
    "fast_import_crash_123",
  ].map((name) => join(mirror, name));
  const before = new Date(Date.now() - 60_000);
  for (const path of left) {
    Deno.mkdirSync(join(path, ".."), { recursive: true });
    Deno.writeTextFileSync(path, "x");
    Deno.utimeSync(path, before, before);
  }
  await machine.ccsync("push");
  for (const path of left) assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
});

/** Ways to damage a state. */
const STATES: Readonly<Record<string, (path: string) => void>> = {
  "nothing in it": (path) => Deno.truncateSync(path),
  "its second half missing": (path) => Deno.truncateSync(path, Deno.statSync(path).size >> 1),
  "other bytes in all its tables": (path) => {
    damage(path, (bytes) => bytes.fill(7, 4096));
  },
  "other bytes at its beginning": (path) => {
    damage(path, (bytes) => bytes.fill(7, 0, 200));
  },
};

Deno.test("a damaged state is set aside and rebuilt, and nothing is lost or doubled", async () => {
  await using world = await World.create();
  const machine = await diverged(world);
  for (const [name, harm] of Object.entries(STATES)) {
    harm(join(machine.ccsyncHome, "state.db"));
    await assertMended(machine, name, /cannot read the state/);
    goOn(machine);
  }
  await assertConverges(machine, Object.keys(STATES).length + 1);
});

/** A push may fail, and says why; the next one does all of it. */
async function assertMended(machine: TestMachine, name: string, message: RegExp): Promise<void> {
  const transcript = machine.read(BASE);
  const first = await machine.try("push");
  if (first.code !== 0) {
    assertExplained(first, EXIT_CODES.failed, message);
    const second = await machine.try("push");
    assert.equal(second.code, 0, `${name}: ${described(first)}${described(second)}`);
  }
  assert.equal(machine.read(BASE), transcript, name);
  const said = transcript.split("said on desk").length;
  assert.equal((await machine.world.hubTranscript(BASE)).split("said on desk").length, said, name);
}

/** The machine and the other one come to the same, with so many lines of the machine's. */
async function assertConverges(machine: TestMachine, lines: number): Promise<void> {
  const laptop = machine.world.machine("laptop");
  for (const each of [machine, laptop, machine, laptop]) {
    await each.ccsync("push");
    await each.ccsync("pull");
  }
  const texts = [laptop, machine].map((each) => each.neutral(each.read(BASE)));
  assert.equal(texts[0], texts[1]);
  assert.equal(texts[0]?.split("said on laptop").length, 2);
  assert.equal(texts[0]?.split("said on desk").length, lines + 1);
}
