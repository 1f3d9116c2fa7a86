/**
 * Writes what this machine lacks of one session into the Claude directory.
 *
 * @module
 */
import { transcriptPath } from "../claude/layout.ts";
import { stampOf } from "../claude/scan.ts";
import type { LocalPath, PortablePath } from "../brands.ts";
import { parseMeta } from "../hub/format.ts";
import { lstatIfThere, PendingFile, removeIfThere, writeAll } from "../machine/files.ts";
import type { CatalogueRow } from "../machine/state.ts";
import { countLines } from "../transcript/lines.ts";
import { toLocal } from "../translate/to_local.ts";
import { toPortable } from "../translate/to_portable.ts";
import { backUp } from "./backup.ts";
import { compareFromBase, type Comparison, HUB_START, localForm } from "./content.ts";
import { RETENTION_DAYS, type SessionView } from "./facts.ts";
import { blockHashes } from "./fingerprint.ts";
import type { PullAction } from "./plan.ts";
import { type SessionReport, titleOf } from "./report.ts";
import type { Workspace } from "./workspace.ts";

const NEWLINE = new Uint8Array([0x0a]);
const DAY_MS = 86_400_000;
/** A restored file has to be this much younger than what Claude Code's clean-up takes. */
const MARGIN_DAYS = 2;

/** A session that is in the hub and has a place here. */
interface Incoming {
  readonly workspace: Workspace;
  readonly view: SessionView;
  readonly row: CatalogueRow;
  /** Where the transcript has to be. */
  readonly target: LocalPath;
}

/**
 * Brings one local transcript in step with the hub, and remembers that they agree. Returns `undefined`
 * where it already was.
 *
 * @throws {Deno.errors.UnexpectedEof} The local file changed meanwhile; nothing was written
 */
export async function receiveSession(
  workspace: Workspace,
  view: SessionView,
  action: PullAction,
): Promise<SessionReport | undefined> {
  const { project, row } = view;
  if (row === undefined || project === undefined) return undefined;
  const target = targetOf(workspace, view, project);
  const incoming = { workspace, view, row, target };
  if (action === "create") return await replace(incoming, "create", []);
  return await join(incoming);
}

/**
 * Returns where the transcript has to be: where Claude Code looks for it; but a file that is here already
 * stays where it is unless its project moved or got another path here.
 */
function targetOf({ env }: Workspace, view: SessionView, project: LocalPath): LocalPath {
  const { base, facts, id, local } = view;
  const stays = local !== undefined && (base === undefined || facts.isPlaced);
  return stays ? local.path : transcriptPath(env.claudeDir, env.os, project, id);
}

/** Extends the local file where it is a beginning of the hub's, else writes both continuations anew. */
async function join(incoming: Incoming): Promise<SessionReport | undefined> {
  const { workspace, view, target } = incoming;
  const { local, facts, base } = view;
  if (local === undefined) return undefined;
  const found = await compareFromBase(workspace, view, local.stamp.size);
  const isInPlace = local.path === target &&
    (base === undefined || facts.local === "unknown" || base.profile === workspace.profileKey);
  if (isInPlace && found.beginsWithHub) {
    remember(incoming, found.hubLocalBytes, target);
    return undefined;
  }
  if (isInPlace && found.isPrefixOfHub) return extend(incoming, found);
  const rewrite = local.path === target ? "rewrite" : "move";
  const action = found.missing.length > 0 ? "merge" : rewrite;
  return await replace(incoming, action, relocalised(incoming, found.missing));
}

/** Returns lines that were written with earlier placeholders as they read with today's. */
function relocalised(
  { workspace, view }: Incoming,
  lines: readonly Uint8Array[],
): readonly Uint8Array[] {
  const { base, facts } = view;
  if (base === undefined || facts.local === "unknown" || base.profile === workspace.profileKey) {
    return lines;
  }
  const earlier = workspace.translator("jsonl", base.profile);
  const today = workspace.translator("jsonl");
  return lines.map((line) => toLocal(today, toPortable(earlier, line)));
}

/** Appends what the hub has after the local bytes, which are the beginning of it. */
function extend(incoming: Incoming, { hubRest, hubLocalBytes }: Comparison): SessionReport {
  const { target } = incoming;
  requireUntouched(incoming);
  {
    using file = Deno.openSync(target, { append: true });
    writeAll(file, hubRest);
    if (hubRest.at(-1) !== NEWLINE[0]) writeAll(file, NEWLINE);
    file.syncSync();
  }
  const seconds = restoredTime(incoming) / 1000;
  Deno.utimeSync(target, seconds, seconds);
  remember(incoming, hubLocalBytes, target);
  return report(incoming, "append", countLines(hubRest), hubRest.length);
}

/** Writes the hub's transcript, then the local lines that it lacks, in place of what is there. */
async function replace(
  incoming: Incoming,
  action: string,
  missing: readonly Uint8Array[],
): Promise<SessionReport> {
  const { workspace, view, row, target } = incoming;
  const old = view.local?.path;
  using pending = new PendingFile(target);
  let lines = 0;
  for await (const piece of localForm(workspace, row.segments, HUB_START)) {
    pending.write(piece);
    lines += countLines(piece);
    if (piece.at(-1) !== NEWLINE[0]) pending.write(NEWLINE);
  }
  const hubBytes = pending.size;
  for (const line of missing) pending.write(line);
  requireUntouched(incoming);
  if (old !== undefined) backUp(workspace.env.ccsyncHome, old, workspace.env.now());
  // Hashed before anybody else can write to it.
  const blocks = blockHashes(pending.path, hubBytes);
  pending.place(restoredTime(incoming));
  if (old !== undefined && old !== target) removeIfThere(old);
  remember(incoming, hubBytes, target, blocks);
  return report(incoming, action, lines, hubBytes);
}

/** The file must still be what the decision was made for. */
function requireUntouched({ view, target }: Incoming): void {
  const before = view.local?.stamp;
  const info = lstatIfThere(view.local?.path ?? target);
  const now = info === undefined ? undefined : stampOf(info);
  if (now?.size === before?.size && now?.mtimeMs === before?.mtimeMs) return;
  throw new Deno.errors.UnexpectedEof(
    "it changed while it was being brought up to date; run again",
  );
}

function remember(
  { workspace, view, row }: Incoming,
  localBytes: number,
  path: LocalPath,
  blocks: readonly string[] = blockHashes(path, localBytes),
): void {
  workspace.state.setBase({
    id: view.id,
    tree: row.tree,
    segments: row.segments,
    project: (parseMeta(row.meta)?.project ?? "") as PortablePath,
    path,
    localBytes,
    aligned: true,
    blocks,
    stamp: stampOf(Deno.lstatSync(path)),
    profile: workspace.profileKey,
  });
}

/** The time of the last event where that survives Claude Code's clean-up, else now. */
function restoredTime({ workspace, view }: Incoming): number {
  const now = workspace.env.now();
  const at = Date.parse(view.meta?.updatedAt ?? "");
  const survives = now - at < (RETENTION_DAYS - MARGIN_DAYS) * DAY_MS;
  return survives && at <= now ? at : now;
}

function report(
  { view }: Incoming,
  action: string,
  lines: number,
  bytes: number,
): SessionReport {
  return { id: view.id, title: titleOf(view), project: view.project ?? "", action, lines, bytes };
}
