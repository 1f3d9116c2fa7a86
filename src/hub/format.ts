/**
 * The hub's layout, format 1: where things are, and what their names and contents may be. Everything read
 * from the hub is untrusted and passes through here.
 *
 * Do not change: the layout is read by other machines' ccsync.
 *
 * @module
 */
import { hash } from "node:crypto";
import * as v from "valibot";
import {
  asMachineId,
  asPlaceholderName,
  asSessionId,
  type PortablePath,
  type SessionId,
} from "../brands.ts";
import { CcsyncError } from "../errors.ts";

/** The format this version reads and writes. */
export const FORMAT = 1;

/** Where the format is written down. */
export const FORMAT_PATH = "ccsync.json";
/** Where every machine's path for every placeholder is. */
export const PLACEHOLDERS_PATH = "shared_placeholders.json";

/** Returns where a machine is registered. */
export function machinePath(id: string): string {
  return `machines/${id}.json`;
}

/** Returns the directory of a session. */
export function sessionPath(id: SessionId): string {
  return `sessions/${id.slice(0, 2)}/${id}`;
}

/** Returns where what the picker shows of a session is. */
export function metaPath(id: SessionId): string {
  return `${sessionPath(id)}/meta.json`;
}

/** Returns where a segment of a transcript is. */
export function segmentPath(id: SessionId, index: number): string {
  return `${sessionPath(id)}/transcript/${String(index).padStart(6, "0")}.jsonl`;
}

/** Returns where a segment of a sidecar is. */
export function sidecarSegmentPath(id: SessionId, name: string, index: number): string {
  return `${sessionPath(id)}/files/${name}/${String(index).padStart(6, "0")}`;
}

/**
 * Returns the id of the session that keeps the other continuation of a diverged one: the same on every machine.
 * Claude Code's own ids are UUIDs of version 4, these of version 8.
 *
 * Do not change: two versions that disagree keep one continuation twice.
 *
 * @param record The uuid of a record of the other continuation: its first, or its last
 */
export function forkId(parent: SessionId, record: string): SessionId {
  const digest = hash("sha256", `${parent} ${record}`, "hex");
  const [, a, b, c, d, e] = /^(.{8})(.{4}).(.{3}).(.{3})(.{12})/.exec(digest) ?? [];
  return `${a}-${b}-8${c}-8${d}-${e}` as SessionId;
}

/** Returns whether an id is one that {@linkcode forkId} could have made. */
export function isForkId(id: SessionId): boolean {
  return id[14] === "8";
}

/** The key of the set that holds the user's global `CLAUDE.md` alone. */
export const GLOBAL_SET = "claude";
/** The one file of {@linkcode GLOBAL_SET}. */
export const GLOBAL_FILE = "CLAUDE.md";

/**
 * Returns the key of a project's memory set: the end of the portable path as far as it can be read, and a hash
 * of all of it. A name that every system allows.
 *
 * Do not change: two versions that disagree give one project two sets.
 */
export function memoryKey(project: PortablePath): string {
  const readable = project.replace(/[^A-Za-z0-9]+/g, "-").slice(-60).replace(/^-|-$/g, "");
  const digest = hash("sha256", project, "hex").slice(0, 16);
  return readable === "" ? digest : `${readable}-${digest}`;
}

/** Returns where the project of a memory set is written down. */
export function memoryProjectPath(key: string): string {
  return `memory/${key}/project.json`;
}

/** Returns where a shared text is. */
export function sharedTextPath(key: string, path: string): string {
  return key === GLOBAL_SET ? `claude/${path}` : `memory/${key}/files/${path}`;
}

/** What a path of the hub is. */
export type HubEntry =
  | { readonly kind: "format" | "placeholders" | "directory" | "other" }
  | { readonly kind: "machine"; readonly id: string }
  | { readonly kind: "meta"; readonly id: SessionId }
  | { readonly kind: "transcript"; readonly id: SessionId }
  | { readonly kind: "segment"; readonly id: SessionId; readonly index: number }
  /** A directory under a session's `files/`: of a sidecar, or on the way to one. */
  | { readonly kind: "sidecar"; readonly id: SessionId; readonly name: string }
  | {
    readonly kind: "sidecar-segment";
    readonly id: SessionId;
    readonly name: string;
    readonly index: number;
  }
  /** The file that names the project of a memory set. */
  | { readonly kind: "memory-project"; readonly key: string }
  /** A note of a memory set, `CLAUDE.md`, or a directory on the way to one. */
  | { readonly kind: "text"; readonly key: string; readonly path: string }
  /** A name that ccsync never writes: not used, but told of. */
  | { readonly kind: "foreign" };

