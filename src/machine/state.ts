/**
 * What this machine remembers between runs, in `state.db`. A cache: deleted, it is rebuilt from the hub and
 * the Claude directory with nothing lost and nothing duplicated.
 *
 * @module
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { LocalPath, Oid, PortablePath, SessionId } from "../brands.ts";
import { CcsyncError, messageOf } from "../errors.ts";
import { makePrivateDirectory } from "./files.ts";

/** What `lstat` said of a file when ccsync last knew its content. */
export interface FileStamp {
  readonly size: number;
  readonly mtimeMs: number;
  /** The inode where the system has one, else 0. */
  readonly ino: number;
}

/** A document in the hub. */
export interface HubFile {
  /** The tree of its segments. */
  readonly tree: Oid;
  /** The segments' blobs, in order. */
  readonly segments: readonly Oid[];
}

/** The state of a session's document that this machine and the hub last agreed on. */
export interface Base extends HubFile {
  readonly id: SessionId;
  /** The sidecar's name, empty for the transcript. */
  readonly name: string;
  /** The session's project as the hub had it. */
  readonly project: PortablePath;
  readonly path: LocalPath;
  /** All lines of the first so many bytes of the local file are in the hub. */
  readonly localBytes: number;
  /** Whether those bytes are exactly the local form of what the hub has. */
  readonly aligned: boolean;
  /** Hashes of the blocks of those bytes; see `sync/fingerprint.ts`. */
  readonly blocks: readonly string[];
  readonly stamp: FileStamp;
  /** Key of the profile with which the local file was written. */
  readonly profile: string;
}

/** What the hub's catalogue says of a session; `meta` is in portable form. */
export interface CatalogueRow {
  readonly id: SessionId;
  readonly transcript: HubFile;
  /** Sidecars by name. */
  readonly files: ReadonlyMap<string, HubFile>;
  readonly meta: string;
}

/** What was found out about a local transcript; good as long as its path is. */
export interface LocalProject {
  readonly path: LocalPath;
  readonly cwd: LocalPath;
}

const VERSION = 1;
/** How long a statement waits for another process. */
const BUSY_TIMEOUT_MS = 10_000;

