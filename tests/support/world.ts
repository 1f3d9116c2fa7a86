/**
 * Several machines around one hub, in a temporary folder: what scenarios and the demo play in.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { lstatIfThere, removeTree } from "../../src/machine/files.ts";
import { projectDirName } from "../../src/translate/project_dir.ts";
import { ccsync, type CcsyncMachine, scriptedClaude, startCcsync, tryCcsync } from "./ccsync.ts";
import { type ProcessResult, type RunningProcess, runToEnd, until } from "./process.ts";

/** Where the real files of Claude Code are that tests use; all of them were written in `/home/alice`. */
export const FIXTURES = fileURLToPath(new URL("../fixtures", import.meta.url));

/** The paths that stand in the fixtures. */
export const RECORDED = { home: "/home/alice", tmp: "/tmp/claude-1500" } as const;

/** What makes the machines of a world. */
export interface MachineMaker {
  /** Where the folders of worlds are made. @default the system's temporary directory */
  readonly parent?: string;
  /** Returns a machine with a home of its own. */
  make(world: World, id: string, options: MachineOptions): TestMachine;
}

/** A temporary folder with a hub and machines. Dispose it to remove everything. */
export class World implements AsyncDisposable {
  readonly folder: string;
  readonly hub: string;
  /** All machines have this system, unless somebody puts another maker here before the tests begin. */
  static maker: MachineMaker = {
    make: (world, id, options) => new TestMachine(world, id, options),
  };
  #isKept = false;

  private constructor(folder: string) {
    this.folder = folder;
    this.hub = join(folder, "hub.git");
  }

  /**
   * Makes an empty world.
   *
   * @param parent Where its folder is made @default where the maker of machines wants it
   */
  static async create(parent = World.maker.parent): Promise<World> {
    const place = parent === undefined ? {} : { dir: parent };
    const folder = await Deno.makeTempDir({ prefix: "ccsync-world-", ...place });
    return new World(await Deno.realPath(folder));
  }

  /** Returns a machine with a home of its own; nothing is set up on it. */
  machine(id: string, options: MachineOptions = {}): TestMachine {
    return World.maker.make(this, id, options);
  }

  /** Returns a machine that has joined the hub, with PROJECTS as a placeholder. */
  async joined(id: string, options: MachineOptions = {}): Promise<TestMachine> {
    const machine = this.machine(id, options);
    await machine.init();
    return machine;
  }

  /** Returns what a file of the hub holds. */
  async hubFile(path: string): Promise<string> {
    return (await this.git("show", `main:${path}`)).stdout;
  }

  /** Returns the names of all files of the hub. */
  async hubFiles(): Promise<string[]> {
    const { stdout } = await this.git("ls-tree", "-r", "--name-only", "main");
    return stdout.split("\n").filter((name) => name !== "");
  }

  /** Returns a session's transcript in the hub, in portable form. */
  async hubTranscript(id: string): Promise<string> {
    const prefix = `sessions/${id.slice(0, 2)}/${id}/transcript/`;
    const names = (await this.hubFiles()).filter((name) => name.startsWith(prefix));
    const segments: string[] = [];
    for (const name of names) segments.push(await this.hubFile(name));
    return segments.join("");
  }

  /** Returns the lock that the hub has on a session, `undefined` where there is none. */
  async hubLock(id: string): Promise<Record<string, unknown> | undefined> {
    const { code, stdout } = await this.git("cat-file", "commit", `refs/ccsync/locks/${id}`);
    return code === 0 ? JSON.parse(stdout.slice(stdout.indexOf("\n\n"))) : undefined;
  }

  /** Runs git in the hub. */
  async git(...args: readonly string[]): Promise<ProcessResult> {
    return await runToEnd("git", {
      args: ["--git-dir", this.hub, ...args],
      cwd: this.folder,
      env: { PATH: Deno.env.get("PATH") ?? "", HOME: this.folder, GIT_CONFIG_NOSYSTEM: "1" },
    });
  }

