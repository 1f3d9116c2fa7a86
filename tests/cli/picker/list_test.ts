import assert from "node:assert/strict";
import fc from "fast-check";
import { type List, type Move, moved, searchIn, windowed } from "../../../src/cli/picker/list.ts";
import { madeSessions, session } from "./sessions.ts";

Deno.test("searchIn() finds sessions that have all words, in whatever case and field", () => {
  const sessions = [
    session({ place: 1, title: "Fix LOGIN", project: "~/web", machine: "desk", branch: "main" }),
    session({
      place: 2,
      title: "Übung",
      project: "~/cafe\u0301",
      machine: "laptop",
      branch: "dev",
    }),
    session({
      place: 0xabc,
      title: "会話",
      machine: "win",
      firstPrompt: "Why does login fail (?)",
      lastAnswer: "x9",
    }),
  ];
  const search = searchIn(sessions);
  const cases: readonly [filter: string, places: number[]][] = [
    ["", [1, 2, 0xabc]],
    ["   ", [1, 2, 0xabc]],
    ["login", [1, 0xabc]],
    ["  LOGIN   fix ", [1]],
    ["login desk", [1]],
    ["login laptop", []],
    ["web", [1]],
    ["DEV", [2]],
    ["übung", [2]],
    ["U\u0308BUNG", [2]],
    ["café", [2]],
    ["会", [0xabc]],
    ["(?)", [0xabc]],
    ["00000abc", [0xabc]],
    ["000", [1, 2, 0xabc]],
    // Only the beginning of an id, and no more than what was said.
    ["8000-", []],
    ["x9", []],
  ];
  for (const [filter, places] of cases) {
    const ids = places.map((place) => session({ place }).id);
    assert.deepEqual(search(filter).map(({ id }) => id), ids, JSON.stringify(filter));
  }
});

/** Returns a list of so many matches. */
function listOf(count: number, active: number, top: number): List {
  return { filter: "", matches: madeSessions(count), active, top };
}

Deno.test("moved() goes by lines and pages, and not past the ends", () => {
  const cases: readonly [from: [number, number, number], move: Move, to: [number, number]][] = [
    [[30, 0, 0], "up", [0, 0]],
    [[30, 0, 0], "down", [1, 0]],
    [[30, 9, 0], "down", [10, 1]],
    [[30, 10, 10], "up", [9, 9]],
    [[30, 5, 0], "pagedown", [15, 6]],
    [[30, 25, 20], "pagedown", [29, 20]],
    [[30, 15, 12], "pageup", [5, 5]],
    [[30, 3, 0], "pageup", [0, 0]],
    [[30, 3, 0], "end", [29, 20]],
    [[30, 29, 20], "home", [0, 0]],
    [[3, 2, 0], "down", [2, 0]],
    [[0, 0, 0], "down", [0, 0]],
    [[0, 0, 0], "end", [0, 0]],
  ];
  for (const [[count, active, top], move, to] of cases) {
    const list = moved(listOf(count, active, top), move, 10);
    assert.deepEqual([list.active, list.top], to, `${move} from ${active} of ${count}`);
  }
});

Deno.test("windowed() has the chosen one in its window, and no empty rows that could be filled", () => {
  const numbers = fc.tuple(fc.nat(40), fc.nat(40), fc.nat(40), fc.integer({ min: 1, max: 30 }));
  fc.assert(
    fc.property(numbers, ([count, anyActive, anyTop, rows]) => {
      const before = listOf(count, Math.min(anyActive, Math.max(0, count - 1)), anyTop);
      const { active, top } = windowed(before, rows);
      assert.equal(active, before.active);
      assert.ok(top >= 0 && top <= active && active < top + rows);
      assert.ok(count === 0 || top + rows <= Math.max(rows, count));
    }),
    { seed: 21 },
  );
});