// Versions are never migrated: an unknown one is a cache to throw away.
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS base (
    id TEXT NOT NULL, name TEXT NOT NULL, tree TEXT NOT NULL, segments TEXT NOT NULL, project TEXT NOT NULL,
    path TEXT NOT NULL, local_bytes INTEGER NOT NULL, aligned INTEGER NOT NULL,
    blocks TEXT NOT NULL, size INTEGER NOT NULL, mtime_ms REAL NOT NULL, ino INTEGER NOT NULL,
    profile TEXT NOT NULL, PRIMARY KEY (id, name)) STRICT;
  CREATE TABLE IF NOT EXISTS catalogue (
    id TEXT PRIMARY KEY, transcript TEXT NOT NULL, files TEXT NOT NULL, meta TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS project (path TEXT PRIMARY KEY, cwd TEXT NOT NULL) STRICT;
`;

/** The keys of single facts. */
export type FactKey =
  | "hub_head"
  | "last_push"
  | "last_pull"
  | "shared_placeholders"
  | "turn"
  | "pushes"
  | "profile";

/** The open state. Every write is atomic; group several with {@linkcode State.transaction}. */
export class State implements Disposable {
  readonly #db: DatabaseSync;
  readonly #path: string;

  private constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    this.#path = path;
  }

  /**
   * Opens the state, making it if needed. A damaged or foreign one is set aside and rebuilt; damage that
   * shows later makes the reading methods fail, and the error says how to have it rebuilt.
   *
   * @throws {CcsyncError} kind "setup" when the state is of a newer ccsync; "failed" when it cannot be
   *   opened for a reason outside it
   */
  static open(ccsyncHome: string, onRebuild: (why: string) => void): State {
    makePrivateDirectory(ccsyncHome);
    const path = join(ccsyncHome, "state.db");
    try {
      return State.#openAt(path);
    } catch (error) {
      if (error instanceof CcsyncError) throw error;
      // Setting it aside would not help, and would take it from under another process.
      if (/locked|disk is full|disk i\/o|readonly/i.test(messageOf(error))) {
        throw notOpened(path, error);
      }
      onRebuild(messageOf(error));
      setAside(path);
      return State.#openAt(path);
    }
  }

  static #openAt(path: string): State {
    makePrivateFile(path);
    const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
      const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
      if (version > VERSION) throw newerState(path, version);
      db.exec(SCHEMA);
      if (version !== VERSION) db.exec(`PRAGMA user_version = ${VERSION}`);
      return new State(db, path);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  /** Runs the work so that either all of its writes happen or none. */
  transaction<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  /** Returns a single fact, if it is known. */
  fact(key: FactKey): string | undefined {
    const value = this.#db.prepare("SELECT value FROM fact WHERE key = ?").get(key)?.["value"];
    return typeof value === "string" ? value : undefined;
  }

  /** Remembers a single fact. */
  setFact(key: FactKey, value: string): void {
    this.#db.prepare("INSERT OR REPLACE INTO fact VALUES (?, ?)").run(key, value);
  }

  /** Returns the bases of every session's documents, by session and name. */
  bases(): Map<SessionId, Map<string, Base>> {
    const bases = new Map<SessionId, Map<string, Base>>();
    for (const base of this.#all("base", readBase)) {
      const documents = bases.get(base.id);
      if (documents === undefined) bases.set(base.id, new Map([[base.name, base]]));
      else documents.set(base.name, base);
    }
    return bases;
  }

  /** Remembers what this machine and the hub agreed on. */
  setBase(base: Base): void {
    this.#db.prepare(
      "INSERT OR REPLACE INTO base VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ).run(
      base.id,
      base.name,
      base.tree,
      JSON.stringify(base.segments),
      base.project,
      base.path,
      base.localBytes,
      base.aligned ? 1 : 0,
      JSON.stringify(base.blocks),
      base.stamp.size,
      base.stamp.mtimeMs,
      base.stamp.ino,
      base.profile,
    );
  }

  /** Returns the hub's sessions as of the fact `hub_head`. */
  catalogue(): Map<SessionId, CatalogueRow> {
    return new Map(this.#all("catalogue", (row) => {
      const id = row["id"] as SessionId;
      const transcript = JSON.parse(String(row["transcript"])) as HubFile;
      const files = new Map(JSON.parse(String(row["files"])) as [string, HubFile][]);
      return [id, { id, transcript, files, meta: String(row["meta"]) }];
    }));
  }

  /** Puts a session into the catalogue. */
  setCatalogueRow(row: CatalogueRow): void {
    this.#db.prepare("INSERT OR REPLACE INTO catalogue VALUES (?, ?, ?, ?)")
      .run(row.id, JSON.stringify(row.transcript), JSON.stringify([...row.files]), row.meta);
  }

  /** Takes a session out of the catalogue. */
  removeCatalogueRow(id: SessionId): void {
    this.#db.prepare("DELETE FROM catalogue WHERE id = ?").run(id);
  }

  /** Empties the catalogue. */
  clearCatalogue(): void {
    this.#db.exec("DELETE FROM catalogue");
  }

  /** Returns the working directories of local transcripts by path, as far as they were read before. */
  projects(): Map<LocalPath, LocalPath> {
    return new Map(this.#all("project", (row) => {
      return [row["path"] as LocalPath, row["cwd"] as LocalPath];
    }));
  }

  /** Remembers the working directory of a local transcript. */
  setProject({ path, cwd }: LocalProject): void {
    this.#db.prepare("INSERT OR REPLACE INTO project VALUES (?, ?)").run(path, cwd);
  }

  /** Reads every row of a table. Damage that opening does not meet is met here. */
  #all<T>(table: "base" | "catalogue" | "project", read: (row: Row) => T): T[] {
    try {
      return this.#db.prepare(`SELECT * FROM ${table}`).all().map(read);
    } catch (error) {
      throw damaged(this.#path, error);
    }
  }
}

type Row = Readonly<Record<string, unknown>>;

function readBase(row: Row): Base {
  return {
    id: row["id"] as SessionId,
    name: String(row["name"]),
    tree: row["tree"] as Oid,
    segments: JSON.parse(String(row["segments"])) as Oid[],
    project: row["project"] as PortablePath,
    path: row["path"] as LocalPath,
    localBytes: Number(row["local_bytes"]),
    aligned: row["aligned"] === 1,
    blocks: JSON.parse(String(row["blocks"])) as string[],
    stamp: {
      size: Number(row["size"]),
      mtimeMs: Number(row["mtime_ms"]),
      ino: Number(row["ino"]),
    },
    profile: String(row["profile"]),
  };
}

/** The files that SQLite puts beside it get the mode that it has when they are made. */
function makePrivateFile(path: string): void {
  Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close();
  if (Deno.build.os !== "windows") Deno.chmodSync(path, 0o600);
}

function notOpened(path: string, cause: unknown): CcsyncError {
  return new CcsyncError("failed", `cannot open the state "${path}": ${messageOf(cause)}`, {
    hints: ["see whether the disk is full, or another ccsync is at work, then run it again"],
    cause,
    transient: true,
  });
}

function damaged(path: string, cause: unknown): CcsyncError {
  return new CcsyncError("failed", `cannot read the state "${path}": ${messageOf(cause)}`, {
    hints: [
      `remove ${path} and run the command again: it is rebuilt from the hub and your sessions`,
    ],
    cause,
  });
}

function setAside(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) {
    try {
      Deno.renameSync(path + suffix, `${path}${suffix}.damaged`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

function newerState(path: string, version: number): CcsyncError {
  return new CcsyncError(
    "setup",
    `cannot read the state "${path}": it has version ${version}, this version knows ${VERSION}`,
    { hints: ["install the newest ccsync on this machine; nothing was changed"] },
  );
}
