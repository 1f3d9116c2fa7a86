/**
 * A machine of a scenario that has Windows: its home is on `C:\`, and ccsync's executable for Windows runs there.
 *
 * What is inherited takes and returns paths of this system, where the machine's files lie; {@linkcode
 * WindowsMachine.own} tells how the machine itself writes them.
 *
 * @module
 */
import { join } from "node:path";
import { readTextIfThere } from "../../src/machine/files.ts";
import type { Program } from "../support/ccsync.ts";
import { RunningProcess, until } from "../support/process.ts";
import { type MachineOptions, RECORDED, TestMachine, World } from "../support/world.ts";
import { windowsExecutable, type Wine } from "./wine.ts";

/** Makes a world whose folder both kinds of machines reach: it lies on `C:\`. */
export async function mixedWorld(wine: Wine): Promise<World> {
  return await World.create(wine.drives.c);
}

/** A backslash in JSON that is a string of JSON, in JSON, and in plain text. */
const SEPARATORS: readonly string[] = ["\\\\\\\\", "\\\\", "\\"];

/** A machine with Windows. */
export class WindowsMachine extends TestMachine {
  readonly #wine: Wine;

  constructor(wine: Wine, world: World, id: string, options: MachineOptions = {}) {
    super(world, id, { home: `${id}/Users/${id}`, ...options });
    this.#wine = wine;
  }

  /** Returns a machine that has joined the hub, with PROJECTS as a placeholder. */
  static async joined(
    wine: Wine,
    world: World,
    id: string,
    options: MachineOptions = {},
  ): Promise<WindowsMachine> {
    const machine = new WindowsMachine(wine, world, id, options);
    await machine.init();
    return machine;
  }

  override own(path: string): string {
    return this.#wine.drives.toWindows(path);
  }

  /** Paths of this system in the arguments become the machine's own. */
  readonly invocation = async (args: readonly string[]): Promise<Program> => {
    const own = args.map((arg) => {
      const at = arg.indexOf(this.world.folder);
      return at < 0 ? arg : arg.slice(0, at) + this.own(arg.slice(at));
    });
    return await this.#wine.program(await windowsExecutable(), own, this.variables);
  };

  /** The environment of its programs. */
  get variables(): Readonly<Record<string, string>> {
    const [home, tmp] = [this.own(this.home), this.own(this.tmp)];
    return {
      USERPROFILE: home,
      APPDATA: `${home}\\AppData\\Roaming`,
      LOCALAPPDATA: `${home}\\AppData\\Local`,
      TEMP: tmp,
      TMP: tmp,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_TERMINAL_PROMPT: "0",
      CCSYNC_CLAUDE: `${home}\\bin\\claude.exe`,
      ...this.env,
    };
  }

  /** Has one of its files open as another program, until it is disposed. Returns that program's process id, too. */
  async hold(
    path: string,
    mode: "alone" | "shared",
  ): Promise<AsyncDisposable & { readonly pid: number }> {
    const args = [mode, this.own(path)];
    const program = await this.#wine.program(this.#wine.own("hold"), args, this.variables);
    const running = new RunningProcess(
      program.path,
      { args: program.args, cwd: this.home, env: program.env },
      () => undefined,
    );
    const mark = `${path}.held`;
    const pid = await until(mark, () => Number(readTextIfThere(mark)) || undefined);
    Deno.removeSync(mark);
    return { pid, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
  }

  override scriptClaude(body: string): void {
    super.scriptClaude(body);
    this.#wine.addShim(join(this.home, "bin/claude.exe"));
  }

  /** Line by line: the paths become this machine's, and nothing else changes. */
  override localise(recorded: string): string {
    return recorded.split("\n").map((line) => this.#localised(line)).join("\n");
  }

  /** What is JSON, and as `JSON.stringify` writes it, is looked into: its strings are escaped once more. */
  #localised(text: string): string {
    const value = text.startsWith("{") ? parsed(text) : undefined;
    if (JSON.stringify(value) !== text) return this.#withOwnPaths(text);
    return JSON.stringify(this.#inValue(value));
  }

  #inValue(value: unknown): unknown {
    if (typeof value === "string") return this.#localised(value);
    if (Array.isArray(value)) return value.map((each) => this.#inValue(each));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, each]) => {
      // What is signed stays as it is.
      return [this.#withOwnPaths(key), key === "thinking" ? each : this.#inValue(each)] as const;
    });
    return Object.fromEntries(entries);
  }

  #withOwnPaths(text: string): string {
    const dashed = (path: string) => path.replace(/[^a-zA-Z0-9]/g, "-");
    const roots: Readonly<Record<string, string>> = {
      [`${RECORDED.home}/projects`]: this.own(this.projects),
      [RECORDED.home]: this.own(this.home),
      [RECORDED.tmp]: this.own(join(this.tmp, "claude-0")),
    };
    const root = Object.keys(roots).map(RegExp.escape).join("|");
    const directory = dashed(`${RECORDED.home}/projects`);
    return text.replace(new RegExp(`(${root})([^\\s"'<>|:;,?]*)`, "g"), (_, path, rest) => {
      const below = rest.replaceAll(directory, dashed(this.own(this.projects)));
      return `${roots[path]}${below.replaceAll("/", "\\")}`;
    });
  }

  override neutral(text: string): string {
    const names = { PROJECTS: this.projects, HOME: this.home, TMP: this.tmp };
    const dashed = this.own(this.projects).replace(/[^a-zA-Z0-9]/g, "-");
    const unsigned = text.replace(/"thinking":"(?:[^"\\]|\\.)*"/g, "");
    return Object.entries(names).reduce((result, [name, path]) => {
      return SEPARATORS.reduce((result, separator) => {
        const root = RegExp.escape(this.own(path).replaceAll("\\", separator));
        const rest = `(?:${RegExp.escape(separator)}[^\\s"'<>|:;,?\\\\]*)*`;
        return result.replace(new RegExp(`${root}(${rest})`, "g"), (_, rest) => {
          return `{${name}}${rest.replaceAll(separator, "/")}`;
        });
      }, result);
    }, unsigned).replaceAll(dashed, "{DIR}");
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
