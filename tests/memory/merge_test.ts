import assert from "node:assert/strict";
import fc from "fast-check";
import { isMergeable, LARGEST_MERGE, mergeFiles, mergeTexts } from "../../src/memory/merge.ts";
import { byteText, utf8 } from "../../src/translate/bytes.ts";
import { latin1 } from "./support.ts";

function merge(base: string, local: string, hub: string): string {
  return byteText(mergeTexts(latin1(base), latin1(local), latin1(hub)));
}

interface Case {
  readonly what: string;
  readonly base: string;
  readonly local: string;
  readonly hub: string;
  readonly merged: string;
}

const CASES: readonly Case[] = [
  {
    what: "nothing changed here",
    base: "a\nb\n",
    local: "a\nb\n",
    hub: "a\nB\n",
    merged: "a\nB\n",
  },
  {
    what: "nothing changed there",
    base: "a\nb\n",
    local: "a\nB\r\n",
    hub: "a\nb\n",
    merged: "a\nB\r\n",
  },
  { what: "both did the same", base: "a\n", local: "b\n", hub: "b\n", merged: "b\n" },
  {
    what: "different lines",
    base: "a\nb\nc\nd\n",
    local: "A\nb\nc\nd\n",
    hub: "a\nb\nc\nD\n",
    merged: "A\nb\nc\nD\n",
  },
  {
    what: "neighbouring lines stay in order",
    base: "a\nb\nc\nd\n",
    local: "A\nb\nC\nd\n",
    hub: "a\nB\nc\nD\n",
    merged: "A\nB\nC\nD\n",
  },
  {
    what: "the same line: the hub's first",
    base: "a\nb\nc\n",
    local: "a\nlocal\nc\n",
    hub: "a\nhub\nc\n",
    merged: "a\nhub\nlocal\nc\n",
  },
  {
    what: "both add at the end, one line in common",
    base: "- a\n",
    local: "- a\n- both\n- local\n",
    hub: "- a\n- both\n- hub\n",
    merged: "- a\n- both\n- hub\n- local\n",
  },
  {
    what: "blocks are not mixed for the sake of a blank line",
    base: "# Notes\n",
    local: "# Notes\n\n## Local\n\nfoo\n",
    hub: "# Notes\n\n## Hub\n\nbar\n",
    merged: "# Notes\n\n## Hub\n\nbar\n\n## Local\n\nfoo\n",
  },
  {
    what: "a deletion and an edit elsewhere",
    base: "a\nb\nc\n",
    local: "a\nc\n",
    hub: "a\nb\nC\n",
    merged: "a\nC\n",
  },
  {
    what: "an edit beats the deletion of the same line",
    base: "a\nb\nc\n",
    local: "a\nc\n",
    hub: "a\nB\nc\n",
    merged: "a\nB\nc\n",
  },
  {
    what: "of a deleted section what was edited stays",
    base: "a\nb\nc\nd\ne\n",
    local: "a\ne\n",
    hub: "a\nb\nC\nd\ne\n",
    merged: "a\nC\ne\n",
  },
  {
    what: "a line both deleted",
    base: "a\nb\nc\n",
    local: "a\nc\nlocal\n",
    hub: "hub\na\nc\n",
    merged: "hub\na\nc\nlocal\n",
  },
  {
    what: "an added line that stands elsewhere in the hub is not added again",
    base: "a\nb\nc\n",
    local: "a\nc\nnew\n",
    hub: "new\na\nb\nc\nhub\n",
    merged: "new\na\nc\nhub\n",
  },
  {
    what: "a block with lines that occur already comes whole",
    base: "a\n```sh\nx\n```\nb\n",
    local: "a\n```sh\nx\n```\nb\n```sh\ny\n```\n",
    hub: "A\n```sh\nx\n```\nb\n",
    merged: "A\n```sh\nx\n```\nb\n```sh\ny\n```\n",
  },
  {
    what: "a rule alone is an edit, too",
    base: "a\n```\nb\n",
    local: "a\n```\nb\n```\n",
    hub: "A\n```\nb\n",
    merged: "A\n```\nb\n```\n",
  },
  {
    what: "moved here, edited there",
    base: "x\ny\nz\n",
    local: "y\nx\nz\n",
    hub: "x\ny\nz\nhub\n",
    merged: "y\nx\nz\nhub\n",
  },
  {
    what: "no base: one has more than the other",
    base: "",
    local: "a\nb\nmore\nc\n",
    hub: "a\nb\nc\nd\n",
    merged: "a\nb\nmore\nc\nd\n",
  },
  {
    what: "no base: the fields at the beginning come together there",
    base: "",
    local: "---\nname: n\nby: local\n---\n\nlocal body\n",
    hub: "---\nname: n\nby: hub\n---\n\nhub body\n",
    merged: "---\nname: n\nby: hub\nby: local\n---\n\nhub body\n\nlocal body\n",
  },
  {
    what: "no last line end",
    base: "a\nb",
    local: "a\nb\nlocal",
    hub: "a\nb\nhub",
    merged: "a\nb\nhub\nlocal",
  },
  {
    what: "a last line end on one side",
    base: "a",
    local: "a\nlocal",
    hub: "a\n",
    merged: "a\nlocal\n",
  },
  {
    what: "CRLF stays",
    base: "a\r\nb\r\n",
    local: "a\r\nB\r\n",
    hub: "a\r\nb\r\nhub\r\n",
    merged: "a\r\nB\r\nhub\r\n",
  },
  {
    what: "line ends differ: the hub's",
    base: "a\nb\n",
    local: "a\r\nB\r\n",
    hub: "a\nb\nhub\n",
    merged: "a\nB\nhub\n",
  },
  {
    what: "bytes that are no UTF-8",
    base: "a\n",
    local: "a\n\xff\xfe\n",
    hub: "\xc3\x28\na\n",
    merged: "\xc3\x28\na\n\xff\xfe\n",
  },
  {
    what: "all fields are deleted, some on each side",
    base: "---\nc\nd\n---\n",
    local: "---\nc\n---\nc\n",
    hub: "---\nd\n---\n",
    merged: "---\n---\nc\n",
  },
  {
    what: "no last line end, and the last line is one of two that are alike",
    base: "d\n-\ne\n",
    local: "-\ne\nd\n",
    hub: "---\nc\na\na\nd\nd",
    merged: "---\nc\na\na\nd",
  },
  { what: "everything deleted there", base: "a\nb\n", local: "a\nB\n", hub: "", merged: "B\n" },
];

