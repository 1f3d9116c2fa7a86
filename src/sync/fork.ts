/**
 * Keeps the other continuation of a diverged session in the hub: as a session of its own, that is the hub's
 * transcript as it was before the merge with a title behind it. All machines make the same one.
 *
 * The records keep the id of their session: Claude Code goes by the file's name (observed with client 2.1.197),
 * and equal bytes are stored once.
 *
 * @module
 */
import type { LocalPath, Oid, SessionId } from "../brands.ts";
import type { CommitChanges } from "../hub/commit_writer.ts";
import { isForkId, type Meta, metaPath, parseMeta, sidecarSegmentPath } from "../hub/format.ts";
import { readRange } from "../machine/files.ts";
import type { CatalogueRow, HubFile } from "../machine/state.ts";
import {
  byteText,
  completeLength,
  countLines,
  equalBytes,
  joinBytes,
  splitLines,
} from "../transcript/lines.ts";
import type { Fork } from "./branches.ts";
import {
  type Comparison,
  HUB_START,
  localised,
  portable,
  portablePieces,
  positionAfter,
} from "./content.ts";
import { piecesOf } from "./pieces.ts";
import { type LocalDocument, TRANSCRIPT } from "./document.ts";
import type { SessionView } from "./facts.ts";
import { type Mark, markIn } from "./marks.ts";
import { portableMeta } from "./meta.ts";
import { type Beginning, SegmentWriter } from "./segment_writer.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Writes into the hub what a fork needs, from what the hub has: of a new one, nothing is stored twice. Its sidecars
 * come along, so that rewinding works in it and its sub-agents can be continued.
 */
export async function sendFork(
  workspace: Workspace,
  changes: CommitChanges,
  view: SessionView,
  fork: Fork,
): Promise<void> {
  if (fork.kind === "new") await createFork(workspace, changes, view, fork);
  if (fork.kind === "behind") await growFork(workspace, changes, view, fork);
}

async function createFork(
  workspace: Workspace,
  changes: CommitChanges,
  view: SessionView,
  fork: Fork & { readonly kind: "new" },
): Promise<void> {
  const { meta, portableMeta: before, transcript: { hub } } = view;
  if (hub === undefined || meta === undefined) return;
  const beginning = await wholeOf(workspace, hub);
  const writer = await SegmentWriter.branch(changes, { id: fork.id, name: TRANSCRIPT }, beginning);
  if (beginning.last.at(-1) !== NEWLINE[0]) await writer.write(NEWLINE);
  await writer.write(portable(workspace, "jsonl", fork.line, undefined, view.project));
  await writer.end();
  const files = new Map(
    view.sidecars.flatMap(({ hub, name }) => hub === undefined ? [] : [[name, hub]]),
  );
  await linkFiles(changes, fork.id, files);
  const forked: Meta = {
    ...meta,
    title: fork.title,
    forkOf: view.id,
    lines: meta.lines + writer.lines,
    bytes: meta.bytes + writer.bytes,
    sidecars: meta.sidecars.filter(({ name }) => files.has(name)),
  };
  await changes.write(metaPath(fork.id), portableMeta(workspace, forked, before));
}

