/**
 * Which processes run. Asked of `ps` or `tasklist`: the executable may signal no process that it did not
 * start, nor read `/proc`.
 *
 * @module
 */

/** Start times of running processes by id, milliseconds since 1970; `unknown` where nobody can tell. */
export type ProcessTable = ReadonlyMap<number, number> | "unknown";

/** Returns which of the processes run, and since when. */
export async function runningProcesses(
  pids: readonly number[],
  now: number,
): Promise<ProcessTable> {
  try {
    return Deno.build.os === "windows" ? await askTasklist(pids) : await askPs(pids, now);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "unknown";
    throw error;
  }
}

/** What a process left behind that said it was there. */
export interface ProcessTrace {
  readonly pid: number;
  /** Milliseconds since 1970 of its last sign of life. */
  readonly at: number;
}

/** Clocks are read to the second, and a process is older than what it writes. */
const TOLERANCE_MS = 5_000;

/**
 * Returns whether the process that left a trace still runs: one that started after it reuses the number.
 * `undefined` where nobody can tell.
 */
export function isSameProcess(
  { at, pid }: ProcessTrace,
  running: ProcessTable,
): boolean | undefined {
  if (running === "unknown") return undefined;
  const startedAt = running.get(pid);
  return startedAt !== undefined && startedAt <= at + TOLERANCE_MS;
}

async function askPs(pids: readonly number[], now: number): Promise<ProcessTable> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-o", "pid=,etime=", "-p", [...pids, Deno.pid].join(",")],
    stdin: "null",
    stderr: "null",
  }).output();
  const table = parsePs(new TextDecoder().decode(stdout), now);
  // This process runs for sure: where it is not listed, this ps (BusyBox) does not know the options.
  return table.has(Deno.pid) ? table : "unknown";
}

/** Reads `pid [[dd-]hh:]mm:ss` lines. */
export function parsePs(output: string, now: number): Map<number, number> {
  const table = new Map<number, number>();
  for (const line of output.split("\n")) {
    const [, pid, days, hours, minutes, seconds] =
      /^\s*(\d+)\s+(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)\s*$/.exec(line) ?? [];
    if (pid === undefined) continue;
    const age = ((Number(days ?? 0) * 24 + Number(hours ?? 0)) * 60 + Number(minutes)) * 60 +
      Number(seconds);
    table.set(Number(pid), now - age * 1000);
  }
  return table;
}

async function askTasklist(pids: readonly number[]): Promise<ProcessTable> {
  const { code, stdout } = await new Deno.Command("tasklist", {
    args: ["/FO", "CSV", "/NH"],
    stdin: "null",
    stderr: "null",
  }).output();
  if (code !== 0) return "unknown";
  const running = parseTasklist(new TextDecoder().decode(stdout));
  // As above: a list without this process is none.
  if (!running.has(Deno.pid)) return "unknown";
  // Start times are not told: a running process counts as old enough.
  return new Map(pids.filter((pid) => running.has(pid)).map((pid) => [pid, 0]));
}

/** Reads the ids out of `"name","pid",...` lines. */
export function parseTasklist(output: string): Set<number> {
  return new Set([...output.matchAll(/^"[^"]*","(\d+)"/gm)].map(([, pid]) => Number(pid)));
}
