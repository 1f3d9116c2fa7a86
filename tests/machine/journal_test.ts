import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { LocalPath, SessionId } from "../../src/brands.ts";
import { FileTrouble } from "../../src/errors.ts";
import {
  type Change,
  type Effect,
  Journal,
  KEPT_BYTES,
  KEPT_DAYS,
  keptChanges,
  type Operation,
  parseOperation,
} from "../../src/machine/journal.ts";
import { Folder } from "../support/folder.ts";

const DAY_MS = 86_400_000;
const NOW = Date.parse("2026-11-22T12:00:00.000Z");

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

const CREATED: Effect = { kind: "replace", before: null, after: { hash: hashOf("x"), size: 1 } };

/** Returns the effect of a replacement of so many bytes. */
function replaced(size: number, hash = hashOf(String(size))): Effect {
  return { kind: "replace", before: { hash, size, mtimeMs: 0, mode: 0o600 }, after: null };
}

function changed(session: string, effect: Effect, path = `/c/${session}.jsonl`): Change {
  const owner = { session: session as SessionId, name: "", base: null };
  return { path: path as LocalPath, owner, effect };
}

function operation(id: number, daysAgo: number, ...changes: Change[]): Operation {
  const at = new Date(NOW - daysAgo * DAY_MS).toISOString();
  return { id, at, command: "pull", undoes: null, isDone: false, damaged: 0, changes };
}

/** Returns which changes stay, as `operation session`. */
function staying(...operations: Operation[]): string[] {
  return [...keptChanges(operations, NOW)].flatMap(([id, changes]) =>
    changes.map(({ owner }) => `${id} ${"session" in owner ? owner.session : ""}`)
  );
}

Deno.test("keptChanges() keeps what is young, and the newest backup of every session however old", () => {
  assert.deepEqual(
    staying(
      operation(4, 1, changed("a", replaced(1)), changed("new", CREATED)),
      operation(3, KEPT_DAYS + 1, changed("a", replaced(2)), changed("b", replaced(3))),
      operation(2, KEPT_DAYS + 2, changed("b", replaced(4)), changed("old", CREATED)),
      operation(1, KEPT_DAYS + 3, changed("c", replaced(5))),
    ),
    ["4 a", "4 new", "3 b", "1 c"],
  );
});

Deno.test("keptChanges() keeps so many bytes, the newest first, and the newest of a session beyond", () => {
  const half = KEPT_BYTES / 2;
  assert.deepEqual(
    staying(
      operation(4, 1, changed("a", replaced(half))),
      operation(3, 2, changed("a", replaced(half)), changed("b", replaced(half))),
      operation(2, 3, changed("a", replaced(1))),
      operation(1, 4, changed("c", replaced(KEPT_BYTES))),
    ),
    ["4 a", "3 a", "3 b", "1 c"],
  );
});

Deno.test("keptChanges() keeps or drops what was done to one session as a whole", () => {
  const moved = (id: number, daysAgo: number) =>
    operation(id, daysAgo, changed("a", CREATED, "/new"), changed("a", replaced(1), "/old"));
  assert.deepEqual(staying(moved(1, KEPT_DAYS + 1)), ["1 a", "1 a"]);
  const later = operation(2, 1, changed("a", replaced(1)));
  assert.deepEqual(staying(later, moved(1, KEPT_DAYS + 1)), ["2 a"]);
});

Deno.test("Journal returns what was recorded, the last operation first", () => {
  using folder = new Folder();
  const file = folder.write("file", "old");
  Deno.chmodSync(file, 0o640);
  Deno.utimeSync(file, 1_700_000_000, 1_700_000_000);
  const journal = new Journal(folder.path, () => NOW);
  journal.begin("nothing");
  journal.end();
  journal.begin("pull");
  const before = journal.keep(file);
  const change = changed("a", { kind: "replace", before, after: null });
  journal.record(change);
  journal.record(changed("b", CREATED));
  journal.end();
  journal.begin("undo 1", 1);
  journal.record(changed("a", CREATED));
  journal.end();
  const [last, first, ...none] = new Journal(folder.path, () => NOW).operations();
  assert.deepEqual(none, []);
  assert.deepEqual(
    { ...first, changes: first?.changes.length },
    { ...operation(1, 0), changes: 2 },
  );
  assert.deepEqual(first?.changes[0], change);
  assert.deepEqual([last?.id, last?.undoes, last?.isDone], [2, 1, true]);
  assert.equal(before.hash, hashOf("old"));
  assert.equal(Deno.readTextFileSync(journal.objectPath(before.hash)), "old");
  if (Deno.build.os !== "windows") {
    assert.equal(before.mode, 0o640);
    assert.equal(before.mtimeMs, 1_700_000_000_000);
    for (const name of ["objects", "operations", `objects/${before.hash}`, "operations/1.jsonl"]) {
      const { isFile, mode } = Deno.statSync(folder.at("backups", name));
      assert.equal((mode ?? 0) & 0o777, isFile ? 0o600 : 0o700, name);
    }
  }
});

