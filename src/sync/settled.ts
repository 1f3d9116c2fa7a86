/**
 * Remembers which sessions are settled: when all of one was looked at there was nothing to push or to pull, and
 * nothing has changed since. Thousands of them need not be compared again for every new line of another one.
 *
 * @module
 */
import type { LocalPath, SessionId } from "../brands.ts";
import {
  type LocalFile,
  type LocalSidecar,
  type Scan,
  scanSidecars,
  type Skipped,
} from "../claude/scan.ts";
import { isSameFile } from "./document.ts";
import { type Look, type Scope, type SessionView, sidecarFacts } from "./facts.ts";
import { describe, type ListedSession, type Prompts } from "./listed.ts";
import { planPull, planPush, planSidecarPush } from "./plan.ts";
import { sidecarItems } from "./receive.ts";
import type { Workspace } from "./workspace.ts";

/** Sessions whose files look as they did when they were found settled, and what of each has to be passed over. */
export type UnchangedSessions = ReadonlyMap<SessionId, readonly Skipped[]>;

/** Compares how the files of all sessions look with how they looked when they were found settled. */
export function unchangedSessions({ env, state }: Workspace, scan: Scan): UnchangedSessions {
  const unchanged = new Map<SessionId, readonly Skipped[]>();
  for (const [id, look, slug] of state.settledLooks()) {
    const local = scan.transcripts.get(id);
    if (local === undefined) continue;
    const skipped: Skipped[] = [];
    const sidecars = scanSidecars(env.claudeDir, local.path, id, slug, skipped, scan.names);
    if (look === lookOf(env.claudeDir, local, sidecars)) {
      unchanged.set(id, skipped.length === 0 ? NOTHING : skipped);
    }
  }
  return unchanged;
}

const NOTHING: readonly Skipped[] = [];

/**
 * Returns which of the unchanged sessions are settled. The others are forgotten, and have to be looked at: Claude
 * Code has them open, or one of them is meant in particular. Changes of what is known of the hub, or of what was
 * agreed on, have unsettled their sessions before.
 */
export function settledSessions(
  workspace: Workspace,
  unchanged: UnchangedSessions,
  look: Look,
  { also }: Scope,
): ReadonlySet<SessionId> {
  const { state } = workspace;
  const key = keyOf(workspace);
  if (state.fact("settled_key") !== key) {
    state.transaction(() => {
      state.clearSettled();
      state.setFact("settled_key", key);
    });
  }
  const due = new Set([...look.live, ...look.scan.copies.map(({ id }) => id), also]);
  const ids = new Set<SessionId>();
  const over: SessionId[] = [];
  for (const id of state.settledIds()) {
    const faults = due.has(id) ? undefined : unchanged.get(id);
    if (faults === undefined) over.push(id);
    else {
      ids.add(id);
      look.skipped.push(...faults);
    }
  }
  state.removeSettled(over);
  return ids;
}

/** Remembers those of these sessions that are settled. */
export function noteSettled(workspace: Workspace, views: readonly SessionView[]): void {
  const settled = views.filter((view) => isSettled(workspace, view));
  if (settled.length === 0) return;
  workspace.state.transaction(() => {
    for (const view of settled) {
      const { firstPrompt, lastAnswer, lastPrompt, ...listed } = describe(workspace, view);
      const prompts: Prompts = { firstPrompt, lastAnswer, lastPrompt };
      workspace.state.setSettled(
        [view.id, lookIn(workspace.env.claudeDir, view), listed.slug],
        listed,
        prompts,
      );
    }
  });
}

/** Returns what lists say of settled sessions. */
export function listedOf({ state }: Workspace, settled: ReadonlySet<SessionId>): ListedSession[] {
  const listed = state.settledListed() as ListedSession[];
  return listed.filter(({ id }) => settled.has(id));
}

/** What else decides on where a session's files belong, and how lists tell of it. */
function keyOf({ config, env, profileKey }: Workspace): string {
  return JSON.stringify([profileKey, config.syncDirectories, config.machineId, env.claudeDir]);
}

/**
 * Whether nothing is to be done for a session until something changes. Of its files, the stamps have to be those
 * of the base: of a long one that was only touched, some blocks are looked at each time.
 */
function isSettled(workspace: Workspace, view: SessionView): boolean {
  const { copies, facts, path, project, sidecars, transcript, unmapped } = view;
  const isInPlace = transcript.local !== undefined && transcript.local.path === path &&
    project !== undefined && workspace.isInScope(project);
  if (!isInPlace || transcript.hub === undefined || facts.isLive || facts.isTorn) return false;
  if (copies.length > 0 || unmapped.length > 0) return false;
  return planPush(facts) === "none" && planPull(facts, false) === "none" &&
    sidecarItems(view, "none").length === 0 &&
    sidecars.every((each) => planSidecarPush(sidecarFacts(view, each)) === "none") &&
    [transcript, ...sidecars].every(({ base, local }) =>
      local === undefined || (base !== undefined && isSameFile(local, base))
    );
}

function lookIn(claudeDir: LocalPath, { sidecars, transcript }: SessionView): string {
  const found = sidecars.flatMap(({ local, name }) =>
    local === undefined ? [] : [{ ...local, name }]
  );
  return transcript.local === undefined ? "" : lookOf(claudeDir, transcript.local, found);
}

/** Returns how a session's files look from outside: where they are, and their stamps. */
function lookOf(
  claudeDir: LocalPath,
  transcript: LocalFile,
  sidecars: readonly LocalSidecar[],
): string {
  const first = lineOf(claudeDir, transcript);
  if (sidecars.length === 0) return first;
  const lines = sidecars.map((file) => `${file.name} ${lineOf(claudeDir, file)}`).sort();
  return [first, ...lines].join("\n");
}

function lineOf(claudeDir: LocalPath, { path, stamp: { ino, mtimeMs, size } }: LocalFile): string {
  const place = path.startsWith(claudeDir) ? path.slice(claudeDir.length) : path;
  return `${size} ${mtimeMs} ${ino} ${place}`;
}
