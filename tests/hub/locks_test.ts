import assert from "node:assert/strict";
import type { SessionId } from "../../src/brands.ts";
import { type Lock, parseLock } from "../../src/hub/locks.ts";

const ID = "11111111-1111-4111-8111-111111111111" as SessionId;

const LOCK: Lock = {
  session: ID,
  machine: "laptop",
  host: "laptop.local",
  pid: 42,
  token: "0123456789abcdef",
  acquiredAt: "2026-11-22T10:00:00.000Z",
  heartbeatAt: "2026-11-22T10:02:00.000Z",
  ttl: 600,
};

Deno.test("parseLock() reads a lock, and keeps what it does not know", () => {
  assert.deepEqual(parseLock(ID, JSON.stringify(LOCK)), LOCK);
  const newer = { ...LOCK, mood: "good" };
  assert.deepEqual(parseLock(ID, JSON.stringify(newer) + "\n"), newer);
});

Deno.test("parseLock() refuses what is no lock of that session", () => {
  const cases: readonly [what: string, json: string][] = [
    ["nothing", ""],
    ["no JSON", "{"],
    ["no object", "1"],
    ["another session", JSON.stringify({ ...LOCK, session: ID.replaceAll("1", "2") })],
    ["a machine with a path", JSON.stringify({ ...LOCK, machine: "../x" })],
    ["no process", JSON.stringify({ ...LOCK, pid: 0 })],
    ["a time that is none", JSON.stringify({ ...LOCK, heartbeatAt: "soon" })],
    ["for ever", JSON.stringify({ ...LOCK, ttl: 1e12 })],
    ["a token that is a book", JSON.stringify({ ...LOCK, token: "x".repeat(1000) })],
  ];
  for (const [what, json] of cases) assert.equal(parseLock(ID, json), undefined, what);
});
