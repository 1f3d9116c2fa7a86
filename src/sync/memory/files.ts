/**
 * The local files of a set of shared texts.
 *
 * @module
 */
import { hash } from "node:crypto";
import { dirname, join } from "node:path";
import type { LocalPath } from "../../brands.ts";
import { nameFault } from "../../claude/kinds.ts";
import { isSameStamp, type LocalFile, type Skipped, stampOf } from "../../claude/scan.ts";
import { FileTrouble } from "../../errors.ts";
import { GLOBAL_FILE } from "../../hub/format.ts";
import { lstatIfThere, tidyEntriesOf } from "../../machine/files.ts";
import { readFully } from "../../machine/streams.ts";
import type { FileStamp } from "../../machine/state.ts";

/** Larger files are left alone: no host takes them. */
export const LARGEST_TEXT = 32 * 1024 * 1024;
export const TOO_LARGE = "it is larger than 32 MiB";

/** What a scan of a set's folder found. */
export interface Folder {
  /** By path in the set, with slashes. */
  readonly files: ReadonlyMap<string, LocalFile>;
  /** What is there but cannot be used, with all under it: it is neither read, nor written, nor taken for deleted. */
  readonly blocked: readonly string[];
  /** Tells the folder from another one that was made in its place; empty where there is none. */
  readonly identity: string;
}

/** Scans the memory of a project. */
export function scanMemory(directory: LocalPath, skipped: Skipped[]): Folder {
  try {
    return scanned(directory, skipped);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    skipped.push({ what: directory, why: UNREADABLE });
    return { files: new Map(), blocked: [""], identity: "" };
  }
}

function scanned(directory: LocalPath, skipped: Skipped[]): Folder {
  for (const path of [dirname(directory), directory]) {
    const info = lstatIfThere(path);
    if (info === undefined) return { files: new Map(), blocked: [], identity: "" };
    if (!info.isDirectory) {
      skipped.push({ what: path, why: info.isSymlink ? LINK : "it is no directory" });
      return { files: new Map(), blocked: [""], identity: "" };
    }
  }
  const found = { files: new Map<string, LocalFile>(), blocked: new Array<string>() };
  walk(directory, "", found, skipped);
  return { ...found, identity: identityOf(directory) };
}

/** Scans Claude Code's directory for the user's global instructions. */
export function scanGlobal(claudeDir: LocalPath, skipped: Skipped[]): Folder {
  const found = { files: new Map<string, LocalFile>(), blocked: new Array<string>() };
  addFile(join(claudeDir, GLOBAL_FILE), GLOBAL_FILE, found, skipped);
  return { ...found, identity: identityOf(claudeDir) };
}

/** Returns whether a path is blocked, or lies under what is. */
export function isBlocked(path: string, blocked: readonly string[]): boolean {
  return blocked.some((other) => other === "" || path === other || path.startsWith(`${other}/`));
}

/** Why a shared text's path cannot be used on every system and in git; `undefined` where it can. */
export function textNameFault(path: string): string | undefined {
  if (path.includes("\ufffd") || !path.isWellFormed()) return "its name is not valid Unicode";
  const isOfGit = path.split("/").some((part) => /^(?:\.git|git~\d+)$/i.test(part));
  return isOfGit ? "its name is one of git's own" : nameFault(path);
}

/**
 * Tells a directory from another one that was made in its place later. Inode numbers are reused at once, and
 * the time alone may not be known.
 */
export function identityOf(directory: string): string {
  const info = lstatIfThere(directory);
  return info === undefined ? "" : `${info.ino ?? 0}:${info.birthtime?.getTime() ?? 0}`;
}

/** A file's content, and what `lstat` said of the file that had it. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly hash: string;
  readonly stamp: FileStamp;
}

const READS = 3;

/**
 * Reads a file that nobody writes to meanwhile.
 *
 * @throws {FileTrouble} when somebody does, again and again, or it is no regular file any more
 */
export function readSteady(path: LocalPath): Content {
  for (let i = 0; i < READS; i++) {
    const before = lstatIfThere(path);
    if (before === undefined) throw new Deno.errors.NotFound(`"${path}" is gone`);
    if (!before.isFile) throw new FileTrouble("it is no regular file any more");
    const stamp = stampOf(before);
    const bytes = readExactly(path, stamp);
    const after = lstatIfThere(path);
    if (bytes !== undefined && after !== undefined && isSameStamp(stampOf(after), stamp)) {
      return { bytes, hash: hashOf(bytes), stamp };
    }
  }
  throw new FileTrouble("it is being written to; run the command again");
}

function readExactly(path: string, stamp: FileStamp): Uint8Array | undefined {
  using file = Deno.openSync(path, { read: true });
  // Between the look and the opening a link may have been put there.
  if (!isSameStamp(stampOf(file.statSync()), stamp)) return undefined;
  const bytes = new Uint8Array(stamp.size);
  return readFully(file, bytes) === bytes.length ? bytes : undefined;
}

/** Returns a content's SHA-256. */
export function hashOf(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}

/** No file has it: one with this stamp is always read. */
export const NO_STAMP: FileStamp = { size: -1, mtimeMs: 0, ino: 0 };

/** The coarsest file systems count in two seconds. */
const SETTLED_MS = 3_000;

/** Returns a stamp that can be relied on: a file that changed just now may change again within the same tick. */
export function settled(stamp: FileStamp, now: number): FileStamp {
  return now - stamp.mtimeMs > SETTLED_MS ? stamp : NO_STAMP;
}

const UNREADABLE = "it cannot be read: permission denied";
const LINK = "it is a link, and ccsync neither follows nor replaces links";
/** What systems put into any folder. */
const LITTER = /^(?:\.DS_Store|Thumbs\.db|desktop\.ini)$/i;

interface Found {
  readonly files: Map<string, LocalFile>;
  readonly blocked: string[];
}

function walk(directory: string, prefix: string, found: Found, skipped: Skipped[]): void {
  let entries: Deno.DirEntry[];
  try {
    entries = tidyEntriesOf(directory);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    skipped.push({ what: directory, why: UNREADABLE });
    found.blocked.push(prefix.slice(0, -1));
    return;
  }
  for (const { isDirectory, name } of entries) {
    if (LITTER.test(name)) continue;
    const [path, inner] = [join(directory, name), prefix + name];
    if (isDirectory && textNameFault(inner) === undefined) walk(path, `${inner}/`, found, skipped);
    else addFile(path, inner, found, skipped);
  }
}

function addFile(path: string, inner: string, found: Found, skipped: Skipped[]): void {
  const info = lstatIfThere(path);
  const fault = textNameFault(inner) ?? fileFault(info);
  if (fault !== undefined) {
    skipped.push({ what: path, why: fault });
    found.blocked.push(inner);
  } else if (info !== undefined) {
    found.files.set(inner, { path: path as LocalPath, stamp: stampOf(info) });
  }
}

function fileFault(info: Deno.FileInfo | undefined): string | undefined {
  if (info === undefined) return undefined;
  if (info.isSymlink) return LINK;
  if (!info.isFile) return "it is not a regular file";
  return info.size > LARGEST_TEXT ? TOO_LARGE : undefined;
}
