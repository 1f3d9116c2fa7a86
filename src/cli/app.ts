/**
 * The command line: the command table, the global options, and the one switch from an error to an exit
 * code. The parser library is hidden here.
 *
 * @module
 */
import { Argument, Command, Option } from "@commander-js/extra-typings";
import { CommanderError } from "commander";
import { CcsyncError, EXIT_CODES, firstFailure, messageOf, systemFailure } from "../errors.ts";
import { VERSION } from "../version.ts";
import {
  automationTrouble,
  removeReplaced,
  runAddPlaceholder,
  runAddSyncDirectory,
  runComplete,
  runCompletions,
  runConfigEdit,
  runConfigShow,
  runDaemon,
  runDoctor,
  runHook,
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
import type { ParserCommand } from "./command_table.ts";
import { INSTALLATION, SHELLS } from "./completion/shells.ts";
import type { Context, Ending } from "./context.ts";
import { type OutputOptions, Terminal } from "./terminal.ts";

/** The surroundings a run needs, made once the options are known: `--help` needs none. */
export type MakeContext = (terminal: Terminal) => Context;

/** Runs ccsync with its arguments, and returns the exit code. Never throws. */
export async function run(args: readonly string[], makeContext: MakeContext): Promise<number> {
  let terminal = new Terminal(guessOutput(args));
  // Claude Code runs it, and takes some exit codes for orders: not one word is refused.
  if (args[0] === HOOK) {
    await runHook(() => makeContext(terminal), args.slice(1));
    return 0;
  }
  if (args[0] === COMPLETE) {
    await runComplete(() => makeContext(terminal), commandTable(), args.slice(1));
    return 0;
  }
  let ending = "done" as Ending;
  const act = async (command: Command, work: (context: Context) => Promise<Ending>) => {
    terminal = new Terminal(outputOf(command.optsWithGlobals()));
    const context = makeContext(terminal);
    if (context.env.os === "windows") await removeReplaced(context.env);
    const isAlone = ALONE.has(command.name());
    const trouble = isAlone ? undefined : await automationTrouble(context.env);
    if (trouble !== undefined) terminal.warn(trouble);
    ending = await work(context);
  };
  try {
    const [own, clientArgs] = splitArgs(args);
    // Who asks for the version alone need not wait for all commands to be made.
    const program = VERSION_FLAGS.has(args[0] ?? "")
      ? rootProgram()
      : buildProgram(act, clientArgs);
    await program.parseAsync(own, { from: "user" });
    if (typeof ending === "object") return ending.code;
    return ending === "done" ? 0 : EXIT_CODES.partial;
  } catch (error) {
    return explain(terminal, firstFailure(error));
  }
}

/** The commands that no person runs. */
const HOOK = "hook";
const COMPLETE = "complete";

const VERSION_FLAGS: ReadonlySet<string> = new Set(["-V", "--version"]);

/** Commands that do not tell how syncing by itself goes: the one that does it, and those without a hub. */
const ALONE: ReadonlySet<string> = new Set(["daemon", "completions", "upgrade"]);

/** Returns the commands, which do nothing. */
export function commandTable(): ParserCommand {
  return buildProgram(() => Promise.resolve(), []);
}

type Act = (command: Command, work: (context: Context) => Promise<Ending>) => Promise<void>;

// deno-lint-ignore no-explicit-any -- commander's type of a command with options fits no other
type AnyCommand = Command<any, any, any>;

/** Splits off what `ccsync resume` passes on: everything after the first `--`. */
function splitArgs(args: readonly string[]): [own: string[], clientArgs: readonly string[]] {
  const at = args.indexOf("--");
  const isPassed = at !== -1 && args.slice(0, at).includes("resume");
  return isPassed ? [args.slice(0, at), args.slice(at + 1)] : [[...args], []];
}

/** The program without its commands. */
function rootProgram(): AnyCommand {
  return new Command("ccsync")
    .description(
      "Continue any Claude Code conversation on any of your machines, through a private git repository that you own.",
    )
    .version(VERSION, "-V, --version", "print the version")
    .option("--json", "print results, and errors too, as JSON")
    .option("-q, --quiet", "print only results and what went wrong")
    .option("-v, --verbose", "tell every step")
    .option("--no-color", "print without colors")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => undefined })
    .showSuggestionAfterError()
    .exitOverride();
}

