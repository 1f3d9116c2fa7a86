/**
 * What this machine knows by name, at once: nobody is asked, nothing is waited for, nothing is written but what
 * opening the state writes. For completing command lines.
 *
 * @module
 */
import type { LocalPath, SessionId } from "../brands.ts";
import { scanTranscripts } from "../claude/scan.ts";
import { type Meta, parseMeta } from "../hub/format.ts";
import { readLocks } from "../hub/locks.ts";
import { Mirror } from "../hub/mirror.ts";
import type { Config } from "../machine/config.ts";
import type { Environment } from "../machine/environment.ts";
import { State } from "../machine/state.ts";
import { utf8 } from "../translate/bytes.ts";
import { toLocal } from "../translate/to_local.ts";
import { Translator } from "../translate/translator.ts";
import { summaryOf } from "./readings.ts";
import { completeEnd } from "./pieces.ts";
import { readMachines, readShared } from "./machines.ts";
import { profileOf } from "./workspace.ts";

/** A session, as far as it tells one from others. */
export interface KnownSession {
  readonly id: SessionId;
  readonly title: string;
  /** The machine that edited it last, as far as the hub knows. */
  readonly machine: string;
  /** ISO 8601. */
  readonly updatedAt: string;
}

/** As many as anybody would look through. */
const MOST_SESSIONS = 100;

/**
 * Returns the sessions here and in the hub whose ids begin so, the last edited first, at most a hundred. Those
 * held without a terminal are left out.
 */
export function knownSessions(env: Environment, config: Config, prefix: string): KnownSession[] {
  using state = openState(env);
  const translator = new Translator(profileOf(env, config), "json");
  const inHub = [...state.catalogue().values()].flatMap(({ id, meta }) => {
    const parsed = id.startsWith(prefix) ? parseMeta(meta) : undefined;
    return parsed === undefined ? [] : [{ id, meta: parsed }];
  });
  const metas = new Map(inHub.map(({ id, meta }) => [id, meta]));
  const here = [...scanTranscripts(env.claudeDir).transcripts.values()]
    .filter(({ id }) => id.startsWith(prefix) && !metas.has(id))
    .sort((a, b) => b.stamp.mtimeMs - a.stamp.mtimeMs)
    .slice(0, MOST_SESSIONS)
    .map(({ id, path, stamp }) => ({ id, meta: summaryHere(path, stamp.size, config) }));
  return [...inHub, ...here]
    .filter(({ meta }) => !meta.headless)
    .sort((a, b) => (a.meta.updatedAt > b.meta.updatedAt ? -1 : 1))
    .slice(0, MOST_SESSIONS)
    .map(({ id, meta }) => ({
      id,
      title: new TextDecoder().decode(toLocal(translator, utf8(meta.title))),
      machine: meta.lastEditedBy,
      updatedAt: meta.updatedAt,
    }));
}

function summaryHere(path: LocalPath, size: number, { machineId }: Config) {
  const summary = summaryOf(path, completeEnd(path, 0, size), undefined);
  return { ...summary, lastEditedBy: machineId } satisfies Partial<Meta>;
}

/** Returns the sessions that are locked, as of the last contact with the hub, whose ids begin so. */
export async function knownLocks(
  env: Environment,
  config: Config,
  prefix: string,
): Promise<KnownSession[]> {
  await using mirror = new Mirror(env.ccsyncHome, config.remote);
  const locks = [...(await readLocks(mirror)).values()]
    .filter(({ session }) => session.startsWith(prefix));
  if (locks.length === 0) return [];
  const titles = new Map(knownSessions(env, config, prefix).map(({ id, title }) => [id, title]));
  return locks
    .map(({ lock, session }) => ({
      id: session,
      title: titles.get(session) ?? "",
      machine: lock?.machine ?? "",
      updatedAt: lock?.heartbeatAt ?? "",
    }));
}

/** Returns the ids of all machines, with their systems. */
export async function knownMachines(
  env: Environment,
  config: Config,
): Promise<Map<string, string>> {
  await using mirror = new Mirror(env.ccsyncHome, config.remote);
  const machines = await readMachines(mirror, await mirror.head());
  return new Map([...machines].map(([id, { hostname, os }]) => [id, `${os}, ${hostname}`]));
}

/** Returns the names of all placeholders, this machine's and other machines', with their paths here. */
export async function knownPlaceholders(
  env: Environment,
  config: Config,
): Promise<Map<string, string>> {
  await using mirror = new Mirror(env.ccsyncHome, config.remote);
  const shared = await readShared(mirror, await mirror.head());
  return new Map([
    ...[...shared.keys()].map((name): [string, string] => [name, "no path on this machine"]),
    ...config.placeholders,
  ]);
}

function openState({ ccsyncHome }: Environment): State {
  return State.open(ccsyncHome, () => undefined);
}
