/**
 * Runs git with a fixed environment: no prompts without a terminal, no hooks of the user's, no exotic
 * protocols, no `GIT_*` variable that could point it elsewhere.
 *
 * @module
 */
import { CcsyncError } from "../errors.ts";
import { patiently } from "../machine/files.ts";
import { isAside, parseTransfer, type Transfer } from "./transfer.ts";

/** What a git process left behind. */
export interface GitResult {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** The oldest git that has all that ccsync uses. */
const OLDEST: readonly [number, number] = [2, 30];

/** Memory is bounded by these, not by packs and processors: without, a pack of 500 MB is mapped as a whole. */
const MEMORY_SETTINGS: readonly string[] = [
  "core.packedGitWindowSize=8m",
  "core.packedGitLimit=64m",
  "core.deltaBaseCacheLimit=32m",
  "pack.windowMemory=32m",
  "pack.deltaCacheSize=32m",
];

/** How a git of this machine that sends from a hub of this machine is to be called: it heeds no settings of ours else. */
export const UPLOAD_PACK = ["git", ...MEMORY_SETTINGS.map((each) => `-c ${each}`), "upload-pack"]
  .join(" ");

/** Settings that hold for every call, whatever the user's own configuration says. */
const SETTINGS: readonly string[] = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.autocrlf=false",
  "core.quotePath=true",
  "core.logAllRefUpdates=false",
  "commit.gpgSign=false",
  "push.gpgSign=false",
  "push.followTags=false",
  "push.recurseSubmodules=no",
  "fetch.recurseSubmodules=no",
  "fetch.writeCommitGraph=false",
  "submodule.recurse=false",
  ...MEMORY_SETTINGS,
  "gc.auto=0",
  "maintenance.auto=false",
  "advice.detachedHead=false",
  "protocol.allow=never",
  "protocol.https.allow=always",
  "protocol.http.allow=always",
  "protocol.ssh.allow=always",
  "protocol.git.allow=always",
  "protocol.file.allow=always",
];

/** Variables of git that are about reaching a host, not about which repository is meant. */
const KEPT: ReadonlySet<string> = new Set([
  "GIT_ASKPASS",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_NOSYSTEM",
  "GIT_CONFIG_SYSTEM",
  "GIT_EXEC_PATH",
  "GIT_SSH",
  "GIT_SSH_COMMAND",
  "GIT_SSH_VARIANT",
  "GIT_SSL_CAINFO",
  "GIT_SSL_CAPATH",
]);

/** Bytes of a list of files; more than a million of them take less. No text could hold 512 MiB. */
const LARGEST_LISTING = 256 * 1024 * 1024;

const decoder = new TextDecoder();

/** A bare repository and the way to run git in it. */
export class Git {
  readonly directory: string;
  readonly #env: Record<string, string>;

  constructor(directory: string) {
    this.directory = directory;
    this.#env = gitEnvironment(Deno.env.toObject(), Deno.stdin.isTerminal());
  }

  /** Returns a git process that has not started. Options come from {@linkcode SETTINGS}; paths and URLs go behind `--`. */
  command(args: readonly string[], stdin: "null" | "piped" = "null"): Deno.Command {
    const settings = SETTINGS.flatMap((setting) => ["-c", setting]);
    return new Deno.Command("git", {
      args: [...settings, "--git-dir", this.directory, ...args],
      env: this.#env,
      clearEnv: true,
      stdin,
      stdout: "piped",
      stderr: "piped",
    });
  }

