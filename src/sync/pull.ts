/**
 * Brings the hub's sessions to this machine.
 *
 * @module
 */
import type { SessionId } from "../brands.ts";
import { messageOf } from "../errors.ts";
import type { SharedPlaceholders } from "../hub/format.ts";
import { countLines } from "../transcript/lines.ts";
import { compareFromBase, HUB_START, localForm, positionAfter, type TwoSided } from "./content.ts";
import { isFileTrouble, type Scope, type SessionView } from "./facts.ts";
import { type Fork, reconcileBranches } from "./branches.ts";
import { receiveMemory } from "./memory/receive.ts";
import { gatherMemory } from "./memory/view.ts";
import { fetchAndScan, lookAround, type Overview } from "./overview.ts";
import { planPull, type PullAction } from "./plan.ts";
import { putAwayCopies, receiveSession, WAITS } from "./receive.ts";
import { sidecarItems } from "./sidecars.ts";
import { agreeOn, register } from "./registration.ts";
import {
  countUnmapped,
  type SessionFault,
  type SessionReport,
  type SyncReport,
  titleOf,
} from "./report.ts";
import type { Amount, Workspace } from "./workspace.ts";

/** How to pull. */
export interface PullOptions extends Scope {
  /** Compute the plan and write nothing. */
  readonly isDryRun: boolean;
  /** Put back sessions that are old and no longer here. */
  readonly isForced: boolean;
  /** Takes the shared table to be so changed: for what a change would do. */
  readonly changeShared?: (shared: SharedPlaceholders) => SharedPlaceholders;
  /** What the journal calls it. @default {"pull"} */
  readonly command?: string;
}

/**
 * Pulls: fetches, and brings every local transcript in step with the hub. Local lines that the hub lacks
 * stay; what is replaced is backed up before.
 *
 * @throws {CcsyncError} kind "unreachable", "credentials", "setup" or "failed"
 */
export async function pull(workspace: Workspace, options: PullOptions): Promise<SyncReport> {
  return (await pullAndLook(workspace, options)).report;
}

/** Pulls, and returns what was found before, too. */
export async function pullAndLook(
  workspace: Workspace,
  options: PullOptions,
): Promise<{ readonly report: SyncReport; readonly overview: Overview }> {
  const { env, journal, state } = workspace;
  journal.begin(options.command ?? "pull");
  const { head, seen } = await fetchAndScan(workspace);
  if (head !== undefined) {
    // What the shared table says of this machine counts from here on; what changed here goes up at the next push.
    const { shared, isSharedChanged } = await register(
      workspace,
      head,
      options.changeShared,
    );
    if (!isSharedChanged) agreeOn(workspace, shared);
  }
  const overview = await lookAround(workspace, options, seen);
  const sessions = await pullSessions(workspace, overview, options);
  const shared = await gatherMemory(workspace, head, options.all);
  const report = { ...sessions, memory: await receiveMemory(workspace, shared, options) };
  journal.end();
  if (!options.isDryRun) state.setFact("last_pull", new Date(env.now()).toISOString());
  return { report, overview };
}

