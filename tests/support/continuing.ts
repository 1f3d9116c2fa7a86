/**
 * People who continue one session on several machines, as Claude Code writes it, and what machines have then.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Conversation } from "../../src/transcript/conversation.ts";
import { splitLines } from "../../src/transcript/lines.ts";
import { promptLine, type TestMachine, type World } from "./world.ts";

/** A session that the real client wrote. */
export const BASE = "variants/base.jsonl";

/** Returns the record that resuming the session on a machine continues after. */
export function leafOf(machine: TestMachine, id: string): string {
  const conversation = new Conversation();
  const bytes = new TextEncoder().encode(machine.read(id));
  for (const line of splitLines(bytes)) conversation.add(line);
  return conversation.leaf ?? "";
}

/** Returns the uuid of the session's first record. */
export function firstRecord(machine: TestMachine, id: string): string {
  return /"uuid":"([0-9a-f-]{36})"/.exec(machine.read(id))?.[1] ?? "";
}

/** How somebody goes on. */
export interface Turn {
  /** Whether the client was killed before it wrote which branch is the last. */
  readonly isKilled?: boolean;
  /** A record to go on after, as after a rewind. */
  readonly after?: string;
}

/** Continues a session on a machine as Claude Code does, and returns the uuid of the last record. */
export function goOn(machine: TestMachine, id: string, text: string, turn: Turn = {}): string {
  const cwd = machine.own(join(machine.projects, "app"));
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

/** A session, as `ccsync list --json` shows it. */
export interface Listed {
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
export async function forksOf(
  machine: TestMachine,
  id: string,
  ...args: readonly string[]
): Promise<Listed[]> {
  return (await listed(machine, ...args)).filter(({ forkOf }) => forkOf === id);
}

/** Returns the one fork that a session has on a machine. */
export async function onlyFork(machine: TestMachine, id: string): Promise<Listed> {
  const [fork, ...others] = await forksOf(machine, id);
  assert.ok(fork !== undefined && others.length === 0, "one fork");
  return fork;
}

/** Returns the one fork that a session has in the hub. */
export async function onlyForkInHub(machine: TestMachine, id: string): Promise<Listed> {
  const [fork, ...others] = await forksOf(machine, id, "--remote");
  assert.ok(fork !== undefined && others.length === 0, "one fork in the hub");
  return fork;
}

/** Pushes and pulls on each machine in turn. */
export async function sync(...machines: readonly TestMachine[]): Promise<void> {
  for (const machine of machines) {
    await machine.ccsync("push");
    await machine.ccsync("pull");
  }
}

/** Asserts that the machines hold the same sessions, each with its own paths, and that nothing is left to do. */
export async function assertSettled(...machines: readonly TestMachine[]): Promise<void> {
  await assertAtRest(...machines);
  const contents = (machine: TestMachine) =>
    machine.files("projects").filter((path) => path.endsWith(".jsonl")).map((path) => [
      machine.neutral(path),
      machine.neutral(machine.readFile(join("projects", path.replace(/^projects\//, "")))),
    ]);
  const [first, ...others] = machines.map(contents);
  for (const other of others) assert.deepEqual(other, first);
}

/** Asserts that nothing is left to do once all have pushed and pulled twice. */
export async function assertAtRest(...machines: readonly TestMachine[]): Promise<void> {
  await sync(...machines, ...machines);
  for (const machine of machines) {
    assert.match((await machine.ccsync("push")).stdout, /nothing to push/);
    assert.match((await machine.ccsync("pull")).stdout, /nothing to pull/);
  }
}

/** Makes two machines that have one session in common. */
export async function twoMachines(
  world: World,
  options: { readonly id?: string } = {},
): Promise<[TestMachine, TestMachine, string]> {
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "my work" });
  const id = laptop.plant(BASE, options);
  await sync(laptop, desk);
  return [laptop, desk, id];
}

/** Makes two machines that both went on with the session that they have in common; the first one's turn was pushed. */
export async function twoDiverged(world: World): Promise<[TestMachine, TestMachine, string]> {
  const [laptop, desk, id] = await twoMachines(world);
  goOn(laptop, id, "laptop 1");
  await laptop.ccsync("push");
  goOn(desk, id, "desk 1");
  return [laptop, desk, id];
}

/** Makes a session look open in Claude Code until the result is disposed. */
export function open(machine: TestMachine, id: string): Disposable {
  const path = `sessions/${Deno.pid}.json`;
  const content = { pid: Deno.pid, sessionId: id, updatedAt: Date.now() + 60_000 };
  machine.writeFile(path, JSON.stringify(content));
  return { [Symbol.dispose]: () => Deno.removeSync(join(machine.claude, path)) };
}

/** Deletes what a machine remembers. */
export function loseState(machine: TestMachine): void {
  for (const name of Deno.readDirSync(machine.ccsyncHome)) {
    if (name.name.startsWith("state.db")) Deno.removeSync(join(machine.ccsyncHome, name.name));
  }
}
