/**
 * The real Claude Code client, for tests: how it is installed, and how it is started so that it
 * reads and writes nothing but a throw-away home and talks to nobody but a stand-in for the API.
 *
 * @module
 */
import { homedir } from "node:os";
import { isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type ProcessResult, runToEnd } from "../support/process.ts";

/** The version of the client whose behaviour the tests rely on. */
export const CLIENT_VERSION = "2.1.197";

const CLIENT_PACKAGE = "@anthropic-ai/claude-code";

/** The platforms that the client is published for, and the name each has in its package's name. */
const PLATFORMS: ReadonlyMap<string, string> = new Map([
  ["x86_64-unknown-linux-gnu", "linux-x64"],
  ["aarch64-unknown-linux-gnu", "linux-arm64"],
  ["x86_64-apple-darwin", "darwin-x64"],
  ["aarch64-apple-darwin", "darwin-arm64"],
  ["x86_64-pc-windows-msvc", "win32-x64"],
  ["aarch64-pc-windows-msvc", "win32-arm64"],
]);

/** npm's error codes that say that the registry was not reached. */
const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|E50[234])\b/;

/** Options of {@linkcode runClient}. */
export interface ClientRun {
  /** The client's native executable, as {@linkcode installClient} returns it. */
  readonly executable: string;
  /** The throw-away home. */
  readonly home: string;
  /** The directory to start in. */
  readonly cwd: string;
  /** The port of the stand-in for the API on 127.0.0.1. */
  readonly port: number;
  /** Where the client puts its temporary tree `claude-<uid>`. @default `.tmp` in the home */
  readonly tmp?: string;
  /** Where the client keeps its files; must lie in the home. @default the client's own: `~/.claude` */
  readonly configDir?: string;
  /** Further variables; those that keep the client contained cannot be replaced. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** Milliseconds after which the client is stopped. @default 120000 */
  readonly timeoutMs?: number;
}

/**
 * Installs the client into `.cache/claude-code/<version>/<platform>` of the repository, or finds it
 * there.
 *
 * The folder appears by one rename, so that a run that broke off leaves nothing behind that looks
 * finished, and two runs at a time do not disturb one another.
 *
 * @param tell called with the reason when the client cannot be had here
 * @returns the path of the native executable, or `undefined` where the client is not published for
 * this platform or npm is absent or cannot reach its registry
 * @throws {Error} when npm fails for any other reason
 */
export async function installClient(
  tell: (reason: string) => void = tellOnStderr,
): Promise<string | undefined> {
  const platform = PLATFORMS.get(Deno.build.target);
  if (platform === undefined) {
    tell(`${CLIENT_PACKAGE} is not published for ${Deno.build.target}`);
    return undefined;
  }
  const folder = fileURLToPath(
    new URL(`../../.cache/claude-code/${CLIENT_VERSION}/${platform}`, import.meta.url),
  );
  const name = Deno.build.os === "windows" ? "claude.exe" : "claude";
  const executable = join(folder, "node_modules", `${CLIENT_PACKAGE}-${platform}`, name);
  if (await exists(executable)) return executable;
  const reason = await installInto(folder);
  if (reason !== undefined) {
    tell(reason);
    return undefined;
  }
  if (await exists(executable)) return executable;
  throw new Error(`npm installed ${CLIENT_PACKAGE}@${CLIENT_VERSION} without "${executable}"`);
}

/**
 * Runs the client to its end.
 *
 * No variable of the calling process reaches it, so it sees no real key, configuration or session.
 * Its standard input is empty.
 *
 * @throws {Error} when the home is the real one, when the configuration is outside the home, or when
 * the client had to be stopped
 */
export async function runClient(run: ClientRun): Promise<ProcessResult> {
  await Deno.mkdir(run.home, { recursive: true });
  const home = await Deno.realPath(run.home);
  await assertThrowAway(home, run.configDir);
  const tmp = run.tmp ?? join(home, ".tmp");
  await Deno.mkdir(tmp, { recursive: true });
  await Deno.mkdir(run.cwd, { recursive: true });
  return await runToEnd(run.executable, {
    args: run.args,
    cwd: run.cwd,
    env: { ...run.env, ...containment(run, home, tmp) },
    ...(run.timeoutMs !== undefined && { timeoutMs: run.timeoutMs }),
  });
}

/**
 * Returns the command line of a shell that starts the client in a terminal, contained as by
 * {@linkcode runClient}, with its first-run questions answered.
 *
 * @throws {Error} when the home is the real one
 */
export async function interactiveClient(
  run: Omit<ClientRun, "args" | "configDir" | "timeoutMs">,
): Promise<string> {
  const home = await Deno.realPath(run.home);
  await assertThrowAway(home, undefined);
  const tmp = run.tmp ?? join(home, ".tmp");
  const variables = Object.entries({ ...run.env, ...containment({ ...run, args: [] }, home, tmp) });
  // Observed with 2.1.197: the wizard, the question for the key (its last 20 characters), and the trust.
  const answers = {
    hasCompletedOnboarding: true,
    theme: "dark",
    customApiKeyResponses: { approved: [API_KEY.slice(-20)], rejected: [] },
    projects: { [await Deno.realPath(run.cwd)]: { hasTrustDialogAccepted: true } },
  };
  await Deno.writeTextFile(join(home, ".claude.json"), JSON.stringify(answers));
  const quoted = variables.map(([name, value]) => `'${name}=${value.replaceAll("'", "'\\''")}'`);
  return `exec env -i ${quoted.join(" ")} '${run.executable}'`;
}

