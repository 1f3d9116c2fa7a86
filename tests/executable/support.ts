/**
 * Executables as tests take them apart.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { described, runToEnd } from "../support/process.ts";

/** The repository. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** How a build differs from one of the repository. */
interface BuildOptions {
  /** A copy of the repository. @default the repository */
  readonly root?: string;
  /** Further variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Builds with the test runtime, and returns the paths of what was made. */
export async function build(
  args: readonly string[],
  { root = ROOT, env = {} }: BuildOptions = {},
): Promise<string[]> {
  const result = await runToEnd(Deno.execPath(), {
    args: ["run", "-A", "--frozen", "scripts/build.ts", "--test-runtime", ...args],
    cwd: root,
    env: { ...Deno.env.toObject(), ...env },
    timeoutMs: 600_000,
  });
  assert.equal(result.code, 0, described(result));
  return result.stdout.trimEnd().split("\n");
}

/** Returns the format and the processor that a program says it is for: `ELF x86_64`. */
export function kindOf(program: Buffer): string {
  if (program.readUInt32BE(0) === 0x7f454c46) {
    assert.equal(program[4], 2, "64 bits");
    return `ELF ${{ 0x3e: "x86_64", 0xb7: "aarch64" }[program.readUInt16LE(18)]}`;
  }
  if (program.readUInt32LE(0) === 0xfeedfacf) {
    const processor = program.readUInt32LE(4);
    return `Mach-O ${{ 0x01000007: "x86_64", 0x0100000c: "aarch64" }[processor]}`;
  }
  assert.equal(program.toString("latin1", 0, 2), "MZ");
  const at = program.readUInt32LE(0x3c);
  assert.equal(program.toString("latin1", at, at + 4), "PE\0\0");
  return `PE ${{ 0x8664: "x86_64" }[program.readUInt16LE(at + 4)]}`;
}

/** What `deno compile` put into a program. */
export interface Embedded {
  readonly metadata: {
    readonly permissions: Readonly<Record<string, unknown>>;
    readonly code_cache_key: unknown;
    readonly entrypoint_key: string;
  };
  /** All of it: the metadata, the modules, their source maps. */
  readonly bytes: Buffer;
}

/**
 * Returns what `deno compile` put into a program.
 *
 * Source: seen in executables of Deno 2.7.11: a word, the metadata's length as 8 bytes, the metadata as JSON.
 */
export function embeddedIn(program: Buffer): Embedded {
  const start = program.lastIndexOf('{"argv":');
  assert.equal(program.toString("latin1", start - 16, start - 8), "d3n0l4nd");
  const length = Number(program.readBigUInt64LE(start - 8));
  const metadata = JSON.parse(program.toString("utf8", start, start + length));
  return { metadata, bytes: program.subarray(start) };
}

/**
 * Checks the signature of a program for macOS, which starts none without on Apple's processors: made ad hoc, by
 * nobody, and right for each page.
 *
 * Source: Apple's `mach-o/loader.h` and `kern/cs_blobs.h`.
 */
export function assertSigned(program: Buffer): void {
  const [CODE_SIGNATURE, AD_HOC, SHA256] = [0x1d, 0x2, 2];
  let command = 32;
  for (let left = program.readUInt32LE(16); left > 0; left--) {
    if (program.readUInt32LE(command) === CODE_SIGNATURE) break;
    command += program.readUInt32LE(command + 4);
  }
  assert.equal(program.readUInt32LE(command), CODE_SIGNATURE, "it is signed");
  const signature = program.subarray(program.readUInt32LE(command + 8));
  assert.equal(signature.readUInt32BE(0), 0xfade0cc0, "a signature of several parts");
  const directory = signature.subarray(signature.readUInt32BE(16));
  assert.equal(directory.readUInt32BE(0), 0xfade0c02, "the first part has the pages");
  assert.equal(directory.readUInt32BE(12) & AD_HOC, AD_HOC);
  assert.equal(directory[37], SHA256);
  const [hashes, pages, signedBytes] = [16, 28, 32].map((at) => directory.readUInt32BE(at));
  const pageSize = 2 ** (directory[39] ?? 0);
  assert.ok(hashes !== undefined && pages !== undefined && signedBytes !== undefined);
  assert.equal(pages, Math.ceil(signedBytes / pageSize));
  for (let page = 0; page < pages; page++) {
    const end = Math.min((page + 1) * pageSize, signedBytes);
    const digest = createHash("sha256").update(program.subarray(page * pageSize, end)).digest();
    const expected = directory.subarray(hashes + page * 32, hashes + (page + 1) * 32);
    assert.ok(digest.equals(expected), `page ${page}`);
  }
}
