/**
 * Programs in a real terminal: tmux from Debian's packages, with a server of its own for each test.
 *
 * @module
 */
import { Folder } from "./folder.ts";
import { described, type ProcessResult, runToEnd, until } from "./process.ts";
import { missing, testUnless } from "./programs.ts";

/**
 * Defines a test that needs a terminal; where it cannot run, it is ignored, and its name says why.
 *
 * @param obstacle What else is in the way, `undefined` where nothing is
 */
export function terminalTest(
  name: string,
  work: () => Promise<void>,
  obstacle: string | undefined = undefined,
): void {
  testUnless(missing("tmux") ?? obstacle, name, work);
}

/** Milliseconds that a screen has to show what is waited for. */
const PATIENCE_MS = 30_000;
const POLL_MS = 25;

/** How a program is started. */
export interface TmuxOptions {
  readonly columns: number;
  readonly rows: number;
  /** The program's whole environment besides `TERM`. @default PATH alone, and a UTF-8 locale */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A terminal with one program in it. Dispose it to end both. */
export class Tmux implements AsyncDisposable {
  readonly #folder: Folder;
  readonly #socket: string;

  private constructor(folder: Folder) {
    this.#folder = folder;
    this.#socket = folder.at("socket");
  }

  /** Starts a program in a terminal of this size. Once it has ended, a shell has the terminal. */
  static async start(command: readonly string[], options: TmuxOptions): Promise<Tmux> {
    const { columns, cwd, env = {}, rows } = options;
    const folder = new Folder();
    const tmux = new Tmux(folder);
    // No user's configuration, and no status line, which would take a row.
    const config = folder.write("tmux.conf", CONFIG);
    const variables = { PATH: Deno.env.get("PATH") ?? "", LANG: "C.UTF-8", ...env };
    try {
      await tmux.#run([
        ...["-f", config, "new-session", "-d", "-x", String(columns), "-y", String(rows)],
        ...["-c", cwd ?? folder.path, "--", "env", "-i", "TERM=screen-256color"],
        ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
        ...["sh", "-c", THEN_SHELL, "sh", ...command],
      ]);
      return tmux;
    } catch (error) {
      folder[Symbol.dispose]();
      throw error;
    }
  }

  /** Presses keys by tmux's names: `Enter`, `Up`, `C-c`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#run(["send-keys", "--", ...keys]);
  }

  /** Types a text as it is. */
  async type(text: string): Promise<void> {
    await this.#run(["send-keys", "-l", "--", text]);
  }

  /** Changes the size of the terminal. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#run(["resize-window", "-x", String(columns), "-y", String(rows)]);
  }

  /**
   * Returns what the terminal shows, without spaces at line ends and empty lines at the end.
   *
   * @param shown Whether escape sequences for colours are in it, and whether lines that the terminal wrapped are one
   */
  async screen(
    shown: { readonly isStyled?: boolean; readonly isJoined?: boolean } = {},
  ): Promise<string> {
    const options = [
      ...shown.isStyled === true ? ["-e"] : [],
      ...shown.isJoined === true ? ["-J"] : [],
    ];
    const { stdout } = await this.#run(["capture-pane", "-p", ...options]);
    return stdout.split("\n").map((line) => line.trimEnd()).join("\n").trimEnd();
  }

  /** Returns what tmux knows of the terminal, by its format: `#{cursor_flag}`. */
  async ask(format: string): Promise<string> {
    const { stdout } = await this.#run(["display-message", "-p", format]);
    return stdout.trimEnd();
  }

  /**
   * Waits until the screen shows a text, and returns the screen.
   *
   * @throws {Error} with the screen when it does not come
   */
  async waitFor(wanted: string | RegExp): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    while (true) {
      const screen = await this.screen();
      if (typeof wanted === "string" ? screen.includes(wanted) : wanted.test(screen)) return screen;
      if (Date.now() > deadline) {
        throw new Error(`waited in vain for ${wanted}; the terminal shows:\n${screen}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Waits until the program has ended, and returns its exit code. */
  async exitCode(): Promise<number> {
    const screen = await this.waitFor(ENDED);
    return Number(ENDED.exec(screen)?.[1]);
  }

  async #run(args: readonly string[]): Promise<ProcessResult> {
    const result = await runToEnd("tmux", {
      args: ["-S", this.#socket, ...args],
      cwd: this.#folder.path,
      env: { PATH: Deno.env.get("PATH") ?? "", LANG: "C.UTF-8" },
    });
    if (result.code !== 0) throw new Error(`tmux ${args.join(" ")}\n${described(result)}`);
    return result;
  }

  /** Ends all programs of the terminal. One may write when it is hung up on, as a shell does: that is waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const ids = familyOf(await this.ask("#{pane_pid}"), await runningProcesses());
      await this.#run(["kill-server"]);
      await until("the end of the terminal's programs", async () => {
        const left = (await runningProcesses()).some(({ id }) => ids.has(id));
        return left ? undefined : true;
      });
    } finally {
      this.#folder[Symbol.dispose]();
    }
  }
}

interface RunningProcess {
  readonly id: string;
  readonly parent: string;
}

/** Returns all processes but those that have ended and are not yet taken notice of. */
async function runningProcesses(): Promise<RunningProcess[]> {
  const { stdout } = await runToEnd("ps", { args: ["-A", "-o", "pid=,ppid=,stat="], cwd: "/" });
  return stdout.trim().split("\n").map((line) => line.trim().split(/\s+/))
    .filter(([, , state = ""]) => !state.startsWith("Z"))
    .map(([id = "", parent = ""]) => ({ id, parent }));
}

/** Returns a process and all that it started. */
function familyOf(id: string, running: readonly RunningProcess[]): ReadonlySet<string> {
  const children = running.filter(({ parent }) => parent === id);
  return new Set([id, ...children.flatMap((child) => [...familyOf(child.id, running)])]);
}

const CONFIG = `set -g status off
set -g default-terminal screen-256color
set -s escape-time 0
`;

/** The shell shows whether the terminal is as it was. Ctrl-C is the program's, and must not end the shell. */
const THEN_SHELL = `trap : INT; "$@"; printf 'ended with %d\\n' $?; PS1='$ ' exec sh -i`;
const ENDED = /^ended with (\d+)$/m;
