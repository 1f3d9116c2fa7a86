import assert from "node:assert/strict";
import fc from "fast-check";
import width from "fast-string-width";
import {
  beginning,
  type Column,
  fit,
  formatAge,
  formatRow,
  formatSize,
  formatTable,
  layOut,
  wrap,
} from "../../src/cli/table.ts";

/** Texts of every width, and of more code units than columns. */
const SAMPLES = [
  "plain",
  "会話の続き",
  "한국어",
  "👩‍👩‍👧‍👦 family",
  "🇯🇵🇩🇪",
  "👍🏽 thumbs",
  "e\u0301e\u0301 combining",
  "นี่คือ",
  "हिन्दी",
  "a\u0300\u0301\u0302\u0303",
  "ｆｕｌｌ",
  "1️⃣2️⃣",
  "",
  " ",
  "…",
];

const text = fc.oneof(
  fc.constantFrom(...SAMPLES),
  fc.array(fc.constantFrom(...SAMPLES), { maxLength: 8 }).map((parts) => parts.join("")),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 40 }),
);

/** As `ccsync list` has them. */
const LIST: readonly Column[] = [
  { title: "ID" },
  { title: "TITLE", shrinksTo: 5 },
  { title: "PROJECT", shrinksTo: 10, dropOrder: 3, cut: "start" },
  { title: "SIZE", align: "right", dropOrder: 4 },
];

Deno.test("formatTable() aligns columns whatever the script", () => {
  const columns: readonly Column[] = [{ title: "TITLE" }, { title: "SIZE", align: "right" }];
  const rows = SAMPLES.map((sample, i) => [sample, `${i} KB`]);
  const lines = formatTable(columns, rows, 200);
  assert.equal(new Set(lines.map((line) => width(line))).size, 1, lines.join("\n"));
});

Deno.test("formatTable() shows titles and rows, cut where there is no room", () => {
  const rows = [["1", "short", "/p/a", "7 B"], [
    "2",
    "会話の続きです",
    "/home/u/projects/app",
    "74 KB",
  ]];
  const cases: readonly [available: number, lines: string[]][] = [
    [80, [
      "ID  TITLE           PROJECT                SIZE",
      "1   short           /p/a                    7 B",
      "2   会話の続きです  /home/u/projects/app  74 KB",
    ]],
    [40, [
      "ID  TITLE          PROJECT          SIZE",
      "1   short          /p/a              7 B",
      "2   会話の続きで…  …/projects/app  74 KB",
    ]],
    [24, [
      "ID  TITLE     PROJECT",
      "1   short     /p/a",
      "2   会話の…   …jects/app",
    ]],
    [12, ["ID  TITLE", "1   short", "2   会話の…"]],
    [1, ["ID  TITLE", "1   short", "2   会話…"]],
  ];
  for (const [available, lines] of cases) {
    assert.deepEqual(formatTable(LIST, rows, available), lines, String(available));
  }
});

Deno.test("formatTable() fits any terminal", () => {
  const row = fc.tuple(
    fc.constantFrom("12345678", "1"),
    text,
    text,
    fc.constantFrom("1 B", "74 KB"),
  );
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 6 }),
      fc.integer({ min: 20, max: 200 }),
      (rows, available) => {
        const lines = formatTable(LIST, rows, available);
        assert.equal(lines.length, rows.length + 1);
        for (const line of lines) {
          assert.ok(
            width(line) <= available,
            `${width(line)} > ${available}: ${JSON.stringify(line)}`,
          );
          assert.doesNotMatch(line, /\n| $/);
        }
      },
    ),
    { seed: 12, numRuns: 500 },
  );
});

Deno.test("formatTable() keeps columns that cannot shrink, however narrow the terminal", () => {
  const lines = formatTable([{ title: "A" }, { title: "B" }], [["long enough", "x"]], 5);
  assert.deepEqual(lines, ["A            B", "long enough  x"]);
});

Deno.test("formatTable() shows an empty table, and rows that are too short", () => {
  assert.deepEqual(formatTable(LIST, [], 80), ["ID  TITLE  PROJECT  SIZE"]);
  assert.deepEqual(formatTable(LIST, [["1"]], 80)[1], "1");
  assert.deepEqual(formatTable([], [["1"]], 80), ["", ""]);
});

Deno.test("formatTable() lets no cell leave its line or steer the terminal", () => {
  const [, line = ""] = formatTable([{ title: "A" }], [["one\ntwo\u001b[2J\u202e"]], 80);
  assert.equal(line, "one two\ufffd[2J");
});

Deno.test("fit() fills exactly the columns it has", () => {
  const side = fc.constantFrom("left" as const, "right" as const);
  const cut = fc.constantFrom("start" as const, "end" as const);
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 30 }), side, cut, (value, columns, align, end) => {
      assert.equal(width(fit(value, columns, align, false, end)), columns);
      assert.ok(width(fit(value, columns, align, true, end)) <= columns);
    }),
    { seed: 13, numRuns: 500 },
  );
});

