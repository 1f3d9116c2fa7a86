/**
 * Makes this system run a job by itself, with what it has for that.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { CcsyncError } from "../errors.ts";
import type { Environment } from "./environment.ts";
import { lstatIfThere, removeIfThere } from "./files.ts";
import { type ProgramResult, runProgram } from "./programs.ts";
import {
  changedCrontab,
  cronLine,
  type Job,
  JOB_NAME,
  launchdAgent,
  systemdUnit,
  windowsTask,
} from "./schedules.ts";

/** What a system has to run jobs by itself. */
export type SchedulerKind = "systemd" | "launchd" | "cron" | "windows";

/** What people call the schedulers. */
export const SCHEDULER_NAMES: Readonly<Record<SchedulerKind, string>> = {
  systemd: "systemd",
  launchd: "launchd",
  cron: "cron",
  windows: "Task Scheduler",
};

/** What is, or would be, done: a file with its content, and the commands that follow. */
export interface Installation {
  readonly kind: SchedulerKind;
  /** Where the content goes; `undefined` for a crontab, which only its program may change. */
  readonly path: string | undefined;
  readonly content: string;
  readonly commands: readonly (readonly string[])[];
}

/** The job in the forms that schedulers want. */
export interface Jobs {
  /** Runs on and on. */
  readonly steady: Job;
  /** Returns at once, leaving it running in the background. */
  readonly detached: Job;
  /** Works once. */
  readonly once: Job;
  /** Seconds between two runs of the last one. */
  readonly interval: number;
}

/**
 * Returns what runs jobs on this system.
 *
 * @throws {CcsyncError} kind "setup" where there is nothing
 */
export async function findScheduler({ os }: Environment): Promise<SchedulerKind> {
  if (os === "windows") return "windows";
  if (os === "darwin") return "launchd";
  // It is there on many systems that were not started with it, such as containers.
  if ((await tryRun("systemctl", ["--user", "show-environment"])).code === 0) return "systemd";
  if ((await tryRun("crontab", ["-l"])).code !== NOT_THERE) return "cron";
  throw new CcsyncError(
    "setup",
    "cannot install the daemon: neither systemd for users nor cron is here",
    { hints: ["start it where programs are started on this system: ccsync daemon --detach"] },
  );
}

/** Returns what installing takes. Nothing is written. */
export async function planInstallation(
  env: Environment,
  kind: SchedulerKind,
  jobs: Jobs,
): Promise<Installation> {
  const path = pathOf(env, kind);
  switch (kind) {
    case "systemd":
      return {
        ...{ kind, path, content: systemdUnit(jobs.steady) },
        commands: [
          ["systemctl", "--user", "daemon-reload"],
          ["systemctl", "--user", "enable", `${JOB_NAME}.service`],
          ["systemctl", "--user", "restart", `${JOB_NAME}.service`],
        ],
      };
    case "launchd":
      return {
        ...{ kind, path, content: launchdAgent(jobs.steady) },
        commands: [["launchctl", "bootstrap", `gui/${Deno.uid()}`, path ?? ""]],
      };
    case "windows":
      return {
        ...{ kind, path, content: windowsTask(jobs.detached) },
        commands: [
          ["schtasks", "/Create", "/F", "/TN", JOB_NAME, "/XML", path ?? ""],
          ["schtasks", "/Run", "/TN", JOB_NAME],
        ],
      };
    case "cron": {
      const content = changedCrontab(await readCrontab(), cronLine(jobs.once, jobs.interval));
      return { kind, path: undefined, content, commands: [] };
    }
  }
}

/**
 * Carries it out.
 *
 * @throws {CcsyncError} kind "failed" when the scheduler refuses
 */
export async function install(
  { commands, content, kind, path }: Installation,
): Promise<void> {
  if (path === undefined) return await writeCrontab(content);
  // An agent that is loaded is not loaded anew.
  if (kind === "launchd") await tryRun("launchctl", ["bootout", `gui/${Deno.uid()}/${JOB_NAME}`]);
  Deno.mkdirSync(dirname(path), { recursive: true });
  if (kind === "windows") Deno.writeFileSync(path, utf16(content));
  else Deno.writeTextFileSync(path, content);
  for (const [program = "", ...args] of commands) await mustRun(program, args);
}

