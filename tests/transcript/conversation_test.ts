import assert from "node:assert/strict";
import fc from "fast-check";
import { Conversation } from "../../src/transcript/conversation.ts";
import { splitLines } from "../../src/transcript/lines.ts";
import { variant, VARIANTS } from "../support/fixtures.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A prompt, an answer, or what `fields` say. */
function record(uuid: string, parentUuid: string | null, fields: Fields = {}): Fields {
  return { parentUuid, isSidechain: false, type: "user", uuid, ...fields };
}

function select(leafUuid: string | null, fields: Fields = {}): Fields {
  return { type: "last-prompt", lastPrompt: "x", leafUuid, ...fields, sessionId: "s" };
}

function conversationOf(...records: readonly Fields[]): Conversation {
  const conversation = new Conversation();
  for (const fields of records) {
    conversation.add(new TextEncoder().encode(JSON.stringify(fields) + "\n"));
  }
  return conversation;
}

const A = record("a", null);
const B = record("b", "a");
const C = record("c", "a");
const D = record("d", "b");

Deno.test("Conversation.leaf is the record that Claude Code continues after", () => {
  const cases: readonly [what: string, records: readonly Fields[], leaf: string | undefined][] = [
    ["nothing", [], undefined],
    ["no selection: the last in the file", [A, B, C], "c"],
    ["selected", [A, B, C, select("b")], "b"],
    ["the last selection", [A, B, C, select("b"), select("c")], "c"],
    ["what follows descends from it", [A, B, select("b"), D], "d"],
    ["what follows does not", [A, B, select("b"), C], "b"],
    ["it is there before its parent", [D, A, B, select("b")], "b"],
    ["a selection of what is not there", [A, B, select("x")], "b"],
    ["a selection without a leaf", [A, B, C, select("b"), select(null)], "b"],
    ["exactly this one", [A, B, D, select("b", { explicit: true })], "b"],
    ["no longer exactly", [A, B, select("a", { explicit: true }), D], "d"],
    ["exactly, and written again", [A, B, select("a", { explicit: true }), select("a")], "a"],
    ["an empty conversation", [A, B, select(null, { explicit: true })], undefined],
    ["empty, then begun", [A, select(null, { explicit: true }), record("z", null)], "z"],
    [
      "a compaction forgets the selection",
      [A, B, select("b"), record("k", null, { type: "system", subtype: "compact_boundary" })],
      "k",
    ],
    ["side chains", [A, B, record("s", "b", { isSidechain: true })], "b"],
    ["records of other types", [A, { parentUuid: "a", type: "progress", uuid: "p" }], "a"],
    ["a circle", [record("x", "y"), record("y", "x"), select("z"), A, select("x")], "x"],
  ];
  for (const [what, records, leaf] of cases) {
    assert.equal(conversationOf(...records).leaf, leaf, what);
  }
});

const LEAVES: Readonly<Record<typeof VARIANTS[number], string>> = {
  "base": "917bfc86",
  "A": "db1c8bbc",
  "B": "9faf86b7",
  "AB": "9faf86b7",
  "BA": "db1c8bbc",
  "AB.nolp": "db1c8bbc",
  "lpA": "db1c8bbc",
  "dup": "db1c8bbc",
  "garb": "db1c8bbc",
  "torn": "db1c8bbc",
  "nonl": "db1c8bbc",
  "crlf": "db1c8bbc",
  "bom": "db1c8bbc",
  "win": "db1c8bbc",
};

Deno.test("Conversation.leaf is what the client was observed to continue after", () => {
  for (const name of VARIANTS) {
    const conversation = new Conversation();
    for (const line of splitLines(variant(name))) conversation.add(line);
    assert.equal(conversation.leaf?.slice(0, 8), LEAVES[name], name);
  }
});

Deno.test("Conversation.bringsTo() tells whether resuming shows anything said that is new", () => {
  const answer = record("r", "b", { type: "assistant" });
  const cases: readonly [Fields[], Fields[], boolean][] = [
    [[A, B], [A], true],
    [[A], [A, B], false],
    [[A, B], [A, C], true],
    [[A, B, answer], [A, B], true],
    // Another text under the same uuid is an edit.
    [[A, record("b", "a", { edited: true })], [A, B], false],
    // Gone back to something that is known.
    [[A, B, select("a", { explicit: true })], [A], false],
    // Nobody said anything.
    [[A, record("t", "a", { type: "system" })], [A], false],
    [[A, record("m", "a", { isMeta: true })], [A], false],
    [[A, record("s", "a", { isSidechain: true })], [A], false],
    // But below it somebody did.
    [[A, B, record("t", "b", { type: "system" })], [A], true],
    [[], [A], false],
  ];
  for (const [i, [one, other, expected]] of cases.entries()) {
    assert.equal(conversationOf(...one).bringsTo(conversationOf(...other)), expected, `case ${i}`);
  }
});

Deno.test("Conversation.know() takes in what was there once, and selects nothing", () => {
  const before = conversationOf(A);
  for (const fields of [B, select("b")]) {
    before.know(new TextEncoder().encode(JSON.stringify(fields) + "\n"));
  }
  assert.equal(before.leaf, "a");
  assert.equal(conversationOf(A, B).bringsTo(before), false);
});

Deno.test("Conversation withstands any lines", () => {
  const key = fc.constantFrom("a", "b", "c", null, 1, "");
  const fields = fc.record({
    type: fc.constantFrom("user", "system", "last-prompt", "mode"),
    uuid: key,
    parentUuid: key,
    leafUuid: key,
    isSidechain: fc.boolean(),
    explicit: fc.boolean(),
    subtype: fc.constantFrom("compact_boundary", "x"),
    message: fc.jsonValue(),
  }, { requiredKeys: [] });
  fc.assert(
    fc.property(fc.array(fc.oneof(fields, fc.jsonValue())), (records) => {
      const conversation = conversationOf(...records as Fields[]);
      assert.ok(conversation.leaf === undefined || typeof conversation.leaf === "string");
      assert.equal(conversation.bringsTo(conversation), false);
    }),
    { seed: 11, numRuns: 1000 },
  );
});
