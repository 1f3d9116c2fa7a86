/**
 * Registers this machine with a hub: the same on the first and on every further machine.
 *
 * @module
 */
import { join } from "node:path";
import { asMachineId, type LocalPath, type MachineId, type PlaceholderName } from "../brands.ts";
import { CcsyncError } from "../errors.ts";
import type { MachineRecord, SharedPlaceholders } from "../hub/format.ts";
import { requireGit } from "../hub/git.ts";
import {
  addressOf,
  createRepository,
  githubHost,
  type GithubRepository,
  parseRepository,
  repositoryOf,
  requireGithub,
  visibilityOf,
} from "../hub/github.ts";
import { createBareHub, Mirror } from "../hub/mirror.ts";
import { expandHome, parseRemote, pathState, type Remote } from "../hub/remote.ts";
import {
  checkDirectory,
  checkPlaceholders,
  type Config,
  configPath,
  DEFAULT_TIMES,
  MACHINE_ID_RULE,
  readConfigIfThere,
  writeConfig,
} from "../machine/config.ts";
import { type Environment, randomId } from "../machine/environment.ts";
import {
  entriesOf,
  lstatIfThere,
  makePrivateDirectory,
  patiently,
  removeTree,
} from "../machine/files.ts";
import { readMachines, readShared, reconcilePlaceholders } from "./machines.ts";
import { isOtherThanDirectory } from "./project_folders.ts";
import { push } from "./push.ts";
import { type Readers, readersOf, refusePublic } from "./visibility.ts";
import { type Progress, Workspace } from "./workspace.ts";

/** Where the hub is to be: an address, or a repository at GitHub, `OWNER/NAME` or `NAME`. */
export type HubChoice = { readonly address: string } | { readonly repository: string };

/** What was found where the hub is to be, before anything is written. */
export interface HubView {
  readonly remote: Remote;
  /** What has to be made first. */
  readonly missing: "nothing" | "folder" | "repository";
  /** The machines that are registered, by id. */
  readonly machines: ReadonlyMap<string, MachineRecord>;
  readonly shared: SharedPlaceholders;
}

/** What the user wants; what is missing keeps its value, or gets a default. */
export interface Wishes {
  readonly machineId?: string;
  /** Directories that are synced beside those that are already, or instead of them. */
  readonly syncDirectories: readonly string[];
  readonly replacesDirectories?: boolean;
  /** `NAME=PATH` pairs. */
  readonly placeholders: readonly (readonly [string, string])[];
  /** Whether others may be able to read the hub. */
  readonly allowPublic?: boolean;
}

/** What was set up. */
export interface SetupReport {
  readonly config: Config;
  /** Whether a hub was created. */
  readonly isHubCreated: boolean;
  /** Whether this machine was not registered before. */
  readonly isNewMachine: boolean;
}

/** Runs work that changes mirror, state or configuration while no other ccsync does. */
export type Alone = <T>(work: () => Promise<T>) => Promise<T>;

/** What is not taken for left over: another `init` may be waiting for answers. Milliseconds. */
const STAGING_KEPT_MS = 24 * 60 * 60_000;
const STAGING = "setup-";

/**
 * One run of `init`: looks at hubs, as many as are named, and then sets the machine up. Another hub than the
 * present one is fetched into a place of its own, which takes the place of mirror and state at the very end:
 * either all of it is there, or nothing. Dispose it.
 */
export class Setup implements Disposable {
  readonly env: Environment;
  /** The present configuration. */
  readonly existing: Config | undefined;
  readonly #progress: Progress;
  readonly #alone: Alone;
  /** Whether ccsync's directory has to go again if nothing comes of this. */
  readonly #isFirst: boolean;
  #staging: string | undefined;

  private constructor(env: Environment, progress: Progress, alone: Alone) {
    this.env = env;
    this.#progress = progress;
    this.#alone = alone;
    this.#isFirst = lstatIfThere(env.ccsyncHome) === undefined;
    this.existing = readConfigIfThere(env.ccsyncHome, env.style);
  }

  /**
   * Begins.
   *
   * @throws {CcsyncError} kind "setup" without a usable git, or with a broken configuration
   */
  static async begin(env: Environment, progress: Progress, alone: Alone): Promise<Setup> {
    await requireGit();
    return new Setup(env, progress, alone);
  }

