import assert from "node:assert/strict";
import fc from "fast-check";
import { BLOCK_BYTES, blockHashes, blocksToCheck, hasPrefix } from "../../src/sync/fingerprint.ts";
import { Folder } from "../support/folder.ts";

/** Returns bytes that are nowhere the same for long. */
const content = (length: number) =>
  new Uint8Array(length).map((_, i) => (i * 7 + (i >> 8) * 13) % 251);

/** Changes one byte of a file and nothing else. */
function edit(path: string, at: number): void {
  using file = Deno.openSync(path, { read: true, write: true });
  const byte = new Uint8Array(1);
  file.seekSync(at, Deno.SeekMode.Start);
  file.readSync(byte);
  file.seekSync(at, Deno.SeekMode.Start);
  file.writeSync(byte.map((value) => value ^ 1));
}

Deno.test("hasPrefix() knows a file that only grew", () => {
  for (const length of [0, 1, 1000, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1]) {
    using folder = new Folder();
    const path = folder.write("file", content(length));
    const hashes = blockHashes(path, length);
    assert.equal(hashes.length, Math.ceil(length / BLOCK_BYTES));
    assert.equal(hasPrefix(path, length, hashes, 0), true);
    Deno.writeFileSync(path, content(5000), { append: true });
    assert.equal(hasPrefix(path, length, hashes, 0), true, `${length}, grown`);
  }
});

Deno.test("hasPrefix() notices a file that was cut or emptied", () => {
  using folder = new Folder();
  const length = BLOCK_BYTES + 1000;
  const path = folder.write("file", content(length));
  const hashes = blockHashes(path, length);
  for (const shorter of [length - 1, BLOCK_BYTES, 1, 0]) {
    Deno.truncateSync(path, shorter);
    assert.equal(hasPrefix(path, length, hashes, 0), false, String(shorter));
  }
});

Deno.test("hasPrefix() notices every edit of a file of some blocks at once, in every turn", () => {
  using folder = new Folder();
  const length = 3 * BLOCK_BYTES + 500;
  const path = folder.write("file", content(length));
  const hashes = blockHashes(path, length);
  for (const at of [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, 2 * BLOCK_BYTES + 7, length - 1]) {
    edit(path, at);
    for (const turn of [0, 1, 2, "all"] as const) {
      assert.equal(hasPrefix(path, length, hashes, turn), false, `${at}, turn ${turn}`);
    }
    edit(path, at);
    assert.equal(hasPrefix(path, length, hashes, 0), true);
  }
  edit(path, length - 1);
  assert.equal(hasPrefix(path, length - 500, hashes.slice(0, 3), 0), true, "after the prefix");
});

Deno.test("hasPrefix() notices an edit in the middle of a long file within a bounded number of turns", () => {
  using folder = new Folder();
  const blocks = 13;
  const length = blocks * BLOCK_BYTES;
  const path = folder.write("file", content(length));
  const hashes = blockHashes(path, length);
  edit(path, 6 * BLOCK_BYTES + 1);
  for (const first of [0, 1, 1000]) {
    const turns = [first, first + 1, first + 2, first + 3];
    assert.ok(turns.some((turn) => !hasPrefix(path, length, hashes, turn)), `from turn ${first}`);
  }
  assert.equal(hasPrefix(path, length, hashes, "all"), false);
});

Deno.test("hasPrefix() refuses hashes of another length", () => {
  using folder = new Folder();
  const path = folder.write("file", content(1000));
  const hashes = blockHashes(path, 1000);
  assert.equal(hasPrefix(path, 1000, [], 0), false);
  assert.equal(hasPrefix(path, 1000, [...hashes, ...hashes], 0), false);
  assert.equal(hasPrefix(path, 0, hashes, 0), false);
  assert.equal(hasPrefix(path, 999, hashes, 0), false);
});

Deno.test("blocksToCheck() looks at both ends always, and at every block in turn", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(100_000), (count, first) => {
      const turns = Math.ceil(count / 4);
      const checked = Array.from({ length: turns }, (_, i) => blocksToCheck(count, first + i));
      assert.equal(new Set(checked.flat()).size, count);
      for (const blocks of checked) {
        assert.ok(blocks.includes(0) && blocks.includes(count - 1));
        assert.ok(blocks.length <= 8);
        assert.ok(blocks.every((block, i) => i === 0 || block > (blocks[i - 1] ?? block)));
      }
      assert.equal(blocksToCheck(count, "all").length, count);
    }),
    { seed: 11, numRuns: 200 },
  );
  assert.deepEqual(blocksToCheck(0, 0), []);
});

Deno.test("blockHashes() continues from known hashes as if it had read all", () => {
  using folder = new Folder();
  const total = 3 * BLOCK_BYTES + 77;
  const path = folder.write("file", content(total));
  const all = blockHashes(path, total);
  for (const known of [0, 1, BLOCK_BYTES, BLOCK_BYTES + 5, 2 * BLOCK_BYTES, total - 1, total]) {
    assert.deepEqual(blockHashes(path, total, blockHashes(path, known), known), all, String(known));
  }
  // Of a shorter prefix than before, too.
  assert.deepEqual(
    blockHashes(path, BLOCK_BYTES + 5, all, total),
    blockHashes(path, BLOCK_BYTES + 5),
  );
});

Deno.test("blockHashes() does not read again what it knows", () => {
  using folder = new Folder();
  const total = 2 * BLOCK_BYTES;
  const path = folder.write("file", content(total));
  const known = blockHashes(path, BLOCK_BYTES);
  edit(path, 0);
  assert.equal(blockHashes(path, total, known, BLOCK_BYTES)[0], known[0]);
});
