/**
 * The command line: the command table, and what reads arguments by it. The parser library is hidden here.
 *
 * @module
 */
import { Argument, Command, Option } from "@commander-js/extra-typings";
import { CommanderError } from "commander";
import { CcsyncError, EXIT_CODES } from "../errors.ts";
import { VERSION } from "../version.ts";
import type { ParserCommand } from "./command_table.ts";
import {
  runAddPlaceholder,
  runAddSyncDirectory,
  runCompletions,
  runConfigEdit,
  runConfigShow,
  runDaemon,
  runDoctor,
  runInit,
  runList,
  runLockCleanup,
  runLockRelease,
  runLockShow,
  runPull,
  runPush,
  runRemovePlaceholder,
  runRemoveSyncDirectory,
  runResume,
  runSetPath,
  runSetupHooks,
  runStatus,
  runUndo,
  runUpdate,
  runUpgrade,
} from "./commands.ts";
import { INSTALLATION, SHELLS } from "./completion/shells.ts";
import type { Context, Ending } from "./context.ts";
import { type CommandName, COMMANDS, HELP_COMMAND, NARROWEST, OPTIONS, PURPOSE } from "./help.ts";

/** The options that all commands have. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color?: boolean;
}

/** What a command does. */
export type Work = (context: Context) => Promise<Ending>;

/** Runs the command that a command line names. */
export type Act = (name: string, options: GlobalOptions, work: Work) => Promise<void>;

/**
 * Reads a command line, and has the command run that it names.
 *
 * @returns The exit code where there was none, and help was shown; else `undefined`
 * @throws {CcsyncError} kind "usage" when it cannot be read; whatever the command throws
 */
export async function obey(args: readonly string[], act: Act): Promise<number | undefined> {
  const [own, clientArgs] = splitArgs(args);
  try {
    await buildProgram(act, clientArgs, own[0]).parseAsync(own, { from: "user" });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    if (error.code === "commander.help") return EXIT_CODES.usage;
    throw misread(error);
  }
}

function misread({ message }: CommanderError): CcsyncError {
  const [first = "", ...rest] = message.replace(/^error: /, "").split("\n");
  return new CcsyncError("usage", `cannot read the command line: ${first.replace(/\.$/, "")}`, {
    hints: [
      ...rest.map((line) => line.replace(/^\((.*)\)$/, "$1")),
      "ccsync --help lists commands and options",
    ],
  });
}

/** Returns the commands, which do nothing. */
export function commandTable(): ParserCommand {
  return buildProgram(() => Promise.resolve(), []);
}

// deno-lint-ignore no-explicit-any -- commander's type of a command with options fits no other
type AnyCommand = Command<any, any, any>;

/** Splits off what `ccsync resume` passes on: everything after the first `--`. */
function splitArgs(args: readonly string[]): [own: string[], clientArgs: readonly string[]] {
  const at = args.indexOf("--");
  const isPassed = at !== -1 && args.slice(0, at).includes("resume");
  return isPassed ? [args.slice(0, at), args.slice(at + 1)] : [[...args], []];
}

/** What the commands are made with. */
interface Making {
  readonly program: AnyCommand;
  /** Has a command do its work. */
  readonly on: (command: AnyCommand, work: Work) => Promise<void>;
  /** What `ccsync resume` passes on to claude. */
  readonly clientArgs: readonly string[];
}

