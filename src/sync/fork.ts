/**
 * Keeps the other continuation of a diverged session: as a session of its own, that is the hub's transcript as
 * it was before the merge with a title behind it. All machines make the same one.
 *
 * The records keep the id of their session: Claude Code goes by the file's name (observed with client 2.1.197),
 * and equal bytes are stored once.
 *
 * @module
 */
import { asMachineId, asSessionId, type Oid, type SessionId } from "../brands.ts";
import type { CommitChanges } from "../hub/commit_writer.ts";
import {
  forkId,
  isForkId,
  type Meta,
  metaPath,
  parseMeta,
  sidecarSegmentPath,
} from "../hub/format.ts";
import { readRange } from "../machine/files.ts";
import type { HubFile } from "../machine/state.ts";
import { Conversation } from "../transcript/conversation.ts";
import {
  asBuffer,
  completeLength,
  countLines,
  equalBytes,
  joinBytes,
  splitLines,
} from "../transcript/lines.ts";
import { reconcile } from "../transcript/reconcile.ts";
import { recordOf, textOf } from "../transcript/records.ts";
import { FORK_KEY } from "../transcript/summary.ts";
import { utf8 } from "../translate/bytes.ts";
import {
  type Comparison,
  HUB_START,
  localForm,
  localised,
  portable,
  positionAfter,
  type TwoSided,
} from "./content.ts";
import { piecesOf } from "./pieces.ts";
import { type LocalDocument, TRANSCRIPT } from "./document.ts";
import type { SessionView } from "./facts.ts";
import { portableMeta } from "./meta.ts";
import { type Beginning, SegmentWriter } from "./segment_writer.ts";
import type { Workspace } from "./workspace.ts";

/** A session that is to keep the hub's continuation of another one. */
export interface Fork {
  readonly id: SessionId;
  readonly title: string;
  /** The line behind the hub's transcript, in local form: its title, and what it was forked of. */
  readonly line: Uint8Array;
}

/** A comparison that a merge can go by. */
export interface Branches {
  /** Its missing lines select, where that is needed, the branch that resuming has to take. */
  readonly comparison: Comparison;
  readonly fork?: Fork;
}

/**
 * Sees to how a transcript is resumed once the missing lines are added to it. Reads both sides as a whole: only
 * where they diverged.
 *
 * @param to End of the local bytes that were compared
 */
export async function reconcileBranches(
  workspace: Workspace,
  view: SessionView,
  document: TwoSided,
  comparison: Comparison,
  to: number,
): Promise<Branches> {
  const { base, codec, hub, local, localState, name } = document;
  const isOneSided = comparison.missing.length === 0 || comparison.beginsWithHub;
  if (name !== TRANSCRIPT || isOneSided) return { comparison };
  const inHub = (segments: readonly Oid[]) =>
    linesOf(localForm(workspace, codec, segments, HUB_START, comparison.profile));
  const [there, here] = [new Conversation(), new Conversation()];
  // What both sides once had and only this one lacks was taken back here: it is no news from the hub.
  const before = localState === "unknown" ? base?.segments ?? [] : [];
  if (await positionAfter(workspace, before, hub.segments) !== undefined) {
    for await (const line of inHub(before)) here.know(line);
  }
  for await (const line of linesOf(piecesOf(local.path, codec, 0, to))) here.add(line);
  for await (const line of inHub(hub.segments)) there.add(line);
  const { missing, other } = reconcile(view.id, there, here, comparison.missing);
  const reconciled = { comparison: { ...comparison, missing } };
  return other === undefined ? reconciled : { ...reconciled, fork: forkOf(workspace, view, other) };
}

async function* linesOf(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield* splitLines(piece);
}

/** So much of a title stays, so that there is room for what is put behind it. */
const TITLE_LENGTH = 120;

/**
 * Returns a fork. Its title is cut in portable form: cut in local form, it would end elsewhere on every machine,
 * and could end inside a path.
 *
 * @param leaf The record that the hub's continuation ends with
 */
function forkOf(workspace: Workspace, view: SessionView, leaf: string): Fork {
  const id = forkId(view.id, leaf);
  const machine = asMachineId(view.meta?.lastEditedBy ?? "") ?? "";
  const [day] = /^\d{4}-\d\d-\d\d/.exec(view.meta?.updatedAt ?? "") ?? [];
  const origin = [
    ...day === undefined ? [] : [` of ${day}`],
    ...machine === "" ? [] : [` from ${machine}`],
  ];
  const meta = view.portableMeta === undefined ? undefined : parseMeta(view.portableMeta);
  const beginning = [...meta?.title || view.id].slice(0, TITLE_LENGTH).join("");
  const title = `${beginning.replace(/\{\{[^{}]*\}?$/, "")} (fork${origin.join("")})`;
  const record = {
    type: "custom-title",
    customTitle: title,
    sessionId: id,
    [FORK_KEY]: view.id,
    machine,
  };
  const line = localised(workspace, "jsonl", utf8(JSON.stringify(record) + "\n"));
  return { id, title: textOf(recordOf(line)?.["customTitle"]), line };
}

/**
 * Writes a fork into the hub, from what the hub has: nothing of it is stored twice. Its sidecars come along, so
 * that rewinding works in it and its sub-agents can be continued.
 */
export async function sendFork(
  workspace: Workspace,
  changes: CommitChanges,
  view: SessionView,
  fork: Fork,
): Promise<void> {
  const { meta, portableMeta: before, transcript: { hub } } = view;
  if (hub === undefined || meta === undefined || workspace.state.catalogueRow(fork.id)) return;
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

/** What the title's line of a fork says, and where it is. */
interface Mark {
  readonly parent: SessionId;
  readonly machine: string;
  readonly from: number;
  readonly to: number;
}

function markOf({ codec, end, id, local }: LocalDocument): Mark | undefined {
  let from = 0;
  for (const piece of piecesOf(local.path, codec, 0, end)) {
    for (const line of splitLines(piece)) {
      const record = isMark(line) ? recordOf(line) : undefined;
      const parent = asSessionId(textOf(record?.[FORK_KEY]));
      // A fork of a fork holds the other's mark, too.
      if (record?.["sessionId"] === id && parent !== undefined) {
        return { parent, machine: textOf(record["machine"]), from, to: from + line.length };
      }
      from += line.length;
    }
  }
  return undefined;
}

/** Whether a line may be the mark of a fork: most lines need not be parsed. */
const isMark = (line: Uint8Array) => asBuffer(line).includes(`"${FORK_KEY}":"`);

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
