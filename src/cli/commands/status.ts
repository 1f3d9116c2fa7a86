import type { MachineRecord } from "../../hub/format.ts";
import { scanTranscripts } from "../../claude/scan.ts";
import type { Environment } from "../../machine/environment.ts";
import { type AutomationFault, automationOf } from "../../sync/daemon/record.ts";
import { readConfig } from "../../machine/config.ts";
import { State } from "../../machine/state.ts";
import { readMachines } from "../../sync/machines.ts";
import { type LockView, lockViews } from "../../sync/locks.ts";
import type { Workspace } from "../../sync/workspace.ts";
import { gatherMemory } from "../../sync/memory/view.ts";
import { listSessions } from "../../sync/listing.ts";
import { lookAround } from "../../sync/overview.ts";
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
  /** What syncs by itself: when it worked last, and since when and why it does not any more. */
  readonly daemon: {
    readonly isRunning: boolean;
    readonly lastRun: string | null;
    readonly fault: AutomationFault | null;
  };
  /** The last push or pull that did not do all of its work, if none did since. */
  readonly trouble: { readonly at: string; readonly command: string; readonly why: string } | null;
  readonly machines: readonly (MachineRecord & {
    readonly id: string;
    /** When it pushed last, or renewed a lock. */
    readonly lastSeen: string;
  })[];
}

async function statusOf(workspace: Workspace): Promise<Status> {
  const { config, env, mirror, state } = workspace;
  await mirror.prepare();
  const machines = await readMachines(mirror, await mirror.head());
  const which = { all: false, headless: true };
  const overview = await lookAround(workspace, which);
  const here = await listSessions(workspace, { side: "here", ...which }, overview);
  const inHub = await listSessions(workspace, { side: "hub", ...which }, overview);
  const memory = await gatherMemory(workspace, await mirror.head(), false);
  const locks = [...(await lockViews(workspace)).values()];
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
    locks,
    trouble: troubleIn(state),
    daemon: daemonOf(env),
    machines: [...machines].map(([id, record]) => {
      return { id, ...record, lastSeen: lastSeen(id, record, locks) };
    }),
  };
}

function lastSeen(id: string, { lastPush }: MachineRecord, locks: readonly LockView[]): string {
  const beats = locks.filter(({ machine }) => machine === id).map(({ heartbeatAt }) => heartbeatAt);
  return [lastPush, ...beats].sort().at(-1) ?? lastPush;
}

function daemonOf(env: Environment): Status["daemon"] {
  const { fault, isRunning, record } = automationOf(env);
  return { isRunning, lastRun: record?.last?.at ?? null, fault: fault ?? null };
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
    `daemon     ${daemonLine(status.daemon, age)}`,
    ...status.locks.map((lock) => lockLine(lock, now)),
    ...(status.trouble === null ? [] : [troubleLine(status.trouble, now)]),
    ...others.map(({ id, lastSeen, os }) => `other      ${id} (${os}), last seen ${age(lastSeen)}`),
  ].map(clean).join("\n");
}

function daemonLine(
  { fault, isRunning, lastRun }: Status["daemon"],
  age: (at: string | null) => string,
): string {
  const runs = isRunning ? "running" : "not running";
  const last = lastRun === null ? "" : `, last run ${age(lastRun)}`;
  return runs + last +
    (fault === null ? "" : `; nothing synced since ${age(fault.since)}: ${fault.why}`);
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
