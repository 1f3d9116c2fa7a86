import assert from "node:assert/strict";
import type { Lock } from "../../src/hub/locks.ts";
import type { ProcessTable } from "../../src/machine/processes.ts";
import { type LockStanding, standingOf } from "../../src/sync/locks.ts";

const BEAT = Date.parse("2026-11-22T10:02:00.000Z");
const SECOND = 1000;

const LOCK: Lock = {
  session: "11111111-1111-4111-8111-111111111111",
  machine: "laptop",
  host: "h",
  pid: 42,
  token: "t",
  acquiredAt: "2026-11-22T10:00:00.000Z",
  heartbeatAt: new Date(BEAT).toISOString(),
  ttl: 600,
};

Deno.test("standingOf() tells held, expired and left-behind locks", () => {
  const alive: ProcessTable = new Map([[42, BEAT - 3600 * SECOND]]);
  const reused: ProcessTable = new Map([[42, BEAT + 60 * SECOND]]);
  const cases: readonly [string, ProcessTable, ageSeconds: number, LockStanding][] = [
    ["elsewhere, just renewed", "unknown", 0, "held"],
    ["elsewhere, at its TTL", "unknown", 600, "held"],
    ["elsewhere, within the margin", "unknown", 720, "held"],
    ["elsewhere, past the margin", "unknown", 721, "expired"],
    ["elsewhere, its clock an hour ahead", "unknown", -3600, "held"],
    ["here, at work", alive, 0, "held"],
    ["here, stopped for long", alive, 36_000, "held"],
    ["here, its process has ended", new Map(), 0, "left"],
    ["here, its process's number is another's", reused, 60, "left"],
  ];
  for (const [what, running, age, standing] of cases) {
    assert.equal(standingOf(LOCK, running, BEAT + age * SECOND), standing, what);
  }
});
