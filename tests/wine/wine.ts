/**
 * Windows programs under Wine, as Debian 12 has it: a prefix, the few things that its Wine 8 lacks for programs
 * made by Deno, and the system's git behind {@linkcode Relay}.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { entriesOf, lstatIfThere, readTextIfThere, removeTree } from "../../src/machine/files.ts";
import type { Program } from "../support/ccsync.ts";
import { described, runToEnd } from "../support/process.ts";
import { missing } from "../support/programs.ts";
import { Drives } from "./drives.ts";
import { Relay } from "./relay.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CACHE = join(ROOT, ".cache", "wine");
const LOADER = "/usr/lib/wine/wine64";
const SERVER = "/usr/lib/wine/wineserver64";
/** Seconds that the server and Windows' services stay for the next program: starting them takes some. */
const STAYS = 30;
const COMPILER = "x86_64-w64-mingw32-gcc";

/** Programs that Windows machines find on their PATH, as this system has them. */
const SHIMS: readonly string[] = ["git", "gh", "sh"];

/** Programs of our own for Windows, by their sources beside this one. */
const OWN_PROGRAMS: readonly string[] = ["shim", "launch", "tasklist", "hold"];

/** Why nothing runs under Wine here; `undefined` where it does. */
export const noWine: string | undefined = Deno.build.target === "x86_64-unknown-linux-gnu"
  ? missing(LOADER, COMPILER)
  : "Wine is for Linux on x86_64";

/** Where Windows programs run. Dispose it once they have ended. */
export class Wine implements Disposable {
  readonly drives: Drives;
  /** The folder of programs that stand for Unix ones. */
  readonly shims: string;
  readonly #relay: Relay;

  private constructor(drives: Drives, relay: Relay, shims: string) {
    this.drives = drives;
    this.#relay = relay;
    this.shims = shims;
  }

  /** Makes the prefix where it is not there, and listens for the shims. */
  static async start(): Promise<Wine> {
    await keepServer();
    // By its real path, which is what Linux machines on its C: know.
    const prefix = await Deno.realPath(await prepared());
    const drives = new Drives(prefix);
    const relay = new Relay(drives);
    const shims = Deno.makeTempDirSync({ dir: drives.c, prefix: "shims-" });
    const wine = new Wine(drives, relay, shims);
    Deno.writeTextFileSync(join(shims, "port"), `${relay.port}`);
    for (const name of SHIMS) wine.addShim(join(shims, `${name}.exe`));
    Deno.copyFileSync(join(CACHE, "tasklist.exe"), join(shims, "tasklist.exe"));
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

  [Symbol.dispose](): void {
    this.#relay[Symbol.dispose]();
    Deno.removeSync(this.shims, { recursive: true });
  }
}

/** Starts the server, unless one runs already: that one stays then. */
async function keepServer(): Promise<void> {
  await new Deno.Command(SERVER, {
    args: [`-p${STAYS}`],
    env: wineVariables(),
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn().status;
}

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
  Deno.mkdirSync(CACHE, { recursive: true });
  using lock = Deno.openSync(join(CACHE, "lock"), { write: true, create: true });
  await lock.lock(true);
  const source = (name: string) => join(ROOT, "tests", "wine", `${name}.c`);
  const names = ["bcryptprimitives", ...OWN_PROGRAMS];
  const state = names.map((name) => Deno.readTextFileSync(source(name))).join("\n");
  const mark = join(CACHE, "prepared");
  if (readTextIfThere(mark) === state) return prefix;
  removeTree(prefix);
  await mustRun(LOADER, ["wineboot", "--init"]);
  const library = join(prefix, "drive_c/windows/system32/bcryptprimitives.dll");
  const random = source("bcryptprimitives");
  await mustRun(COMPILER, ["-shared", "-o", library, random, "-ladvapi32"]);
  for (const name of OWN_PROGRAMS) {
    const program = join(CACHE, `${name}.exe`);
    await mustRun(COMPILER, ["-O1", "-municode", "-o", program, source(name), "-lws2_32"]);
  }
  Deno.writeTextFileSync(mark, state);
  return prefix;
}

async function mustRun(program: string, args: readonly string[]): Promise<void> {
  const result = await runToEnd(program, { args, cwd: CACHE, env: wineVariables() });
  if (result.code !== 0) throw new Error(`${program} ${args.join(" ")}\n${described(result)}`);
}

/** Functions of Windows that Wine 8 implements only in part: V8 does without where they are missing. */
const HALF_DONE: readonly string[] = ["VirtualAlloc2", "MapViewOfFile3", "UnmapViewOfFile2"];

/** Returns a copy of a program that does not find what Wine has only half of. */
async function patched(program: string): Promise<string> {
  const { mtime, size } = await Deno.stat(program);
  const folder = join(CACHE, "programs", `${mtime?.getTime()}-${size}`);
  const copy = join(folder, basename(program));
  if (lstatIfThere(copy) !== undefined) return copy;
  const bytes = Buffer.from(await Deno.readFile(program));
  for (const name of HALF_DONE) {
    const [wanted, other] = [Buffer.from(`${name}\0`), Buffer.from(`${name.slice(0, -1)}Z\0`)];
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at)) {
      other.copy(bytes, at);
    }
  }
  removeOldCopies(basename(program));
  Deno.mkdirSync(folder, { recursive: true });
  const temporary = Deno.makeTempFileSync({ dir: folder });
  await Deno.writeFile(temporary, bytes);
  await Deno.rename(temporary, copy);
  return copy;
}

/** Milliseconds after which nobody uses a copy of an earlier build any more. */
const COPY_KEPT_MS = 3_600_000;

/** Each build has a copy of some 97 MB. */
function removeOldCopies(name: string): void {
  for (const folder of entriesOf(join(CACHE, "programs"))) {
    const path = join(CACHE, "programs", folder.name);
    const made = lstatIfThere(join(path, name))?.mtime?.getTime() ?? Infinity;
    if (Date.now() - made > COPY_KEPT_MS) removeTree(path);
  }
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
