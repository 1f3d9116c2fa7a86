import assert from "node:assert/strict";
import type { SessionId } from "../../src/brands.ts";
import { underParents } from "../../src/sync/listing.ts";

/** Orders sessions that are written as `id` or `id<parent`. */
function ordered(sessions: string): string {
  const listed = sessions.split(" ").map((session) => {
    const [id = "", forkOf = ""] = session.split("<");
    return { id: id as SessionId, forkOf };
  });
  return underParents(listed).map(({ id }) => id).join(" ");
}

Deno.test("underParents() puts forks behind their parents, whatever the hub claims", () => {
  const cases: readonly [sessions: string, expected: string][] = [
    ["a b c", "a b c"],
    ["f<b a b", "a b f"],
    ["f<b a b g<b h<f", "a b f h g"],
    ["a f<gone b", "a f b"],
    // Forks of each other, and of themselves.
    ["a x<y y<x b", "a b x y"],
    ["x<x a", "a x"],
  ];
  for (const [sessions, expected] of cases) assert.equal(ordered(sessions), expected, sessions);
});

Deno.test("underParents() withstands a long line of forks", () => {
  const ids = Array.from({ length: 50_000 }, (_, i) => `${i + 1}<${i}`).join(" ");
  assert.equal(ordered(`${ids} 0`).split(" ").length, 50_001);
});
