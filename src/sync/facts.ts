/**
 * Gathers the facts about every session of this machine and the hub.
 *
 * @module
 */
import { dirname } from "node:path";
import type { LocalPath, PortablePath, SessionId } from "../brands.ts";
import { liveSessions } from "../claude/live.ts";
import {
  type LocalTranscript,
  readProject,
  scanTranscripts,
  type Skipped,
} from "../claude/scan.ts";
import { messageOf } from "../errors.ts";
import { type Meta, parseMeta } from "../hub/format.ts";
import type { Base, CatalogueRow, FileStamp } from "../machine/state.ts";
import { completeEnd } from "./content.ts";
import { hasPrefix } from "./fingerprint.ts";
import type { HubState, LocalState, SessionFacts } from "./plan.ts";
import type { Workspace } from "./workspace.ts";

/** A session of this machine, the hub, or both, and the facts about it. */
export interface SessionView {
  readonly id: SessionId;
  readonly facts: SessionFacts;
  readonly local?: LocalTranscript;
  /** The project's directory here, where it is known. */
  readonly project?: LocalPath;
  /** What the hub says of it, in local form. */
  readonly meta?: Meta;
  readonly row?: CatalogueRow;
  readonly base?: Base;
  /** End of the local file's complete lines. */
  readonly completeEnd: number;
  /** Placeholders without a path here that the project needs. */
  readonly unmapped: readonly string[];
}

/** All sessions, and what had to be passed over. */
export interface Overview {
  readonly sessions: readonly SessionView[];
  readonly skipped: readonly Skipped[];
}

/** How long Claude Code keeps transcripts unless told otherwise (`cleanupPeriodDays`, client 2.1.197). */
export const RETENTION_DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * Gathers the facts about all sessions.
 *
 * @param all Whether to include sessions outside the sync directories
 */
export async function gatherFacts(workspace: Workspace, all: boolean): Promise<Overview> {
  const { env, state } = workspace;
  const scan = scanTranscripts(env.claudeDir);
  const skipped = [...scan.skipped];
  const sources: Sources = {
    bases: state.bases(),
    catalogue: state.catalogue(),
    projects: state.projects(),
    live: await liveSessions(env.claudeDir, env.now()),
    turn: Number(state.fact("turn") ?? 0),
  };
  state.setFact("turn", String(sources.turn + 1));
  const ids = [...new Set([...scan.transcripts.keys(), ...sources.catalogue.keys()])].sort();
  const sessions: SessionView[] = [];
  for (const id of ids) {
    const local = scan.transcripts.get(id);
    const view = guarded(local, skipped, () => viewOf(workspace, sources, id, local, skipped));
    if (view !== undefined && (all || isShown(workspace, view))) sessions.push(view);
  }
  return { sessions, skipped };
}

interface Sources {
  readonly bases: ReadonlyMap<SessionId, Base>;
  readonly catalogue: ReadonlyMap<SessionId, CatalogueRow>;
  readonly projects: ReadonlyMap<LocalPath, LocalPath>;
  readonly live: ReadonlySet<SessionId>;
  readonly turn: number;
}

/** Passes over what cannot be read, and says so; the other sessions go on. */
function guarded(
  local: LocalTranscript | undefined,
  skipped: Skipped[],
  view: () => SessionView | undefined,
): SessionView | undefined {
  try {
    return view();
  } catch (error) {
    if (local === undefined || !isFileTrouble(error)) throw error;
    skipped.push({ what: local.path, why: `it cannot be read: ${messageOf(error)}` });
    return undefined;
  }
}

/** Whether an error is about one file, so that the others can go on. */
export function isFileTrouble(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.UnexpectedEof || error instanceof Deno.errors.NotCapable ||
    (error instanceof Error && /input\/output error/i.test(error.message));
}

/** Sessions with placeholders unknown here are shown: the user has to be told how to map them. */
function isShown(workspace: Workspace, { project, unmapped }: SessionView): boolean {
  return project === undefined ? unmapped.length > 0 : workspace.isInScope(project);
}

