/**
 * Writes what the hub lacks of one session into a commit.
 *
 * @module
 */
import type { Oid } from "../brands.ts";
import { stampOf } from "../claude/scan.ts";
import { FileTrouble, messageOf } from "../errors.ts";
import type { Base, FileStamp } from "../machine/state.ts";
import type { CommitChanges } from "../hub/commit_writer.ts";
import { type Meta, metaPath } from "../hub/format.ts";
import { byteText, joinBytes, splitLines } from "../transcript/lines.ts";
import { compareFromBase, type Comparison, portable, type TwoSided } from "./content.ts";
import { piecesOf } from "./pieces.ts";
import { type Document, documentSegmentPath, type LocalDocument, TRANSCRIPT } from "./document.ts";
import { isFileTrouble, type SessionView, sidecarFacts } from "./facts.ts";
import { blockHashes } from "./fingerprint.ts";
import { type Fork, reconcileBranches } from "./branches.ts";
import {
  type KnownForms,
  type LocalFork,
  localFork,
  parentsForms,
  sendBelongings,
  sendFork,
} from "./fork.ts";
import { metaOf, portableMeta } from "./meta.ts";
import { planPush, planSidecarPush, type PushAction, type SidecarPush } from "./plan.ts";
import { type SessionReport, titleOf } from "./report.ts";
import { SegmentWriter } from "./segment_writer.ts";
import type { Workspace } from "./workspace.ts";

/** A document and what a push does with it. */
export interface DocumentItem {
  readonly document: LocalDocument;
  readonly action: Exclude<PushAction | SidecarPush, "none">;
  /** What a merge found, and the hashes of the local file from before it was looked at. */
  readonly comparison?: Comparison;
  readonly blocks?: readonly string[];
  /** The session that is to keep the hub's continuation, where a merge would hide it. */
  readonly fork?: Fork;
  /** Where it is such a session, made here by a pull: what it begins with. */
  readonly origin?: LocalFork;
}

/** A session and what a push does with its documents. */
export interface PushItem {
  readonly view: SessionView;
  readonly transcript?: DocumentItem;
  readonly sidecars: readonly DocumentItem[];
}

/** What was sent of a session. */
export interface Sent {
  readonly report: SessionReport;
  /** The bases to remember once the hub has accepted, but for what only the hub's new state tells. */
  readonly bases: readonly Omit<Base, "tree" | "segments">[];
  /** Why sidecars could not be sent. */
  readonly faults: readonly string[];
}

/**
 * Returns what a push does with a session, `undefined` where nothing is to be done. Where all lines turn
 * out to be in the hub already, that is remembered.
 */
export async function itemOf(
  workspace: Workspace,
  view: SessionView,
): Promise<PushItem | undefined> {
  const transcript = await documentItem(workspace, view, view.transcript, planPush(view.facts));
  // Sidecars without their transcript would belong to nothing.
  if (transcript === undefined && view.transcript.hub === undefined) return undefined;
  const sidecars: DocumentItem[] = [];
  for (const document of view.sidecars) {
    const action = planSidecarPush(sidecarFacts(view, document));
    const item = await documentItem(workspace, view, document, action);
    if (item !== undefined) sidecars.push(item);
  }
  if (transcript === undefined && sidecars.length === 0) return undefined;
  return { view, sidecars, ...(transcript === undefined ? {} : { transcript }) };
}

async function documentItem(
  workspace: Workspace,
  view: SessionView,
  document: Document,
  action: PushAction | SidecarPush,
): Promise<DocumentItem | undefined> {
  const { hub, local } = document;
  if (action === "none" || local === undefined) return undefined;
  if (action === "create" && document.merge === "append" && document.end === 0) return undefined;
  const item = { document: { ...document, local }, action };
  const isTranscript = document.name === TRANSCRIPT;
  if (action === "create" && isTranscript) {
    const origin = await localFork(workspace, item.document);
    return origin === undefined ? item : { ...item, origin };
  }
  if (action !== "merge" || hub === undefined) return item;
  const both: TwoSided = { ...item.document, hub };
  // Hashed before it is read: an edit in between is then found by the next run.
  const blocks = blockHashes(local.path, document.end);
  const found = await compareFromBase(workspace, both, document.end);
  const { comparison, fork } = await reconcileBranches(workspace, view, both, found, document.end);
  const isMoved = isTranscript && view.facts.isMoved;
  if (comparison.missing.length > 0 || isMoved) {
    return { ...item, comparison, blocks, ...(fork === undefined ? {} : { fork }) };
  }
  // A file that is behind the hub, or was never synced, is left to the next pull to look at.
  const { beginsWithHub, isPrefixOfHub } = comparison;
  if (beginsWithHub || (document.localState !== "unknown" && !isPrefixOfHub)) {
    const compared = { ...item, comparison };
    const base = baseOf(workspace, view, compared, blocks, beginsWithHub);
    workspace.state.setBase({ ...base, ...hub });
  }
  return undefined;
}