/** What makes the commands, one line or a few each. */
const MAKERS: Readonly<Record<CommandName, (making: Making) => void>> = {
  init: ({ on, program }) => {
    begin(program, "init")
      .option("--remote <url|path>", "the hub: a git URL, or a path")
      .option("--repo <owner/name>", "the hub at GitHub, by gh; created, private, if there is none")
      .option("--machine-id <id>", "this machine's id (default: from the host name)")
      .option(
        "--sync-dir <path>",
        "sync sessions of projects under this directory; repeatable",
        collect,
      )
      .option(
        "--add-placeholder <name=path>",
        "a directory that other machines have elsewhere; repeatable",
        collect,
      )
      .option("--allow-public", "accept a hub that others can read")
      .option("-y, --yes", "take the defaults, ask nothing")
      .action((options, command) => on(command, (context) => runInit(context, options)));
  },

  push: ({ on, program }) => {
    begin(program, "push")
      .option("--dry-run", "show what would be sent, write nothing")
      .option("--all", "include sessions outside the sync directories")
      .action((options, command) => on(command, (context) => runPush(context, options)));
  },

  pull: ({ on, program }) => {
    begin(program, "pull")
      .option("--dry-run", "show what would be brought, write nothing")
      .option("--force", "bring back old sessions, too, that are no longer here")
      .option("--all", "include sessions outside the sync directories")
      .action((options, command) => on(command, (context) => runPull(context, options)));
  },

  resume: ({ clientArgs, on, program }) => {
    begin(program, "resume")
      .argument(
        "[session-id]",
        "the session, or the beginning of its id; a list to choose from without",
      )
      .option("--latest", "take the session with the last event")
      .option("--from <machine-id>", "only sessions of that machine")
      .option("--all", "include sessions outside the sync directories, and headless ones")
      .option("--takeover", "go on although the session is open elsewhere")
      .option("--dir <path>", "start in this directory instead of the project's")
      .addHelpText("after", "\nEverything after -- is passed on to claude.")
      .action((id, options, command) =>
        on(command, (context) => runResume(context, id, options, clientArgs))
      );
  },

  update: ({ on, program }) => {
    begin(program, "update")
      .action((_options, command) => on(command, runUpdate));
  },

  daemon: ({ on, program }) => {
    begin(program, "daemon")
      .addArgument(
        new Argument("[action]", "make the system start it, or no longer")
          .choices(["install", "uninstall"] as const),
      )
      .option("--interval <seconds>", "time between two runs (default: 300)")
      .option("--push-only", "send, and bring nothing")
      .option("--detach", "run in the background")
      .option("--once", "run once, for a scheduler of your own")
      .option("--stop", "stop the one that is running")
      .option("--status", "show whether one is running, and how the last run went")
      .option("--dry-run", "with install or uninstall: show what would be done, write nothing")
      .action((action, options, command) =>
        on(command, (context) => runDaemon(context, action, options))
      );
  },

  "setup-hooks": ({ on, program }) => {
    begin(program, "setup-hooks")
      .option("--remove", "take the hooks away again")
      .option("--dry-run", "show the settings as they would be, write nothing")
      .action((options, command) => on(command, (context) => runSetupHooks(context, options)));
  },

  lock: ({ on, program }) => {
    const lock = group(program, "lock");
    lock.command("show").description("show all locks").action((_options, command) =>
      on(command, runLockShow)
    );
    lock.command("release").description("release a lock, or all of this machine's")
      .argument("[session-id]", "the session, or the beginning of its id")
      .option("-y, --yes", "release another machine's lock without asking")
      .action((id, options, command) =>
        on(command, (context) => runLockRelease(context, id, options))
      );
    lock.command("cleanup").description("release the locks that have expired")
      .action((_options, command) => on(command, runLockCleanup));
  },

  list: ({ on, program }) => {
    begin(program, "list")
      .option("--remote", "the hub's sessions instead of this machine's")
      .option("--all", "include sessions outside the sync directories, and headless ones")
      .addOption(
        new Option("--format <format>", "how to print").choices(["table", "json"] as const),
      )
      .action((options, command) => on(command, (context) => runList(context, options)));
  },

  status: ({ on, program }) => {
    begin(program, "status")
      .option("--short", "one line, at once, for prompts and status bars")
      .action((options, command) => on(command, (context) => runStatus(context, options)));
  },

  undo: ({ on, program }) => {
    begin(program, "undo")
      .argument("[id]", "the operation to take back (default: the last one)")
      .option("--list", "list the operations that can be taken back")
      .option("--dry-run", "show what would be done, write nothing")
      .action((id, options, command) => on(command, (context) => runUndo(context, id, options)));
  },

  doctor: ({ on, program }) => {
    begin(program, "doctor")
      .option("--fix", "mend what is safe to mend")
      .action((options, command) => on(command, (context) => runDoctor(context, options)));
  },

  config: ({ on, program }) => {
    const config = group(program, "config");
    config.command("show").description(
      "show this machine's configuration and the shared placeholders",
    )
      .action((_options, command) => on(command, runConfigShow));
    const changing = (name: string, description: string) =>
      config.command(name).description(description)
        .option("--dry-run", "show what would become of the sessions here, write nothing")
        .option("-y, --yes", "do not ask");
    changing("add-placeholder", "add a placeholder for this machine, or change its path")
      .argument("<name=path>", "a name of capital letters, and a directory here")
      .action((assignment, options, command) =>
        on(command, (context) => runAddPlaceholder(context, assignment, options))
      );
    changing("set-path", "set a machine's path of a placeholder, for all machines to see")
      .argument("<name>", "the placeholder")
      .argument("<machine-id>", "the machine")
      .argument("<path>", "the directory on that machine")
      .action((name, machine, path, options, command) =>
        on(command, (context) => runSetPath(context, name, machine, path, options))
      );
    changing("remove-placeholder", "take a placeholder from this machine")
      .argument("<name>", "the placeholder")
      .action((name, options, command) =>
        on(command, (context) => runRemovePlaceholder(context, name, options))
      );
    config.command("add-sync-dir").description("sync the sessions of projects under a directory")
      .argument("<path>", "the directory")
      .action((path, _options, command) =>
        on(command, (context) => runAddSyncDirectory(context, path))
      );
    config.command("remove-sync-dir").description("stop to sync the sessions under a directory")
      .argument("<path>", "the directory")
      .action((path, _options, command) =>
        on(command, (context) => runRemoveSyncDirectory(context, path))
      );
    config.command("edit").description("open the configuration in your editor")
      .action((_options, command) => on(command, runConfigEdit));
  },

  upgrade: ({ on, program }) => {
    begin(program, "upgrade")
      .option("--check", "say whether there is a newer version, change nothing")
      .option("--no-attestation", "do not have GitHub attest where it was built")
      .action((options, command) => on(command, (context) => runUpgrade(context, options)));
  },

  completions: ({ on, program }) => {
    begin(program, "completions")
      .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
      .addHelpText("after", INSTALLATION)
      .action((shell, _options, command) =>
        on(command, (context) => runCompletions(context, shell))
      );
  },
};

