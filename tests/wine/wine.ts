/**
 * Windows programs under Wine, as Debian 12 has it: a prefix, the few things that its Wine 8 lacks for programs
 * made by Deno, and the system's git behind {@linkcode Relay}.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  entriesOf,
  lstatIfThere,
  PendingFile,
  readTextIfThere,
  removeTree,
} from "../../src/machine/files.ts";
import type { Program } from "../support/ccsync.ts";
import { described, runToEnd } from "../support/process.ts";
import { missing } from "../support/programs.ts";
import { Drives } from "./drives.ts";
import { Relay } from "./relay.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CACHE = join(ROOT, ".cache", "wine");
const LOADER = "/usr/lib/wine/wine64";
const SERVER = "/usr/lib/wine/wineserver64";
const COMPILER = "x86_64-w64-mingw32-gcc";

/** Programs that Windows machines find on their PATH, as this system has them. */
const SHIMS: readonly string[] = ["git", "gh", "sh"];

/** Programs of our own for Windows, by their sources beside this one. */
const OWN_PROGRAMS: readonly string[] = ["shim", "launch", "tasklist", "hold"];

/** Why nothing runs under Wine here; `undefined` where it does. */
export const noWine: string | undefined = Deno.build.target === "x86_64-unknown-linux-gnu"
  ? missing(LOADER, COMPILER)
  : "Wine is for Linux on x86_64";

/** Where Windows programs run: one at a time has the prefix, of all processes that want it. */
export class Wine {
  readonly drives: Drives;
  /** The folder of programs that stand for Unix ones. */
  readonly shims: string;
  readonly #relay: Relay;
  static #started: Promise<Wine> | undefined;

  private constructor(drives: Drives, relay: Relay, shims: string) {
    this.drives = drives;
    this.#relay = relay;
    this.shims = shims;
  }

  /** Returns the one of this process, which the first call starts, and which ends with the process. */
  static async started(): Promise<Wine> {
    return await (Wine.#started ??= Wine.#start());
  }

  /** Makes the prefix where it is not there, and listens for the shims. */
  static async #start(): Promise<Wine> {
    Deno.mkdirSync(CACHE, { recursive: true });
    const lock = Deno.openSync(join(CACHE, "lock"), { write: true, create: true });
    await lock.lock(true);
    await endLeftServer();
    // By its real path, which is what Linux machines on its C: know.
    const drives = new Drives(await Deno.realPath(await prepared()));
    removeLeftovers(drives.c);
    const relay = new Relay(drives);
    const shims = Deno.makeTempDirSync({ dir: drives.c, prefix: "shims-" });
    const wine = new Wine(drives, relay, shims);
    for (const name of SHIMS) wine.addShim(join(shims, `${name}.exe`));
    Deno.copyFileSync(join(CACHE, "tasklist.exe"), join(shims, "tasklist.exe"));
    const keeper = await keepServer();
    addEventListener("unload", () => {
      keeper.kill();
      relay[Symbol.dispose]();
      Deno.removeSync(shims, { recursive: true });
      lock.close();
    });
    return wine;
  }

  /** Puts a program there that runs the Unix one that lies beside it, or has its name. */
  addShim(path: string): void {
    Deno.copyFileSync(join(CACHE, "shim.exe"), path);
    const port = join(path, "../port");
    Deno.writeTextFileSync(port, `${this.#relay.port}`);
  }