  /** Commits files to the hub as a foreign client would; nothing checks their names. */
  async changeHub(files: Readonly<Record<string, string>>): Promise<void> {
    const data = (text: string) => `data ${new TextEncoder().encode(text).length}\n${text}\n`;
    const quoted = (path: string) =>
      path.replaceAll("\\", "\\\\").replaceAll("\u001b", "\\033").replaceAll("/../", "/.. /");
    const changes = Object.entries(files).map(([path, content]) =>
      `M 100644 inline "${quoted(path)}"\n${data(content)}`
    );
    const head = "commit refs/heads/main\ncommitter x <x@x> 1 +0000\n";
    const stream = `${head}${data("x")}from refs/heads/main^0\n${changes.join("")}`;
    const child = new Deno.Command("git", {
      args: ["--git-dir", this.hub, "fast-import", "--quiet"],
      stdin: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stream));
    await writer.close();
    if (!(await child.status).success) throw new Error("cannot change the hub");
  }

  /** Leaves the folder there. */
  keep(): void {
    this.#isKept = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isKept) removeTree(this.folder);
    return Promise.resolve();
  }
}

/** What a script in Claude Code's place does to stay there until {@linkcode TestMachine.closeClient}. */
export const STAYS_OPEN =
  `touch "$HOME/up"; while [ ! -e "$HOME/close" ] && [ -d "$HOME" ]; do sleep 0.02; done`;

/** How a machine differs from others. */
export interface MachineOptions {
  /** The home directory, inside the world's folder. @default {`<id>/home/<id>`} */
  readonly home?: string;
  /** The projects folder, inside the home. @default {"projects"} */
  readonly projects?: string;
  /** Further variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** One machine: a home, a projects folder, a Claude directory. */
export class TestMachine implements CcsyncMachine {
  readonly world: World;
  readonly id: string;
  readonly home: string;
  readonly projects: string;
  readonly tmp: string;
  readonly env: Readonly<Record<string, string>>;

  constructor(world: World, id: string, options: MachineOptions) {
    this.world = world;
    this.id = id;
    this.home = join(world.folder, options.home ?? `${id}/home/${id}`);
    this.projects = join(this.home, options.projects ?? "projects");
    this.tmp = join(world.folder, `${id}/tmp`);
    this.env = options.env ?? {};
    Deno.mkdirSync(this.projects, { recursive: true });
    Deno.mkdirSync(this.tmp, { recursive: true });
  }

  /** Returns a path as the machine itself writes it. */
  own(path: string): string {
    return path;
  }

  /** Returns a path as it stands in the machine's transcripts. */
  quoted(path: string): string {
    return JSON.stringify(this.own(path)).slice(1, -1);
  }

  get claude(): string {
    return join(this.home, ".claude");
  }

  get ccsyncHome(): string {
    return join(this.home, ".claude-session-sync");
  }

  /** Joins the world's hub. */
  async init(...more: readonly string[]): Promise<ProcessResult> {
    const placeholder = `PROJECTS=${this.projects}`;
    const args = ["--remote", this.world.hub, "--machine-id", this.id, "--sync-dir", this.projects];
    return await this.ccsync("init", ...args, "--add-placeholder", placeholder, "--yes", ...more);
  }

  /** Runs ccsync, which has to succeed. */
  async ccsync(...args: readonly string[]): Promise<ProcessResult> {
    return await ccsync(this, ...args);
  }

  /** Runs ccsync, whatever comes of it. */
  async try(...args: readonly string[]): Promise<ProcessResult> {
    return await tryCcsync(this, ...args);
  }

  /** Sets the times in `config.json`, in seconds. */
  setTimes(times: Readonly<Partial<Record<"interval" | "lock_ttl", number>>>): void {
    const path = join(this.ccsyncHome, "config.json");
    const config: unknown = JSON.parse(Deno.readTextFileSync(path));
    Deno.writeTextFileSync(path, JSON.stringify({ ...Object(config), ...times }));
  }

