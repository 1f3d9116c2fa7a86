/**
 * Reads documents from both sides in bounded pieces, and compares them.
 *
 * @module
 */
import type { LocalPath, Oid } from "../brands.ts";
import type { KindCodec } from "../claude/kinds.ts";
import type { LocalFile } from "../claude/scan.ts";
import { readRange } from "../machine/files.ts";
import type { HubFile } from "../machine/state.ts";
import { completeLength, equalBytes, joinBytes, splitLines } from "../transcript/lines.ts";
import { linesMissingFrom } from "../transcript/merge.ts";
import { toLocal } from "../translate/to_local.ts";
import { toPortable } from "../translate/to_portable.ts";
import type { Document } from "./document.ts";
import { earlierProfiles } from "./registration.ts";
import type { Workspace } from "./workspace.ts";

/** Where a hub's document goes on after what a machine already has of it. */
export interface HubPosition {
  /** The segment that holds the next byte. */
  readonly segment: number;
  /** Bytes of that segment that are known already. */
  readonly skip: number;
}

/** The beginning of a document. */
export const HUB_START: HubPosition = { segment: 0, skip: 0 };

/**
 * Returns where a hub's document goes on after an earlier state of it, or `undefined` where it is no
 * continuation of that state: somebody rewrote it.
 */
export async function positionAfter(
  workspace: Workspace,
  earlier: readonly Oid[],
  current: readonly Oid[],
): Promise<HubPosition | undefined> {
  const last = earlier.length - 1;
  if (last < 0) return HUB_START;
  if (current.length < earlier.length) return undefined;
  if (earlier.slice(0, last).some((oid, i) => oid !== current[i])) return undefined;
  const [before, now] = [earlier[last], current[last]];
  if (before === undefined || now === undefined) return undefined;
  const object = await workspace.mirror.objects.read(before);
  // A state of another hub, or of a history that somebody took back.
  if (object === undefined) return undefined;
  const known = object.bytes;
  if (before === now) return { segment: last, skip: known.length };
  const grown = await workspace.mirror.objects.blob(now);
  const isGrown = equalBytes(grown.subarray(0, known.length), known);
  return isGrown ? { segment: last, skip: known.length } : undefined;
}

/**
 * Yields the local form of a hub's document from a position on, one segment at a time. Only whole lines
 * are translated: a line that was cut by the limit of a segment is joined first.
 *
 * @param profileKey The profile to write it with, where it is not today's
 */
export async function* localForm(
  workspace: Workspace,
  codec: KindCodec,
  segments: readonly Oid[],
  from: HubPosition,
  profileKey?: string,
): AsyncGenerator<Uint8Array> {
  for await (const piece of portablePieces(workspace, codec, segments, from)) {
    yield localised(workspace, codec, piece, profileKey);
  }
}

/** Yields a hub's document from a position on as it is there, about one segment at a time, in whole lines. */
export async function* portablePieces(
  workspace: Workspace,
  codec: KindCodec,
  segments: readonly Oid[],
  from: HubPosition,
): AsyncGenerator<Uint8Array> {
  let carry: Uint8Array = new Uint8Array();
  for (let i = from.segment; i < segments.length; i++) {
    const oid = segments[i];
    if (oid === undefined) continue;
    const blob = await workspace.mirror.objects.blob(oid);
    const fresh = i === from.segment ? blob.subarray(from.skip) : blob;
    const bytes = carry.length === 0 ? fresh : joinBytes([carry, fresh]);
    const isWhole = i === segments.length - 1 || codec === "binary";
    const complete = isWhole ? bytes.length : completeLength(bytes);
    carry = bytes.subarray(complete);
    if (complete > 0) yield bytes.subarray(0, complete);
  }
}

/** Returns content of the hub in local form, written with today's placeholders or an earlier profile's. */
export function localised(
  workspace: Workspace,
  codec: KindCodec,
  bytes: Uint8Array,
  profileKey?: string,
): Uint8Array {
  return codec === "binary" ? bytes : toLocal(workspace.translator(codec, profileKey), bytes);
}

/**
 * Returns content of this machine in portable form, read with today's placeholders or an earlier profile's.
 *
 * @param project The project of the session that the content belongs to
 */
export function portable(
  workspace: Workspace,
  codec: KindCodec,
  bytes: Uint8Array,
  profileKey?: string,
  project?: LocalPath,
): Uint8Array {
  if (codec === "binary") return bytes;
  return toPortable(workspace.translator(codec, profileKey, project), bytes);
}

/** A document that both sides have. */
export type TwoSided = Document & { readonly local: LocalFile; readonly hub: HubFile };

