/**
 * The Unix side of `shim.c`: runs git, gh or a shell on behalf of a program under Wine.
 *
 * @module
 */
import type { Drives } from "./drives.ts";

/** Variables that reach the Unix program; the others of Windows would only confuse it. */
const PASSED = /^(?:GIT|GH|CCSYNC|CLAUDE|NO_COLOR|LC_ALL|LANG)/;

/** What starts a program, as the shim tells it. */
interface Start {
  path: string;
  readonly args: string[];
  directory: string;
  readonly env: Record<string, string>;
}

const decoder = new TextDecoder();

/** Listens on loopback until it is disposed. */
export class Relay implements Disposable {
  readonly #drives: Drives;
  readonly #listener: Deno.TcpListener;

  constructor(drives: Drives) {
    this.#drives = drives;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    // Whoever forgets to dispose it ends all the same.
    this.#listener.unref();
    this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      connection.unref();
      this.#serve(connection);
    }
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    const start: Start = { path: "", args: [], directory: "Z:\\", env: {} };
    let running: Running | undefined;
    try {
      for await (const { data, kind } of framesOf(connection.readable)) {
        if (kind === "P") start.path = decoder.decode(data);
        else if (kind === "A") start.args.push(decoder.decode(data));
        else if (kind === "C") start.directory = decoder.decode(data);
        else if (kind === "E") addVariable(start.env, decoder.decode(data));
        else if (kind === "G") running = this.#start(start, connection);
        else if (kind === "I") await running?.write(data);
        else if (kind === "X") await running?.endInput();
      }
    } catch (error) {
      // The shim was killed, or ended with its program.
      if (!isBroken(error)) throw error;
    } finally {
      running?.kill();
    }
  }

  #start({ args, directory, env, path }: Start, connection: Deno.TcpConn): Running {
    const kept = Object.entries(env).filter(([name]) => PASSED.test(name)).map(([name, value]) => {
      return [name, this.#drives.inArgument(value)] as const;
    });
    return new Running(
      new Deno.Command(this.#programOf(path), {
        args: args.map((arg) => this.#drives.inArgument(arg)),
        cwd: this.#drives.toUnix(directory),
        env: {
          PATH: Deno.env.get("PATH") ?? "",
          LANG: "C.UTF-8",
          HOME: this.#drives.toUnix(env["USERPROFILE"] ?? env["HOME"] ?? "Z:\\nowhere"),
          ...Object.fromEntries(kept),
        },
        clearEnv: true,
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
      connection,
    );
  }

  /** A script beside the shim, with its name, else what has that name on the PATH. */
  #programOf(shim: string): string {
    const beside = this.#drives.toUnix(shim).replace(/\.exe$/i, "");
    try {
      if (Deno.statSync(beside).isFile) return beside;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return beside.slice(beside.lastIndexOf("/") + 1);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

function addVariable(env: Record<string, string>, text: string): void {
  // Names such as `=C:` are directories of drives.
  const at = text.indexOf("=", 1);
  env[text.slice(0, at)] = text.slice(at + 1);
}

function isBroken(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.NotConnected || error instanceof TypeError;
}

/** A Unix program whose streams go through a connection. */
class Running {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #connection: WritableStreamDefaultWriter<Uint8Array>;
  #hasEnded = false;

  constructor(child: Deno.ChildProcess, connection: Deno.TcpConn) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#connection = connection.writable.getWriter();
    this.#relay().catch((error) => {
      this.kill();
      if (!isBroken(error)) throw error;
    });
  }

  async #relay(): Promise<void> {
    await Promise.all([this.#pass("O", this.#child.stdout), this.#pass("R", this.#child.stderr)]);
    const { code } = await this.#child.status;
    this.#hasEnded = true;
    // The shim closes the connection: if this side did, what the shim still sends would have all that it has not read
    // yet thrown away, the exit code too.
    await this.#send("Q", new Uint8Array([code & 255, 0, 0, 0]));
  }

  async #pass(kind: string, stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stream) await this.#send(kind, chunk);
  }

  /** In one piece: two streams write to the connection. */
  async #send(kind: string, data: Uint8Array): Promise<void> {
    const frame = new Uint8Array(5 + data.length);
    frame[0] = kind.charCodeAt(0);
    new DataView(frame.buffer).setUint32(1, data.length, true);
    frame.set(data, 5);
    await this.#connection.write(frame);
  }

  async write(data: Uint8Array): Promise<void> {
    try {
      await this.#input.write(data);
    } catch (error) {
      // The program ended before it read everything, which its exit code tells.
      if (!isBroken(error)) throw error;
    }
  }

  async endInput(): Promise<void> {
    await this.#input.close().catch(() => undefined);
  }

  /** Ends the program, if it has not ended: whoever started it is gone. */
  kill(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

interface Frame {
  readonly kind: string;
  readonly data: Uint8Array;
}

/** Yields the frames of a stream, whatever pieces it comes in. */
async function* framesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
  let rest = new Uint8Array();
  for await (const chunk of stream) {
    const all = new Uint8Array(rest.length + chunk.length);
    all.set(rest);
    all.set(chunk, rest.length);
    rest = all;
    while (rest.length >= 5) {
      const end = 5 + new DataView(rest.buffer, rest.byteOffset).getUint32(1, true);
      if (rest.length < end) break;
      yield { kind: String.fromCharCode(rest[0] ?? 0), data: rest.slice(5, end) };
      rest = rest.slice(end);
    }
  }
}
