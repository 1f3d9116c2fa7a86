/**
 * A stand-in for GitHub on the loopback: its API for the real `gh`, and its git server, with TLS, behind the
 * name `github.localhost`, which gh takes for a GitHub of its own.
 *
 * gh 2.23 sends plain HTTP to `api.github.localhost`, through the proxy that HTTP_PROXY names; git sends what
 * is for `https://github.localhost` through the one that HTTPS_PROXY names.
 *
 * @module
 */
import { join } from "node:path";
import { Folder } from "./folder.ts";
import { GitServer } from "./git_server.ts";
import { runToEnd } from "./process.ts";
import { missing, testUnless } from "./programs.ts";

export const GITHUB = "github.localhost";
const TOKEN = "ghp_for_tests";
const LOGIN = "alice";

/** Why tests with gh cannot run here; `undefined` where they can. */
export const noGithub: string | undefined = missing("gh", "openssl");

/**
 * Defines a test with the real gh; where it cannot run, it is ignored, and its name says why.
 *
 * @param obstacle What else is in the way, `undefined` where nothing is
 */
export function githubTest(
  name: string,
  work: () => Promise<void>,
  obstacle: string | undefined = undefined,
): void {
  testUnless(noGithub ?? obstacle, name, work);
}

/** A release of a repository. */
export interface Release {
  readonly tag: string;
  readonly isPrerelease?: boolean;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** GitHub, with one account. Dispose it to stop. */
export class Github implements AsyncDisposable {
  readonly #folder = new Folder();
  readonly #git: GitServer;
  readonly #api: Deno.HttpServer<Deno.NetAddr>;
  readonly #tunnel: Tunnel;
  /** Repositories, `owner/name`, and who can read them. */
  readonly repositories = new Map<string, "private" | "public" | "internal">();
  /** What the token may do; `undefined` for a fine-grained one, which has no scopes. */
  scopes: string | undefined = "gist, read:org, repo";
  /** Whether the token is accepted. */
  isTokenGood = true;
  /** The status of every answer of the API, in place of the right one. */
  trouble: number | undefined;
  /** Releases by repository, `owner/name`, the latest first. */
  readonly releases = new Map<string, readonly Release[]>();
  /** Whether downloads break off in the middle. */
  cutsDownloads = false;
  /** What the API was asked, `GET /user`. */
  readonly asked: string[] = [];

  private constructor(certificate: Certificate) {
    Deno.mkdirSync(this.#folder.at("git"));
    this.#git = new GitServer(this.#folder.at("git"));
    this.#git.requireCredentials(`x-access-token:${TOKEN}`);
    this.#api = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => undefined },
      (request) => this.#answer(request),
    );
    const { port } = new URL(this.#git.url(""));
    this.#tunnel = new Tunnel(certificate, Number(port));
    this.#folder.write("github.pem", certificate.cert);
  }

  /** Starts it. */
  static async start(): Promise<Github> {
    return new Github(await makeCertificate());
  }

  /** The environment in which gh and git take this for GitHub, and gh is logged in. */
  get env(): Record<string, string> {
    return {
      GH_HOST: GITHUB,
      GH_TOKEN: TOKEN,
      GH_CONFIG_DIR: this.#folder.at("gh"),
      HTTP_PROXY: `http://127.0.0.1:${this.#api.addr.port}`,
      HTTPS_PROXY: `http://127.0.0.1:${this.#tunnel.port}`,
      GIT_SSL_CAINFO: this.#folder.at("github.pem"),
    };
  }

  /** Adds a repository, empty. */
  async addRepository(
    repository: string,
    visibility: "private" | "public" | "internal" = "private",
  ): Promise<void> {
    const path = this.path(repository);
    await runToEnd("git", { args: ["init", "-q", "--bare", "-b", "main", path], cwd: "." });
    this.repositories.set(repository, visibility);
  }

  /** Returns where a repository lies. */
  path(repository: string): string {
    return join(this.#folder.at("git"), `${repository}.git`);
  }

  /** How often git was asked for anything. */
  get gitRequests(): number {
    return this.#git.requests.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tunnel[Symbol.dispose]();
    await this.#api.shutdown();
    await this.#git[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    // gh asks for a release in two ways at once, and hangs up on the slower one.
    const body = await request.text().catch(() => "");
    this.asked.push(`${request.method} ${pathname}`);
    if (this.trouble !== undefined) return json({ message: "trouble" }, this.trouble);
    const isKnown = request.headers.get("authorization") === `token ${TOKEN}` && this.isTokenGood;
    if (!isKnown) return json({ message: "Bad credentials" }, 401);
    const headers = this.scopes === undefined ? {} : { "X-Oauth-Scopes": this.scopes };
    if (pathname === "/user") return json({ login: LOGIN }, 200, headers);
    const [, kind, owner = "", name = ""] = pathname.split("/");
    if (kind === "users") return json({ login: owner, node_id: "U_1", type: "User" });
    if (kind === "graphql") {
      // gh asks so, too, whether a release is a draft: there are none.
      const isCreation = body.includes("createRepository");
      return isCreation
        ? await this.#create(JSON.parse(body))
        : json({ data: { repository: { release: null } } });
    }
    const releases = this.releases.get(`${owner}/${name}`);
    if (releases !== undefined) return this.#answerReleases(pathname, releases);
    const visibility = this.repositories.get(`${owner}/${name}`);
    if (kind !== "repos" || visibility === undefined) return json({ message: "Not Found" }, 404);
    const isPrivate = visibility !== "public";
    return json({ full_name: `${owner}/${name}`, private: isPrivate, visibility });
  }

  #answerReleases(pathname: string, releases: readonly Release[]): Response {
    const [what = "", key = ""] = pathname.split("/").slice(5);
    if (what === "assets") {
      const files = releases.flatMap(({ files }) => [...files.values()]);
      return this.#download(files[Number(key)] ?? new Uint8Array());
    }
    const found = what === "latest"
      ? releases.find(({ isPrerelease }) => isPrerelease !== true)
      : releases.find(({ tag }) => tag === key);
    if (found === undefined) return json({ message: "Not Found" }, 404);
    const before = releases.slice(0, releases.indexOf(found));
    const first = before.reduce((sum, { files }) => sum + files.size, 0);
    const base = `http://api.${GITHUB}${pathname.split("/").slice(0, 5).join("/")}`;
    const assets = [...found.files].map(([name, bytes], index) => ({
      id: first + index,
      name,
      size: bytes.length,
      state: "uploaded",
      url: `${base}/assets/${first + index}`,
    }));
    const isPrerelease = found.isPrerelease === true;
    return json({ id: 1, tag_name: found.tag, draft: false, prerelease: isPrerelease, assets });
  }

  #download(bytes: Uint8Array): Response {
    const length = String(bytes.length);
    const headers = { "Content-Length": length, "Content-Type": "application/octet-stream" };
    if (!this.cutsDownloads) return new Response(new Uint8Array(bytes), { headers });
    // Fewer bytes than were announced, and then the connection ends.
    const half = new Blob([bytes.slice(0, bytes.length / 2)]);
    return new Response(half.stream(), { headers });
  }

