/**
 * Notices changes under directories, as far as the system tells of them.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { lstatIfThere } from "./files.ts";

/** A directory to watch. */
export interface Watched {
  readonly path: string;
  /** Whether everything below it counts, too. */
  readonly isDeep: boolean;
  /** Which paths count. @default all of them */
  readonly counts?: (path: string) => boolean;
}

/** What reading and listing do not do. */
const CHANGES: ReadonlySet<string> = new Set(["any", "create", "modify", "rename", "remove"]);

/** Watches directories, those too that come later. Dispose it. */
export class ChangeWatcher implements Disposable {
  readonly #watched: readonly Watched[];
  readonly #tell: (why: string) => void;
  readonly #open = new Map<string, { readonly watcher: Deno.FsWatcher; readonly ino: number }>();
  #hasChanged = false;
  #isBroken = false;

  /** @param tell Is told once where the system cannot watch */
  constructor(watched: readonly Watched[], tell: (why: string) => void) {
    this.#watched = watched;
    this.#tell = tell;
    this.#refresh();
    // Nobody asked before: what is there is not new.
    this.#hasChanged = false;
  }

  /** Returns whether anything has changed since this was asked last. */
  take(): boolean {
    this.#refresh();
    const hasChanged = this.#hasChanged;
    this.#hasChanged = false;
    return hasChanged;
  }

  /** Begins to watch what is there by now, or was replaced. */
  #refresh(): void {
    for (const watched of this.#watched) {
      if (this.#isBroken) return;
      const ino = inodeOf(watched.path);
      const open = this.#open.get(watched.path);
      if (open?.ino === ino) continue;
      // What is watched is gone or was replaced. Deno (2.9) gives up the path a moment after that, whoever
      // watches it by then: the new one is for the next look.
      if (open !== undefined) this.#close(watched.path);
      else if (ino !== undefined) this.#watch(watched, ino);
    }
  }

  #watch(watched: Watched, ino: number): void {
    try {
      const watcher = Deno.watchFs(watched.path, { recursive: watched.isDeep });
      this.#open.set(watched.path, { watcher, ino });
      void this.#follow(watcher, watched);
      // What came before cannot be told from what was there.
      this.#hasChanged = true;
    } catch (error) {
      this.#giveUp(error);
    }
  }

  async #follow(watcher: Deno.FsWatcher, { counts }: Watched): Promise<void> {
    try {
      for await (const { kind, paths } of watcher) {
        if (!CHANGES.has(kind)) continue;
        if (counts === undefined || paths.some(counts)) this.#hasChanged = true;
      }
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** Such as a limit of the system that is reached. */
  #giveUp(error: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    for (const path of [...this.#open.keys()]) this.#close(path);
    this.#tell(messageOf(error));
  }

  #close(path: string): void {
    try {
      this.#open.get(path)?.watcher.close();
    } catch (error) {
      // Deno closes it itself where its events came to an end.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    this.#open.delete(path);
  }

  [Symbol.dispose](): void {
    this.#isBroken = true;
    for (const path of [...this.#open.keys()]) this.#close(path);
  }
}

/** Returns what tells a directory from another one of its name; `undefined` where none is there. */
function inodeOf(path: string): number | undefined {
  const info = lstatIfThere(path);
  return info?.isDirectory === true ? info.ino ?? 0 : undefined;
}
