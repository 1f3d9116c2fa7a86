/**
 * Tells whether anything that a push looks at has changed since one that left nothing to do. Then there is
 * nothing to do either, and thousands of sessions need not be compared one by one.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { sep } from "node:path";
import type { Oid } from "../brands.ts";
import { SIDECAR_KINDS } from "../claude/kinds.ts";
import { projectsDir } from "../claude/layout.ts";
import { liveSessions } from "../claude/live.ts";
import { stampOf } from "../claude/scan.ts";
import type { Scope } from "./facts.ts";
import type { Workspace } from "./workspace.ts";

/** What a push has found out about whether there is anything to do. */
export interface Settlement {
  /** Whether nothing has changed since a push that left nothing to do. */
  readonly isSettled: boolean;
  /** What to remember where this one leaves nothing to do, either. */
  readonly fact: string;
}

/**
 * Finds out whether anything has changed. Files are only looked at where hub and settings are those of a push
 * that had nothing to do: one that follows upon others that had would look at all of them twice.
 *
 * @param head The hub's head
 */
export async function settlement(
  workspace: Workspace,
  head: Oid | undefined,
  { all, also }: Scope,
): Promise<Settlement> {
  const { config, profileKey, state } = workspace;
  const settings = JSON.stringify([head, profileKey, config.syncDirectories, all, also]);
  const prefix = createHash("sha256").update(settings).digest("hex");
  const known = state.fact("settled");
  if (known?.startsWith(prefix) !== true) return { isSettled: false, fact: prefix };
  const digest = await filesDigest(workspace);
  const fact = `${prefix} ${digest ?? ""}`;
  return { isSettled: digest !== undefined && known === fact, fact };
}

/**
 * Returns every file that may belong to a session, and which sessions are open, in a few digits; `undefined`
 * where a directory cannot be read. Files are told apart by name, size, time and inode, as everywhere.
 */
export async function filesDigest({ env }: Workspace): Promise<string | undefined> {
  const live = await liveSessions(env.claudeDir, env.now());
  const hash = createHash("sha256").update(JSON.stringify([...live].sort()));
  const roots = new Set(SIDECAR_KINDS.map(({ root }) => root));
  roots.delete("session");
  try {
    for (const directory of [projectsDir(env.claudeDir), ...rootsIn(env.claudeDir, roots)]) {
      walk(directory, (line) => hash.update(line));
    }
  } catch (error) {
    // Whoever looks at the sessions says so.
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
  return hash.digest("hex");
}

const rootsIn = (claudeDir: string, roots: ReadonlySet<string>) =>
  [...roots].sort().map((root) => `${claudeDir}${sep}${root}`);

function walk(directory: string, note: (line: string) => void): void {
  let lines = "";
  for (const { isDirectory, name } of namesIn(directory)) {
    const path = `${directory}${sep}${name}`;
    if (isDirectory) walk(path, note);
    else {
      const { ino, mtimeMs, size } = stampOf(Deno.lstatSync(path));
      lines += `${path}\0${size} ${mtimeMs} ${ino}\n`;
    }
  }
  note(lines);
}

function namesIn(directory: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(directory)].sort((a, b) => a.name < b.name ? -1 : 1);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