const SESSION_ENTRY = /^sessions\/([0-9a-f]{2})\/([0-9a-f-]{36})(?:\/(.*))?$/s;
const MEMORY_ENTRY = /^memory\/((?:[A-Za-z0-9-]{1,60}-)?[0-9a-f]{16})(?:\/(.*))?$/s;
const SEGMENT = /^transcript\/(\d{6})\.jsonl$/;

/** Returns what a path in the hub is. Names that break the layout are `foreign`. */
export function entryOf(path: string): HubEntry {
  if (path === FORMAT_PATH) return { kind: "format" };
  if (path === PLACEHOLDERS_PATH) return { kind: "placeholders" };
  const machine = /^machines\/(.+)\.json$/s.exec(path)?.[1];
  if (machine !== undefined) {
    return asMachineId(machine) === undefined
      ? { kind: "foreign" }
      : { kind: "machine", id: machine };
  }
  if (/^sessions(?:\/[0-9a-f]{2})?$|^machines$/.test(path)) return { kind: "directory" };
  if (path.startsWith("sessions/") || path.startsWith("machines/")) return sessionEntry(path);
  if (path === "memory" || path === "claude") return { kind: "directory" };
  if (path.startsWith("memory/")) return memoryEntry(path);
  if (path === sharedTextPath(GLOBAL_SET, GLOBAL_FILE)) {
    return { kind: "text", key: GLOBAL_SET, path: GLOBAL_FILE };
  }
  return path.startsWith("claude/") ? { kind: "foreign" } : { kind: "other" };
}

function memoryEntry(path: string): HubEntry {
  const [, key, rest] = MEMORY_ENTRY.exec(path) ?? [];
  if (key === undefined) return { kind: "foreign" };
  if (rest === undefined || rest === "files") return { kind: "directory" };
  if (rest === "project.json") return { kind: "memory-project", key };
  const [, text] = /^files\/(.+)$/s.exec(rest) ?? [];
  return text === undefined ? { kind: "foreign" } : { kind: "text", key, path: text };
}

function sessionEntry(path: string): HubEntry {
  const [, prefix, name, rest] = SESSION_ENTRY.exec(path) ?? [];
  const id = asSessionId(name ?? "");
  if (id === undefined || id.slice(0, 2) !== prefix) return { kind: "foreign" };
  if (rest === undefined) return { kind: "directory" };
  if (rest === "meta.json") return { kind: "meta", id };
  if (rest === "transcript") return { kind: "transcript", id };
  const index = SEGMENT.exec(rest)?.[1];
  if (index !== undefined) return { kind: "segment", id, index: Number(index) };
  return sidecarEntry(id, rest);
}

function sidecarEntry(id: SessionId, path: string): HubEntry {
  if (path === "files") return { kind: "directory" };
  const [, name, index] = /^files\/(.+?)(?:\/(\d{6}))?$/s.exec(path) ?? [];
  if (name === undefined) return { kind: "foreign" };
  return index === undefined
    ? { kind: "sidecar", id, name }
    : { kind: "sidecar-segment", id, name, index: Number(index) };
}

const text = v.pipe(v.string(), v.maxLength(100_000));
const shortText = v.fallback(text, "");
const count = v.fallback(v.pipe(v.number(), v.integer(), v.minValue(0)), 0);

