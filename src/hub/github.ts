/**
 * GitHub, by its own program `gh`: who is logged in, which repositories there are, who can read them. Nothing
 * here talks to a network itself, and no token passes through.
 *
 * Facts about gh: `gh help environment`, `gh help exit-codes`, and observed with gh 2.23.0.
 *
 * @module
 */
import { CcsyncError } from "../errors.ts";

/** A repository's address at GitHub. */
export interface GithubRepository {
  /** `github.com`, or the host that `GH_HOST` names. */
  readonly host: string;
  readonly owner: string;
  readonly name: string;
}

/** Who can read a repository: everybody, everybody in a company, or who was invited. */
export type Visibility = "public" | "internal" | "private";

/** What stands in the way of asking GitHub. */
export type GithubObstacle =
  | "not installed"
  | "not logged in"
  | "refused"
  | "wrong scopes"
  | "unreachable";

/** Whether GitHub can be asked, and as whom; otherwise why not, and the commands that help. */
export type GithubAccount =
  | { readonly host: string; readonly login: string }
  | { readonly obstacle: GithubObstacle; readonly why: string; readonly hint: string };

const DEFAULT_HOST = "github.com";
/** Milliseconds that one question to GitHub may take. */
const PATIENCE_MS = 20_000;
/** The scope that private repositories need. Source: GitHub's "Scopes for OAuth apps". */
const SCOPE = "repo";

/** Variables of gh that are about which host and account is meant. */
const KEPT: ReadonlySet<string> = new Set([
  "GH_CONFIG_DIR",
  "GH_ENTERPRISE_TOKEN",
  "GH_HOST",
  "GH_TOKEN",
]);

const OWNER = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/;
const NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;

/**
 * Reads `OWNER/NAME`, or `NAME` alone.
 *
 * @throws {CcsyncError} kind "usage"
 */
export function parseRepository(
  text: string,
): { readonly owner: string | undefined; readonly name: string } {
  const parts = text.replace(/\.git$/, "").split("/");
  const [owner, name = ""] = parts.length === 1 ? [undefined, parts[0]] : parts;
  const isOwner = owner === undefined || OWNER.test(owner);
  if (parts.length <= 2 && isOwner && NAME.test(name)) return { owner, name };
  throw new CcsyncError("usage", `cannot use "${text}" as a repository: it is not OWNER/NAME`, {
    hints: ["write for example: --repo you/claude-sessions; for any other address use --remote"],
  });
}

