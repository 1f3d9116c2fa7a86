/**
 * Where Claude Code keeps what. Source: observed with client 2.1.197, fixture `tests/fixtures/alice/.claude`.
 *
 * @module
 */
import { join } from "node:path";
import type { LocalPath, SessionId } from "../brands.ts";
import { normalCwd, projectDirName } from "../translate/project_dir.ts";

/** Returns the directory that holds one directory a project. */
export function projectsDir(claudeDir: LocalPath): string {
  return join(claudeDir, "projects");
}

/** Returns where the transcript of a session lies whose project is this working directory. */
export function transcriptPath(
  claudeDir: LocalPath,
  os: typeof Deno.build.os,
  cwd: LocalPath,
  id: SessionId,
): LocalPath {
  const directory = projectDirName(normalCwd(os, cwd));
  return join(projectsDir(claudeDir), directory, `${id}.jsonl`) as LocalPath;
}

/** Returns the directory of the files that name live clients. */
export function liveDir(claudeDir: LocalPath): string {
  return join(claudeDir, "sessions");
}
