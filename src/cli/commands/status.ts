import { machinePath, type MachineRecord, parseMachine } from "../../hub/format.ts";
import { scanTranscripts } from "../../claude/scan.ts";
import { readConfig } from "../../machine/config.ts";
import { State } from "../../machine/state.ts";
import { type LockView, lockViews } from "../../sync/locks.ts";
import type { Workspace } from "../../sync/workspace.ts";
import { gatherMemory } from "../../sync/memory/view.ts";
import { listSessions } from "../../sync/listing.ts";
import { type Context, type Ending, inWorkspace } from "../context.ts";
import { formatAge } from "../table.ts";
import { clean } from "../terminal.ts";

/** Options of `ccsync status`. */
export interface StatusOptions {
  readonly short?: boolean | undefined;
}

/** Shows this machine, the hub, and what is waiting on either side. Nothing is fetched. */
export async function runStatus(context: Context, options: StatusOptions): Promise<Ending> {
  const { env, terminal } = context;
  if (options.short === true) return showShort(context);
  const status = await inWorkspace(context, statusOf);
  if (terminal.options.isJson) terminal.json(status);
  else terminal.result(describe(status, env.now()));
  return "done";
}

/** One line for prompts and status bars: no other program is run, nothing is waited for. */
function showShort({ env, terminal }: Context): Ending {
  const { machineId } = readConfig(env.ccsyncHome, env.style);
  using state = State.open(env.ccsyncHome, (why) => terminal.detail(`state.db: ${why}`));
  const [lastPush, lastPull] = [state.fact("last_push"), state.fact("last_pull")];
  const { transcripts } = scanTranscripts(env.claudeDir);
  const pushedAt = Date.parse(lastPush ?? "") || 0;
  const changed = [...transcripts.values()].filter(({ stamp }) => stamp.mtimeMs > pushedAt).length;
  const trouble = troubleIn(state);
  const short = { machine: machineId, lastPush, lastPull, changed, trouble };
  if (terminal.options.isJson) terminal.json(short);
  else {
    const age = (at: string | undefined) => at === undefined ? "never" : formatAge(at, env.now());
    terminal.result(clean([
      `${machineId}: pushed ${age(lastPush)}, pulled ${age(lastPull)}`,
      ...(changed > 0 ? [`${changed} changed since`] : []),
      ...(trouble === null ? [] : [`trouble with ${trouble.command}`]),
    ].join(", ")));
  }
  return "done";
}

function troubleIn(state: State): Status["trouble"] {
  return JSON.parse(state.fact("trouble") ?? "null") as Status["trouble"];
}

interface Status {
  readonly machine: string;
  readonly hub: string;
  readonly lastPush: string | null;
  readonly lastPull: string | null;
  readonly sessionsHere: number;
  readonly sessionsInHub: number;
  /** Sidecars of the sessions here, and of those in the hub. */
  readonly filesHere: number;
  readonly filesInHub: number;
  readonly toPush: number;
  readonly toPull: number;
  /** Memory files and CLAUDE.md. */
  readonly memoryToPush: number;
  readonly memoryToPull: number;
  /** As of the last contact with the hub. */
  readonly locks: readonly LockView[];
  /** The last push or pull that did not do all of its work, if none did since. */
  readonly trouble: { readonly at: string; readonly command: string; readonly why: string } | null;
  readonly machines: readonly ({ readonly id: string } & MachineRecord)[];
}

async function statusOf(workspace: Workspace): Promise<Status> {
  const { config, mirror, state } = workspace;
  await mirror.prepare();
  const here = await listSessions(workspace, { side: "here", all: false, headless: true });
  const inHub = await listSessions(workspace, { side: "hub", all: false, headless: true });
  const memory = await gatherMemory(workspace, await mirror.head(), false);
  return {
    machine: config.machineId,
    hub: config.remote,
    lastPush: state.fact("last_push") ?? null,
    lastPull: state.fact("last_pull") ?? null,
    sessionsHere: here.filter(({ isHere }) => isHere).length,
    sessionsInHub: inHub.length,
    filesHere: here.reduce((sum, { files }) => sum + files, 0),
    filesInHub: inHub.reduce((sum, { files }) => sum + files, 0),
    toPush: here.filter(({ isUnpushed }) => isUnpushed).length,
    toPull: inHub.filter(({ isUnpulled }) => isUnpulled).length,
    memoryToPush: memory.texts.filter(({ push }) => push !== "none").length,
    memoryToPull: memory.texts.filter(({ pull }) => pull !== "none").length,
    locks: [...(await lockViews(workspace)).values()],
    trouble: troubleIn(state),
    machines: await machinesOf(workspace),
  };
}

async function machinesOf({ mirror }: Workspace): Promise<({ id: string } & MachineRecord)[]> {
  const head = await mirror.head();
  if (head === undefined) return [];
  const entries = await mirror.entries(head, ["machines/"]);
  const machines: ({ id: string } & MachineRecord)[] = [];
  for (const { path } of entries) {
    const id = /^machines\/([^/]+)\.json$/.exec(path)?.[1];
    const json = id === undefined ? undefined : await mirror.text(head, machinePath(id));
    const record = json === undefined ? undefined : parseMachine(json);
    if (id !== undefined && record !== undefined) machines.push({ id, ...record });
  }
  return machines;
}

function describe(status: Status, now: number): string {
  const age = (at: string | null) => at === null ? "never" : formatAge(at, now);
  const others = status.machines.filter(({ id }) => id !== status.machine);
  return [
    `machine    ${status.machine}`,
    `hub        ${status.hub}`,
    `last push  ${age(status.lastPush)}`,
    `last pull  ${age(status.lastPull)}`,
    `sessions   ${status.sessionsHere} here, ${status.sessionsInHub} in the hub`,
    `files      ${status.filesHere} of the sessions here, ${status.filesInHub} of those in the hub`,
    `waiting    ${status.toPush} to push, ${status.toPull} to pull (as of the last contact with the hub)`,
    `memory     ${status.memoryToPush} to push, ${status.memoryToPull} to pull`,
    ...status.locks.map((lock) => lockLine(lock, now)),
    ...(status.trouble === null ? [] : [troubleLine(status.trouble, now)]),
    ...others.map(({ id, os, lastPush }) => `other      ${id} (${os}), last push ${age(lastPush)}`),
  ].map(clean).join("\n");
}

function lockLine(lock: LockView, now: number): string {
  const whose = lock.isOurs ? "this machine" : lock.machine;
  const end = lock.standing === "held"
    ? ""
    : lock.standing === "left"
    ? ", left behind"
    : ", expired";
  return `locked     ${lock.session.slice(0, 8)} by ${whose}, since ${
    formatAge(lock.acquiredAt, now)
  }${end}`;
}

function troubleLine({ at, command, why }: NonNullable<Status["trouble"]>, now: number): string {
  return `trouble    ccsync ${command}, ${formatAge(at, now)}: ${why}`;
}
