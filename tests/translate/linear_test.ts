/**
 * Texts on which a search that looks back or ahead too often would not end before anybody gives up. Nothing
 * is timed: each takes a moment.
 *
 * @module
 */
import assert from "node:assert/strict";
import { byteText, utf8 } from "../../src/translate/bytes.ts";
import { toLocal } from "../../src/translate/to_local.ts";
import { toPortable } from "../../src/translate/to_portable.ts";
import { isSame, LINUX, profile, translator } from "./support.ts";

/** A drive alone has the shortest spellings, so the most places to look at. */
const WINDOWS = profile("windows", { HOME: "C:\\Users\\alice", PROJECTS: "P:", SHARE: "\\\\a\\b" });

const PIECES: Readonly<Record<string, string>> = {
  "quotes": '"',
  "escaped quotes": '\\"',
  "apostrophes": "'",
  "opening braces": "{{",
  "tokens": "{{A}}",
  "tildes": "{{~",
  "a name without an end": "{{AAAAAAAA",
  "a form without an end": "{{A:aaaa",
  "backslashes": "\\",
  "separators": "/",
  "spaces": " ",
  "dots": ".",
  "line ends": "\n",
  "escaped line ends": "\\n",
  "letters": "a",
  "letters outside ASCII": "é",
  "digits of a colour": "1;",
  "roots": " /home/alice",
  "roots in quotes": '\\"/home/alice x',
  "roots behind apostrophes": "'/home/alice x ",
  "roots behind backticks": "`/home/alice x ",
  "roots of mixed quotes": "'/home/alice `/home/alice \\\"/home/alice ",
  "roots glued by signs": "=/home/alice=",
  "roots in elements": '"/home/alice x","',
  "roots in data": '"data":"/home/alice ","',
  "roots in signatures": '"signature":"/home/alice ","',
  "roots that go on": "/home/alice",
  "roots with dots": " /home/alice.......",
  "names of directories": "/-home-alice",
  "Windows roots": " C:\\\\Users\\\\alice",
  "Windows roots that are paths": "C:\\\\Users\\\\alice\\\\",
  "Windows roots in quotes": "'C:\\\\Users\\\\alice",
  "mixed separators": " C:/Users/alice\\\\/",
  "drives": " P:\\\\",
  "drives in quotes": '\\"P:\\\\',
  "shares": " \\\\\\\\a\\\\b\\\\",
  "addresses": " u@h:/home/alice",
  "nested JSON": '{\\"a\\":\\"/home/alice\\"},',
};

const SIZE = 200_000;
const RUN = 50_000;
const HEADS = [
  "",
  '{"thinking":"',
  '{"data":"',
  '{"a":"{\\"',
  '{"cwd":"/home/alice/',
  `{"a":"[${" ".repeat(RUN)}\\"`,
  `{"a"${" ".repeat(RUN)}:"${"\\".repeat(RUN)}"`,
];

for (const [what, piece] of Object.entries(PIECES)) {
  Deno.test(`a long line of ${what} is translated in linear time`, () => {
    for (const machine of [LINUX, WINDOWS]) {
      for (const codec of ["jsonl", "text"] as const) {
        for (const head of HEADS) {
          const bytes = utf8(`${head}${piece.repeat(SIZE / piece.length)}/home/alice"}`);
          const own = translator(machine, codec);
          assert.ok(isSame(toLocal(own, toPortable(own, bytes)), bytes));
        }
      }
    }
  });
}

Deno.test("a line of 40 MB with everything in it is translated", () => {
  const all = Object.values(PIECES).join("").replaceAll("\n", "");
  const bytes = utf8(`{"text":"${all.repeat(40_000_000 / all.length)}"}`);
  const own = translator(LINUX, "jsonl");
  const portable = toPortable(own, bytes);
  assert.ok(byteText(portable).includes("{{HOME}}"));
  assert.ok(isSame(toLocal(own, portable), bytes));
});

Deno.test("a token as long as the text is no trouble", () => {
  for (
    const token of [
      `{{${"A".repeat(4e6)}}}`,
      `{{HOME:${"b".repeat(4e6)}}}`,
      `{{HOME:.${"b".repeat(4e6)}}}`,
      `{{HOME:dir.${"b".repeat(4e6)}}}`,
    ]
  ) {
    const own = translator(WINDOWS, "jsonl");
    const bytes = utf8(`{"text":"${token}"}`);
    assert.ok(isSame(toLocal(own, toPortable(own, bytes)), bytes));
    toLocal(own, bytes);
  }
});
