/**
 * This machine's configuration, `config.json`: the original's keys, extended.
 *
 * @module
 */
import { join } from "node:path";
import { posix, win32 } from "node:path";
import * as v from "valibot";
import {
  asMachineId,
  asPlaceholderName,
  type LocalPath,
  type MachineId,
  type PlaceholderName,
} from "../brands.ts";
import { CcsyncError, messageOf } from "../errors.ts";
import { normalRoot, type PathStyle, type Placeholder, rootFault } from "../translate/profile.ts";
import { readTextIfThere, writeFile } from "./files.ts";

/** What the user decided about this machine. */
export interface Config {
  readonly machineId: MachineId;
  /** Tells this installation from another one that was given the same machine id. */
  readonly installation: string;
  /** The hub: a URL or a path, without credentials. */
  readonly remote: string;
  /** Sessions whose project lies under one of these are pushed, pulled and shown. */
  readonly syncDirectories: readonly LocalPath[];
  /** The user's own placeholders on this machine. */
  readonly placeholders: ReadonlyMap<PlaceholderName, LocalPath>;
  /**
   * Claude Code's temporary tree as it was at set-up: a scheduled run has another TMPDIR, and must not take
   * that for a move.
   */
  readonly claudeTmp?: LocalPath;
  /** Seconds between two pushes, and two heartbeats of a lock, while `ccsync resume` runs. */
  readonly interval: number;
  /** Seconds after its last heartbeat that a lock of this machine expires. */
  readonly lockTtl: number;
  /** Whether others may be able to read the hub. @default false */
  readonly allowPublic?: boolean;
  /** The original's keys for a hub on GitHub; kept as they are. */
  readonly github?: { readonly owner: string; readonly repo: string };
}

/** The newest configuration format this version knows. */
const FORMAT = 1;

/** What {@linkcode Config.interval} and {@linkcode Config.lockTtl} are unless the file says otherwise. */
export const DEFAULT_TIMES = { interval: 120, lockTtl: 600 } as const;

const seconds = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(86_400));
const text = v.pipe(v.string(), v.nonEmpty("must not be empty"));
// Do not change: format 1 is read by older ccsync, and its first five keys by claude-session-sync.
const schema = v.strictObject({
  format: v.optional(v.number()),
  machine_id: text,
  installation: v.optional(text),
  remote: v.optional(text),
  github_owner: v.optional(v.string()),
  github_repo: v.optional(v.string()),
  sync_directories: v.array(text),
  custom_placeholders: v.record(v.string(), text),
  claude_tmp: v.optional(text),
  interval: v.optional(seconds, DEFAULT_TIMES.interval),
  lock_ttl: v.optional(seconds, DEFAULT_TIMES.lockTtl),
  allow_public: v.optional(v.boolean()),
});

/** Returns where the configuration is. */
export function configPath(ccsyncHome: string): string {
  return join(ccsyncHome, "config.json");
}

/**
 * Reads the configuration.
 *
 * @throws {CcsyncError} kind "setup" when there is none, or naming the key that is wrong and the fix
 */
export function readConfig(ccsyncHome: string, style: PathStyle): Config {
  const config = readConfigIfThere(ccsyncHome, style);
  if (config !== undefined) return config;
  throw new CcsyncError(
    "setup",
    `cannot read the configuration "${configPath(ccsyncHome)}": this machine is not set up`,
    { hints: ["run: ccsync init --remote URL-or-path"] },
  );
}

/** Reads the configuration, or returns `undefined` where this machine is not set up. */
export function readConfigIfThere(ccsyncHome: string, style: PathStyle): Config | undefined {
  const path = configPath(ccsyncHome);
  const content = readTextIfThere(path);
  return content === undefined ? undefined : parseConfig(content, path, style);
}

/** Returns the configuration that a file's content says. Throws as {@linkcode readConfig}. */
export function parseConfig(content: string, path: string, style: PathStyle): Config {
  const raw = validate(parseJson(content, path), path);
  const machineId = asMachineId(raw.machine_id);
  if (machineId === undefined) throw broken(path, "machine_id", MACHINE_ID_RULE);
  const { github_owner: owner = "", github_repo: repo = "" } = raw;
  const github = owner !== "" && repo !== "" ? { owner, repo } : undefined;
  const remote = raw.remote ??
    (github === undefined ? undefined : `https://github.com/${github.owner}/${github.repo}.git`);
  if (remote === undefined) throw broken(path, "remote", "is missing");
  const placeholders = readPlaceholders(raw.custom_placeholders, path, style);
  return {
    machineId,
    installation: raw.installation ?? "",
    remote,
    syncDirectories: raw.sync_directories.map((directory) => {
      return checkDirectory(directory, style, (why) => broken(path, "sync_directories", why));
    }),
    placeholders,
    ...(raw.claude_tmp === undefined ? {} : { claudeTmp: raw.claude_tmp as LocalPath }),
    interval: raw.interval,
    lockTtl: raw.lock_ttl,
    ...(raw.allow_public === true ? { allowPublic: true } : {}),
    ...(github === undefined ? {} : { github }),
  };
}

