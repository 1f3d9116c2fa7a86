import "../support/hermetic_git.ts";
import assert from "node:assert/strict";
import type { Oid } from "../../src/brands.ts";
import { writeCommit } from "../../src/hub/commit_writer.ts";
import { Git } from "../../src/hub/git.ts";
import { createBareHub } from "../../src/hub/mirror.ts";
import { LARGEST_OBJECT, ObjectReader } from "../../src/hub/object_reader.ts";
import { Folder } from "../support/folder.ts";

const INFO = { message: "x\n", machine: "laptop", at: 0 };

/** A repository with one commit, and a reader of it. */
class Repository implements AsyncDisposable {
  readonly folder = new Folder();
  readonly git = new Git(this.folder.at("repository"));
  readonly reader = new ObjectReader(this.git);

  static async with(
    files: Readonly<Record<string, string | Uint8Array>>,
  ): Promise<[Repository, Oid]> {
    const repository = new Repository();
    await createBareHub(repository.git.directory);
    const commit = await writeCommit(repository.git, undefined, INFO, async (changes) => {
      for (const [path, content] of Object.entries(files)) await changes.write(path, content);
    });
    return [repository, commit];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reader[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

Deno.test("ObjectReader reads objects of every type by any name", async () => {
  const [repository, commit] = await Repository.with({ "a/b c": "content" });
  await using _ = repository;
  const { reader } = repository;
  const blob = await reader.read(`${commit}:a/b c`);
  assert.equal(blob?.type, "blob");
  assert.equal(text(blob?.bytes), "content");
  assert.deepEqual(await reader.read(blob?.oid ?? ""), blob);
  assert.equal((await reader.read(commit))?.type, "commit");
  assert.equal((await reader.read(`${commit}:a`))?.type, "tree");
  assert.equal((await reader.read("refs/ccsync/outgoing"))?.oid, commit);
});

Deno.test("ObjectReader reads an object twice, and in between, as it is", async () => {
  const [repository, commit] = await Repository.with({ a: "first", b: "second" });
  await using _ = repository;
  const { reader } = repository;
  const [a, b] = [await reader.read(`${commit}:a`), await reader.read(`${commit}:b`)];
  for (const object of [b, b, a, a, b]) {
    assert.deepEqual(await reader.read(object?.oid ?? ""), object);
  }
  await reader[Symbol.asyncDispose]();
  assert.deepEqual(await reader.read(b?.oid ?? ""), b);
});

Deno.test("ObjectReader finds nothing under hostile and missing names, and goes on", async () => {
  const [repository, commit] = await Repository.with({ file: "content" });
  await using _ = repository;
  const missing = "1".repeat(40);
  const names = [
    missing,
    `${missing}:file`,
    `${commit}:missing`,
    `${commit}:file/below`,
    `${commit}:../file`,
    `${commit}:./file`,
    `${commit}:with 5 numbers 7`,
    "refs/heads/missing",
    "",
    " ",
    "--help",
    "-p",
    // Were the second line a question of its own, every later answer would be off by one.
    `${commit}:file\n${commit}`,
    "\n",
  ];
  for (const name of names) {
    assert.equal(await repository.reader.read(name), undefined, JSON.stringify(name));
    assert.equal(text((await repository.reader.read(`${commit}:file`))?.bytes), "content");
  }
});

Deno.test("ObjectReader reads empty, binary and large objects one after another", async () => {
  const large = new Uint8Array(9_000_000).map((_, i) => i * 17 % 253);
  const lines = new Uint8Array(200_000).fill(0x0a);
  const binary = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256);
  const files = { empty: new Uint8Array(), large, lines, binary, one: new Uint8Array([0]) };
  const [repository, commit] = await Repository.with(files);
  await using _ = repository;
  for (const [path, content] of [...Object.entries(files), ...Object.entries(files).reverse()]) {
    const bytes = await repository.reader.blob(`${commit}:${path}`);
    assert.equal(bytes.length, content.length, path);
    assert.ok(bytes.every((byte, i) => byte === content[i]), path);
  }
});

Deno.test("ObjectReader answers calls in order, however many wait", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [`f${i}`, `${i} `.repeat(i * 1000)]),
  );
  const [repository, commit] = await Repository.with(files);
  await using _ = repository;
  const answers = await Promise.all(
    Object.keys(files).map((name) => repository.reader.read(`${commit}:${name}`)),
  );
  assert.deepEqual(answers.map((answer) => text(answer?.bytes)), Object.values(files));
});

Deno.test("ObjectReader refuses what is larger than anything ccsync writes, and goes on", async () => {
  const files = { huge: new Uint8Array(LARGEST_OBJECT + 1), small: "content" };
  const [repository, commit] = await Repository.with(files);
  await using _ = repository;
  await assert.rejects(repository.reader.read(`${commit}:huge`), {
    name: "FileTrouble",
    message: /has 67108865 bytes, more than ccsync ever writes/,
  });
  assert.equal(text(await repository.reader.blob(`${commit}:small`)), "content");
});

Deno.test("ObjectReader.blob() wants a file", async () => {
  const [repository, commit] = await Repository.with({ "a/b": "content" });
  await using _ = repository;
  for (const name of [`${commit}:a`, `${commit}:missing`, commit]) {
    await assert.rejects(repository.reader.blob(name), {
      kind: "failed",
      message: /the mirror has no such file$/,
    });
  }
});

Deno.test("ObjectReader sees what was written after it began", async () => {
  const [repository, first] = await Repository.with({ file: "old" });
  await using _ = repository;
  const { git, reader } = repository;
  assert.equal(text(await reader.blob(`${first}:file`)), "old");
  const second = await writeCommit(git, first, INFO, (changes) => changes.write("file", "new"));
  assert.equal(text(await reader.blob(`${second}:file`)), "new");
  assert.equal((await reader.read("refs/ccsync/outgoing"))?.oid, second);
});

Deno.test("ObjectReader says so where git ends early", async () => {
  using folder = new Folder();
  await using reader = new ObjectReader(new Git(folder.at("no repository")));
  for (const name of ["main", "main", "main"]) {
    await assert.rejects(reader.read(name), { kind: "failed", message: /ended early/ });
  }
});

Deno.test("ObjectReader can be disposed before it read anything, and twice", async () => {
  const reader = new ObjectReader(new Git("/nowhere"));
  await reader[Symbol.asyncDispose]();
  await reader[Symbol.asyncDispose]();
});
