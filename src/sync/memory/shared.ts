/**
 * The sets of shared texts in the hub.
 *
 * @module
 */
import { asOid, type Oid, type PortablePath } from "../../brands.ts";
import type { Skipped } from "../../claude/scan.ts";
import {
  entryOf,
  GLOBAL_SET,
  memoryProjectPath,
  parseMemoryProject,
  sharedTextPath,
} from "../../hub/format.ts";
import type { Workspace } from "../workspace.ts";
import { LARGEST_TEXT, textNameFault, TOO_LARGE } from "./files.ts";

/** A shared text in the hub. */
export interface HubText {
  readonly oid: Oid;
  readonly size: number;
}

/** A set in the hub. */
export interface HubSet {
  /** Absent for `CLAUDE.md`. */
  readonly project?: PortablePath;
  readonly texts: ReadonlyMap<string, HubText>;
  /** What is there but cannot be used, with all under it. */
  readonly blocked: readonly string[];
}

interface Parts {
  readonly texts: Map<string, HubText>;
  readonly blocked: string[];
}

/**
 * Reads which sets a state of the hub has, without their content. Sets whose project nobody can tell are not
 * used.
 *
 * @param skipped Receives what is not used; for links and foreign names fetching tells of them
 */
export async function readHubSets(
  workspace: Workspace,
  head: Oid | undefined,
  skipped: Skipped[],
): Promise<Map<string, HubSet>> {
  const sets = new Map<string, HubSet>();
  const known = workspace.state.memoryProjects();
  for (const [key, parts] of await readParts(workspace, head, skipped)) {
    if (key === GLOBAL_SET) {
      sets.set(key, parts);
      continue;
    }
    const project = known.get(key) ?? await readProject(workspace, head, key);
    if (project !== undefined) sets.set(key, { project, ...parts });
    else {
      const what = memoryProjectPath(key);
      skipped.push({ what, why: "it does not name the project of this memory" });
    }
  }
  return sets;
}

async function readProject(
  { mirror, state }: Workspace,
  head: Oid | undefined,
  key: string,
): Promise<PortablePath | undefined> {
  const json = await mirror.text(head, memoryProjectPath(key));
  const project = json === undefined ? undefined : parseMemoryProject(key, json);
  if (project !== undefined) state.setMemoryProject(key, project);
  return project;
}

async function readParts(
  workspace: Workspace,
  head: Oid | undefined,
  skipped: Skipped[],
): Promise<Map<string, Parts>> {
  const sets = new Map<string, Parts>();
  for (const { mode, oid, path, size } of await listTexts(workspace, head)) {
    const entry = entryOf(path);
    if (entry.kind !== "text") continue;
    const parts: Parts = sets.get(entry.key) ?? { texts: new Map(), blocked: [] };
    sets.set(entry.key, parts);
    const fault = textNameFault(entry.path) ?? (size > LARGEST_TEXT ? TOO_LARGE : undefined);
    if (fault !== undefined) skipped.push({ what: path, why: fault });
    if (fault === undefined && mode === "100644" && oid !== undefined) {
      parts.texts.set(entry.path, { oid, size });
    } else parts.blocked.push(entry.path);
  }
  return sets;
}

interface Listed {
  readonly mode: string;
  readonly oid: Oid | undefined;
  readonly size: number;
  readonly path: string;
}

/** Lists with sizes, so that nothing is read that is too large. */
async function listTexts({ mirror }: Workspace, head: Oid | undefined): Promise<Listed[]> {
  if (head === undefined) return [];
  const under: string[] = [];
  // Asked of the git that reads objects anyway: many hubs have neither.
  for (const directory of ["memory/", sharedTextPath(GLOBAL_SET, "")]) {
    if (await mirror.hasPath(head, directory.slice(0, -1))) under.push(directory);
  }
  if (under.length === 0) return [];
  const args = ["ls-tree", "-r", "-l", "-z", "--full-tree", head, "--", ...under];
  const output = new TextDecoder().decode(await mirror.git.list("read the hub's files", args));
  return output.split("\0").filter((record) => record !== "").map((record) => {
    const tab = record.indexOf("\t");
    const [mode = "", , id = "", size = ""] = record.slice(0, tab).split(/ +/);
    return { mode, oid: asOid(id), size: Number(size) || 0, path: record.slice(tab + 1) };
  });
}