  /**
   * Returns how a Windows program is started from this system.
   *
   * @param program Its path on this system
   * @param env What it gets beside Wine's own variables; paths are its own. Variables of this process do not
   * reach it
   */
  async program(
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Program> {
    const variables = Object.entries({
      PATH: `${this.drives.toWindows(this.shims)};${SYSTEM_PATH}`,
      ...env,
    });
    return {
      path: LOADER,
      args: [
        join(CACHE, "launch.exe"),
        ...variables.map(([name, value]) => `${name}=${value}`),
        "--",
        this.drives.toWindows(await patched(program)),
        ...args,
      ],
      env: wineVariables(),
    };
  }

  /** Returns the path of one of our own programs on this system. */
  own(name: string): string {
    return join(CACHE, `${name}.exe`);
  }
}

const DAY_MS = 24 * 60 * 60_000;

/** Removes what processes that were killed left behind; what a demo was told to keep stays a day. */
function removeLeftovers(folder: string): void {
  for (const { name } of entriesOf(folder)) {
    const path = join(folder, name);
    const age = Date.now() - (lstatIfThere(path)?.mtime?.getTime() ?? Infinity);
    if (/^(?:shims|ccsync-world)-/.test(name) && age > DAY_MS) removeTree(path);
  }
}

/** Ends what a process that was killed left running in the prefix: the server takes all programs with it. */
async function endLeftServer(): Promise<void> {
  await new Deno.Command(SERVER, { args: ["-k"], ...SILENT, env: wineVariables() }).spawn().status;
}

/**
 * Starts a program that ends when this process does, whatever way: the server and Windows' services stay as long as
 * it, and starting them takes more than most programs. They have its output, so no other program may be the
 * first: whoever waits for the end of that one's output would wait for theirs.
 */
async function keepServer(): Promise<Deno.ChildProcess> {
  const args = ["C:\\windows\\system32\\cmd.exe", "/d", "/q"];
  const options = { ...SILENT, stdin: "piped", stdout: "piped", env: wineVariables() } as const;
  const child = new Deno.Command(LOADER, { args, ...options }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  reader.releaseLock();
  child.unref();
  return child;
}

const SILENT = { clearEnv: true, stdin: "null", stdout: "null", stderr: "null" } as const;

const SYSTEM_PATH = "C:\\windows\\system32;C:\\windows";

function wineVariables(): Record<string, string> {
  return {
    PATH: Deno.env.get("PATH") ?? "",
    HOME: CACHE,
    // Paths and arguments are taken for ASCII otherwise.
    LC_ALL: "C.UTF-8",
    WINEPREFIX: join(CACHE, "prefix"),
    WINEDEBUG: "-all",
    // No .NET, no HTML, no menus: they are asked for at the first start.
    WINEDLLOVERRIDES: "mscoree=;mshtml=;winemenubuilder.exe=",
  };
}

/** Makes what all tests share, unless it is there. Returns the prefix. */
async function prepared(): Promise<string> {
  const prefix = join(CACHE, "prefix");
  const library = join(prefix, "drive_c/windows/system32/bcryptprimitives.dll");
  await onceFor(join(prefix, "made"), ["bcryptprimitives"], async ([random = ""]) => {
    removeTree(prefix);
    await mustRun(LOADER, ["wineboot", "--init"]);
    await mustRun(COMPILER, ["-shared", "-o", library, random, "-ladvapi32"]);
  });
  await onceFor(join(CACHE, "made"), OWN_PROGRAMS, async (sources) => {
    for (const source of sources) {
      const program = join(CACHE, `${basename(source, ".c")}.exe`);
      await mustRun(COMPILER, ["-O1", "-municode", "-o", program, source, "-lws2_32"]);
    }
  });
  return prefix;
}

/** Does some work, unless the mark says that it was done to the end with these sources as they are now. */
async function onceFor(
  mark: string,
  names: readonly string[],
  work: (sources: readonly string[]) => Promise<void>,
): Promise<void> {
  const sources = names.map((name) => join(ROOT, "tests", "wine", `${name}.c`));
  const state = sources.map((source) => Deno.readTextFileSync(source)).join("\n");
  if (readTextIfThere(mark) === state) return;
  await work(sources);
  Deno.writeTextFileSync(mark, state);
}

async function mustRun(program: string, args: readonly string[]): Promise<void> {
  const result = await runToEnd(program, { args, cwd: CACHE, env: wineVariables() });
  if (result.code !== 0) throw new Error(`${program} ${args.join(" ")}\n${described(result)}`);
}

/** Functions of Windows that Wine 8 implements only in part: V8 does without where they are missing. */
const HALF_DONE: readonly string[] = ["VirtualAlloc2", "MapViewOfFile3", "UnmapViewOfFile2"];

/** Returns a copy of a program that does not find what Wine has only half of. */
async function patched(program: string): Promise<string> {
  const time = (await Deno.stat(program)).mtime?.getTime();
  const copy = join(CACHE, "programs", basename(program));
  if (time !== undefined && lstatIfThere(copy)?.mtime?.getTime() === time) return copy;
  const bytes = Buffer.from(await Deno.readFile(program));
  for (const name of HALF_DONE) {
    const [wanted, other] = [Buffer.from(`${name}\0`), Buffer.from(`${name.slice(0, -1)}Z\0`)];
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at)) {
      other.copy(bytes, at);
    }
  }
  using pending = new PendingFile(copy);
  pending.write(bytes);
  pending.place(time);
  return copy;
}

/** Returns the Windows executable that is to be tested: `CCSYNC_WINDOWS_BIN`, else one made of the sources. */
export async function windowsExecutable(): Promise<string> {
  const named = Deno.env.get("CCSYNC_WINDOWS_BIN");
  return named ?? await (built ??= build());
}

/** It takes seconds: once a process. */
let built: Promise<string> | undefined;

async function build(): Promise<string> {
  const output = join(CACHE, "ccsync.exe");
  const target = ["--target", "x86_64-pc-windows-msvc", "--test-runtime", "--output", output];
  const args = ["run", "-A", "--frozen", join(ROOT, "scripts/build.ts"), ...target];
  const result = await runToEnd(Deno.execPath(), { args, cwd: ROOT });
  if (result.code !== 0) throw new Error(`cannot build for Windows\n${described(result)}`);
  return output;
}
