/**
 * What a push or a pull works with: this machine, its state, the mirror, and the translators.
 *
 * @module
 */
import { join } from "node:path";
import type { LocalPath, Oid, PlaceholderName, PortablePath } from "../brands.ts";
import { retentionDays } from "../claude/retention.ts";
import { CcsyncError, systemFailure } from "../errors.ts";
import { type Meta, parseMeta } from "../hub/format.ts";
import { Mirror } from "../hub/mirror.ts";
import type { Transfer } from "../hub/transfer.ts";
import { type Config, writeConfig } from "../machine/config.ts";
import type { Environment } from "../machine/environment.ts";
import { Journal } from "../machine/journal.ts";
import { clearLeftovers } from "../machine/files.ts";
import { State } from "../machine/state.ts";
import { utf8 } from "../translate/bytes.ts";
import { localPath, portablePath } from "../translate/paths.ts";
import {
  makeProfile,
  type PathStyle,
  type Placeholder,
  type Profile,
  profileKey,
  rootFault,
} from "../translate/profile.ts";
import { dashed, projectDirName } from "../translate/project_dir.ts";
import { toLocal } from "../translate/to_local.ts";
import { TOKEN_OPEN } from "../translate/token.ts";
import type { Codec } from "../translate/context.ts";
import { Translator } from "../translate/translator.ts";
import { refreshCatalogue } from "./catalogue.ts";
import { Readings } from "./readings.ts";

/** Where the work reports to while it goes on. Nothing of it is a result. */
export interface Progress {
  /** Tells what is being done. */
  step(what: string): void;
  /** Tells that longer work begins: how much it is, and how much of it an earlier part has done. */
  begin(what: string, total: Amount, done: Amount): void;
  /** Tells that so much more of it is done. */
  advance(done: Partial<Amount>): void;
  /** Tells how far git's part of it has come; absent where nobody looks. */
  readonly transfer?: (transfer: Transfer) => void;
  /** Tells of something the user should know. */
  warn(what: string): void;
}

/** An amount of work. */
export interface Amount {
  readonly bytes: number;
  readonly sessions: number;
}

const decoder = new TextDecoder();

/** An open workspace. Dispose it. */
export class Workspace implements AsyncDisposable {
  readonly env: Environment;
  readonly state: State;
  readonly mirror: Mirror;
  /** Where every change of Claude Code's directory is noted before it is made. */
  readonly journal: Journal;
  readonly progress: Progress;
  readonly readings: Readings;
  readonly #translators = new Map<string, Translator>();
  readonly #save: (config: Config) => void;
  #config: Config;
  #profile: Profile;
  #profileKey: string;
  #retentionDays: number | undefined;

  private constructor(
    env: Environment,
    config: Config,
    state: State,
    progress: Progress,
    save: (config: Config) => void,
  ) {
    this.env = env;
    this.#save = save;
    this.state = state;
    this.progress = progress;
    this.readings = new Readings(env.os);
    this.mirror = new Mirror(env.ccsyncHome, config.remote, progress.transfer);
    this.journal = new Journal(env.ccsyncHome, env.now);
    this.#config = config;
    this.#profile = profileOf(env, config);
    this.#profileKey = profileKey(this.#profile);
  }

  get config(): Config {
    return this.#config;
  }

  /** Names the placeholders and paths in force: files written with another key have other paths in them. */
  get profileKey(): string {
    return this.#profileKey;
  }

  /** For how many days after the last write Claude Code keeps a session's files here. */
  get retentionDays(): number {
    return this.#retentionDays ??= retentionDays(this.env.claudeDir);
  }

