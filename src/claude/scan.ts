/**
 * Finds the transcripts in Claude Code's directory, and the project each belongs to.
 *
 * @module
 */
import { basename, dirname, join, sep } from "node:path";
import { asSessionId, type LocalPath, type SessionId } from "../brands.ts";
import {
  clearAllLeftovers,
  entriesOf,
  lstatIfThere,
  readRange,
  tidyEntriesOf,
  unsortedEntriesOf,
  unsortedTidyEntriesOf,
} from "../machine/files.ts";
import type { FileStamp } from "../machine/state.ts";
import { splitLines } from "../transcript/lines.ts";
import { normalCwd, projectDirName } from "../translate/project_dir.ts";
import { nameFault, SIDECAR_KINDS, sidecarKind, type SidecarRoot } from "./kinds.ts";
import { projectsDir } from "./layout.ts";

/** A file on this machine. */
export interface LocalFile {
  readonly path: LocalPath;
  readonly stamp: FileStamp;
}

/** A transcript on this machine. */
export interface LocalTranscript extends LocalFile {
  readonly id: SessionId;
}

/** A file on this machine that belongs to a session, besides the transcript. */
export interface LocalSidecar extends LocalFile {
  /** Its name in the hub. */
  readonly name: string;
}

/** Something that cannot be used, and why. */
export interface Skipped {
  readonly what: string;
  readonly why: string;
}

/** What {@linkcode scanTranscripts} found. */
export interface Scan {
  readonly transcripts: ReadonlyMap<SessionId, LocalTranscript>;
  /** Further transcripts of the same sessions in other projects' directories, older ones. */
  readonly copies: readonly LocalTranscript[];
  /** Directories that could not be read, that of all projects or one of theirs: what is there is not known. */
  readonly unreadable: ReadonlySet<string>;
  readonly skipped: readonly Skipped[];
  /** What the directories hold that were looked into. */
  readonly names: Names;
}

/**
 * Finds every transcript, in no order: files named by a UUID directly in a project's directory. Links are refused.
 *
 * @param isAlone Whether no other ccsync is at work: what is being written is then left over, and cleared away
 */
