/**
 * Keeps the catalogue of the hub's sessions in step with what was fetched, reading only what changed.
 *
 * @module
 */
import type { Oid, SessionId } from "../brands.ts";
import { entryOf, metaPath, parseMeta, sessionPath } from "../hub/format.ts";
import type { Mirror, TreeEntry } from "../hub/mirror.ts";
import type { CatalogueRow, State } from "../machine/state.ts";

/** Something in the hub that is not used, and why. */
export interface HubFault {
  readonly path: string;
  readonly why: string;
}

/** Above so many changed sessions, reading everything is cheaper than naming them. */
const FEW = 400;

/** Brings the catalogue to a state of the hub, and returns what there cannot be used. */
export async function refreshCatalogue(
  mirror: Mirror,
  state: State,
  head: Oid | undefined,
): Promise<HubFault[]> {
  const known = state.fact("hub_head") as Oid | undefined;
  if (head === undefined || head === known) return [];
  const changes = known !== undefined && await mirror.has(known)
    ? await mirror.changes(known, head)
    : undefined;
  const changed = changes === undefined ? undefined : changedSessions(changes);
  const isFull = changed === undefined || changed.size > FEW;
  const entries = isFull
    ? await mirror.entries(head)
    : await entriesOfSessions(mirror, head, changed);
  const faults = (isFull ? entries : changes ?? []).flatMap(faultOf);
  const rows = await rowsOf(mirror, head, entries, faults);
  state.transaction(() => {
    if (isFull) state.clearCatalogue();
    else for (const id of changed) state.removeCatalogueRow(id);
    for (const row of rows) state.setCatalogueRow(row);
    state.setFact("hub_head", head);
  });
  return faults;
}

async function entriesOfSessions(
  mirror: Mirror,
  head: Oid,
  ids: ReadonlySet<SessionId>,
): Promise<TreeEntry[]> {
  return ids.size === 0 ? [] : await mirror.entries(head, [...ids].map(sessionPath));
}

function changedSessions(changes: readonly TreeEntry[]): Set<SessionId> {
  return new Set(changes.flatMap(({ path }) => {
    const entry = entryOf(path);
    return "id" in entry && entry.kind !== "machine" ? [entry.id] : [];
  }));
}

function faultOf({ path, mode, oid }: TreeEntry): HubFault[] {
  if (oid === undefined) return [];
  if (entryOf(path).kind === "foreign") {
    return [{ path, why: "its name is none that ccsync writes" }];
  }
  return isPlain(mode) ? [] : [{ path, why: "it is a link or a submodule" }];
}

const isPlain = (mode: string) => mode === "100644" || mode === "040000";

/** A session's files, as far as they were seen. */
interface Parts {
  tree?: Oid;
  meta?: Oid;
  readonly segments: Map<number, Oid>;
}

async function rowsOf(
  mirror: Mirror,
  head: Oid,
  entries: readonly TreeEntry[],
  faults: HubFault[],
): Promise<CatalogueRow[]> {
  const rows: CatalogueRow[] = [];
  for (const [id, parts] of partsOf(entries)) {
    const row = await rowOf(mirror, head, id, parts);
    if ("why" in row) faults.push(row);
    else rows.push(row);
  }
  return rows;
}

function partsOf(entries: readonly TreeEntry[]): Map<SessionId, Parts> {
  const sessions = new Map<SessionId, Parts>();
  for (const { path, mode, oid } of entries) {
    const entry = entryOf(path);
    if (oid === undefined || !isPlain(mode)) continue;
    if (entry.kind !== "meta" && entry.kind !== "transcript" && entry.kind !== "segment") continue;
    const parts: Parts = sessions.get(entry.id) ?? { segments: new Map() };
    sessions.set(entry.id, parts);
    if (entry.kind === "meta") parts.meta = oid;
    else if (entry.kind === "transcript") parts.tree = oid;
    else parts.segments.set(entry.index, oid);
  }
  return sessions;
}

async function rowOf(
  mirror: Mirror,
  head: Oid,
  id: SessionId,
  parts: Parts,
): Promise<CatalogueRow | HubFault> {
  const path = sessionPath(id);
  const segments = Array.from(
    { length: parts.segments.size },
    (_, i) => parts.segments.get(i),
  ).filter((oid) => oid !== undefined);
  if (parts.tree === undefined || parts.segments.size === 0) {
    return { path, why: "it has no transcript" };
  }
  if (segments.length !== parts.segments.size) return { path, why: "a segment is missing" };
  const meta = parts.meta === undefined ? undefined : await mirror.text(head, metaPath(id));
  if (meta === undefined || parseMeta(meta) === undefined) {
    return { path, why: "its meta.json is missing or broken" };
  }
  return { id, tree: parts.tree, segments, meta };
}
