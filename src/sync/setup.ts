/**
 * Registers this machine with a hub: the same on the first and on every further machine.
 *
 * @module
 */
import { join } from "node:path";
import { asMachineId, type LocalPath, type MachineId, type PlaceholderName } from "../brands.ts";
import { CcsyncError } from "../errors.ts";
import { requireGit } from "../hub/git.ts";
import { createBareHub } from "../hub/mirror.ts";
import { parseRemote, pathState, type Remote } from "../hub/remote.ts";
import {
  checkDirectory,
  checkPlaceholders,
  type Config,
  DEFAULT_TIMES,
  MACHINE_ID_RULE,
  readConfigIfThere,
  writeConfig,
} from "../machine/config.ts";
import { type Environment, randomId } from "../machine/environment.ts";
import { lstatIfThere } from "../machine/files.ts";
import { readMachine } from "./machines.ts";
import { push } from "./push.ts";
import { fetchHub, type Progress, Workspace } from "./workspace.ts";

/** What the user asked for; what is missing keeps its value, or gets a default. */
export interface SetupOptions {
  readonly remote?: string;
  readonly machineId?: string;
  readonly syncDirectories: readonly string[];
  /** `NAME=PATH` pairs. */
  readonly placeholders: readonly (readonly [string, string])[];
}

/** What was set up. */
export interface SetupReport {
  readonly config: Config;
  /** Whether a hub was created at the path. */
  readonly isHubCreated: boolean;
  /** Whether this machine was not registered before. */
  readonly isNewMachine: boolean;
}

/**
 * Sets this machine up. Everything is checked before anything is written, and the configuration comes
 * last: either all of it is there, or nothing.
 *
 * @throws {CcsyncError} kind "usage" for bad input, "setup" when the machine id is another machine's or the
 * address is no hub, "unreachable", "credentials"
 */
export async function setUp(
  env: Environment,
  options: SetupOptions,
  progress: Progress,
): Promise<SetupReport> {
  await requireGit();
  const existing = readConfigIfThere(env.ccsyncHome, env.style);
  const { config, remote } = newConfig(env, options, existing);
  const isHubNew = existing !== undefined && existing.remote !== config.remote;
  const undo = new Undo();
  try {
    if (existing === undefined) undo.add(() => forgetHub(env.ccsyncHome));
    const isHubCreated = await createIfMissing(remote, undo);
    // State and mirror are a cache of the old hub.
    if (isHubNew) forgetHub(env.ccsyncHome);
    const report = await connect(env, config, progress);
    undo.forget();
    return { ...report, isHubCreated };
  } catch (error) {
    undo.run();
    throw error;
  }
}

async function connect(
  env: Environment,
  config: Config,
  progress: Progress,
): Promise<Omit<SetupReport, "isHubCreated">> {
  let saved = await adoptInstallation(env, config, progress);
  const isNewMachine = saved === undefined;
  saved ??= config;
  await using workspace = Workspace.open(env, saved, progress, () => undefined);
  await push(workspace, { isDryRun: false, all: false, isRegistrationOnly: true });
  writeConfig(env.ccsyncHome, workspace.config);
  return { config: workspace.config, isNewMachine };
}

/**
 * Returns the configuration with the installation under which the hub knows this machine already, for
 * example after its configuration was lost; `undefined` where the hub does not know it.
 *
 * @throws {CcsyncError} kind "setup" when the id belongs to another machine
 */
async function adoptInstallation(
  env: Environment,
  config: Config,
  progress: Progress,
): Promise<Config | undefined> {
  await using workspace = Workspace.open(env, config, progress, () => undefined);
  const head = await fetchHub(workspace);
  const record = await readMachine(workspace.mirror, head, config.machineId);
  if (record === undefined) return undefined;
  const isSameComputer = record.hostname === env.hostname && record.home === env.home &&
    record.os === env.os;
  if (record.installation === config.installation) return config;
  if (isSameComputer) return { ...config, installation: record.installation };
  throw new CcsyncError(
    "setup",
    `cannot register as "${config.machineId}": another machine has that id (host "${record.hostname}", home "${record.home}", registered ${record.registeredAt})`,
    { hints: ["choose another id: --machine-id NEW-ID; nothing was changed"] },
  );
}

