/**
 * Writes what the hub lacks of one session into a commit.
 *
 * @module
 */
import type { Oid } from "../brands.ts";
import { stampOf } from "../claude/scan.ts";
import { FileTrouble, messageOf } from "../errors.ts";
import type { Base } from "../machine/state.ts";
import type { CommitChanges } from "../hub/commit_writer.ts";
import { type Meta, metaPath, parseMeta } from "../hub/format.ts";
import { countLines, joinBytes } from "../transcript/lines.ts";
import { SegmentCutter } from "../transcript/segments.ts";
import { NO_SUMMARY } from "../transcript/summary.ts";
import { utf8 } from "../translate/bytes.ts";
import {
  compareFromBase,
  type Comparison,
  piecesOf,
  portable,
  summaryOf,
  type TwoSided,
} from "./content.ts";
import { type Document, documentSegmentPath, type LocalDocument, TRANSCRIPT } from "./document.ts";
import { isFileTrouble, type SessionView, sidecarFacts } from "./facts.ts";
import { blockHashes } from "./fingerprint.ts";
import { planPush, planSidecarPush, type PushAction, type SidecarPush } from "./plan.ts";
import { type SessionReport, titleOf } from "./report.ts";
import type { Workspace } from "./workspace.ts";

/** A document and what a push does with it. */
export interface DocumentItem {
  readonly document: LocalDocument;
  readonly action: Exclude<PushAction | SidecarPush, "none">;
  /** What a merge found, and the hashes of the local file from before it was looked at. */
  readonly comparison?: Comparison;
  readonly blocks?: readonly string[];
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
  if (action !== "merge" || hub === undefined) return item;
  const both: TwoSided = { ...item.document, hub };
  // Hashed before it is read: an edit in between is then found by the next run.
  const blocks = blockHashes(local.path, document.end);
  const comparison = await compareFromBase(workspace, both, document.end);
  const isMoved = document.name === TRANSCRIPT && view.facts.isMoved;
  if (comparison.missing.length > 0 || isMoved) return { ...item, comparison, blocks };
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
    const sent = await orTakeBack(
      changes,
      [one.document],
      (written) => sendDocument(workspace, written, view, one),
    );
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
  const meta = metaOf(workspace, view, inHub, { ...total, bytes: sent?.bytes ?? 0 });
  await changes.write(metaPath(view.id), portableMeta(workspace, meta, view.portableMeta));
  const report = {
    id: view.id,
    title: meta.title || titleOf(view),
    project: meta.project,
    action: transcript?.action ?? "files",
    files: sidecars.length - faults.size,
    ...total,
  };
  return { report, bases, faults: [...faults.values()] };
}

/** What was sent of one document. */
interface SentDocument {
  readonly base: Omit<Base, "tree" | "segments">;
  readonly lines: number;
  readonly bytes: number;
}

/** How often a file that changes while it is read is read again. */
const MOST_READS = 3;

async function sendDocument(
  workspace: Workspace,
  changes: CommitChanges,
  view: SessionView,
  item: DocumentItem,
): Promise<SentDocument> {
  let current = item;
  for (let reads = 1;; reads++) {
    const sent = await sendOnce(workspace, changes, view, current);
    const stamp = stampOf(Deno.lstatSync(current.document.local.path));
    const { local } = current.document;
    // What is appended to is cut where it ended before; what is replaced must be one state of the file.
    const isSteady = item.document.merge === "append" ||
      (stamp.size === local.stamp.size && stamp.mtimeMs === local.stamp.mtimeMs);
    if (isSteady) return sent;
    if (reads === MOST_READS) {
      throw new FileTrouble(`"${local.path}" keeps changing while it is read`);
    }
    const document = { ...current.document, local: { ...local, stamp }, end: stamp.size };
    current = { ...current, document };
  }
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
  const blocks = item.blocks ??
    (keepsBase(item)
      ? blockHashes(local.path, document.end, base?.blocks, base?.localBytes)
      : blockHashes(local.path, document.end));
  const writer = await SegmentWriter.open(workspace, changes, document, action);
  for (const piece of newContent(item)) {
    const profile = profileOf(workspace, item);
    await writer.write(portable(workspace, document.codec, piece, profile, view.project));
  }
  await writer.end();
  const isWhole = action === "create" || action === "replace";
  const isAligned = isWhole || (comparison?.beginsWithHub ?? base?.aligned ?? false);
  const { bytes, lines } = writer;
  return { lines, bytes, base: baseOf(workspace, view, item, blocks, isAligned) };
}

/** Whether the beginning of the local file is as the base has it. */
function keepsBase({ action, document }: DocumentItem): boolean {
  return document.localState !== "unknown" && action !== "create";
}

/** New lines follow the placeholders that the file was written with, until a pull localises it anew. */
function profileOf({ profileKey }: Workspace, item: DocumentItem): string {
  const { comparison, document: { base } } = item;
  return comparison?.profile ?? (keepsBase(item) ? base?.profile : undefined) ?? profileKey;
}

