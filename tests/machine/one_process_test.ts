import assert from "node:assert/strict";
import { alone, claimDaemon, isDaemonRunning } from "../../src/machine/one_process.ts";
import { Folder } from "../support/folder.ts";

const MODULE = new URL("../../src/machine/one_process.ts", import.meta.url).href;

/** Works alone until its standard input ends, and tells of it on its standard output. */
const SCRIPT = `
import { alone } from ${JSON.stringify(MODULE)};
const say = (word) => Deno.stdout.writeSync(new TextEncoder().encode(word + "\\n"));
const [ccsyncHome, log] = Deno.args;
const note = (word) => Deno.writeTextFileSync(log, Deno.pid + " " + word + "\\n", { append: true });
await alone(ccsyncHome, () => say("waiting"), async () => {
  note("begins");
  say("working");
  for await (const _ of Deno.stdin.readable) { /* until it ends */ }
  note("ends");
});
`;

/** A ccsync at work in a process of its own. */
class Worker implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(folder: Folder) {
    const script = folder.write("worker.js", SCRIPT);
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-config", script, folder.at("home"), folder.at("log")],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Waits for the next word that it says. */
  async word(): Promise<string | undefined> {
    while (!this.#text.includes("\n")) {
      const { value } = await this.#lines.read();
      if (value === undefined) return undefined;
      this.#text += value;
    }
    const end = this.#text.indexOf("\n");
    const word = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return word;
  }

  /** Lets it end by itself. */
  async finish(): Promise<void> {
    await this.#child.stdin.close();
    assert.equal((await this.#child.status).code, 0);
  }

  /** Ends it without a chance to clean up. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
    await this.#child.status;
    await this.#lines.cancel();
    if (!this.#child.stdin.locked) await this.#child.stdin.close().catch(() => undefined);
  }
}

Deno.test("alone() returns what the work returns, and does not wait where nobody is", async () => {
  using folder = new Folder();
  const noWait = () => assert.fail("it waited");
  assert.equal(await alone(folder.at("home"), noWait, () => Promise.resolve(7)), 7);
  assert.equal(await alone(folder.at("home"), noWait, () => Promise.resolve(8)), 8);
});

Deno.test("alone() lets the next one in when the work fails", async () => {
  using folder = new Folder();
  const noWait = () => assert.fail("it waited");
  const failing = () => Promise.reject(new RangeError("the work failed"));
  await assert.rejects(alone(folder.path, noWait, failing), RangeError);
  assert.equal(await alone(folder.path, noWait, () => Promise.resolve("next")), "next");
});

Deno.test("alone() makes a second process wait until the first ends", async () => {
  using folder = new Folder();
  await using first = new Worker(folder);
  assert.equal(await first.word(), "working");
  await using second = new Worker(folder);
  assert.equal(await second.word(), "waiting");
  await first.finish();
  assert.equal(await second.word(), "working");
  await second.finish();
  assert.deepEqual(Deno.readTextFileSync(folder.at("log")).trimEnd().split("\n"), [
    `${first.pid} begins`,
    `${first.pid} ends`,
    `${second.pid} begins`,
    `${second.pid} ends`,
  ]);
});

Deno.test("alone() is free as soon as its holder is killed", async () => {
  using folder = new Folder();
  await using holder = new Worker(folder);
  assert.equal(await holder.word(), "working");
  await using waiting = new Worker(folder);
  assert.equal(await waiting.word(), "waiting");
  await holder.kill();
  assert.equal(await waiting.word(), "working");
  await waiting.kill();
  // Nobody is left: this process gets it without a wait.
  await alone(folder.at("home"), () => assert.fail("it waited"), () => Promise.resolve());
});

Deno.test("claimDaemon() gives one process the place, until it is given back", async () => {
  using folder = new Folder();
  assert.equal(isDaemonRunning(folder.path), false);
  assert.deepEqual(folder.names(), []);
  {
    using claim = await claimDaemon(folder.path);
    assert.ok(claim !== undefined);
    assert.equal(isDaemonRunning(folder.path), true);
    assert.equal(await claimDaemon(folder.path), undefined);
  }
  assert.equal(isDaemonRunning(folder.path), false);
  using again = await claimDaemon(folder.path);
  assert.ok(again !== undefined);
});