  [Symbol.dispose](): void {
    this.#dropStaging();
    const { ccsyncHome } = this.env;
    if (this.#isFirst && lstatIfThere(configPath(ccsyncHome)) === undefined) removeTree(ccsyncHome);
  }

  /**
   * Looks at what is to be the hub: whether it can be reached, is a hub or can become one, and who can read
   * it. Nothing is created.
   *
   * @throws {CcsyncError} kind "usage" for what is no address, "setup" for what is no hub or is public,
   * "unreachable", "credentials"
   */
  async look(choice: HubChoice, allowPublic = false): Promise<HubView> {
    if ("repository" in choice) return await this.#lookAtGithub(choice.repository, allowPublic);
    const remote = parseRemote(expandHome(choice.address, this.env.home));
    if (remote.kind === "path") {
      const state = pathState(remote.address);
      if (state === "other") throw noRepository(remote.address);
      if (state === "nothing") {
        if (this.existing?.remote === remote.address) throw gone(remote.address);
        return nothingAt(remote, "folder", choice.address);
      }
    } else if (repositoryOf(remote.address) !== undefined) {
      this.#progress.step("asking GitHub who can read the hub");
      this.#requirePrivate(remote, allowPublic, await readersOf(remote.address));
    }
    return await this.#fetch(remote);
  }

  async #lookAtGithub(text: string, allowPublic: boolean): Promise<HubView> {
    const { name, owner } = parseRepository(text);
    this.#progress.step("asking GitHub");
    const host = githubHost();
    const login = await requireGithub(host);
    const repository: GithubRepository = { host, owner: owner ?? login, name };
    const remote: Remote = { kind: "url", address: addressOf(repository) };
    const visibility = await visibilityOf(repository);
    if (visibility === undefined) return nothingAt(remote, "repository");
    this.#requirePrivate(remote, allowPublic, { visibility });
    return await this.#fetch(remote);
  }

  /** What the user allowed counts for the hub that it was said of. */
  #requirePrivate({ address }: Remote, allowPublic: boolean, readers: Readers): void {
    const wasAllowed = this.existing?.remote === address && this.existing.allowPublic === true;
    refusePublic({ allowPublic: allowPublic || wasAllowed, remote: address }, readers);
  }

  async #fetch(remote: Remote): Promise<HubView> {
    const isOwn = this.existing?.remote === remote.address;
    const look = async (): Promise<HubView> => {
      this.#progress.step("fetching from the hub");
      await using mirror = new Mirror(
        this.#homeFor(remote),
        remote.address,
        this.#progress.transfer,
      );
      await mirror.prepare();
      const head = await mirror.fetch();
      const machines = await readMachines(mirror, head);
      return { remote, missing: "nothing", machines, shared: await readShared(mirror, head) };
    };
    if (isOwn) return await this.#alone(look);
    this.#dropStaging();
    return await look();
  }

  /** Mirror and state of the present hub are ccsync's own; those of another one are built elsewhere. */
  #homeFor({ address }: Remote): LocalPath {
    const { ccsyncHome } = this.env;
    if (this.existing?.remote === address) return ccsyncHome;
    if (this.#staging === undefined) {
      makePrivateDirectory(ccsyncHome);
      removeLeftovers(ccsyncHome, this.env.now());
      this.#staging = join(ccsyncHome, STAGING + randomId().slice(0, 8));
      makePrivateDirectory(this.#staging);
    }
    return this.#staging as LocalPath;
  }

  #dropStaging(): void {
    if (this.#staging !== undefined) removeTree(this.#staging);
    this.#staging = undefined;
  }

  /**
   * Sets the machine up at a hub that was looked at.
   *
   * @throws {CcsyncError} as {@linkcode Setup.look}, and kind "usage" for bad wishes, "setup" when the machine
   * id is another machine's; nothing is left behind but a repository at GitHub, of which the error tells
   */
  async finish(view: HubView, wishes: Wishes): Promise<SetupReport> {
    const config = configFor(this.env, view, wishes, this.existing);
    return await this.#alone(async () => {
      const undo = await create(view);
      try {
        const report = await this.#connect(view, config);
        return { ...report, isHubCreated: view.missing !== "nothing" };
      } catch (error) {
        throw undo(error);
      }
    });
  }

  async #connect(view: HubView, config: Config): Promise<Omit<SetupReport, "isHubCreated">> {
    const ccsyncHome = this.#homeFor(view.remote);
    const env = { ...this.env, ccsyncHome };
    const isNewMachine = !view.machines.has(config.machineId);
    let connected = config;
    {
      await using workspace = Workspace.open(env, config, this.#progress, () => undefined);
      await push(workspace, { isDryRun: false, all: false, isRegistrationOnly: true });
      connected = workspace.config;
    }
    // What there was is a cache of the old hub.
    if (ccsyncHome !== this.env.ccsyncHome) replaceCaches(ccsyncHome, this.env.ccsyncHome);
    writeConfig(this.env.ccsyncHome, connected);
    return { config: connected, isNewMachine };
  }
}

