/**
 * Safe file writes: what a reader sees is either the old content or the new one, never half of it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { randomId } from "./environment.ts";
import { readFully, writeAll } from "./streams.ts";

const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;

const TEMPORARY = ".ccsync-";

/** Returns whether a name is that of a file being written, left behind if nobody is writing it. */
export function isTemporary(name: string): boolean {
  return name.startsWith(TEMPORARY) && name.endsWith(".tmp");
}

/** Makes a directory that only its owner can enter, parents included. Existing ones keep their mode. */
export function makePrivateDirectory(path: string): void {
  Deno.mkdirSync(path, { recursive: true, mode: PRIVATE_DIRECTORY });
}

/** A file being written beside the one it is going to replace. */
export class PendingFile implements Disposable {
  readonly #target: string;
  readonly #temporary: string;
  readonly #file: Deno.FsFile;
  readonly #hash = createHash("sha256");
  #open = true;
  #placed = false;
  #size = 0;

  /** Opens a temporary file in the target's directory, which is made if it is missing. */
  constructor(target: string) {
    makePrivateDirectory(dirname(target));
    this.#target = target;
    this.#temporary = join(dirname(target), `${TEMPORARY}${randomId()}.tmp`);
    this.#file = Deno.openSync(this.#temporary, {
      write: true,
      createNew: true,
      mode: PRIVATE_FILE,
    });
  }

  /** Where the content is until it is placed. */
  get path(): string {
    return this.#temporary;
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** SHA-256 of the bytes written so far. */
  get hash(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Appends all of the bytes. */
  write(bytes: Uint8Array): void {
    writeAll(this.#file, bytes);
    this.#hash.update(bytes);
    this.#size += bytes.length;
  }

  /**
   * Puts the file in its place.
   *
   * @param isDurable Whether it is to survive a power failure that comes at once
   */
  place(mtimeMs?: number, isDurable = true): void {
    if (isDurable) this.#file.syncSync();
    if (mtimeMs !== undefined) this.#file.utimeSync(mtimeMs / 1000, mtimeMs / 1000);
    this.#close();
    patiently(() => Deno.renameSync(this.#temporary, this.#target));
    this.#placed = true;
    if (isDurable) syncDirectory(dirname(this.#target));
  }

  /** Removes the temporary file unless it was placed. */
  [Symbol.dispose](): void {
    this.#close();
    if (!this.#placed) removeIfThere(this.#temporary);
  }

  #close(): void {
    if (this.#open) this.#file.close();
    this.#open = false;
  }
}

/** How often something is tried that Windows refuses, and the milliseconds between. */
const TRIES = 20;
const PAUSE_MS = 50;

/**
 * Access is denied, sharing or lock violation, and an internal error, which Wine 8 says of a program that it cannot
 * start just now. Source: winerror.h
 */
const IN_USE = /\(os error (?:5|32|33|1359)\)/;

/**
 * Does what Windows refuses while another program has the file open: virus scanners and indexers have what was
 * just written, or is to be started, for a moment.
 *
 * @throws What the work throws, if that goes on for a second
 */
export function patiently<T>(work: () => T, os = Deno.build.os): T {
  for (let tries = 1;; tries++) {
    try {
      return work();
    } catch (error) {
      const isInUse = os === "windows" && error instanceof Error && IN_USE.test(error.message);
      if (!isInUse || tries === TRIES) throw error;
      // Nothing else is to happen meanwhile, as nothing does while a file is renamed.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

/** A file that stays readable after another one took its name, or its name was removed. */
export class HeldFile implements Disposable {
  readonly #file: Deno.FsFile;

  constructor(path: string) {
    this.#file = Deno.openSync(path, { read: true });
  }

  /** Returns what the file has after its first `size` bytes. */
  after(size: number): Uint8Array {
    const now = this.#file.statSync().size;
    if (now <= size) return new Uint8Array();
    this.#file.seekSync(size, Deno.SeekMode.Start);
    const buffer = new Uint8Array(now - size);
    return buffer.subarray(0, readFully(this.#file, buffer));
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Replaces a file's content durably, owner-readable only. */
export function writeFile(path: string, content: Uint8Array | string): void {
  using pending = new PendingFile(path);
  pending.write(typeof content === "string" ? new TextEncoder().encode(content) : content);
  pending.place();
}

/** Returns `[from, to)` of a file; shorter where the file ends before. */
export function readRange(path: string, from: number, to: number): Uint8Array {
  using file = Deno.openSync(path, { read: true });
  file.seekSync(from, Deno.SeekMode.Start);
  const buffer = new Uint8Array(Math.max(0, to - from));
  return buffer.subarray(0, readFully(file, buffer));
}

const PIECE_BYTES = 1024 * 1024;

/** Yields `[from, to)` of a file in pieces, which are good until the next one; ends early where the file does. */
export function* piecesOfFile(path: string, from: number, to: number): Generator<Uint8Array> {
  using file = Deno.openSync(path, { read: true });
  file.seekSync(from, Deno.SeekMode.Start);
  const buffer = new Uint8Array(Math.max(0, Math.min(PIECE_BYTES, to - from)));
  for (let at = from; at < to;) {
    const count = readFully(file, buffer.subarray(0, Math.min(buffer.length, to - at)));
    if (count === 0) return;
    at += count;
    yield buffer.subarray(0, count);
  }
}

/** Returns the SHA-256 of `[from, to)` of a file. */
export function hashOfFile(path: string, from = 0, to = Infinity): string {
  const hash = createHash("sha256");
  for (const piece of piecesOfFile(path, from, to)) hash.update(piece);
  return hash.digest("hex");
}

/** Returns a text file's content, or `undefined` where there is no such file. */
export function readTextIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Returns what `lstat` says, or `undefined` where nothing is there. */
export function lstatIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

/** Returns a directory's entries sorted by name, or none where there is no such directory. */
export function entriesOf(path: string): Deno.DirEntry[] {
  return sorted(unsortedEntriesOf(path));
}

const sorted = (entries: Deno.DirEntry[]) => entries.sort((a, b) => (a.name < b.name ? -1 : 1));

/** Does the same in no order: with thousands, sorting takes as long as reading. */
export function unsortedEntriesOf(path: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return [];
    }
    throw error;
  }
}

/**
 * Returns a directory's entries like {@linkcode entriesOf}, and clears away what a ccsync that was killed
 * left in it. Only one ccsync works at a time, so nobody is writing these files.
 */
export function tidyEntriesOf(path: string): Deno.DirEntry[] {
  return sorted(unsortedTidyEntriesOf(path));
}

/** Does the same in no order. */
export function unsortedTidyEntriesOf(path: string): Deno.DirEntry[] {
  const entries = unsortedEntriesOf(path);
  const left = entries.filter(({ name }) => isTemporary(name));
  for (const { name } of left) {
    try {
      removeIfThere(join(path, name));
    } catch {
      // A leftover that cannot be removed is in nobody's way.
    }
  }
  return left.length === 0 ? entries : entries.filter(({ name }) => !isTemporary(name));
}

/** Clears away what a ccsync that was killed left in a directory, if it can be read. */
export function clearLeftovers(path: string): void {
  try {
    unsortedTidyEntriesOf(path);
  } catch {
    // Whoever needs something in it will say what is wrong with it.
  }
}

/** Does so in all directories below, too. */
export function clearAllLeftovers(path: string): void {
  try {
    for (const { isDirectory, name } of unsortedTidyEntriesOf(path)) {
      if (isDirectory) clearAllLeftovers(join(path, name));
    }
  } catch {
    // As above.
  }
}

/** Removes a file if it is there. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Removes what is at a path, if something is, and all that is in it. */
export function removeTree(path: string): void {
  const info = lstatIfThere(path);
  if (info === undefined) return;
  // Git makes its objects read-only, and not every Windows removes such files.
  if (info.isDirectory && Deno.build.os === "windows") makeWritable(path);
  patiently(() => Deno.removeSync(path, { recursive: true }));
}

function makeWritable(path: string): void {
  for (const { isDirectory, isFile, name } of entriesOf(path)) {
    if (isDirectory) makeWritable(join(path, name));
    else if (isFile) Deno.chmodSync(join(path, name), 0o666);
  }
}

/** Removes a file, and the directories above it that are empty without it, up to `root`, which stays. */
export function removeWithFolders(file: string, root: string): void {
  Deno.removeSync(file);
  for (let at = dirname(file); at.length > root.length; at = dirname(at)) {
    try {
      Deno.removeSync(at);
    } catch {
      // There is something in it.
      return;
    }
  }
}

/** Makes what was done to the names in a directory survive a power failure. */
export function syncDirectory(path: string): void {
  // Windows cannot open a directory as a file; its renames are durable without.
  if (Deno.build.os === "windows") return;
  using directory = Deno.openSync(path, { read: true });
  directory.syncSync();
}
