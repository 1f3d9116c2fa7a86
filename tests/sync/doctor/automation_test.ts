import assert from "node:assert/strict";
import type { DaemonRecord } from "../../../src/sync/daemon/record.ts";
import { type DaemonFacts, daemonFinding } from "../../../src/sync/doctor/automation.ts";

const NOW = Date.UTC(2026, 0, 2);
const before = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();
const RECORD: DaemonRecord = {
  pid: 1,
  mode: "daemon",
  startedAt: before(7200),
  interval: 300,
  pushOnly: false,
  last: { at: before(60), work: "sync", outcome: "done" },
};

const CASES: readonly [name: string, facts: Partial<DaemonFacts>, level: string, what: RegExp][] = [
  ["nobody asked for one", {}, "ok", /^none: /],
  [
    "it runs, and nothing starts it",
    { isRunning: true, record: RECORD },
    "ok",
    /until this computer/,
  ],
  [
    "systemd runs it",
    { isRunning: true, record: RECORD, installed: ["systemd"] },
    "ok",
    /^running by systemd$/,
  ],
  ["cron starts it when it is time", { installed: ["cron"] }, "ok", /^started by cron$/],
  [
    "launchd is to run it, and it does not",
    { installed: ["launchd"], record: { ...RECORD, endedAt: before(30) } },
    "warning",
    /^launchd is to run it, and it is not running$/,
  ],
  [
    "it ended without being told to",
    { record: { ...RECORD, last: { at: before(700), work: "sync", outcome: "done" } } },
    "warning",
    /has ended without being told to/,
  ],
  [
    "it fails for longer than two intervals",
    {
      isRunning: true,
      installed: ["systemd"],
      record: { ...RECORD, failing: { since: before(601), why: "the hub is gone" } },
    },
    "warning",
    /: the hub is gone$/,
  ],
];

for (const [name, facts, level, what] of CASES) {
  Deno.test(`the daemon, examined: ${name}`, () => {
    const found = daemonFinding({
      installed: [],
      isRunning: false,
      record: undefined,
      now: NOW,
      ...facts,
    });
    assert.equal(found.level, level);
    assert.match(found.what, what);
    assert.equal(found.mend === undefined, level === "ok");
  });
}
