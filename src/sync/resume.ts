/**
 * Gets a session ready to be resumed on this machine: in step with the hub, here, in a directory that
 * exists, and locked.
 *
 * @module
 */
import { isAbsolute, resolve } from "node:path";
import type { LocalPath, SessionId } from "../brands.ts";
import { transcriptPath } from "../claude/layout.ts";
import { CcsyncError, messageOf } from "../errors.ts";
import { branchOf } from "../machine/checkout.ts";
import { entriesOf, lstatIfThere, readRange } from "../machine/files.ts";
import { SUMMARY_BYTES } from "../transcript/summary.ts";
import { trackedFiles } from "../transcript/tracked_files.ts";
import { summaryOf } from "./readings.ts";
import { readRecord } from "./daemon/record.ts";
import type { SessionView } from "./facts.ts";
import type { ListedSession, Prompts } from "./listed.ts";
import { listSessions, promptsIn } from "./listing.ts";
import { acquireLock, type HeldLock, type LockView, lockViews } from "./locks.ts";
import { lookAround, type Overview } from "./overview.ts";
import { pullAndLook, waitsForPush } from "./pull.ts";
import { push } from "./push.ts";
import { receiveSession } from "./receive.ts";
import { type SyncReport, titleOf } from "./report.ts";
import { fetchHub, knownHub, type Workspace } from "./workspace.ts";

/** What there is to resume. */
export interface Choice {
  readonly sessions: readonly ListedSession[];
  /** What was said in one of them. */
  readonly promptsOf: (session: ListedSession) => Prompts;
  /** What the pull before did; `undefined` where the hub could not be asked, and why. */
  readonly pulled?: SyncReport;
  readonly offline?: CcsyncError;
}

/**
 * Pulls, and lists what can be resumed. A hub that cannot be reached does not keep anybody from working:
 * what is here is listed.
 */
export async function sessionsToResume(
  workspace: Workspace,
  options: { readonly all: boolean; readonly headless: boolean },
): Promise<Choice> {
  const { overview, ...pulled } = await pulledOrOffline(workspace);
  // What a pull found still holds where it changed nothing.
  const isSame = !options.all && pulled.pulled?.sessions.length === 0;
  const found = isSame ? overview : undefined;
  const sessions = await listSessions(workspace, { side: "both", ...options }, found);
  return { sessions, promptsOf: promptsIn(workspace, sessions), ...pulled };
}

async function pulledOrOffline(
  workspace: Workspace,
): Promise<Pick<Choice, "pulled" | "offline"> & { readonly overview?: Overview }> {
  try {
    const options = { isDryRun: false, all: false, isForced: false };
    const first = await pullAndLook(workspace, options);
    if (!waitsForPush(first.report)) return { pulled: first.report, overview: first.overview };
    // Opened as it is, the session would go on without what was said elsewhere.
    await push(workspace, options);
    const { overview, report } = await pullAndLook(workspace, options);
    return { pulled: report, overview };
  } catch (error) {
    if (!isOffline(error)) throw error;
    await knownHub(workspace);
    return { offline: error };
  }
}

/** Whether an error says that the hub cannot be asked now. */
export function isOffline(error: unknown): error is CcsyncError {
  return error instanceof CcsyncError &&
    (error.kind === "unreachable" || error.kind === "credentials");
}

/** How to open a session. */
export interface OpenOptions {
  /** Where to start instead of the project's directory. */
  readonly directory?: LocalPath;
  /** Go on although it is open elsewhere, and take the lock over. */
  readonly takesOver: boolean;
  /** The hub cannot be asked. */
  readonly isOffline: boolean;
}

/** A session that Claude Code can be started with, or what has to be decided before. */
export type Opening =
  | {
    readonly kind: "ready";
    readonly directory: LocalPath;
    /** What Claude Code finds the session by: its id, or its file where the directory is another one. */
    readonly argument: string;
    readonly held: HeldLock | undefined;
    /** What the user should know before going on. */
    readonly cautions: readonly string[];
  }
  /** Another machine, or another process of this one, has the lock. */
  | { readonly kind: "locked"; readonly lock: LockView }
  /** Claude Code has it open here, with or without ccsync. */
  | { readonly kind: "live" }
  /** The project's directory is not here. */
  | { readonly kind: "homeless"; readonly project: LocalPath };

/**
 * Opens a session: restores it if it is only in the hub, and locks it.
 *
 * @throws {CcsyncError} kind "setup" when a placeholder of its project has no path here; "usage" when the
 *   directory cannot be used; "failed" when its file cannot be brought
 */