Deno.test("fit() cuts between what a reader sees as characters", () => {
  const cases: readonly [text: string, columns: number, end: "start" | "end", fitted: string][] = [
    ["abcdef", 4, "end", "abc…"],
    ["abcdef", 4, "start", "…def"],
    ["abcdef", 6, "end", "abcdef"],
    ["abcdef", 1, "end", "…"],
    ["abcdef", 0, "end", ""],
    ["会話の続き", 5, "end", "会話…"],
    ["会話の続き", 6, "end", "会話… "],
    ["会話の続き", 6, "start", "…続き "],
    ["👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 5, "end", "👩‍👩‍👧‍👦👩‍👩‍👧‍👦…"],
    ["e\u0301e\u0301e\u0301", 2, "end", "e\u0301…"],
    ["e\u0301e\u0301e\u0301", 2, "start", "…e\u0301"],
  ];
  for (const [value, columns, end, fitted] of cases) {
    assert.equal(fit(value, columns, "left", false, end), fitted, value);
  }
});

Deno.test("formatRow() has the columns of its layout, also for rows that were not looked at", () => {
  const layout = layOut(LIST, [["1", "short", "/p/a", "7 B"]], 80);
  assert.equal(
    formatRow(layout, ["1", "much longer", "/home/a", "74 KB"]),
    "1   much…  /home/a  74 …",
  );
  assert.equal(formatRow(layout, ["2", "会話の続き", "", "1 B"]), "2   会話…            1 B");
});

Deno.test("wrap() breaks at spaces, and inside what has none", () => {
  const cases: readonly [text: string, columns: number, most: number, lines: string[]][] = [
    ["", 10, 3, []],
    ["  ", 10, 3, []],
    ["short", 10, 3, ["short"]],
    ["one two three four", 9, 3, ["one two", "three", "four"]],
    ["one two three four", 9, 2, ["one two", "three fo…"]],
    ["one two three four", 9, 1, ["one two …"]],
    ["one two three four", 9, 0, []],
    ["abcdefghij", 4, 3, ["abcd", "efgh", "ij"]],
    ["会話の続きです", 5, 3, ["会話", "の続", "きで…"]],
    ["会話", 1, 3, ["会", "話"]],
    ["one two", 3, 3, ["one", "two"]],
  ];
  for (const [text, columns, most, lines] of cases) {
    assert.deepEqual(wrap(text, columns, most), lines, `${text} ${columns} ${most}`);
  }
});

Deno.test("wrap() loses nothing but spaces where there is room, and ends whatever the text", () => {
  fc.assert(
    fc.property(
      text,
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 1, max: 5 }),
      (value, columns, most) => {
        assert.ok(wrap(value, columns, most).length <= most);
        const all = wrap(value, columns, Infinity).join("");
        assert.equal(all.replace(/\s/g, ""), value.replace(/\s/g, ""));
      },
    ),
    { seed: 15, numRuns: 500 },
  );
});

Deno.test("beginning() is as much as fits", () => {
  const cases: readonly [text: string, columns: number, fitting: string][] = [
    ["abc", 3, "abc"],
    ["abcd", 3, "abc"],
    ["会話", 3, "会"],
    ["e\u0301e\u0301", 1, "e\u0301"],
    ["会", 1, ""],
    ["abc", -1, ""],
  ];
  for (const [value, columns, fitting] of cases) {
    assert.equal(beginning(value, columns), fitting, value);
  }
});

Deno.test("formatSize() has three digits at most", () => {
  const cases: readonly [bytes: number, shown: string][] = [
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1000, "1.0 KB"],
    [1949, "1.9 KB"],
    [9949, "9.9 KB"],
    [9950, "10 KB"],
    [74_000, "74 KB"],
    [999_499, "999 KB"],
    [999_500, "1.0 MB"],
    [999_999, "1.0 MB"],
    [1_200_000_000, "1.2 GB"],
    [5e12, "5.0 TB"],
    [5e16, "50000 TB"],
  ];
  for (const [bytes, shown] of cases) assert.equal(formatSize(bytes), shown, String(bytes));
});

Deno.test("formatAge() counts minutes, hours and days, then names the date", () => {
  const now = Date.UTC(2026, 10, 22, 12);
  const ago = (ms: number) => new Date(now - ms).toISOString();
  const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];
  const cases: readonly [iso: string, shown: string][] = [
    [ago(0), "just now"],
    [ago(minute - second), "just now"],
    [ago(-hour), "just now"],
    [ago(minute), "1 min ago"],
    [ago(hour - second), "59 min ago"],
    [ago(hour), "1 h ago"],
    [ago(day - second), "23 h ago"],
    [ago(day), "1 d ago"],
    [ago(90 * day - second), "89 d ago"],
    [ago(90 * day), "2026-08-24"],
    ["2020-02-29T23:00:00.000Z", "2020-02-29"],
    ["", "unknown"],
    ["yesterday", "unknown"],
  ];
  for (const [iso, shown] of cases) assert.equal(formatAge(iso, now), shown, iso);
});
