/**
 * Writes what this machine lacks of one session into the Claude directory.
 *
 * @module
 */
import { hash } from "node:crypto";
import { dirname, join } from "node:path";
import type { LocalPath, PortablePath, SessionId } from "../brands.ts";
import type { KindCodec, SidecarRoot } from "../claude/kinds.ts";
import { FileTrouble, messageOf } from "../errors.ts";
import { survivingTime } from "../claude/retention.ts";
import { isSameStamp, sidecarDirectory, stampOf } from "../claude/scan.ts";
import { parseMeta } from "../hub/format.ts";
import { HeldFile, lstatIfThere, patiently, PendingFile, removeIfThere } from "../machine/files.ts";
import { writeAll } from "../machine/streams.ts";
import type { Content, Effect } from "../machine/journal.ts";
import type { FileStamp, HubFile } from "../machine/state.ts";
import { countLines, joinBytes } from "../transcript/lines.ts";
import { toLocal } from "../translate/to_local.ts";
import { compareFromBase, type Comparison, HUB_START, localForm, portable } from "./content.ts";
import { type Document, TRANSCRIPT } from "./document.ts";
import { isFileTrouble, type SessionView } from "./facts.ts";
import { blockHashes } from "./fingerprint.ts";
import { type Fork, reconcileBranches } from "./branches.ts";
import type { PullAction, SidecarPull } from "./plan.ts";
import { type SessionReport, titleOf } from "./report.ts";
import { sidecarItems } from "./sidecars.ts";
import type { Workspace } from "./workspace.ts";

const NEWLINE = new Uint8Array([0x0a]);

/** A document that is in the hub and has a place here. */
interface Incoming {
  readonly workspace: Workspace;
  readonly view: SessionView;
  readonly document: Document & { readonly hub: HubFile };
  /** Where the file has to be. */
  readonly target: LocalPath;
  /** Sessions that need not be made: they are here. */
  readonly known: ReadonlySet<SessionId>;
}

/** What was done with one document. */
interface Done {
  readonly action: string;
  readonly lines: number;
  readonly bytes: number;
  readonly fork?: SessionId;
}

/** What came of one document; `undefined` where it already was in step. */
type Received = Done | undefined;

/**
 * Brings one session here in step with the hub, and remembers that they agree: sidecars first, so that
 * nobody sees a transcript whose quoted files are missing. Returns `undefined` where it already was.
 *
 * @param known The sessions that are here
 * @param faults Receives why sidecars could not be brought
 * @throws {FileTrouble} The transcript changed meanwhile; it was not written to
 */
export async function receiveSession(
  workspace: Workspace,
  view: SessionView,
  action: PullAction,
  known: ReadonlySet<SessionId>,
  faults: string[],
): Promise<SessionReport | undefined> {
  const { path, transcript: { hub } } = view;
  if (hub === undefined || path === undefined) return undefined;
  let [files, bytes] = [0, 0];
  for (const item of sidecarItems(view, action)) {
    try {
      const target = sidecarPath(workspace, view, path, item.document.name);
      const incoming = { workspace, view, document: item.document, target, known };
      const received = await receive(incoming, item.action);
      if (received !== undefined) files++;
      bytes += received?.bytes ?? 0;
    } catch (error) {
      if (!isFileTrouble(error)) throw error;
      faults.push(messageOf(error));
    }
  }
  if (view.transcript.local !== undefined && view.transcript.local.path !== path) {
    takeAlong(workspace, view, path);
  }
  const document = { ...view.transcript, hub };
  const received = await receive({ workspace, view, document, target: path, known }, action);
  if (received === undefined && files === 0) return undefined;
  return {
    id: view.id,
    title: titleOf(view),
    project: view.project ?? "",
    action: received?.action ?? "files",
    lines: received?.lines ?? 0,
    bytes: bytes + (received?.bytes ?? 0),
    files,
    ...(received?.fork === undefined ? {} : { fork: received.fork }),
  };
}