export async function openSession(
  workspace: Workspace,
  id: SessionId,
  options: OpenOptions,
): Promise<Opening> {
  const { sessions } = await lookAround(workspace, { all: false, also: id });
  const view = sessions.find((each) => each.id === id);
  if (view === undefined) throw gone(id);
  if (view.facts.isLive && !options.takesOver) return { kind: "live" };
  if (view.project === undefined) throw unmapped(view);
  const directory = options.directory ?? view.project;
  if (!isDirectory(directory)) {
    if (options.directory === undefined) return { kind: "homeless", project: view.project };
    throw new CcsyncError("usage", `cannot resume in "${directory}": there is no such directory`, {
      hints: ["make it, or name another one with --dir; nothing was changed"],
    });
  }
  const transcript = await restored(workspace, view);
  const lock = await locked(workspace, id, options);
  if (lock !== undefined && "lock" in lock) return { kind: "locked", ...lock };
  return {
    kind: "ready",
    directory,
    argument: argumentFor(workspace, id, transcript, directory),
    held: lock?.held,
    cautions: cautionsOf(view, transcript, directory),
  };
}

/** Brings the transcript here where it is only in the hub, and returns its path. */
async function restored(workspace: Workspace, view: SessionView): Promise<LocalPath> {
  const { path, transcript: { local } } = view;
  if (local !== undefined) return local.path;
  const faults: string[] = [];
  workspace.journal.begin("resume");
  try {
    await receiveSession(workspace, view, "create", new Set(), faults);
    workspace.journal.end();
  } catch (error) {
    throw new CcsyncError("failed", `cannot bring "${titleOf(view)}" here: ${messageOf(error)}`, {
      hints: ["it is safe in the hub; mend what is said and run it again"],
      cause: error,
    });
  }
  for (const fault of faults) workspace.progress.warn(`not brought: ${fault}`);
  if (path === undefined) throw gone(view.id);
  return path;
}

/** So often another machine may be faster before that is called a failure. */
const MOST_TRIES = 10;

async function locked(
  workspace: Workspace,
  id: SessionId,
  { isOffline, takesOver }: OpenOptions,
): Promise<{ readonly held: HeldLock } | { readonly lock: LockView } | undefined> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const lock = (await lockViews(workspace)).get(id);
    if (lock?.standing === "held" && !takesOver && !isDaemons(workspace, lock)) return { lock };
    if (isOffline) return undefined;
    const held = await acquireLock(workspace, id, lock?.oid);
    if (held !== undefined) return { held };
    await fetchHub(workspace);
  }
  throw new CcsyncError("failed", "cannot lock the session: its lock keeps changing", {
    transient: true,
    hints: ["another machine is starting with it, too; run it again"],
  });
}

/** Whether this machine's daemon has a lock: of a session that was open here, and is not any more. */
function isDaemons({ env }: Workspace, { isOurs, pid }: LockView): boolean {
  return isOurs && readRecord(env.ccsyncHome)?.pid === pid;
}

/**
 * Returns what Claude Code is to resume. Source: `--resume <id>` looks into the directory that is named
 * after the working directory; `--resume <file>` takes a transcript from anywhere and goes on in that file
 * (observed with client 2.1.197).
 */
function argumentFor(
  { env }: Workspace,
  id: SessionId,
  transcript: LocalPath,
  directory: LocalPath,
): string {
  const real = Deno.realPathSync(directory) as LocalPath;
  return transcriptPath(env.claudeDir, env.os, real, id) === transcript ? id : transcript;
}

/** Rewinding in Claude Code where files or branch are others writes and deletes the wrong ones. */
function cautionsOf(
  { meta }: SessionView,
  transcript: LocalPath,
  directory: LocalPath,
): readonly string[] {
  const size = Deno.lstatSync(transcript).size;
  const cautions: string[] = [];
  if (entriesOf(directory).length === 0) {
    cautions.push(`"${directory}" is empty: the project's files are not here yet`);
  }
  const tracked = trackedFiles(readRange(transcript, Math.max(0, size - SUMMARY_BYTES), size));
  const missing = tracked.filter((path) =>
    lstatIfThere(isAbsolute(path) ? path : resolve(directory, path)) === undefined
  );
  if (missing.length > 0) {
    const some = missing.slice(0, 3).join(", ") + (missing.length > 3 ? ", ..." : "");
    cautions.push(
      `${missing.length} of the ${tracked.length} files that this session changed are not here (${some}): get them before you rewind in Claude Code, or rewinding deletes them on the other machines`,
    );
  }
  const [before, now] = [summaryOf(transcript, size, meta).branch, branchOf(directory)];
  if (before !== "" && now !== undefined && before !== now) {
    cautions.push(
      `the session was last on the branch "${before}", "${directory}" is on "${now}": do not rewind in Claude Code on another branch`,
    );
  }
  return cautions;
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    // Not there, or not for this user: either way nothing can be started in it.
    return false;
  }
}

function gone(id: SessionId): CcsyncError {
  return new CcsyncError("failed", `cannot resume "${id}": it is no longer here nor in the hub`, {
    hints: ["ccsync list --remote lists what is in the hub"],
  });
}

function unmapped(view: SessionView): CcsyncError {
  const names = view.unmapped.join(", ");
  return new CcsyncError(
    "setup",
    `cannot resume "${titleOf(view)}": its project is ${
      view.meta?.project ?? ""
    }, and ${names} has no path on this machine`,
    {
      hints: [
        ...view.unmapped.map((name) => `ccsync config add-placeholder ${name}=/path/here`),
        "then run it again; nothing was changed",
      ],
    },
  );
}
