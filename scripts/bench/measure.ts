/**
 * Measuring on a machine that others use, too: what is compared is run in turns, and medians count.
 *
 * @module
 */
import { invocationOf, type Program } from "../../tests/support/ccsync.ts";
import { described, runToEnd } from "../../tests/support/process.ts";
import type { TestMachine } from "../../tests/support/world.ts";

/** A run of a gigabyte is given this many milliseconds. */
const PATIENCE_MS = 60 * 60_000;

/** Returns the middle one of the values, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? NaN;
  return (lower + upper) / 2;
}

/** Returns how many milliseconds the work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** What a contender does: before its time counts, while it counts, and, where it returns an `AsyncDisposable`, after it. */
export interface Contender {
  readonly prepare?: () => Promise<unknown>;
  readonly run: () => Promise<unknown>;
}

/** Runs contenders in turns, each time in another order, and returns the milliseconds of each, round by round. */
export async function inTurns(
  rounds: number,
  contenders: readonly Contender[],
): Promise<number[][]> {
  const results: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    const result: number[] = [];
    for (let i = 0; i < contenders.length; i++) {
      const index = (i + round) % contenders.length;
      const contender = contenders[index];
      await contender?.prepare?.();
      let left: unknown;
      result[index] = await timed(async () => left = await contender?.run());
      if (isAsyncDisposable(left)) await left[Symbol.asyncDispose]();
    }
    results.push(result);
  }
  return results;
}

function isAsyncDisposable(value: unknown): value is AsyncDisposable {
  return typeof value === "object" && value !== null && Symbol.asyncDispose in value;
}

/** Returns the median of what is made of each round. */
export function medianOf(
  rounds: readonly (readonly number[])[],
  make: (round: readonly number[]) => number,
): number {
  return median(rounds.map(make));
}

/** Runs a program, which has to succeed, and returns what it printed. */
export async function runProgram({ args, env, path }: Program, cwd: string): Promise<string> {
  const result = await runToEnd(path, { args, cwd, env, timeoutMs: PATIENCE_MS });
  if (result.code === 0) return result.stdout;
  throw new Error(`${path} ${args.join(" ")}\n${described(result)}`);
}

/** Runs ccsync on a machine, which has to succeed. */
export async function ccsyncOn(machine: TestMachine, ...args: readonly string[]): Promise<string> {
  return await runProgram(await invocationOf(machine, args), machine.home);
}

/** Git's environment: nobody's configuration. */
const GIT_ENV = {
  PATH: Deno.env.get("PATH") ?? "",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "bench",
  GIT_AUTHOR_EMAIL: "bench@bench",
  GIT_COMMITTER_NAME: "bench",
  GIT_COMMITTER_EMAIL: "bench@bench",
} as const;

/** Runs git in a directory, and returns what it printed. */
export async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  return await runProgram({ path: "git", args, env: { ...GIT_ENV, HOME: cwd } }, cwd);
}

/** Runs a shell command line in a directory. */
export async function shell(cwd: string, commands: string): Promise<string> {
  const env = { ...GIT_ENV, HOME: cwd };
  return await runProgram({ path: "sh", args: ["-e", "-c", commands], env }, cwd);
}

/**
 * Runs a program, which has to succeed, and returns the milliseconds of processor time that it and its children
 * took, to 10 ms: what a busy machine does not change much.
 */
export async function processorTimeOf(
  { args, env, path }: Program,
  cwd: string,
): Promise<number> {
  const script = '"$@" > /dev/null; times';
  const all = ["-e", "-c", script, "sh", path, ...args];
  const lines = (await runProgram({ path: "sh", args: all, env }, cwd)).trim().split("\n");
  const times = [...(lines.at(-1) ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
  if (times.length !== 2) throw new Error(`these are no times: ${lines.join("; ")}`);
  return times.reduce((sum, [, min, s]) => sum + Number(min) * 60_000 + Number(s) * 1000, 0);
}

/** The most memory that processes had, bytes. */
export interface Peaks {
  /** Of the program itself. */
  readonly own: number;
  /** Of the git processes that it started, the largest. */
  readonly git: number;
  /** Of those that git started in the hub, which at a host are not on this machine. */
  readonly hub: number;
}

const POLL_MS = 10;

/** Runs a program to its end, and returns the most resident memory that it and its descendants had. Linux alone. */
export async function peaksOf({ args, env, path }: Program, cwd: string): Promise<Peaks> {
  const child = new Deno.Command(path, {
    args: [...args],
    cwd,
    env: { ...env },
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const peaks = { own: 0, git: 0, hub: 0 };
  let isRunning = true;
  const ended = child.status.finally(() => isRunning = false);
  while (isRunning) {
    const processes = readProcesses();
    peaks.own = Math.max(peaks.own, peakOf(child.pid));
    for (const [pid] of processes) {
      const lineage = lineageOf(pid, processes);
      if (!lineage.includes(child.pid) || pid === child.pid) continue;
      const kind = lineage.some((each) => HUBS_PROGRAM.test(nameOf(each))) ? "hub" : "git";
      peaks[kind] = Math.max(peaks[kind], peakOf(pid));
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const { code } = await ended;
  if (code !== 0) throw new Error(`${path} ${args.join(" ")}: exit code ${code}`);
  return peaks;
}

/** What git starts at the other side of a push or a fetch. */
const HUBS_PROGRAM = /(?:receive|upload)-pack/;

function readProcesses(): Map<number, number> {
  const parents = new Map<number, number>();
  for (const { name } of Deno.readDirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : "";
    const [, parent] = /^.*\) \S (\d+)/s.exec(stat) ?? [];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  return parents;
}

function lineageOf(pid: number, parents: ReadonlyMap<number, number>): number[] {
  const lineage = [pid];
  for (let at = parents.get(pid); at !== undefined && at > 1; at = parents.get(at)) {
    lineage.push(at);
  }
  return lineage;
}

const nameOf = (pid: number) => read(`/proc/${pid}/cmdline`);

function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    // The process has ended meanwhile.
    return "";
  }
}

/** Returns the bytes of all files under a directory. */
export function sizeOf(directory: string): number {
  let size = 0;
  for (const { isDirectory, name } of Deno.readDirSync(directory)) {
    const path = `${directory}/${name}`;
    size += isDirectory ? sizeOf(path) : Deno.lstatSync(path).size;
  }
  return size;
}

/** Removes a directory if it is there. */
export async function remove(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