/** Moves the sidecars that the hub does not have in their state of here, when the session moves. */
function takeAlong(workspace: Workspace, view: SessionView, transcript: LocalPath): void {
  const handled = new Set(sidecarItems(view, "merge").map(({ document }) => document.name));
  for (const document of view.sidecars) {
    const { base, codec, local, name } = document;
    if (local === undefined || handled.has(name)) continue;
    const target = sidecarPath(workspace, view, transcript, name);
    if (target === local.path || lstatIfThere(target) !== undefined) continue;
    const profile = base?.profile ?? view.transcript.base?.profile ?? workspace.profileKey;
    const content = Deno.readFileSync(local.path);
    using pending = new PendingFile(target);
    pending.write(withTodaysPaths({ workspace, view }, codec, content, profile));
    noteReplacement({ workspace, document }, target, { hash: pending.hash, size: pending.size });
    noteReplacement({ workspace, document }, local.path, null);
    pending.place(local.stamp.mtimeMs);
    removeIfThere(local.path);
  }
}

/**
 * Puts older copies of a transcript away that a move which was cut short left in another project's
 * directory. Those with lines that the hub lacks stay.
 */
export async function putAwayCopies(workspace: Workspace, view: SessionView): Promise<void> {
  // What is known of the transcript in use says nothing of its copies, nor with which placeholders they were written.
  const { base: _, hub, local, ...transcript } = view.transcript;
  if (hub === undefined || local === undefined) return;
  for (const copy of view.copies) {
    const info = lstatIfThere(copy.path);
    if (copy.path === view.path || info === undefined) continue;
    const document = { ...transcript, hub, local: copy, localState: "unknown" } as const;
    const { missing } = await compareFromBase(workspace, document, copy.stamp.size);
    if (missing.length > 0 || !isSameStamp(stampOf(info), copy.stamp)) continue;
    noteReplacement({ workspace, document: view.transcript }, copy.path, null);
    removeIfThere(copy.path);
  }
}

function sidecarPath(
  { env }: Workspace,
  view: SessionView,
  transcript: LocalPath,
  name: string,
): LocalPath {
  const slash = name.indexOf("/");
  const root = name.slice(0, slash) as SidecarRoot;
  let path = sidecarDirectory(env.claudeDir, transcript, view.id, root);
  for (const part of name.slice(slash + 1).split("/")) {
    // What the hub names must not lead out of the session's directory through a link.
    if (lstatIfThere(path)?.isSymlink === true) throw new FileTrouble(`"${path}" is a link`);
    path = join(path, part);
  }
  return path as LocalPath;
}

async function receive(incoming: Incoming, action: PullAction | SidecarPull): Promise<Received> {
  switch (action) {
    case "create":
      return await replace(incoming, "create", []);
    case "replace":
      return await replaceIfOther(incoming);
    case "append":
    case "merge":
    case "join":
      return await joinBoth(incoming);
    case "none":
    case "wait":
    case "leave-old":
      return undefined;
  }
}

/** Puts the hub's content in place of the local one unless they are the same. */
async function replaceIfOther(incoming: Incoming): Promise<Received> {
  const { document, target, workspace } = incoming;
  const { local } = document;
  if (local !== undefined && local.path === target) {
    const found = await compareFromBase(
      workspace,
      { ...document, local, localState: "unknown" },
      document.end,
    );
    const isOfToday = found.profile === workspace.profileKey;
    if (isOfToday && found.beginsWithHub && found.isPrefixOfHub) {
      remember(incoming, document.end, target);
      return undefined;
    }
  }
  return await replace(incoming, "replace", []);
}

/** Extends the local file where it is a beginning of the hub's, else writes both continuations anew. */
async function joinBoth(incoming: Incoming): Promise<Received> {
  const { workspace, view, document, target } = incoming;
  const { local } = document;
  if (local === undefined) return undefined;
  const [both, { size }] = [{ ...document, local }, local.stamp];
  const found = await compareFromBase(workspace, both, size);
  const isInPlace = local.path === target && found.profile === workspace.profileKey;
  if (isInPlace && found.beginsWithHub) {
    remember(incoming, found.hubLocalBytes, target);
    return undefined;
  }
  if (isInPlace && found.isPrefixOfHub) return extend(incoming, found);
  const rewrite = local.path === target ? "rewrite" : "move";
  const action = found.missing.length > 0 ? "merge" : rewrite;
  const { comparison, fork } = await reconcileBranches(
    workspace,
    view,
    both,
    found,
    size,
    incoming.known,
  );
  // What a fork in the hub lacks is written there first, by the push that merges.
  if (fork?.kind === "behind") return { action: WAITS, lines: 0, bytes: 0, fork: fork.id };
  // First: a merge without it would hide the hub's continuation for good.
  if (fork !== undefined) await writeFork(incoming, fork);
  const received = await replace(incoming, action, relocalised(incoming, comparison));
  return fork === undefined ? received : { ...received, fork: fork.id };
}

