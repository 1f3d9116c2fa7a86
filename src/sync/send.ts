/**
 * Writes what the hub lacks of one session into a commit.
 *
 * @module
 */
import type { Base } from "../machine/state.ts";
import type { CommitChanges } from "../hub/commit_writer.ts";
import { type Meta, metaPath, parseMeta, segmentPath } from "../hub/format.ts";
import { countLines, joinBytes } from "../transcript/lines.ts";
import { SegmentCutter } from "../transcript/segments.ts";
import { utf8 } from "../translate/bytes.ts";
import { toPortable } from "../translate/to_portable.ts";
import type { LocalTranscript } from "../claude/scan.ts";
import { compareFromBase, type Comparison, linesOf, summaryOf } from "./content.ts";
import type { SessionView } from "./facts.ts";
import { blockHashes } from "./fingerprint.ts";
import type { PushAction } from "./plan.ts";
import { type SessionReport, titleOf } from "./report.ts";
import type { Workspace } from "./workspace.ts";

/** One session and what a push does with it. */
export interface PushItem {
  readonly view: SessionView & { readonly local: LocalTranscript };
  readonly action: Exclude<PushAction, "none">;
  /** What a merge found. */
  readonly comparison?: Comparison;
}

/** What was sent of a session. */
export interface Sent {
  readonly report: SessionReport;
  /** The base to remember once the hub has accepted, but for what only the hub's new state tells. */
  readonly base: Omit<Base, "tree" | "segments">;
}

/**
 * Returns what a push does with a session, `undefined` where nothing is to be done. Where all lines turn
 * out to be in the hub already, that is remembered.
 */
export async function itemOf(
  workspace: Workspace,
  view: SessionView,
  action: PushAction,
): Promise<PushItem | undefined> {
  const { local, row } = view;
  if (action === "none" || local === undefined) return undefined;
  if (action === "create" && view.completeEnd === 0) return undefined;
  const item = { view: { ...view, local }, action };
  if (action !== "merge" || row === undefined) return item;
  const comparison = await compareFromBase(workspace, view, view.completeEnd);
  if (comparison.missing.length > 0 || view.facts.isMoved) return { ...item, comparison };
  if (!isKnownState(view, comparison)) return undefined;
  const { tree, segments } = row;
  const blocks = blockHashes(local.path, view.completeEnd);
  const base = baseOf(workspace, item, blocks, comparison.beginsWithHub);
  workspace.state.setBase({ ...base, tree, segments });
  return undefined;
}

/** A file that is behind the hub, and was never synced, is left to the next pull to look at. */
function isKnownState({ facts }: SessionView, { beginsWithHub }: Comparison): boolean {
  return beginsWithHub || facts.local !== "unknown";
}

/** Writes the new segments and the meta of one session. */
export async function sendSession(
  workspace: Workspace,
  changes: CommitChanges,
  item: PushItem,
): Promise<Sent> {
  const { view, action, comparison } = item;
  const { id, local, row, base } = view;
  // Hashed before it is read: an edit in between is then found by the next run.
  const blocks = keepsBase(item)
    ? blockHashes(local.path, view.completeEnd, base?.blocks, base?.localBytes)
    : blockHashes(local.path, view.completeEnd);
  const writer = await writerFor(workspace, changes, view);
  await sendLines(workspace, writer, item);
  await writer.end();
  const meta = metaOf(workspace, view, writer);
  await changes.write(metaPath(id), portableMeta(workspace, meta, row?.meta));
  const isAligned = action === "create" || (comparison?.beginsWithHub ?? base?.aligned ?? false);
  const { lines, bytes } = writer;
  return {
    report: { id, title: meta.title || titleOf(view), project: meta.project, action, lines, bytes },
    base: baseOf(workspace, item, blocks, isAligned),
  };
}

/** Whether the beginning of the local file is as the base has it. */
function keepsBase({ view, action }: PushItem): boolean {
  return view.facts.local !== "unknown" && action !== "create";
}