  /** Runs git to its end, whatever its exit code. */
  async try(args: readonly string[], input?: string): Promise<GitResult> {
    const { code, stdout, stderr } =
      await (input === undefined
        ? started(() => this.command(args).spawn()).output()
        : this.#outputOf(args, input));
    return { code, stdout, stderr: decoder.decode(stderr) };
  }

  /**
   * Runs git to its end and returns what it printed.
   *
   * @throws {CcsyncError} the kind that {@linkcode failureOf} reads from git's message
   */
  async run(what: string, args: readonly string[], input?: string): Promise<Uint8Array> {
    const result = await this.try(args, input);
    if (result.code !== 0) throw failureOf(what, result);
    return result.stdout;
  }

  /**
   * Runs git to its end and returns what it printed, unless that is beyond all measure, or takes too long:
   * then git is ended.
   *
   * @param patienceMs Milliseconds after which `undefined` is returned @default {no bound}
   * @throws {CcsyncError} as {@linkcode Git.run}; kind "failed" above {@linkcode LARGEST_LISTING}
   */
  async list(what: string, args: readonly string[]): Promise<Uint8Array>;
  async list(
    what: string,
    args: readonly string[],
    patienceMs: number,
  ): Promise<Uint8Array | undefined>;
  async list(
    what: string,
    args: readonly string[],
    patienceMs?: number,
  ): Promise<Uint8Array | undefined> {
    const process = started(() => this.command(args).spawn());
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      process.kill("SIGKILL");
    }, patienceMs ?? 2 ** 31 - 1);
    const errors = new Response(process.stderr).text();
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    for await (const chunk of process.stdout) {
      size += chunk.length;
      if (size > LARGEST_LISTING) break;
      chunks.push(chunk);
    }
    // Leaving the loop has closed the pipe; a git that writes on ends by that.
    const { code } = await process.status;
    clearTimeout(timer);
    const stderr = await errors;
    if (isLate) return undefined;
    if (size > LARGEST_LISTING) {
      throw new CcsyncError("failed", `cannot ${what}: it names more than ccsync ever writes`, {
        hints: ["look at the hub's history: somebody else wrote to it; nothing was changed here"],
      });
    }
    if (code !== 0) throw failureOf(what, { code, stdout: new Uint8Array(), stderr });
    return await new Blob(chunks).bytes();
  }

  /** Runs git to its end, whatever its exit code, and tells how far its transfer has come: it needs `--progress`. */
  async watch(
    args: readonly string[],
    onTransfer: (transfer: Transfer) => void,
  ): Promise<GitResult> {
    const process = started(() => this.command(args).spawn());
    const [stdout, stderr, { code }] = await Promise.all([
      new Response(process.stdout).bytes(),
      withoutTransfers(process.stderr, onTransfer),
      process.status,
    ]);
    return { code, stdout, stderr };
  }

  async #outputOf(args: readonly string[], input: string): Promise<Deno.CommandOutput> {
    const process = started(() => this.command(args, "piped").spawn());
    const output = process.output();
    const writer = process.stdin.getWriter();
    try {
      await writer.write(new TextEncoder().encode(input));
      await writer.close();
    } catch (error) {
      // Git ended before it read everything: its exit code and message tell why.
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
    return await output;
  }
}

/** Reads what git says, passes on what is about its transfer, and returns the rest. */
async function withoutTransfers(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onTransfer: (transfer: Transfer) => void,
): Promise<string> {
  const rest: string[] = [];
  const take = (line: string) => {
    const transfer = parseTransfer(line);
    if (transfer !== undefined) onTransfer(transfer);
    else if (!isAside(line)) rest.push(line);
  };
  let begun = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    // A line that is written over the last one ends with a carriage return.
    const lines = (begun + text).split(/[\r\n]/);
    begun = lines.pop() ?? "";
    lines.forEach(take);
  }
  take(begun);
  return rest.join("\n");
}

/**
 * Checks that there is a git, and that it is new enough.
 *
 * @throws {CcsyncError} kind "setup" when not
 */
