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
import { makePrivateDirectory, patiently } from "./files.ts";

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
  /** What of the meta is needed of every session on every run. */
  readonly project: PortablePath;
  readonly updatedAt: string;
  readonly slug: string;
}

/**
 * How the files of a session looked from outside when it was found settled: its transcript, by its path in Claude Code's
 * directory, then its sidecars, in a form that only equals itself; and the name of its plan.
 */
export type SettledLook = readonly [
  id: SessionId,
  place: string,
  size: number,
  mtimeMs: number,
  ino: number,
  sidecars: string,
  slug: string,
];

/** What was found out about a local transcript; good as long as its path is. */
export interface LocalProject {
  readonly path: LocalPath;
  readonly cwd: LocalPath;
}

/** The version of a shared text, a note or `CLAUDE.md`, that this machine and the hub last agreed on. */
export interface TextBase {
  /** The set it belongs to: a key of the hub's `memory/`, or the set of `CLAUDE.md`. */
  readonly set: string;
  /** Its path in the set, with slashes. */
  readonly path: string;
  /** The blob whose local form this version is; empty where the hub's has more than this one. */
  readonly oid: Oid | "";
  /** SHA-256 of the local form. */
  readonly hash: string;
  readonly file: LocalPath;
  /** Tells the folder of the set from another one that was made in its place. */
  readonly folder: string;
  readonly stamp: FileStamp;
  /** Key of the profile with which the local file was written. */
  readonly profile: string;
}