Deno.test("Journal.keep() mends an earlier copy that is damaged", () => {
  using folder = new Folder();
  const journal = new Journal(folder.path, () => NOW);
  const kept = journal.keep(folder.write("file", "old"));
  Deno.writeTextFileSync(journal.objectPath(kept.hash), "odd");
  assert.equal(journal.faultOf(kept), "its backup is damaged");
  journal.keep(folder.at("file"));
  assert.equal(journal.faultOf(kept), undefined);
  Deno.removeSync(journal.objectPath(kept.hash));
  assert.equal(journal.faultOf(kept), "its backup is missing");
});

Deno.test("Journal.keep() refuses a file that has another size than it says", () => {
  // What the kernel makes up as it is read has no size.
  if (Deno.build.os !== "linux") return;
  using folder = new Folder();
  const journal = new Journal(folder.path, () => NOW);
  assert.throws(() => journal.keep("/proc/self/status"), FileTrouble);
  assert.deepEqual(folder.names("backups/objects"), []);
});

Deno.test("parseOperation() passes over a torn last line, counts damaged ones, and refuses other formats", () => {
  const header = JSON.stringify({
    format: 1,
    at: "2026-11-22T12:00:00.000Z",
    command: "pull",
    undoes: null,
  });
  const good = JSON.stringify(changed("a", CREATED));
  const lines = (...texts: string[]) => parseOperation(1, texts.join("\n"));
  const counts = (found: Operation | undefined) => [found?.changes.length, found?.damaged];
  assert.deepEqual(counts(lines(header, good, good.slice(0, 50))), [1, 0]);
  assert.deepEqual(counts(lines(header, "garbage", good, "")), [1, 1]);
  assert.deepEqual(counts(lines(header, '{"path": 1}', good, "")), [1, 1]);
  const unsafe = good.replace(hashOf("x"), "../../etc/passwd");
  assert.deepEqual(counts(lines(header, unsafe, good, "")), [1, 1]);
  assert.equal(lines(), undefined);
  assert.equal(lines(header.slice(0, 20)), undefined);
  assert.equal(lines(header.replace('"format":1', '"format":2'), good), undefined);
});

Deno.test("Journal goes on with an operation that broke off in the middle of a line", () => {
  using folder = new Folder();
  const journal = new Journal(folder.path, () => NOW);
  journal.begin("undo 7", 7);
  journal.record(changed("a", CREATED));
  const path = folder.at("backups/operations/1.jsonl");
  Deno.writeTextFileSync(path, '{"path":"/c/tor', { append: true });
  const [broken] = journal.operations();
  assert.ok(broken !== undefined && !broken.isDone);
  journal.resume(broken);
  journal.record(changed("b", CREATED));
  journal.end();
  const [whole, ...others] = journal.operations();
  assert.deepEqual(others, []);
  assert.deepEqual([whole?.changes.length, whole?.damaged, whole?.isDone], [2, 0, true]);
});

Deno.test("a path that is noted twice was changed once", () => {
  using folder = new Folder();
  const journal = new Journal(folder.path, () => NOW);
  journal.begin("undo 7", 7);
  const [first, second] = [replaced(1), replaced(2)];
  for (const effect of [first, second]) {
    journal.record(changed("a", { ...effect, after: { hash: hashOf("z"), size: 1 } } as Effect));
  }
  const [{ changes } = operation(0, 0)] = journal.operations();
  assert.deepEqual(changes, [
    changed("a", { ...first, after: { hash: hashOf("z"), size: 1 } } as Effect),
  ]);
});

Deno.test("what is too old goes at the end of an operation, once a day, with its contents", () => {
  using folder = new Folder();
  let now = NOW;
  const journal = new Journal(folder.path, () => now);
  const run = (content: string, session = "a") => {
    journal.begin("pull");
    const before = journal.keep(folder.write("file", content));
    journal.record(changed(session, { kind: "replace", before, after: null }));
    journal.end();
  };
  const contents = () =>
    folder.names("backups/objects").map((name) =>
      Deno.readTextFileSync(folder.at("backups/objects", name))
    ).sort();
  run("first");
  run("other", "b");
  Deno.writeTextFileSync(folder.at("backups/objects/.ccsync-0.tmp"), "left behind");
  Deno.writeTextFileSync(folder.at("backups/objects/notes.txt"), "somebody's own");
  // Of operations that cannot be read.
  for (const [content, at] of [["unknown", NOW + 2 * DAY_MS], ["unknown, old", NOW]] as const) {
    const path = folder.at("backups/objects", hashOf(content));
    Deno.writeTextFileSync(path, content);
    Deno.utimeSync(path, at / 1000, at / 1000);
  }
  now += (KEPT_DAYS + 1) * DAY_MS;
  run("second");
  assert.deepEqual(
    contents(),
    ["other", "second", "somebody's own", "unknown"],
    "the newest of b stays",
  );
  assert.deepEqual(folder.names("backups/operations"), ["2.jsonl", "3.jsonl"]);
  now += DAY_MS / 2;
  Deno.writeTextFileSync(folder.at("backups/objects/.ccsync-0.tmp"), "left behind");
  run("third");
  assert.ok(contents().includes("left behind"), "not looked at again on the same day");
});
