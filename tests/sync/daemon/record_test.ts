import assert from "node:assert/strict";
import {
  argumentsLike,
  automationFault,
  type DaemonRecord,
  readRecord,
  writeRecord,
} from "../../../src/sync/daemon/record.ts";
import { Folder } from "../../support/folder.ts";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

const RECORD: DaemonRecord = {
  pid: 1,
  mode: "daemon",
  startedAt: ago(10_000),
  interval: 300,
  pushOnly: false,
  last: { at: ago(100), work: "sync", outcome: "done" },
};

Deno.test("automationFault() is silent while all is well, or was never asked for", () => {
  assert.equal(automationFault(undefined, false, NOW), undefined);
  assert.equal(automationFault(RECORD, true, NOW), undefined);
});

Deno.test("automationFault() speaks of failures that last longer than two intervals", () => {
  const failing = (seconds: number) => ({ since: ago(seconds), why: "the hub is gone" });
  assert.equal(automationFault({ ...RECORD, failing: failing(599) }, true, NOW), undefined);
  const old = failing(601);
  assert.deepEqual(automationFault({ ...RECORD, failing: old }, true, NOW), old);
  assert.deepEqual(automationFault({ ...RECORD, mode: "once", failing: old }, false, NOW), old);
});

Deno.test("automationFault() misses a daemon that ended without being told to", () => {
  const last = { at: ago(700), work: "sync", outcome: "done" } as const;
  const dead = automationFault({ ...RECORD, last }, false, NOW);
  assert.equal(dead?.since, last.at);
  assert.equal(automationFault({ ...RECORD, last, endedAt: ago(600) }, false, NOW), undefined);
  assert.equal(automationFault({ ...RECORD, last, mode: "once" }, false, NOW), undefined);
  assert.equal(automationFault(RECORD, false, NOW), undefined);
});

Deno.test("readRecord() returns what writeRecord() wrote, and nothing of a damaged file", () => {
  using folder = new Folder();
  assert.equal(readRecord(folder.path), undefined);
  writeRecord(folder.path, RECORD);
  assert.deepEqual(readRecord(folder.path), RECORD);
  folder.write("daemon.json", '{"pid":');
  assert.equal(readRecord(folder.path), undefined);
  folder.write("daemon.json", '{"pid":"x"}');
  assert.equal(readRecord(folder.path), undefined);
});

Deno.test("argumentsLike() starts a daemon as the last one was", () => {
  assert.deepEqual(argumentsLike(undefined), []);
  assert.deepEqual(argumentsLike(RECORD), ["--interval", "300"]);
  const pushOnly = { ...RECORD, interval: 60, pushOnly: true };
  assert.deepEqual(argumentsLike(pushOnly), ["--interval", "60", "--push-only"]);
});
