/**
 * Names that cannot be at one place together.
 *
 * @module
 */

/** Paths of files, as one file system sees them. */
export class Paths {
  readonly #files = new Set<string>();
  readonly #directories = new Set<string>();
  readonly #fold: (path: string) => string;

  /** @param ignoresCase Whether names that differ in case alone are one name */
  constructor(paths: Iterable<string>, ignoresCase: boolean) {
    this.#fold = ignoresCase ? (path) => path.normalize("NFC").toLowerCase() : (path) => path;
    for (const path of paths) this.add(path);
  }

  /** Adds a file, and the directories it needs. */
  add(path: string): void {
    const folded = this.#fold(path);
    this.#files.add(folded);
    for (const directory of directoriesOf(folded)) this.#directories.add(directory);
  }

  /** Why a file cannot be added, though no file of exactly this path is in the way; `undefined` where it can. */
  clash(path: string): string | undefined {
    const folded = this.#fold(path);
    if (this.#directories.has(folded)) return "a folder of that name is in the way";
    if (directoriesOf(folded).some((directory) => this.#files.has(directory))) {
      return "a file is in the way that has the name of its folder";
    }
    return this.#files.has(folded) ? "another name differs from it in case alone" : undefined;
  }
}

function directoriesOf(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("/"));
}