/** What a comparison of a local document with the hub's found. */
export interface Comparison {
  /** Local lines that the hub lacks, in order, each with its newline. */
  readonly missing: readonly Uint8Array[];
  /** Length of the hub's document in local form. */
  readonly hubLocalBytes: number;
  /** Where the hub's document begins with the whole local file: what it has after that. */
  readonly hubRest: Uint8Array;
  /** Whether the local file begins with the whole hub document. */
  readonly beginsWithHub: boolean;
  /** Whether the hub's document begins with the whole local file, a torn last line included. */
  readonly isPrefixOfHub: boolean;
  /** Key of the profile with which the local file was written. */
  readonly profile: string;
}

/**
 * Compares the two sides of a document: from the base on where there is one to rely on, else from the
 * beginning.
 *
 * @param to End of the local bytes to compare
 */
export async function compareFromBase(
  workspace: Workspace,
  document: TwoSided,
  to: number,
): Promise<Comparison> {
  const { base, hub, localState } = document;
  const position = base === undefined || localState === "unknown"
    ? undefined
    : await positionAfter(workspace, base.segments, hub.segments);
  if (base === undefined || position === undefined) {
    return await compareWhole(workspace, document, to);
  }
  const stretch = { from: base.localBytes, to, position };
  const found = await compare(workspace, document, stretch, base.profile);
  // What follows a beginning that is not the hub's is no continuation of the hub's.
  return base.aligned ? found : { ...found, beginsWithHub: false, isPrefixOfHub: false };
}

/**
 * Compares a local document with all of the hub's. Placeholders may have moved since it was written: those
 * count with which it has most in common with the hub.
 */
async function compareWhole(
  workspace: Workspace,
  document: TwoSided,
  to: number,
): Promise<Comparison> {
  const stretch = { from: 0, to, position: HUB_START };
  const { base, codec } = document;
  let best = await compare(workspace, document, stretch, base?.profile ?? workspace.profileKey);
  if (best.missing.length === 0 || codec === "binary") return best;
  const others = base === undefined ? await earlierProfiles(workspace) : [workspace.profileKey];
  for (const profile of others) {
    if (profile === best.profile) continue;
    const found = await compare(workspace, document, stretch, profile);
    if (found.missing.length < best.missing.length) best = found;
  }
  return best;
}

/** A stretch of a local file, and where the same begins in the hub. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly position: HubPosition;
}

/**
 * Compares a stretch of a local document with the hub's. The equal beginning is streamed; only what
 * follows the first difference is held in memory.
 */
async function compare(
  workspace: Workspace,
  { codec, hub: { segments }, local: { path } }: TwoSided,
  { from, position, to }: Stretch,
  profile: string,
): Promise<Comparison> {
  let at = from;
  let hubBytes = from;
  const rest: Uint8Array[] = [];
  for await (const piece of localForm(workspace, codec, segments, position, profile)) {
    hubBytes += piece.length;
    const isEqual = rest.length === 0 && at + piece.length <= to &&
      equalBytes(readRange(path, at, at + piece.length), piece);
    if (isEqual) at += piece.length;
    else rest.push(piece);
  }
  const local = readRange(path, at, to);
  const hub = joinBytes(rest);
  const isPrefixOfHub = equalBytes(hub.subarray(0, local.length), local);
  return {
    // A last line that is torn may be one that an earlier pull did not get to the end of.
    missing: isPrefixOfHub ? [] : linesMissingFrom(...afterCommonLines(hub, local)),
    hubLocalBytes: hubBytes,
    hubRest: hub.subarray(local.length),
    beginsWithHub: equalBytes(local.subarray(0, hub.length), hub),
    isPrefixOfHub,
    profile,
  };
}

function afterCommonLines(hub: Uint8Array, local: Uint8Array): [Uint8Array[], Uint8Array[]] {
  const [hubLines, localLines] = [splitLines(hub), splitLines(local)];
  let common = 0;
  while (
    common < hubLines.length && common < localLines.length &&
    equalBytes(hubLines[common] ?? EMPTY, localLines[common] ?? EMPTY)
  ) common++;
  return [hubLines.slice(common), localLines.slice(common).map(withNewline)];
}

const EMPTY = new Uint8Array();
const NEWLINE = 0x0a;

/** A torn line that has to be followed by others becomes a line of its own: nothing may be glued onto it. */
function withNewline(line: Uint8Array): Uint8Array {
  return line.at(-1) === NEWLINE ? line : joinBytes([line, new Uint8Array([NEWLINE])]);
}
