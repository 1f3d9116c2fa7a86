/**
 * Keeps the catalogue of the hub's sessions in step with what was fetched, reading only what changed.
 *
 * @module
 */
import type { Oid, PortablePath, SessionId } from "../brands.ts";
import { FileTrouble } from "../errors.ts";
import {
  entryOf,
  metaPath,
  parseMeta,
  segmentPath,
  sessionPath,
  sidecarSegmentPath,
} from "../hub/format.ts";
import type { Mirror, TreeEntry } from "../hub/mirror.ts";
import { nameFault, sidecarKind } from "../claude/kinds.ts";
import type { CatalogueRow, HubFile, State } from "../machine/state.ts";

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
  if (head === known) return [];
  if (head === undefined) {
    state.transaction(() => {
      state.clearCatalogue();
      state.forgetFact("hub_head");
    });
    return [];
  }
  const changes = known !== undefined && await mirror.has(known)
    ? await mirror.changes(known, head)
    : undefined;
  const changed = changes === undefined ? undefined : changedSessions(changes);
  const isFull = changed === undefined || changed.size > FEW;
  const entries = isFull
    ? await mirror.entries(head)
    : await entriesOfSessions(mirror, state, head, changed, changes ?? []);
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

/** Returns all entries of these sessions; git is asked only where what is known and the changes do not tell. */
async function entriesOfSessions(
  mirror: Mirror,
  state: State,
  head: Oid,
  ids: ReadonlySet<SessionId>,
  changes: readonly TreeEntry[],
): Promise<TreeEntry[]> {
  const bySession = Map.groupBy(changes, ({ path }) => {
    const entry = entryOf(path);
    return "id" in entry ? entry.id : undefined;
  });
  const entries: TreeEntry[] = [];
  const unknown: SessionId[] = [];
  for (const id of ids) {
    const row = state.catalogueRow(id);
    const known = row === undefined ? undefined : changedEntries(row, bySession.get(id) ?? []);
    if (known === undefined) unknown.push(id);
    else entries.push(...known);
  }
  if (unknown.length === 0) return entries;
  return [...entries, ...await mirror.entries(head, unknown.map(sessionPath))];
}

/**
 * Returns the entries of a session after changes of its meta and its transcript, as every push makes them;
 * `undefined` where others changed: of the sidecars, only those are known that can be used.
 */
function changedEntries(
  { files, id, transcript }: CatalogueRow,
  changes: readonly TreeEntry[],
): TreeEntry[] | undefined {
  const kinds = new Set(changes.map(({ path }) => entryOf(path).kind));
  const isOrdinary = [...kinds].every((kind) => ORDINARY.has(kind)) && kinds.has("meta");
  if (!isOrdinary) return undefined;
  const session = sessionPath(id);
  const known = [
    { path: `${session}/transcript`, mode: DIRECTORY, oid: transcript.tree },
    ...transcript.segments.map((oid, i) => ({ path: segmentPath(id, i), mode: FILE, oid })),
    ...[...files].flatMap(([name, { segments, tree }]) => [
      { path: `${session}/files/${name}`, mode: DIRECTORY, oid: tree },
      ...segments.map((oid, i) => ({ path: sidecarSegmentPath(id, name, i), mode: FILE, oid })),
    ]),
  ];
  return [...new Map([...known, ...changes].map((entry) => [entry.path, entry])).values()];
}

const ORDINARY: ReadonlySet<string> = new Set(["meta", "transcript", "segment"]);

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

const FILE = "100644";
const DIRECTORY = "040000";
const isPlain = (mode: string) => mode === FILE || mode === DIRECTORY;

/** A document's tree and segments, as far as they were seen. */
interface DocumentParts {
  tree?: Oid;
  readonly segments: Map<number, Oid>;
}

/** A session's files, as far as they were seen. */
interface Parts {
  meta?: Oid;
  readonly transcript: DocumentParts;
  readonly files: Map<string, DocumentParts>;
}

