/**
 * A document: one file of a session, the transcript or a sidecar, with what is known of it on both sides.
 *
 * @module
 */
import { completeEnd } from "./pieces.ts";
import type { SessionId } from "../brands.ts";
import type { KindCodec } from "../claude/kinds.ts";
import { isSameStamp, type LocalFile } from "../claude/scan.ts";
import { segmentPath, sidecarSegmentPath } from "../hub/format.ts";
import type { Base, HubFile } from "../machine/state.ts";
import { hasPrefix } from "./fingerprint.ts";
import type { HubState, LocalState } from "./plan.ts";

/** The name of the transcript among the documents of a session. */
export const TRANSCRIPT = "";

/** What decides how a document travels. */
export interface DocumentKind {
  readonly codec: KindCodec;
  readonly merge: "append" | "replace";
}

/** One file of a session, on either side or both. */
export interface Document extends DocumentKind {
  readonly id: SessionId;
  /** {@linkcode TRANSCRIPT}, or the sidecar's name in the hub. */
  readonly name: string;
  readonly local?: LocalFile;
  readonly hub?: HubFile;
  readonly base?: Base;
  readonly localState: LocalState;
  readonly hubState: HubState;
  /** End of the local content that can travel: complete lines of what is appended to, else all. */
  readonly end: number;
}

/** A document that is on this machine. */
export type LocalDocument = Document & { readonly local: LocalFile };

/** Returns where a segment of a document is in the hub. */
export function documentSegmentPath(
  { id, name }: Pick<Document, "id" | "name">,
  index: number,
): string {
  return name === TRANSCRIPT ? segmentPath(id, index) : sidecarSegmentPath(id, name, index);
}

/**
 * Finds out how a document stands on both sides against the base.
 *
 * @param turn Which blocks of a long file are looked at; see {@linkcode hasPrefix}
 */
export function examine(
  id: SessionId,
  name: string,
  kind: DocumentKind,
  sides: { readonly local?: LocalFile; readonly hub?: HubFile; readonly base?: Base },
  turn: number,
): Document {
  const { base, hub, local } = sides;
  const { state, end } = local === undefined ? ABSENT : contentOf(local, base, kind, turn);
  const hubState = hub === undefined ? "absent" : hub.tree === base?.tree ? "unchanged" : "changed";
  return {
    id,
    name,
    codec: kind.codec,
    merge: kind.merge,
    ...sides,
    localState: state,
    hubState,
    end,
  };
}

const ABSENT = { state: "absent", end: 0 } as const;

interface Content {
  readonly state: LocalState;
  readonly end: number;
}

function contentOf(
  { path, stamp }: LocalFile,
  base: Base | undefined,
  { merge }: DocumentKind,
  turn: number,
): Content {
  if (merge === "replace") {
    const isSame = base !== undefined &&
      (isSameFile({ path, stamp }, base) ||
        (stamp.size === base.localBytes && hasPrefix(path, stamp.size, base.blocks, "all")));
    return { state: isSame ? "unchanged" : "unknown", end: stamp.size };
  }
  const isKnown = base !== undefined &&
    (isSameFile({ path, stamp }, base) || hasPrefix(path, base.localBytes, base.blocks, turn));
  if (!isKnown) return { state: "unknown", end: completeEnd(path, 0, stamp.size) };
  const end = completeEnd(path, base.localBytes, stamp.size);
  return { state: end === base.localBytes ? "unchanged" : "grown", end };
}

/** An equal stamp is taken for an equal file, as git does; an unequal one proves nothing. */
export function isSameFile({ path, stamp }: LocalFile, base: Base): boolean {
  return path === base.path && isSameStamp(stamp, base.stamp);
}
