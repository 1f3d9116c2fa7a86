/**
 * This machine's entries in the hub: its record, and its paths in the shared table of placeholders.
 *
 * @module
 */
import {
  asPlaceholderName,
  type LocalPath,
  type MachineId,
  type Oid,
  type PlaceholderName,
} from "../brands.ts";
import { CcsyncError } from "../errors.ts";
import {
  entryOf,
  machinePath,
  type MachineRecord,
  parseMachine,
  parsePlaceholders,
  PLACEHOLDERS_PATH,
  type SharedPlaceholders,
} from "../hub/format.ts";
import type { Mirror } from "../hub/mirror.ts";
import { type Config, isBuiltIn } from "../machine/config.ts";
import type { Environment } from "../machine/environment.ts";
import { normalRoot, type PathStyle, rootFault } from "../translate/profile.ts";
import { VERSION } from "../version.ts";

/** Reads the shared table of a state of the hub. */
export async function readShared(
  mirror: Mirror,
  head: Oid | undefined,
): Promise<SharedPlaceholders> {
  const json = await mirror.text(head, PLACEHOLDERS_PATH);
  return json === undefined ? new Map() : parsePlaceholders(json);
}

/** Reads a machine's record of a state of the hub. */
export async function readMachine(
  mirror: Mirror,
  head: Oid | undefined,
  id: string,
): Promise<MachineRecord | undefined> {
  const json = await mirror.text(head, machinePath(id));
  return json === undefined ? undefined : parseMachine(json);
}

/** Reads the records of all machines of a state of the hub. */
export async function readMachines(
  mirror: Mirror,
  head: Oid | undefined,
): Promise<Map<string, MachineRecord>> {
  const machines = new Map<string, MachineRecord>();
  const entries = head === undefined ? [] : await mirror.entries(head, ["machines/"]);
  for (const { path } of entries) {
    const entry = entryOf(path);
    if (entry.kind !== "machine") continue;
    const record = await readMachine(mirror, head, entry.id);
    if (record !== undefined) machines.set(entry.id, record);
  }
  return machines;
}

/**
 * Checks that the machine id is this installation's own.
 *
 * @throws {CcsyncError} kind "setup" when another machine is registered under it
 */
export function requireOwnId(config: Config, record: MachineRecord | undefined): void {
  if (record === undefined || record.installation === config.installation) return;
  throw new CcsyncError(
    "setup",
    `cannot sync as "${config.machineId}": another machine has that id (host "${record.hostname}", registered ${record.registeredAt})`,
    {
      hints: [
        "choose another id: ccsync init --machine-id NEW-ID; nothing was changed in the hub",
      ],
    },
  );
}

/** Returns the record of this machine as the hub is to have it. */
export function machineRecord(
  env: Environment,
  config: Config,
  earlier: MachineRecord | undefined,
): MachineRecord {
  const now = new Date(env.now()).toISOString();
  return {
    ...earlier,
    os: env.os,
    hostname: env.hostname,
    home: env.home,
    installation: config.installation,
    registeredAt: earlier?.registeredAt || now,
    version: VERSION,
    lastPush: now,
  };
}

/** The two sides of the placeholders after they were brought together. */
export interface Reconciled {
  /** This machine's placeholders. */
  readonly own: ReadonlyMap<PlaceholderName, LocalPath>;
  /** The shared table with them. */
  readonly shared: SharedPlaceholders;
}

/**
 * Brings this machine's placeholders and its column of the shared table together, three-way: what changed
 * here since both agreed goes to the table; otherwise what the table says, counts. Paths in the table that
 * this system could not have, that another placeholder has here, or that belong to a built-in name, are
 * left alone: a configuration with them could not be read any more.
 *
 * @param base This machine's column as it was when both agreed last
 */
export function reconcilePlaceholders(
  config: Pick<Config, "machineId" | "placeholders">,
  shared: SharedPlaceholders,
  base: ReadonlyMap<string, string>,
  style: PathStyle,
): Reconciled {
  const own = new Map(config.placeholders);
  const table = new Map([...shared].map(([name, paths]) => [name, new Map(paths)]));
  for (const key of new Set([...own.keys(), ...table.keys()])) {
    const name = asPlaceholderName(key);
    if (name === undefined || isBuiltIn(name)) continue;
    const here = own.get(name);
    const there = usable(table.get(name)?.get(config.machineId), style);
    if (here === there) continue;
    const before = usable(base.get(name), style);
    if (there !== undefined && (here === undefined || here === before)) {
      const isFree = ![...own].some(([other, path]) => other !== name && path === there);
      if (isFree) own.set(name, there);
    } else if (here !== undefined) {
      const paths = table.get(name) ?? new Map<string, string>();
      table.set(name, paths.set(config.machineId, here));
    }
  }
  return { own, shared: table };
}

/** Returns a machine's column of the shared table. */
export function columnOf(shared: SharedPlaceholders, machine: string): Map<string, string> {
  return new Map([...shared].flatMap(([name, paths]) => {
    const path = paths.get(machine);
    return path === undefined ? [] : [[name, path] as const];
  }));
}

/** Returns the placeholders that the hub says this machine has, as far as they can be used. */
export function recalledPlaceholders(
  env: Pick<Environment, "style">,
  shared: SharedPlaceholders,
  machineId: string,
): ReadonlyMap<PlaceholderName, LocalPath> {
  const nothing = { machineId: machineId as MachineId, placeholders: new Map() };
  return reconcilePlaceholders(nothing, shared, new Map(), env.style).own;
}

function usable(path: string | undefined, style: PathStyle): LocalPath | undefined {
  if (path === undefined || rootFault(style, path) !== undefined) return undefined;
  return normalRoot(style, path);
}
