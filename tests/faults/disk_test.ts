/**
 * What goes wrong on this machine: no room, no permission.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { invocationOf } from "../support/ccsync.ts";
import { described, type ProcessResult, runToEnd } from "../support/process.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";
import { BASE, diverged, initArgs, note, sidecar } from "./scenes.ts";
import { assertExplained } from "./told.ts";

const ignore = Deno.build.os === "windows";

/** Runs ccsync through another program, which is given it as its last arguments. */
async function through(
  [program = "", ...before]: readonly string[],
  machine: TestMachine,
  ...args: readonly string[]
): Promise<ProcessResult> {
  const { path, args: all, env } = await invocationOf(machine, args);
  return await runToEnd(program, { args: [...before, path, ...all], cwd: machine.home, env });
}

/** No file can become larger, by ccsync or any git of its own: what a full disk is, at any byte. */
function withFilesUpTo(kib: number): readonly string[] {
  // The shell counts blocks of 512 bytes.
  const script = `trap '' XFSZ; ulimit -f ${kib * 2}; exec "$@"`;
  return ["sh", "-c", script, "sh"];
}

/** Permissions count for root, too, who has none of its privileges. */
const UNPRIVILEGED: readonly string[] = Deno.uid() === 0
  ? ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]
  : ["env"];

/** Where the room ends: at the state, at the mirror, at files of Claude Code. */
const LIMITS_KIB = [0, 1, 40, 100, 300, 600] as const;
const DISK_FULL = /disk is full|disk I\/O error/;

/** Appends lines that do not compress, some hundred KiB. */
function appendNoise(machine: TestMachine): void {
  const cwd = join(machine.projects, "app");
  const noise = () => crypto.getRandomValues(new Uint8Array(40_000)).toHex();
  const lines = Array.from({ length: 10 }, () => promptLine({ id: BASE, cwd, text: noise() }));
  machine.append(BASE, lines.join(""));
}

Deno.test("a full disk while pushing: said, nothing changed, and the next push sends all", {
  ignore,
}, async () => {
  await using world = await World.create();
  const machine = await diverged(world);
  appendNoise(machine);
  const [head, transcript] = [await world.git("rev-parse", "main"), machine.read(BASE)];
  const codes: number[] = [];
  for (const limit of LIMITS_KIB) {
    const result = await through(withFilesUpTo(limit), machine, "push");
    codes.push(result.code);
    if (result.code === 0) break;
    assertExplained(result, EXIT_CODES.failed, DISK_FULL);
    assert.deepEqual(await world.git("rev-parse", "main"), head, `limit ${limit}`);
  }
  assert.ok(codes.filter((code) => code !== 0).length > 3, codes.join());
  await machine.ccsync("push");
  assert.equal(machine.read(BASE), transcript);
  assert.equal(
    (await world.hubTranscript(BASE)).split("\n").length,
    transcript.split("\n").length + 1,
  );
});

Deno.test("a full disk while pulling: no file is left half written, and the next pull brings all", {
  ignore,
}, async () => {
  await using world = await World.create();
  const machine = await diverged(world);
  const laptop = world.machine("laptop");
  appendNoise(laptop);
  await laptop.ccsync("push");
  const before = new Map(machine.files().map((path) => [path, machine.readFile(path)]));
  const codes: number[] = [];
  for (const limit of LIMITS_KIB) {
    const result = await through(withFilesUpTo(limit), machine, "pull");
    codes.push(result.code);
    if (result.code === 0) break;
    assertExplained(result, EXIT_CODES.failed, DISK_FULL);
    for (const [path, content] of before) {
      // A small file may have been brought whole before the room ended.
      const isWhole = machine.readFile(path) === content || !path.endsWith(".jsonl");
      assert.ok(isWhole, `${path} at ${limit}`);
    }
  }
  assert.ok(codes.filter((code) => code !== 0).length > 3, codes.join());
  await machine.ccsync("pull");
  await machine.ccsync("push");
  await laptop.ccsync("pull");
  assert.equal(machine.neutral(machine.read(BASE)), laptop.neutral(laptop.read(BASE)));
  assert.match(machine.read(BASE), /said on laptop.*[^]*said on desk/);
  assert.equal(machine.readFile(sidecar(machine)), laptop.readFile(sidecar(laptop)));
  assert.equal(machine.readFile(note(machine)), laptop.readFile(note(laptop)));
});

Deno.test(
  "a full disk while setting up leaves nothing in the way of the next init",
  { ignore },
  async () => {
    await using world = await World.create();
    const machine = world.machine("laptop");
    for (const limit of [0, 1, 30]) {
      const result = await through(withFilesUpTo(limit), machine, ...initArgs(machine));
      assert.equal(result.code, EXIT_CODES.failed, described(result));
      assert.match(result.stderr, /^hint: /m);
      assert.throws(() => Deno.statSync(world.hub), Deno.errors.NotFound);
      assert.throws(() => Deno.statSync(join(machine.ccsyncHome, "config.json")));
    }
    await machine.ccsync(...initArgs(machine));
  },
);

const hasTmpfs = !ignore && await canMount();

