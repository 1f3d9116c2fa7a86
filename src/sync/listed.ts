/**
 * What lists say of one session.
 *
 * @module
 */
import type { SessionId } from "../brands.ts";
import type { Meta } from "../hub/format.ts";
import { NO_SUMMARY, type Summary } from "../transcript/summary.ts";
import { type SessionView, sidecarFacts } from "./facts.ts";
import type { LockView } from "./locks.ts";
import { planPull, planPush, planSidecarPush } from "./plan.ts";
import { sidecarItems } from "./sidecars.ts";
import type { Workspace } from "./workspace.ts";

/** What was said in a session: long, and of use only where one looks at it closer, or searches. */
export type Prompts = Pick<Summary, "firstPrompt" | "lastPrompt" | "lastAnswer">;

/** Where nothing is known of that. */
export const NO_PROMPTS: Prompts = { firstPrompt: "", lastPrompt: "", lastAnswer: "" };

/** One session of a list. */
export interface ListedSession extends Omit<Summary, keyof Prompts> {
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

/** One session of a list, and what was said in it. */
export type DescribedSession = ListedSession & Prompts;

/** Returns what lists say of a session, but for its lock, which is not looked at here. */
export function describe(workspace: Workspace, view: SessionView): DescribedSession {
  const { facts, id, meta, transcript: { end, hub, local } } = view;
  const isUnpushed = planPush(facts) !== "none" ||
    view.sidecars.some((document) => planSidecarPush(sidecarFacts(view, document)) !== "none");
  const pull = planPull(facts, false);
  const here = local !== undefined && (meta === undefined || isUnpushed)
    ? workspace.readings.summary(local, end, meta)
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
    lock: null,
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
