/**
 * Runs everything that has to pass: format, lint, types, and the tests. `deno task test` is all but the
 * real client's test, `deno task test:client` is that one.
 *
 * Usage: `deno task test [client] [-- FILTER-ARGS]`. Ends with a line `N passed, N failed`.
 *
 * @module
 */
import { statfsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** These install the client, some 245 MB, so they have a task of their own. */
const CLIENT_TESTS = ["resume", "belongings", "fork", "retention", "terminal", "hooks"].map((
  name,
) => `tests/client/${name}_test.ts`);

/** A file system in memory, which waits for no disk: a quarter of the tests' time was such waiting. */
const MEMORY = "/dev/shm";
/** What the tests may need there at once, with room to spare. */
const MEMORY_BYTES = 4 * 1024 ** 3;

const encoder = new TextEncoder();

function say(text: string): void {
  Deno.stdout.writeSync(encoder.encode(text));
}

/** Runs deno with its output shown, and returns what it printed too. */
async function deno(
  args: readonly string[],
): Promise<{ readonly ok: boolean; readonly output: string }> {
  say(`\n$ deno ${args.join(" ")}\n`);
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    // Colours would hide the counts of the last line.
    env: { NO_COLOR: "1", ...temporary() },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [output, errors] = await Promise.all([show(child.stdout), show(child.stderr)]);
  const { success } = await child.status;
  return { ok: success, output: output + errors };
}

/** Returns where temporary folders go: what the environment says, else into memory where there is enough. */
function temporary(): { TMPDIR?: string } {
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
    : ["--parallel", `--ignore=${CLIENT_TESTS}`, "tests/"];
  const { ok, output } = await deno(["test", "-A", "--frozen", "--no-check", ...selection]);
  const counts = countsOf(output);
  passed += counts?.passed ?? 0;
  failed += counts?.failed ?? 0;
  if (!ok && (counts === undefined || counts.failed === 0)) failed++;
  say(`\n${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args[0]);
