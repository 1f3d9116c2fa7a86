/**
 * `ccsync daemon install` and `uninstall`.
 *
 * @module
 */
import { delimiter } from "node:path";
import {
  findScheduler,
  install,
  type Installation,
  type Jobs,
  planInstallation,
  SCHEDULER_NAMES,
  uninstall,
} from "../machine/scheduler.ts";
import type { Environment } from "../machine/environment.ts";
import { selfCommand } from "../machine/self.ts";
import { logPath, stopDaemon } from "../sync/daemon/files.ts";
import type { Context, Ending } from "./context.ts";

/** What to install. */
export interface ScheduleOptions {
  /** Seconds. */
  readonly interval: number;
  /** The daemon's options. */
  readonly args: readonly string[];
  readonly isDryRun: boolean;
}

/** Makes the system run the daemon from now on. */
export async function schedule(context: Context, options: ScheduleOptions): Promise<Ending> {
  const { env, terminal } = context;
  const kind = await findScheduler(env);
  const installation = await planInstallation(env, kind, jobsOf(env, options));
  if (terminal.options.isJson) terminal.json(installation);
  if (options.isDryRun) {
    if (!terminal.options.isJson) terminal.result(described(installation));
    return "done";
  }
  // The one that is installed is to be the one that runs.
  await stopDaemon(env.ccsyncHome);
  await install(installation);
  terminal.note(
    kind === "cron"
      ? "cron will run: ccsync daemon --once"
      : `${SCHEDULER_NAMES[kind]} runs the daemon from now on`,
  );
  terminal.note(`log: ${logPath(env.ccsyncHome)}${kind === "systemd" ? SYSTEMD_LOG : ""}`);
  return "done";
}

const SYSTEMD_LOG = ", and: journalctl --user -u ccsync";

function jobsOf(env: Environment, { args, interval }: ScheduleOptions): Jobs {
  const variables = {
    PATH: env.searchPath.join(delimiter),
    CCSYNC_HOME: env.ccsyncHome,
    CLAUDE_CONFIG_DIR: env.claudeDir,
  };
  const job = (...more: readonly string[]) => {
    return { command: [...selfCommand(), "daemon", ...args, ...more], variables };
  };
  return { steady: job(), detached: job("--detach"), once: job("--once"), interval };
}

function described({ commands, content, path }: Installation): string {
  const lines = commands.map((command) => `$ ${command.join(" ")}`);
  return [path ?? "crontab", content.trimEnd(), ...lines].join("\n");
}

/** Makes the system not run the daemon any more, and stops it. */
export async function unschedule(context: Context, isDryRun: boolean): Promise<Ending> {
  const { env, terminal } = context;
  const found = await uninstall(env, isDryRun);
  if (!isDryRun) await stopDaemon(env.ccsyncHome);
  const names = found.map((kind) => SCHEDULER_NAMES[kind]).join(" and ");
  if (terminal.options.isJson) terminal.json(found);
  else if (found.length === 0) terminal.note("nothing is installed");
  else terminal.result(`${isDryRun ? "would take it" : "taken"} from ${names}`);
  return "done";
}
