/**
 * Runs everything that has to pass: format, lint, types, and the tests. `deno task test` is all but the real
 * client's test and those of the executable, `deno task test:client` and `deno task test:executable` are these;
 * `deno task test:wine` tests the executable for Windows, as far as Wine can show it.
 *
 * Usage: `deno task test`, `deno task test:client`, `deno task test:executable`, `deno task test:wine`. Ends with
 * a line `N passed, N failed`.
 *
 * @module
 */
import { statfsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { noWine, windowsExecutable } from "../tests/wine/wine.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** These build for every system, so they have a task of their own. */
const EXECUTABLE_TESTS = "tests/executable/";
/** These start ccsync as a program. Those of `tests/faults/` that kill it at a step need the source for that. */
const PROGRAM_TESTS = ["tests/scenario/", "tests/faults/"];
/** This one does not: its eight machines are in one process. */
const IN_PROCESS_TEST = "tests/scenario/concurrency_test.ts";
/** These install the client, some 245 MB, so they have a task of their own. */
const CLIENT_TESTS = ["resume", "belongings", "fork", "retention", "terminal", "hooks"].map((
  name,
) => `tests/client/${name}_test.ts`);

/** These need Wine, and are slow there, so they have a task of their own. */
const WINE_TESTS = "tests/wine/";
/** Gives Windows to all machines of a world but the first. */
const WITH_WINDOWS = "--preload=tests/wine/with_windows.ts";
/** Scenarios that are played so, by a part of each test's name: others say the same, or what one system alone has. */
const SCENARIOS_WITH_WINDOWS: Readonly<Record<string, readonly string[]>> = {
  "tests/scenario/sync_test.ts": [
    "goes to another machine and comes back",
    "both machines append while apart",
    "three machines diverge",
    "a lost state is rebuilt",
    "moves on the other machine",
    "its session comes as soon as it is mapped",
    "moving the projects folder keeps its sessions",
    "two pushes at once on one machine",
  ],
  "tests/scenario/resume_test.ts": [
    "resume brings a session here",
    "only in the hub is restored",
    "a missing directory is named",
    "locked elsewhere is not opened",
    "a lock that is taken over",
    "offline: resume says so",
  ],
  "tests/scenario/undo_test.ts": [
    "undo takes back a merge",
    "undo is undone by undo",
    "undo of a move after set-path",
    "undo brings back deleted and merged memory",
  ],
  "tests/scenario/memory_test.ts": [
    "edit different lines of a note",
    "one machine deletes a note: it goes everywhere",
    "a pull merges what was not pushed yet",
    "moving the projects folder takes its memory along",
  ],
  "tests/scenario/retention_test.ts": [
    "a session that never was here",
    "the clean-up's period",
  ],
};

/** A file system in memory, which waits for no disk: a quarter of the tests' time was such waiting. */
const MEMORY = "/dev/shm";
/** What the tests may need there at once, with room to spare. */
const MEMORY_BYTES = 4 * 1024 ** 3;

const encoder = new TextEncoder();

function say(text: string): void {
  Deno.stdout.writeSync(encoder.encode(text));
}

/** A part of what has to pass. */
interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

/** Runs deno with its output shown, and returns what it printed too. */
async function deno(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  say(`\n$ deno ${args.join(" ")}\n`);
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    // Colours would hide the counts of the last line.
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [output, errors] = await Promise.all([show(child.stdout), show(child.stderr)]);
  const { success } = await child.status;
  return { ok: success, output: output + errors };
}

/**
 * Returns where temporary folders go: what the environment says, else into memory where there is enough. Not for
 * executables: with permissions of its own, Deno lets no program into `/dev`.
 */
function inMemory(): { TMPDIR?: string } {
  if (Deno.env.get("TMPDIR") !== undefined || Deno.build.os !== "linux") return {};
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize < MEMORY_BYTES ? {} : { TMPDIR: MEMORY };
  } catch {
    return {};
  }
}