/** Takes every installation of this user's away; returns what was there. */
export async function uninstall(env: Environment, isDryRun: boolean): Promise<SchedulerKind[]> {
  const found = await installations(env);
  for (const kind of isDryRun ? [] : found) await remove(env, kind);
  return found;
}

/** Returns what runs this user's job, as far as the files of the schedulers say. */
export async function installations(env: Environment): Promise<SchedulerKind[]> {
  const found: SchedulerKind[] = [];
  for (const kind of kindsOf(env.os)) {
    if (await isInstalled(env, kind)) found.push(kind);
  }
  return found;
}

function kindsOf(os: Environment["os"]): readonly SchedulerKind[] {
  if (os === "windows") return ["windows"];
  return os === "darwin" ? ["launchd"] : ["systemd", "cron"];
}

async function isInstalled(env: Environment, kind: SchedulerKind): Promise<boolean> {
  const path = pathOf(env, kind);
  if (path !== undefined) return lstatIfThere(path) !== undefined;
  const crontab = await readCrontab();
  return changedCrontab(crontab, undefined).length < crontab.trimEnd().length;
}

async function remove(env: Environment, kind: SchedulerKind): Promise<void> {
  const path = pathOf(env, kind);
  if (path === undefined) return await writeCrontab(changedCrontab(await readCrontab(), undefined));
  if (kind === "systemd") {
    await tryRun("systemctl", ["--user", "disable", "--now", `${JOB_NAME}.service`]);
  } else if (kind === "launchd") {
    await tryRun("launchctl", ["bootout", `gui/${Deno.uid()}/${JOB_NAME}`]);
  } else await tryRun("schtasks", ["/Delete", "/F", "/TN", JOB_NAME]);
  removeIfThere(path);
  if (kind === "systemd") await tryRun("systemctl", ["--user", "daemon-reload"]);
}

function pathOf(
  { ccsyncHome, configHome, home }: Environment,
  kind: SchedulerKind,
): string | undefined {
  switch (kind) {
    case "systemd":
      return join(configHome, "systemd/user", `${JOB_NAME}.service`);
    case "launchd":
      return join(home, "Library/LaunchAgents", `${JOB_NAME}.plist`);
    case "windows":
      return join(ccsyncHome, "daemon-task.xml");
    case "cron":
      return undefined;
  }
}

/** Returns this user's crontab; empty where there is none. */
async function readCrontab(): Promise<string> {
  const { code, stdout } = await tryRun("crontab", ["-l"]);
  return code === 0 ? stdout : "";
}

async function writeCrontab(content: string): Promise<void> {
  const child = new Deno.Command("crontab", {
    args: ["-"],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(content));
  await writer.close();
  const { code, stderr } = await child.output();
  if (code !== 0) throw refused("crontab", new TextDecoder().decode(stderr));
}

/** What shells say of a program that is not there. */
const NOT_THERE = 127;

async function tryRun(program: string, args: readonly string[]): Promise<ProgramResult> {
  return await runProgram(program, args) ?? { code: NOT_THERE, stdout: "", stderr: "" };
}

async function mustRun(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await tryRun(program, args);
  if (code !== 0) throw refused([program, ...args].join(" "), stderr);
}

function refused(command: string, stderr: string): CcsyncError {
  return new CcsyncError(
    "failed",
    `cannot install the daemon: "${command}" failed: ${stderr.trim()}`,
    {
      hints: [
        "ccsync daemon install --dry-run shows what is to be installed; or start it yourself: ccsync daemon --detach",
      ],
    },
  );
}

/** Task Scheduler reads its files in no other encoding reliably. */
function utf16(text: string): Uint8Array {
  const units = Uint16Array.from(`\ufeff${text}`, (char) => char.charCodeAt(0));
  return new Uint8Array(units.buffer);
}