  /** Takes over other placeholders, and writes them down if they are others. */
  setPlaceholders(placeholders: Config["placeholders"]): void {
    const profile = profileOf(this.env, { ...this.#config, placeholders });
    const key = profileKey(profile);
    if (key === this.#profileKey) return;
    const syncDirectories = this.#config.syncDirectories.map((directory) =>
      followed(this.env.style, directory, this.#config.placeholders, placeholders)
    );
    this.#config = { ...this.#config, placeholders, syncDirectories };
    this.#profile = profile;
    this.#profileKey = key;
    this.#save(this.#config);
  }

  /**
   * Opens the state and names the mirror; nothing is fetched.
   *
   * @param save Keeps a configuration that changed @default {writes config.json}
   */
  static open(
    env: Environment,
    config: Config,
    progress: Progress,
    save: (config: Config) => void = (changed) => writeConfig(env.ccsyncHome, changed),
  ): Workspace {
    for (const directory of unlistedDirectories(env)) clearLeftovers(directory);
    return new Workspace(env, config, openState(env, progress), progress, save);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mirror[Symbol.asyncDispose]();
    this.state[Symbol.dispose]();
  }

  /**
   * Returns a failure as it has to be told: of damage to the mirror or the state, which are caches, that it
   * was found and set aside, so that the next run makes them anew.
   */
  async explained(error: unknown): Promise<unknown> {
    if (!(error instanceof CcsyncError)) {
      return this.state.setAsideIfDamaged(error) ?? systemFailure(error) ?? error;
    }
    return await this.mirror.setAsideIfDamaged(error) ?? error;
  }

  /**
   * Returns the translator of a codec, for this machine's profile or an earlier one of it.
   *
   * @param project Whose files are to be made portable: the cut directory name of a deeply nested project
   * can only be translated by who knows what it stands for
   */
  translator(codec: Codec, key?: string, project?: LocalPath): Translator {
    const profileKey = key ?? this.#profileKey;
    const isCut = project !== undefined && projectDirName(project) !== dashed(project);
    const cwds = isCut ? [project] : [];
    const name = `${codec} ${profileKey} ${cwds.join()}`;
    let translator = this.#translators.get(name);
    if (translator === undefined) {
      const profile = profileKey === this.#profileKey ? this.#profile : parseProfileKey(profileKey);
      translator = new Translator(profile, codec, cwds);
      this.#translators.set(name, translator);
    }
    return translator;
  }

  /** Returns a path of this machine in portable form. */
  portable(path: LocalPath): PortablePath {
    return portablePath(this.translator("json"), path);
  }

  /**
   * Returns a portable path as this machine's own, or which placeholders have no path here.
   *
   * @param key The profile, where it is not today's
   */
  local(path: PortablePath, key?: string): ReturnType<typeof localPath> {
    return localPath(this.translator("json", key), path);
  }

  /** Returns what the hub says of a session, in local form. */
  localJson(meta: Meta): Meta | undefined {
    return this.localMeta(JSON.stringify(meta));
  }

  /** Returns a session's `meta.json` of the hub in local form. */
  localMeta(json: string): Meta | undefined {
    if (!json.includes(TOKEN_OPEN)) return parseMeta(json);
    return parseMeta(decoder.decode(toLocal(this.translator("json"), utf8(json))));
  }

  /** Returns whether a project's sessions are synced and shown here. */
  isInScope(project: LocalPath): boolean {
    return this.config.syncDirectories.some((directory) =>
      isUnder(this.env.style, project, directory)
    );
  }
}

/** Opens the state, and tells where it has to be rebuilt. */
export function openState(
  { ccsyncHome }: Pick<Environment, "ccsyncHome">,
  progress: Pick<Progress, "warn">,
): State {
  return State.open(ccsyncHome, (why) => {
    progress.warn(`the state was set aside (${why}) and is rebuilt from the hub and your sessions`);
  });
}

/** Returns the directories in which files are replaced, but that no push or pull lists. */
function unlistedDirectories({ ccsyncHome, claudeDir }: Environment): string[] {
  const backups = join(ccsyncHome, "backups");
  const own = [ccsyncHome, backups, join(backups, "objects"), join(backups, "operations")];
  return [...own, claudeDir, join(claudeDir, "plans")];
}

/** Fetches, brings the catalogue up to date, tells what of the hub is not used, and returns the hub's head. */
export async function fetchHub({ mirror, progress, state }: Workspace): Promise<Oid | undefined> {
  progress.step("fetching from the hub");
  await mirror.prepare();
  const head = await mirror.fetch();
  await takeOver({ mirror, progress, state }, head);
  return head;
}

/** Does the same with what was fetched last, without asking the hub. */
export async function knownHub({ mirror, progress, state }: Workspace): Promise<Oid | undefined> {
  await mirror.prepare();
  const head = await mirror.head();
  await takeOver({ mirror, progress, state }, head);
  return head;
}

/** So many names of a hub that somebody else wrote to are told of, and so many characters of each. */
const MOST_TOLD = 20;
const LONGEST_TOLD = 300;

async function takeOver(
  { mirror, progress, state }: Pick<Workspace, "mirror" | "progress" | "state">,
  head: Oid | undefined,
): Promise<void> {
  const faults = await refreshCatalogue(mirror, state, head);
  for (const { path, why } of faults.slice(0, MOST_TOLD)) {
    const name = path.length > LONGEST_TOLD ? `${path.slice(0, LONGEST_TOLD)}...` : path;
    progress.warn(`"${name}" of the hub is not used: ${why}`);
  }
  if (faults.length > MOST_TOLD) {
    progress.warn(`${faults.length - MOST_TOLD} more names of the hub are not used`);
  }
}

/** Returns this machine's profile: the user's placeholders and the built-in ones. */
export function profileOf(
  env: Environment,
  { claudeTmp, placeholders }: Pick<Config, "claudeTmp" | "placeholders">,
): Profile {
  const own = [...placeholders].map(([name, root]): Placeholder => ({ name, root }));
  const builtIn = [["HOME", env.home], ["CLAUDE", env.claudeDir], [
    "CLAUDE_TMP",
    claudeTmp ?? env.claudeTmp,
  ]]
    .map(([name, root]) => ({ name, root }) as Placeholder)
    // A container's home can be "/": no placeholder can stand for that.
    .filter(({ root }) => rootFault(env.style, root) === undefined);
  return makeProfile(env.style, [...own, ...builtIn]);
}

/** Returns whether a path is a directory or lies under it. */
export function isUnder(style: PathStyle, path: string, directory: string): boolean {
  if (style === "posix") return isWithin(path, directory, "/");
  const normal = (text: string) => text.replaceAll("/", "\\").toLowerCase();
  return isWithin(normal(path), normal(directory), "\\");
}

function isWithin(path: string, directory: string, separator: string): boolean {
  if (!path.startsWith(directory)) return false;
  return path.length === directory.length || directory.endsWith(separator) ||
    path[directory.length] === separator;
}

/** Returns a directory as it reads after placeholders moved: one under a root moves with it. */
function followed(
  style: PathStyle,
  directory: LocalPath,
  before: Config["placeholders"],
  after: Config["placeholders"],
): LocalPath {
  for (const [name, root] of before) {
    const moved = after.get(name);
    if (moved !== undefined && isUnder(style, directory, root)) {
      return (moved + directory.slice(root.length)) as LocalPath;
    }
  }
  return directory;
}

/** Reads a profile from the key that {@linkcode profileKey} made of it. */
function parseProfileKey(key: string): Profile {
  const [style, roots] = JSON.parse(key) as [PathStyle, [PlaceholderName, LocalPath][]];
  return makeProfile(style, roots.map(([name, root]) => ({ name, root })));
}
