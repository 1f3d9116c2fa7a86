/**
 * Whether what is to sync by itself is installed, complete, and at work.
 *
 * @module
 */
import { join } from "node:path";
import { hooksIn } from "../../claude/hooks.ts";
import type { Environment } from "../../machine/environment.ts";
import { readTextIfThere } from "../../machine/files.ts";
import { isDaemonRunning } from "../../machine/one_process.ts";
import { installations, SCHEDULER_NAMES, type SchedulerKind } from "../../machine/scheduler.ts";
import { hookProgram } from "../../machine/self.ts";
import { automationFault, type DaemonRecord, readRecord } from "../daemon/record.ts";
import { failed, type Finding, ok } from "./finding.ts";

/** Looks for the daemon and for Claude Code's hooks. */
export async function checkAutomation(env: Environment): Promise<Finding[]> {
  const { ccsyncHome } = env;
  const daemon = daemonFinding({
    installed: await installations(env),
    isRunning: isDaemonRunning(ccsyncHome),
    record: readRecord(ccsyncHome),
    now: env.now(),
  });
  return [daemon, checkHooks(env)];
}

/** What is known of the daemon. */
export interface DaemonFacts {
  /** What runs it, as far as files of schedulers say. */
  readonly installed: readonly SchedulerKind[];
  readonly isRunning: boolean;
  readonly record: DaemonRecord | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Returns what to say of the daemon: cron starts it for each run, the others keep it running. */
export function daemonFinding({ installed, isRunning, now, record }: DaemonFacts): Finding {
  const fault = automationFault(record, isRunning, now);
  if (fault !== undefined) {
    return {
      topic: "daemon",
      level: "warning",
      what: `nothing has been synced by itself since ${fault.since}: ${fault.why}`,
      mend: "ccsync daemon --status",
    };
  }
  const by = installed.map((kind) => SCHEDULER_NAMES[kind]).join(" and ");
  const isKeptRunning = installed.some((kind) => kind !== "cron");
  if (isKeptRunning && !isRunning) {
    return {
      topic: "daemon",
      level: "warning",
      what: `${by} is to run it, and it is not running`,
      mend: "ccsync daemon install",
    };
  }
  if (installed.length > 0) return ok("daemon", `${isRunning ? "running" : "started"} by ${by}`);
  return ok(
    "daemon",
    isRunning
      ? "running until this computer is restarted"
      : "none: sessions are synced by push, pull and resume; ccsync daemon install changes that",
  );
}

/** Looks whether Claude Code tells this ccsync of sessions. */
function checkHooks({ claudeDir, os }: Environment): Finding {
  const path = join(claudeDir, "settings.json");
  try {
    switch (hooksIn(readTextIfThere(path) ?? "", hookProgram(os))) {
      case "complete":
        return ok("hooks", `all of them are in ${path}`);
      case "none":
        return ok(
          "hooks",
          "none: Claude Code tells ccsync nothing; ccsync setup-hooks changes that",
        );
      case "other":
        return {
          topic: "hooks",
          level: "warning",
          what: `some are missing in ${path}, or start another ccsync than this one`,
          mend: "ccsync setup-hooks",
        };
    }
  } catch (error) {
    return { ...failed("hooks", error), level: "warning" };
  }
}
