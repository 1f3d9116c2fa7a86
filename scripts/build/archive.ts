/**
 * What is published: archives and their checksums. The same files give the same bytes: nothing in an archive
 * tells when, where or by whom it was made.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { gzipSync, zipSync } from "fflate";
import { packTar } from "modern-tar";

/** A file of an archive. */
export interface PackedFile {
  /** Path inside, with `/`. */
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly isExecutable?: boolean;
}

/** The beginning of 1980 here, the earliest that zip has: times in it are local, so it is the same anywhere. */
const EARLIEST = new Date(1980, 0, 1);

/**
 * Returns an archive.
 *
 * @param folder Name of the one folder that everything is in
 */
export async function pack(
  format: "tar.gz" | "zip",
  folder: string,
  files: readonly PackedFile[],
): Promise<Uint8Array> {
  const inside = files.map((file) => ({ ...file, path: `${folder}/${file.path}` }))
    .sort((a, b) => a.path < b.path ? -1 : 1);
  return format === "zip" ? zip(inside) : await tarGz(inside);
}

function modeOf({ isExecutable = false }: PackedFile): number {
  return isExecutable ? 0o755 : 0o644;
}

async function tarGz(files: readonly PackedFile[]): Promise<Uint8Array> {
  const tar = await packTar(files.map((file) => ({
    header: {
      name: file.path,
      size: file.bytes.length,
      mode: modeOf(file),
      mtime: new Date(0),
      uid: 0,
      gid: 0,
    },
    body: file.bytes,
  })));
  return gzipSync(tar, { level: 9, mtime: 0 });
}

function zip(files: readonly PackedFile[]): Uint8Array {
  // Made on Unix, a regular file, its mode: what `unzip` looks at.
  const entries = files.map((file) =>
    [
      file.path,
      [file.bytes, { os: 3, attrs: (0o100000 | modeOf(file)) << 16 >>> 0, mtime: EARLIEST }],
    ] as const
  );
  return zipSync(Object.fromEntries(entries.map(([path, [...entry]]) => [path, entry])), {
    level: 9,
  });
}

/** Returns the lines of `SHA256SUMS`, as `sha256sum --check` reads them. */
export function checksums(files: ReadonlyMap<string, Uint8Array>): string {
  return [...files].sort(([a], [b]) => a < b ? -1 : 1).map(([name, bytes]) => {
    return `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`;
  }).join("");
}
