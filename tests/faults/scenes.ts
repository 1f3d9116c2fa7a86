/**
 * What machines are at when something goes wrong.
 *
 * @module
 */
import { join } from "node:path";
import { goOn as talk, twoMachines } from "../support/continuing.ts";
import { promptLine, type TestMachine, type World } from "../support/world.ts";

/** The session that {@linkcode plantAll} puts onto a machine. */
export const BASE = "22222222-2222-4222-8222-222222222222";

/** Returns the arguments of `init` with which a machine joins the world's hub. */
export function initArgs({ id, projects, world }: TestMachine): string[] {
  const placeholder = `PROJECTS=${projects}`;
  const place = ["--sync-dir", projects, "--add-placeholder", placeholder];
  return ["init", "--remote", world.hub, "--machine-id", id, ...place, "--yes"];
}

/** Puts a session with a sidecar, a note and a global CLAUDE.md onto a machine. */
export function plantAll(machine: TestMachine): void {
  machine.plant("variants/base.jsonl");
  machine.writeFile(sidecar(machine), `see ${machine.projects}/app/x\n`);
  machine.writeFile(note(machine), "- one\n");
  machine.writeFile("CLAUDE.md", "be kind\n");
}

/** Returns where the sidecar is, in the Claude directory. */
export function sidecar(machine: TestMachine): string {
  return `${projectDir(machine)}/${BASE}/tool-results/a.txt`;
}

/** Returns where the note is, in the Claude directory. */
export function note(machine: TestMachine): string {
  return `${projectDir(machine)}/memory/MEMORY.md`;
}

function projectDir(machine: TestMachine): string {
  return machine.transcriptPath(BASE).slice(machine.claude.length + 1, -`/${BASE}.jsonl`.length);
}

/** Returns a machine that has joined a hub to which another one has pushed everything. */
export async function pushedElsewhere(world: World): Promise<TestMachine> {
  const laptop = await world.joined("laptop");
  plantAll(laptop);
  await laptop.ccsync("push");
  return await world.joined("desk", { projects: "work" });
}

/** Returns a machine on which everything was continued that another one has continued and pushed, too. */
export async function diverged(world: World): Promise<TestMachine> {
  const desk = await pushedElsewhere(world);
  await desk.ccsync("pull");
  const laptop = world.machine("laptop");
  goOn(laptop);
  await laptop.ccsync("push");
  goOn(desk);
  return desk;
}

/** Goes on with everything that {@linkcode plantAll} put there. */
export function goOn(machine: TestMachine): void {
  const cwd = join(machine.projects, "app");
  machine.append(BASE, promptLine({ id: BASE, cwd, text: `said on ${machine.id}` }));
  machine.writeFile(sidecar(machine), `rewritten on ${machine.id}\n`);
  machine.writeFile(note(machine), `- one\n- ${machine.id}\n`);
}

/**
 * Returns a machine that wrote a session in turns with another one, so that its next command makes a fork grow.
 *
 * @param first What it did in the first turn: a fork that a push made is in the hub, that of a pull is here alone
 */
export async function inTurns(world: World, first: "push" | "pull"): Promise<TestMachine> {
  const [laptop, desk, id] = await twoMachines(world);
  for (const turn of [1, 2]) {
    talk(laptop, id, `laptop ${turn}`);
    await laptop.ccsync("push");
    talk(desk, id, `desk ${turn}`);
    if (turn === 1) await desk.ccsync(first);
  }
  return desk;
}
