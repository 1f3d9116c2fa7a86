/**
 * Finds out which project a directory under Claude Code's `projects/` belongs to. Its name cannot be decoded,
 * so the working directories of sessions, all directories above them, and the repositories of worktrees are
 * tried.
 *
 * Source: memory lies in the directory of the git root, shared by its sub-directories and worktrees; observed
 * with client 2.1.197.
 *
 * @module
 */
import { join, posix, win32 } from "node:path";
import { asSessionId, type LocalPath } from "../../brands.ts";
import { projectsDir } from "../../claude/layout.ts";
import { readProject, stampOf } from "../../claude/scan.ts";
import { entriesOf, lstatIfThere, readTextIfThere } from "../../machine/files.ts";
import { normalCwd, projectDirName } from "../../translate/project_dir.ts";
import { isFileTrouble } from "../facts.ts";
import type { Workspace } from "../workspace.ts";

/** So many transcripts of a directory are read at most; one usually tells. */
const MOST_TRANSCRIPTS = 3;

/** Finds projects by the names of their directories, asking no more places than it needs. */
export class ProjectFinder {
  readonly #workspace: Workspace;
  readonly #known = new Map<string, LocalPath>();
  readonly #cwds = new Set<LocalPath>();
  readonly #unread: Set<string>;
  #places: (() => Iterable<LocalPath>)[];

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    const directories = entriesOf(projectsDir(workspace.env.claudeDir));
    this.#unread = new Set(directories.flatMap((entry) => entry.isDirectory ? [entry.name] : []));
    this.#places = [
      () => workspace.state.projects().values(),
      () => this.#inCatalogue(),
      () => this.#inTranscripts(() => true),
    ];
  }

  /** Returns the project of a directory, `undefined` where no known working directory has that name. */
  find(name: string): LocalPath | undefined {
    // Sessions lie in the directory itself or, of sub-directories, in one whose name goes on.
    const near = () =>
      this.#inTranscripts((other) => other === name || other.startsWith(`${name}-`));
    const [first, ...rest] = this.#places;
    for (const place of first === undefined ? [near] : [first, near, ...rest]) {
      this.#add(place());
      const found = this.#known.get(name);
      if (found !== undefined) return found;
      this.#places = this.#places.filter((other) => other !== place);
    }
    return undefined;
  }

  #add(cwds: Iterable<LocalPath>): void {
    const fresh = [...cwds].filter((cwd) => !this.#cwds.has(cwd));
    for (const cwd of fresh) {
      this.#cwds.add(cwd);
      this.#name(cwd);
    }
    // Two directories may have one name: where somebody worked counts before what lies above or elsewhere.
    for (const cwd of fresh) this.#above(cwd).forEach((directory) => this.#name(directory));
    for (const cwd of fresh) {
      const repository = this.#repositoryOf(cwd);
      if (repository !== undefined) this.#name(repository);
    }
  }

  #name(directory: LocalPath): void {
    const name = projectDirName(normalCwd(this.#workspace.env.os, directory));
    if (!this.#known.has(name)) this.#known.set(name, directory);
  }

  /** Returns the directories above one, the nearest first, without the root of the file system. */
  #above(directory: LocalPath): LocalPath[] {
    const path = this.#workspace.env.style === "windows" ? win32 : posix;
    const above: LocalPath[] = [];
    for (let at = path.dirname(directory); path.dirname(at) !== at; at = path.dirname(at)) {
      above.push(at as LocalPath);
    }
    return above;
  }

  /** Returns the main repository of the worktree that a directory lies in, if it lies in one. */
  #repositoryOf(cwd: LocalPath): LocalPath | undefined {
    for (const directory of [cwd, ...this.#above(cwd)]) {
      const file = join(directory, ".git");
      try {
        const info = lstatIfThere(file);
        if (info === undefined) continue;
        const [, target] = /^gitdir: (.+)$/m.exec(info.isFile ? readTextIfThere(file) ?? "" : "") ??
          [];
        if (target === undefined) return undefined;
        const path = this.#workspace.env.style === "windows" ? win32 : posix;
        const [, repository] = /^(.+)[\\/]\.git[\\/]worktrees[\\/][^\\/]+$/
          .exec(path.resolve(directory, target)) ?? [];
        return repository as LocalPath | undefined;
      } catch (error) {
        if (!isFileTrouble(error)) throw error;
        return undefined;
      }
    }
    return undefined;
  }

  *#inCatalogue(): Iterable<LocalPath> {
    for (const project of this.#workspace.state.catalogueProjects()) {
      const local = this.#workspace.local(project);
      if ("path" in local) yield local.path;
    }
  }

  *#inTranscripts(isNear: (name: string) => boolean): Iterable<LocalPath> {
    const { env } = this.#workspace;
    for (const name of [...this.#unread].filter(isNear)) {
      this.#unread.delete(name);
      const directory = join(projectsDir(env.claudeDir), name);
      try {
        const ids = entriesOf(directory).flatMap((entry) => {
          const id = asSessionId(entry.name.replace(/\.jsonl$/, ""));
          return entry.isFile && id !== undefined ? [id] : [];
        });
        for (const id of ids.slice(0, MOST_TRANSCRIPTS)) {
          const path = join(directory, `${id}.jsonl`) as LocalPath;
          const stamp = stampOf(Deno.lstatSync(path));
          const cwd = readProject({ id, path, stamp }, env.os);
          if (cwd !== undefined) yield cwd;
        }
      } catch (error) {
        // The sessions' own scan tells of it.
        if (!isFileTrouble(error)) throw error;
      }
    }
  }
}
