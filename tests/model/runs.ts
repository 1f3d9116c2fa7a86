/**
 * Runs of the model, and how to have a failed one again.
 *
 * @module
 */
import fc from "fast-check";
import { type Command, commands } from "./commands.ts";
import { Counts, Origin } from "./model.ts";

/** Which runs. */
export interface Runs {
  readonly seed: number;
  readonly runs: number;
  /** Where in a seed's runs, as a failure named it. */
  readonly path?: string;
  /** Milliseconds after which no further run begins. */
  readonly limitMs?: number;
  /** Whether to look for a shorter failure. */
  readonly isShrunk: boolean;
}

/**
 * Runs the model, and returns what that was.
 *
 * @throws {Error} naming the seed, the path and the commands of the first run that failed
 */
export async function runModel({ isShrunk, limitMs, path, runs, seed }: Runs): Promise<Counts> {
  const counts = new Counts();
  using origin = await Origin.create();
  const end = Date.now() + (limitMs ?? Infinity);
  const property = fc.asyncProperty(commands, async (all) => {
    if (Date.now() < end) await play(origin, all, counts);
  });
  const result = await fc.check(property, {
    seed,
    numRuns: runs,
    endOnFailure: !isShrunk,
    ...(path === undefined ? {} : { path }),
  });
  if (!result.failed) return counts;
  const [example] = result.counterexample ?? [];
  const shown = (example ?? []).filter((command) => command.do !== "nothing").map((command) =>
    JSON.stringify(command)
  );
  const again = `deno task test:long --seed ${seed} --path ${result.counterexamplePath}`;
  throw new Error(
    `the model failed; again: ${again}\n${shown.join("\n")}\n${result.errorInstance}`,
    { cause: result.errorInstance },
  );
}

async function play(origin: Origin, all: readonly Command[], counts: Counts): Promise<void> {
  await using model = origin.begin(counts);
  counts.runs++;
  for (const command of all) await model.apply(command);
  await model.settle();
}
