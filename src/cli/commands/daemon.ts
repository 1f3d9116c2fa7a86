import { CcsyncError } from "../../errors.ts";
import { readConfig } from "../../machine/config.ts";
import { claimDaemon, isDaemonRunning } from "../../machine/one_process.ts";
import { startInBackground } from "../../machine/self.ts";
import { holdSignals } from "../../machine/signals.ts";
import { isWithin, logPath, stopDaemon } from "../../sync/daemon/files.ts";
import { keepInStep } from "../../sync/daemon/loop.ts";
import { automationOf, type DaemonRecord, readRecord } from "../../sync/daemon/record.ts";
import type { Context, Ending } from "../context.ts";
import { Daemon } from "../daemon.ts";
import { formatAge } from "../table.ts";
import { clean } from "../terminal.ts";
import { schedule, unschedule } from "../schedule.ts";

/** Options of `ccsync daemon`. */
export interface DaemonCommandOptions {
  readonly interval?: string | undefined;
  readonly pushOnly?: boolean | undefined;
  readonly detach?: boolean | undefined;
  readonly once?: boolean | undefined;
  readonly stop?: boolean | undefined;
  readonly status?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Seconds between two runs unless something else is said. */
const DEFAULT_INTERVAL = 300;
const LONGEST_INTERVAL = 86_400;

/** Syncs by itself, in the foreground or the background; or says how that goes, or stops it. */
export async function runDaemon(
  context: Context,
  what: "install" | "uninstall" | undefined,
  options: DaemonCommandOptions,
): Promise<Ending> {
  const { env } = context;
  checkOptions(what, options);
  const interval = readInterval(options.interval);
  const isPushOnly = options.pushOnly === true;
  if (options.status === true) return showStatus(context);
  if (options.stop === true) return await stop(context);
  if (what === "uninstall") return await unschedule(context, options.dryRun === true);
  readConfig(env.ccsyncHome, env.style);
  const args = ["--interval", String(interval), ...isPushOnly ? ["--push-only"] : []];
  if (what === "install") {
    return await schedule(context, { interval, args, isDryRun: options.dryRun === true });
  }
  if (options.detach === true) return await detach(context, args);
  return await run(context, interval, isPushOnly, options.once === true);
}

function checkOptions(
  what: "install" | "uninstall" | undefined,
  { detach, dryRun, once, status, stop }: DaemonCommandOptions,
): void {
  const chosen = [what, detach && "--detach", once && "--once", status && "--status"]
    .concat(stop ? ["--stop"] : []).filter((each) => typeof each === "string");
  const why = chosen.length > 1
    ? `${chosen.join(" and ")} exclude each other`
    : dryRun === true && what === undefined
    ? "--dry-run is for install and uninstall"
    : undefined;
  if (why === undefined) return;
  throw new CcsyncError("usage", `cannot run the daemon: ${why}`, {
    hints: ["ccsync daemon --help explains them"],
  });
}

function readInterval(text: string | undefined): number {
  if (text === undefined) return DEFAULT_INTERVAL;
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= LONGEST_INTERVAL) return seconds;
  throw new CcsyncError(
    "usage",
    `cannot take the interval "${text}": it is no number of seconds from 1 to ${LONGEST_INTERVAL}`,
    { hints: [`leave it out for ${DEFAULT_INTERVAL} seconds`] },
  );
}

async function run(
  context: Context,
  interval: number,
  isPushOnly: boolean,
  isOnce: boolean,
): Promise<Ending> {
  const { env } = context;
  using claim = await claimDaemon(env.ccsyncHome);
  if (claim === undefined) return tellRunning(context);
  // No program can be started in a directory that is gone, as the one of this process may be meanwhile.
  Deno.chdir(env.home);
  using daemon = new Daemon(context, { interval, isPushOnly, mode: isOnce ? "once" : "daemon" });
  using _signals = holdSignals(() => daemon.stop());
  if (isOnce) return await daemon.once();
  daemon.begin();
  await keepInStep(daemon, interval * 1000);
  await daemon.end();
  return "done";
}

function tellRunning({ env, terminal }: Context): Ending {
  terminal.note(`nothing to do: a daemon is running (${processOf(readRecord(env.ccsyncHome))})`);
  return "done";
}

/** Longer than any start takes. */
const START_MS = 20_000;

async function detach(context: Context, args: readonly string[]): Promise<Ending> {
  const { env, terminal } = context;
  const { ccsyncHome } = env;
  if (isDaemonRunning(ccsyncHome)) return tellRunning(context);
  startInBackground(["daemon", ...args], env.home);
  if (!await isWithin(START_MS, () => isDaemonRunning(ccsyncHome))) {
    throw new CcsyncError("failed", "cannot start the daemon: it ended at once", {
      hints: [`start it in the foreground to see why: ccsync daemon`],
    });
  }
  terminal.note(`running in the background; log: ${logPath(ccsyncHome)}`);
  return "done";
}

async function stop(context: Context): Promise<Ending> {
  const { env: { ccsyncHome }, terminal } = context;
  const isStopped = await stopDaemon(ccsyncHome);
  if (!isStopped) {
    throw new CcsyncError("failed", "cannot stop the daemon: it is still finishing a run", {
      transient: true,
      hints: [`it ends as soon as that is done; log: ${logPath(ccsyncHome)}`],
    });
  }
  terminal.note("no daemon is running");
  return "done";
}

function showStatus({ env, terminal }: Context): Ending {
  const { ccsyncHome, now } = env;
  const { fault: lasting, isRunning, record } = automationOf(env);
  const fault = lasting ?? record?.failing;
  if (terminal.options.isJson) {
    const { mode, ...rest } = record ?? {};
    terminal.json({ isRunning, mode: mode ?? null, ...rest, log: logPath(ccsyncHome) });
    return "done";
  }
  const age = (at: string | undefined) => at === undefined ? "never" : formatAge(at, now());
  const lines = [
    `daemon     ${isRunning ? `running (${processOf(record)})` : "not running"}`,
    ...(record === undefined ? [] : [
      `${isRunning ? "since     " : "started   "} ${age(record.startedAt)}`,
      `interval   ${record.interval} s${record.pushOnly ? ", push only" : ""}`,
      `last run   ${age(record.last?.at)}${record.last ? `: ${record.last.outcome}` : ""}`,
    ]),
    ...(fault === undefined ? [] : [`trouble    since ${age(fault.since)}: ${fault.why}`]),
    `log        ${logPath(ccsyncHome)}`,
  ];
  terminal.result(lines.map(clean).join("\n"));
  return "done";
}

function processOf(record: DaemonRecord | undefined): string {
  return record === undefined ? "it has just started" : `process ${record.pid}`;
}