  async #create(
    { variables }: { variables: { input: { name: string; visibility: string } } },
  ): Promise<Response> {
    const { name, visibility } = variables.input;
    const repository = `${LOGIN}/${name}`;
    if (this.repositories.has(repository)) {
      return json({ errors: [{ message: "Name already exists on this account" }] });
    }
    await this.addRepository(repository, visibility === "PRIVATE" ? "private" : "public");
    const url = `https://${GITHUB}/${repository}`;
    const made = { id: "R_1", name, owner: { login: LOGIN }, url };
    return json({ data: { createRepository: { repository: made } } });
  }
}

function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return Response.json(value, { status, headers });
}

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

async function makeCertificate(): Promise<Certificate> {
  using folder = new Folder();
  const [key, cert] = [folder.at("key.pem"), folder.at("cert.pem")];
  const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const name = ["-subj", `/CN=${GITHUB}`, "-addext", `subjectAltName=DNS:${GITHUB}`];
  await runToEnd("openssl", {
    args: [...kind, "-nodes", "-days", "2", ...name, "-keyout", key, "-out", cert],
    cwd: folder.path,
  });
  return { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) };
}

/** A proxy for HTTPS that leads every connection, freed from TLS, to one port of this machine. */
class Tunnel implements Disposable {
  readonly #proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #tls: Deno.TlsListener;
  readonly #open = new Set<Deno.Conn>();

  constructor(certificate: Certificate, target: number) {
    this.#tls = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...certificate });
    const { port } = this.#tls.addr as Deno.NetAddr;
    this.#serve(this.#proxy, async (client) => {
      await readHead(client);
      await client.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
      await this.#join(client, await Deno.connect({ hostname: "127.0.0.1", port }));
    });
    this.#serve(this.#tls, async (client) => {
      await this.#join(client, await Deno.connect({ hostname: "127.0.0.1", port: target }));
    });
  }

  get port(): number {
    return (this.#proxy.addr as Deno.NetAddr).port;
  }

  [Symbol.dispose](): void {
    this.#proxy.close();
    this.#tls.close();
    for (const connection of this.#open) close(connection);
  }

  async #serve(listener: Deno.Listener, answer: (client: Deno.Conn) => Promise<void>) {
    for await (const client of listener) {
      this.#open.add(client);
      // A connection that breaks is the client's to notice.
      answer(client).catch(() => close(client));
    }
  }

  async #join(a: Deno.Conn, b: Deno.Conn): Promise<void> {
    this.#open.add(b);
    await Promise.allSettled([a.readable.pipeTo(b.writable), b.readable.pipeTo(a.writable)]);
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    // A pipe that ended has closed it.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

async function readHead(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4096);
  let head = "";
  while (!head.includes("\r\n\r\n")) {
    const count = await connection.read(buffer);
    if (count === null) return;
    head += new TextDecoder().decode(buffer.subarray(0, count));
  }
}
