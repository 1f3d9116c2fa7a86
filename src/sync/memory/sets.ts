/**
 * Which sets of shared texts there are, and where each has its folder on this machine.
 *
 * @module
 */
import { basename, dirname, join, posix, win32 } from "node:path";
import type { LocalPath, PortablePath } from "../../brands.ts";
import { projectsDir } from "../../claude/layout.ts";
import type { Skipped } from "../../claude/scan.ts";
import { GLOBAL_SET, memoryKey } from "../../hub/format.ts";
import { entriesOf } from "../../machine/files.ts";
import type { TextBase } from "../../machine/state.ts";
import { normalCwd, projectDirName } from "../../translate/project_dir.ts";
import type { Workspace } from "../workspace.ts";
import { type Folder, scanGlobal, scanMemory } from "./files.ts";
import { ProjectFinder } from "./projects.ts";
import type { MemoryReport } from "./report.ts";
import type { HubSet } from "./shared.ts";

/** A set of shared texts: the memory of a project, or `CLAUDE.md`. */
export interface TextSet {
  readonly key: string;
  /** Absent for `CLAUDE.md`. */
  readonly project?: { readonly portable: PortablePath; readonly local: LocalPath };
  /** Where the set is on this machine, or has to be. */
  readonly directory: LocalPath;
  readonly folder: Folder;
  /** Where it was before placeholders moved, and what is still there. */
  readonly earlier: readonly EarlierFolder[];
  readonly hub: HubSet;
  readonly bases: ReadonlyMap<string, TextBase>;
}

/** A folder that a set had, whose texts are to move to where they belong now. */
export interface EarlierFolder {
  readonly directory: LocalPath;
  readonly folder: Folder;
  /** Key of the profile with which its files were written. */
  readonly profile: string;
}

const NOT_IN_HUB: HubSet = { texts: new Map(), blocked: [] };

/** Returns where Claude Code keeps the memory of a project. */
export function memoryDir({ claudeDir, os }: Workspace["env"], project: LocalPath): LocalPath {
  const name = projectDirName(normalCwd(os, project));
  return join(projectsDir(claudeDir), name, "memory") as LocalPath;
}

/** What is known of sets besides what lies on this machine. */
export interface KnownSets {
  readonly hubSets: ReadonlyMap<string, HubSet>;
  readonly bases: readonly TextBase[];
}

/**
 * Returns the sets of this machine and the hub.
 *
 * @param all Whether to include projects outside the sync directories
 * @param skipped Receives what cannot be used
 */
export function findSets(
  workspace: Workspace,
  known: KnownSets,
  all: boolean,
  skipped: Skipped[],
): { readonly sets: readonly TextSet[] } & Pick<MemoryReport, "unmapped"> {
  const finder = new SetFinder(workspace, known, all, skipped);
  const sets = [finder.globalSet(), ...finder.knownSets(), ...finder.newSets()];
  const unmapped = [...finder.unmapped].sort().map(([name, projects]) => ({ name, projects }));
  return { sets, unmapped };
}

class SetFinder {
  readonly #workspace: Workspace;
  readonly #hubSets: ReadonlyMap<string, HubSet>;
  readonly #all: boolean;
  readonly #skipped: Skipped[];
  readonly #bases = new Map<string, Map<string, TextBase>>();
  /** Directories of projects that are accounted for. */
  readonly #claimed = new Set<string>();
  /** For how many projects each placeholder is missing. */
  readonly unmapped = new Map<string, number>();

  constructor(
    workspace: Workspace,
    { bases, hubSets }: KnownSets,
    all: boolean,
    skipped: Skipped[],
  ) {
    this.#workspace = workspace;
    this.#hubSets = hubSets;
    this.#all = all;
    this.#skipped = skipped;
    for (const base of bases) {
      const ofSet = this.#bases.get(base.set) ?? new Map<string, TextBase>();
      this.#bases.set(base.set, ofSet.set(base.path, base));
    }
  }

