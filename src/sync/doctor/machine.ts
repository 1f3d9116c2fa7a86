/**
 * Whether this computer has what ccsync needs, and keeps what is private.
 *
 * @module
 */
import { join } from "node:path";
import { clientVersion, findClient } from "../../claude/client.ts";
import { requireGit } from "../../hub/git.ts";
import { configPath } from "../../machine/config.ts";
import type { Environment } from "../../machine/environment.ts";
import { lstatIfThere } from "../../machine/files.ts";
import { findProgram } from "../../machine/programs.ts";
import { failed, type Finding, ok } from "./finding.ts";

/** Looks for git and Claude Code. */
export async function checkPrograms(env: Environment): Promise<Finding[]> {
  return [await checkGit(env), await checkClient(env)];
}

async function checkGit({ os, searchPath }: Environment): Promise<Finding> {
  try {
    const version = await requireGit();
    return ok("git", `version ${version}, ${findProgram("git", searchPath, os) ?? "on the PATH"}`);
  } catch (error) {
    return failed("git", error);
  }
}

async function checkClient(env: Environment): Promise<Finding> {
  try {
    const path = findClient(env);
    return ok("claude", `${await clientVersion(path)}, ${path}`);
  } catch (error) {
    // Syncing works without it; only resume needs it.
    return { ...failed("claude", error), level: "warning" };
  }
}

/** What nobody else may read, and the permissions it has to have. */
const PRIVATE: readonly [name: string, mode: number][] = [
  [".", 0o700],
  ["mirror.git", 0o700],
  ["backups", 0o700],
  ["config.json", 0o600],
  ["state.db", 0o600],
];

/** Looks at the permissions of ccsync's own files. */
export function checkModes({ ccsyncHome, os }: Environment): Finding[] {
  if (os === "windows") return [];
  const open = PRIVATE.flatMap(([name, wanted]) => {
    const path = name === "config.json" ? configPath(ccsyncHome) : join(ccsyncHome, name);
    const mode = lstatIfThere(path)?.mode ?? null;
    return mode === null || (mode & 0o077) === 0 ? [] : [{ path, wanted }];
  });
  if (open.length === 0) return [ok("files", "only you can read them")];
  return open.map(({ path, wanted }) => ({
    topic: "files",
    level: "warning",
    what: `other users of this computer can read "${path}"`,
    mend: `chmod ${wanted.toString(8)} "${path}"`,
    fix: () => Deno.chmodSync(path, wanted),
  }));
}