/**
 * Writes the new segments and the meta of one session: all of it or, when its transcript cannot be read,
 * nothing.
 *
 * @throws {FileTrouble} The transcript could not be read, or not be read again
 */
export async function sendSession(
  workspace: Workspace,
  changes: CommitChanges,
  item: PushItem,
): Promise<Sent> {
  const items = item.transcript === undefined ? item.sidecars : [item.transcript, ...item.sidecars];
  const documents = items.map(({ document }) => document);
  return await orTakeBack(changes, documents, (written) => sendParts(workspace, written, item));
}

async function sendParts(
  workspace: Workspace,
  changes: CommitChanges,
  item: PushItem,
): Promise<Sent> {
  const { view, sidecars, transcript } = item;
  const bases: Sent["bases"][number][] = [];
  const total = { lines: 0, bytes: 0 };
  const add = async (one: DocumentItem) => {
    const sent = await sendDocument(workspace, changes, view, one);
    bases.push(sent.base);
    total.bytes += sent.bytes;
    return sent;
  };
  const sent = transcript === undefined ? undefined : await add(transcript);
  total.lines = sent?.lines ?? 0;
  const faults = new Map<string, string>();
  for (const sidecar of sidecars) {
    try {
      await add(sidecar);
    } catch (error) {
      if (!isFileTrouble(error)) throw error;
      faults.set(sidecar.document.name, messageOf(error));
    }
  }
  const inHub = view.sidecars.filter(({ hub, name }) => hub !== undefined || !faults.has(name));
  const added = { ...total, bytes: sent?.bytes ?? 0 };
  const meta = await forkedMeta(
    workspace,
    changes,
    item,
    metaOf(workspace, view, inHub, added),
  );
  const fork = transcript?.fork;
  if (fork !== undefined) await sendFork(workspace, changes, view, fork);
  await changes.write(metaPath(view.id), portableMeta(workspace, meta, view.portableMeta));
  const report = {
    id: view.id,
    title: meta.title || titleOf(view),
    project: meta.project,
    action: transcript?.action ?? "files",
    files: sidecars.length - faults.size,
    ...total,
    ...(fork === undefined ? {} : { fork: fork.id }),
  };
  return { report, bases, faults: [...faults.values()] };
}

/** Completes the meta of a fork that a pull made here with what only its parent knows. */
async function forkedMeta(
  workspace: Workspace,
  changes: CommitChanges,
  { transcript, view }: PushItem,
  meta: Meta,
): Promise<Meta> {
  const origin = transcript?.origin;
  if (origin === undefined) return meta;
  const belongings = await sendBelongings(workspace, changes, view, origin);
  return {
    ...meta,
    forkOf: origin.parent,
    createdBy: origin.createdBy,
    lastEditedBy: origin.lastEditedBy,
    lines: meta.lines + origin.lines,
    bytes: meta.bytes + origin.bytes,
    sidecars: [...meta.sidecars, ...belongings],
  };
}

/** What was sent of one document. */
interface SentDocument {
  readonly base: Omit<Base, "tree" | "segments">;
  readonly lines: number;
  readonly bytes: number;
}

/** How often a file that changes while it is read is read again. */
const MOST_READS = 3;

/** A file that was not of one state while it was read. */
class Unsteady extends FileTrouble {
  readonly stamp: FileStamp;

  constructor(path: string, stamp: FileStamp) {
    super(`"${path}" keeps changing while it is read`);
    this.stamp = stamp;
  }
}

async function sendDocument(
  workspace: Workspace,
  changes: CommitChanges,
  view: SessionView,
  item: DocumentItem,
): Promise<SentDocument> {
  let current = item;
  for (let reads = 1;; reads++) {
    try {
      // What an earlier read has written must not stand behind what a shorter one writes.
      return await orTakeBack(
        changes,
        [item.document],
        (written) => sendSteady(workspace, written, view, current),
      );
    } catch (error) {
      if (!(error instanceof Unsteady) || reads === MOST_READS) throw error;
      const { stamp } = error;
      const local = { ...current.document.local, stamp };
      current = { ...current, document: { ...current.document, local, end: stamp.size } };
    }
  }
}

async function sendSteady(
  workspace: Workspace,
  changes: CommitChanges,
  view: SessionView,
  item: DocumentItem,
): Promise<SentDocument> {
  const sent = await sendOnce(workspace, changes, view, item);
  const { local, merge } = item.document;
  const stamp = stampOf(Deno.lstatSync(local.path));
  // What is appended to is cut where it ended before; what is replaced must be one state of the file.
  const isSteady = merge === "append" ||
    (stamp.size === local.stamp.size && stamp.mtimeMs === local.stamp.mtimeMs);
  if (isSteady) return sent;
  throw new Unsteady(local.path, stamp);
}

/** Passes changes on, and remembers which paths they were for. */
class Noted implements CommitChanges {
  readonly paths = new Set<string>();
  readonly #changes: CommitChanges;

  constructor(changes: CommitChanges) {
    this.#changes = changes;
  }

  async write(path: string, content: Uint8Array | string): Promise<void> {
    this.paths.add(path);
    await this.#changes.write(path, content);
  }

