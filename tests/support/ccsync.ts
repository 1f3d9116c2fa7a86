/**
 * ccsync as a program, for tests.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { described, type ProcessResult, RunningProcess, runToEnd } from "./process.ts";

/** The machine that a run of ccsync believes to be on. */
export interface CcsyncMachine {
  /** The throw-away home, which holds `.claude` and ccsync's own directory. */
  readonly home: string;
  /** What `CLAUDE_CODE_TMPDIR` says on this machine. */
  readonly tmp: string;
  /** Further variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** How ccsync is started there. @default a program of this system */
  readonly invocation?: (args: readonly string[]) => Promise<Program>;
}

/**
 * Runs ccsync in the machine's home, as {@linkcode tryCcsync}.
 *
 * @throws {AssertionError} when the exit code is not 0
 */
export async function ccsync(
  machine: CcsyncMachine,
  ...args: readonly string[]
): Promise<ProcessResult> {
  const result = await tryCcsync(machine, ...args);
  assert.equal(result.code, 0, `ccsync ${args.join(" ")}\n${described(result)}`);
  return result;
}

/**
 * Runs ccsync in the machine's home to its end, whatever its exit code: the executable that `CCSYNC_BIN`
 * names, else the source.
 */
export async function tryCcsync(
  machine: CcsyncMachine,
  ...args: readonly string[]
): Promise<ProcessResult> {
  const result = runner(machine, args);
  if (result !== undefined) return await result;
  const { path, args: all, env } = await invocationOf(machine, args);
  return await runToEnd(path, { args: all, cwd: machine.home, env });
}

/** Runs ccsync in another way than as a program, `undefined` where it does not. */
type Runner = (
  machine: CcsyncMachine,
  args: readonly string[],
) => Promise<ProcessResult> | undefined;

let runner: Runner = () => undefined;

/** Has ccsync run in another way; see `in_process.ts`. */
export function setRunner(other: Runner): void {
  runner = other;
}

/**
 * Returns how ccsync is started on a machine, for those who start it themselves.
 *
 * No variable of the calling process reaches it but `PATH`, and git sees no configuration.
 */
export async function invocationOf(
  machine: CcsyncMachine,
  args: readonly string[],
): Promise<Program> {
  if (machine.invocation !== undefined) return await machine.invocation(args);
  const program = await programOf();
  const env = {
    PATH: Deno.env.get("PATH") ?? "",
    ...windowsVariables(machine),
    HOME: machine.home,
    CCSYNC_HOME: `${machine.home}/.claude-session-sync`,
    CLAUDE_CODE_TMPDIR: machine.tmp,
    LANG: "C.UTF-8",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    // Whatever Claude Code there is on the machine that runs the tests: it is not for them.
    CCSYNC_CLAUDE: scriptedClaude(machine),
    ...program.env,
    ...machine.env,
  };
  return { path: program.path, args: [...program.args, ...args], env };
}

/** What a program on Windows cannot do without, and where its user is. */
const WINDOWS_VARIABLES: readonly string[] = ["SystemRoot", "SystemDrive", "ComSpec", "PATHEXT"];

function windowsVariables({ home, tmp }: CcsyncMachine): Record<string, string> {
  if (Deno.build.os !== "windows") return {};
  const kept = WINDOWS_VARIABLES.map((name) => [name, Deno.env.get(name) ?? ""]);
  return { ...Object.fromEntries(kept), USERPROFILE: home, TEMP: tmp, TMP: tmp };
}

/** Returns where the program is that stands in for Claude Code on a machine, if a test puts one there. */
export function scriptedClaude({ home }: CcsyncMachine): string {
  return `${home}/bin/claude`;
}

/**
 * Starts ccsync in the machine's home. Dispose what is returned.
 *
 * @param endOthers Ends the script that ccsync may have started in Claude Code's place
 */
export async function startCcsync(
  machine: CcsyncMachine,
  args: readonly string[],
  endOthers: () => void,
): Promise<RunningProcess> {
  const { path, args: all, env } = await invocationOf(machine, args);
  return new RunningProcess(path, { args: all, cwd: machine.home, env }, endOthers);
}

/** A program with its arguments and its whole environment. */
export interface Program {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

async function programOf(): Promise<Program> {
  const executable = Deno.env.get("CCSYNC_BIN");
  if (executable !== undefined) return { path: executable, args: [], env: {} };
  return await sourceOf(new URL("../../main.ts", import.meta.url));
}

/** Returns how a source file of this repository is run, wherever `HOME` is. */
export async function sourceOf(file: URL): Promise<Program> {
  return {
    path: Deno.execPath(),
    args: ["run", "-A", "--quiet", "--frozen", fileURLToPath(file)],
    // The cache follows HOME otherwise, and every run would fetch the packages again.
    env: { DENO_DIR: await denoDir(), DENO_TLS_CA_STORE: "system" },
  };
}

const DENO_INFO = v.object({ denoDir: v.string() });

let knownDenoDir: string | undefined;

async function denoDir(): Promise<string> {
  knownDenoDir ??= Deno.env.get("DENO_DIR") ?? await askDenoDir();
  return knownDenoDir;
}

async function askDenoDir(): Promise<string> {
  const { stdout } = await runToEnd(Deno.execPath(), { args: ["info", "--json"], cwd: "." });
  return v.parse(DENO_INFO, JSON.parse(stdout)).denoDir;
}

/**
 * Puts `ccsync` on the search path of a machine as a command, and returns the environment of its shells.
 *
 * For systems with a POSIX shell.
 */
export async function shellEnvironment(machine: CcsyncMachine): Promise<Record<string, string>> {
  const { args, env, path } = await invocationOf(machine, []);
  const quoted = [path, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const bin = `${machine.home}/bin`;
  await Deno.mkdir(bin, { recursive: true });
  const script = `#!/bin/sh\nexec ${quoted} "$@"\n`;
  await Deno.writeTextFile(`${bin}/ccsync`, script, { mode: 0o755 });
  return { ...env, PATH: `${bin}:${env["PATH"] ?? ""}` };
}
