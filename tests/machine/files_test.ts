import assert from "node:assert/strict";
import { join } from "node:path";
import {
  entriesOf,
  HeldFile,
  lstatIfThere,
  makePrivateDirectory,
  patiently,
  PendingFile,
  readRange,
  readTextIfThere,
  removeIfThere,
  writeFile,
} from "../../src/machine/files.ts";
import { readFully, writeAll } from "../../src/machine/streams.ts";
import { Folder } from "../support/folder.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Windows has no such modes. */
const hasModes = Deno.build.os !== "windows";

const modeOf = (path: string) => (Deno.lstatSync(path).mode ?? 0) & 0o777;

Deno.test("PendingFile replaces a file only when it is placed", () => {
  using folder = new Folder();
  const path = folder.write("file", "old");
  using pending = new PendingFile(path);
  pending.write(bytes("new "));
  pending.write(bytes("content"));
  assert.equal(pending.size, 11);
  assert.equal(Deno.readTextFileSync(path), "old");
  assert.equal(Deno.readTextFileSync(pending.path), "new content");
  pending.place();
  assert.equal(Deno.readTextFileSync(path), "new content");
  assert.deepEqual(folder.names(), ["file"]);
});

Deno.test("PendingFile leaves the old file to those who have it open", () => {
  using folder = new Folder();
  const path = folder.write("file", "old");
  using reader = Deno.openSync(path, { read: true });
  writeFile(path, "new");
  const buffer = new Uint8Array(10);
  assert.equal(readFully(reader, buffer), 3);
  assert.equal(Deno.readTextFileSync(path), "new");
});

Deno.test("patiently() waits on Windows for a file that another program has open, and not for long", () => {
  const refusing = (times: number, message: string) => {
    let calls = 0;
    return () => {
      if (++calls <= times) throw new Error(message);
      return calls;
    };
  };
  const inUse = "The process cannot access the file (os error 32): rename 'a' -> 'b'";
  assert.equal(patiently(refusing(2, inUse), "windows"), 3);
  assert.equal(patiently(refusing(1, "Access is denied. (os error 5)"), "windows"), 2);
  const notNow = "Failed to spawn 'git.exe': Internal error. (os error 1359)";
  assert.equal(patiently(refusing(1, notNow), "windows"), 2);
  assert.throws(() => patiently(refusing(1, inUse), "linux"), /os error 32/);
  assert.throws(() => patiently(refusing(1, "The disk is full. (os error 112)"), "windows"), /112/);
  assert.throws(() => patiently(refusing(Infinity, inUse), "windows"), /os error 32/);
});

Deno.test("PendingFile leaves nothing behind when it is not placed", () => {
  using folder = new Folder();
  const path = folder.write("file", "old");
  assert.throws(() => {
    using pending = new PendingFile(path);
    pending.write(bytes("half"));
    throw new RangeError("the disk is full");
  }, RangeError);
  assert.deepEqual(folder.names(), ["file"]);
  assert.equal(Deno.readTextFileSync(path), "old");
});

Deno.test("PendingFile leaves nothing behind when it cannot be placed", () => {
  using folder = new Folder();
  folder.write("taken/by a directory", "");
  assert.throws(() => writeFile(folder.at("taken"), "new"));
  assert.deepEqual(folder.names(), ["taken"]);
});

Deno.test("PendingFile replaces a link, not what it points to", { ignore: !hasModes }, () => {
  using folder = new Folder();
  const target = folder.write("target", "old");
  Deno.symlinkSync(target, folder.at("link"));
  writeFile(folder.at("link"), "new");
  assert.equal(Deno.readTextFileSync(target), "old");
  assert.equal(Deno.lstatSync(folder.at("link")).isFile, true);
});

Deno.test("PendingFile sets the time it is told", () => {
  using folder = new Folder();
  const time = Date.UTC(2026, 0, 2, 3, 4, 5);
  using pending = new PendingFile(folder.at("file"));
  pending.write(bytes("x"));
  pending.place(time);
  assert.equal(Deno.statSync(folder.at("file")).mtime?.getTime(), time);
});

