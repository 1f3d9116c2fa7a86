/**
 * Throw-away folders.
 *
 * @module
 */
import { join } from "node:path";

/** A temporary folder of its own, by its real path. Dispose it to remove all of it. */
export class Folder implements Disposable {
  readonly path: string;

  constructor() {
    this.path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "ccsync-test-" }));
  }

  /** Returns a path in it. */
  at(...parts: readonly string[]): string {
    return join(this.path, ...parts);
  }

  /** Writes a file in it, and the directories above. Returns its path. */
  write(path: string, content: string | Uint8Array): string {
    const full = this.at(path);
    Deno.mkdirSync(join(full, ".."), { recursive: true });
    if (typeof content === "string") Deno.writeTextFileSync(full, content);
    else Deno.writeFileSync(full, content);
    return full;
  }

  /** Returns the names in it, or in a directory of it, sorted. */
  names(path = "."): string[] {
    return [...Deno.readDirSync(this.at(path))].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    removeTree(this.path);
  }
}

/** Removes a directory with all that is in it, such as git's read-only files. */
export function removeTree(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    // Windows 10 and later remove read-only files; Wine 8 does not.
    if (Deno.build.os !== "windows" || !(error instanceof Deno.errors.PermissionDenied)) {
      throw error;
    }
    makeWritable(path);
    Deno.removeSync(path, { recursive: true });
  }
}

function makeWritable(path: string): void {
  for (const { isDirectory, isSymlink, name } of Deno.readDirSync(path)) {
    const inner = join(path, name);
    if (isDirectory) makeWritable(inner);
    else if (!isSymlink) Deno.chmodSync(inner, 0o666);
  }
}
