/**
 * Plays the model of `tests/model/` for as long as one likes: other seeds each time, several jobs at once.
 *
 * Usage: `deno task test:long [--minutes 20] [--runs N] [--seed N [--path PATH]] [--jobs N]`. With a path, it
 * plays the run that a failure named, and looks for a shorter one. Exits with 1 after a failure.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { messageOf } from "../src/errors.ts";
import { Counts } from "../tests/model/model.ts";
import { runModel } from "../tests/model/runs.ts";

/** So many runs have one seed. */
const BATCH = 50;
/** What a job's last line begins with, before its counts as JSON. */
const TOTAL = "total ";

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

function shown(counts: Counts): string {
  return Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", ");
}

interface Options {
  readonly seed: number;
  readonly runs: number;
  readonly minutes: number;
  readonly jobs: number;
}

/** Plays batches of one seed each, the seeds counted up from the first. */
async function play({ minutes, runs, seed }: Options): Promise<void> {
  const total = new Counts();
  const end = Date.now() + minutes * 60_000;
  for (let batch = seed; total.runs < runs && Date.now() < end; batch++) {
    const counts = await runModel({
      seed: batch,
      runs: Math.min(BATCH, runs - total.runs),
      limitMs: end - Date.now(),
      isShrunk: false,
    });
    total.add(counts);
    say(`seed ${batch}: ${shown(counts)}`);
  }
  say(TOTAL + JSON.stringify(total));
}

/** Runs this script again, several times at once; returns whether nothing failed. */
async function playJobs({ jobs, minutes, runs, seed }: Options): Promise<boolean> {
  const share = String(Math.ceil(runs / jobs));
  const total = new Counts();
  const ended = await Promise.all(Array.from({ length: jobs }, async (_, job) => {
    const { code, output } = await runSelf([
      "--jobs=1",
      `--seed=${seed + job * 1_000_000}`,
      `--minutes=${minutes}`,
      `--runs=${share}`,
    ]);
    const [, json] = new RegExp(`^${TOTAL}(.*)$`, "m").exec(output) ?? [];
    if (json !== undefined) total.add(Object.assign(new Counts(), JSON.parse(json)));
    return code === 0;
  }));
  say(`\nall jobs: ${shown(total)}`);
  return ended.every((ok) => ok);
}

async function runSelf(args: readonly string[]): Promise<{ code: number; output: string }> {
  const self = fileURLToPath(import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--frozen", self, ...args],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let output = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += text;
    Deno.stdout.writeSync(new TextEncoder().encode(text));
  }
  return { code: (await child.status).code, output };
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      minutes: { type: "string", default: "20" },
      runs: { type: "string" },
      seed: { type: "string" },
      path: { type: "string" },
      jobs: { type: "string" },
    },
  });
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  const seed = Number(values.seed ?? random >>> 2);
  const options = {
    seed,
    minutes: Number(values.minutes),
    runs: Number(values.runs ?? Infinity),
    jobs: Number(values.jobs ?? availableParallelism()),
  };
  if (values.path === undefined && options.jobs > 1) return await playJobs(options);
  try {
    if (values.path === undefined) await play(options);
    else await runModel({ seed, runs: 1, path: values.path, isShrunk: true });
    return true;
  } catch (error) {
    say(messageOf(error));
    return false;
  }
}

if (import.meta.main) Deno.exitCode = await main() ? 0 : 1;
