/**
 * Turns reports into text or JSON: the only place with their wording.
 *
 * @module
 */
import type { MemoryItem } from "../sync/memory/report.ts";
import type { SessionFault, SessionReport, SyncReport } from "../sync/report.ts";
import type { Ending } from "./context.ts";
import { fit, formatSize } from "./table.ts";
import { clean, type Terminal } from "./terminal.ts";

/** Returns whether something could not be done. */
export function isPartial({ failed, memory, skipped, unmapped }: SyncReport): boolean {
  // A link in place of a note is somebody's choice: it is told of, but no work is left.
  const undone = [failed, skipped, unmapped, memory.failed, memory.unmapped];
  return undone.some((list) => list.length > 0);
}

/** Writes what a push or a pull did, and returns whether all of it was done. */
export function renderSync(terminal: Terminal, report: SyncReport): Ending {
  const { memory } = report;
  const ending = isPartial(report) ? "partial" : "done";
  if (terminal.options.isJson) {
    terminal.json(report);
    return ending;
  }
  for (const session of report.sessions) terminal.note(sessionLine(report, session));
  for (const session of report.sessions) warnForked(terminal, session);
  for (const item of memory.items) terminal.note(memoryLine(item));
  for (const fault of report.waiting) terminal.note(`  waits     ${faultLine(fault)}`);
  for (const { what, why } of report.skipped) terminal.warn(`skipped "${what}": ${why}`);
  for (const { what, why } of memory.skipped) terminal.warn(`skipped "${what}": ${why}`);
  for (const { what, why } of memory.failed) terminal.warn(`not synced: "${what}": ${why}`);
  for (const fault of report.failed) terminal.warn(`not synced: ${faultLine(fault)}`);
  for (const { name, sessions } of report.unmapped) {
    warnUnmapped(terminal, name, count(sessions, "session"));
  }
  for (const { name, projects } of memory.unmapped) {
    warnUnmapped(
      terminal,
      name,
      `the memory of ${count(projects, "project")}`,
    );
  }
  if (!terminal.options.isQuiet) terminal.result(summaryLine(report));
  return ending;
}

/** Tells that a session was continued elsewhere, too, and where the other continuation is. */
export function warnForked(terminal: Terminal, { fork, title }: SessionReport): void {
  if (fork === undefined) return;
  const kept = `the other continuation is kept as session ${fork.slice(0, 8)}`;
  terminal.warn(`two machines continued "${title}": ${kept}`);
}

function warnUnmapped(terminal: Terminal, name: string, what: string): void {
  terminal.warn(
    `${what} cannot be placed here: ${name} has no path on this machine; ` +
      `run: ccsync config add-placeholder ${name}=/path/here`,
  );
}

const ACTIONS: Readonly<Record<SyncReport["direction"], Readonly<Record<string, string>>>> = {
  push: { create: "new", append: "more", merge: "merged", move: "moved", files: "files" },
  pull: {
    create: "new",
    append: "more",
    merge: "merged",
    move: "moved",
    rewrite: "renewed",
    files: "files",
  },
};

function sessionLine({ direction }: SyncReport, session: SessionReport): string {
  const action = ACTIONS[direction][session.action] ?? session.action;
  const title = fit(clean(session.title), 40, "left");
  const files = session.files > 0 ? [count(session.files, "file")] : [];
  const lines = session.lines > 0 ? [count(session.lines, "line")] : [];
  const amount = [...lines, ...files, formatSize(session.bytes)].join(", ");
  return `  ${fit(action, 8, "left")}  ${session.id.slice(0, 8)}  ${title}  ${amount}`;
}

const MEMORY_ACTIONS = { send: "memory", take: "memory", merge: "merged", delete: "deleted" };

function memoryLine({ action, bytes, note, path, project }: MemoryItem): string {
  const where = project === "" ? path : `${path} of ${project}`;
  const amount = action === "delete" ? [] : [formatSize(bytes)];
  const parts = [...amount, ...(note === undefined ? [] : [note])];
  return clean(`  ${fit(MEMORY_ACTIONS[action], 8, "left")}  ${[where, ...parts].join(", ")}`);
}

function faultLine({ id, title, why }: SessionFault): string {
  return clean(`${id.slice(0, 8)}  ${title}: ${why}`);
}

function summaryLine(
  { direction, failed, isDryRun, memory, retries, sessions }: SyncReport,
): string {
  const verb = isDryRun ? `would ${direction}` : direction === "push" ? "pushed" : "pulled";
  const merged = sessions.filter(({ action }) => action === "merge").length;
  const extra = [
    ...(merged > 0 ? [`${merged} merged`] : []),
    ...(failed.length > 0 ? [`${failed.length} not synced`] : []),
    ...(retries > 0 ? [`${retries} ${retries === 1 ? "retry" : "retries"}`] : []),
  ];
  const files = memory.items.length === 0
    ? ""
    : ` and ${count(memory.items.length, "memory file")}`;
  const isNothing = sessions.length + failed.length + memory.items.length === 0 && !isDryRun;
  const what = isNothing
    ? `nothing to ${direction}`
    : `${verb} ${count(sessions.length, "session")}${files}`;
  return extra.length === 0 ? what : `${what} (${extra.join(", ")})`;
}

/** Returns a number with its noun: `1 line`, `3 lines`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
