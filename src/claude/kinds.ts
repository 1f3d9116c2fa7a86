/**
 * The one table of what lies in Claude Code's directory: what belongs to a session and travels with it,
 * what all machines share, and what stays where it is.
 *
 * Source: observed with client 2.1.197, fixture `tests/fixtures/alice/.claude`; rows marked "seen in the
 * client" are named by its code and were not written in the observed runs.
 *
 * A new kind is a new row.
 *
 * @module
 */
import type { Codec } from "../translate/context.ts";

/** How a kind's content is encoded in the hub; `binary` goes as it is. Never changes for a kind. */
export type KindCodec = Codec | "binary";

/**
 * How two machines' versions come together: `append` line by line like a transcript, `replace` as a whole
 * (the last push counts), `three-way` like text under version control.
 */
export type KindMerge = "append" | "replace" | "three-way";

/** Where the files of a session are, besides the transcript. `session` is `projects/<project>/<id>/`. */
export type SidecarRoot = "session" | "file-history" | "tasks" | "plans" | "image-cache";

/** One row of {@linkcode SIDECAR_KINDS}. */
export interface SidecarKind {
  readonly what: string;
  readonly root: SidecarRoot;
  /** Matches the path under the root, with slashes. */
  readonly pattern: RegExp;
  readonly codec: KindCodec;
  readonly merge: "append" | "replace";
}

/** Kinds of files that belong to one session. The first row that fits counts. */
export const SIDECAR_KINDS: readonly SidecarKind[] = [
  {
    what: "transcript of a sub-agent",
    root: "session",
    pattern: /^subagents\/.+\.jsonl$/,
    codec: "jsonl",
    merge: "append",
  },
  {
    what: "description of a sub-agent",
    root: "session",
    pattern: /^subagents\/.+\.meta\.json$/,
    codec: "json",
    merge: "replace",
  },
  {
    what: "large tool result, JSON",
    root: "session",
    pattern: /^tool-results\/.+\.json$/,
    codec: "json",
    merge: "replace",
  },
  {
    what: "large tool result",
    root: "session",
    pattern: /^tool-results\/.+\.txt$/,
    codec: "text",
    merge: "replace",
  },
  {
    what: "record of a workflow, agent or MCP task (seen in the client)",
    root: "session",
    pattern: /^(?:workflows|remote-agents|mcp-tasks)\/.+\.jsonl$/,
    codec: "jsonl",
    merge: "append",
  },
  {
    what: "state of a workflow, agent or MCP task (seen in the client)",
    root: "session",
    pattern: /^(?:workflows|remote-agents|mcp-tasks)\/.+\.json$/,
    codec: "json",
    merge: "replace",
  },
  {
    what: "other file in the session's directory",
    root: "session",
    pattern: /./,
    codec: "binary",
    merge: "replace",
  },
  // Contents of the user's own files, written back by a rewind: not a byte may change.
  {
    what: "file backup for rewind",
    root: "file-history",
    pattern: /^[^/]+@v\d+$/,
    codec: "binary",
    merge: "replace",
  },
  {
    what: "task of the task list",
    root: "tasks",
    pattern: /^\d+\.json$/,
    codec: "json",
    merge: "replace",
  },
  { what: "plan", root: "plans", pattern: /^[^/]+\.md$/, codec: "text", merge: "replace" },
  {
    what: "pasted image (seen in the client)",
    root: "image-cache",
    pattern: /./,
    codec: "binary",
    merge: "replace",
  },
];

/** One row of {@linkcode OTHER_KINDS}. */
export interface OtherKind {
  readonly what: string;
  /** Matches the path under Claude Code's directory, with slashes. */
  readonly pattern: RegExp;
  /** `session` for transcripts, `shared` for what all machines share, `machine` for what never leaves. */
  readonly scope: "session" | "shared" | "machine";
}

const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