/** The commands, one line or a few each. */
function buildProgram(act: Act, clientArgs: readonly string[]): AnyCommand {
  const program = rootProgram();
  const on = (command: AnyCommand, work: (context: Context) => Promise<Ending>) =>
    act(command, work);

  program.command("init").description("register this machine with a hub, or create one")
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

  program.command("push").description("send this machine's sessions to the hub")
    .option("--dry-run", "show what would be sent, write nothing")
    .option("--all", "include sessions outside the sync directories")
    .action((options, command) => on(command, (context) => runPush(context, options)));

  program.command("pull").description("bring the hub's sessions to this machine")
    .option("--dry-run", "show what would be brought, write nothing")
    .option("--force", "bring back old sessions, too, that are no longer here")
    .option("--all", "include sessions outside the sync directories")
    .action((options, command) => on(command, (context) => runPull(context, options)));

  program.command("resume").description("continue a session in Claude Code, on this machine")
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

  program.command("update").description(
    "push, and release the locks that an abnormal exit left behind",
  )
    .action((_options, command) => on(command, runUpdate));

  program.command("daemon").description("sync by itself, every few minutes and after changes")
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

  program.command("setup-hooks").description(
    "have Claude Code tell ccsync when sessions start and end",
  )
    .option("--remove", "take the hooks away again")
    .option("--dry-run", "show the settings as they would be, write nothing")
    .action((options, command) => on(command, (context) => runSetupHooks(context, options)));

  const lock = group(program, "lock", "show or release locks");
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

  program.command("list").description("list sessions, with the machine that edited each last")
    .option("--remote", "the hub's sessions instead of this machine's")
    .option("--all", "include sessions outside the sync directories, and headless ones")
    .addOption(new Option("--format <format>", "how to print").choices(["table", "json"] as const))
    .action((options, command) => on(command, (context) => runList(context, options)));

  program.command("status").description("show this machine, the hub, and what is waiting")
    .option("--short", "one line, at once, for prompts and status bars")
    .action((options, command) => on(command, (context) => runStatus(context, options)));

  program.command("undo").description("take back what the last pull, or another command, changed")
    .argument("[id]", "the operation to take back (default: the last one)")
    .option("--list", "list the operations that can be taken back")
    .option("--dry-run", "show what would be done, write nothing")
    .action((id, options, command) => on(command, (context) => runUndo(context, id, options)));

  program.command("doctor").description("examine the set-up, and say what mends what is wrong")
    .option("--fix", "mend what is safe to mend")
    .action((options, command) => on(command, (context) => runDoctor(context, options)));

  const config = group(program, "config", "show or change the configuration");
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

  program.command("upgrade").description("replace this ccsync by the latest version")
    .option("--check", "say whether there is a newer version, change nothing")
    .option("--no-attestation", "do not have GitHub attest where it was built")
    .action((options, command) => on(command, (context) => runUpgrade(context, options)));

  program.command("completions").description("print what makes a shell complete ccsync's commands")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .addHelpText("after", INSTALLATION)
    .action((shell, _options, command) => on(command, (context) => runCompletions(context, shell)));
  return program;
}

/** Adds a command that only has commands below it. */
function group(program: AnyCommand, name: string, description: string): AnyCommand {
  return program.command(name).description(description).action((_options, command) => {
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

interface GlobalOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color?: boolean;
}

function outputOf(options: GlobalOptions): OutputOptions {
  return {
    isJson: options.json === true,
    isQuiet: options.quiet === true,
    isVerbose: options.verbose === true,
    hasColor: options.color !== false,
  };
}

/** How to print an error that comes before the options were understood. */
function guessOutput(args: readonly string[]): OutputOptions {
  return outputOf({ json: args.includes("--json"), color: !args.includes("--no-color") });
}

/** Says what went wrong, and returns the exit code: the one switch from an error to a code. */
function explain(terminal: Terminal, error: unknown): number {
  if (error instanceof CommanderError) {
    // Help and version were printed already.
    if (error.exitCode === 0 || error.code === "commander.help") {
      return error.exitCode === 0 ? 0 : EXIT_CODES.usage;
    }
    const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
    return fail(
      terminal,
      new CcsyncError("usage", `cannot read the command line: ${first.replace(/\.$/, "")}`, {
        hints: [
          ...rest.map((line) => line.replace(/^\((.*)\)$/, "$1")),
          "ccsync --help lists commands and options",
        ],
      }),
    );
  }
  const known = error instanceof CcsyncError ? error : systemFailure(error);
  if (known !== undefined) return fail(terminal, known);
  return fail(terminal, unexpected(error), error instanceof Error ? error.stack : undefined);
}

function unexpected(error: unknown): CcsyncError {
  return new CcsyncError("internal", `cannot go on: ${messageOf(error)}`, {
    cause: error,
    hints: [
      "your sessions are as they were, or complete; running the command again continues",
      `this is a mistake in ccsync ${VERSION}: please report the lines above with what you did`,
    ],
  });
}

function fail(terminal: Terminal, error: CcsyncError, stack?: string): number {
  const code = EXIT_CODES[error.kind];
  if (stack !== undefined) terminal.note(stack);
  if (terminal.options.isVerbose && error.cause instanceof Error) {
    terminal.detail(error.cause.stack ?? error.cause.message);
  }
  const { kind, message, hints } = error;
  terminal.error(message, hints, { code, kind, message, hints });
  return code;
}