/** What is done with a transcript that is left to the next push. */
export const WAITS = "wait";

/** Writes the hub's continuation as a session of its own, beside the one that is about to be merged. */
async function writeFork(incoming: Incoming, fork: Fork): Promise<void> {
  if (fork.kind !== "new" && fork.kind !== "unsent") return;
  const { id, line } = fork;
  const { workspace } = incoming;
  const target = join(dirname(incoming.target), `${id}.jsonl`) as LocalPath;
  using pending = new PendingFile(target);
  await writeHubContent(incoming, pending);
  pending.write(line);
  const noted = { workspace, document: { id, name: TRANSCRIPT } };
  noteReplacement(noted, target, { hash: pending.hash, size: pending.size });
  requireUntouched(incoming);
  requireAsBefore(target, fork.kind === "unsent" ? fork.stamp : undefined);
  pending.place(restoredTime(incoming));
}

/** Returns the lines that the hub lacks as they read with today's placeholders. */
function relocalised(
  incoming: Incoming,
  { missing, profile }: Comparison,
): readonly Uint8Array[] {
  const { codec } = incoming.document;
  return missing.map((line) => withTodaysPaths(incoming, codec, line, profile));
}

/** Returns content that was written with a profile as it reads with today's placeholders. */
function withTodaysPaths(
  { view, workspace }: Pick<Incoming, "view" | "workspace">,
  codec: KindCodec,
  content: Uint8Array,
  profile: string,
): Uint8Array {
  if (profile === workspace.profileKey || codec === "binary") return content;
  const portableContent = portable(workspace, codec, content, profile, view.project);
  return toLocal(workspace.translator(codec), portableContent);
}

/** Appends what the hub has after the local bytes, which are the beginning of it. */
function extend(incoming: Incoming, { hubRest, hubLocalBytes }: Comparison): Received {
  const { target } = incoming;
  // A delivered transcript always ends in a newline: Claude Code glues its next line onto one that does not.
  const fresh = hubRest.at(-1) === NEWLINE[0] ? hubRest : joinBytes([hubRest, NEWLINE]);
  const from = incoming.document.local?.stamp.size ?? 0;
  incoming.workspace.progress.advance({ bytes: fresh.length });
  const added = { hash: hash("sha256", fresh, "hex"), size: fresh.length };
  note(incoming, target, { kind: "append", from, added });
  requireUntouched(incoming);
  {
    using file = patiently(() => Deno.openSync(target, { append: true }));
    writeAll(file, fresh);
    file.syncSync();
  }
  const report = { action: "append", lines: countLines(hubRest), bytes: hubRest.length };
  // Claude Code added a line at the same moment: what the file is now, the next run finds out.
  if (Deno.lstatSync(target).size !== from + fresh.length) return report;
  const seconds = restoredTime(incoming) / 1000;
  Deno.utimeSync(target, seconds, seconds);
  remember(incoming, hubLocalBytes, target);
  return report;
}