/** Returns the content of a document that a push sends, in pieces. */
export function newContent({ action, comparison, document }: DocumentItem): Iterable<Uint8Array> {
  if (action === "move") return [];
  if (comparison !== undefined) return [joinBytes(comparison.missing)];
  return piecesOf(
    document.local.path,
    document.codec,
    firstNewByte(action, document),
    document.end,
  );
}

/** Returns where the content of a document begins that a push sends. */
export function firstNewByte(action: DocumentItem["action"], { base }: Document): number {
  return action === "append" ? base?.localBytes ?? 0 : 0;
}

function baseOf(
  workspace: Workspace,
  { project }: SessionView,
  item: DocumentItem,
  blocks: readonly string[],
  aligned: boolean,
): Omit<Base, "tree" | "segments"> {
  const { end, id, local, name } = item.document;
  return {
    id,
    name,
    project: workspace.portable(project ?? local.path),
    path: local.path,
    localBytes: end,
    aligned,
    blocks,
    stamp: local.stamp,
    profile: profileOf(workspace, item),
  };
}

/** Writes portable bytes as the segments of a document. */
class SegmentWriter {
  lines = 0;
  bytes = 0;
  readonly #changes: CommitChanges;
  readonly #document: Document;
  readonly #cutter: SegmentCutter;
  readonly #replaces: boolean;
  #index: number;

  private constructor(
    changes: CommitChanges,
    document: Document,
    index: number,
    last: Uint8Array | undefined,
    replaces: boolean,
  ) {
    this.#changes = changes;
    this.#document = document;
    this.#index = index;
    this.#cutter = new SegmentCutter(last);
    this.#replaces = replaces;
  }

  /** Continues the last segment of the hub's document, or begins anew. */
  static async open(
    workspace: Workspace,
    changes: CommitChanges,
    document: Document,
    action: DocumentItem["action"],
  ): Promise<SegmentWriter> {
    const replaces = action === "replace" || action === "create";
    const last = replaces ? undefined : document.hub?.segments.at(-1);
    const content = last === undefined ? undefined : await workspace.mirror.objects.blob(last);
    const index = last === undefined ? 0 : (document.hub?.segments.length ?? 1) - 1;
    return new SegmentWriter(changes, document, index, content, replaces);
  }

  async write(content: Uint8Array): Promise<void> {
    if (content.length === 0) return;
    this.lines += countLines(content);
    this.bytes += content.length;
    for (const segment of this.#cutter.push(content)) await this.#segment(segment);
  }

  async end(): Promise<void> {
    const last = this.bytes > 0 ? this.#cutter.end() : undefined;
    if (last !== undefined) await this.#segment(last);
    if (!this.#replaces) return;
    // An empty file is a segment, too: without any, the document would not be there.
    if (this.#index === 0) await this.#segment(new Uint8Array());
    const before = this.#document.hub?.segments.length ?? 0;
    for (let i = this.#index; i < before; i++) {
      await this.#changes.remove(documentSegmentPath(this.#document, i));
    }
  }

  async #segment(content: Uint8Array): Promise<void> {
    await this.#changes.write(documentSegmentPath(this.#document, this.#index++), content);
  }
}

function metaOf(
  workspace: Workspace,
  view: SessionView,
  sidecars: readonly Document[],
  added: { readonly lines: number; readonly bytes: number },
): Meta {
  const { meta, project, transcript: { end, local } } = view;
  const { machineId } = workspace.config;
  const known = new Map(meta?.sidecars.map(({ name, bytes }) => [name, bytes]));
  return {
    ...NO_SUMMARY,
    ...meta,
    ...(local === undefined ? {} : summaryOf(local.path, end, meta)),
    project: project ?? meta?.project ?? "",
    createdBy: meta?.createdBy || machineId,
    lastEditedBy: added.bytes > 0 ? machineId : meta?.lastEditedBy || machineId,
    lines: (meta?.lines ?? 0) + added.lines,
    bytes: (meta?.bytes ?? 0) + added.bytes,
    sidecars: sidecars.map(({ end, local, name }) => {
      return { name, bytes: local === undefined ? known.get(name) ?? 0 : end };
    }),
  };
}

/** Returns the meta in portable form. What did not change keeps its form: a token unknown here stays a token. */
function portableMeta(workspace: Workspace, meta: Meta, earlier: string | undefined): string {
  const json = new TextDecoder().decode(portable(workspace, "json", utf8(JSON.stringify(meta))));
  const before = earlier === undefined ? undefined : parseMeta(earlier);
  const local = before === undefined ? undefined : workspace.localJson(before);
  const kept = Object.entries(before ?? {}).filter(([key]) => {
    return JSON.stringify(local?.[key]) === JSON.stringify(meta[key]);
  });
  return JSON.stringify({ ...JSON.parse(json) as Meta, ...Object.fromEntries(kept) }, null, 2) +
    "\n";
}