/** Everything that is no sidecar. What stays on the machine is named, so that the decision is visible. */
export const OTHER_KINDS: readonly OtherKind[] = [
  { what: "transcript", pattern: new RegExp(`^projects/[^/]+/${UUID}\\.jsonl$`), scope: "session" },
  { what: "auto memory of a project", pattern: /^projects\/[^/]+\/memory\/.+$/, scope: "shared" },
  { what: "the user's global instructions", pattern: /^CLAUDE\.md$/, scope: "shared" },
  { what: "credentials", pattern: /^\.credentials\.json$/, scope: "machine" },
  { what: "global state, with trust and tokens", pattern: /^\.claude\.json/, scope: "machine" },
  { what: "settings", pattern: /^settings(?:\.local)?\.json$/, scope: "machine" },
  { what: "backups of the global state", pattern: /^backups\//, scope: "machine" },
  { what: "time of the last clean-up", pattern: /^\.last-cleanup$/, scope: "machine" },
  {
    what: "prompts typed on this machine, in all projects",
    pattern: /^history\.jsonl$/,
    scope: "machine",
  },
  { what: "long pastes by hash", pattern: /^paste-cache\//, scope: "machine" },
  { what: "live clients", pattern: /^sessions\//, scope: "machine" },
  {
    what: "other directories of a project",
    pattern: /^projects\/[^/]+\/\.session-aliases$/,
    scope: "machine",
  },
  {
    what: "state of a cloud session",
    pattern: /^projects\/[^/]+\/[^/]+\.ccr-tip\.json$/,
    scope: "machine",
  },
  {
    what: "transcript of a job without messages",
    pattern: /^projects\/[^/]+\/[^/]+\.orphaned-[^/]+\.jsonl$/,
    scope: "machine",
  },
  { what: "terminal recording", pattern: /^projects\/[^/]+\/[^/]+\.cast$/, scope: "machine" },
  {
    what: "locks and marks of the task list",
    pattern: /^tasks\/[^/]+\/\.[^/]+$/,
    scope: "machine",
  },
  { what: "environment of hooks", pattern: /^session-env\//, scope: "machine" },
  { what: "shell snapshots", pattern: /^shell-snapshots\//, scope: "machine" },
  {
    what: "plug-ins, jobs, telemetry and caches",
    pattern:
      /^(?:plugins|jobs|daemon|teams|uploads|debug|telemetry|usage-data|traces|cache|statsig|todos|ide|downloads)\//,
    scope: "machine",
  },
];

/** Returns the kind of a sidecar by its name in the hub: the root, a slash, and the path under it. */
export function sidecarKind(name: string): SidecarKind | undefined {
  const slash = name.indexOf("/");
  const [root, rest] = [name.slice(0, slash), name.slice(slash + 1)];
  return SIDECAR_KINDS.find((kind) => kind.root === root && rest !== "" && kind.pattern.test(rest));
}

/** Returns the name in the hub of a file that belongs to a session, by its path under Claude Code's directory. */
export function sidecarName(path: string): string | undefined {
  const [, rest] = new RegExp(`^projects/[^/]+/${UUID}/(.+)$`).exec(path) ?? [];
  if (rest !== undefined) return `session/${rest}`;
  const [, root, name] = new RegExp(`^(file-history|tasks|image-cache)/${UUID}/(.+)$`).exec(path) ??
    [];
  if (root !== undefined && name !== undefined) return `${root}/${name}`;
  return /^plans\/[^/]+$/.test(path) ? path : undefined;
}

/** Returns what a file under Claude Code's directory is, or `undefined` where no row claims it. */
export function describeFile(path: string): SidecarKind | OtherKind | undefined {
  const other = OTHER_KINDS.find(({ pattern }) => pattern.test(path));
  const name = sidecarName(path);
  return other ?? (name === undefined ? undefined : sidecarKind(name));
}

const RESERVED = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?$/i;

/** Why a sidecar's name cannot be used on every system; `undefined` where it can. */
export function nameFault(name: string): string | undefined {
  // deno-lint-ignore no-control-regex -- control characters are exactly what is looked for
  if (/[\u0000-\u001f\u007f]/.test(name)) return "its name has control characters";
  if (/[\\:*?"<>|]/.test(name)) return "its name has a character that not every system allows";
  for (const part of name.split("/")) {
    if (part === "" || part === "." || part === "..") return "its name leaves its directory";
    if (/^\d{6}$/.test(part)) return "its name is one that the hub uses for segments";
    if (/^(?:\.git|git~\d+)$/i.test(part)) return "its name is reserved by git";
    if (RESERVED.test(part) || /[. ]$/.test(part)) return "its name is reserved on Windows";
    if (new TextEncoder().encode(part).length > 255) return "its name is too long";
  }
  return undefined;
}
