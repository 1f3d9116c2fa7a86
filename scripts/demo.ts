/**
 * The main job, for real: a conversation goes from one machine to another and comes back. Two homes, two
 * projects folders, a bare repository as the hub, real transcripts; no account, no network.
 *
 * Usage: `deno task demo [--keep] [--windows]`. With `--windows` the second machine is one with Windows, under
 * Wine. Exits with 1 if anything is not as it should be.
 *
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { EXIT_CODES, messageOf } from "../src/errors.ts";
import { ccsync } from "../tests/support/ccsync.ts";
import { FIXTURES, promptLine, type TestMachine, World } from "../tests/support/world.ts";
import { mixedWorld, WindowsMachine } from "../tests/wine/windows_machine.ts";
import { noWine, Wine } from "../tests/wine/wine.ts";

/** A conversation recorded from the real client: tools, a thinking block, a sub-agent. */
const RECORDED =
  "alice/.claude/projects/-home-alice-projects-app/11111111-1111-4111-8111-111111111111.jsonl";

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

/** Fails the demo unless two texts are the same bytes. */
function requireEqual(what: string, actual: string, expected: string): void {
  if (actual === expected) return say(`  ok: ${what}`);
  const at = [...expected].findIndex((character, i) => character !== actual[i]);
  throw new Error(
    `${what}: differs from what it should be at character ${at}: ` +
      `"${actual.slice(at, at + 80)}" instead of "${expected.slice(at, at + 80)}"`,
  );
}

function requireThat(what: string, holds: boolean): void {
  if (!holds) throw new Error(`not so: ${what}`);
  say(`  ok: ${what}`);
}

/** Shows the part of a line that holds a path. */
function showPath(where: string, transcript: string): void {
  const line = transcript.split("\n").find((text) => text.includes('"file_path":"')) ?? "";
  const at = line.indexOf('"file_path":"');
  say(`  ${where.padEnd(12)} ... ${line.slice(at, line.indexOf('"', at + 13) + 1)} ...`);
}

async function run(machine: TestMachine, ...args: readonly string[]): Promise<void> {
  say(`  ${machine.id}$ ccsync ${args.join(" ")}`);
  const { stdout, stderr } = await ccsync(machine, ...args);
  for (const line of (stderr + stdout).trimEnd().split("\n")) say(`  | ${line}`);
}

/** Plays it between a machine with Ubuntu, and another one that may have another system. */
async function play(world: World, ubuntu: TestMachine, other: TestMachine): Promise<void> {
  say("\n1. A machine with a conversation, and another one without. They share nothing but a hub.");
  const id = ubuntu.plant(RECORDED);
  const before = ubuntu.read(id);
  say(`  ubuntu-work has its projects in ${ubuntu.projects}`);
  say(`  ${other.id} has them in ${other.own(other.projects)}`);

  say("\n2. Both are set up; the first creates the hub.");
  for (const machine of [ubuntu, other]) {
    await run(
      machine,
      "init",
      "--remote",
      world.hub,
      "--machine-id",
      machine.id,
      "--sync-dir",
      machine.projects,
      "--add-placeholder",
      `PROJECTS=${machine.projects}`,
      "--yes",
    );
  }

  say(`\n3. ubuntu-work pushes, ${other.id} pulls.`);
  await run(ubuntu, "push");
  await run(other, "pull");
  await run(other, "list", "--all");

  say("\n4. The same line on both machines and between them:");
  const inHub = await world.hubTranscript(id);
  const arrived = other.read(id);
  showPath("ubuntu-work", before);
  showPath("in the hub", inHub);
  showPath(other.id, arrived);
  requireThat(
    "the hub has no path of ubuntu-work outside signed thinking",
    !withoutThinking(inHub).includes(ubuntu.home),
  );
  const recorded = Deno.readTextFileSync(join(FIXTURES, RECORDED));
  requireEqual(
    `${other.id} has every byte as if it had been written there`,
    withoutThinking(arrived),
    withoutThinking(other.localise(recorded)),
  );
  requireEqual(
    "thinking, which is signed, is the same on both",
    thinking(arrived),
    thinking(before),
  );

  say(`\n5. The conversation goes on, on ${other.id}, which then pushes, and ubuntu-work pulls.`);
  const turn = (machine: TestMachine) =>
    promptLine({
      id,
      cwd: machine.own(join(machine.projects, "app")),
      text: `now look at ${machine.own(join(machine.projects, "app/src/hello.txt"))}`,
      uuid: "dddddddd-0000-4000-8000-000000000001",
      parent: lastUuid(before),
      at: "2026-11-22T16:00:00.000Z",
    });
  other.append(id, turn(other));
  await run(other, "push");
  await run(ubuntu, "pull");
  requireEqual(
    `ubuntu-work has its own bytes, then the line of ${other.id} with its own paths`,
    ubuntu.read(id),
    before + turn(ubuntu),
  );

  say("\n6. Nothing is left to do on either side.");
  for (const machine of [ubuntu, other]) {
    const files = ubuntu.read(id) + other.read(id);
    await run(machine, "push");
    await run(machine, "pull");
    requireEqual(
      `a second push and pull on ${machine.id} changed nothing`,
      ubuntu.read(id) + other.read(id),
      files,
    );
  }
}

const THINKING = /"thinking":"(?:[^"\\]|\\.)*"/g;

function withoutThinking(transcript: string): string {
  return transcript.replace(THINKING, "");
}

function thinking(transcript: string): string {
  return [...transcript.matchAll(THINKING)].map(([text]) => text).join("\n");
}

function lastUuid(transcript: string): string {
  return [...transcript.matchAll(/"uuid":"([0-9a-f-]{36})"/g)].at(-1)?.[1] ?? "";
}

async function onThisSystem(isKept: boolean): Promise<void> {
  await using world = await World.create();
  if (isKept) world.keep();
  await play(
    world,
    ubuntuIn(world),
    world.machine("macbook", { home: "mac/Users/Alice B", projects: "dev/my projects" }),
  );
  if (isKept) say(`The folders are in ${world.folder}`);
}

async function withWindows(isKept: boolean): Promise<void> {
  if (noWine !== undefined) throw new Error(`cannot play with Windows: ${noWine}`);
  const wine = await Wine.started();
  await using world = await mixedWorld(wine);
  if (isKept) world.keep();
  const windows = new WindowsMachine(wine, world, "windows-pc", {
    home: "windows/Users/Alice B",
    projects: "dev/my projects",
  });
  await play(world, ubuntuIn(world), windows);
  if (isKept) say(`The folders are in ${world.folder}`);
}

function ubuntuIn(world: World): TestMachine {
  return world.machine("ubuntu-work", { home: "ubuntu/home/alice" });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      keep: { type: "boolean", default: false },
      windows: { type: "boolean", default: false },
    },
  });
  try {
    await (values.windows ? withWindows(values.keep) : onThisSystem(values.keep));
  } catch (error) {
    say(`\nThe demo failed. ${messageOf(error)}`);
    return EXIT_CODES.failed;
  }
  say("\nAll as it should be.");
  return 0;
}

Deno.exitCode = await main();