/** Writes the hub's content, then the local lines that it lacks, in place of what is there. */
async function replace(
  incoming: Incoming,
  action: string,
  missing: readonly Uint8Array[],
): Promise<Done> {
  const { workspace, document, target } = incoming;
  const old = document.local?.path;
  // What was not here is in the hub: after a power failure, a file that is not whole is found by its size, and
  // brought again. Waiting for the disk after each would take a third of a first pull.
  const isNew = old === undefined && lstatIfThere(target) === undefined;
  using pending = new PendingFile(target);
  const lines = await writeHubContent(incoming, pending);
  const hubBytes = pending.size;
  for (const line of missing) pending.write(line);
  // A session that moves may meet an older copy of itself.
  noteReplacement(incoming, target, { hash: pending.hash, size: pending.size });
  if (old !== undefined && old !== target) noteReplacement(incoming, old, null);
  // The last thing before: what is backed up is what was merged.
  requireUntouched(incoming);
  // Hashed before anybody else can write to it.
  const blocks = blockHashes(pending.path, hubBytes);
  // Windows replaces no file that is open.
  const isHeld = old !== undefined && workspace.env.os !== "windows";
  using replaced = isHeld ? new HeldFile(old) : undefined;
  pending.place(restoredTime(incoming), !isNew);
  if (old !== undefined && old !== target) removeIfThere(old);
  rescueLate(replaced, document.local?.stamp.size ?? 0, target);
  remember(incoming, hubBytes, target, blocks);
  return { action, lines, bytes: hubBytes };
}

/** Writes the hub's content in local form, and returns how many lines it has. */
async function writeHubContent(
  { document: { codec, hub, merge }, workspace }: Incoming,
  pending: PendingFile,
): Promise<number> {
  let [lines, last] = [0, NEWLINE[0]];
  for await (const piece of localForm(workspace, codec, hub.segments, HUB_START)) {
    pending.write(piece);
    workspace.progress.advance({ bytes: piece.length });
    lines += countLines(piece);
    last = piece.at(-1) ?? last;
  }
  if (merge === "append" && last !== NEWLINE[0]) pending.write(NEWLINE);
  return lines;
}

/** What the journal needs to know of a document that changes. */
interface Noted {
  readonly workspace: Workspace;
  readonly document: Pick<Document, "base" | "id" | "name">;
}

/** Keeps what is at a path, and notes what takes its place. */
function noteReplacement(noted: Noted, path: LocalPath, after: Content | null): void {
  const isThere = lstatIfThere(path) !== undefined;
  const before = isThere ? noted.workspace.journal.keep(path) : null;
  note(noted, path, { kind: "replace", before, after });
}

function note({ document, workspace }: Noted, path: LocalPath, effect: Effect): void {
  const { base = null, id: session, name } = document;
  workspace.journal.record({ path, owner: { session, name, base }, effect });
}

/** Adds what was appended to the old file between the last look at it and its replacement. */
function rescueLate(replaced: HeldFile | undefined, seen: number, target: LocalPath): void {
  const late = replaced?.after(seen) ?? new Uint8Array();
  if (late.length === 0) return;
  using file = Deno.openSync(target, { append: true });
  writeAll(file, late);
  file.syncSync();
}

/** The file must still be what the decision was made for. */
function requireUntouched({ document, target }: Incoming): void {
  requireAsBefore(document.local?.path ?? target, document.local?.stamp);
}

function requireAsBefore(path: LocalPath, before: FileStamp | undefined): void {
  const info = lstatIfThere(path);
  const now = info === undefined ? undefined : stampOf(info);
  if (now?.size === before?.size && now?.mtimeMs === before?.mtimeMs) return;
  throw new FileTrouble(
    "it changed while it was being brought up to date; run again",
  );
}

/** Hashes no more than what follows the part of a file that is still as the base has it. */
function knownBlocks({ base, localState }: Document, path: LocalPath, length: number): string[] {
  const known = localState === "unknown" ? undefined : base;
  return blockHashes(path, length, known?.blocks, known?.localBytes);
}

function remember(
  { document, view, workspace }: Incoming,
  localBytes: number,
  path: LocalPath,
  blocks: readonly string[] = knownBlocks(document, path, localBytes),
): void {
  const meta = view.portableMeta === undefined ? undefined : parseMeta(view.portableMeta);
  workspace.state.setBase({
    id: document.id,
    name: document.name,
    ...document.hub,
    project: (meta?.project ?? "") as PortablePath,
    path,
    localBytes,
    aligned: true,
    blocks,
    stamp: stampOf(Deno.lstatSync(path)),
    profile: workspace.profileKey,
  });
}

/** The time of the last event where that survives Claude Code's clean-up, else now. */
function restoredTime({ view, workspace }: Incoming): number {
  const { env, retentionDays } = workspace;
  return survivingTime(Date.parse(view.meta?.updatedAt ?? ""), env.now(), retentionDays);
}