/** Makes the program with its commands: with one alone where a command line begins with it, for all take a while. */
function buildProgram(act: Act, clientArgs: readonly string[], name = ""): AnyCommand {
  const program: AnyCommand = new Command("ccsync")
    .description(PURPOSE)
    .version(VERSION, ...OPTIONS.version)
    .option(...OPTIONS.json)
    .option(...OPTIONS.quiet)
    .option(...OPTIONS.verbose)
    .option(...OPTIONS.color)
    .helpOption(...OPTIONS.help)
    .helpCommand(...HELP_COMMAND)
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: NARROWEST })
    .configureOutput({ outputError: () => undefined })
    .showSuggestionAfterError()
    .exitOverride();
  const on: Making["on"] = (command, work) => act(command.name(), command.optsWithGlobals(), work);
  const making = { program, on, clientArgs };
  if (isCommand(name)) MAKERS[name](making);
  else for (const make of Object.values(MAKERS)) make(making);
  return program;
}

const isCommand = (name: string): name is CommandName => Object.hasOwn(MAKERS, name);

/** Adds a command. */
function begin(program: AnyCommand, name: CommandName) {
  return program.command(name).description(COMMANDS[name][1]);
}

/** Adds a command that only has commands below it. */
function group(program: AnyCommand, name: CommandName): AnyCommand {
  return begin(program, name).action((_options, command) => {
    throw new CcsyncError(
      "usage",
      `cannot run "${[name, ...command.args].join(" ")}": it names no command`,
      { hints: [`ccsync ${name} --help lists the commands`] },
    );
  });
}

function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...earlier ?? [], value];
}
