/**
 * Kills ccsync at every step of a command, and looks whether the same command again ends as if nothing had
 * happened.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LocalPath } from "../../src/brands.ts";
import { pull } from "../../src/sync/pull.ts";
import { push } from "../../src/sync/push.ts";
import { invocationOf } from "../support/ccsync.ts";
import { Folder } from "../support/folder.ts";
import "../support/hermetic_git.ts";
import { described, type ProcessResult, runToEnd } from "../support/process.ts";
import { openWorkspace } from "../support/workspace.ts";
import { type TestMachine, World } from "../support/world.ts";

const KILL_POINTS = fileURLToPath(new URL("../support/kill_points.ts", import.meta.url));

/** A command in a world that is ready for it. */
export interface Scene {
  readonly machine: TestMachine;
  /** The command that is killed. */
  readonly args: readonly string[];
  /** The command that goes on after that. @default the same one */
  readonly again?: readonly string[];
  /** Only steps after the first one with this name are tried. */
  readonly after?: string;
}

const SETTLED_EVERY = 3;
/** So many steps depend on how long ago files were written. */
const FEWER = 3;

/** Defines the test of a command: one kill a step, each in the world as it was before. */
export function killTest(name: string, prepare: (world: World) => Promise<Scene>): void {
  const ignore = Deno.build.os === "windows" || Deno.env.has("CCSYNC_BIN");
  Deno.test({ name: `killed at every step: ${name}`, ignore, fn: () => killEverywhere(prepare) });
}

async function killEverywhere(prepare: (world: World) => Promise<Scene>): Promise<void> {
  await using world = await World.create();
  const scene = await prepare(world);
  using saved = new Folder();
  using logs = new Folder();
  // The files themselves are kept: no copy has their inodes, and each is looked at anew as every other one.
  for (const { name } of Deno.readDirSync(world.folder)) {
    Deno.renameSync(join(world.folder, name), saved.at(name));
  }
  await copy(saved.path, world.folder);
  const log = logs.at("steps.log");
  await runKilled(scene, 0, log);
  const expected = await stateOf(world, scene.machine);
  await assertSettled(world, scene.machine, "not killed");
  const settled = await stateOf(world, scene.machine);
  const steps = Deno.readTextFileSync(log).trimEnd().split("\n");
  const first = scene.after === undefined ? 0 : steps.indexOf(scene.after) + 1;
  assert.ok(scene.after === undefined || first > 0, steps.join(", "));
  for (let at = first + 1; at <= steps.length; at++) {
    const where = `killed at step ${at} of ${steps.length}, ${steps[at - 1]}`;
    for (const { name } of Deno.readDirSync(world.folder)) {
      Deno.removeSync(join(world.folder, name), { recursive: true });
    }
    await copy(saved.path, world.folder);
    const killed = await runKilled(scene, at);
    // What was written a moment ago is looked at once more: a step that later runs do without.
    if (killed.code === 0 && at > steps.length - FEWER) break;
    assert.equal(killed.code, 128 + 9, `${where}: ${described(killed)}`);
    const again = await scene.machine.try(...scene.again ?? scene.args);
    assert.equal(again.code, 0, `${where}: ${described(again)}`);
    assert.doesNotMatch(again.stderr, /^(?:warning: (?!two machines continued)|error:)/m, where);
    assert.deepEqual(await stateOf(world, scene.machine), expected, where);
    // As expensive as all the rest: what a step leaves for later shows after one of its neighbours, too.
    if (at % SETTLED_EVERY !== 0 && at < steps.length) continue;
    await assertSettled(world, scene.machine, where);
    assert.deepEqual(await stateOf(world, scene.machine), settled, where);
  }
}

async function copy(from: string, to: string): Promise<void> {
  const { code, stderr } = await runToEnd("cp", { args: ["-a", `${from}/.`, to], cwd: to });
  assert.equal(code, 0, stderr);
}

async function runKilled(
  { args, machine }: Scene,
  at: number,
  log?: string,
): Promise<ProcessResult> {
  const { path, args: [run = "", ...rest], env } = await invocationOf(machine, args);
  return await runToEnd(path, {
    args: [run, "--preload", KILL_POINTS, ...rest],
    cwd: machine.home,
    env: { ...env, KILL_AT: String(at), ...(log === undefined ? {} : { KILL_LOG: log }) },
  });
}

/** What is the same each time a command has done its work, whatever happened before. */
async function stateOf(world: World, machine: TestMachine): Promise<unknown> {
  const hub = new Map<string, unknown>();
  for (const line of (await world.git("ls-tree", "-r", "main")).stdout.trimEnd().split("\n")) {
    const [, content, path = ""] = /^\S+ \S+ (\S+)\t(.*)$/.exec(line) ?? [];
    // A machine's record has times in it.
    hub.set(path, path.startsWith("machines/") ? "" : content);
  }
  const { stdout: locks } = await world.git("for-each-ref", "--format=%(refname)");
  return { hub, locks, here: contentsUnder(machine.claude), own: namesIn(machine.ccsyncHome) };
}

/** What a killed command was writing beside a file is cleared away by the next push or pull. */
function contentsUnder(directory: string): Map<string, string> {
  const files = filesUnder(directory).filter((path) => !LEFT_OVER.test(path));
  return new Map(files.map((path) => [path, Deno.readTextFileSync(path)]));
}

/**
 * Names but for those of SQLite's, which come and go; backups, of which one too many does no harm; and what an
 * `init` that was killed had fetched, which a later one removes once nobody can be waiting for answers.
 */
function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name)
    .filter((name) => !/^state\.db-|^backups$|^setup-/.test(name) && !LEFT_OVER.test(`/${name}`))
    .sort();
}

function filesUnder(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].flatMap(({ isDirectory, name }) => {
      const path = join(directory, name);
      return isDirectory ? filesUnder(path) : [path];
    }).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** What a killed process, or git on its behalf, may leave lying about. */
const LEFT_OVER = /\.ccsync-[^/]*\.tmp$|\.lock$|\/fast_import_crash_|\/tmp_|\.ccsync-new$/;

/** Nothing is left lying about, and nothing is left to do. */
async function assertSettled(world: World, machine: TestMachine, where: string): Promise<void> {
  await using workspace = openWorkspace(machine, {
    hostname: Deno.hostname(),
    claudeTmp: join(machine.tmp, `claude-${Deno.uid() ?? 0}`) as LocalPath,
  });
  const both = async () => [
    await pull(workspace, { isDryRun: false, all: false, isForced: false }),
    await push(workspace, { isDryRun: false, all: false }),
  ];
  await both();
  const head = async () => (await world.git("rev-parse", "main")).stdout;
  const before = await head();
  for (const { failed, memory, sessions, skipped } of await both()) {
    const all = [failed, sessions, skipped, memory.items, memory.failed];
    assert.deepEqual(all, [[], [], [], [], []], where);
  }
  const left = [...filesUnder(machine.home), ...filesUnder(world.hub)]
    .filter((path) => LEFT_OVER.test(path) && !/\/process\.lock$|\/setup-/.test(path));
  assert.deepEqual(left, [], where);
  assert.equal(await head(), before, where);
}