export function scanTranscripts(claudeDir: LocalPath, isAlone = false): Scan {
  const steps = scanInSteps(claudeDir, isAlone);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** Does the same one project at a time, so that other work can go on in between. */
export function* scanInSteps(
  claudeDir: LocalPath,
  isAlone: boolean,
): Generator<undefined, Scan> {
  const transcripts = new Map<SessionId, LocalTranscript>();
  const copies: LocalTranscript[] = [];
  const unreadable = new Set<string>();
  const skipped: Skipped[] = [];
  const names = new Names();
  const [list, read] = isAlone
    ? [tidyEntriesOf, unsortedTidyEntriesOf]
    : [entriesOf, unsortedEntriesOf];
  const projects = entriesOrSkip(projectsDir(claudeDir), skipped, list);
  if (projects === undefined) unreadable.add(projectsDir(claudeDir));
  for (const project of projects ?? []) {
    yield;
    const directory = join(projectsDir(claudeDir), project.name);
    if (project.isSymlink) skipped.push({ what: directory, why: "it is a link" });
    if (!project.isDirectory) continue;
    const entries = entriesOrSkip(directory, skipped, read);
    // Beside transcripts lie directories of sessions.
    const beside = entries?.filter(({ isFile }) => !isFile) ?? [];
    if (entries === undefined) unreadable.add(directory);
    else names.note(directory, beside);
    for (const entry of entries ?? []) {
      const id = entry.name.endsWith(".jsonl") ? asSessionId(entry.name.slice(0, -6)) : undefined;
      if (id === undefined) continue;
      // Not `join()`: this is done for every session.
      const path = `${directory}${sep}${entry.name}` as LocalPath;
      const info = entry.isFile ? lstatIfThere(path) : undefined;
      if (info?.isFile !== true) {
        skipped.push({ what: path, why: "it is not a regular file" });
        continue;
      }
      const found = { id, path, stamp: stampOf(info) };
      const other = transcripts.get(id);
      // A session has one transcript; a copy in another project is older than the one in use.
      const isInUse = other === undefined || other.stamp.mtimeMs < found.stamp.mtimeMs;
      if (isInUse) transcripts.set(id, found);
      if (other !== undefined) {
        copies.push(isInUse ? other : found);
        skipped.push(duplicate(found, other));
      }
    }
    if (isAlone) clearOrphans(`${directory}${sep}`, beside, transcripts);
  }
  skipped.sort((a, b) => (a.what < b.what ? -1 : 1));
  return { transcripts, copies, unreadable, skipped, names };
}

/**
 * Clears away what is left over in directories of sessions whose transcript is not beside them: a pull that was killed
 * had not come to it yet, and once the session has moved nobody looks there any more.
 */
function clearOrphans(
  directory: string,
  entries: readonly Deno.DirEntry[],
  transcripts: Scan["transcripts"],
): void {
  for (const { isDirectory, name } of entries) {
    const id = isDirectory ? asSessionId(name) : undefined;
    const isOrphan = id !== undefined && transcripts.get(id)?.path.startsWith(directory) !== true;
    if (isOrphan) clearAllLeftovers(directory + name);
  }
}

/**
 * Finds the files that belong to a session besides its transcript. Links, and names that not every system
 * allows, are refused.
 *
 * @param transcript Where the transcript is or would be: the session's own directory lies beside it
 * @param slug The name of the session's plan, empty where it has none
 * @param names What the directories hold that all sessions share, read once for all of them
 */
export function scanSidecars(
  claudeDir: LocalPath,
  transcript: LocalPath,
  id: SessionId,
  slug: string | undefined,
  skipped: Skipped[],
  names: Names = new Names(),
): LocalSidecar[] {
  const found: LocalSidecar[] = [];
  const plan = planOf(slug);
  for (const root of SIDECAR_ROOTS) {
    if (!names.hasSidecars(claudeDir, transcript, id, root)) continue;
    if (root === "plans" && plan === undefined) continue;
    const directory = sidecarDirectory(claudeDir, transcript, id, root);
    if (lstatIfThere(directory)?.isSymlink === true) {
      skipped.push({ what: directory, why: "it is a link" });
    } else if (root === "plans") {
      addSidecar(join(directory, `${plan}.md`), `plans/${plan}.md`, found, skipped);
    } else walk(directory, root, found, skipped);
  }
  return found;
}

/** Returns the name of a session's plan, where it has one that can be a file's. */
function planOf(slug: string | undefined): string | undefined {
  if (slug === undefined || slug === "" || slug.includes("/")) return undefined;
  return nameFault(slug) === undefined ? slug : undefined;
}

/** The names in directories, each read once: asking for thousands of files that are not there is slow. */
export class Names {
  readonly #inDirectory = new Map<string, ReadonlySet<string>>();

  #owners: ReadonlySet<string> | "unknown" | undefined;

  /** Where the sidecars under a root lie, as long as all sessions' do in one directory. */
  readonly #parents = new Map<SidecarRoot, string>();

  /** Returns whether there are sidecars of a session under a root, or could be. */
  hasSidecars(
    claudeDir: LocalPath,
    transcript: LocalPath,
    id: SessionId,
    root: SidecarRoot,
  ): boolean {
    if (root === "session") return this.has(directoryOf(transcript), id);
    let parent = this.#parents.get(root);
    if (parent === undefined) {
      parent = dirname(sidecarDirectory(claudeDir, transcript, id, root));
      this.#parents.set(root, parent);
    }
    return this.has(parent, root === "plans" ? root : id);
  }

  /**
   * Returns whether there are sidecars of a session, or could be, anywhere: asked for all sessions that a scan has
   * found, once it has noted what lies beside them.
   */
  mayHaveSidecars(claudeDir: LocalPath, id: SessionId, slug: string): boolean {
    if (planOf(slug) !== undefined) return true;
    this.#owners ??= this.#ownersIn(claudeDir);
    return this.#owners === "unknown" || this.#owners.has(id);
  }

  /** Returns all names that stand for sessions where sidecars lie. */
  #ownersIn(claudeDir: LocalPath): ReadonlySet<string> | "unknown" {
    const owners = new Set<string>();
    for (const root of SIDECAR_ROOTS) {
      if (root === "session" || root === "plans") continue;
      const parent = join(claudeDir, root);
      // Nothing is called so: it can only be said of a directory that cannot be read.
      if (this.has(parent, "")) return "unknown";
    }
    for (const names of this.#inDirectory.values()) {
      for (const name of names) owners.add(name);
    }
    return owners;
  }

  /** Returns whether a name is in a directory, or could be: the directory may be one that cannot be read. */
  has(directory: string, name: string): boolean {
    let names = this.#inDirectory.get(directory);
    if (names === undefined) {
      try {
        names = this.note(directory, entriesOf(directory));
      } catch (error) {
        // Who looks at the path itself says so.
        if (error instanceof Deno.errors.PermissionDenied) return true;
        throw error;
      }
    }
    return names.has(name);
  }

  /** Takes down what a directory holds. */
  note(directory: string, entries: readonly Deno.DirEntry[]): ReadonlySet<string> {
    const names = new Set(entries.map(({ name }) => name));
    this.#inDirectory.set(directory, names);
    return names;
  }
}