function baseOf(
  workspace: Workspace,
  item: PushItem,
  blocks: readonly string[],
  aligned: boolean,
): Omit<Base, "tree" | "segments"> {
  const { id, local, base, completeEnd, project } = item.view;
  return {
    id,
    project: workspace.portable(project ?? local.path),
    path: local.path,
    localBytes: completeEnd,
    aligned,
    blocks,
    stamp: local.stamp,
    profile: keepsBase(item) ? base?.profile ?? workspace.profileKey : workspace.profileKey,
  };
}

async function writerFor(
  workspace: Workspace,
  changes: CommitChanges,
  { id, row }: SessionView,
): Promise<TranscriptWriter> {
  const segments = row?.segments ?? [];
  const last = segments.at(-1);
  const content = last === undefined ? undefined : await workspace.mirror.objects.blob(last);
  const pathOf = (index: number) => segmentPath(id, index);
  return new TranscriptWriter(changes, pathOf, Math.max(0, segments.length - 1), content);
}

async function sendLines(
  workspace: Workspace,
  writer: TranscriptWriter,
  item: PushItem,
): Promise<void> {
  const { view: { base, completeEnd, local }, action, comparison } = item;
  // New lines follow the placeholders that the file was written with, until a pull localises it anew.
  const translator = workspace.translator("jsonl", keepsBase(item) ? base?.profile : undefined);
  if (action === "move") return;
  if (comparison !== undefined) {
    return await writer.write(toPortable(translator, joinBytes(comparison.missing)));
  }
  for (const piece of linesOf(local.path, firstNewByte(item), completeEnd)) {
    await writer.write(toPortable(translator, piece));
  }
}

/** Returns where the lines of a session begin that a push sends. */
export function firstNewByte({ view, action }: PushItem): number {
  return action === "append" ? view.base?.localBytes ?? 0 : 0;
}

/** Writes portable bytes as segments, continuing the last one. */
class TranscriptWriter {
  readonly #changes: CommitChanges;
  readonly #pathOf: (index: number) => string;
  readonly #cutter: SegmentCutter;
  #index: number;
  lines = 0;
  bytes = 0;

  constructor(
    changes: CommitChanges,
    pathOf: (index: number) => string,
    index: number,
    last: Uint8Array | undefined,
  ) {
    this.#changes = changes;
    this.#pathOf = pathOf;
    this.#index = index;
    this.#cutter = new SegmentCutter(last);
  }

  async write(portable: Uint8Array): Promise<void> {
    if (portable.length === 0) return;
    this.lines += countLines(portable);
    this.bytes += portable.length;
    for (const segment of this.#cutter.push(portable)) await this.#segment(segment);
  }

  async end(): Promise<void> {
    const last = this.bytes > 0 ? this.#cutter.end() : undefined;
    if (last !== undefined) await this.#segment(last);
  }

  async #segment(content: Uint8Array): Promise<void> {
    await this.#changes.write(this.#pathOf(this.#index++), content);
  }
}

function metaOf(workspace: Workspace, view: PushItem["view"], writer: TranscriptWriter): Meta {
  const { local: { path }, meta, completeEnd, project } = view;
  const { machineId } = workspace.config;
  return {
    ...meta,
    ...summaryOf(path, completeEnd, meta),
    project: project ?? meta?.project ?? "",
    createdBy: meta?.createdBy || machineId,
    lastEditedBy: writer.bytes > 0 ? machineId : meta?.lastEditedBy || machineId,
    lines: (meta?.lines ?? 0) + writer.lines,
    bytes: (meta?.bytes ?? 0) + writer.bytes,
  };
}

/** Returns the meta in portable form. What did not change keeps its form: a token unknown here stays a token. */
function portableMeta(workspace: Workspace, meta: Meta, earlier: string | undefined): string {
  const codec = workspace.translator("json");
  const decoder = new TextDecoder();
  const translated: unknown = JSON.parse(
    decoder.decode(toPortable(codec, utf8(JSON.stringify(meta)))),
  );
  const before = earlier === undefined ? undefined : parseMeta(earlier);
  const local = before === undefined ? undefined : workspace.localJson(before);
  const kept = Object.entries(before ?? {}).filter(([key]) => {
    return JSON.stringify(local?.[key]) === JSON.stringify(meta[key]);
  });
  return JSON.stringify({ ...translated as Meta, ...Object.fromEntries(kept) }, null, 2) + "\n";
}
