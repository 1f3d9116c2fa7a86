/**
 * The manual page: commands and options of the command table, exit codes and variables of the README.
 *
 * Usage: `deno task man > ccsync.1`
 *
 * @module
 */
import { commandTable } from "../src/cli/program.ts";
import {
  type CommandInfo,
  type OptionInfo,
  tableOf,
  type ValueInfo,
} from "../src/cli/command_table.ts";
import { VERSION } from "../src/version.ts";
import { section, table } from "./markdown.ts";

/** What lies in ccsync's own directory, for the section FILES. */
const FILES: readonly (readonly [path: string, what: string])[] = [
  [
    "~/.claude-session-sync/config.json",
    "this machine's configuration; CCSYNC_HOME moves all of them",
  ],
  ["~/.claude-session-sync/mirror.git", "a bare clone of the hub; made anew where it is missing"],
  ["~/.claude-session-sync/state.db", "what ccsync remembers; made anew where it is missing"],
  ["~/.claude-session-sync/backups", "what pulls replaced, for ccsync undo"],
  ["~/.claude", "Claude Code's directory; CLAUDE_CONFIG_DIR moves it"],
];

/** Returns the manual page ccsync(1) as roff, for man(7)'s macros. */
export function manPage(): string {
  const program = tableOf(commandTable());
  const readme = Deno.readTextFileSync(new URL("../README.md", import.meta.url));
  return [
    `.TH CCSYNC 1 "" "ccsync ${VERSION}" "User Commands"`,
    ".SH NAME",
    "ccsync \\- continue Claude Code conversations on any machine",
    ".SH SYNOPSIS",
    ".B ccsync",
    ".RI [ options ]",
    ".I command",
    ".RI [ arguments ]",
    ".SH DESCRIPTION",
    text(program.description),
    "The repository is called the hub; on each machine, the paths inside a conversation become that machine's own.",
    ".SH COMMANDS",
    ...leavesOf(program, []).flatMap(commandLines),
    ".SH OPTIONS OF EVERY COMMAND",
    ...program.options.flatMap(optionLines),
    ".SH EXIT STATUS",
    ...table(readme, "code").flatMap(([code = "", kind = "", meaning = ""]) =>
      item(code, kind === "" ? meaning : `${meaning} (${kind.replaceAll("`", "")})`)
    ),
    ".SH ENVIRONMENT",
    ...table(section(readme, "Environment"), "variable").flatMap(([name = "", meaning = ""]) =>
      item(name.replaceAll("`", ""), meaning)
    ),
    ".SH FILES",
    ...FILES.flatMap(([path, what]) => item(path, what)),
    ".SH SEE ALSO",
    ".BR git (1),",
    ".BR gh (1)",
  ].join("\n") + "\n";
}

/** A command that does something, with its name in full. */
interface Leaf {
  readonly names: readonly string[];
  readonly command: CommandInfo;
}

function leavesOf(command: CommandInfo, names: readonly string[]): Leaf[] {
  const full = [...names, command.name];
  if (command.commands.length === 0) return [{ names: full, command }];
  return command.commands.flatMap((below) => leavesOf(below, full));
}

function commandLines({ command, names }: Leaf): string[] {
  const values = command.arguments.map(placeholder);
  const described = command.arguments.filter(({ description }) => description !== "");
  // Help is an option of every command.
  const options = command.options.filter(({ flags }) => !flags.includes("--help"));
  const inner = [
    ...described.flatMap((value) => [".TP", placeholder(value), text(choicesOf(value))]),
    ...options.flatMap(optionLines),
  ];
  return [
    ".TP",
    [bold(names.join(" ")), ...values].join(" "),
    text(command.description),
    ...inner.length === 0 ? [] : [".RS", ...inner, ".RE"],
  ];
}

function choicesOf({ choices, description }: ValueInfo): string {
  return choices.length === 0 ? description : `${description}: ${choices.join(", ")}`;
}

function optionLines({ description, flags, value }: OptionInfo): string[] {
  const names = flags.map(bold).join(", ");
  const choices = value === undefined || value.choices.length === 0
    ? ""
    : `: ${value.choices.join(", ")}`;
  const taken = value === undefined ? "" : ` \\fI${escaped(value.name)}\\fR`;
  return [".TP", names + taken, text(description + choices)];
}

function placeholder({ isRequired, name }: ValueInfo): string {
  const word = `\\fI${escaped(name)}\\fR`;
  return isRequired ? word : `[${word}]`;
}

function item(name: string, meaning: string): string[] {
  return [".TP", bold(name), text(meaning)];
}

function bold(name: string): string {
  return `\\fB${escaped(name)}\\fR`;
}

/** Returns a text of Markdown as roff: code in bold, links without their targets. */
function text(markdown: string): string {
  return markdown
    .replace(/\[([^\]]+)\]\([^)]*\)/g, "$1")
    .split(/(`[^`]+`)/)
    .map((part) => /^`.+`$/.test(part) ? bold(part.slice(1, -1)) : escaped(part))
    .join("")
    // A line that begins so would be a request.
    .replace(/^(?=[.'])/, "\\&");
}

/** Returns a text as it is to be read, which roff takes some characters of for something else. */
function escaped(plain: string): string {
  return plain
    .replaceAll("\\", "\\(rs")
    .replaceAll("-", "\\-")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha")
    .replaceAll("`", "\\(ga")
    .replace(/[^\0-\x7f]/gu, (character) => `\\[u${hex(character)}]`);
}

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

if (import.meta.main) Deno.stdout.writeSync(new TextEncoder().encode(manPage()));
