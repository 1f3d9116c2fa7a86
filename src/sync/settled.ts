/**
 * Remembers which sessions are settled: when all of one was looked at there was nothing to push or to pull, and
 * nothing has changed since. Thousands of them need not be compared again for every new line of another one.
 *
 * @module
 */
import type { SessionId } from "../brands.ts";
import {
  type LocalFile,
  type LocalSidecar,
  type Scan,
  scanSidecars,
  type Skipped,
} from "../claude/scan.ts";
import type { SettledLook } from "../machine/state.ts";
import { isSameFile } from "./document.ts";
import { type Look, type Scope, type SessionView, sidecarFacts } from "./facts.ts";
import { describe, type ListedSession, type Prompts } from "./listed.ts";
import { planPull, planPush, planSidecarPush } from "./plan.ts";
import { sidecarItems } from "./sidecars.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Returns which sessions are settled still. The others are forgotten, and have to be looked at: their files do not look
 * as they did, Claude Code has them open, or one of them is meant in particular. Changes of what is known of the hub,
 * or of what was agreed on, have unsettled their sessions before.
 */
export function settledSessions(
  workspace: Workspace,
  { live, scan, skipped }: Look,
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
  const due = new Set([...live, ...scan.copies.map(({ id }) => id), also]);
  const settled = new Set<SessionId>();
  const over: SessionId[] = [];
  for (const look of state.settledLooks()) {
    const id = look[0];
    const faults = due.has(id) ? undefined : faultsIfSame(workspace, scan, look);
    if (faults === undefined) over.push(id);
    else {
      settled.add(id);
      if (faults.length > 0) skipped.push(...faults);
    }
  }
  state.removeSettled(over);
  return settled;
}

/**
 * Returns what of a session has to be passed over, `undefined` where its files do not look as they did. It is asked of
 * every session: hence numbers and not texts, and no taking apart as a list, which is four times as slow.
 */
function faultsIfSame(
  { env }: Workspace,
  { names, transcripts }: Scan,
  look: SettledLook,
): readonly Skipped[] | undefined {
  const local = transcripts.get(look[0]);
  if (local === undefined) return undefined;
  const { path, stamp } = local;
  const isSame = stamp.size === look[2] && stamp.mtimeMs === look[3] && stamp.ino === look[4] &&
    path.length === env.claudeDir.length + look[1].length && path.endsWith(look[1]);
  if (!isSame) return undefined;
  const id = look[0];
  const sidecars = look[5];
  const slug = look[6];
  if (sidecars === "" && !names.mayHaveSidecars(env.claudeDir, id, slug)) return NONE;
  const faults: Skipped[] = [];
  const found = scanSidecars(env.claudeDir, path, id, slug, faults, names);
  return linesOf(found) === sidecars ? faults : undefined;
}

const NONE: readonly never[] = [];

/** Remembers those of these sessions that are settled. */
export function noteSettled(workspace: Workspace, views: readonly SessionView[]): void {
  const settled = views.filter((view) => isSettled(workspace, view));
  if (settled.length === 0) return;
  workspace.state.transaction(() => {
    for (const view of settled) {
      const { local } = view.transcript;
      if (local === undefined) continue;
      const described = describe(workspace, view);
      const { firstPrompt, lastAnswer, lastPrompt, slug } = described;
      const prompts: Prompts = { firstPrompt, lastAnswer, lastPrompt };
      const look = lookOf(workspace, view, local, slug);
      workspace.state.setSettled(look, entryOf(described), prompts);
    }
  });
}

/** Returns what lists say of settled sessions. */
export function listedOf({ state }: Workspace, settled: ReadonlySet<SessionId>): ListedSession[] {
  const entries = state.settledListed() as Entry[];
  return entries.filter((entry) => settled.has(entry[0])).map(listedIn);
}

/** What lists say of a settled session, but for what is the same for all of them: without names it is read faster. */
type Entry = readonly [
  id: SessionId,
  title: string,
  branch: string,
  createdAt: string,
  updatedAt: string,
  headless: boolean,
  slug: string,
  forkOf: string,
  project: string,
  machine: string,
  createdBy: string,
  size: number,
  files: number,
  filesSize: number,
];

function entryOf(session: ListedSession): Entry {
  const { branch, createdAt, forkOf, headless, id, slug, title, updatedAt } = session;
  const { createdBy, files, filesSize, machine, project, size } = session;
  const summary = [title, branch, createdAt, updatedAt, headless, slug, forkOf] as const;
  return [id, ...summary, project, machine, createdBy, size, files, filesSize];
}

function listedIn(entry: Entry): ListedSession {
  return {
    title: entry[1],
    branch: entry[2],
    createdAt: entry[3],
    updatedAt: entry[4],
    headless: entry[5],
    slug: entry[6],
    forkOf: entry[7],
    id: entry[0],
    project: entry[8],
    machine: entry[9],
    createdBy: entry[10],
    size: entry[11],
    isHere: true,
    isInHub: true,
    isLive: false,
    isUnpushed: false,
    isUnpulled: false,
    lock: null,
    files: entry[12],
    filesSize: entry[13],
  };
}

/** Of what is remembered. */
const FORM = 2;

/** What else decides on where a session's files belong, and how lists tell of it. */
function keyOf({ config, env, profileKey }: Workspace): string {
  const { machineId, syncDirectories } = config;
  return JSON.stringify([FORM, profileKey, syncDirectories, machineId, env.claudeDir]);
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

function lookOf(
  { env }: Workspace,
  { id, sidecars }: SessionView,
  { path, stamp: { ino, mtimeMs, size } }: LocalFile,
  slug: string,
): SettledLook {
  const found = sidecars.flatMap(({ local, name }) =>
    local === undefined ? [] : [{ ...local, name }]
  );
  return [id, path.slice(env.claudeDir.length), size, mtimeMs, ino, linesOf(found), slug];
}

function linesOf(sidecars: readonly LocalSidecar[]): string {
  return sidecars.map(({ name, path, stamp: { ino, mtimeMs, size } }) =>
    `${name} ${size} ${mtimeMs} ${ino} ${path}`
  ).sort().join("\n");
}