  /** Starts ccsync, and does not wait for its end. Dispose what is returned. */
  async start(...args: readonly string[]): Promise<RunningProcess> {
    return await startCcsync(this, args, () => this.closeClient());
  }

  /**
   * Puts a shell script in the place of Claude Code. Its arguments are noted, and the directory it starts in:
   * {@linkcode TestMachine.clientStarts} returns them.
   */
  scriptClaude(body: string): void {
    const path = scriptedClaude(this);
    Deno.mkdirSync(dirname(path), { recursive: true });
    const note = `printf '%s|' "$PWD" "$@" >> "$HOME/claude.log"; echo >> "$HOME/claude.log"`;
    Deno.writeTextFileSync(path, `#!/bin/sh\n${note}\n${body}\n`, { mode: 0o755 });
    Deno.chmodSync(path, 0o755);
  }

  /** Waits until a script has come to {@linkcode STAYS_OPEN}. */
  async clientUp(): Promise<void> {
    const path = join(this.home, "up");
    await until("Claude Code", () => lstatIfThere(path) === undefined ? undefined : true);
  }

  /** Ends a script that {@linkcode STAYS_OPEN} keeps running, this one and the next. */
  closeClient(): void {
    Deno.writeTextFileSync(join(this.home, "close"), "");
  }

  /** Returns how the script that stands in for Claude Code was started: directory and arguments. */
  clientStarts(): string[][] {
    try {
      const log = Deno.readTextFileSync(join(this.home, "claude.log"));
      return log.trimEnd().split("\n").map((line) => line.split("|").slice(0, -1));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  /** Returns where the transcript of a session of a project lies. */
  transcriptPath(id: string, project = "app"): string {
    const directory = projectDirName(this.own(join(this.projects, project)));
    return join(this.claude, "projects", directory, `${id}.jsonl`);
  }

  /** Returns recorded text as this machine would have written it. Independent of ccsync's own translation. */
  localise(recorded: string): string {
    const uid = Deno.build.os === "windows" ? 0 : Deno.uid() ?? 0;
    const dashed = (path: string) => path.replace(/[^a-zA-Z0-9]/g, "-");
    const here: Readonly<Record<string, string>> = {
      [`${RECORDED.home}/projects`]: this.projects,
      [RECORDED.home]: this.home,
      [RECORDED.tmp]: join(this.tmp, `claude-${uid}`),
      [dashed(`${RECORDED.home}/projects`)]: dashed(this.projects),
      [dashed(RECORDED.home)]: dashed(this.home),
    };
    // In one pass: what is put in may look like what is searched.
    const found = new RegExp(Object.keys(here).map(RegExp.escape).join("|"), "g");
    return recorded.replace(found, (path) => here[path] ?? path);
  }

  /** Returns text of this machine with names in place of its paths: what machines that converged have in common. */
  neutral(text: string): string {
    const dashed = (path: string) => path.replace(/[^a-zA-Z0-9]/g, "-");
    const names: Readonly<Record<string, string>> = {
      [this.projects]: "{PROJECTS}",
      [this.home]: "{HOME}",
      [this.tmp]: "{TMP}",
      [dashed(this.projects)]: "{DIR}",
    };
    const found = new RegExp(Object.keys(names).map(RegExp.escape).join("|"), "g");
    return text.replace(/"thinking":"(?:[^"\\]|\\.)*"/g, "").replace(
      found,
      (path) => names[path] ?? "",
    );
  }