/** A file system of its own is only to be had with privileges, or where users may make namespaces. */
async function canMount(): Promise<boolean> {
  try {
    const mount = "mount -t tmpfs -o size=64k none /mnt";
    const args = ["--mount", "--map-root-user", "sh", "-c", mount];
    return (await runToEnd("unshare", { args, cwd: "/" })).code === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test({
  name: "a file system without room is told of as such" + (hasTmpfs ? "" : " (ignored: no mount)"),
  ignore: !hasTmpfs,
  fn: async () => {
    await using world = await World.create();
    const machine = await diverged(world);
    const laptop = world.machine("laptop");
    appendNoise(laptop);
    await laptop.ccsync("push");
    const transcript = machine.read(BASE);
    const [real, small] = [machine.claude, join(world.folder, "small")];
    Deno.mkdirSync(small);
    // Claude Code's directory on a file system that its files fit on just so.
    const script =
      `mount -t tmpfs -o size=300k none '${small}' && cp -a '${real}/.' '${small}/' && mount --bind '${small}' '${real}' && ` +
      `"$@"; code=$?; cat '${machine.transcriptPath(BASE)}' > '${small}.jsonl'; exit $code`;
    const own = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh"];
    const result = await through(own, machine, "pull");
    assertExplained(result, EXIT_CODES.failed, /cannot go on: the disk is full/);
    assert.equal(Deno.readTextFileSync(`${small}.jsonl`), transcript);
    await machine.ccsync("pull");
    assert.match(machine.read(BASE), /said on laptop.*[^]*said on desk/);
  },
});

/** Runs ccsync while a path has other permissions. */
async function withMode(
  path: string,
  mode: number,
  machine: TestMachine,
  ...args: readonly string[]
): Promise<ProcessResult> {
  const before = (Deno.statSync(path).mode ?? 0) & 0o777;
  Deno.chmodSync(path, mode);
  try {
    return await through(UNPRIVILEGED, machine, ...args);
  } finally {
    Deno.chmodSync(path, before);
  }
}

Deno.test(
  "files that cannot be read are told of and sent later; the others go on",
  { ignore },
  async () => {
    await using world = await World.create();
    const machine = await diverged(world);
    const other = machine.plant("variants/A.jsonl", { id: crypto.randomUUID() });
    for (const path of [machine.transcriptPath(BASE), join(machine.claude, sidecar(machine))]) {
      const result = await withMode(path, 0, machine, "push");
      assert.equal(result.code, EXIT_CODES.partial, described(result));
      assert.ok(result.stderr.includes(path), result.stderr);
      assert.match(result.stderr, /^warning: .*[Pp]ermission denied/m);
      assert.match(await world.hubTranscript(other), /turn one/);
      const { stdout } = await machine.ccsync("status");
      assert.match(stdout, /^trouble +ccsync push/m);
    }
    await machine.ccsync("push");
    assert.match(await world.hubTranscript(BASE), /said on desk/);
    assert.doesNotMatch((await machine.ccsync("status")).stdout, /trouble/);
  },
);

Deno.test("directories that cannot be read are no deletion, and stop a push with a word", {
  ignore,
}, async () => {
  await using world = await World.create();
  const machine = await diverged(world);
  await machine.ccsync("push");
  const files = await world.hubFiles();
  const projects = join(machine.claude, "projects");
  for (const path of [projects, dirname(machine.transcriptPath(BASE)), machine.claude]) {
    for (const command of ["push", "pull"]) {
      const result = await withMode(path, 0, machine, command);
      assert.notEqual(result.code, EXIT_CODES.internal, described(result));
      assert.notEqual(result.code, 0, described(result));
      assert.match(result.stderr, /permission denied/, described(result));
      assert.deepEqual(await world.hubFiles(), files);
    }
  }
  await machine.ccsync("pull");
  assert.match(machine.read(BASE), /said on laptop.*[^]*said on desk/);
});

Deno.test(
  "directories that cannot be written to: said, nothing half done, and done by the next run",
  { ignore },
  async () => {
    await using world = await World.create();
    const machine = await diverged(world);
    const transcript = machine.read(BASE);
    const project = dirname(machine.transcriptPath(BASE));
    const partly = await withMode(project, 0o555, machine, "pull");
    assert.equal(partly.code, EXIT_CODES.partial, described(partly));
    assert.match(partly.stderr, /^warning: not synced: .*Permission denied/m);
    assert.equal(machine.read(BASE), transcript);
    const own = [
      machine.ccsyncHome,
      join(machine.ccsyncHome, "mirror.git/objects/pack"),
      join(world.hub, "objects"),
    ];
    for (const path of own) {
      const result = await withMode(path, 0o555, machine, "push");
      assertExplained(result, EXIT_CODES.failed, /permission|readonly|unable to create/i);
      assert.doesNotMatch(await world.hubTranscript(BASE), /said on desk/, path);
    }
    await machine.ccsync("pull");
    await machine.ccsync("push");
    assert.match(await world.hubTranscript(BASE), /said on laptop.*[^]*said on desk/);
  },
);
