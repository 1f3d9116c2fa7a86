/**
 * What push, pull and update have in common.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import type { SyncReport } from "../sync/report.ts";
import type { Workspace } from "../sync/workspace.ts";
import { type Context, type Ending, inWorkspace, noteEnding, noteTrouble } from "./context.ts";
import { renderSync } from "./render.ts";

/** Runs a push or a pull, renders its report, and notes for `status` what was left undone. */
export async function synchronize(
  context: Context,
  command: "push" | "pull" | "update",
  isDryRun: boolean,
  work: (workspace: Workspace) => Promise<SyncReport>,
): Promise<Ending> {
  return await inWorkspace(context, async (workspace) => {
    try {
      const report = await work(workspace);
      const ending = renderSync(context.terminal, report);
      noteEnding(workspace, command, ending === "partial");
      return ending;
    } catch (error) {
      const explained = await workspace.explained(error);
      noteTrouble(workspace, command, messageOf(explained));
      throw explained;
    }
  }, isDryRun);
}
