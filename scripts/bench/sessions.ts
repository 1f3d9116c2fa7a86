/**
 * Many sessions: what it takes to find out that there is nothing to do, and to list them.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { invocationOf, type Program, sourceOf } from "../../tests/support/ccsync.ts";
import type { TestMachine } from "../../tests/support/world.ts";
import { MAIN } from "../build/bundle.ts";
import { compilerFor } from "../build/compiler.ts";
import { makeExecutable } from "../build/executable.ts";
import { isTarget, withExtension } from "../build/targets.ts";
import { ccsyncOn, git, inTurns, medianOf, processorTimeOf, runProgram } from "./measure.ts";
import type { Finding } from "./report.ts";
import { pushedWorld, type Scale } from "./stage.ts";
import { planEqualSessions } from "./transcripts.ts";

const SMALL = 4_000;
/** What a push with nothing to do, and a list, may take longer than what they are compared with. */
const NOTHING_MS = 100;
const LIST_MS = 150;

/** Measures a push with nothing to do, `list`, and the picker, with many sessions. */
export async function benchSessions({ rounds, sessions }: Scale): Promise<Finding[]> {
  await using pushed = await pushedWorld(planEqualSessions(sessions, SMALL, 5));
  const { desk, world } = pushed;
  const mirror = join(desk.ccsyncHome, "mirror.git");
  desk.scriptClaude("exit 0");
  const times = await inTurns(rounds.short, [
    { run: () => ccsyncOn(desk, "--version") },
    { run: () => git(mirror, "fetch", "--quiet", world.hub, "+refs/heads/main:refs/bench/main") },
    { run: () => ccsyncOn(desk, "push") },
    { run: () => ccsyncOn(desk, "list") },
    { run: () => untilPainted(desk, ["resume"], "Which session?") },
    { run: () => untilPainted(desk, ["--version"], ".") },
  ]);
  const longer = (
    what: string,
    index: number,
    limit: number,
    without: readonly number[],
    against: string,
  ) => ({
    what: `${what}, ${sessions} sessions`,
    measured: { value: medianOf(times, (round) => round[index] ?? NaN), unit: "ms" },
    reference: { value: medianOf(times, (round) => sumOf(round, without)), unit: "ms" },
    against,
    found: medianOf(times, (round) => (round[index] ?? NaN) - sumOf(round, without)),
    reach: { bound: "at most", value: limit, unit: "ms" },
  } as const);
  const commands = ["--version", "push", "list"] as const;
  const cpu: number[][] = [];
  for (let round = 0; round < rounds.short; round++) {
    const taken: number[] = [];
    for (const command of commands) {
      taken.push(await processorTimeOf(await invocationOf(desk, [command]), desk.home));
    }
    cpu.push(taken);
  }
  const processor = (command: string, index: number, limit: number) => ({
    what: `${command}, ${sessions} sessions, processor time`,
    measured: { value: medianOf(cpu, (round) => round[index] ?? NaN), unit: "ms" },
    reference: { value: medianOf(cpu, ([start = NaN]) => start), unit: "ms" },
    against: "--version",
    found: medianOf(cpu, (round) => (round[index] ?? NaN) - (round[0] ?? NaN)),
    reach: { bound: "at most", value: limit, unit: "ms" },
  } as const);
  return [
    processor("push with nothing to do", 1, NOTHING_MS),
    processor("list", 2, LIST_MS),
    longer("push with nothing to do", 2, NOTHING_MS, [0, 1], "start, git fetch"),
    longer("list", 3, LIST_MS, [0], "--version"),
    longer("the picker's first paint", 4, LIST_MS, [5, 1], "--version, git fetch"),
  ];
}

const sumOf = (round: readonly number[], indexes: readonly number[]) =>
  indexes.reduce((sum, index) => sum + (round[index] ?? NaN), 0);

/**
 * Runs ccsync in a terminal until it shows a text; `script` of util-linux makes the terminal. What is returned ends
 * it.
 */
async function untilPainted(
  machine: TestMachine,
  args: readonly string[],
  text: string,
): Promise<AsyncDisposable> {
  const { args: all, env, path } = await invocationOf(machine, args);
  const line = [path, ...all].map((word) => `'${word}'`).join(" ");
  const child = new Deno.Command("script", {
    args: [
      "--quiet",
      "--flush",
      "--return",
      "--command",
      `stty rows 40 cols 120; exec ${line}`,
      "/dev/null",
    ],
    cwd: machine.home,
    env: { ...env, TERM: "xterm", SHELL: "/bin/sh" },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const input = child.stdin.getWriter();
  let shown = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    shown += chunk;
    if (shown.includes(text)) break;
  }
  if (!shown.includes(text)) throw new Error(`this was not shown: ${text}\n${shown}`);
  return {
    [Symbol.asyncDispose]: async () => {
      // Ctrl-C ends the picker; what ends by itself is no longer there to read it.
      await input.write(new Uint8Array([3])).catch(() => undefined);
      await input.close().catch(() => undefined);
      await child.status;
    },
  };
}

/** Returns the least that a program does, started as ccsync is: from source, or an executable. */
async function bareProgram(directory: string): Promise<Program> {
  const source = new URL("./bare.ts", import.meta.url);
  const target = Deno.build.target;
  if (Deno.env.get("CCSYNC_BIN") === undefined || !isTarget(target)) return await sourceOf(source);
  await Deno.copyFile(source, join(directory, MAIN));
  const testRuntime = Deno.env.get("DENORT_BIN") === undefined;
  const compiler = await compilerFor(target, { targets: [target], testRuntime });
  const executable = join(directory, withExtension("bare", target));
  await makeExecutable({ source: directory, executable, target, compiler });
  return { path: executable, args: [], env: {} };
}

/** Measures `--version` and `--help` against a program that prints one line. */
export async function benchStart({ rounds }: Scale): Promise<Finding[]> {
  await using pushed = await pushedWorld(planEqualSessions(1, SMALL, 6));
  const { desk } = pushed;
  const bare = await bareProgram(pushed.world.folder);
  const env = { ...bare.env, PATH: Deno.env.get("PATH") ?? "", HOME: fileURLToPath("file:///tmp") };
  const times = await inTurns(2 * rounds.short, [
    { run: () => runProgram({ ...bare, env }, "/") },
    { run: () => ccsyncOn(desk, "--version") },
    { run: () => ccsyncOn(desk, "--help") },
  ]);
  return ["--version", "--help"].map((what, i) => ({
    what,
    measured: { value: medianOf(times, (round) => round[i + 1] ?? NaN), unit: "ms" },
    reference: { value: medianOf(times, ([least = NaN]) => least), unit: "ms" },
    against: "a program of one line",
    found: medianOf(times, (round) => (round[i + 1] ?? NaN) / (round[0] ?? NaN)),
    reach: { bound: "at most", value: 1.2, unit: "x" },
  } as const));
}
