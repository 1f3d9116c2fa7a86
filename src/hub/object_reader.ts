/**
 * Reads objects of the mirror through one long-lived `git cat-file --batch`.
 *
 * @module
 */
import { asOid, type Oid } from "../brands.ts";
import { CcsyncError, FileTrouble } from "../errors.ts";
import { type Git, started } from "./git.ts";

/** An object as git stores it. */
export interface GitObject {
  readonly oid: Oid;
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** No blob that ccsync writes is larger than 32 MiB; what exceeds this by far was not written by it. */
export const LARGEST_OBJECT = 64 * 1024 * 1024;

/** An object that is not larger is kept until the next one is read: a segment is compared, and then written. */
const KEPT_BYTES = 2 * 1024 * 1024;

const NEWLINE = 0x0a;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One reader of a repository's objects. Calls are answered in order; dispose it to end git. */
export class ObjectReader implements AsyncDisposable {
  readonly #git: Git;
  #process: Deno.ChildProcess | undefined;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #input: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #pending: Uint8Array = new Uint8Array();
  #kept: GitObject | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(git: Git) {
    this.#git = git;
  }

  /**
   * Returns the object that a name stands for (an id, a ref, `<commit>:<path>`), or `undefined` where
   * there is none.
   *
   * @throws {FileTrouble} for an object above {@linkcode LARGEST_OBJECT}
   */
  read(name: string): Promise<GitObject | undefined> {
    const answer = this.#last.then(() => this.#read(name));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** Starts git ahead of the first call, which then need not wait for that. */
  prepare(): void {
    try {
      this.#start();
    } catch {
      // Whatever keeps git from starting is met again, and told, by the first call.
    }
  }

  async #read(name: string): Promise<GitObject | undefined> {
    // Git takes one name a line, and dies of a path that leaves the repository.
    if (/\n|:\.\.?\//.test(name)) return undefined;
    if (this.#kept?.oid === name) return this.#kept;
    this.#start();
    await this.#ask(name);
    const header = decoder.decode(await this.#line());
    const [id, type, size] = header.split(" ");
    const oid = asOid(id ?? "");
    if (oid === undefined || type === undefined || !/^\d+$/.test(size ?? "")) return undefined;
    if (Number(size) > LARGEST_OBJECT) {
      await this[Symbol.asyncDispose]();
      throw new FileTrouble(
        `"${name}" of the hub has ${size} bytes, more than ccsync ever writes: somebody else wrote to it`,
      );
    }
    const bytes = await this.#take(Number(size));
    await this.#take(1);
    const object = { oid, type, bytes };
    this.#kept = bytes.length <= KEPT_BYTES ? object : undefined;
    return object;
  }

  /**
   * Returns the content of a blob that has to be there.
   *
   * @throws {CcsyncError} kind "failed" when the mirror lacks it
   */
  async blob(name: string): Promise<Uint8Array> {
    const object = await this.read(name);
    if (object?.type === "blob") return object.bytes;
    throw new CcsyncError(
      "failed",
      `cannot read "${name}" of the hub: the mirror has no such file`,
      {
        hints: [`remove ${this.#git.directory} and run the command again: it is fetched anew`],
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (process === undefined) return;
    this.#pending = new Uint8Array();
    this.#kept = undefined;
    // An early end of git is no news here: what was read has been checked already.
    await this.#writer?.close().catch(() => undefined);
    await this.#input?.cancel();
    await process.stderr.cancel();
    await process.status;
  }

  #start(): void {
    if (this.#process !== undefined) return;
    const command = this.#git.command(["cat-file", "--batch"], "piped");
    this.#process = started(() => command.spawn());
    this.#writer = this.#process.stdin.getWriter();
    this.#input = this.#process.stdout.getReader();
  }

  async #ask(name: string): Promise<void> {
    try {
      await this.#writer?.write(encoder.encode(`${name}\n`));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      throw await this.#endedEarly();
    }
  }

  async #line(): Promise<Uint8Array> {
    for (;;) {
      const newline = this.#pending.indexOf(NEWLINE);
      if (newline !== -1) {
        const line = this.#pending.subarray(0, newline);
        this.#pending = this.#pending.subarray(newline + 1);
        return line;
      }
      await this.#more();
    }
  }

  async #take(size: number): Promise<Uint8Array> {
    if (this.#pending.length >= size) {
      const bytes = this.#pending.subarray(0, size);
      this.#pending = this.#pending.subarray(size);
      return bytes;
    }
    const bytes = new Uint8Array(size);
    bytes.set(this.#pending);
    let done = this.#pending.length;
    while (done < size) {
      const chunk = await this.#chunk();
      const used = Math.min(chunk.length, size - done);
      bytes.set(chunk.subarray(0, used), done);
      done += used;
      this.#pending = chunk.subarray(used);
    }
    return bytes;
  }

  async #more(): Promise<void> {
    const chunk = await this.#chunk();
    const joined = new Uint8Array(this.#pending.length + chunk.length);
    joined.set(this.#pending);
    joined.set(chunk, this.#pending.length);
    this.#pending = joined;
  }

  async #chunk(): Promise<Uint8Array> {
    const { value } = await this.#input?.read() ?? { value: undefined };
    if (value !== undefined) return value;
    throw await this.#endedEarly();
  }

  /** Forgets the process, so that the next call starts another one. */
  async #endedEarly(): Promise<CcsyncError> {
    await this[Symbol.asyncDispose]();
    return new CcsyncError("failed", "cannot read the mirror: git cat-file ended early", {
      hints: [`check the repository: git --git-dir ${this.#git.directory} fsck`],
    });
  }
}
