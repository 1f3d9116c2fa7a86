import { type Config, readConfigIfThere } from "../../machine/config.ts";
import type { Environment } from "../../machine/environment.ts";
import type { KnownSession } from "../../sync/known.ts";
import { type CommandInfo, type ParserCommand, tableOf } from "../command_table.ts";
import { type Candidate, type Named, wantedAt } from "../completion/resolve.ts";
import type { Context } from "../context.ts";
import { formatAge } from "../table.ts";
import { clean } from "../terminal.ts";

/** Before the word at the cursor: never an empty argument, which some shells drop. */
const CURRENT = "--current=";

/**
 * What shells run when somebody presses Tab: prints what can stand at the cursor, a line each, with a tab before
 * the description; or `:directories` or `:files`, and the part of the word that comes before the path. Whatever
 * is wrong, it says nothing: the line that somebody types is no place for it.
 *
 * @param args `--current=WORD -- WORDS`, without the program's name
 */
export async function runComplete(
  makeContext: () => Context,
  program: ParserCommand,
  args: readonly string[],
): Promise<void> {
  try {
    const [first = "", , ...before] = args;
    if (!first.startsWith(CURRENT)) return;
    const { env, terminal } = makeContext();
    const lines = await completions(env, tableOf(program), before, first.slice(CURRENT.length));
    if (lines.length > 0) terminal.result(lines.join("\n"));
  } catch {
    // No configuration that can be read, a state in use: then nothing can be proposed.
  }
}

async function completions(
  env: Environment,
  table: CommandInfo,
  before: readonly string[],
  current: string,
): Promise<string[]> {
  const wanted = wantedAt(table, before, current);
  if (wanted.kind === "words") return wanted.words.map(lineOf);
  const { kind, prefix, suffix } = wanted;
  if (kind === "directories" || kind === "files") return [`:${kind} ${prefix}`];
  const config = readConfigIfThere(env.ccsyncHome, env.style);
  if (config === undefined) return [];
  const values = await known(kind, env, config, current.slice(prefix.length));
  return values
    .map(({ description, value }) => ({ value: prefix + value + suffix, description }))
    .filter(({ value }) => value.startsWith(current))
    .map(lineOf);
}

async function known(
  kind: Named,
  env: Environment,
  config: Config,
  begun: string,
): Promise<Candidate[]> {
  // Commands and flags, which are asked for most, do without it.
  const { knownLocks, knownMachines, knownPlaceholders, knownSessions } = await import(
    "../../sync/known.ts"
  );
  const titled = ({ id, machine, title, updatedAt }: KnownSession) => ({
    value: id,
    description: `${title || "(no title)"} (${machine}, ${formatAge(updatedAt, env.now())})`,
  });
  const named = (names: ReadonlyMap<string, string>) =>
    [...names].map(([value, description]) => ({ value, description })).sort(byValue);
  switch (kind) {
    case "sessions":
      return knownSessions(env, config, begun).map(titled);
    case "locked sessions":
      return (await knownLocks(env, config, begun)).map(titled);
    case "machines":
      return named(await knownMachines(env, config));
    case "placeholders":
      return named(await knownPlaceholders(env, config));
  }
}

const byValue = (a: Candidate, b: Candidate) => (a.value < b.value ? -1 : 1);

function lineOf({ description, value }: Candidate): string {
  const text = clean(description);
  return text === "" ? value : `${value}\t${text}`;
}
