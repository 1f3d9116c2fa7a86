/**
 * What can stand where the cursor is: pure, of the command table and the words so far.
 *
 * @module
 */
import type { CommandInfo, OptionInfo, ValueInfo } from "../command_table.ts";

/** Something that can be put at the cursor. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** A kind of value that only this machine knows. */
export type Named = "sessions" | "locked sessions" | "machines" | "placeholders";

/** What can stand where the cursor is. */
export type Wanted =
  | { readonly kind: "words"; readonly words: readonly Candidate[] }
  | {
    readonly kind: Named | "directories" | "files";
    /** The beginning of the word that stays: `--dir=`, `PROJECTS=`. */
    readonly prefix: string;
    /** What is put behind each value. */
    readonly suffix: string;
  };

/** What the table's words for values stand for. */
const KINDS: Readonly<Record<string, Named | "directories">> = {
  "session-id": "sessions",
  "machine-id": "machines",
  "name": "placeholders",
  "path": "directories",
  "url|path": "directories",
};

/** A placeholder with its path. */
const ASSIGNMENT = "name=path";

/** Where the cursor is. */
interface Place {
  /** The commands from the program down. */
  readonly commands: readonly CommandInfo[];
  /** How many arguments of the last command came before. */
  readonly argumentsBefore: number;
  /** The option whose value is due. */
  readonly option: OptionInfo | undefined;
  readonly flagsBefore: ReadonlySet<string>;
  /** Whether a `--` came before. */
  readonly isPastFlags: boolean;
}

/**
 * Returns what can stand where the cursor is.
 *
 * @param table The program
 * @param before The words between the program's name and the one at the cursor
 * @param current The word at the cursor, up to there
 */
export function wantedAt(
  table: CommandInfo,
  before: readonly string[],
  current: string,
): Wanted {
  const place = placeAfter(table, before);
  const { argumentsBefore, commands, isPastFlags, option } = place;
  const command = commands.at(-1) ?? table;
  if (option?.value !== undefined) return wantedValue(option.value, command, "", current);
  if (isPastFlags) return { kind: "files", prefix: "", suffix: "" };
  const [, flag] = /^(--[^=]+)=/.exec(current) ?? [];
  if (flag !== undefined) {
    const value = optionNamed(commands, flag)?.value;
    return value === undefined ? NOTHING : wantedValue(value, command, `${flag}=`, current);
  }
  if (current.startsWith("-")) return words(flagsOf(place), current);
  if (command.commands.length > 0) return words(command.commands.map(candidate), current);
  const argument = command.arguments[argumentsBefore];
  if (argument !== undefined) {
    // The program's own help takes the name of a command.
    const isHelp = argument.name === "command";
    return isHelp
      ? words((commands[0] ?? table).commands.map(candidate), current)
      : wantedValue(argument, command, "", current);
  }
  return words(flagsOf(place), current);
}

const NOTHING: Wanted = { kind: "words", words: [] };

function placeAfter(table: CommandInfo, before: readonly string[]): Place {
  const commands = [table];
  const flagsBefore = new Set<string>();
  let argumentsBefore = 0;
  let option: OptionInfo | undefined;
  for (const word of before) {
    if (option !== undefined) {
      option = undefined;
    } else if (word === "--") {
      return { commands, argumentsBefore, option, flagsBefore, isPastFlags: true };
    } else if (word.startsWith("-")) {
      const [flag = ""] = word.split("=");
      flagsBefore.add(flag);
      const found = optionNamed(commands, flag);
      option = found?.value !== undefined && !word.includes("=") ? found : undefined;
    } else {
      const below = commands.at(-1)?.commands.find(({ name }) => name === word);
      if (below === undefined) argumentsBefore++;
      else commands.push(below);
    }
  }
  return { commands, argumentsBefore, option, flagsBefore, isPastFlags: false };
}

/** Options of a command above count below it, too. */
function optionNamed(commands: readonly CommandInfo[], flag: string): OptionInfo | undefined {
  return commands.flatMap(({ options }) => options).find(({ flags }) => flags.includes(flag));
}

/** Returns the flags that can still be given: those of the command first, then those of every command. */
function flagsOf({ commands, flagsBefore }: Place): Candidate[] {
  const options = commands.toReversed().flatMap(({ options }) => options)
    // Those that take a value may come again.
    .filter(({ flags, value }) => value !== undefined || !flags.some((it) => flagsBefore.has(it)));
  const longest = options.map(({ description, flags }) => {
    return { value: flags.at(-1) ?? "", description };
  });
  return longest.filter(({ value }, index) => {
    return longest.findIndex((other) => other.value === value) === index;
  });
}

function wantedValue(
  value: ValueInfo,
  command: CommandInfo,
  prefix: string,
  current: string,
): Wanted {
  if (value.choices.length > 0) {
    return words(
      value.choices.map((choice) => ({ value: prefix + choice, description: "" })),
      current,
    );
  }
  if (value.name === ASSIGNMENT) {
    const [name = ""] = /^[^=]*=/.exec(current.slice(prefix.length)) ?? [];
    return name === ""
      ? { kind: "placeholders", prefix, suffix: "=" }
      : { kind: "directories", prefix: prefix + name, suffix: "" };
  }
  const kind = KINDS[value.name];
  if (kind === undefined) return NOTHING;
  const isOfLock = kind === "sessions" && command.name === "release";
  return { kind: isOfLock ? "locked sessions" : kind, prefix, suffix: "" };
}

function candidate({ description, name }: CommandInfo): Candidate {
  return { value: name, description };
}

function words(all: readonly Candidate[], current: string): Wanted {
  return { kind: "words", words: all.filter(({ value }) => value.startsWith(current)) };
}
