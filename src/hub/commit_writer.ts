/**
 * Writes a commit to the mirror with `git fast-import`: only changed paths are named, no work tree, no index.
 *
 * @module
 */
import { join } from "node:path";
import { asOid, type Oid } from "../brands.ts";
import type { CcsyncError } from "../errors.ts";
import { removeIfThere } from "../machine/files.ts";
import { failureOf, type Git, started } from "./git.ts";

/** Where the commit being pushed is kept, so that nothing collects it before. */
const OUTGOING = "refs/ccsync/outgoing";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Who commits and what for. */
export interface CommitInfo {
  readonly message: string;
  readonly machine: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** About how much is written, where that may be much. @default {0} */
  readonly bytes?: number;
}

/** From so many bytes on, a commit stays the pack that it is written as. */
const LARGE = 4 * 1024 * 1024;

/** Names the changes of one commit. */
export interface CommitChanges {
  /** Sets a file's content. */
  write(path: string, content: Uint8Array | string): Promise<void>;
  /** Sets a file's content to a blob that the mirror has. */
  link(path: string, blob: Oid): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
}

/**
 * Makes a commit on top of a parent (none: the first commit), and returns its id. Nothing refers to it but
 * a private ref of the mirror.
 *
 * @throws {CcsyncError} kind "failed" when git could not write; whatever `change` throws
 */
export async function writeCommit(
  git: Git,
  parent: Oid | undefined,
  info: CommitInfo,
  change: (changes: CommitChanges) => Promise<void>,
): Promise<Oid> {
  // Segments have nothing in common but their words: looking for it is 40 % of the work of a first push. What
  // grows is sent as a difference all the same, for `git push` looks for that itself.
  const args = ["fast-import", "--quiet", "--force", "--done", "--depth=0"];
  // Below a hundred objects git makes files of their own of them, and `git push` then compresses all again,
  // and compares each with ten others. What is small is better that way: packs become many.
  const isLarge = (info.bytes ?? 0) >= LARGE;
  const setting = isLarge
    ? "fastimport.unpackLimit=1"
    // This pack goes away again at once: to compress well is half of the time that a growing segment takes.
    : "pack.compression=1";
  const command = git.command(["-c", setting, ...args], "piped");
  const process = started(() => command.spawn());
  const output = process.output();
  const writer = process.stdin.getWriter();
  const changes = new Stream(writer);
  try {
    await changes.begin(parent, info);
    await change(changes);
    await changes.end();
    await writer.close();
  } catch (error) {
    // The stream has no "done": git drops the commit. Its own failure explains a broken pipe.
    await writer.abort().catch(() => undefined);
    const { code, stderr } = await output;
    removeCrashReport(git, process.pid);
    if (code !== 0 && error instanceof Deno.errors.BrokenPipe) throw failed(code, stderr);
    throw error;
  }
  const { code, stdout, stderr } = await output;
  const oid = asOid(decoder.decode(stdout).trim());
  if (code === 0 && oid !== undefined) return oid;
  removeCrashReport(git, process.pid);
  throw failed(code, stderr);
}

/** Git writes one whenever a stream ends early, and names the files of the commit in it. */
function removeCrashReport(git: Git, pid: number): void {
  removeIfThere(join(git.directory, `fast_import_crash_${pid}`));
}

function failed(code: number, stderr: Uint8Array): CcsyncError {
  const result = { code, stdout: new Uint8Array(), stderr: decoder.decode(stderr) };
  return failureOf("write to the mirror", result);
}

class Stream implements CommitChanges {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(writer: WritableStreamDefaultWriter<Uint8Array>) {
    this.#writer = writer;
  }

  async begin(parent: Oid | undefined, { message, machine, at }: CommitInfo): Promise<void> {
    const seconds = Math.floor(at / 1000);
    await this.#text(`reset ${OUTGOING}\n\ncommit ${OUTGOING}\nmark :1\n`);
    await this.#text(`committer ${machine} <${machine}@ccsync> ${seconds} +0000\n`);
    await this.#data(encoder.encode(message));
    if (parent !== undefined) await this.#text(`from ${parent}\n`);
  }

  async write(path: string, content: Uint8Array | string): Promise<void> {
    await this.#text(`M 100644 inline ${quote(path)}\n`);
    await this.#data(typeof content === "string" ? encoder.encode(content) : content);
  }

  async link(path: string, blob: Oid): Promise<void> {
    await this.#text(`M 100644 ${blob} ${quote(path)}\n`);
  }

  async remove(path: string): Promise<void> {
    await this.#text(`D ${quote(path)}\n`);
  }

  async end(): Promise<void> {
    await this.#text("\nget-mark :1\ndone\n");
  }

  async #data(bytes: Uint8Array): Promise<void> {
    await this.#text(`data ${bytes.length}\n`);
    if (bytes.length > 0) await this.#writer.write(bytes);
    await this.#text("\n");
  }

  async #text(text: string): Promise<void> {
    await this.#writer.write(encoder.encode(text));
  }
}

/** Quotes a path the way fast-import reads it. */
function quote(path: string): string {
  const escaped = path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `"${escaped}"`;
}
