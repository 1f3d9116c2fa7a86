import { lockViews, releaseLocks } from "../../sync/locks.ts";
import { push } from "../../sync/push.ts";
import type { Context, Ending } from "../context.ts";
import { synchronize } from "../synchronize.ts";
import { count } from "../render.ts";

/** Pushes, and releases the locks that processes of this machine left behind when they ended abnormally. */
export async function runUpdate(context: Context): Promise<Ending> {
  return await synchronize(context, "update", false, async (workspace) => {
    const report = await push(workspace, { isDryRun: false, all: false });
    const locks = [...(await lockViews(workspace)).values()];
    const left = locks.filter(({ isOurs, standing }) => isOurs && standing !== "held");
    if (left.length > 0 && await releaseLocks(workspace, left)) {
      context.terminal.note(
        `  released  ${count(left.length, "lock")} of processes that have ended`,
      );
    }
    return report;
  });
}
