/**
 * Machines that share texts through a hub, in this process: only git is a program of its own.
 *
 * @module
 */
import { dirname, join } from "node:path";
import type { LocalPath, MachineId, Oid, PlaceholderName } from "../../src/brands.ts";
import { FORMAT, FORMAT_PATH } from "../../src/hub/format.ts";
import { createBareHub } from "../../src/hub/mirror.ts";
import { DEFAULT_TIMES } from "../../src/machine/config.ts";
import type { Environment } from "../../src/machine/environment.ts";
import { receiveMemory } from "../../src/sync/memory/receive.ts";
import type { MemoryReport } from "../../src/sync/memory/report.ts";
import { type MemorySent, sendMemory, settleMemory } from "../../src/sync/memory/send.ts";
import { gatherMemory, type MemoryView } from "../../src/sync/memory/view.ts";
import { fetchHub, Workspace } from "../../src/sync/workspace.ts";
import { projectDirName } from "../../src/translate/project_dir.ts";
import { Folder } from "../support/folder.ts";
import { runToEnd } from "../support/process.ts";
import { environmentIn } from "../support/workspace.ts";

const IDENTITY = {
  GIT_AUTHOR_NAME: "x",
  GIT_AUTHOR_EMAIL: "x@example.org",
  GIT_COMMITTER_NAME: "x",
  GIT_COMMITTER_EMAIL: "x@example.org",
};

/** How a machine differs from others. */
export interface Options {
  /** The projects folder, inside the home. @default {"projects"} */
  readonly projects?: string;
  /** @default this system's */
  readonly os?: Environment["os"];
}

/** A hub and machines around it. Dispose it to remove everything. */
export class Shared implements AsyncDisposable {
  readonly #folder = new Folder();
  readonly #machines: Machine[] = [];
  /** What every machine's clock says, milliseconds since 1970: late enough for every stamp to be settled. */
  now = Date.now() + 60_000;

  get hub(): string {
    return this.#folder.at("hub.git");
  }

  static async create(): Promise<Shared> {
    const shared = new Shared();
    await createBareHub(shared.hub);
    return shared;
  }

  /** Returns a path in the world's folder. */
  at(path: string): string {
    return this.#folder.at(path);
  }

  machine(id: string, options: Options = {}): Machine {
    const machine = new Machine(this, id, options);
    this.#machines.push(machine);
    return machine;
  }

  /** Returns two machines, `a` and `b`, that both have these notes. */
  async pair(notes: Readonly<Record<string, string>>): Promise<[Machine, Machine]> {
    const [a, b] = [this.machine("a"), this.machine("b")];
    a.session();
    for (const [path, text] of Object.entries(notes)) a.write(path, text);
    await sync(a, b);
    return [a, b];
  }

  /** Runs git in the hub, and returns what it printed. */
  async git(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await runToEnd("git", {
      args: ["--git-dir", this.hub, ...args],
      cwd: this.#folder.path,
      env: {
        PATH: Deno.env.get("PATH") ?? "",
        HOME: this.#folder.path,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_INDEX_FILE: this.at("index"),
        ...IDENTITY,
      },
    });
    if (code !== 0) throw new Error(stderr);
    return stdout;
  }

  /**
   * Puts a file into the hub as somebody else could, whatever its name and mode.
   *
   * @param path The path in the hub, or in the one memory set that there is
   */
  async plant(path: string, content: string | Uint8Array, mode = "100644"): Promise<void> {
    const set = (await this.files()).find((name) => name.endsWith("/project.json"));
    const full = path.startsWith("/") ? path.slice(1) : set?.replace("project.json", path) ?? path;
    const source = this.#folder.write("planted", content);
    const blob = (await this.git("hash-object", "-w", "--no-filters", source)).trim();
    await this.git("read-tree", "main");
    await this.git("update-index", "--add", "--replace", "--cacheinfo", mode, blob, full);
    const tree = (await this.git("write-tree")).trim();
    const commit = await this.git("commit-tree", "-p", "main", "-m", "planted", tree);
    await this.git("update-ref", "refs/heads/main", commit.trim());
  }

