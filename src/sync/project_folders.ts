/**
 * Where this machine's projects are, as its sessions tell.
 *
 * @module
 */
import { basename, dirname } from "node:path";
import { posix, win32 } from "node:path";
import { asPlaceholderName, type LocalPath, type PlaceholderName } from "../brands.ts";
import { readProject, scanTranscripts } from "../claude/scan.ts";
import { isBuiltIn } from "../machine/config.ts";
import type { Environment } from "../machine/environment.ts";
import { lstatIfThere } from "../machine/files.ts";
import type { PathStyle } from "../translate/profile.ts";
import { isUnder } from "./workspace.ts";

/** Where people keep projects, for a machine without any session; relative to the home directory. */
const USUAL_FOLDERS: readonly string[] = ["projects", "Projects", "code", "dev", "src", "work"];

/** Returns the folders that hold the projects of the sessions here, or a usual one, or none. */
export function findProjectFolders(env: Environment): LocalPath[] {
  const path = env.style === "windows" ? win32 : posix;
  const found = projectFolders(projectsHere(env), env.home, env.style).filter(isDirectory);
  if (found.length > 0) return found;
  const usual = USUAL_FOLDERS.map((name) => path.join(env.home, name)).filter(isDirectory);
  return usual.slice(0, 1) as LocalPath[];
}

/** Returns whether a path is a directory, or a link to one. */
export function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}

/** One session for each directory of Claude Code's is asked: all others in it have the same project. */
function projectsHere(env: Environment): LocalPath[] {
  const projects = new Map<string, LocalPath>();
  const { transcripts } = scanTranscripts(env.claudeDir);
  for (const transcript of [...transcripts.values()].sort((a, b) => a.path < b.path ? -1 : 1)) {
    const directory = dirname(transcript.path);
    if (projects.has(directory)) continue;
    const project = readProject(transcript, env.os);
    if (project !== undefined) projects.set(directory, project);
  }
  const temporary = dirname(env.claudeTmp);
  return [...projects.values()].filter((project) => {
    return isUnder(env.style, project, env.home) || !isUnder(env.style, project, temporary);
  });
}

/**
 * Returns the folders that hold these projects: for each first directory below the home directory, or below
 * the root of the file system, the directory that all its projects lie in. A project that lies in none of its
 * own, directly in the home directory, stands for itself. The folder with the most projects comes first.
 *
 * @param projects Working directories of sessions, absolute
 */
export function projectFolders(
  projects: readonly LocalPath[],
  home: LocalPath,
  style: PathStyle,
): LocalPath[] {
  const path = style === "windows" ? win32 : posix;
  const groups = new Map<string, { folder: string; count: number }>();
  for (const project of projects) {
    const isAtHome = isUnder(style, project, home);
    const base = isAtHome ? home : path.parse(project).root;
    const [first = "", ...rest] = path.relative(base, project).split(path.sep);
    // Home itself is no folder of projects, nor is the root.
    if (first === "") continue;
    const top = path.join(base, first);
    const parent = rest.length === 0 ? top : path.dirname(project);
    const group = groups.get(top);
    groups.set(top, {
      folder: group === undefined ? parent : commonFolder(group.folder, parent, style),
      count: (group?.count ?? 0) + 1,
    });
  }
  return [...groups.values()].sort((a, b) => b.count - a.count || (a.folder < b.folder ? -1 : 1))
    .map(({ folder }) => folder as LocalPath);
}

function commonFolder(a: string, b: string, style: PathStyle): string {
  const path = style === "windows" ? win32 : posix;
  let folder = a;
  while (!isUnder(style, b, folder)) folder = path.dirname(folder);
  return folder;
}

/**
 * Returns a placeholder's name for each folder: PROJECTS for a single one, otherwise the folder's own in
 * capitals. No name is used twice.
 *
 * @param taken Names that mean something else already
 */
export function namesFor(
  folders: readonly LocalPath[],
  taken: Iterable<string>,
): [PlaceholderName, LocalPath][] {
  const used = new Set<string>(taken);
  return folders.map((folder) => {
    const wanted = folders.length === 1 && !used.has("PROJECTS") ? "PROJECTS" : capitals(folder);
    let name = wanted;
    for (let i = 2; used.has(name) || isBuiltIn(name); i++) name = `${wanted}_${i}`;
    used.add(name);
    return [(asPlaceholderName(name) ?? "PROJECTS") as PlaceholderName, folder];
  });
}

function capitals(folder: string): string {
  const name = basename(folder.replaceAll("\\", "/")).toUpperCase().replace(/[^A-Z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "").slice(0, 40);
  return /^[A-Z]/.test(name) ? name : name === "" ? "PROJECTS" : `P_${name}`;
}

/** Whether something other than a directory is at a path. */
export function isOtherThanDirectory(path: string): boolean {
  return lstatIfThere(path) !== undefined && !isDirectory(path);
}
