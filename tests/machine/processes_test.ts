import assert from "node:assert/strict";
import {
  isSameProcess,
  parsePs,
  parseTasklist,
  type ProcessTable,
  runningProcesses,
} from "../../src/machine/processes.ts";

const NOW = Date.UTC(2026, 0, 10);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

Deno.test("parsePs() reads how long each process has been running", () => {
  const cases: readonly [line: string, pid: number, ageMs: number][] = [
    ["    1       00:00", 1, 0],
    ["  123       00:07", 123, 7 * SECOND],
    ["  123       59:59", 123, 59 * MINUTE + 59 * SECOND],
    ["  123    01:02:03", 123, HOUR + 2 * MINUTE + 3 * SECOND],
    ["  123    23:59:59", 123, DAY - SECOND],
    ["  123 1-00:00:00", 123, DAY],
    ["99999 400-05:06:07", 99999, 400 * DAY + 5 * HOUR + 6 * MINUTE + 7 * SECOND],
    // As macOS pads it.
    ["12345    01:02", 12345, MINUTE + 2 * SECOND],
    ["123 00:07  \r", 123, 7 * SECOND],
  ];
  for (const [line, pid, ageMs] of cases) {
    assert.deepEqual(parsePs(line, NOW), new Map([[pid, NOW - ageMs]]), line);
  }
});

Deno.test("parsePs() passes over what is no process", () => {
  for (
    const line of ["", "  PID ELAPSED", "123", "123 -", "abc 00:01", "123 1:2:3:4", "ps: error"]
  ) {
    assert.equal(parsePs(line, NOW).size, 0, line);
  }
  assert.deepEqual([...parsePs("  PID\n 1 00:01\n\n 2 00:02\n", NOW).keys()], [1, 2]);
});

Deno.test("runningProcesses() finds this process, started before now", async () => {
  const now = Date.now();
  const running = await runningProcesses([Deno.pid], now);
  assert.ok(running !== "unknown");
  const startedAt = running.get(Deno.pid);
  assert.ok(startedAt !== undefined && startedAt <= now);
});

Deno.test("runningProcesses() does not find a process that ended", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["--version"],
    stdout: "null",
  }).spawn();
  await child.status;
  const running = await runningProcesses([child.pid], Date.now());
  assert.ok(running !== "unknown");
  assert.equal(running.has(child.pid), false);
});

Deno.test("isSameProcess() tells the process that left a trace from one that got its number later", () => {
  const at = 1_000_000;
  const cases: readonly [what: string, running: ProcessTable, is: boolean | undefined][] = [
    ["nobody can tell", "unknown", undefined],
    ["no process", new Map(), false],
    ["another process", new Map([[8, 0]]), false],
    ["started long before", new Map([[7, 0]]), true],
    ["started at that moment", new Map([[7, at]]), true],
    ["clocks differ by a little", new Map([[7, at + 5_000]]), true],
    ["started later", new Map([[7, at + 5_001]]), false],
  ];
  for (const [what, running, is] of cases) {
    assert.equal(isSameProcess({ pid: 7, at }, running), is, what);
  }
});

Deno.test("parseTasklist() reads the ids of Windows' list, and none out of anything else", () => {
  const output = '"System","4","Services","0","24 K"\r\n"a b.exe","1234","Console","1","9 K"\r\n';
  assert.deepEqual(parseTasklist(output), new Set([4, 1234]));
  assert.deepEqual(parseTasklist("INFO: No tasks are running\r\n"), new Set());
  assert.deepEqual(parseTasklist(""), new Set());
});