/** An absolute path, or one under a placeholder; nothing that leads out of it again. */
const project = v.pipe(
  text,
  v.regex(/^(?:\{\{|[\\/]|[A-Za-z]:[\\/])/),
  v.check((path) => !path.includes("\0") && !path.split(/[\\/]/).includes("..")),
);

const metaSchema = v.looseObject({
  project,
  title: shortText,
  firstPrompt: shortText,
  lastPrompt: shortText,
  lastAnswer: shortText,
  branch: shortText,
  createdBy: shortText,
  lastEditedBy: shortText,
  createdAt: shortText,
  updatedAt: shortText,
  lines: count,
  bytes: count,
  headless: v.fallback(v.boolean(), false),
  /** The name of the session's plan, empty where it has none. */
  slug: shortText,
  /** The id of the session that it was forked of by a merge, empty where it was not. */
  forkOf: shortText,
  sidecars: v.fallback(v.array(v.object({ name: text, bytes: count })), []),
});

/**
 * What the hub says of a session. Texts and the project are in the form of the JSON they were read from.
 * Keys that this version does not know are kept.
 */
export type Meta = v.InferOutput<typeof metaSchema>;

/** Returns a session's meta, or `undefined` where the JSON is none. */
export function parseMeta(json: string): Meta | undefined {
  const result = v.safeParse(metaSchema, parseJson(json));
  return result.success ? result.output : undefined;
}

const memoryProjectSchema = v.looseObject({ project: v.pipe(text, v.nonEmpty()) });

/** Returns what is written down as a memory set's project. */
export function formatMemoryProject(project: PortablePath): string {
  return JSON.stringify({ project }) + "\n";
}

/** Returns the project of a memory set, or `undefined` where the JSON is none or of another set. */
export function parseMemoryProject(key: string, json: string): PortablePath | undefined {
  const result = v.safeParse(memoryProjectSchema, parseJson(json));
  const project = result.success ? result.output.project as PortablePath : undefined;
  return project !== undefined && memoryKey(project) === key ? project : undefined;
}

const placeholdersSchema = v.pipe(
  v.unknown(),
  v.check((raw) => !Array.isArray(raw)),
  v.record(v.string(), v.record(v.string(), v.string())),
);

/** Every machine's path for every placeholder: name, machine id, path. */
export type SharedPlaceholders = ReadonlyMap<string, ReadonlyMap<string, string>>;

/**
 * Reads the shared table. Names and machine ids that break their rules are left out.
 *
 * @throws {CcsyncError} kind "setup" when it is not such a table
 */
export function parsePlaceholders(json: string): SharedPlaceholders {
  const result = v.safeParse(placeholdersSchema, parseJson(json));
  if (!result.success) {
    throw new CcsyncError(
      "setup",
      `cannot read ${PLACEHOLDERS_PATH} of the hub: it is not a table of names, machines and paths`,
      { hints: ["mend the file in a clone of the hub and push it; nothing was changed here"] },
    );
  }
  const table = Object.entries(result.output).filter(([name]) => asPlaceholderName(name));
  return new Map(table.map(([name, paths]) => {
    return [name, new Map(Object.entries(paths).filter(([id]) => asMachineId(id)))];
  }));
}

/** Returns the shared table as it is stored: names and machines sorted, so that equal tables are equal bytes. */
export function formatPlaceholders(shared: SharedPlaceholders): string {
  const sorted = [...shared].sort(byKey).map(([name, paths]) => {
    return [name, Object.fromEntries([...paths].sort(byKey))] as const;
  });
  return JSON.stringify(Object.fromEntries(sorted), null, 2) + "\n";
}

const byKey = (a: readonly [string, unknown], b: readonly [string, unknown]) =>
  a[0] < b[0] ? -1 : 1;

const machineSchema = v.looseObject({
  os: shortText,
  hostname: shortText,
  home: shortText,
  installation: shortText,
  registeredAt: shortText,
  version: shortText,
  lastPush: shortText,
});

/** What the hub says of a machine. */
export type MachineRecord = v.InferOutput<typeof machineSchema>;

/** Returns a machine's record, or `undefined` where the JSON is none. */
export function parseMachine(json: string): MachineRecord | undefined {
  const result = v.safeParse(machineSchema, parseJson(json));
  return result.success ? result.output : undefined;
}

/**
 * Checks the hub's format.
 *
 * @throws {CcsyncError} kind "setup" for a newer format or a broken file
 */
export function checkFormat(json: string): void {
  const raw = parseJson(json);
  const format = typeof raw === "object" && raw !== null && "format" in raw
    ? raw.format
    : undefined;
  if (format === FORMAT) return;
  const isNewer = typeof format === "number" && format > FORMAT;
  throw new CcsyncError(
    "setup",
    isNewer
      ? `cannot use the hub: it has format ${format}, this version knows ${FORMAT}`
      : `cannot use the hub: ${FORMAT_PATH} names no format`,
    {
      hints: [
        isNewer
          ? "install the newest ccsync on this machine; nothing was changed"
          : "check the address with: ccsync config show",
      ],
    },
  );
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // The schemas refuse `undefined`, each with its own message.
    return undefined;
  }
}