const API_KEY = "stub-key-for-loopback-only";

/** The variables that keep the client in its home and away from the network. */
function containment(run: ClientRun, home: string, tmp: string): Record<string, string> {
  return {
    ...SYSTEM_VARIABLES,
    HOME: home,
    USER: "stub",
    LANG: "C.UTF-8",
    TERM: "xterm-256color",
    CLAUDE_CODE_TMPDIR: tmp,
    // Where its own path is longer than 44 bytes, the client makes `claude-<uid>` in the system's
    // temporary folder as well, for its child processes. Observed with 2.1.197.
    TMPDIR: tmp,
    ANTHROPIC_BASE_URL: `http://127.0.0.1:${run.port}`,
    ANTHROPIC_API_KEY: API_KEY,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_TELEMETRY: "1",
    DISABLE_AUTOUPDATER: "1",
    DISABLE_ERROR_REPORTING: "1",
    ...(Deno.build.os === "windows" && { USERPROFILE: home, TEMP: tmp, TMP: tmp }),
    // As root the client refuses to skip permissions anywhere else. Observed with 2.1.197.
    ...(Deno.uid() === 0 && { IS_SANDBOX: "1" }),
    ...(run.configDir !== undefined && { CLAUDE_CONFIG_DIR: run.configDir }),
  };
}

/** What any program needs to start, and the client to find a shell. */
const SYSTEM_VARIABLES: Readonly<Record<string, string>> = Deno.build.os === "windows"
  ? inherited(["PATH", "PATHEXT", "SystemRoot", "SystemDrive", "ComSpec"])
  : { PATH: "/usr/local/bin:/usr/bin:/bin", SHELL: "/bin/bash" };

function inherited(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, Deno.env.get(name) ?? ""]));
}

async function assertThrowAway(home: string, configDir: string | undefined): Promise<void> {
  const real = await Promise.all(
    [homedir(), Deno.env.get("HOME"), Deno.env.get("USERPROFILE")].map(realPathIfAny),
  );
  if (real.includes(home)) throw new Error(`cannot run the client in the real home "${home}"`);
  if (configDir === undefined) return;
  const fromHome = relative(home, configDir);
  if (fromHome.startsWith("..") || isAbsolute(fromHome)) {
    throw new Error(`cannot run the client with a configuration outside its home: "${configDir}"`);
  }
}

async function realPathIfAny(path: string | undefined): Promise<string | undefined> {
  if (path === undefined || path === "") return undefined;
  return await Deno.realPath(path).catch(() => path);
}

/** @returns why the client cannot be had, or `undefined` when the folder is there */
async function installInto(folder: string): Promise<string | undefined> {
  const parent = join(folder, "..");
  await Deno.mkdir(parent, { recursive: true });
  const unfinished = await Deno.makeTempDir({ dir: parent, prefix: ".unfinished-" });
  try {
    const reason = await npmInstall(unfinished);
    if (reason === undefined) await moveUnlessThere(unfinished, folder);
    return reason;
  } finally {
    await Deno.remove(unfinished, { recursive: true }).catch(ignoreMissing);
  }
}

async function npmInstall(prefix: string): Promise<string | undefined> {
  // deno-fmt-ignore
  const args = [
    "install", "--prefix", prefix, "--no-save", "--no-package-lock", "--no-audit", "--no-fund",
    "--include=optional", "--fetch-retries=1", "--loglevel=error",
    // The package's own script only puts the executable under another name.
    "--ignore-scripts",
    `${CLIENT_PACKAGE}@${CLIENT_VERSION}`,
  ];
  const npm = Deno.build.os === "windows" ? "npm.cmd" : "npm";
  try {
    const { code, stderr } = await runToEnd(npm, { args, cwd: prefix, timeoutMs: 600_000 });
    if (code === 0) return undefined;
    const [unreachable] = UNREACHABLE.exec(stderr) ?? [];
    if (unreachable !== undefined) return `npm cannot reach its registry (${unreachable})`;
    throw new Error(`npm ended with exit code ${code}: ${stderr.trim()}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "npm is not installed";
    throw error;
  }
}

/** Renames a folder, unless another process has put the same there in the meantime. */
async function moveUnlessThere(from: string, to: string): Promise<void> {
  try {
    await Deno.rename(from, to);
  } catch (error) {
    if (!await exists(to)) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    ignoreMissing(error);
    return false;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

function tellOnStderr(reason: string): void {
  Deno.stderr.writeSync(
    new TextEncoder().encode(`the real Claude Code client is not here: ${reason}\n`),
  );
}
