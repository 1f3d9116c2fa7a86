/**
 * What git branch a project is on, read from its files: no program is run in a project.
 *
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { lstatIfThere, readTextIfThere } from "./files.ts";

/** Returns the branch that a directory's repository is on, `undefined` where there is none to tell. */
export function branchOf(directory: string): string | undefined {
  const git = gitDirectoryOf(directory);
  const head = git === undefined ? undefined : readTextIfThere(join(git, "HEAD"));
  const branch = /^ref: refs\/heads\/(.+)$/m.exec(head ?? "")?.[1]?.trim();
  // Repositories with reftables keep a name there that stands for nothing.
  return branch === ".invalid" ? undefined : branch;
}

function gitDirectoryOf(directory: string): string | undefined {
  const path = join(directory, ".git");
  const info = lstatIfThere(path);
  if (info?.isDirectory === true) return path;
  // A worktree, or a submodule.
  const link = info?.isFile === true
    ? /^gitdir: (.+)$/m.exec(readTextIfThere(path) ?? "")?.[1]
    : undefined;
  if (link !== undefined) return resolve(directory, link.trim());
  const above = dirname(directory);
  return above === directory ? undefined : gitDirectoryOf(above);
}
