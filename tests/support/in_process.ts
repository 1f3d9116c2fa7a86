/**
 * Runs ccsync inside the tests' own process. For files that run it hundreds of times to see what becomes of
 * sessions: starting the program takes longer than most of what it does. They import this, and nothing else
 * changes for them. Where `CCSYNC_BIN` names an executable, that is started all the same.
 *
 * @module
 */
import { run } from "../../src/cli/app.ts";
import { readEnvironment } from "../../src/machine/environment.ts";
import { type CcsyncMachine, invocationOf, setRunner } from "./ccsync.ts";
import "./hermetic_git.ts";
import type { ProcessResult } from "./process.ts";

/** Those that start nothing but git, and look at nothing of their process but what is handed to them. */
const COMMANDS: ReadonlySet<string> = new Set(["init", "push", "pull", "list", "undo"]);

const STREAMS = ["stdout", "stderr"] as const;

/** One at a time: what they write goes through streams that all of them share. */
let last: Promise<unknown> = Promise.resolve();

function runHere(machine: CcsyncMachine, args: readonly string[]): Promise<ProcessResult> {
  const result = last.then(() => captured(machine, args));
  last = result.catch(() => undefined);
  return result;
}

async function captured(machine: CcsyncMachine, args: readonly string[]): Promise<ProcessResult> {
  const { env } = await invocationOf(machine, args);
  const decoder = new TextDecoder();
  const written = { stdout: "", stderr: "" };
  const originals = STREAMS.map((name) => Deno[name].writeSync);
  for (const name of STREAMS) {
    Deno[name].writeSync = (bytes) => {
      written[name] += decoder.decode(bytes);
      return bytes.length;
    };
  }
  try {
    const code = await run(args, (terminal) => ({
      env: readEnvironment((name) => env[name]),
      terminal,
    }));
    return { code, ...written };
  } finally {
    for (const [i, name] of STREAMS.entries()) {
      Deno[name].writeSync = originals[i] ?? Deno[name].writeSync;
    }
  }
}

// Whoever runs the tests may do so in a terminal.
for (const name of [...STREAMS, "stdin"] as const) Deno[name].isTerminal = () => false;

if (!Deno.env.has("CCSYNC_BIN")) {
  setRunner((machine, args) => {
    const isPlain = machine.invocation === undefined && Object.keys(machine.env ?? {}).length === 0;
    return isPlain && COMMANDS.has(args[0] ?? "") ? runHere(machine, args) : undefined;
  });
}