/** Writes the configuration. */
export function writeConfig(ccsyncHome: string, config: Config): void {
  const raw: v.InferInput<typeof schema> = {
    format: FORMAT,
    machine_id: config.machineId,
    installation: config.installation,
    remote: config.remote,
    ...(config.github === undefined
      ? {}
      : { github_owner: config.github.owner, github_repo: config.github.repo }),
    sync_directories: [...config.syncDirectories],
    custom_placeholders: Object.fromEntries(config.placeholders),
    ...(config.claudeTmp === undefined ? {} : { claude_tmp: config.claudeTmp }),
    ...(config.interval === DEFAULT_TIMES.interval ? {} : { interval: config.interval }),
    ...(config.lockTtl === DEFAULT_TIMES.lockTtl ? {} : { lock_ttl: config.lockTtl }),
    ...(config.allowPublic === true ? { allow_public: true } : {}),
  };
  writeFile(configPath(ccsyncHome), JSON.stringify(raw, null, 2) + "\n");
}

/** What a machine id has to look like, for messages. */
export const MACHINE_ID_RULE =
  "must be 1 to 64 letters, digits, dots, dashes or underscores, and begin with a letter or digit";

/**
 * Returns a directory as an absolute, normal path.
 *
 * @param fail Makes the error from why the directory cannot be used
 */
export function checkDirectory(
  directory: string,
  style: PathStyle,
  fail: (why: string) => CcsyncError,
): LocalPath {
  const path = style === "windows" ? win32 : posix;
  const { root } = path.parse(path.normalize(directory));
  // `\\work` is on whatever drive a process happens to be.
  const isAbsolute = path.isAbsolute(directory) && !(style === "windows" && root === "\\");
  if (!isAbsolute) throw fail(`"${directory}" is not an absolute path`);
  const normal = path.normalize(directory + path.sep);
  return (normal === root ? root : normal.slice(0, -1)) as LocalPath;
}

/**
 * Returns the user's placeholders, checked: names by the rule, absolute paths, no path twice.
 *
 * @throws {CcsyncError} kind "usage" naming the placeholder and what is wrong with it
 */
export function checkPlaceholders(
  entries: Iterable<readonly [string, string]>,
  style: PathStyle,
): Map<PlaceholderName, LocalPath> {
  const checked = new Map<PlaceholderName, LocalPath>();
  for (const [name, path] of entries) {
    const placeholder = checkPlaceholder(name, path, style);
    for (const [other, root] of checked) {
      if (root === placeholder.root && other !== placeholder.name) {
        throw new CcsyncError(
          "usage",
          `cannot use "${path}" for the placeholder "${name}": it is the path of "${other}" already`,
          { hints: ["give every placeholder a directory of its own"] },
        );
      }
    }
    checked.set(placeholder.name, placeholder.root);
  }
  return checked;
}

/** Returns one placeholder, checked. Throws as {@linkcode checkPlaceholders}. */
export function checkPlaceholder(name: string, path: string, style: PathStyle): Placeholder {
  const checked = asPlaceholderName(name);
  if (checked === undefined) {
    throw new CcsyncError(
      "usage",
      `cannot use the placeholder name "${name}": it breaks the rule`,
      {
        hints: ["use capital letters, digits and underscores, beginning with a letter: PROJECTS"],
      },
    );
  }
  if (isBuiltIn(name)) {
    throw new CcsyncError("usage", `cannot set the placeholder "${name}": it is built in`, {
      hints: ["HOME, CLAUDE and CLAUDE_TMP are known on every machine; choose another name"],
    });
  }
  const fault = rootFault(style, path);
  if (fault !== undefined) {
    throw new CcsyncError("usage", `cannot use "${path}" for the placeholder "${name}": ${fault}`, {
      hints: [`give an absolute path: --add-placeholder ${name}=/home/you/projects`],
    });
  }
  return { name: checked, root: normalRoot(style, path) };
}

const BUILT_IN: ReadonlySet<string> = new Set(["HOME", "CLAUDE", "CLAUDE_TMP"]);

/** Returns whether a placeholder of this name is known on every machine, so that nobody can set it. */
export function isBuiltIn(name: string): boolean {
  return BUILT_IN.has(name);
}

function readPlaceholders(
  raw: Readonly<Record<string, string>>,
  path: string,
  style: PathStyle,
): Map<PlaceholderName, LocalPath> {
  try {
    return checkPlaceholders(Object.entries(raw), style);
  } catch (error) {
    throw broken(path, "custom_placeholders", messageOf(error));
  }
}

function parseJson(content: string, path: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new CcsyncError("setup", `cannot read the configuration "${path}": it is not JSON`, {
      hints: ["mend the file, or move it away and run: ccsync init"],
      cause: error,
    });
  }
}

function validate(raw: unknown, path: string): v.InferOutput<typeof schema> {
  const format = typeof raw === "object" && raw !== null && "format" in raw ? raw.format : FORMAT;
  if (typeof format === "number" && format > FORMAT) {
    throw new CcsyncError(
      "setup",
      `cannot read the configuration "${path}": it has format ${format}, this version knows ${FORMAT}`,
      { hints: ["install the newest ccsync on this machine; nothing was changed"] },
    );
  }
  const result = v.safeParse(schema, raw);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const key = v.getDotPath(issue);
  if (key === null) throw broken(path, undefined, issue.message);
  const isMissing = issue.input === undefined;
  const why = issue.expected === "never" ? "is an unknown key" : issue.message;
  throw broken(path, key, isMissing ? "is missing" : why);
}

function broken(path: string, key: string | undefined, why: string): CcsyncError {
  const fault = key === undefined ? why : `${key}: ${why}`;
  return new CcsyncError("setup", `cannot read the configuration "${path}": ${fault}`, {
    hints: [`mend ${key === undefined ? "the file" : `${key} in the file`}; nothing was changed`],
  });
}
