/**
 * A machine of the model: what Claude Code and its user do there, and ccsync inside this process.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { checkPlaceholders, type Config, readConfig } from "../../src/machine/config.ts";
import type { Environment } from "../../src/machine/environment.ts";
import type { SessionId } from "../../src/brands.ts";
import { SessionKeeper } from "../../src/sync/keeper.ts";
import { acquireLock, lockViews } from "../../src/sync/locks.ts";
import { pull } from "../../src/sync/pull.ts";
import { push } from "../../src/sync/push.ts";
import type { SyncReport } from "../../src/sync/report.ts";
import { Setup } from "../../src/sync/setup.ts";
import { listOperations, undo } from "../../src/sync/undo.ts";
import { Workspace } from "../../src/sync/workspace.ts";
import { projectDirName } from "../../src/translate/project_dir.ts";
import { environmentIn } from "../support/workspace.ts";

/** A clock that only the model moves, milliseconds since 1970. */
export interface Clock {
  now: number;
}

/** The placeholders that every machine has, each with a path of its own. */
export const PLACEHOLDERS = ["PROJECTS", "WORK"] as const;
/** The projects that sessions are about: a placeholder and what is below it. */
export const PROJECTS = [["PROJECTS", "app"], ["PROJECTS", "lib/x"], ["WORK", "tool"]] as const;

/** Where the placeholders may be on a machine, below its home: no two machines alike, some nested. */
export const LAYOUTS = [
  { PROJECTS: ["projects", "moved", "a/b/c"], WORK: ["projects/work", "work"] },
  { PROJECTS: ["dev", "work/dev"], WORK: ["work", "dev/w o r k"] },
  { PROJECTS: ["Code/p", "Code"], WORK: ["Code/w", "w"] },
] as const;

const ALL = { isDryRun: false, all: false } as const;

/** One machine. */
export class Machine {
  readonly id: string;
  readonly env: Environment;
  /** What keeps the sessions in step that were resumed here. */
  readonly keepers = new Map<string, SessionKeeper>();
  /** What people were warned of. */
  readonly warnings: string[] = [];
  readonly #clock: Clock;

  constructor(folder: string, id: string, clock: Clock) {
    const home = join(folder, id);
    this.id = id;
    this.#clock = clock;
    this.env = environmentIn(home, { hostname: id, now: () => clock.now });
  }

  /** Joins a hub. */
  async setUp(hub: string, roots: Readonly<Record<string, string>>): Promise<void> {
    const { env, id } = this;
    Deno.mkdirSync(env.home, { recursive: true });
    const placeholders = Object.entries(roots).map(([name, path]) =>
      [name, join(env.home, path)] as const
    );
    using setup = await Setup.begin(env, SILENT, (work) => work());
    const view = await setup.look({ address: hub });
    await setup.finish(view, { machineId: id, syncDirectories: [env.home], placeholders });
  }

  get config(): Config {
    return readConfig(this.env.ccsyncHome, this.env.style);
  }

  /** Runs a piece of ccsync in a workspace of its own, as a process would. */
  async run<T>(work: (workspace: Workspace) => Promise<T>): Promise<T> {
    const warn = (message: string) => void this.warnings.push(message);
    await using workspace = Workspace.open(this.env, this.config, { ...SILENT, warn });
    return await work(workspace);
  }

  async push(): Promise<SyncReport> {
    return await this.run((workspace) => push(workspace, ALL));
  }

  async pull(isForced: boolean): Promise<SyncReport> {
    return await this.run((workspace) => pull(workspace, { ...ALL, isForced }));
  }

  /** What `undo` does with one of the operations that there are, the last one first. */
  async undo(operation: number): Promise<void> {
    await this.run(async (workspace) => {
      const found = listOperations(workspace);
      const { id } = found[operation % found.length] ?? {};
      if (id !== undefined) await undo(workspace, { isDryRun: false, id });
    });
  }

  /** What `resume --force` does before Claude Code starts. */
  async take(id: string): Promise<SyncReport> {
    const session = id as SessionId;
    return await this.run(async (workspace) => {
      const report = await pull(workspace, { ...ALL, also: session, isForced: false });
      const from = (await lockViews(workspace)).get(session)?.oid;
      const held = await acquireLock(workspace, session, from);
      if (held !== undefined) this.keepers.set(id, new SessionKeeper(session, held));
      return report;
    });
  }

  /** What `resume` does while Claude Code runs, and after it ended. */
  async keep(keeper: SessionKeeper, isLast: boolean): Promise<SyncReport> {
    return await this.run((workspace) => keeper.step(workspace, isLast));
  }

  /** What `config set-path` does with a path of this machine. */
  async setPath(name: string, path: string): Promise<SyncReport> {
    return await this.run(async (workspace) => {
      const { placeholders } = workspace.config;
      const others = [...placeholders].filter(([other]) => other !== name);
      const changed = [...others, [name, join(this.env.home, path)] as const];
      workspace.setPlaceholders(checkPlaceholders(changed, this.env.style));
      await push(workspace, { ...ALL, isRegistrationOnly: true });
      return await pull(workspace, { ...ALL, isForced: false });
    });
  }

