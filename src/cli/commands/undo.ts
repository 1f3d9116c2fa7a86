import { CcsyncError } from "../../errors.ts";
import { type ListedOperation, listOperations, undo, type UndoReport } from "../../sync/undo.ts";
import { type Context, type Ending, inWorkspace } from "../context.ts";
import { count } from "../render.ts";
import { type Column, fit, formatAge, formatTable } from "../table.ts";
import { clean, type Terminal } from "../terminal.ts";

/** Options of `ccsync undo`. */
export interface UndoCommandOptions {
  readonly list?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Takes back what an operation changed here, or lists the operations. */
export async function runUndo(
  context: Context,
  id: string | undefined,
  options: UndoCommandOptions,
): Promise<Ending> {
  if (options.list === true) {
    if (id !== undefined) throw unusable(id, "--list takes no operation");
    return await list(context);
  }
  const isDryRun = options.dryRun === true;
  const number = id === undefined ? undefined : readId(id);
  const wanted = number === undefined ? { isDryRun } : { isDryRun, id: number };
  const report = await inWorkspace(context, (workspace) => undo(workspace, wanted), isDryRun);
  return render(context, report);
}

function readId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw unusable(text, "it is not the number of an operation");
}

function unusable(id: string, why: string): CcsyncError {
  return new CcsyncError("usage", `cannot undo "${id}": ${why}`, {
    hints: ["ccsync undo --list shows the numbers"],
  });
}

async function list(context: Context): Promise<Ending> {
  const { env, terminal } = context;
  const operations = await inWorkspace(
    context,
    (workspace) => Promise.resolve(listOperations(workspace)),
  );
  if (terminal.options.isJson) terminal.json(operations);
  else if (operations.length === 0) terminal.note(NOTHING);
  else {
    const rows = operations.map((operation) => [
      String(operation.id),
      formatAge(operation.at, env.now()),
      operation.command,
      String(operation.files),
      whatOf(operation),
    ]);
    const [titles = "", ...lines] = formatTable(COLUMNS, rows, terminal.width);
    terminal.result([terminal.colors.bold(titles), ...lines].join("\n"));
  }
  return "done";
}

const NOTHING = "nothing to undo: no command has changed anything in Claude Code's directory";

const COLUMNS: readonly Column[] = [
  { title: "ID", align: "right" },
  { title: "WHEN" },
  { title: "COMMAND" },
  { title: "FILES", align: "right" },
  { title: "WHAT", shrinksTo: 12 },
];

function whatOf({ memory, sessions }: ListedOperation): string {
  const titles = sessions.map(({ title }) => title);
  return [...titles, ...(memory.length === 0 ? [] : [count(memory.length, "memory file")])]
    .join(", ");
}

function render({ env, terminal }: Context, report: UndoReport | undefined): Ending {
  const ending = report === undefined || report.left.length === 0 ? "done" : "partial";
  if (terminal.options.isJson) {
    terminal.json(report ?? null);
    return ending;
  }
  if (report === undefined) {
    if (!terminal.options.isQuiet) terminal.result(NOTHING);
    return ending;
  }
  tellFiles(terminal, report);
  for (const { what, why } of report.left) terminal.warn(`left as it is: ${clean(what)}: ${why}`);
  if (!terminal.options.isQuiet) terminal.result(summaryLine(report, env.now()));
  if (report.files.length > 0 && !report.isDryRun) terminal.note(AFTERWARDS);
  return ending;
}

const AFTERWARDS =
  "the hub is as it was: the next pull brings the same again; ccsync undo takes this back";

const ACTIONS = { restore: "restored", remove: "removed", cut: "cut back" } as const;

/** Writes a line for each session and each memory file. */
function tellFiles(terminal: Terminal, { files }: UndoReport): void {
  const groups = Map.groupBy(files, ({ action, path, session }) => {
    return `${fit(ACTIONS[action], 8, "left")}  ${
      session === null ? path : `${session.id.slice(0, 8)}  ${session.title}`
    }`;
  });
  for (const [line, group] of groups) {
    const amount = group[0]?.session === null ? "" : `, ${count(group.length, "file")}`;
    terminal.note(clean(`  ${line}${amount}`));
  }
}

function summaryLine({ files, isDryRun, left, operation }: UndoReport, now: number): string {
  const what = `"${operation.command}" (${operation.id}) of ${formatAge(operation.at, now)}`;
  const rest = left.length === 0 ? "" : ` (${left.length} left as they are)`;
  if (files.length === 0) {
    return left.length === 0
      ? `nothing to undo: all files are as they were before ${clean(what)}`
      : `nothing of ${clean(what)} was undone${rest}`;
  }
  return `${isDryRun ? "would undo" : "undid"} ${clean(what)}: ${
    count(files.length, "file")
  }${rest}`;
}