for (const { what, base, local, hub, merged } of CASES) {
  Deno.test(`mergeTexts(): ${what}`, () => {
    assert.equal(merge(base, local, hub), merged);
    assert.equal(merge(base, local, merged), merged, "again");
  });
}

/** Few lines, so that they repeat: blank ones, rules, and fields at the beginning among them. */
const repeating = fc.array(fc.constantFrom("a", "b", "c", "d", "e", "", "-", "---"), {
  maxLength: 9,
}).chain((lines) => {
  return fc.tuple(fc.constantFrom("\n", "\r\n"), fc.boolean()).map(([end, isOpen]) => {
    return lines.join(end) + (lines.length > 0 && !isOpen ? end : "");
  });
});

/** A text of lines of its own, and two versions of it, each with some of them deleted, replaced, or more. */
const edited = fc.integer({ min: 0, max: 12 }).chain((count) => {
  const base = Array.from({ length: count }, (_, i) => `line ${i}`);
  const edit = fc.constantFrom("keep", "keep", "keep", "delete", "replace", "insert");
  const version = (by: string) => {
    return fc.array(edit, { minLength: count + 1, maxLength: count + 1 }).map((edits) =>
      edits.flatMap((kind, i) => {
        const line = base[i] === undefined ? [] : [base[i]];
        if (kind === "insert") return [...line, `${by} ${i}`];
        if (kind === "replace") return [`${by} ${i}`];
        return kind === "delete" ? [] : line;
      })
    );
  };
  return fc.record({ base: fc.constant(base), local: version("local"), hub: version("hub") });
});

