/**
 * The sessions of this machine or of the hub, as lists show them.
 *
 * @module
 */
import type { SessionId } from "../brands.ts";
import type { Meta } from "../hub/format.ts";
import { NO_SUMMARY, type Summary } from "../transcript/summary.ts";
import { summaryOf } from "./content.ts";
import { gatherFacts, type Overview, type SessionView, sidecarFacts } from "./facts.ts";
import { type LockView, lockViews } from "./locks.ts";
import { planPull, planPush, planSidecarPush } from "./plan.ts";
import { sidecarItems } from "./receive.ts";
import type { Workspace } from "./workspace.ts";

/** One session of a list. */
export interface ListedSession extends Summary {
  readonly id: SessionId;
  /** The project's directory here, or its portable form where it has none. */
  readonly project: string;
  /** The machine that edited it last. */
  readonly machine: string;
  /** The machine that began it. */
  readonly createdBy: string;
  /** Bytes of the transcript: the local file's where there is one, else the hub's. */
  readonly size: number;
  readonly isHere: boolean;
  readonly isInHub: boolean;
  readonly isLive: boolean;
  /** Whether there are lines here that the hub lacks. */
  readonly isUnpushed: boolean;
  /** Whether the next pull brings anything. */
  readonly isUnpulled: boolean;
  /** Sidecars on either side, and their bytes. */
  readonly files: number;
  readonly filesSize: number;
  /** The lock on it as of the last contact with the hub. */
  readonly lock: LockView | null;
}

/** Which sessions to list. */
export interface ListOptions {
  /** Those of this machine: here, or cleaned up from here; those in the hub; or both. */
  readonly side: "here" | "hub" | "both";
  /** Include sessions outside the sync directories. */
  readonly all: boolean;
  /** Include sessions held without a terminal. */
  readonly headless: boolean;
}

/**
 * Lists sessions, the last edited first, each with its forks behind it. Nothing is fetched.
 *
 * @param found The facts of the same scope, where they were gathered just now
 */
export async function listSessions(
  workspace: Workspace,
  { side, all, headless }: ListOptions,
  found?: Overview,
): Promise<ListedSession[]> {
  const { sessions } = found ?? await gatherFacts(workspace, { all });
  const locks = await lockViews(workspace);
  const sorted = sessions
    .filter(({ transcript: { base, hub, local } }) => {
      // What Claude Code's clean-up took from here is one of this machine's sessions still.
      const isOurs = local !== undefined || (base && hub) !== undefined;
      return side === "both" || (side === "hub" ? hub !== undefined : isOurs);
    })
    .map((view) => listed(workspace, view, locks.get(view.id)))
    .filter((session) => headless || !session.headless)
    .sort((a, b) => (a.updatedAt > b.updatedAt ? -1 : a.updatedAt < b.updatedAt ? 1 : 0));
  return underParents(sorted);
}

/** Puts forks behind the session that they were forked of, where that is listed, too. */
export function underParents<T extends Pick<ListedSession, "id" | "forkOf">>(
  sessions: readonly T[],
): T[] {
  const ids = new Set<string>(sessions.map(({ id }) => id));
  const forks = Map.groupBy(sessions, ({ forkOf }) => ids.has(forkOf) ? forkOf : "");
  const ordered = new Set<T>();
  // All of them once more: the hub may claim that sessions are forks of each other.
  const pending = [...forks.get("") ?? [], ...sessions].reverse();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (ordered.has(next)) continue;
    ordered.add(next);
    pending.push(...(forks.get(next.id) ?? []).toReversed());
  }
  return [...ordered];
}

function listed(
  workspace: Workspace,
  view: SessionView,
  lock: LockView | undefined,
): ListedSession {
  const { facts, id, meta, transcript: { end, hub, local } } = view;
  const isUnpushed = planPush(facts) !== "none" ||
    view.sidecars.some((document) => planSidecarPush(sidecarFacts(view, document)) !== "none");
  const pull = planPull(facts, false);
  const here = local !== undefined && (meta === undefined || isUnpushed)
    ? summaryOf(local.path, end, meta)
    : undefined;
  const { machineId } = workspace.config;
  const sizes = new Map(meta?.sidecars.map(({ bytes, name }) => [name, bytes]));
  return {
    ...NO_SUMMARY,
    ...(meta === undefined ? {} : summaryIn(meta)),
    ...here,
    id,
    project: view.project ?? meta?.project ?? "",
    machine: isUnpushed ? machineId : meta?.lastEditedBy ?? machineId,
    createdBy: meta?.createdBy ?? machineId,
    size: local?.stamp.size ?? meta?.bytes ?? 0,
    isHere: local !== undefined,
    isInHub: hub !== undefined,
    isLive: facts.isLive,
    isUnpushed,
    isUnpulled: (pull !== "none" && pull !== "leave-old") || sidecarItems(view, pull).length > 0,
    lock: lock ?? null,
    files: view.sidecars.length,
    filesSize: view.sidecars.reduce((sum, { end: size, local: file, name }) => {
      return sum + (file === undefined ? sizes.get(name) ?? 0 : size);
    }, 0),
  };
}

const SUMMARY_KEYS = Object.keys(NO_SUMMARY) as (keyof Summary)[];

/** Returns what a meta says as a summary, without its other keys. */
function summaryIn(meta: Meta): Partial<Summary> {
  return Object.fromEntries(SUMMARY_KEYS.map((key) => [key, meta[key]]));
}