  async link(path: string, blob: Oid): Promise<void> {
    this.paths.add(path);
    await this.#changes.link(path, blob);
  }

  async remove(path: string): Promise<void> {
    this.paths.add(path);
    await this.#changes.remove(path);
  }
}

/** Puts the hub's content back into a commit in the making where sending these documents fails. */
async function orTakeBack<T>(
  changes: CommitChanges,
  documents: readonly Document[],
  send: (changes: CommitChanges) => Promise<T>,
): Promise<T> {
  const noted = new Noted(changes);
  try {
    return await send(noted);
  } catch (error) {
    if (!isFileTrouble(error)) throw error;
    const before = new Map(documents.flatMap((document) => {
      const segments = document.hub?.segments ?? [];
      return segments.map((oid, i) => [documentSegmentPath(document, i), oid] as const);
    }));
    for (const path of noted.paths) {
      const oid = before.get(path);
      if (oid === undefined) await changes.remove(path);
      else await changes.link(path, oid);
    }
    throw error;
  }
}

async function sendOnce(
  workspace: Workspace,
  changes: CommitChanges,
  view: SessionView,
  item: DocumentItem,
): Promise<SentDocument> {
  const { action, comparison, document } = item;
  const { base, local } = document;
  const known = keepsBase(item) ? base : undefined;
  const blocks = item.blocks ??
    blockHashes(local.path, document.end, known?.blocks, known?.localBytes);
  const writer = await writerOf(workspace, changes, item);
  const profile = profileOf(workspace, view, item);
  const toPortable = (content: Uint8Array) =>
    portable(workspace, document.codec, content, profile, view.project);
  const forms = comparison === undefined
    ? NO_FORMS
    : await parentsForms(workspace, document.id, comparison, view.project);
  for (const piece of newContent(item)) {
    await writer.write(forms.size === 0 ? toPortable(piece) : withForms(piece, forms, toPortable));
    workspace.progress.advance({ bytes: piece.length });
  }
  await writer.end();
  const isWhole = action === "create" || action === "replace";
  const isAligned = isWhole || (comparison?.beginsWithHub ?? base?.aligned ?? false);
  const { bytes, lines } = writer;
  return { lines, bytes, base: baseOf(workspace, view, item, blocks, isAligned) };
}

const NO_FORMS: KnownForms = new Map();

/** Returns content in portable form, where some lines' form is known. */
function withForms(
  content: Uint8Array,
  forms: KnownForms,
  toPortable: (line: Uint8Array) => Uint8Array,
): Uint8Array {
  return joinBytes(
    splitLines(content).map((line) => forms.get(byteText(line)) ?? toPortable(line)),
  );
}

async function writerOf(
  { mirror }: Workspace,
  changes: CommitChanges,
  { action, document, origin }: DocumentItem,
): Promise<SegmentWriter> {
  if (origin !== undefined) return await SegmentWriter.branch(changes, document, origin);
  const segments = document.hub?.segments ?? [];
  const last = action === "replace" || action === "create" ? undefined : segments.at(-1);
  if (last === undefined) return SegmentWriter.replace(changes, document);
  const content = await mirror.objects.blob(last);
  return SegmentWriter.extend(changes, document, {
    segments: segments.slice(0, -1),
    last: content,
  });
}

/** Whether the beginning of the local file is as the base has it. */
function keepsBase({ action, document }: DocumentItem): boolean {
  return document.localState !== "unknown" && action !== "create";
}

/**
 * New lines follow the placeholders that the file was written with, until a pull localises it anew; a sidecar of which
 * that is not known, those of its transcript.
 */
function profileOf({ profileKey }: Workspace, view: SessionView, item: DocumentItem): string {
  const { comparison, document: { base, name } } = item;
  const own = comparison?.profile ?? (keepsBase(item) ? base?.profile : undefined);
  const besides = name === TRANSCRIPT ? undefined : view.transcript.base?.profile;
  return own ?? besides ?? profileKey;
}

/** Returns the content of a document that a push sends, in pieces. */
export function newContent(item: DocumentItem): Iterable<Uint8Array> {
  const { action, comparison, document, origin } = item;
  if (action === "move") return [];
  if (comparison !== undefined) return [joinBytes(comparison.missing)];
  return piecesOf(
    document.local.path,
    document.codec,
    origin?.localBytes ?? firstNewByte(action, document),
    document.end,
  );
}

/** Returns where the content of a document begins that a push sends. */
export function firstNewByte(action: DocumentItem["action"], { base }: Document): number {
  return action === "append" ? base?.localBytes ?? 0 : 0;
}

function baseOf(
  workspace: Workspace,
  view: SessionView,
  item: DocumentItem,
  blocks: readonly string[],
  aligned: boolean,
): Omit<Base, "tree" | "segments"> {
  const { end, id, local, name } = item.document;
  return {
    id,
    name,
    project: workspace.portable(view.project ?? local.path),
    path: local.path,
    localBytes: end,
    aligned,
    blocks,
    stamp: local.stamp,
    profile: profileOf(workspace, view, item),
  };
}