Deno.test(
  "PendingFile makes files and directories for their owner alone",
  { ignore: !hasModes },
  () => {
    using folder = new Folder();
    writeFile(folder.at("a", "b", "file"), "x");
    assert.equal(modeOf(folder.at("a")), 0o700);
    assert.equal(modeOf(folder.at("a", "b")), 0o700);
    assert.equal(modeOf(folder.at("a", "b", "file")), 0o600);
    // A file that was open to all is not any more.
    const path = folder.write("open", "old");
    Deno.chmodSync(path, 0o644);
    writeFile(path, "new");
    assert.equal(modeOf(path), 0o600);
  },
);

Deno.test(
  "makePrivateDirectory() leaves an existing directory as it is",
  { ignore: !hasModes },
  () => {
    using folder = new Folder();
    Deno.mkdirSync(folder.at("there"));
    Deno.chmodSync(folder.at("there"), 0o755);
    makePrivateDirectory(folder.at("there"));
    assert.equal(modeOf(folder.at("there")), 0o755);
  },
);

Deno.test("HeldFile sees what others append to a file that was replaced", () => {
  using folder = new Folder();
  const path = folder.write("file", "old ");
  using writer = Deno.openSync(path, { append: true });
  using held = new HeldFile(path);
  assert.equal(new TextDecoder().decode(held.after(4)), "");
  writeFile(path, "new");
  writeAll(writer, bytes("late"));
  assert.equal(new TextDecoder().decode(held.after(4)), "late");
  assert.equal(new TextDecoder().decode(held.after(100)), "");
  assert.equal(Deno.readTextFileSync(path), "new");
});

Deno.test("writeAll() goes on where one write took only a part", () => {
  const written: number[] = [];
  const slow = {
    writeSync(part: Uint8Array): number {
      const count = Math.min(3, part.length);
      written.push(...part.subarray(0, count));
      return count;
    },
  };
  writeAll(slow, bytes("eight by"));
  assert.equal(new TextDecoder().decode(new Uint8Array(written)), "eight by");
});

Deno.test("readRange() returns what is there of a range", () => {
  using folder = new Folder();
  const path = folder.write("file", "0123456789");
  const cases: readonly [from: number, to: number, text: string][] = [
    [0, 10, "0123456789"],
    [3, 5, "34"],
    [8, 20, "89"],
    [10, 20, ""],
    [50, 60, ""],
    [5, 5, ""],
    [5, 3, ""],
  ];
  for (const [from, to, text] of cases) {
    assert.equal(new TextDecoder().decode(readRange(path, from, to)), text, `${from} to ${to}`);
  }
});

Deno.test("readTextIfThere(), lstatIfThere() and removeIfThere() take a missing file for an answer", () => {
  using folder = new Folder();
  const missing = folder.at("missing");
  assert.equal(readTextIfThere(missing), undefined);
  assert.equal(lstatIfThere(missing), undefined);
  removeIfThere(missing);
  const path = folder.write("file", "text");
  assert.equal(lstatIfThere(join(path, "below a file")), undefined);
  assert.equal(readTextIfThere(path), "text");
  assert.equal(lstatIfThere(path)?.size, 4);
  removeIfThere(path);
  assert.equal(lstatIfThere(path), undefined);
});

Deno.test("readTextIfThere() tells of every other trouble", () => {
  using folder = new Folder();
  assert.throws(() => readTextIfThere(folder.path));
});

Deno.test("entriesOf() sorts by name, and finds none where there is no directory", () => {
  using folder = new Folder();
  for (const name of ["b", "a", "Z", "é"]) folder.write(name, "");
  assert.deepEqual(entriesOf(folder.path).map(({ name }) => name), ["Z", "a", "b", "é"]);
  assert.deepEqual(entriesOf(folder.at("missing")), []);
  assert.deepEqual(entriesOf(folder.at("a")), []);
});
