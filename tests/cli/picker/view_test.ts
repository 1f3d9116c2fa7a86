import assert from "node:assert/strict";
import fc from "fast-check";
import width from "fast-string-width";
import pc from "picocolors";
import { fittingFilter, frameOf, layoutFor, shapeOf } from "../../../src/cli/picker/view.ts";
import type { List } from "../../../src/cli/picker/list.ts";
import type { PickerSession } from "../../../src/cli/picker/session.ts";
import { madeSessions, NOW, session, VARIED } from "./sessions.ts";

const PLAIN = pc.createColors(false);

/** Returns the lines of a frame of these sessions; the filter's line is missing. */
function frame(
  sessions: readonly PickerSession[],
  columns: number,
  lines: number,
  at: Partial<List> = {},
): string[] {
  const list = { filter: "", matches: sessions, active: 0, top: 0, ...at };
  const layout = layoutFor(sessions, columns, NOW);
  const scene = { columns, shape: shapeOf(lines), layout, colors: PLAIN, now: NOW };
  const { above, below } = frameOf({ ...scene, list, total: sessions.length });
  return [...above, ...below];
}

Deno.test("frameOf() shows what matters most at any width", () => {
  const sessions = VARIED.slice(0, 2);
  const cases: readonly [columns: number, lines: string[]][] = [
    [90, [
      "  TITLE                         PROJECT         EDITED ON  WHEN          SIZE  STATE",
      "❯ Fix the flaky login test      ~/projects/app  laptop     just now    1.0 KB  open here",
      "  支払い処理のリファクタリング  ~/仕事/決済     macbook    1 h ago     8.9 KB",
    ]],
    [60, [
      "  TITLE                 PROJECT       WHEN        STATE",
      "❯ Fix the flaky login…  …rojects/app  just now    open here",
      "  支払い処理のリファ…   ~/仕事/決済   1 h ago",
    ]],
    [40, [
      "  TITLE           WHEN        STATE",
      "❯ Fix the flaky…  just now    open here",
      "  支払い処理の…   1 h ago",
    ]],
    [26, [
      "  TITLE         STATE",
      "❯ Fix the fla…  open here",
      "  支払い処理…",
    ]],
    [16, ["  TITLE", "❯ Fix the flak…", "  支払い処理の…"]],
  ];
  for (const [columns, lines] of cases) {
    assert.deepEqual(frame(sessions, columns, 24).slice(1, 4), lines, String(columns));
  }
});

Deno.test("frameOf() has a preview, titles and keys as far as there is room", () => {
  const [first] = VARIED;
  assert.ok(first !== undefined);
  const keys = "enter resume · ↑↓ move · type to filter · ctrl-c leave";
  const title = /^ {2}TITLE/;
  const row = /^❯ Fix/;
  const empty = /^$/;
  const cases: readonly [lines: number, frame: RegExp[]][] = [
    [5, [/^Which session\? {2}1 of 1$/, row, empty]],
    [7, [/^Which/, row, empty, empty, new RegExp(keys)]],
    [8, [/^Which/, title, row, empty, empty, /^enter/]],
    [14, [
      ...[/^Which/, title, row, empty, empty, empty, empty, empty],
      ...[/^00000000 on fix\/login$/, /^You: {4}Now .*…$/, /^Claude: All .*…$/, /^enter/],
    ]],
    [20, [
      ...[/^Which/, title, row, ...Array<RegExp>(8).fill(empty), empty],
      ...[/^00000000 on/, /^You: {4}Now .*[^…]$/, /^ {8}\S/, /^Claude: All/, /^ {8}.*…$/, /^enter/],
    ]],
  ];
  for (const [lines, patterns] of cases) {
    const shown = frame([first], 70, lines);
    assert.equal(shown.length, patterns.length, `${lines}:\n${shown.join("\n")}`);
    shown.forEach((line, i) => assert.match(line, patterns[i] ?? assert.fail(), `${lines}, ${i}`));
  }
});

Deno.test("frameOf() fits any terminal, whatever the sessions say", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 80 }),
    fc.constantFrom(
      "会話の続き".repeat(20),
      "👩‍👩‍👧‍👦".repeat(9),
      "e\u0301".repeat(60),
      "\u001b[2J\n\u202e",
    ),
  );
  const sessions = fc.array(
    fc.record({
      title: text,
      project: text,
      machine: text,
      branch: text,
      lastPrompt: text,
      lastAnswer: text,
      badges: fc.array(text, { maxLength: 2 }),
      isFork: fc.boolean(),
    })
      .map((given) => session({ place: 1, ...given })),
    { maxLength: 4 },
  );
  const size = fc.integer({ min: 1, max: 130 });
  fc.assert(
    fc.property(sessions, size, fc.integer({ min: 4, max: 50 }), (sessions, columns, lines) => {
      const shown = frame(sessions, columns, lines);
      // The filter's line, and one that stays free.
      assert.ok(shown.length <= lines - 2, `${shown.length} of ${lines}`);
      for (const line of shown) {
        assert.ok(width(line) <= Math.max(1, columns - 1), `${columns}: ${JSON.stringify(line)}`);
        assert.doesNotMatch(line, /\p{Cc}|\p{Bidi_Control}/u);
      }
    }),
    { seed: 22, numRuns: 300 },
  );
});

Deno.test("frameOf() shows the window, and points at the chosen one", () => {
  const shown = frame(madeSessions(5000), 90, 10, { active: 4003, top: 4001 });
  assert.equal(shown[0], "Which session?  5,000 of 5,000");
  assert.deepEqual(shown.slice(2, 7).map((line) => line.slice(0, 14)), [
    "  Session 4001",
    "  Session 4002",
    "❯ Session 4003",
    "  Session 4004",
    "  Session 4005",
  ]);
  const none = frame(madeSessions(3), 90, 24, { matches: [] });
  assert.equal(none[0], "Which session?  0 of 3");
  assert.equal(none[2], "  no session has all these words");
});

Deno.test("frameOf() marks forks, and what has no title", () => {
  const shown = frame(
    [session({ place: 1 }), session({ place: 2, isFork: true, title: "" })],
    90,
    24,
  );
  assert.match(shown[2] ?? "", /^❯ Session 1 /);
  assert.match(shown[3] ?? "", /^ {2}└ \(no title\) /);
});

Deno.test("fittingFilter() keeps what its line has room for", () => {
  const cases: readonly [filter: string, columns: number, fitting: string][] = [
    ["", 20, ""],
    ["two words ", 20, "two words "],
    ["a".repeat(30), 20, "a".repeat(17)],
    ["会".repeat(30), 20, "会".repeat(8)],
    ["a\tb\u0007", 20, "a b\ufffd"],
    ["abc", 1, ""],
  ];
  for (const [filter, columns, fitting] of cases) {
    assert.equal(fittingFilter(filter, columns), fitting, filter);
  }
});
