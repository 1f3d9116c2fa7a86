import assert from "node:assert/strict";
import { ChangeWatcher } from "../../src/machine/watch.ts";
import { Folder } from "../support/folder.ts";
import { until } from "../support/process.ts";

function watcherOf(folder: Folder, told: string[] = []): ChangeWatcher {
  const notes = folder.at("notes.md");
  return new ChangeWatcher([
    { path: folder.path, isDeep: false, counts: (path) => path === notes },
    { path: folder.at("deep"), isDeep: true },
  ], (why) => told.push(why));
}

/** Waits until a change is noticed. */
async function change(watcher: ChangeWatcher): Promise<void> {
  await until("the change", () => watcher.take() || undefined);
}

/** Gives what was announced to the program the time to arrive. */
async function settle(watcher: ChangeWatcher, folder: Folder): Promise<void> {
  folder.write("notes.md", "last");
  await change(watcher);
  watcher.take();
}

Deno.test("ChangeWatcher notices what is written, however deep, and nothing of what does not count", async () => {
  using folder = new Folder();
  folder.write("deep/a/b.jsonl", "1");
  using watcher = watcherOf(folder);
  assert.equal(watcher.take(), false);
  folder.write("deep/a/b.jsonl", "12");
  await change(watcher);
  folder.write("deep/new/c.jsonl", "1");
  await change(watcher);
  folder.write("notes.md", "x");
  await change(watcher);
  await settle(watcher, folder);
  Deno.readTextFileSync(folder.at("deep/a/b.jsonl"));
  folder.write("other.md", "x");
  let isNoticed = false;
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    isNoticed ||= watcher.take();
  }
  assert.equal(isNoticed, false);
});

Deno.test("ChangeWatcher watches directories that come later, and those that were replaced", async () => {
  using folder = new Folder();
  using watcher = watcherOf(folder);
  assert.equal(watcher.take(), false);
  folder.write("deep/a.jsonl", "1");
  await change(watcher);
  folder.write("deep/a.jsonl", "12");
  await change(watcher);
  Deno.renameSync(folder.at("deep"), folder.at("old"));
  folder.write("deep/a.jsonl", "other");
  await change(watcher);
  folder.write("deep/a.jsonl", "others");
  await change(watcher);
});

Deno.test("ChangeWatcher says once that the system cannot watch, and goes on without", () => {
  using folder = new Folder();
  folder.write("deep/a.jsonl", "1");
  const told: string[] = [];
  const real = Deno.watchFs;
  // As Deno fails where inotify's limit is reached.
  Deno.watchFs = () => {
    throw new Error("OS file watch limit reached");
  };
  try {
    using watcher = watcherOf(folder, told);
    for (let i = 0; i < 3; i++) assert.equal(watcher.take(), false);
    assert.deepEqual(told, ["OS file watch limit reached"]);
  } finally {
    Deno.watchFs = real;
  }
});