const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");
const linesOf = (text: string) => new Set(text.split(/\r?\n/));
const isTelling = (line: string) => /[a-z]/.test(line);

Deno.test("mergeTexts() again changes nothing, whatever the texts", () => {
  fc.assert(
    fc.property(repeating, repeating, repeating, (base, local, hub) => {
      const merged = merge(base, local, hub);
      assert.equal(merge(base, local, merged), merged);
      const united = merge("", local, hub);
      assert.equal(merge("", local, united), united);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("mergeTexts() loses no line that somebody wrote, and makes none up", () => {
  fc.assert(
    fc.property(repeating, repeating, repeating, (...texts) => {
      // The parts of a note with fields are merged for themselves: a line may go from one to the other.
      const [base = "", local = "", hub = ""] = texts.map((text) => text.replaceAll("---", "x"));
      const [before, ours, theirs, merged] = [base, local, hub, merge(base, local, hub)].map(
        linesOf,
      );
      assert.ok(before && ours && theirs && merged);
      for (const line of [...ours, ...theirs].filter(isTelling)) {
        const isKept = !before.has(line) || (ours.has(line) && theirs.has(line));
        if (isKept) assert.ok(merged.has(line), `"${line}" is lost`);
      }
      for (const line of merged) {
        assert.ok(line === "" || ours.has(line) || theirs.has(line), `"${line}" is made up`);
      }
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("mergeTexts() has every new line once, no deleted one, and keeps the order of both sides", () => {
  fc.assert(
    fc.property(edited, ({ base, local, hub }) => {
      const merged = merge(text(base), text(local), text(hub)).split("\n").slice(0, -1);
      assert.equal(new Set(merged).size, merged.length);
      const expected = new Set([...local, ...hub].filter((line) => {
        return !base.includes(line) || (local.includes(line) && hub.includes(line));
      }));
      assert.deepEqual(new Set(merged), expected);
      for (const side of [local, hub]) {
        const kept = side.filter((line) => expected.has(line));
        assert.deepEqual(merged.filter((line) => side.includes(line)), kept);
      }
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("mergeTexts() is bounded: a hundred thousand equal or different lines on either side", () => {
  const many = (of: (i: number) => string) =>
    text(Array.from({ length: 100_000 }, (_, i) => of(i)));
  const started = performance.now();
  merge(many((i) => `a ${i}`), many((i) => `b ${i}`), many((i) => `c ${i}`));
  merge(many(() => ""), many(() => "") + "x\n", "y\n" + many(() => ""));
  assert.ok(performance.now() - started < 20_000);
});

Deno.test("mergeFiles() leaves alone what is no text, too large, or would be broken JSON", () => {
  const merged = (path: string, base: string, local: string, hub: string) => {
    const result = mergeFiles(path, latin1(base), latin1(local), latin1(hub));
    return result === undefined ? undefined : byteText(result);
  };
  assert.equal(merged("a.png", "", "\0a", "\0b"), undefined);
  assert.equal(merged("a.json", '{"a":1}', '{"a":2}', '{"a":3}'), undefined);
  assert.equal(
    merged(
      "a.json",
      '{\n"a":1,\n"x":0,\n"b":1\n}',
      '{\n"a":2,\n"x":0,\n"b":1\n}',
      '{\n"a":1,\n"x":0,\n"b":2\n}',
    ),
    '{\n"a":2,\n"x":0,\n"b":2\n}',
  );
  assert.equal(merged("a.json", "no", "json", "here"), "here\njson");
  assert.equal(isMergeable(new Uint8Array(LARGEST_MERGE + 1).fill(1)), false);
  assert.equal(isMergeable(utf8("text")), true);
});
