/**
 * What is said of automation that does not work: by every command, and by Claude Code's hook.
 *
 * @module
 */
import type { Environment } from "../machine/environment.ts";
import { automationOf } from "../sync/daemon/record.ts";
import { formatAge } from "./table.ts";

/** Returns why nothing is synced by itself although it should be, in one line; `undefined` where all is well. */
export function automationTrouble(env: Environment): string | undefined {
  const { fault } = automationOf(env);
  if (fault === undefined) return undefined;
  const since = formatAge(fault.since, env.now());
  return `nothing has been synced by itself since ${since}: ${fault.why}; see ccsync daemon --status`;
}
