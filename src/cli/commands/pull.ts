import { pull } from "../../sync/pull.ts";
import { type Context, type Ending, inWorkspace } from "../context.ts";
import { renderSync } from "../render.ts";

/** Options of `ccsync pull`. */
export interface PullCommandOptions {
  readonly dryRun?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly all?: boolean | undefined;
}

/** Brings the hub's sessions to this machine. */
export async function runPull(context: Context, options: PullCommandOptions): Promise<Ending> {
  const report = await inWorkspace(context, (workspace) =>
    pull(workspace, {
      isDryRun: options.dryRun === true,
      isForced: options.force === true,
      all: options.all === true,
    }));
  return renderSync(context.terminal, report);
}