/** Returns the repository that a git address stands for, `undefined` where the host is not GitHub. */
export function repositoryOf(
  remote: string,
  host = githubHost(),
): GithubRepository & { readonly isHttps: boolean } | undefined {
  const [, scheme = "ssh", where = "", path = ""] =
    /^(?:(https|ssh):\/\/)?(?:[^/@:]+@)?([^/:]+)(?::\d+)?[/:](.+)$/i.exec(remote) ?? [];
  const [, owner, name] = /^([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(path) ?? [];
  if (![DEFAULT_HOST, host].includes(where.toLowerCase())) return undefined;
  if (owner === undefined || name === undefined || !OWNER.test(owner) || !NAME.test(name)) {
    return undefined;
  }
  return { host: where.toLowerCase(), owner, name, isHttps: scheme.toLowerCase() === "https" };
}

/** Returns the address under which git reaches a repository. */
export function addressOf({ host, name, owner }: GithubRepository): string {
  return `https://${host}/${owner}/${name}.git`;
}

/** Returns the host that gh means by default. */
export function githubHost(): string {
  return Deno.env.get("GH_HOST")?.toLowerCase() || DEFAULT_HOST;
}

/**
 * Returns settings with which git gets its credentials for a hub at GitHub from gh: they stay where gh keeps
 * them, and helpers that would write them down are left out. None where gh cannot help.
 */
export async function credentialSettings(remote: string): Promise<string[]> {
  const repository = repositoryOf(remote);
  if (repository?.isHttps !== true || !await hasToken(repository.host)) return [];
  const key = `credential.https://${repository.host}.helper`;
  return ["-c", `${key}=`, "-c", `${key}=!gh auth git-credential`];
}

/** Returns whether GitHub can be asked, and as whom. */
export async function githubAccount(host = githubHost()): Promise<GithubAccount> {
  const isThere = await gh(host, ["--version"]);
  if (isThere === undefined) {
    return {
      obstacle: "not installed",
      why: "gh, the program by which ccsync asks GitHub, is not installed",
      hint: `install it from https://cli.github.com, then run: ${loginCommand(host)}`,
    };
  }
  if (!await hasToken(host)) {
    return {
      obstacle: "not logged in",
      why: `gh is not logged in to ${host}`,
      hint: `run: ${loginCommand(host)}`,
    };
  }
  return accountFrom(host, await ask(host, "user"));
}

/**
 * Returns the login under which GitHub can be asked.
 *
 * @throws {CcsyncError} kind "setup", "credentials" or "unreachable", with the command that helps
 */
export async function requireGithub(host = githubHost()): Promise<string> {
  const account = await githubAccount(host);
  if ("login" in account) return account.login;
  throw obstacleError(account);
}

/** Returns what to say where GitHub cannot be asked: kind "setup", "credentials" or "unreachable". */
export function obstacleError(
  { hint, obstacle, why }: Extract<GithubAccount, { readonly obstacle: GithubObstacle }>,
): CcsyncError {
  const kind = obstacle === "not installed"
    ? "setup"
    : obstacle === "unreachable"
    ? "unreachable"
    : "credentials";
  return new CcsyncError(kind, `cannot ask GitHub: ${why}`, {
    hints: [hint],
    transient: kind === "unreachable",
  });
}

/**
 * Returns who can read a repository, `undefined` where there is none that this account can see.
 *
 * @throws {CcsyncError} kind "unreachable", "credentials" or "setup"
 */
export async function visibilityOf(repository: GithubRepository): Promise<Visibility | undefined> {
  const { host, name, owner } = repository;
  const answer = await ask(host, `repos/${owner}/${name}`);
  if (answer.status === 404) return undefined;
  if (answer.status === 200) return visibilityIn(answer.body);
  const account = accountFrom(host, answer);
  const why = "why" in account ? account.why : "its answer cannot be understood";
  throw new CcsyncError(
    answer.status === 401 ? "credentials" : "unreachable",
    `cannot ask GitHub about "${owner}/${name}": ${why}`,
    { hints: "hint" in account ? [account.hint] : [], transient: answer.status !== 401 },
  );
}

/**
 * Creates a private repository.
 *
 * @throws {CcsyncError} kind "failed" with GitHub's reason
 */
export async function createRepository({ host, name, owner }: GithubRepository): Promise<void> {
  const result = await gh(host, ["repo", "create", `${owner}/${name}`, "--private"]);
  if (result?.code === 0) return;
  throw new CcsyncError(
    "failed",
    `cannot create the repository "${owner}/${name}" on GitHub: ${essence(result?.stderr ?? "")}`,
    {
      hints: [`create it yourself: gh repo create ${owner}/${name} --private; then run init again`],
    },
  );
}

/** Returns gh's version, `unknown` where it does not tell. */
export async function ghVersion(): Promise<string> {
  const { stdout = "" } = await gh(githubHost(), ["--version"]) ?? {};
  return /version (\S+)/.exec(stdout)?.[1] ?? "unknown";
}

/** Whether gh has a token for a host. It asks nobody; all versions of gh can do this. */
async function hasToken(host: string): Promise<boolean> {
  const question = `protocol=https\nhost=${host}\n\n`;
  return (await gh(host, ["auth", "git-credential", "get"], { input: question }))?.code === 0;
}

interface Answer {
  /** HTTP's status, 0 where there was no answer. */
  readonly status: number;
  readonly scopes: string | undefined;
  readonly body: string;
  readonly stderr: string;
}

async function ask(host: string, path: string): Promise<Answer> {
  const result = await gh(host, ["api", "--hostname", host, "--include", path]);
  const { stderr = "", stdout = "" } = result ?? {};
  const [head = "", ...body] = stdout.split(/\r?\n\r?\n/);
  return {
    status: Number(/^HTTP\/[\d.]+ (\d{3})/.exec(head)?.[1] ?? 0),
    scopes: /^x-oauth-scopes:(.*)$/im.exec(head)?.[1]?.trim(),
    body: body.join("\n"),
    stderr,
  };
}

function accountFrom(host: string, { body, scopes, status, stderr }: Answer): GithubAccount {
  const isOurToken = Deno.env.get("GH_TOKEN") !== undefined;
  if (status === 401) {
    return {
      obstacle: "refused",
      why: `${host} does not accept gh's token any more`,
      hint: isOurToken ? "put another token into GH_TOKEN" : `run: ${loginCommand(host)}`,
    };
  }
  if (status !== 200) {
    const why = status === 0 ? essence(stderr) : `it answers with HTTP status ${status}`;
    return {
      obstacle: "unreachable",
      why: `${host} cannot be reached: ${why}`,
      hint: "check the network, then run the command again; gh auth status shows what gh can reach",
    };
  }
  // Fine-grained tokens have permissions in place of scopes, and GitHub sends no such header.
  if (scopes !== undefined && !scopes.split(/,\s*/).includes(SCOPE)) {
    return {
      obstacle: "wrong scopes",
      why: `gh's token for ${host} lacks the scope "${SCOPE}", which private repositories need`,
      hint: isOurToken
        ? `put a token with the scope ${SCOPE} into GH_TOKEN`
        : `run: gh auth refresh --hostname ${host} --scopes ${SCOPE}`,
    };
  }
  const login = stringIn(body, "login");
  if (login !== undefined && OWNER.test(login)) return { host, login };
  return {
    obstacle: "unreachable",
    why: `${host} answers with something that is no account`,
    hint: "see what gh makes of it: gh api user",
  };
}

function visibilityIn(body: string): Visibility {
  const visibility = stringIn(body, "visibility");
  if (visibility === "private" || visibility === "internal") return visibility;
  // What cannot be understood is not taken for private.
  return "public";
}

function stringIn(body: string, key: string): string | undefined {
  try {
    const value: unknown = JSON.parse(body);
    const found: unknown = Object.entries(Object(value)).find(([name]) => name === key)?.[1];
    return typeof found === "string" ? found : undefined;
  } catch {
    // A proxy's page, for example: it says nothing.
    return undefined;
  }
}

function loginCommand(host: string): string {
  return host === DEFAULT_HOST ? "gh auth login" : `gh auth login --hostname ${host}`;
}

/** What gh left. */
export interface GhResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How gh is run. */
export interface GhOptions {
  /** What it reads; what it prints is thrown away unread then. */
  readonly input?: string;
  /** Milliseconds after which it is stopped. @default 20000 */
  readonly patienceMs?: number;
}

/** Runs gh to its end; `undefined` where there is none. */
export async function gh(
  host: string,
  args: readonly string[],
  { input, patienceMs = PATIENCE_MS }: GhOptions = {},
): Promise<GhResult | undefined> {
  try {
    const child = new Deno.Command("gh", {
      args: [...args],
      env: { ...ghEnvironment(Deno.env.toObject()), GH_HOST: host },
      clearEnv: true,
      stdin: input === undefined ? "null" : "piped",
      stdout: input === undefined ? "piped" : "null",
      stderr: "piped",
      signal: AbortSignal.timeout(patienceMs),
    }).spawn();
    if (input === undefined) {
      const { code, stderr, stdout } = await child.output();
      return { code, stdout: decode(stdout), stderr: decode(stderr) };
    }
    const [{ code }, stderr] = await Promise.all([
      child.status,
      new Response(child.stderr).text(),
      feed(child.stdin, input),
    ]);
    return { code, stdout: "", stderr };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function feed(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch (error) {
    // It ended before it read everything: its exit code tells why.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Returns the environment gh runs in: it asks nothing, tells no news, and prints no colours. */
export function ghEnvironment(ours: Readonly<Record<string, string>>): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(ours)) {
    const upper = name.toUpperCase();
    // LD_* and DYLD_*: Deno lets no program that is allowed by name be started with them.
    if (/^(?:LD|DYLD)_/.test(upper) || (upper.startsWith("GH_") && !KEPT.has(upper))) continue;
    env[name] = value;
  }
  const quiet = { GH_NO_UPDATE_NOTIFIER: "1", GH_PROMPT_DISABLED: "1", NO_COLOR: "1" };
  return { ...env, ...quiet, CLICOLOR_FORCE: "0", GH_PAGER: "cat" };
}

/** Returns gh's message in one line. */
export function essence(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.slice(0, 2).join("; ").replace(/\.$/, "") || "gh says nothing";
}