/** Returns the directory of a transcript. `dirname()` takes a while, and transcripts are many. */
function directoryOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")));
}

/** Returns where the sidecars under a root lie. */
export function sidecarDirectory(
  claudeDir: LocalPath,
  transcript: LocalPath,
  id: SessionId,
  root: SidecarRoot,
): string {
  if (root === "session") return join(dirname(transcript), id);
  return root === "plans" ? join(claudeDir, "plans") : join(claudeDir, root, id);
}

const SIDECAR_ROOTS: readonly SidecarRoot[] = [
  ...new Set(SIDECAR_KINDS.map(({ root }) => root)),
];

function walk(directory: string, name: string, found: LocalSidecar[], skipped: Skipped[]): void {
  for (const entry of entriesOrSkip(directory, skipped) ?? []) {
    const path = join(directory, entry.name);
    if (entry.isDirectory) walk(path, `${name}/${entry.name}`, found, skipped);
    else addSidecar(path, `${name}/${entry.name}`, found, skipped);
  }
}

function addSidecar(path: string, name: string, found: LocalSidecar[], skipped: Skipped[]): void {
  // Locks and marks of Claude Code itself.
  if (sidecarKind(name) === undefined) return;
  const info = lstatIfThere(path);
  if (info === undefined) return;
  const fault = info.isFile ? nameFault(name) : "it is not a regular file";
  if (fault === undefined) found.push({ name, path: path as LocalPath, stamp: stampOf(info) });
  else skipped.push({ what: path, why: fault });
}

/** Returns a directory's entries, `undefined` where it cannot be read, and tells of that. */
function entriesOrSkip(
  directory: string,
  skipped: Skipped[],
  read = tidyEntriesOf,
): Deno.DirEntry[] | undefined {
  try {
    return read(directory);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    skipped.push({ what: directory, why: "it cannot be read: permission denied" });
    return undefined;
  }
}

function duplicate(a: LocalTranscript, b: LocalTranscript): Skipped {
  const older = a.stamp.mtimeMs > b.stamp.mtimeMs ? b : a;
  return { what: older.path, why: "the same session lies in another project's directory, newer" };
}

/** Returns whether two stamps are of the same state of a file. */
export function isSameStamp(a: FileStamp, b: FileStamp): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ino === b.ino;
}

/** Returns the stamp of a file. */
export function stampOf(info: Deno.FileInfo): FileStamp {
  return { size: info.size, mtimeMs: info.mtime?.getTime() ?? 0, ino: Number(info.ino ?? 0) };
}

/** Bytes at each end of a transcript that are searched for the working directory. */
const SEARCHED = 256 * 1024;

/**
 * Returns a transcript's project: the working directory whose name its directory bears, else the first one
 * recorded, else `undefined`. The records decide because the name cannot be decoded.
 */
export function readProject(
  transcript: LocalTranscript,
  os: typeof Deno.build.os,
): LocalPath | undefined {
  const name = basename(dirname(transcript.path));
  const { size } = transcript.stamp;
  const head = readRange(transcript.path, 0, Math.min(size, SEARCHED));
  const fits = (cwd: string) => projectDirName(normalCwd(os, cwd)) === name;
  let first: string | undefined;
  // Mostly the first one fits, and the records behind it need not be read.
  for (const cwd of recordedDirectories(head)) {
    if (fits(cwd)) return cwd as LocalPath;
    first ??= cwd;
  }
  if (size <= SEARCHED) return first as LocalPath | undefined;
  const inTail = [...recordedDirectories(readRange(transcript.path, size - SEARCHED, size))];
  return (inTail.findLast(fits) ?? first ?? inTail[0]) as LocalPath | undefined;
}

/** Yields the `cwd` and `relocatedCwd` fields of the records, in order. */
function* recordedDirectories(bytes: Uint8Array): Generator<string> {
  const decoder = new TextDecoder();
  for (const line of splitLines(bytes)) {
    const text = decoder.decode(line);
    for (const field of FIELDS) yield* fieldOf(text, field);
  }
}

const FIELDS = ["relocatedCwd", "cwd"] as const;

function fieldOf(line: string, field: string): string[] {
  if (!line.includes(`"${field}":`)) return [];
  try {
    const record: unknown = JSON.parse(line);
    if (typeof record !== "object" || record === null) return [];
    const value: unknown = Object.entries(record).find(([key]) => key === field)?.[1];
    return typeof value === "string" && value !== "" ? [value] : [];
  } catch {
    // A torn or garbage line names no directory.
    return [];
  }
}