/**
 * Returns the configuration that comes of the wishes, all of it checked.
 *
 * @throws {CcsyncError} kind "usage", or "setup" when the machine id is another machine's
 */
export function configFor(
  env: Environment,
  view: Pick<HubView, "machines" | "remote" | "shared">,
  wishes: Wishes,
  existing: Config | undefined,
): Config {
  const machineId = machineIdOf(env, view, wishes, existing);
  const { allowPublic, github, ...kept } = existing ?? {};
  const own = { machineId, placeholders: placeholdersOf(env, wishes, existing) };
  // Where the configuration was lost, the hub still knows what the machine's paths were.
  const { own: placeholders } = reconcilePlaceholders(own, view.shared, new Map(), env.style);
  const isSameHub = existing?.remote === view.remote.address;
  return {
    ...DEFAULT_TIMES,
    ...kept,
    machineId,
    installation: installationOf(env, view.machines.get(machineId), existing),
    remote: view.remote.address,
    syncDirectories: syncDirectoriesOf(env, wishes, existing, placeholders),
    // Of what changed elsewhere since, the push takes account.
    placeholders: existing === undefined ? placeholders : own.placeholders,
    claudeTmp: env.claudeTmp,
    ...(wishes.allowPublic === true || (isSameHub && allowPublic === true)
      ? { allowPublic: true }
      : {}),
    ...(isSameHub && github !== undefined ? { github } : {}),
  };
}

/**
 * Returns the machine's id where none is wished for: the present one, or one from the host name that no other
 * machine of the hub has.
 */
export function suggestMachineId(
  env: Environment,
  { machines }: Pick<HubView, "machines">,
  existing: Config | undefined,
): string {
  if (existing !== undefined) return existing.machineId;
  const fromHost = idFromHostname(env.hostname);
  for (let i = 1;; i++) {
    const id = i === 1 ? fromHost : `${fromHost}-${i}`;
    const record = machines.get(id);
    if (record === undefined || isThisComputer(env, record)) return id;
  }
}

/**
 * Returns what is wrong with a machine id, `undefined` where nothing is.
 */
export function machineIdFault(
  env: Environment,
  { machines }: Pick<HubView, "machines">,
  existing: Config | undefined,
  text: string,
): string | undefined {
  const id = asMachineId(text);
  if (id === undefined) return `it ${MACHINE_ID_RULE}`;
  const record = machines.get(id);
  if (record === undefined || isOwnRecord(env, record, existing)) return undefined;
  return `another machine has that id (host "${record.hostname}", home "${record.home}", registered ${record.registeredAt})`;
}

function machineIdOf(
  env: Environment,
  view: Pick<HubView, "machines">,
  wishes: Wishes,
  existing: Config | undefined,
): MachineId {
  const text = wishes.machineId ?? suggestMachineId(env, view, existing);
  const id = asMachineId(text);
  const fault = machineIdFault(env, view, existing, text);
  if (id !== undefined && fault === undefined) return id;
  if (id !== undefined) {
    throw new CcsyncError("setup", `cannot register as "${text}": ${fault}`, {
      hints: ["choose another id: --machine-id NEW-ID; nothing was changed"],
    });
  }
  throw new CcsyncError("usage", `cannot use the machine id "${text}": ${fault}`, {
    hints: ["pass another: --machine-id laptop"],
  });
}

function isThisComputer(env: Environment, record: MachineRecord): boolean {
  return record.hostname === env.hostname && record.home === env.home && record.os === env.os;
}

function isOwnRecord(
  env: Environment,
  record: MachineRecord,
  existing: Config | undefined,
): boolean {
  return record.installation === existing?.installation || isThisComputer(env, record);
}

/** The hub may know this machine already, for example where its configuration was lost. */
function installationOf(
  env: Environment,
  record: MachineRecord | undefined,
  existing: Config | undefined,
): string {
  const isKnown = record !== undefined && isOwnRecord(env, record, existing);
  return isKnown ? record.installation : existing?.installation || randomId();
}

