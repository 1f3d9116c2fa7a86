/**
 * What a push tells the hub of this machine itself, beside its sessions.
 *
 * @module
 */
import type { Oid } from "../brands.ts";
import type { CommitChanges } from "../hub/commit_writer.ts";
import {
  FORMAT,
  FORMAT_PATH,
  formatPlaceholders,
  machinePath,
  type MachineRecord,
  PLACEHOLDERS_PATH,
  type SharedPlaceholders,
} from "../hub/format.ts";
import {
  columnOf,
  machineRecord,
  readMachine,
  readShared,
  reconcilePlaceholders,
  requireOwnId,
} from "./machines.ts";
import { profileKey } from "../translate/profile.ts";
import { profileOf, type Workspace } from "./workspace.ts";

/** How many states of the shared table are looked at for earlier placeholders. */
const MOST_PROFILES = 50;

/** What of this machine itself has to be told to the hub. */
export interface Registration {
  /** Whether a commit is needed for it, even without any session. */
  readonly isNeeded: boolean;
  readonly isFirst: boolean;
  readonly record: MachineRecord;
  readonly shared: SharedPlaceholders;
  readonly isSharedChanged: boolean;
}

/**
 * Brings this machine's placeholders into step with the shared table, and returns what to tell the hub.
 * The workspace has the new placeholders from then on.
 *
 * @param changeShared Makes a further change to the shared table
 * @throws {CcsyncError} kind "setup" when another machine is registered under this id
 */
export async function register(
  workspace: Workspace,
  head: Oid | undefined,
  changeShared: (shared: SharedPlaceholders) => SharedPlaceholders = (shared) => shared,
): Promise<Registration> {
  const { env, mirror } = workspace;
  const { machineId } = workspace.config;
  const earlier = await readMachine(mirror, head, machineId);
  requireOwnId(workspace.config, earlier);
  const before = await readShared(mirror, head);
  const { own, shared } = reconcilePlaceholders(
    workspace.config,
    changeShared(before),
    agreedColumn(workspace),
    env.style,
  );
  workspace.setPlaceholders(own);
  const isSharedChanged = formatPlaceholders(shared) !== formatPlaceholders(before);
  return {
    isNeeded: earlier === undefined || isSharedChanged,
    isFirst: head === undefined,
    record: machineRecord(env, workspace.config, earlier),
    shared,
    isSharedChanged,
  };
}

/** Writes the registration into a commit. */
export async function writeRegistration(
  changes: CommitChanges,
  machineId: string,
  { isFirst, isSharedChanged, record, shared }: Registration,
): Promise<void> {
  if (isFirst) await changes.write(FORMAT_PATH, JSON.stringify({ format: FORMAT }) + "\n");
  if (isFirst || isSharedChanged) {
    await changes.write(PLACEHOLDERS_PATH, formatPlaceholders(shared));
  }
  await changes.write(machinePath(machineId), JSON.stringify(record, null, 2) + "\n");
}

/** Remembers this machine's column of the shared table as agreed. */
export function agreeOn(workspace: Workspace, shared: SharedPlaceholders): void {
  const column = columnOf(shared, workspace.config.machineId);
  const json = JSON.stringify(Object.fromEntries(column));
  workspace.state.setFact("shared_placeholders", json);
}

/**
 * Returns the keys of the profiles that this machine had, the latest first, as far as the hub's history
 * tells: where the state was lost, nothing else says with which one a file was written.
 */
export async function earlierProfiles(workspace: Workspace): Promise<string[]> {
  const { config, env, mirror } = workspace;
  const keys = new Set<string>();
  for (const commit of await mirror.history(PLACEHOLDERS_PATH, MOST_PROFILES)) {
    const { own } = reconcilePlaceholders(
      { machineId: config.machineId, placeholders: new Map() },
      await readShared(mirror, commit),
      new Map(),
      env.style,
    );
    keys.add(profileKey(profileOf(env, { ...config, placeholders: own })));
  }
  return [...keys];
}

function agreedColumn({ state }: Workspace): Map<string, string> {
  const json = state.fact("shared_placeholders");
  return new Map(
    Object.entries(json === undefined ? {} : JSON.parse(json) as Record<string, string>),
  );
}
