/**
 * A git server on the loopback: `git http-backend` behind HTTP, which can fail in the ways that real hosts and
 * networks do.
 *
 * @module
 */

/** What goes wrong with a request. */
export type Fault =
  /** The request is refused with this status, and reaches no repository. */
  | { readonly kind: "status"; readonly status: number }
  /** The connection is lost after so many bytes of the answer. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  /** The connection is lost after so many bytes of what the client sends. */
  | { readonly kind: "cut-request"; readonly afterBytes: number }
  /** All is done as asked, and the connection is lost before the answer. */
  | { readonly kind: "swallow" };

/** What a request is for: looking at refs, fetching, or pushing. */
export type Service = "refs" | "git-upload-pack" | "git-receive-pack";

/** Serves the repositories of a folder. Dispose it to stop. */
export class GitServer implements AsyncDisposable {
  readonly #folder: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** User and password that every request has to bring, joined by a colon. */
  #credentials: string | undefined;
  #fault: (service: Service) => Fault | Promise<void> | undefined = () => undefined;
  /** What was asked for so far. */
  readonly requests: Service[] = [];

  constructor(folder: string) {
    this.#folder = folder;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => undefined },
      (request) => this.#answer(request),
    );
  }

  /** Returns the URL of a repository of the folder. */
  url(repository: string): string {
    return `http://127.0.0.1:${this.#server.addr.port}/${repository}`;
  }

  /** Lets only those in who bring user and password, joined by a colon; `undefined` lets in everybody. */
  requireCredentials(credentials: string | undefined): void {
    this.#credentials = credentials;
  }

  /** From now on requests fail as the function says; what else it returns is awaited before one goes through. */
  failWith(fault: (service: Service) => Fault | Promise<void> | undefined): void {
    this.#fault = fault;
  }

  /** The next so many requests for a service fail in this way. */
  failNext(service: Service, fault: Fault, times = 1): void {
    let left = times;
    this.failWith((asked) => asked === service && left-- > 0 ? fault : undefined);
  }

  /** From now on nothing fails. */
  heal(): void {
    this.failWith(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const service = serviceOf(url);
    this.requests.push(service);
    const given = request.headers.get("authorization");
    if (this.#credentials !== undefined && given !== `Basic ${btoa(this.#credentials)}`) {
      const headers = { "WWW-Authenticate": 'Basic realm="git"' };
      return new Response("who are you\n", { status: 401, headers });
    }
    const fault = await this.#fault(service) ?? undefined;
    if (fault?.kind === "status") {
      await request.body?.cancel();
      return new Response("no\n", { status: fault.status });
    }
    let body = new Uint8Array(await request.arrayBuffer());
    // The repository is given a part, as when the client's connection is lost.
    if (fault?.kind === "cut-request") body = body.slice(0, fault.afterBytes);
    const answer = await this.#backend(request, url, body);
    if (fault === undefined) return answer;
    const whole = new Uint8Array(await answer.arrayBuffer());
    const kept = fault.kind === "cut" ? fault.afterBytes : 0;
    return new Response(lostAfter(whole.subarray(0, kept)), {
      status: answer.status,
      headers: {
        ...Object.fromEntries(answer.headers),
        "Content-Length": String(whole.length + 1),
      },
    });
  }

  /** Runs the CGI program. Source: `git help http-backend`. */
  async #backend(request: Request, url: URL, body: Uint8Array): Promise<Response> {
    const child = new Deno.Command("git", {
      args: ["-c", "http.receivepack=true", "http-backend"],
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH") ?? "",
        HOME: this.#folder,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_PROJECT_ROOT: this.#folder,
        GIT_HTTP_EXPORT_ALL: "1",
        REQUEST_METHOD: request.method,
        PATH_INFO: decodeURIComponent(url.pathname),
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: request.headers.get("content-type") ?? "",
        CONTENT_LENGTH: String(body.length),
        HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
        GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
        REMOTE_ADDR: "127.0.0.1",
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const [{ stdout }] = await Promise.all([child.output(), feed(child.stdin, body)]);
    return parseCgi(stdout);
  }
}

async function feed(stdin: WritableStream<Uint8Array>, body: Uint8Array): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(body);
    await writer.close();
  } catch (error) {
    // The program ended before it read everything: its answer tells why.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

function serviceOf(url: URL): Service {
  if (url.pathname.endsWith("/git-upload-pack")) return "git-upload-pack";
  return url.pathname.endsWith("/git-receive-pack") ? "git-receive-pack" : "refs";
}

function parseCgi(output: Uint8Array<ArrayBuffer>): Response {
  const text = new TextDecoder("latin1").decode(output.subarray(0, 4096));
  const end = text.indexOf("\r\n\r\n");
  const headers = new Headers();
  for (const line of text.slice(0, Math.max(0, end)).split("\r\n")) {
    const [, name, value] = /^([^:]+): (.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) headers.append(name, value);
  }
  const status = Number(headers.get("status")?.split(" ")[0] ?? (end === -1 ? 500 : 200));
  headers.delete("status");
  return new Response(output.subarray(end === -1 ? output.length : end + 4), { status, headers });
}

/** A body that ends before its announced length: whoever reads it finds the connection closed. */
function lostAfter(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}
