/**
 * Runs everything that has to pass: format, lint, types, and the tests. `deno task test` is all but the
 * real client's test, `deno task test:client` is that one, and all but those with Windows.
 *
 * Usage: `deno task test [client] [-- FILTER-ARGS]`. Ends with a line `N passed, N failed`.
 *
 * @module
 */
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** These install the client, some 245 MB, so they have a task of their own. */
const CLIENT_TESTS = ["resume", "belongings", "fork", "retention", "terminal", "hooks"].map((
  name,
) => `tests/client/${name}_test.ts`);

/** These have a task of their own, `deno task test:wine`. */
const WINE_TESTS = "tests/wine";

const encoder = new TextEncoder();

export function say(text: string): void {
  Deno.stdout.writeSync(encoder.encode(text));
}

/** Runs deno with its output shown, and returns what it printed too. */
export async function deno(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return await run(Deno.execPath(), args, env);
}

/** How a program ended, and what it printed. */
export interface Ran {
  readonly ok: boolean;
  readonly output: string;
}

/** Runs a program with its output shown, and returns what it printed too. */
export async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  say(`\n$ ${basename(program)} ${args.join(" ")}\n`);
  const child = new Deno.Command(program, {
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

/** Adds up the lines `ok | 12 passed | 0 failed` of deno test; `undefined` where there is none. */
export function countsOf(output: string): Counts | undefined {
  const lines = [...output.matchAll(/\| (\d+) passed[^|]*\| (\d+) failed/g)];
  if (lines.length === 0) return undefined;
  return {
    passed: lines.reduce((sum, [, passed]) => sum + Number(passed), 0),
    failed: lines.reduce((sum, [, , failed]) => sum + Number(failed), 0),
  };
}

async function main(which: string | undefined): Promise<number> {
  const checks = which === "client"
    ? []
    : [["fmt", "--check"], ["lint"], ["check", "--frozen", "."]];
  let [passed, failed] = [0, 0];
  for (const check of checks) {
    const { ok } = await deno(check);
    if (ok) passed++;
    else failed++;
  }
  const selection = which === "client"
    ? CLIENT_TESTS
    : ["--parallel", `--ignore=${[...CLIENT_TESTS, WINE_TESTS]}`, "tests/"];
  const { ok, output } = await deno(["test", "-A", "--frozen", "--no-check", ...selection]);
  const counts = countsOf(output);
  passed += counts?.passed ?? 0;
  failed += counts?.failed ?? 0;
  if (!ok && (counts === undefined || counts.failed === 0)) failed++;
  say(`\n${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args[0]);