  /** Replaces the hub's history by one commit that has the files of another one. */
  async rewrite(commit: string): Promise<void> {
    const alone = await this.git("commit-tree", "-m", "anew", `${commit}^{tree}`);
    await this.git("update-ref", "refs/heads/main", alone.trim());
  }

  /** Returns the names of the hub's files. */
  async files(): Promise<string[]> {
    const names = await this.git("ls-tree", "-r", "-z", "--name-only", "main");
    return names.split("\0").filter((name) => name !== "");
  }

  /** Returns a note's content in the hub; there has to be one set with it. */
  async text(path: string): Promise<string> {
    const name = (await this.files()).find((file) => file.endsWith(`/${path}`));
    return await this.git("show", `main:${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const machine of this.#machines) await machine[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

/** One machine. Its project is `app`. */
export class Machine implements AsyncDisposable {
  readonly id: string;
  readonly home: string;
  readonly env: Environment;
  readonly #shared: Shared;
  readonly #projects: string;
  #workspace: Workspace | undefined;

  constructor(shared: Shared, id: string, options: Options) {
    this.#shared = shared;
    this.id = id;
    this.home = shared.at(`${id}/home`);
    this.#projects = options.projects ?? "projects";
    this.env = environmentIn(this.home, {
      os: options.os ?? Deno.build.os,
      style: "posix",
      hostname: id,
      claudeTmp: shared.at(`${id}/tmp`) as LocalPath,
      now: () => shared.now,
    });
    Deno.mkdirSync(join(this.env.claudeDir, "projects"), { recursive: true });
  }

  get workspace(): Workspace {
    return this.#workspace ??= this.#open(this.#projects);
  }

  get projects(): string {
    return this.workspace.config.placeholders.get("PROJECTS" as PlaceholderName) ?? "";
  }

  get backups(): string[] {
    const objects = join(this.env.ccsyncHome, "backups/objects");
    try {
      return [...Deno.readDirSync(objects)].map(({ name }) => {
        return Deno.readTextFileSync(join(objects, name));
      });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  #open(projects: string): Workspace {
    const root = join(this.home, projects) as LocalPath;
    const config = {
      machineId: this.id as MachineId,
      installation: this.id,
      remote: this.#shared.hub,
      syncDirectories: [root],
      placeholders: new Map([["PROJECTS" as PlaceholderName, root]]),
      ...DEFAULT_TIMES,
    };
    return Workspace.open(
      this.env,
      config,
      { step() {}, begin() {}, advance() {}, warn() {} },
      () => {},
    );
  }

  /** Loses what this machine remembers. */
  async forget(): Promise<void> {
    await this[Symbol.asyncDispose]();
    for (const suffix of ["", "-wal", "-shm"]) {
      await Deno.remove(join(this.env.ccsyncHome, `state.db${suffix}`)).catch(() => undefined);
    }
  }

  /** Returns the folder of a project's memory, or a path in it. */
  memory(path = "", project = "app"): string {
    const name = projectDirName(join(this.projects, project));
    return join(this.env.claudeDir, "projects", name, "memory", path);
  }

  /** Makes a project known by a session in one of its directories. */
  session(directory = "app"): void {
    this.sessionAt(join(this.projects, directory));
  }

  /** Makes a project known by a session in a directory. */
  sessionAt(cwd: string): void {
    const id = crypto.randomUUID();
    const path = join(this.env.claudeDir, "projects", projectDirName(cwd), `${id}.jsonl`);
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, JSON.stringify({ type: "user", cwd, sessionId: id }) + "\n");
  }

  write(path: string, text: string | Uint8Array): void {
    const full = path.startsWith("/") ? path : this.memory(path);
    Deno.mkdirSync(dirname(full), { recursive: true });
    if (typeof text === "string") Deno.writeTextFileSync(full, text);
    else Deno.writeFileSync(full, text);
  }

  /** Returns a note, `undefined` where there is none. */
  read(path: string): string | undefined {
    try {
      return Deno.readTextFileSync(path.startsWith("/") ? path : this.memory(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
        return undefined;
      }
      throw error;
    }
  }

  remove(path: string): void {
    Deno.removeSync(path.startsWith("/") ? path : this.memory(path), { recursive: true });
  }

  get claudeMd(): string {
    return join(this.env.claudeDir, "CLAUDE.md");
  }

  /** Fetches, and returns how everything stands. */
  async look(all = false): Promise<{ readonly head: Oid | undefined; readonly view: MemoryView }> {
    const head = await fetchHub(this.workspace);
    return { head, view: await gatherMemory(this.workspace, head, all) };
  }

  /** Makes the commit of a push, and tries to push it. Nothing is remembered. */
  async commit(
    head: Oid | undefined,
    view: MemoryView,
  ): Promise<{ readonly commit: Oid; readonly sent: MemorySent; readonly isPushed: boolean }> {
    const { mirror } = this.workspace;
    const info = { message: `${this.id}\n`, machine: this.id, at: this.#shared.now };
    let sent: MemorySent | undefined;
    const commit = await mirror.commit(head, info, async (changes) => {
      await changes.write(FORMAT_PATH, JSON.stringify({ format: FORMAT }));
      sent = await sendMemory(changes, this.workspace, view);
    });
    if (sent === undefined) throw new Error("nothing was sent");
    return { commit, sent, isPushed: await mirror.push(commit) === "pushed" };
  }

  async push(all = false): Promise<MemoryReport> {
    for (;;) {
      const { head, view } = await this.look(all);
      if (!view.isChanged) return { ...view, items: [] };
      const { commit, sent, isPushed } = await this.commit(head, view);
      if (!isPushed) continue;
      await settleMemory(this.workspace, commit, sent);
      return sent.report;
    }
  }

  async pull(all = false, isDryRun = false): Promise<MemoryReport> {
    const { view } = await this.look(all);
    this.workspace.journal.begin("pull");
    return await receiveMemory(this.workspace, view, { isDryRun });
  }

  /** Returns the whole memory of the project with placeholders for this machine's paths. */
  neutral(): Record<string, string> {
    const texts: Record<string, string> = {};
    const walk = (directory: string, prefix: string) => {
      for (const { isDirectory, name } of Deno.readDirSync(directory)) {
        const path = join(directory, name);
        if (isDirectory) walk(path, `${prefix}${name}/`);
        else {
          texts[prefix + name] = Deno.readTextFileSync(path).replaceAll(this.projects, "{PROJECTS}")
            .replaceAll(this.home, "{HOME}");
        }
      }
    };
    if (isThere(this.memory())) walk(this.memory(), "");
    return Object.fromEntries(Object.entries(texts).sort());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workspace?.[Symbol.asyncDispose]();
    this.#workspace = undefined;
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Pushes and pulls on each machine in turn. */
export async function sync(...machines: readonly Machine[]): Promise<void> {
  for (const machine of machines) {
    await machine.push();
    await machine.pull();
  }
}

/** Returns the bytes of a text of one UTF-16 unit a byte. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0));
}

/** Returns what is left alone and why, `a.md: it is ...`; the folder of the paths is left out. */
export function refused({ skipped }: Pick<MemoryReport, "skipped">): string[] {
  return skipped.map(({ what, why }) => `${what.replace(/^.*\/(?=[^/])/s, "")}: ${why}`).sort();
}

/** Returns what was done with which text, `merge MEMORY.md`. */
export function actions({ items }: Pick<MemoryReport, "items">): string[] {
  return items.map(({ action, path }) => `${action} ${path}`).sort();
}