const VERSION = 4;
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
    id TEXT PRIMARY KEY, transcript TEXT NOT NULL, files TEXT NOT NULL, meta TEXT NOT NULL,
    project TEXT NOT NULL, updated_at TEXT NOT NULL, slug TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS project (path TEXT PRIMARY KEY, cwd TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS text_base (
    set_key TEXT NOT NULL, path TEXT NOT NULL, oid TEXT NOT NULL, hash TEXT NOT NULL, file TEXT NOT NULL,
    folder TEXT NOT NULL, size INTEGER NOT NULL, mtime_ms REAL NOT NULL, ino INTEGER NOT NULL,
    profile TEXT NOT NULL, content BLOB, PRIMARY KEY (set_key, path)) STRICT;
  CREATE TABLE IF NOT EXISTS memory_project (set_key TEXT PRIMARY KEY, project TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS settled (
    id TEXT PRIMARY KEY, look TEXT NOT NULL, listed TEXT NOT NULL, prompts TEXT NOT NULL) STRICT;
  -- What every run reads of each lies side by side in it.
  CREATE INDEX IF NOT EXISTS settled_looks ON settled (look);
`;

// Whoever changes what is known of a session unsettles it: nobody can forget to.
const TRIGGERS = ["base", "catalogue"].map((table) => `
  CREATE TRIGGER IF NOT EXISTS ${table}_set AFTER INSERT ON ${table}
    BEGIN DELETE FROM settled WHERE id = NEW.id; END;
  CREATE TRIGGER IF NOT EXISTS ${table}_changed AFTER UPDATE ON ${table}
    BEGIN DELETE FROM settled WHERE id IN (OLD.id, NEW.id); END;
  CREATE TRIGGER IF NOT EXISTS ${table}_removed AFTER DELETE ON ${table}
    BEGIN DELETE FROM settled WHERE id = OLD.id; END;
`).join("");

/** Reading all metas of thousands takes as long as reading some dozens one by one. */
const MANY_METAS = 50;

/** The keys of single facts. */
export type FactKey =
  | "hub_head"
  | "memory_head"
  | "last_push"
  | "last_pull"
  | "shared_placeholders"
  | "turn"
  | "pushes"
  | "readers_checked"
  | "trouble"
  | "settled_key"
  | "git";

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
      if (OF_SURROUNDINGS.test(messageOf(error))) throw notOpened(path, error);
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
      if (version > 0 && version < VERSION) throw new RangeError("it is of an older ccsync");
      db.exec(SCHEMA + TRIGGERS);
      if (version !== VERSION) db.exec(`PRAGMA user_version = ${VERSION}`);
      return new State(db, path);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (!this.#db.isOpen) return;
    // SQLite itself takes a transaction back whose database is closed.
    this.#db.close();
  }

  /** Runs the work so that either all of its writes happen or none. */
  transaction<T>(work: () => T): T {
    this.#db.exec("SAVEPOINT work");
    try {
      const result = work();
      this.#db.exec("RELEASE work");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK TO work; RELEASE work");
      throw error;
    }
  }

  /** From here on nothing is kept: what is written is taken back when the state is closed. */
  pretend(): void {
    this.#db.exec("BEGIN IMMEDIATE");
  }

  /** Returns a single fact, if it is known. */
  fact(key: FactKey): string | undefined {
    const value = this.#db.prepare("SELECT value FROM fact WHERE key = ?").get(key)?.["value"];
    return typeof value === "string" ? value : undefined;
  }

  /** Forgets a single fact. */
  forgetFact(key: FactKey): void {
    this.#db.prepare("DELETE FROM fact WHERE key = ?").run(key);
  }

  /** Remembers a single fact. */
  setFact(key: FactKey, value: string): void {
    this.#db.prepare("INSERT OR REPLACE INTO fact VALUES (?, ?)").run(key, value);
  }

  /**
   * Returns the bases of sessions' documents, by session and name.
   *
   * @param ids Those that are meant @default {all}
   */
  bases(ids?: readonly SessionId[]): Map<SessionId, Map<string, Base>> {
    const bases = new Map<SessionId, Map<string, Base>>();
    for (const base of this.#all("base", readBase, "*", ...among(ids))) {
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

  /** Forgets what this machine and the hub agreed on for a document. */
  removeBase({ id, name }: Pick<Base, "id" | "name">): void {
    this.#db.prepare("DELETE FROM base WHERE id = ? AND name = ?").run(id, name);
  }

  /**
   * Returns the hub's sessions as of the fact `hub_head`.
   *
   * @param ids Those that are meant @default {all}
   */
  catalogue(ids?: readonly SessionId[]): Map<SessionId, CatalogueRow> {
    const metaOf = this.#metas();
    const read = (row: Row) => readCatalogueRow(row, metaOf);
    const rows = this.#all("catalogue", read, CATALOGUE_COLUMNS, ...among(ids));
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** Returns the ids of the hub's sessions, without reading what is known of each. */
  catalogueIds(): SessionId[] {
    return this.#ids("catalogue");
  }

  /** Returns the projects of the hub's sessions, each once. */
  catalogueProjects(): PortablePath[] {
    return this.#all("catalogue", (row) => row["project"] as PortablePath, "DISTINCT project");
  }

  /** Returns what reads single metas, and from the point on where many are asked for, all of them at once. */
  #metas(): (id: SessionId) => string {
    const one = this.#db.prepare("SELECT meta FROM catalogue WHERE id = ?");
    let [asked, all] = [0, undefined as ReadonlyMap<string, string> | undefined];
    return (id) => {
      if (++asked === MANY_METAS) {
        const rows = this.#all("catalogue", (row) => row, "id, meta");
        all = new Map(rows.map((row) => [String(row["id"]), String(row["meta"])]));
      }
      return all?.get(id) ?? String(one.get(id)?.["meta"] ?? "");
    };
  }

  /** Returns one session of the hub as of the fact `hub_head`, if it is there. */
  catalogueRow(id: SessionId): CatalogueRow | undefined {
    const row = this.#db.prepare("SELECT * FROM catalogue WHERE id = ?").get(id);
    return row === undefined ? undefined : readCatalogueRow(row, () => String(row["meta"]));
  }

  /** Puts a session into the catalogue. */
  setCatalogueRow(row: CatalogueRow): void {
    this.#db.prepare("INSERT OR REPLACE INTO catalogue VALUES (?, ?, ?, ?, ?, ?, ?)").run(
      row.id,
      JSON.stringify(row.transcript),
      JSON.stringify([...row.files]),
      row.meta,
      row.project,
      row.updatedAt,
      row.slug,
    );
  }

  /** Takes a session out of the catalogue. */
  removeCatalogueRow(id: SessionId): void {
    this.#db.prepare("DELETE FROM catalogue WHERE id = ?").run(id);
  }

  /** Empties the catalogue. */
  clearCatalogue(): void {
    this.#db.exec("DELETE FROM catalogue");
  }

  /** Returns the sessions that were settled, whatever has happened on this machine since. */
  settledLooks(): SettledLook[] {
    return this.#lists("settled", "look") as SettledLook[];
  }

  /** Returns what lists say of settled sessions, as it was given to {@linkcode State.setSettled}. */
  settledListed(): unknown[] {
    return this.#lists("settled", "listed");
  }

  /** Returns what was said in a settled session, as it was given to {@linkcode State.setSettled}. */
  settledPrompt(id: SessionId): unknown {
    const read = ({ prompts }: Row) => JSON.parse(String(prompts)) as unknown;
    return this.#all("settled", read, "prompts", AMONG, JSON.stringify([id]))[0];
  }

  /** Reads what was said in all settled sessions. What is returned tells it of one. */
  settledPrompts(): (id: SessionId) => unknown {
    const read = ({ text }: Row) => String(text ?? "");
    const [text = ""] = this.#all("settled", read, "group_concat(id || prompts, char(10)) AS text");
    let lines: ReadonlyMap<string, string> | undefined;
    return (id) => {
      lines ??= new Map(text.split("\n").map((line) => [line.slice(0, id.length), line]));
      const line = lines.get(id);
      return line === undefined ? undefined : this.#parsed(line.slice(id.length));
    };
  }

  /** Remembers a session as settled. It is so until its base or what the hub has of it changes. */
  setSettled(look: SettledLook, listed: unknown, prompts: unknown): void {
    const values = [look, listed, prompts].map(asciiJson);
    this.#db.prepare("INSERT OR REPLACE INTO settled VALUES (?, ?, ?, ?)").run(look[0], ...values);
  }

  /** Takes sessions for settled no longer. */
  removeSettled(ids: readonly SessionId[]): void {
    if (ids.length === 0) return;
    this.#db.prepare(`DELETE FROM settled ${AMONG}`).run(JSON.stringify(ids));
  }

  /** Takes no session for settled any longer. */
  clearSettled(): void {
    this.#db.exec("DELETE FROM settled");
  }

  /** Returns the ids of the hub's sessions that are not settled. */
  unsettledIds(): SessionId[] {
    return this.#ids("catalogue", "WHERE id NOT IN (SELECT id FROM settled)");
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

  /** Returns the bases of all shared texts, without their content. */
  textBases(): TextBase[] {
    return this.#all("text_base", readTextBase, TEXT_BASE_COLUMNS);
  }

  /** Returns the content of a shared text's base, where it is kept. */
  baseText(set: string, path: string): Uint8Array | undefined {
    const row = this.#db.prepare("SELECT content FROM text_base WHERE set_key = ? AND path = ?")
      .get(set, path);
    const content = row?.["content"];
    return content instanceof Uint8Array ? content : undefined;
  }

  /** Remembers the version of a shared text that this machine and the hub agreed on. */
  setTextBase(base: TextBase, content: Uint8Array | undefined): void {
    this.#db.prepare("INSERT OR REPLACE INTO text_base VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(
        base.set,
        base.path,
        base.oid,
        base.hash,
        base.file,
        base.folder,
        base.stamp.size,
        base.stamp.mtimeMs,
        base.stamp.ino,
        base.profile,
        content ?? null,
      );
  }

  /** Remembers how the file of a base looks from outside, where its content is the same. */
  touchTextBase({ set, path }: TextBase, stamp: FileStamp, folder: string): void {
    this.#db.prepare(
      "UPDATE text_base SET size = ?, mtime_ms = ?, ino = ?, folder = ? WHERE set_key = ? AND path = ?",
    ).run(stamp.size, stamp.mtimeMs, stamp.ino, folder, set, path);
  }

  /** Forgets what was agreed on for a shared text. */
  removeTextBase({ set, path }: Pick<TextBase, "set" | "path">): void {
    this.#db.prepare("DELETE FROM text_base WHERE set_key = ? AND path = ?").run(set, path);
  }

  /** Forgets what was agreed on for all shared texts. */
  clearTextBases(): void {
    this.#db.exec("DELETE FROM text_base");
  }

  /** Returns the projects of the hub's memory sets, as far as they were read before. */
  memoryProjects(): Map<string, PortablePath> {
    return new Map(this.#all("memory_project", (row) => {
      return [String(row["set_key"]), row["project"] as PortablePath];
    }));
  }

  /** Remembers the project of a memory set; it never changes. */
  setMemoryProject(set: string, project: PortablePath): void {
    this.#db.prepare("INSERT OR REPLACE INTO memory_project VALUES (?, ?)").run(set, project);
  }

  /**
   * Looks whether a failure comes of damage to the state that opening it did not meet; if so, sets the state
   * aside, so that the next run rebuilds it, and returns what to tell the user.
   */
  setAsideIfDamaged(failure: unknown): CcsyncError | undefined {
    const looksDamaged = /malformed|not a database/i.test(messageOf(failure));
    return looksDamaged ? this.#setAside(failure) : undefined;
  }

  /** Reads the ids of a table that has one row for each session. */
  #ids(table: Table, which = ""): SessionId[] {
    return this.#lists(table, "json_quote(id)", which) as SessionId[];
  }

  /** Reads a column of JSON, as one long text: that is done much faster than thousands of rows. */
  #lists(table: Table, column: string, which = ""): unknown[] {
    const read = ({ text }: Row) => JSON.parse(`[${String(text ?? "")}]`) as unknown[];
    return this.#all(table, read, `group_concat(${column}) AS text`, which).flat();
  }

  /** Reads the rows of a table, all of them or some. Damage that opening does not meet is met here. */
  #all<T>(
    table: Table,
    read: (row: Row) => T,
    columns = "*",
    which = "",
    ...values: readonly string[]
  ): T[] {
    try {
      const rows = this.#db.prepare(`SELECT ${columns} FROM ${table} ${which}`).all(...values);
      return rows.map(read);
    } catch (error) {
      throw OF_SURROUNDINGS.test(messageOf(error)) ? error : this.#setAside(error);
    }
  }

  #parsed(json: string): unknown {
    try {
      return JSON.parse(json);
    } catch (error) {
      throw this.#setAside(error);
    }
  }

  #setAside(why: unknown): CcsyncError {
    this[Symbol.dispose]();
    setAside(this.#path);
    return damaged(this.#path, why);
  }
}

/** What SQLite says where the file is in order, but cannot be used now. */
const OF_SURROUNDINGS = /locked|disk is full|disk i\/o|readonly|unable to open/i;

type Table = "base" | "catalogue" | "project" | "text_base" | "memory_project" | "settled";

/** The parameter is a JSON list of ids. */
const AMONG = "WHERE id IN (SELECT value FROM json_each(?))";

/** Returns what limits a query to the rows of some sessions. */
function among(ids: readonly SessionId[] | undefined): string[] {
  return ids === undefined ? [] : [AMONG, JSON.stringify(ids)];
}

/** All but the meta, which is long. */
const CATALOGUE_COLUMNS = "id, transcript, files, project, updated_at, slug";
const TEXT_BASE_COLUMNS = "set_key, path, oid, hash, file, folder, size, mtime_ms, ino, profile";

type Row = Readonly<Record<string, unknown>>;

const NO_FILES: ReadonlyMap<string, HubFile> = new Map();

function readCatalogueRow(row: Row, metaOf: (id: SessionId) => string): CatalogueRow {
  const id = row["id"] as SessionId;
  let meta: string | undefined;
  return {
    id,
    transcript: JSON.parse(String(row["transcript"])) as HubFile,
    files: row["files"] === "[]"
      ? NO_FILES
      : new Map(JSON.parse(String(row["files"])) as [string, HubFile][]),
    get meta() {
      return meta ??= metaOf(id);
    },
    project: row["project"] as PortablePath,
    updatedAt: String(row["updated_at"]),
    slug: String(row["slug"]),
  };
}

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
    stamp: readStamp(row),
    profile: String(row["profile"]),
  };
}

function readTextBase(row: Row): TextBase {
  return {
    set: String(row["set_key"]),
    path: String(row["path"]),
    oid: row["oid"] as Oid | "",
    hash: String(row["hash"]),
    file: row["file"] as LocalPath,
    folder: String(row["folder"]),
    stamp: readStamp(row),
    profile: String(row["profile"]),
  };
}

/** Returns JSON without any other letters: a text of those takes half the memory, and is read faster. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u0080-\uffff]/g, (letter) => {
    return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function readStamp(row: Row): FileStamp {
  return {
    size: Number(row["size"]),
    mtimeMs: Number(row["mtime_ms"]),
    ino: Number(row["ino"]),
  };
}

/** The files that SQLite puts beside it get the mode that it has when they are made. */
function makePrivateFile(path: string): void {
  Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close();
  if (Deno.build.os !== "windows") Deno.chmodSync(path, 0o600);
}

function notOpened(path: string, cause: unknown): CcsyncError {
  return new CcsyncError("failed", `cannot open the state "${path}": ${messageOf(cause)}`, {
    hints: [
      "see whether the disk is full, or another ccsync is at work, then run it again; nothing was changed",
    ],
    cause,
    transient: true,
  });
}

function damaged(path: string, cause: unknown): CcsyncError {
  return new CcsyncError("failed", `cannot read the state "${path}": ${messageOf(cause)}`, {
    hints: [
      `run the command again: the state is rebuilt from the hub and your sessions; the damaged one is kept as "${path}.damaged"`,
    ],
    cause,
    transient: true,
  });
}

function setAside(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) {
    try {
      patiently(() => Deno.renameSync(path + suffix, `${path}${suffix}.damaged`));
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