  /** What `config set-path` does with a path of another machine. */
  async setPathOf(other: Machine, name: string, path: string): Promise<SyncReport> {
    const root = join(other.env.home, path);
    return await this.run((workspace) =>
      push(workspace, {
        ...ALL,
        isRegistrationOnly: true,
        changeShared: (shared) =>
          new Map(shared).set(name, new Map(shared.get(name) ?? []).set(other.id, root)),
      })
    );
  }

  /** Loses the state or the mirror. */
  lose(what: "state" | "mirror"): void {
    const names = what === "mirror" ? ["mirror.git"] : ["state.db", "state.db-wal", "state.db-shm"];
    for (const name of names) remove(join(this.env.ccsyncHome, name));
  }

  /** Returns a project's directory. */
  project([placeholder, path]: readonly [string, string]): string {
    const root = [...this.config.placeholders].find(([name]) => name === placeholder)?.[1];
    return join(root ?? this.env.home, path);
  }

  /** Returns the paths of all transcripts, one a session: the one that was written last. */
  transcripts(): Map<string, string> {
    const found = new Map<string, string>();
    const mtime = (path: string) => Deno.statSync(path).mtime?.getTime() ?? 0;
    for (const path of filesUnder(join(this.env.claudeDir, "projects"))) {
      const [, id] = /^projects\/[^/]+\/([^/]+)\.jsonl$/.exec(this.#inClaude(path)) ?? [];
      if (id === undefined) continue;
      const other = found.get(id);
      if (other === undefined || mtime(other) < mtime(path)) found.set(id, path);
    }
    return new Map([...found].sort());
  }

  #inClaude(path: string): string {
    return path.slice(this.env.claudeDir.length + 1).replaceAll("\\", "/");
  }

  /** Returns where the transcript of a session that begins in a directory lies. */
  transcriptPath(id: string, cwd: string): string {
    return join(this.env.claudeDir, "projects", projectDirName(cwd), `${id}.jsonl`);
  }

  /** Returns the notes of all projects. */
  notes(): string[] {
    const directory = join(this.env.claudeDir, "projects");
    return filesUnder(directory).filter((path) => /\/memory\/[^/]+\.md$/.test(path));
  }

  /** Returns everything in Claude Code's directory, as one text. */
  allText(): string {
    return filesUnder(this.env.claudeDir).map((path) => Deno.readTextFileSync(path)).join("\n");
  }

  /** Writes a file as Claude Code does, at the time of the model's clock. */
  write(path: string, content: string): void {
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, content);
    this.touch(path);
  }

  append(path: string, content: string): void {
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, content, { append: true });
    this.touch(path);
  }

  touch(path: string): void {
    Deno.utimeSync(path, this.#clock.now / 1000, this.#clock.now / 1000);
  }

  /** `/cd`: moves a transcript and what lies beside it into another project's directory. */
  move(path: string, cwd: string): string {
    const target = this.transcriptPath(basename(path, ".jsonl"), cwd);
    if (target === path) return path;
    Deno.mkdirSync(dirname(target), { recursive: true });
    Deno.renameSync(path, target);
    const [beside, there] = [path, target].map((one) => one.replace(/\.jsonl$/, ""));
    if (beside !== undefined && there !== undefined && isThere(beside)) {
      remove(there);
      Deno.renameSync(beside, there);
    }
    return target;
  }

  /** Claude Code's clean-up: a transcript goes, with what lies beside it. */
  cleanUp(path: string): void {
    remove(path);
    remove(path.replace(/\.jsonl$/, ""));
  }

  /** Says that Claude Code has a session open: in this process, which runs for sure. */
  open(id: string): void {
    this.write(
      this.#live,
      JSON.stringify({ pid: Deno.pid, sessionId: id, updatedAt: this.#clock.now }),
    );
  }

  close(): void {
    remove(this.#live);
  }

  get #live(): string {
    return join(this.env.claudeDir, "sessions", `${Deno.pid}.json`);
  }
}

const SILENT = {
  step: () => undefined,
  begin: () => undefined,
  advance: () => undefined,
  warn: () => undefined,
};

/** Returns the files under a directory, sorted. */
export function filesUnder(directory: string): string[] {
  if (!isThere(directory)) return [];
  return [...Deno.readDirSync(directory)].flatMap(({ isDirectory, name }) => {
    const path = join(directory, name);
    return isDirectory ? filesUnder(path) : [path];
  }).sort();
}

/** Copies a directory, times included. */
export function copy(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { isDirectory, name } of Deno.readDirSync(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    if (isDirectory) copy(source, target);
    else {
      Deno.copyFileSync(source, target);
      const { mtime } = Deno.statSync(source);
      if (mtime !== null) Deno.utimeSync(target, mtime, mtime);
    }
  }
}

/** Removes what is there. */
export function remove(path: string): void {
  if (isThere(path)) Deno.removeSync(path, { recursive: true });
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
