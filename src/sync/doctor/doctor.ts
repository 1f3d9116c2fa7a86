/**
 * Examines the set-up: everything that can be wrong, each with what mends it.
 *
 * @module
 */
import { scanTranscripts } from "../../claude/scan.ts";
import { listSessions } from "../listing.ts";
import { readShared } from "../machines.ts";
import type { Workspace } from "../workspace.ts";
import { checkAutomation } from "./automation.ts";
import type { Finding } from "./finding.ts";
import { checkHub, checkLocks, checkReaders } from "./hub.ts";
import { checkModes } from "./machine.ts";
import { checkPlaceholderPaths, checkScope } from "./placeholders.ts";
import { checkRetention, checkSizes, checkTrouble, checkUnpushed } from "./sessions.ts";

/** Examines this machine and the hub. A hub that cannot be reached is a finding; the rest goes on. */
export async function examineAll(workspace: Workspace): Promise<Finding[]> {
  const { env, mirror } = workspace;
  const hub = await checkHub(workspace);
  await mirror.prepare();
  const sessions = await listSessions(workspace, { side: "both", all: true, headless: true });
  const { transcripts } = scanTranscripts(env.claudeDir);
  return [
    ...hub,
    ...await checkReaders(workspace),
    ...await checkLocks(workspace),
    ...checkPlaceholderPaths(workspace, await readShared(mirror, await mirror.head()), sessions),
    ...checkScope(workspace, sessions),
    checkUnpushed(workspace, sessions),
    ...checkRetention(workspace, sessions, ({ id }) => transcripts.get(id)?.stamp.mtimeMs),
    ...checkSizes(sessions),
    ...checkTrouble(workspace),
    ...await checkAutomation(env),
    ...checkModes(env),
  ];
}