function viewOf(
  workspace: Workspace,
  sources: Sources,
  id: SessionId,
  local: LocalTranscript | undefined,
  skipped: Skipped[],
): SessionView | undefined {
  const base = sources.bases.get(id);
  const row = sources.catalogue.get(id);
  const portable = row === undefined ? undefined : parseMeta(row.meta);
  const meta = portable === undefined ? undefined : workspace.localJson(portable);
  const hubProject = portable === undefined
    ? undefined
    : workspace.local(portable.project as PortablePath);
  const recorded = local === undefined
    ? undefined
    : recordedProject(workspace, sources, local, base);
  if (local !== undefined && recorded === undefined && row === undefined) {
    skipped.push({ what: local.path, why: "it names no working directory yet" });
    return undefined;
  }
  const moved = isMoved(local, base) && recorded !== undefined;
  const hubPath = hubProject !== undefined && "path" in hubProject ? hubProject.path : undefined;
  const project = moved ? recorded : hubPath ?? recorded;
  const content = local === undefined ? ABSENT : contentOf(local, base, sources.turn);
  const facts: SessionFacts = {
    local: content.state,
    hub: hubState(row, base),
    isAligned: base?.aligned ?? false,
    isPlaced: base?.profile === workspace.profileKey && base.project === portable?.project,
    isMoved: moved,
    isTorn: local !== undefined && content.end < local.stamp.size,
    isLive: sources.live.has(id),
    isRecent: isRecent(meta, workspace.env.now()),
  };
  return {
    id,
    facts,
    completeEnd: content.end,
    unmapped: hubProject !== undefined && "unmapped" in hubProject ? [...hubProject.unmapped] : [],
    ...(local === undefined ? {} : { local }),
    ...(project === undefined ? {} : { project }),
    ...(meta === undefined ? {} : { meta }),
    ...(row === undefined ? {} : { row }),
    ...(base === undefined ? {} : { base }),
  };
}

const ABSENT = { state: "absent", end: 0 } as const;

function contentOf(
  local: LocalTranscript,
  base: Base | undefined,
  turn: number,
): { readonly state: LocalState; readonly end: number } {
  const { path, stamp } = local;
  const isKnown = base !== undefined &&
    ((path === base.path && isSameStamp(stamp, base.stamp)) ||
      hasPrefix(path, base.localBytes, base.blocks, turn));
  if (!isKnown) return { state: "unknown", end: completeEnd(path, 0, stamp.size) };
  const end = completeEnd(path, base.localBytes, stamp.size);
  return { state: end === base.localBytes ? "unchanged" : "grown", end };
}

/** An equal stamp is taken for an equal file, as git does; an unequal one proves nothing. */
function isSameStamp(a: FileStamp, b: FileStamp): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ino === b.ino;
}

function hubState(row: CatalogueRow | undefined, base: Base | undefined): HubState {
  if (row === undefined) return "absent";
  return row.tree === base?.tree ? "unchanged" : "changed";
}

/** A session moves when Claude Code puts its transcript into another project's directory. */
function isMoved(local: LocalTranscript | undefined, base: Base | undefined): boolean {
  return local !== undefined && base !== undefined && dirname(local.path) !== dirname(base.path);
}

function recordedProject(
  workspace: Workspace,
  sources: Sources,
  local: LocalTranscript,
  base: Base | undefined,
): LocalPath | undefined {
  const known = sources.projects.get(local.path);
  if (known !== undefined) return known;
  // Cached only with a base: before that, the first lines may still be missing.
  const project = readProject(local, workspace.env.os);
  if (project !== undefined && base !== undefined) {
    workspace.state.setProject({ path: local.path, cwd: project });
  }
  return project;
}

function isRecent(meta: Meta | undefined, now: number): boolean {
  const at = Date.parse(meta?.updatedAt ?? "");
  return Number.isNaN(at) || now - at < RETENTION_DAYS * DAY_MS;
}