function placeholdersOf(
  env: Environment,
  wishes: Wishes,
  existing: Config | undefined,
): Map<PlaceholderName, LocalPath> {
  const given = wishes.placeholders.map(([name, path]): [string, string] => {
    return [name, expandHome(path, env.home)];
  });
  const names = new Set(given.map(([name]) => name));
  const kept = [...existing?.placeholders ?? []].filter(([name]) => !names.has(name));
  return checkPlaceholders([...kept, ...given], env.style);
}

function syncDirectoriesOf(
  env: Environment,
  wishes: Wishes,
  existing: Config | undefined,
  placeholders: ReadonlyMap<PlaceholderName, LocalPath>,
): readonly LocalPath[] {
  const given = wishes.syncDirectories.map((directory) => syncDirectory(env, directory));
  const kept = wishes.replacesDirectories === true ? [] : existing?.syncDirectories ?? [];
  const asked = [...new Set([...kept, ...given])];
  if (asked.length > 0) return asked;
  return placeholders.size > 0 ? [...placeholders.values()] : [env.home];
}

/**
 * Returns a directory whose projects are to be synced, as an absolute path.
 *
 * @throws {CcsyncError} kind "usage"
 */
export function syncDirectory(env: Environment, text: string): LocalPath {
  const fail = (why: string) =>
    new CcsyncError("usage", `cannot sync "${text}": ${why}`, {
      hints: ["give an absolute path: --sync-dir /home/you/projects"],
    });
  const directory = checkDirectory(expandHome(text, env.home), env.style, fail);
  if (isOtherThanDirectory(directory)) throw fail("it is no directory");
  return directory;
}

function idFromHostname(hostname: string): string {
  const [name = ""] = hostname.toLowerCase().split(".");
  return name.replace(/[^a-z0-9-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 50) || "machine";
}

function nothingAt(
  remote: Remote,
  missing: "folder" | "repository",
  typed: string = remote.address,
): HubView {
  if (missing === "folder" && !/^(?:[./\\~]|[A-Za-z]:[\\/])/.test(typed)) {
    throw new CcsyncError(
      "usage",
      `cannot use "${typed}" as the hub: it is no URL, and nothing is there`,
      {
        hints: [`a URL begins with https:// or ssh://; to make a hub here, write ./${typed}`],
      },
    );
  }
  return { remote, missing, machines: new Map(), shared: new Map() };
}

function noRepository(path: string): CcsyncError {
  return new CcsyncError("setup", `cannot use "${path}" as the hub: it is not a git repository`, {
    hints: ["name a hub, or a path where nothing is; nothing was changed"],
  });
}

function gone(path: string): CcsyncError {
  return new CcsyncError(
    "unreachable",
    `cannot reach the hub "${path}": nothing is there any more`,
    {
      hints: ["bring it back, or name another one: ccsync init --remote URL-or-path"],
    },
  );
}

/** Creates the hub where it is missing, and returns what to do about a failure after that. */
async function create({ missing, remote }: HubView): Promise<(error: unknown) => unknown> {
  if (missing === "repository") {
    const repository = repositoryOf(remote.address);
    if (repository === undefined) throw new RangeError(`Cannot create "${remote.address}"`);
    await createRepository(repository);
    return (error) => withHint(error, `the repository ${remote.address} is there now, empty`);
  }
  if (missing === "nothing") return (error) => error;
  const isThere = lstatIfThere(remote.address) !== undefined;
  const undo = (error: unknown) => {
    if (!isThere) removeTree(remote.address);
    return error;
  };
  try {
    await createBareHub(remote.address);
    return undo;
  } catch (error) {
    throw undo(error);
  }
}

function withHint(error: unknown, hint: string): unknown {
  if (!(error instanceof CcsyncError)) return error;
  const { hints, kind, message, transient } = error;
  const more = `${hint}; running ccsync init again uses it`;
  return new CcsyncError(kind, message, { hints: [...hints, more], transient, cause: error });
}

const CACHES = ["mirror.git", "state.db", "state.db-wal", "state.db-shm"] as const;

function replaceCaches(from: string, to: string): void {
  for (const name of CACHES) {
    removeTree(join(to, name));
    const made = join(from, name);
    if (lstatIfThere(made) !== undefined) {
      patiently(() => Deno.renameSync(made, join(to, name)));
    }
  }
}

/** Removes what an `init` that was killed left behind. */
function removeLeftovers(ccsyncHome: string, now: number): void {
  for (const { name } of entriesOf(ccsyncHome)) {
    const path = join(ccsyncHome, name);
    const age = now - (lstatIfThere(path)?.mtime?.getTime() ?? now);
    if (name.startsWith(STAGING) && age > STAGING_KEPT_MS) removeTree(path);
  }
}