async function rowsOf(
  mirror: Mirror,
  head: Oid,
  entries: readonly TreeEntry[],
  faults: HubFault[],
): Promise<CatalogueRow[]> {
  const rows: CatalogueRow[] = [];
  for (const [id, parts] of partsOf(entries)) {
    const row = await rowOf(mirror, head, id, parts, faults);
    if ("why" in row) faults.push(row);
    else rows.push(row);
  }
  return rows;
}

function partsOf(entries: readonly TreeEntry[]): Map<SessionId, Parts> {
  const sessions = new Map<SessionId, Parts>();
  for (const { path, mode, oid } of entries) {
    const entry = entryOf(path);
    if (oid === undefined || !isPlain(mode) || !("id" in entry) || entry.kind === "machine") {
      continue;
    }
    const parts: Parts = sessions.get(entry.id) ??
      { transcript: { segments: new Map() }, files: new Map() };
    sessions.set(entry.id, parts);
    if (entry.kind === "meta") parts.meta = oid;
    else if (entry.kind === "transcript") parts.transcript.tree = oid;
    else if (entry.kind === "segment") parts.transcript.segments.set(entry.index, oid);
    else {
      const file: DocumentParts = parts.files.get(entry.name) ?? { segments: new Map() };
      parts.files.set(entry.name, file);
      if (entry.kind === "sidecar") file.tree = oid;
      else file.segments.set(entry.index, oid);
    }
  }
  return sessions;
}

async function rowOf(
  mirror: Mirror,
  head: Oid,
  id: SessionId,
  parts: Parts,
  faults: HubFault[],
): Promise<CatalogueRow | HubFault> {
  const path = sessionPath(id);
  const transcript = hubFile(parts.transcript);
  if (parts.transcript.segments.size === 0) return { path, why: "it has no transcript" };
  if (transcript === undefined) return { path, why: "a segment is missing" };
  const meta = parts.meta === undefined ? undefined : await metaOf(mirror, head, id);
  const parsed = meta === undefined ? undefined : parseMeta(meta);
  if (meta === undefined || parsed === undefined) {
    return { path, why: "its meta.json is missing or broken" };
  }
  const { slug, updatedAt } = parsed;
  const project = parsed.project as PortablePath;
  const files = filesOf(path, parts, faults);
  return { id, transcript, files, meta, project, slug, updatedAt };
}

async function metaOf(mirror: Mirror, head: Oid, id: SessionId): Promise<string | undefined> {
  try {
    return await mirror.text(head, metaPath(id));
  } catch (error) {
    // One of megabytes is none.
    if (error instanceof FileTrouble) return undefined;
    throw error;
  }
}

function hubFile({ tree, segments }: DocumentParts): HubFile | undefined {
  const all = Array.from({ length: segments.size }, (_, i) => segments.get(i));
  const known = all.filter((oid) => oid !== undefined);
  if (tree === undefined || known.length === 0 || known.length !== all.length) return undefined;
  return { tree, segments: known };
}

function filesOf(session: string, { files }: Parts, faults: HubFault[]): Map<string, HubFile> {
  const usable = new Map<string, HubFile>();
  const seen = new Set<string>();
  for (const [name, parts] of files) {
    // A directory on the way to a sidecar.
    if (parts.segments.size === 0) continue;
    const path = `${session}/files/${name}`;
    const file = hubFile(parts);
    const fault = file === undefined ? "a segment is missing" : sidecarFault(name, seen);
    if (file !== undefined && fault === undefined) usable.set(name, file);
    else faults.push({ path, why: fault ?? "" });
  }
  return usable;
}

function sidecarFault(name: string, seen: Set<string>): string | undefined {
  const folded = name.toLowerCase();
  if (seen.has(folded)) return "its name differs from another one only in case";
  seen.add(folded);
  const fault = nameFault(name);
  if (fault !== undefined) return fault;
  return sidecarKind(name) === undefined ? "this version knows no such kind of file" : undefined;
}
