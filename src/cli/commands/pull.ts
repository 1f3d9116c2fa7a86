import { pull } from "../../sync/pull.ts";
import type { Context, Ending } from "../context.ts";
import { synchronize } from "../synchronize.ts";

/** Options of `ccsync pull`. */
export interface PullCommandOptions {
  readonly dryRun?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly all?: boolean | undefined;
}

/** Brings the hub's sessions to this machine. */
export async function runPull(context: Context, options: PullCommandOptions): Promise<Ending> {
  const [isDryRun, all] = [options.dryRun === true, options.all === true];
  return await synchronize(context, "pull", isDryRun, (workspace) => {
    return pull(workspace, { isDryRun, all, isForced: options.force === true });
  });
}
