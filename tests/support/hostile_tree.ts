/**
 * Trees that git itself refuses to make: any names, modes and depths, written into a hub as they are.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runToEnd } from "./process.ts";
import type { World } from "./world.ts";

/** An entry of a tree: an object by its id, or what it holds. */
export type Entry =
  | { readonly mode: "100644" | "120000"; readonly content: string | Uint8Array }
  | { readonly mode: string; readonly oid: string };

/** Names of one level, which may hold anything but NUL, and what is under them. */
export type Tree = ReadonlyMap<string, Entry | Tree>;

const encoder = new TextEncoder();

/** Writes objects into the repository of a world's hub. */
export class HostileHub {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Adds entries by their paths, component by component, to what the hub has, as one commit on `main`. */
  async add(entries: Iterable<readonly [path: readonly string[], entry: Entry]>): Promise<void> {
    const root = new Map(await this.#current());
    for (const [path, entry] of entries) put(root, path, entry);
    await this.commit(await this.tree(root));
  }

  /** Makes a tree the content of `main`. */
  async commit(tree: string): Promise<void> {
    const author = "x <x@x> 1 +0000";
    const parent = (await this.#world.git("rev-parse", "main")).stdout.trim();
    const text = `tree ${tree}\nparent ${parent}\nauthor ${author}\ncommitter ${author}\n\nx\n`;
    await this.ref("refs/heads/main", await this.object("commit", text));
  }

  /** Points a ref of the hub to an object. */
  async ref(name: string, oid: string): Promise<void> {
    const { code, stderr } = await this.#world.git("update-ref", name, oid);
    assert.equal(code, 0, stderr);
  }

  /** Writes a tree and all under it, and returns its id. */
  async tree(tree: Tree): Promise<string> {
    const parts: Uint8Array[] = [];
    for (const [name, entry] of tree) {
      const { mode, oid } = await this.#written(entry);
      parts.push(encoder.encode(`${mode} ${name}\0`), Uint8Array.fromHex(oid));
    }
    return await this.object("tree", await new Blob(parts.map((part) => part.slice())).bytes());
  }

  /** Writes an object, whatever is in it, and returns its id. */
  async object(type: string, content: string | Uint8Array): Promise<string> {
    const child = new Deno.Command("git", {
      args: [
        "--git-dir",
        this.#world.hub,
        "hash-object",
        "-t",
        type,
        "-w",
        "--literally",
        "--stdin",
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(typeof content === "string" ? encoder.encode(content) : content);
    await writer.close();
    const { code, stdout } = await child.output();
    assert.equal(code, 0);
    return new TextDecoder().decode(stdout).trim();
  }

  async #written(entry: Entry | Tree): Promise<{ readonly mode: string; readonly oid: string }> {
    if (entry instanceof Map) return { mode: "40000", oid: await this.tree(entry) };
    const { mode } = entry as Entry;
    if ("oid" in entry) return { mode, oid: entry.oid };
    const { content } = entry as Extract<Entry, { readonly content: unknown }>;
    return { mode, oid: await this.object("blob", content) };
  }

  /** Returns what the hub has at its root. */
  async #current(): Promise<Tree> {
    const { stdout } = await runToEnd("git", {
      args: ["--git-dir", this.#world.hub, "ls-tree", "-r", "-z", "main"],
      cwd: this.#world.folder,
    });
    const root = new Map<string, Entry | Tree>();
    for (const record of stdout.split("\0").filter((text) => text !== "")) {
      const [, mode = "", oid = "", path = ""] = /^(\d+) \w+ (\w+)\t([^]*)$/.exec(record) ?? [];
      put(root, path.split("/"), { mode, oid });
    }
    return root;
  }
}

function put(tree: Map<string, Entry | Tree>, path: readonly string[], entry: Entry): void {
  const [name = "", ...rest] = path;
  if (rest.length === 0) tree.set(name, entry);
  else {
    const inner = tree.get(name);
    const below: Map<string, Entry | Tree> = inner instanceof Map ? inner : new Map();
    put(below, rest, entry);
    tree.set(name, below);
  }
}
