/**
 * What rows are played on: worlds with machines full of generated sessions.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { type TestMachine, World } from "../../tests/support/world.ts";
import { ccsyncOn } from "./measure.ts";
import {
  planEqualSessions,
  type PlannedSession,
  planSessions,
  transcriptOf,
} from "./transcripts.ts";

/** How much is measured. */
export interface Scale {
  /** Bytes of transcripts. */
  readonly size: number;
  /** Bytes of the long history of the rows about history. */
  readonly history: number;
  /** Bytes of the session whose memory is measured. */
  readonly giant: number;
  /** Sessions of the rows about many. */
  readonly sessions: number;
  /** Pushes of the row about many. */
  readonly pushes: number;
  /** Rounds of what takes long, and of what is short. */
  readonly rounds: { readonly long: number; readonly short: number };
}

/** Writes sessions as Claude Code would have on a machine. */
export function plantSessions(machine: TestMachine, sessions: readonly PlannedSession[]): void {
  for (const [i, session] of sessions.entries()) plantSession(machine, session, i + 1);
}

/** Writes one session on a machine. */
export function plantSession(
  machine: TestMachine,
  { bytes, id, project }: PlannedSession,
  seed: number,
): void {
  const path = machine.transcriptPath(id, project);
  Deno.mkdirSync(dirname(path), { recursive: true });
  using file = Deno.openSync(path, { write: true, create: true, truncate: true, mode: 0o600 });
  for (const piece of contentOf(machine, id, project, bytes, seed)) writeWhole(file, piece);
}

/** Adds turns to a session, at least so many bytes, and returns them. */
export function addTurns(
  machine: TestMachine,
  { id, project }: PlannedSession,
  bytes: number,
  seed: number,
): Uint8Array {
  const [piece = new Uint8Array()] = contentOf(machine, id, project, bytes, seed);
  using file = Deno.openSync(machine.transcriptPath(id, project), { append: true });
  writeWhole(file, piece);
  return piece;
}

function contentOf(
  machine: TestMachine,
  id: string,
  project: string,
  bytes: number,
  seed: number,
): Generator<Uint8Array> {
  const { home, projects } = machine;
  return transcriptOf({
    seed,
    id,
    cwd: join(projects, project),
    home,
    bytes,
    // Young enough to be pulled.
    from: Date.now() - 86_400_000 + seed * 1000,
  });
}

function writeWhole(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}

/** Returns the arguments with which a machine joins its world's hub. */
export function joiningArgs({ id, projects, world }: TestMachine): string[] {
  const places = ["--sync-dir", projects, "--add-placeholder", `PROJECTS=${projects}`];
  return ["init", "--remote", world.hub, "--machine-id", id, ...places, "--yes"];
}

/** Joins the hub, however large it is. */
export async function joinHub(machine: TestMachine): Promise<void> {
  await ccsyncOn(machine, ...joiningArgs(machine));
}

/** A world with one machine whose sessions are in the hub. */
export interface Pushed extends AsyncDisposable {
  readonly world: World;
  readonly desk: TestMachine;
  readonly sessions: readonly PlannedSession[];
}

/** Makes a world with a machine that has pushed these sessions. */
export async function pushedWorld(sessions: readonly PlannedSession[]): Promise<Pushed> {
  const world = await World.create();
  const desk = world.machine("desk");
  await joinHub(desk);
  plantSessions(desk, sessions);
  await ccsyncOn(desk, "push");
  return { world, desk, sessions, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

/** Makes one with a history of so many bytes, and one session of 500 KB besides. */
export async function worldWithHistory(bytes: number): Promise<Pushed> {
  const [small] = planEqualSessions(1, 500_000, 99);
  return await pushedWorld([...small === undefined ? [] : [small], ...planSessions(bytes, 1)]);
}

/** Returns the first of some sessions, which there has to be. */
export function firstOf(sessions: readonly PlannedSession[]): PlannedSession {
  const [first] = sessions;
  if (first === undefined) throw new Error("no sessions");
  return first;
}