export async function requireGit(): Promise<string> {
  const command = new Deno.Command("git", {
    args: ["--version"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  });
  const { stdout } = await started(() => command.spawn()).output();
  const version = /(\d+)\.(\d+)[.\d]*/.exec(decoder.decode(stdout));
  const major = Number(version?.[1] ?? 0);
  const minor = Number(version?.[2] ?? 0);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return version?.[0] ?? "";
  throw new CcsyncError(
    "setup",
    `cannot use this git: it is version ${version?.[0] ?? "unknown"}, ccsync needs ${
      OLDEST.join(".")
    } or newer`,
    { hints: ["install a newer git: https://git-scm.com/downloads"] },
  );
}

/** Starts a git process; says so where there is no git. */
export function started<T>(start: () => T): T {
  try {
    return patiently(start);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CcsyncError("setup", "cannot run git: it is not installed, or not on the PATH", {
      hints: ["install git 2.30 or newer: https://git-scm.com/downloads"],
      cause: error,
    });
  }
}

/** Returns the environment git runs in. */
export function gitEnvironment(
  ours: Readonly<Record<string, string>>,
  isTerminal: boolean,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(ours)) {
    const upper = name.toUpperCase();
    // LD_* and DYLD_*: Deno lets no program that is allowed by name be started with them.
    if (/^(?:LD|DYLD)_/.test(upper) || (upper.startsWith("GIT_") && !KEPT.has(upper))) continue;
    env[name] = value;
  }
  env["LC_ALL"] = "C";
  env["GIT_OPTIONAL_LOCKS"] = "0";
  env["GIT_NO_REPLACE_OBJECTS"] = "1";
  if (!isTerminal) {
    env["GIT_TERMINAL_PROMPT"] = "0";
    // It would take precedence over a program that the user chose.
    if (env["GIT_SSH"] === undefined) env["GIT_SSH_COMMAND"] ??= "ssh -o BatchMode=yes";
  }
  return env;
}

/** What git prints where a host, or the repository on it, cannot be reached. */
const UNREACHABLE =
  /could not resolve host|connection (?:refused|reset|timed out|closed)|failed to connect|network is unreachable|no route to host|operation timed out|couldn't connect|does not appear to be a git repository|early eof|unexpected disconnect|the remote end hung up|repository .* not found|does not exist|returned error: 5\d\d|rpc failed|bad gateway|unable to access/i;
const CREDENTIALS =
  /authentication failed|permission denied \(|could not read (?:username|password)|terminal prompts disabled|invalid credentials|returned error: (?:401|403)|access denied|host key verification failed/i;

const DISK_FULL = /no space left on device|disk quota exceeded|file too large|disk is full/i;
const FORBIDDEN = /permission denied|insufficient permission|read-only file system/i;
const TOO_LARGE = /HTTP 413|returned error: 413/;

/** Returns the failure that git's message tells of, without credentials. */
export function failureOf(what: string, result: GitResult): CcsyncError {
  const message = essence(redact(result.stderr)) || `git ended with code ${result.code}`;
  if (CREDENTIALS.test(result.stderr)) {
    return new CcsyncError(
      "credentials",
      `cannot ${what}: the hub refused the credentials: ${message}`,
      {
        hints: [
          "check that git alone can reach the hub: git ls-remote <url>; for GitHub run: gh auth login; nothing is lost: what is here stays here",
        ],
      },
    );
  }
  if (DISK_FULL.test(result.stderr)) {
    return new CcsyncError("failed", `cannot ${what}: a disk is full: ${message}`, {
      hints: [
        "free some space, here or where the hub is, then run the command again; nothing is lost",
      ],
    });
  }
  if (TOO_LARGE.test(result.stderr)) {
    return new CcsyncError("failed", `cannot ${what}: it refused: it is too large: ${message}`, {
      hints: [
        "let the host accept larger pushes; the sessions are safe on this machine",
      ],
    });
  }
  if (UNREACHABLE.test(result.stderr)) {
    return new CcsyncError("unreachable", `cannot ${what}: the hub cannot be reached: ${message}`, {
      hints: [
        "check the network and the address (ccsync config show), then run the command again; nothing is lost: what is here stays here",
      ],
      transient: true,
    });
  }
  return new CcsyncError("failed", `cannot ${what}: ${message}`, {
    hints: [
      FORBIDDEN.test(result.stderr)
        ? "see whom the directory belongs to, and make it yours; then run the command again; nothing is lost: what is here stays here"
        : "ccsync doctor examines the set-up; nothing is lost: what is here stays here",
    ],
  });
}

/** Removes user names and passwords from URLs. */
export function redact(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^/\s]+@/gi, "$1");
}

/** Returns git's message in one line, without its general advice. */
function essence(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim().replace(/^(?:fatal|error): /, ""))
    .filter((line) => line !== "" && !NOISE.test(line));
  return [...new Set(lines)].slice(0, 3).map((line) => line.replace(/\.$/, "")).join("; ");
}

const NOISE =
  /^(?:hint|warning):|^could not read from remote|^please make sure|^and the repository exists|^to |^remote:[\s=]*$|^\*\* |^fast-import: dumping/i;
