import assert from "node:assert/strict";
import type { SessionId } from "../../src/brands.ts";
import { CcsyncError } from "../../src/errors.ts";
import type { ListedSession } from "../../src/sync/listed.ts";
import { latestOf, sessionOf, sessionsFrom } from "../../src/sync/selection.ts";
import { NO_SUMMARY } from "../../src/transcript/summary.ts";

function session(id: string, fields: Partial<ListedSession> = {}): ListedSession {
  return {
    ...NO_SUMMARY,
    id: id as SessionId,
    project: "/p",
    machine: "laptop",
    createdBy: "laptop",
    size: 0,
    isHere: true,
    isInHub: true,
    isLive: false,
    isUnpushed: false,
    isUnpulled: false,
    lock: null,
    files: 0,
    filesSize: 0,
    ...fields,
  };
}

const SESSIONS = [
  session("11112222", { title: "One", updatedAt: "2026-01-01" }),
  session("1111aaaa", { title: "Two", updatedAt: "2026-03-01", machine: "desk" }),
  session("ffff0000", { title: "Three", updatedAt: "2026-02-01" }),
];

function refused(work: () => unknown): CcsyncError {
  try {
    work();
  } catch (error) {
    if (error instanceof CcsyncError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: "it was not refused" });
}

Deno.test("sessionOf() takes any beginning that is one session's, in either case", () => {
  assert.equal(sessionOf(SESSIONS, "f").title, "Three");
  assert.equal(sessionOf(SESSIONS, "1111A").title, "Two");
});

Deno.test("sessionOf() names candidates where it is none or several", () => {
  const several = refused(() => sessionOf(SESSIONS, "1111"));
  assert.equal(several.kind, "usage");
  assert.match(several.hints.join("\n"), /11112222 {2}One[^]*1111aaaa {2}Two/);
  assert.ok(!several.hints.join().includes("Three"));
  assert.match(refused(() => sessionOf(SESSIONS, "2")).hints.join("\n"), /One[^]*Three/);
  const many = Array.from({ length: 30 }, (_, i) => session(`a${i}`));
  assert.match(refused(() => sessionOf(many, "a")).hints.join("\n"), /and 20 more/);
});

Deno.test("latestOf() goes by the last event", () => {
  assert.equal(latestOf(SESSIONS).title, "Two");
  assert.equal(refused(() => latestOf([])).kind, "usage");
});

Deno.test("sessionsFrom() takes what a machine began or edited last, and names the machines there are", () => {
  assert.deepEqual(sessionsFrom(SESSIONS, "desk").map(({ title }) => title), ["Two"]);
  assert.equal(sessionsFrom(SESSIONS, "laptop").length, 3);
  assert.match(refused(() => sessionsFrom(SESSIONS, "x")).hints.join(), /desk, laptop/);
});
