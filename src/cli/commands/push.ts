import { push } from "../../sync/push.ts";
import type { Context, Ending } from "../context.ts";
import { synchronize } from "../synchronize.ts";

/** Options of `ccsync push`. */
export interface PushCommandOptions {
  readonly dryRun?: boolean | undefined;
  readonly all?: boolean | undefined;
}

/** Sends this machine's sessions to the hub. */
export async function runPush(context: Context, options: PushCommandOptions): Promise<Ending> {
  const [isDryRun, all] = [options.dryRun === true, options.all === true];
  return await synchronize(context, "push", isDryRun, (workspace) => {
    return push(workspace, { isDryRun, all });
  });
}