/** Appends what a fork's parent has more, and the fork's title once more. */
async function growFork(
  workspace: Workspace,
  changes: CommitChanges,
  view: SessionView,
  { growth: { from, mark }, id }: Fork & { readonly kind: "behind" },
): Promise<void> {
  const { meta, portableMeta: before, transcript: { hub } } = view;
  const row = workspace.state.catalogueRow(id);
  const [own, theirs] = [parseMeta(row?.meta ?? ""), parseMeta(before ?? "")];
  if (hub === undefined || meta === undefined || row === undefined) return;
  if (own === undefined || theirs === undefined) return;
  // All is read before anything is written: what fails half-way must leave the fork as it is.
  const beginning = await wholeOf(workspace, row.transcript);
  const added: Uint8Array[] = [];
  for (const [i, oid] of hub.segments.slice(from.segment).entries()) {
    const blob = await workspace.mirror.objects.blob(oid);
    added.push(i === 0 ? blob.subarray(from.skip) : blob);
  }
  const files = await newerFiles(workspace, view, row);
  const writer = SegmentWriter.extend(changes, { id, name: TRANSCRIPT }, beginning);
  for (const piece of added) await writer.write(piece);
  if (added.findLast(({ length }) => length > 0)?.at(-1) !== NEWLINE[0]) {
    await writer.write(NEWLINE);
  }
  await writer.write(mark);
  await writer.end();
  await linkFiles(changes, id, files);
  const sizes = new Map(own.sidecars.map((file) => [file.name, file]));
  for (const file of meta.sidecars) if (files.has(file.name)) sizes.set(file.name, file);
  const { createdBy, forkOf, project, title } = workspace.localMeta(row.meta) ?? own;
  const forked: Meta = {
    ...meta,
    createdBy,
    forkOf,
    project,
    title,
    lines: own.lines + writer.lines,
    bytes: own.bytes + writer.bytes,
    sidecars: [...sizes.values()],
  };
  const known = JSON.stringify({ ...theirs, project: own.project, title: own.title });
  await changes.write(metaPath(id), portableMeta(workspace, forked, known));
}

/** Returns the sidecars of a fork's parent that the fork lacks, or has a beginning of. */
async function newerFiles(
  workspace: Workspace,
  { sidecars }: SessionView,
  { files }: CatalogueRow,
): Promise<ReadonlyMap<string, HubFile>> {
  const newer = new Map<string, HubFile>();
  for (const { hub, name } of sidecars) {
    const own = files.get(name);
    if (hub === undefined || own?.tree === hub.tree) continue;
    const isBeginning = own === undefined ||
      await positionAfter(workspace, own.segments, hub.segments) !== undefined;
    if (isBeginning) newer.set(name, hub);
  }
  return newer;
}

const NEWLINE = new Uint8Array([0x0a]);

async function wholeOf({ mirror }: Workspace, { segments }: HubFile): Promise<Beginning> {
  const last = segments.at(-1);
  return {
    segments: segments.slice(0, -1),
    last: last === undefined ? new Uint8Array() : await mirror.objects.blob(last),
  };
}

async function linkFiles(
  changes: CommitChanges,
  id: SessionId,
  files: ReadonlyMap<string, HubFile>,
): Promise<void> {
  for (const [name, { segments }] of files) {
    for (const [i, oid] of segments.entries()) {
      await changes.link(sidecarSegmentPath(id, name, i), oid);
    }
  }
}

/** A fork that a pull has made here and that the hub does not have yet. */
export interface LocalFork extends Beginning {
  readonly parent: SessionId;
  readonly createdBy: string;
  /** The machine that its continuation is from. */
  readonly lastEditedBy: string;
  /** Where the local file goes on after what it has in common with the hub's transcript of its parent. */
  readonly localBytes: number;
  /** Size of that beginning, in portable form. */
  readonly lines: number;
  readonly bytes: number;
}

/**
 * Returns what a transcript that was made by a pull begins with, `undefined` for every other one. What is in the
 * hub already is never translated again.
 */
export async function localFork(
  workspace: Workspace,
  document: LocalDocument,
): Promise<LocalFork | undefined> {
  const mark = isForkId(document.id) ? markOf(document) : undefined;
  if (mark === undefined) return undefined;
  const { machineId } = workspace.config;
  const parent = workspace.state.catalogueRow(mark.parent);
  const begin = parent === undefined
    ? undefined
    : await commonBeginning(workspace, parent.transcript.segments, document, mark.from);
  const { createdBy = "" } = parseMeta(parent?.meta ?? "") ?? {};
  return {
    parent: mark.parent,
    createdBy: createdBy || machineId,
    lastEditedBy: document.end > mark.to ? machineId : mark.machine || machineId,
    ...begin ?? NOTHING,
  };
}

/** What a fork has in common with its parent. */
type Common = Beginning & Pick<LocalFork, "localBytes" | "lines" | "bytes">;