function newConfig(
  env: Environment,
  options: SetupOptions,
  existing: Config | undefined,
): { readonly config: Config; readonly remote: Remote } {
  const address = options.remote ?? existing?.remote;
  if (address === undefined) {
    throw new CcsyncError("usage", "cannot set this machine up: no hub is named", {
      hints: ["name a URL or a path: ccsync init --remote /path/to/hub.git"],
    });
  }
  const remote = parseRemote(address);
  const placeholders = mergePlaceholders(env, options, existing);
  const given = options.syncDirectories.map((directory) =>
    checkDirectory(
      directory,
      env.style,
      (why) =>
        new CcsyncError("usage", `cannot sync "${directory}": ${why}`, {
          hints: ["give an absolute path: --sync-dir /home/you/projects"],
        }),
    )
  );
  const config = {
    machineId: machineIdOf(env, options, existing),
    installation: existing?.installation || randomId(),
    remote: remote.address,
    syncDirectories: syncDirectoriesOf(env, given, existing, placeholders),
    placeholders,
    claudeTmp: env.claudeTmp,
    interval: existing?.interval ?? DEFAULT_TIMES.interval,
    lockTtl: existing?.lockTtl ?? DEFAULT_TIMES.lockTtl,
    ...(existing?.github === undefined ? {} : { github: existing.github }),
  };
  return { config, remote };
}

function mergePlaceholders(
  env: Environment,
  options: SetupOptions,
  existing: Config | undefined,
): Map<PlaceholderName, LocalPath> {
  const given = new Map(options.placeholders);
  const kept = [...existing?.placeholders ?? []].filter(([name]) => !given.has(name));
  return checkPlaceholders([...kept, ...options.placeholders], env.style);
}

function syncDirectoriesOf(
  env: Environment,
  given: readonly LocalPath[],
  existing: Config | undefined,
  placeholders: ReadonlyMap<PlaceholderName, LocalPath>,
): readonly LocalPath[] {
  const asked = [...new Set([...existing?.syncDirectories ?? [], ...given])];
  if (asked.length > 0) return asked;
  return placeholders.size > 0 ? [...placeholders.values()] : [env.home];
}

function machineIdOf(
  env: Environment,
  options: SetupOptions,
  existing: Config | undefined,
): MachineId {
  const text = options.machineId ?? existing?.machineId ?? idFromHostname(env.hostname);
  const id = asMachineId(text);
  if (id !== undefined) return id;
  throw new CcsyncError("usage", `cannot use the machine id "${text}": it ${MACHINE_ID_RULE}`, {
    hints: ["pass another: --machine-id laptop"],
  });
}

function idFromHostname(hostname: string): string {
  const [name = ""] = hostname.toLowerCase().split(".");
  return name.replace(/[^a-z0-9-]+/g, "-").replace(/^-+|-+$/g, "") || "machine";
}

async function createIfMissing(remote: Remote, undo: Undo): Promise<boolean> {
  if (remote.kind === "url") return false;
  const state = pathState(remote.address);
  if (state === "repository") return false;
  if (state === "other") {
    throw new CcsyncError(
      "setup",
      `cannot use "${remote.address}" as the hub: it is not a git repository`,
      { hints: ["name a hub, or a path where nothing is; nothing was changed"] },
    );
  }
  const isThere = lstatIfThere(remote.address) !== undefined;
  if (!isThere) undo.add(() => remove(remote.address));
  await createBareHub(remote.address);
  return true;
}

function forgetHub(ccsyncHome: string): void {
  for (const name of ["mirror.git", "state.db", "state.db-wal", "state.db-shm"]) {
    remove(join(ccsyncHome, name));
  }
}

function remove(path: string): void {
  if (lstatIfThere(path) !== undefined) Deno.removeSync(path, { recursive: true });
}

/** What has to be taken back if the rest fails. */
class Undo {
  #steps: (() => void)[] = [];

  add(step: () => void): void {
    this.#steps.unshift(step);
  }

  run(): void {
    for (const step of this.#steps) step();
  }

  forget(): void {
    this.#steps = [];
  }
}
