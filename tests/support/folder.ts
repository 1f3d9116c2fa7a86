/**
 * Throw-away folders.
 *
 * @module
 */
import { join } from "node:path";
import { removeTree } from "../../src/machine/files.ts";

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
