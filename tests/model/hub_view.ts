/**
 * What a test reads of a hub, by itself: every object once.
 *
 * @module
 */
import { ObjectReader } from "../../src/hub/object_reader.ts";
import { Git } from "../../src/hub/git.ts";
import { asOid, type Oid } from "../../src/brands.ts";

const decoder = new TextDecoder();

/** Reads a hub. Dispose it. */
export class HubView implements AsyncDisposable {
  readonly #objects: ObjectReader;
  readonly #trees = new Map<Oid, ReadonlyMap<string, Oid>>();
  readonly #blobs = new Map<Oid, Uint8Array>();

  constructor(path: string) {
    this.#objects = new ObjectReader(new Git(path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#objects[Symbol.asyncDispose]();
  }

  /** Returns the id of the last commit. */
  async head(): Promise<Oid | undefined> {
    return (await this.#objects.read("refs/heads/main"))?.oid;
  }

  /** Returns the blobs of a commit by path. */
  async files(commit: Oid): Promise<ReadonlyMap<string, Oid>> {
    const object = await this.#objects.read(`${commit}^{tree}`);
    if (object === undefined) throw new Error(`the hub has no commit ${commit}`);
    return await this.#filesOf(object.oid);
  }

  /** Returns the content of a blob, or `undefined` where the hub has no such blob. */
  async blob(oid: Oid): Promise<Uint8Array | undefined> {
    const known = this.#blobs.get(oid) ?? (await this.#objects.read(oid))?.bytes;
    if (known !== undefined) this.#blobs.set(oid, known);
    return known;
  }

  async #filesOf(tree: Oid): Promise<ReadonlyMap<string, Oid>> {
    const known = this.#trees.get(tree);
    if (known !== undefined) return known;
    const files = new Map<string, Oid>();
    for (const { isTree, name, oid } of await this.#entries(tree)) {
      if (!isTree) files.set(name, oid);
      else for (const [path, blob] of await this.#filesOf(oid)) files.set(`${name}/${path}`, blob);
    }
    this.#trees.set(tree, files);
    return files;
  }

  /** Reads git's own form of a tree: `mode SP name NUL id`, again and again. */
  async #entries(tree: Oid): Promise<{ isTree: boolean; name: string; oid: Oid }[]> {
    const bytes = (await this.#objects.read(tree))?.bytes ?? new Uint8Array();
    const entries: { isTree: boolean; name: string; oid: Oid }[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = bytes.indexOf(0, at);
      const [mode = "", name = ""] = decoder.decode(bytes.subarray(at, end)).split(/ (.*)/s);
      at = end + 1 + tree.length / 2;
      const oid = asOid(bytes.subarray(end + 1, at).toHex());
      if (oid === undefined) throw new Error(`cannot read the tree ${tree}`);
      entries.push({ isTree: mode === "40000", name, oid });
    }
    return entries;
  }
}
