/**
 * Sessions that two machines continued while apart: both continuations stay resumable, on every machine.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { Conversation } from "../../src/transcript/conversation.ts";
import { splitLines } from "../../src/transcript/lines.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

const BASE = "variants/base.jsonl";

/** Returns the record that resuming the session on a machine continues after. */
function leafOf(machine: TestMachine, id: string): string {
  const conversation = new Conversation();
  const bytes = new TextEncoder().encode(machine.read(id));
  for (const line of splitLines(bytes)) conversation.add(line);
  return conversation.leaf ?? "";
}

interface Turn {
  /** Whether the client was killed before it wrote which branch is the last. */
  readonly isKilled?: boolean;
  /** A record to go on after, as after a rewind. */
  readonly after?: string;
}

/** Continues a session on a machine as Claude Code does, and returns the uuid of the last record. */
function goOn(machine: TestMachine, id: string, text: string, turn: Turn = {}): string {
  const cwd = join(machine.projects, "app");
  const [prompt, answer] = [crypto.randomUUID(), crypto.randomUUID()];
  const said = `${text} in ${cwd}/src`;
  const reply = {
    parentUuid: prompt,
    isSidechain: false,
    type: "assistant",
    message: { role: "assistant", content: [{ type: "text", text: `answer to ${said}` }] },
    uuid: answer,
    timestamp: new Date().toISOString(),
    cwd,
    sessionId: id,
  };
  const parent = turn.after ?? leafOf(machine, id);
  machine.append(id, promptLine({ id, cwd, text: said, uuid: prompt, parent }));
  machine.append(id, JSON.stringify(reply) + "\n");
  const last = { type: "last-prompt", lastPrompt: said, leafUuid: answer, sessionId: id };
  if (turn.isKilled !== true) machine.append(id, JSON.stringify(last) + "\n");
  return answer;
}

interface Listed {
  readonly id: string;
  readonly title: string;
  readonly forkOf: string;
  readonly headless: boolean;
  readonly machine: string;
}

async function listed(machine: TestMachine, ...args: readonly string[]): Promise<Listed[]> {
  return JSON.parse((await machine.ccsync("list", "--all", "--json", ...args)).stdout) as Listed[];
}

/** Returns the forks of a session that a machine has, or with `--remote` the hub. */
async function forksOf(
  machine: TestMachine,
  id: string,
  ...args: readonly string[]
): Promise<Listed[]> {
  return (await listed(machine, ...args)).filter(({ forkOf }) => forkOf === id);
}

async function onlyFork(machine: TestMachine, id: string): Promise<Listed> {
  const [fork, ...others] = await forksOf(machine, id);
  assert.ok(fork !== undefined && others.length === 0, "one fork");
  return fork;
}

async function sync(...machines: readonly TestMachine[]): Promise<void> {
  for (const machine of machines) {
    await machine.ccsync("push");
    await machine.ccsync("pull");
  }
}

/** Asserts that the machines hold the same sessions, each with its own paths, and that nothing is left to do. */
async function assertSettled(...machines: readonly TestMachine[]): Promise<void> {
  await sync(...machines, ...machines);
  const contents = (machine: TestMachine) =>
    machine.files("projects").filter((path) => path.endsWith(".jsonl")).map((path) => [
      machine.neutral(path),
      machine.neutral(machine.readFile(join("projects", path.replace(/^projects\//, "")))),
    ]);
  const [first, ...others] = machines.map(contents);
  for (const other of others) assert.deepEqual(other, first);
  for (const machine of machines) {
    assert.match((await machine.ccsync("push")).stdout, /nothing to push/);
    assert.match((await machine.ccsync("pull")).stdout, /nothing to pull/);
  }
}

/** Makes two machines that have one session in common. */
async function twoMachines(world: World): Promise<[TestMachine, TestMachine, string]> {
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "my work" });
  const id = laptop.plant(BASE);
  await sync(laptop, desk);
  return [laptop, desk, id];
}

/** Makes a session look open in Claude Code until the result is disposed. */
function open(machine: TestMachine, id: string): Disposable {
  const path = `sessions/${Deno.pid}.json`;
  const content = { pid: Deno.pid, sessionId: id, updatedAt: Date.now() + 60_000 };
  machine.writeFile(path, JSON.stringify(content));
  return { [Symbol.dispose]: () => Deno.removeSync(join(machine.claude, path)) };
}

function loseState(machine: TestMachine): void {
  for (const name of Deno.readDirSync(machine.ccsyncHome)) {
    if (name.name.startsWith("state.db")) Deno.removeSync(join(machine.ccsyncHome, name.name));
  }
}

for (const first of ["push", "pull"] as const) {
  Deno.test(`both went on, ${first} first: the last one's branch goes on, the other one is kept as a fork`, async () => {
    await using world = await World.create();
    const [laptop, desk, id] = await twoMachines(world);
    const onLaptop = goOn(laptop, id, "on laptop");
    await laptop.ccsync("push");
    const inHub = laptop.read(id);
    const onDesk = goOn(desk, id, "on desk");
    const { stderr } = await desk.ccsync(first);
    const [, short = ""] =
      /two machines continued ".*": the other continuation is kept as session ([0-9a-f]{8})/
        .exec(stderr) ?? [];
    await assertSettled(desk, laptop);
    for (const machine of [laptop, desk]) {
      const fork = await onlyFork(machine, id);
      assert.equal(fork.id.slice(0, 8), short);
      assert.match(fork.title, /^turn one \(fork of \d{4}-\d\d-\d\d from laptop\)$/);
      assert.equal(fork.machine, "laptop");
      assert.equal(fork.headless, true, "as its parent is");
      assert.equal(leafOf(machine, id), onDesk);
      assert.equal(leafOf(machine, fork.id), onLaptop);
      const [before, title] = [machine.read(fork.id), machine.read(fork.id).trimEnd().split("\n")];
      assert.equal(JSON.parse(title.at(-1) ?? "").sessionId, fork.id);
      const expected = inHub.replaceAll(laptop.projects, machine.projects);
      assert.equal(before.slice(0, expected.length), expected);
    }
  });
}
