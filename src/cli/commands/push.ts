import { push } from "../../sync/push.ts";
import { type Context, type Ending, inWorkspace } from "../context.ts";
import { renderSync } from "../render.ts";

/** Options of `ccsync push`. */
export interface PushCommandOptions {
  readonly dryRun?: boolean | undefined;
  readonly all?: boolean | undefined;
}

/** Sends this machine's sessions to the hub. */
export async function runPush(context: Context, options: PushCommandOptions): Promise<Ending> {
  const report = await inWorkspace(
    context,
    (workspace) =>
      push(workspace, { isDryRun: options.dryRun === true, all: options.all === true }),
  );
  return renderSync(context.terminal, report);
}