  globalSet(): TextSet {
    const { claudeDir } = this.#workspace.env;
    const folder = scanGlobal(claudeDir, this.#skipped);
    return this.#set(GLOBAL_SET, { directory: claudeDir, folder, earlier: [] });
  }

  /** Returns the sets that the hub has, or had when this machine last looked. */
  knownSets(): TextSet[] {
    const places = new Map<LocalPath, Place>();
    for (const [key, portable] of [...this.#knownProjects()].sort()) {
      const local = this.#place(portable);
      if (local === undefined) continue;
      const directory = memoryDir(this.#workspace.env, local);
      const other = places.get(directory);
      // Two sets for one directory here: made on machines with other placeholders. One is used, and which is
      // the same on every machine with these placeholders.
      if (other === undefined || this.#portable(local) === portable) {
        places.set(directory, { key, project: { portable, local }, directory });
      }
      this.#claim(directory);
    }
    const used = [...places.values()].filter(({ project }) => this.#isInScope(project.local));
    for (const { key } of used) this.#earlierDirectories(key).forEach((one) => this.#claim(one));
    return used.map(({ key, project, directory }) => {
      const folder = scanMemory(directory, this.#skipped);
      return this.#set(key, { project, directory, folder, earlier: this.#earlier(key, directory) });
    });
  }

  /** Returns the sets that only this machine has. */
  newSets(): TextSet[] {
    const { env } = this.#workspace;
    const sets: TextSet[] = [];
    let finder: ProjectFinder | undefined;
    for (const { isDirectory, name } of entriesOf(projectsDir(env.claudeDir))) {
      if (!isDirectory || this.#claimed.has(this.#folded(name))) continue;
      const directory = join(projectsDir(env.claudeDir), name, "memory") as LocalPath;
      const skipped: Skipped[] = [];
      const folder = scanMemory(directory, skipped);
      // Claude Code makes an empty one for every project.
      if (folder.files.size === 0 && skipped.length === 0) continue;
      finder ??= new ProjectFinder(this.#workspace);
      const local = finder.find(name);
      if (local === undefined) {
        const why = "its project is not known yet; it is as soon as a session of it was here";
        this.#skipped.push({ what: directory, why });
      } else if (this.#isInScope(local)) {
        this.#skipped.push(...skipped);
        const portable = this.#portable(local);
        const project = { portable, local };
        sets.push(this.#set(memoryKey(portable), { project, directory, folder, earlier: [] }));
      }
    }
    return sets;
  }

  #set(key: string, found: Omit<TextSet, "key" | "hub" | "bases">): TextSet {
    const hub = this.#hubSets.get(key) ?? NOT_IN_HUB;
    return { key, hub, bases: this.#bases.get(key) ?? new Map(), ...found };
  }

  #knownProjects(): Map<string, PortablePath> {
    const known = this.#workspace.state.memoryProjects();
    const projects = new Map<string, PortablePath>();
    for (const key of [...this.#hubSets.keys(), ...this.#bases.keys()]) {
      const project = this.#hubSets.get(key)?.project ?? known.get(key);
      if (project !== undefined) projects.set(key, project);
    }
    return projects;
  }

  /** Returns the directory of a project here, or notes why there is none. */
  #place(portable: PortablePath): LocalPath | undefined {
    const local = this.#workspace.local(portable);
    if ("unmapped" in local) {
      for (const name of local.unmapped) {
        this.unmapped.set(name, (this.unmapped.get(name) ?? 0) + 1);
      }
      return undefined;
    }
    const { isAbsolute } = this.#workspace.env.style === "windows" ? win32 : posix;
    if (isAbsolute(local.path)) return local.path;
    const what = `memory of ${portable}`;
    this.#skipped.push({ what, why: "its project is no path of this machine" });
    return undefined;
  }

  #portable(local: LocalPath): PortablePath {
    const isWindows = this.#workspace.env.style === "windows";
    // A drive's letter is written both ways, and means one project.
    const path = isWindows ? local.charAt(0).toUpperCase() + local.slice(1) : local;
    return this.#workspace.portable(path as LocalPath);
  }

  #isInScope(project: LocalPath): boolean {
    return this.#all || this.#workspace.isInScope(project);
  }

  #claim(directory: LocalPath): void {
    this.#claimed.add(this.#folded(basename(dirname(directory))));
  }

  #folded(name: string): string {
    return this.#workspace.env.os === "linux" ? name : name.toLowerCase();
  }

  /** Returns the folders that a set had before placeholders moved, with their profiles. */
  #earlier(key: string, directory: LocalPath): EarlierFolder[] {
    const { env, profileKey } = this.#workspace;
    const profiles = new Map<LocalPath, string>();
    for (const base of this.#bases.get(key)?.values() ?? []) {
      const root = rootOf(base);
      const isOurs = root !== undefined && dirname(dirname(root)) === projectsDir(env.claudeDir);
      if (isOurs && root !== directory && base.profile !== profileKey) {
        profiles.set(root, base.profile);
      }
    }
    return [...profiles].map(([root, profile]) => {
      return { directory: root, profile, folder: scanMemory(root, this.#skipped) };
    });
  }

  #earlierDirectories(key: string): LocalPath[] {
    const bases = [...this.#bases.get(key)?.values() ?? []];
    return bases.filter(({ profile }) => profile !== this.#workspace.profileKey).flatMap((base) => {
      return rootOf(base) ?? [];
    });
  }
}

interface Place {
  readonly key: string;
  readonly project: { readonly portable: PortablePath; readonly local: LocalPath };
  readonly directory: LocalPath;
}

/** Returns the folder of the set that a text's file lies in. */
export function rootOf({ file, path }: Pick<TextBase, "file" | "path">): LocalPath | undefined {
  const end = join("/", path).slice(1);
  return file.endsWith(end) ? file.slice(0, -end.length - 1) as LocalPath : undefined;
}
