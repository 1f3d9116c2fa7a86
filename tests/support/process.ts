/**
 * Programs that a test runs to their end, within a bound.
 *
 * @module
 */

/** What a finished program left. */
export interface ProcessResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@linkcode runToEnd}. */
export interface ProcessOptions {
  readonly args: readonly string[];
  readonly cwd: string;
  /** The program's whole environment. @default the calling process's */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds after which the program is stopped. @default 120000 */
  readonly timeoutMs?: number;
}

/** Milliseconds that a program has for its own clean-up when it is told to stop. */
const GRACE_MS = 5_000;

/**
 * Runs a program with an empty standard input.
 *
 * @throws {Error} when the program had to be stopped; it alone is signalled, by its own id
 * @throws {Deno.errors.NotFound} when there is no such program
 */
export async function runToEnd(program: string, options: ProcessOptions): Promise<ProcessResult> {
  const { args, cwd, env, timeoutMs = 120_000 } = options;
  const child = new Deno.Command(program, {
    args: [...args],
    cwd,
    ...(env !== undefined && { env: { ...env }, clearEnv: true }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let stopped = false;
  const stop = (signal: Deno.Signal) => {
    stopped = true;
    kill(child, signal);
  };
  const timers = [
    setTimeout(() => stop("SIGTERM"), timeoutMs),
    setTimeout(() => stop("SIGKILL"), timeoutMs + GRACE_MS),
  ];
  try {
    const { code, stdout, stderr } = await child.output();
    const result = { code, stdout: decoded(stdout), stderr: decoded(stderr) };
    if (!stopped) return result;
    throw new Error(`"${program}" did not end within ${timeoutMs} ms\n${described(result)}`);
  } finally {
    timers.forEach(clearTimeout);
  }
}

/** Returns a run's outcome for the message of a failed assertion. */
export function described({ code, stdout, stderr }: ProcessResult): string {
  return `exit code ${code}\nstdout: ${stdout}\nstderr: ${stderr}`;
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    // It ended at this very moment.
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A program that goes on while a test looks at it. Dispose it to end it, if it has not ended. */
export class RunningProcess implements AsyncDisposable {
  readonly pid: number;
  /** What it leaves once it has ended. */
  readonly ended: Promise<ProcessResult>;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #endOthers: () => void;
  #errors = "";

  /**
   * Starts it. Its standard input stays open, and silent.
   *
   * @param endOthers Ends what it has started itself, and what has its output open
   */
  constructor(program: string, { args, cwd, env }: ProcessOptions, endOthers: () => void) {
    this.#endOthers = endOthers;
    this.#child = new Deno.Command(program, {
      args: [...args],
      cwd,
      ...(env !== undefined && { env: { ...env }, clearEnv: true }),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    this.#input = this.#child.stdin.getWriter();
    this.ended = this.#end();
  }

  /** What it has said on standard error so far. */
  get errors(): string {
    return this.#errors;
  }

  async #end(): Promise<ProcessResult> {
    const output = new Response(this.#child.stdout).text();
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#errors += text;
    }
    const { code } = await this.#child.status;
    return { code, stdout: await output, stderr: this.#errors };
  }

  /** Sends it a signal; it alone gets it. */
  signal(signal: Deno.Signal): void {
    kill(this.#child, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#endOthers();
    kill(this.#child, "SIGCONT");
    kill(this.#child, "SIGKILL");
    await this.#input.close().catch(() => undefined);
    await this.ended;
  }
}

/** Milliseconds that something may take that a test waits for. */
const PATIENCE_MS = 60_000;

/**
 * Waits until something is there.
 *
 * @param look Returns it, or `undefined` where it is not there yet
 * @throws {Error} when it does not come within a minute
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`this did not come: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