  /** Puts a recorded transcript onto this machine, and returns its session's id. */
  plant(
    fixture: string,
    options: { readonly id?: string; readonly project?: string } = {},
  ): string {
    const recorded = Deno.readTextFileSync(join(FIXTURES, fixture));
    const recordedId = /"sessionId":"([0-9a-f-]{36})"/.exec(recorded)?.[1] ?? "";
    const id = options.id ?? recordedId;
    const text = this.localise(recorded).replaceAll(recordedId, id);
    this.write(id, this.#inProject(text, options.project), options.project);
    return id;
  }

  /** Puts a recorded Claude directory onto this machine, every file of it. */
  plantAll(fixture = "alice/.claude"): void {
    const root = join(FIXTURES, fixture);
    const copy = (path: string) => {
      for (const entry of Deno.readDirSync(join(root, path))) {
        const inner = join(path, entry.name);
        if (entry.isDirectory) copy(inner);
        else this.#plantFile(join(root, inner), inner);
      }
    };
    copy("");
  }

  #plantFile(from: string, path: string): void {
    // Backups of the user's files are not the client's own writing.
    const isText = !path.startsWith("file-history");
    const content = Deno.readTextFileSync(from);
    this.writeFile(this.#planted(from, path), isText ? this.localise(content) : content);
  }

  /** Names of more than 200 characters end in a hash of the whole path: no replacement gives them. */
  #planted(from: string, path: string): string {
    const [first = "", project = "", ...rest] = path.split("/");
    if (project.length <= 200) return this.localise(path);
    const cwd = /"cwd":"([^"]+)"/.exec(Deno.readTextFileSync(from))?.[1] ?? "";
    return join(first, projectDirName(this.localise(cwd)), ...rest);
  }

  /** Writes a file under the Claude directory. */
  writeFile(path: string, content: string | Uint8Array): void {
    const target = join(this.claude, path);
    Deno.mkdirSync(dirname(target), { recursive: true });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    Deno.writeFileSync(target, bytes, { mode: 0o600 });
  }

  /** Returns a file under the Claude directory. */
  readFile(path: string): string {
    return Deno.readTextFileSync(join(this.claude, path));
  }

  /** Returns the paths of all files under a directory of the Claude directory, sorted. */
  files(path = ""): string[] {
    const entries = [...Deno.readDirSync(join(this.claude, path))];
    return entries.flatMap(({ isDirectory, name }) => {
      const inner = join(path, name);
      return isDirectory ? this.files(inner) : [inner];
    }).sort();
  }

  #inProject(text: string, project: string | undefined): string {
    if (project === undefined) return text;
    const quoted = (name: string) => this.quoted(join(this.projects, name));
    return text.replaceAll(quoted("app"), quoted(project));
  }

  /** Writes a transcript as Claude Code would: readable by its owner only. */
  write(id: string, content: string | Uint8Array, project?: string): void {
    const path = this.transcriptPath(id, project);
    Deno.mkdirSync(dirname(path), { recursive: true });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    Deno.writeFileSync(path, bytes, { mode: 0o600 });
  }

  /** Appends to a transcript. */
  append(id: string, content: string, project?: string): void {
    Deno.writeTextFileSync(this.transcriptPath(id, project), content, { append: true });
  }

  /** Returns a transcript's content. */
  read(id: string, project?: string): string {
    return Deno.readTextFileSync(this.transcriptPath(id, project));
  }

  /** Returns whether a transcript is there. */
  has(id: string, project?: string): boolean {
    try {
      return Deno.lstatSync(this.transcriptPath(id, project)).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }
}

/** How a record that a test makes differs from others. */
export interface RecordOptions {
  readonly id: string;
  readonly cwd: string;
  readonly text: string;
  /** @default a random one */
  readonly uuid?: string;
  /** @default null */
  readonly parent?: string;
  /** ISO 8601. @default now */
  readonly at?: string;
  /** @default {"cli"} */
  readonly entrypoint?: string;
}

/** Returns the line of a prompt, with the fields and their order as Claude Code 2.1.197 writes them. */
export function promptLine(options: RecordOptions): string {
  return JSON.stringify({
    parentUuid: options.parent ?? null,
    isSidechain: false,
    type: "user",
    message: { role: "user", content: options.text },
    uuid: options.uuid ?? crypto.randomUUID(),
    timestamp: options.at ?? new Date().toISOString(),
    permissionMode: "default",
    userType: "external",
    entrypoint: options.entrypoint ?? "cli",
    cwd: options.cwd,
    sessionId: options.id,
    version: "2.1.197",
    gitBranch: "main",
  }) + "\n";
}