const NOTHING: Common = {
  segments: [],
  last: new Uint8Array(),
  localBytes: 0,
  lines: 0,
  bytes: 0,
};

/** A mark, and where it is. */
interface MarkAt extends Mark {
  readonly from: number;
  readonly to: number;
}

function markOf({ codec, end, id, local }: LocalDocument): MarkAt | undefined {
  let from = 0;
  for (const piece of piecesOf(local.path, codec, 0, end)) {
    for (const line of splitLines(piece)) {
      const mark = markIn(line, id);
      if (mark !== undefined) return { ...mark, from, to: from + line.length };
      from += line.length;
    }
  }
  return undefined;
}

/** Returns that beginning of a hub's document that is the first `to` bytes of a local file. */
async function commonBeginning(
  workspace: Workspace,
  segments: readonly Oid[],
  { codec, local }: LocalDocument,
  to: number,
): Promise<Common | undefined> {
  let [localBytes, lines, bytes] = [0, 0, 0];
  const goesOnWith = (content: Uint8Array): boolean => {
    const here = localised(workspace, codec, content);
    const end = localBytes + here.length;
    if (end > to || !equalBytes(readRange(local.path, localBytes, end), here)) return false;
    localBytes = end;
    lines += countLines(content);
    bytes += content.length;
    return true;
  };
  const whole: Oid[] = [];
  let wholeBytes = 0;
  let carry: Uint8Array = new Uint8Array();
  for (const oid of segments) {
    const blob = await workspace.mirror.objects.blob(oid);
    const content = joinBytes([carry, blob]);
    const complete = content.subarray(0, completeLength(content));
    const isWhole = goesOnWith(complete);
    // It ends in this segment, which the parent has filled further since.
    if (!isWhole) splitLines(complete).every(goesOnWith);
    if (localBytes === to) {
      const last = blob.subarray(0, bytes - wholeBytes);
      return { segments: whole, last, localBytes, lines, bytes };
    }
    if (!isWhole) return undefined;
    carry = content.subarray(complete.length);
    whole.push(oid);
    wholeBytes += blob.length;
  }
  return undefined;
}

/** Links the sidecars of a fork's parent, which the fork is going to use, and returns their names. */
export async function sendBelongings(
  { state }: Workspace,
  changes: CommitChanges,
  { id, sidecars }: SessionView,
  { parent }: LocalFork,
): Promise<Meta["sidecars"]> {
  const row = state.catalogueRow(parent);
  if (row === undefined) return [];
  const own = new Set(sidecars.map(({ name }) => name));
  const files = new Map([...row.files].filter(([name]) => !own.has(name)));
  await linkFiles(changes, id, files);
  return parseMeta(row.meta)?.sidecars.filter(({ name }) => files.has(name)) ?? [];
}

/** How lines read in the hub, by how they read here, as {@linkcode byteText}. */
export type KnownForms = ReadonlyMap<string, Uint8Array>;

/**
 * Returns those lines of its parent that a fork must not translate anew when it merges with the hub's: in portable
 * form they would read otherwise than there, as a text that happens to read like a path of this machine.
 */
export async function parentsForms(
  workspace: Workspace,
  id: SessionId,
  { missing, profile }: Comparison,
  project: LocalPath | undefined,
): Promise<KnownForms> {
  const forms = new Map<string, Uint8Array>();
  const marks = isForkId(id) ? missing.map((line) => markIn(line, id)) : [];
  const parent = marks.find((mark) => mark !== undefined)?.parent;
  const row = parent === undefined ? undefined : workspace.state.catalogueRow(parent);
  const segments = row?.transcript.segments ?? [];
  for await (const piece of portablePieces(workspace, "jsonl", segments, HUB_START)) {
    const here = localised(workspace, "jsonl", piece, profile);
    if (equalBytes(portable(workspace, "jsonl", here, profile, project), piece)) continue;
    const lines = splitLines(piece);
    for (const [i, line] of splitLines(here).entries()) {
      const known = lines[i];
      if (known !== undefined) forms.set(byteText(line), known);
    }
  }
  return forms;
}