async function show(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    Deno.stdout.writeSync(chunk);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** Reads the last `ok | 12 passed | 0 failed` line of deno test. */
function countsOf(output: string): Counts | undefined {
  const [, passed, failed] = [...output.matchAll(/\| (\d+) passed[^|]*\| (\d+) failed/g)].at(-1) ??
    [];
  return passed === undefined ? undefined : { passed: Number(passed), failed: Number(failed) };
}

/** Runs something that passes or fails as one. */
async function check(...args: Parameters<typeof deno>): Promise<Counts> {
  const { ok } = await deno(...args);
  return ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** Runs tests, and returns how many of them passed; one more failed if deno says so and counts none. */
async function tests(
  selection: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<Counts> {
  const { ok, output } = await deno(["test", "-A", "--frozen", "--no-check", ...selection], env);
  const { passed, failed } = countsOf(output) ?? { passed: 0, failed: 0 };
  return { passed, failed: !ok && failed === 0 ? 1 : failed };
}

async function testSource(): Promise<Counts[]> {
  return [
    await check(["fmt", "--check"]),
    await check(["lint"]),
    await check(["check", "--frozen", "."]),
    await tests([
      "--parallel",
      `--ignore=${[...CLIENT_TESTS, EXECUTABLE_TESTS, WINE_TESTS]}`,
      "tests/",
    ], inMemory()),
  ];
}

/** Builds the executable, and plays with it whatever starts ccsync as a program. */
async function testExecutable(): Promise<Counts[]> {
  const script = ["run", "-A", "--frozen"];
  const { ok, output } = await deno([...script, "scripts/build.ts", "--test-runtime"]);
  const [, path] = /^(.*[/\\]ccsync(?:\.exe)?)$/m.exec(output) ?? [];
  if (!ok || path === undefined) return [{ passed: 0, failed: 1 }];
  const env = { CCSYNC_BIN: path };
  return [
    { passed: 1, failed: 0 },
    await check([...script, "scripts/demo.ts"], env),
    await tests(["--parallel", `--ignore=${IN_PROCESS_TEST}`, ...PROGRAM_TESTS], env),
    await tests(CLIENT_TESTS, env),
    await tests([EXECUTABLE_TESTS]),
  ];
}

/** Tests the executable for Windows on machines that live on `C:\\` beside others. */
async function testWine(): Promise<Counts[]> {
  if (noWine !== undefined) {
    say(`nothing is tested with Windows: ${noWine}\n`);
    return [];
  }
  const env = { CCSYNC_WINDOWS_BIN: await windowsExecutable() };
  return [
    await tests([WINE_TESTS], env),
    await check(["run", "-A", "--frozen", "scripts/demo.ts", "--windows"], env),
    await scenariosWithWindows(env),
  ];
}

async function scenariosWithWindows(env: Readonly<Record<string, string>>): Promise<Counts> {
  const names = Object.values(SCENARIOS_WITH_WINDOWS).flat();
  const filter = `--filter=/${names.map(RegExp.escape).join("|")}/`;
  const counts = await tests([WITH_WINDOWS, filter, ...Object.keys(SCENARIOS_WITH_WINDOWS)], env);
  const absent = names.length - counts.passed - counts.failed;
  if (absent === 0) return counts;
  say(`${absent} of ${names.length} scenarios were not played, or more: look at their names\n`);
  return { ...counts, failed: counts.failed + 1 };
}

async function main(which: string | undefined): Promise<number> {
  const all = which === "client"
    ? [await tests(CLIENT_TESTS, inMemory())]
    : which === "executable"
    ? await testExecutable()
    : which === "wine"
    ? await testWine()
    : await testSource();
  const passed = all.reduce((sum, counts) => sum + counts.passed, 0);
  const failed = all.reduce((sum, counts) => sum + counts.failed, 0);
  say(`\n${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args[0]);
