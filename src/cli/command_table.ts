/**
 * The command table as data: what completions and the man page are made of. The table itself is the one in
 * `src/cli/program.ts`.
 *
 * @module
 */

/** A command, with all below it. */
export interface CommandInfo {
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly ValueInfo[];
  readonly options: readonly OptionInfo[];
  readonly commands: readonly CommandInfo[];
}

/** What a command or an option takes. */
export interface ValueInfo {
  /** The word that stands for it in the help, such as `session-id`: it tells what can be put there. */
  readonly name: string;
  readonly description: string;
  readonly isRequired: boolean;
  /** All that can be put there; empty where it is not a choice. */
  readonly choices: readonly string[];
}

/** An option of a command. */
export interface OptionInfo {
  /** The short form first, where there is one. */
  readonly flags: readonly string[];
  readonly description: string;
  /** @default {undefined} It takes no value */
  readonly value?: ValueInfo;
}

/** What is read of the parser library's commands. */
export interface ParserCommand {
  name(): string;
  description(): string;
  createHelp(): ParserHelp;
  readonly registeredArguments: readonly ParserArgument[];
}

/** What is read of the parser library's help: it knows what is shown, and the commands it adds itself. */
interface ParserHelp {
  visibleCommands(command: ParserCommand): readonly ParserCommand[];
  visibleOptions(command: ParserCommand): readonly ParserOption[];
}

interface ParserOption {
  readonly flags: string;
  readonly short?: string | undefined;
  readonly long?: string | undefined;
  readonly description: string;
  readonly required: boolean;
  readonly argChoices?: readonly string[] | undefined;
}

interface ParserArgument {
  name(): string;
  readonly description: string;
  readonly required: boolean;
  readonly argChoices?: readonly string[] | undefined;
}

/** Returns a command of the parser library, with all below it, as data. */
export function tableOf(command: ParserCommand): CommandInfo {
  const help = command.createHelp();
  return {
    name: command.name(),
    description: command.description(),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      description: argument.description,
      isRequired: argument.required,
      choices: argument.argChoices ?? [],
    })),
    options: help.visibleOptions(command).map(optionInfo),
    commands: help.visibleCommands(command).map(tableOf),
  };
}

function optionInfo(option: ParserOption): OptionInfo {
  const { argChoices, description, flags, long, required, short } = option;
  const [, name] = /[<[](.+)[>\]]$/.exec(flags) ?? [];
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description,
    ...(name !== undefined && {
      value: { name, description: "", isRequired: required, choices: argChoices ?? [] },
    }),
  };
}
