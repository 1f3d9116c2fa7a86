/**
 * What `ccsync --help` shows: written down here, so that who asks for it need not wait for what reads command lines.
 * The help of each command is made by that.
 *
 * @module
 */

/** What ccsync is. */
export const PURPOSE =
  "Continue any Claude Code conversation on any of your machines, through a private git repository that you own.";

/** The options that all commands have: what is typed, and what it does. */
export const OPTIONS = {
  version: ["-V, --version", "print the version"],
  json: ["--json", "print results, and errors too, as JSON"],
  quiet: ["-q, --quiet", "print only results and what went wrong"],
  verbose: ["-v, --verbose", "tell every step"],
  color: ["--no-color", "print without colors"],
  help: ["-h, --help", "show help"],
} as const;

/** The commands, in the order of the help: what is typed, and what it does. */
export const COMMANDS = {
  init: ["init [options]", "register this machine with a hub, or create one"],
  push: ["push [options]", "send this machine's sessions to the hub"],
  pull: ["pull [options]", "bring the hub's sessions to this machine"],
  resume: ["resume [options] [session-id]", "continue a session in Claude Code, on this machine"],
  update: ["update", "push, and release the locks that an abnormal exit left behind"],
  daemon: ["daemon [options] [action]", "sync by itself, every few minutes and after changes"],
  "setup-hooks": [
    "setup-hooks [options]",
    "have Claude Code tell ccsync when sessions start and end",
  ],
  lock: ["lock", "show or release locks"],
  list: ["list [options]", "list sessions, with the machine that edited each last"],
  status: ["status [options]", "show this machine, the hub, and what is waiting"],
  undo: ["undo [options] [id]", "take back what the last pull, or another command, changed"],
  doctor: ["doctor [options]", "examine the set-up, and say what mends what is wrong"],
  config: ["config", "show or change the configuration"],
  upgrade: ["upgrade [options]", "replace this ccsync by the latest version"],
  completions: ["completions <shell>", "print what makes a shell complete ccsync's commands"],
} as const;

/** The name of a command. */
export type CommandName = keyof typeof COMMANDS;

/** The command that shows the help of another one. */
export const HELP_COMMAND = ["help [command]", "show help for a command"] as const;

/** What is typed, and what it does. */
type Item = readonly [term: string, text: string];

const ITEMS: readonly (readonly [title: string, items: readonly Item[]])[] = [
  ["Options:", Object.values(OPTIONS)],
  ["Commands:", [...Object.values(COMMANDS), HELP_COMMAND]],
];

/** Columns that are narrower are not filled: a terminal breaks lines no worse. */
export const NARROWEST = 20;

/**
 * Returns the help of ccsync as a whole, as the parser library lays it out, without the last line end.
 *
 * @param width Columns
 */
export function overviewHelp(width: number): string {
  const terms = ITEMS.flatMap(([, items]) => items.map(([term]) => term.length));
  const column = Math.max(...terms) + 2;
  const line = ([term, text]: Item) => {
    const lines = filled(text, width - column - 2);
    return `  ${term.padEnd(column)}${lines.join("\n" + " ".repeat(column + 2))}`;
  };
  return [
    "Usage: ccsync [options] [command]",
    filled(PURPOSE, width).join("\n"),
    ...ITEMS.map(([title, items]) => [title, ...items.map(line)].join("\n")),
  ].join("\n\n");
}

/** Breaks a text between words into lines that are not longer than the width. */
function filled(text: string, width: number): string[] {
  if (width < NARROWEST) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= width) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}