/** Brings the sessions in step with what was fetched before. */
async function pullSessions(
  workspace: Workspace,
  overview: Overview,
  options: PullOptions,
): Promise<Omit<SyncReport, "memory">> {
  const sessions: SessionReport[] = [];
  const waiting: SessionFault[] = [];
  const failed: SessionFault[] = [];
  const known = new Set([...overview.sessions.map(({ id }) => id), ...overview.settled]);
  const due: DueSession[] = [];
  for (const view of overview.sessions) {
    const fault = (why: string) => ({ id: view.id, title: titleOf(view), why });
    const action = view.project === undefined ? "none" : planPull(view.facts, options.isForced);
    if (action === "wait") waiting.push(fault(OPEN_HERE));
    if (action === "leave-old") waiting.push(fault(tooOld(workspace)));
    if (action === "wait" || action === "leave-old") continue;
    const isCurrent = action === "none" && sidecarItems(view, action).length === 0;
    if (isCurrent && view.copies.length === 0) continue;
    due.push({ view, action, fault });
  }
  const bytes = due.reduce((sum, { action, view }) => sum + bytesDue(view, action), 0);
  workspace.progress.begin("bringing", { bytes, sessions: due.length }, NOTHING);
  for (const { action, fault, view } of due) {
    const faults: string[] = [];
    try {
      const report = options.isDryRun
        ? await foreseen(workspace, view, action, known)
        : await receiveSession(workspace, view, action, known, faults);
      if (!options.isDryRun) await putAwayCopies(workspace, view);
      if (report?.action === WAITS) waiting.push(fault(WENT_ON_HERE));
      else if (report !== undefined) sessions.push(report);
      if (faults.length > 0) failed.push(fault(faults.join("; ")));
    } catch (error) {
      if (!isFileTrouble(error)) throw error;
      failed.push(fault(messageOf(error)));
    }
    workspace.progress.advance({ sessions: 1 });
  }
  return {
    direction: "pull",
    isDryRun: options.isDryRun,
    sessions,
    waiting,
    failed,
    skipped: overview.skipped,
    unmapped: countUnmapped(overview.sessions),
    retries: 0,
  };
}

/** A session that a pull has to do something with. */
interface DueSession {
  readonly view: SessionView;
  readonly action: PullAction;
  readonly fault: (why: string) => SessionFault;
}

const NOTHING: Amount = { bytes: 0, sessions: 0 };

/** Returns about how many bytes of a transcript a pull is going to write. */
function bytesDue({ meta, transcript: { local } }: SessionView, action: PullAction): number {
  const all = meta?.bytes ?? 0;
  if (action === "none") return 0;
  return action === "append" ? Math.max(0, all - (local?.stamp.size ?? 0)) : all;
}

const OPEN_HERE =
  "it is open in Claude Code on this machine; it is brought up to date once it is closed";

const WENT_ON_HERE = "it went on both here and elsewhere; ccsync push merges it";

/** Whether a pull left a session to the next push, which merges it. */
export function waitsForPush({ waiting }: SyncReport): boolean {
  return waiting.some(({ why }) => why === WENT_ON_HERE);
}

function tooOld({ retentionDays }: Workspace): string {
  return `it is only in the hub: its last event is more than ${retentionDays} days old; ` +
    "ccsync pull --force brings it back";
}

async function foreseen(
  workspace: Workspace,
  view: SessionView,
  action: PullAction,
  known: ReadonlySet<SessionId>,
): Promise<SessionReport | undefined> {
  const { base, codec, hub, local, localState } = view.transcript;
  const sidecars = sidecarItems(view, action);
  let [lines, bytes] = [0, 0];
  if (hub !== undefined && action !== "none") {
    const known = localState === "absent" ? undefined : base?.segments;
    const position = await positionAfter(workspace, known ?? [], hub.segments) ?? HUB_START;
    for await (const piece of localForm(workspace, codec, hub.segments, position)) {
      lines += countLines(piece);
      bytes += piece.length;
    }
  }
  if (action === "none" && sidecars.length === 0) return undefined;
  const sizes = new Map(view.meta?.sidecars.map((file) => [file.name, file.bytes]));
  for (const { document } of sidecars) bytes += sizes.get(document.name) ?? 0;
  const fork = action === "merge" && hub !== undefined && local !== undefined
    ? await foreseenFork(workspace, view, { ...view.transcript, hub, local }, known)
    : undefined;
  const done = fork?.kind === "behind" ? WAITS : action;
  return {
    id: view.id,
    title: titleOf(view),
    project: view.project ?? "",
    action: done === "none" ? "files" : done,
    lines,
    files: sidecars.length,
    bytes,
    ...(fork === undefined ? {} : { fork: fork.id }),
  };
}

async function foreseenFork(
  workspace: Workspace,
  view: SessionView,
  document: TwoSided,
  known: ReadonlySet<SessionId>,
): Promise<Fork | undefined> {
  const { size } = document.local.stamp;
  const found = await compareFromBase(workspace, document, size);
  return (await reconcileBranches(workspace, view, document, found, size, known)).fork;
}
