import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { joinBytes } from "../../src/transcript/lines.ts";
import { summarize, type Summary } from "../../src/transcript/summary.ts";
import { ALICE, variant } from "../support/fixtures.ts";

const NOTHING = new Uint8Array();
const APP = join(ALICE, "projects", "-home-alice-projects-app");

const bytes = (text: string) => new TextEncoder().encode(text);

/** Returns the lines of records. */
function transcript(...records: readonly unknown[]): Uint8Array {
  return bytes(records.map((record) => JSON.stringify(record) + "\n").join(""));
}

const prompt = (content: unknown, more = {}) => ({ type: "user", message: { content }, ...more });
const answer = (content: unknown, more = {}) => ({
  type: "assistant",
  message: { content },
  ...more,
});
const custom = (customTitle: string) => ({ type: "custom-title", customTitle });
const ai = (aiTitle: string) => ({ type: "ai-title", aiTitle });

const EARLIER: Summary = {
  title: "earlier title",
  firstPrompt: "earlier first",
  lastPrompt: "earlier last",
  lastAnswer: "earlier answer",
  branch: "earlier-branch",
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-02T00:00:00.000Z",
  headless: true,
  slug: "earlier-slug",
  forkOf: "earlier-fork",
};

Deno.test("summarize() reads a recorded session of the terminal", () => {
  const recorded = Deno.readFileSync(join(APP, "b9a316af-110f-4ec1-9a0e-575002e0dbaa.jsonl"));
  assert.deepEqual(summarize(recorded, NOTHING), {
    title: "My Session",
    firstPrompt: "make files please",
    lastPrompt: "which branch",
    lastAnswer: "Stub reply 84 to: which branch",
    branch: "main",
    createdAt: "2026-11-22T14:58:05.165Z",
    updatedAt: "2026-11-22T15:07:37.416Z",
    headless: false,
    slug: "pure-discovering-lark",
    forkOf: "",
  });
});

Deno.test("summarize() reads a recorded session without a terminal", () => {
  const recorded = Deno.readFileSync(join(APP, "11111111-1111-4111-8111-111111111111.jsonl"));
  const { headless, lastPrompt, title } = summarize(recorded, NOTHING);
  assert.deepEqual({ headless, lastPrompt, title }, {
    headless: true,
    lastPrompt: "ping agent",
    title: "make files please",
  });
});

Deno.test("summarize() passes over what is damaged", () => {
  const whole = summarize(variant("A"), NOTHING);
  assert.equal(whole.lastPrompt, "turn three A");
  for (const name of ["garb", "torn", "nonl", "crlf", "bom", "win"] as const) {
    assert.deepEqual(summarize(variant(name), NOTHING), whole, name);
  }
});

Deno.test("summarize() takes the title that ranks first", () => {
  const first = prompt("first prompt");
  const cases: readonly [records: unknown[], title: string][] = [
    [[first], "first prompt"],
    [[first, ai("by the model")], "by the model"],
    [[first, { type: "summary", summary: "a summary" }], "a summary"],
    [[first, { type: "summary", summary: "a summary" }, ai("by the model")], "by the model"],
    [[first, custom("by hand"), ai("by the model")], "by hand"],
    [[first, ai("old"), ai("new")], "new"],
    [[first, custom("old"), custom("new")], "new"],
    [[first, custom("taken back"), custom("")], "first prompt"],
    [[first, custom("taken back"), ai("by the model"), custom("")], "by the model"],
    [[first, { type: "custom-title", customTitle: 7 }], "first prompt"],
    [[], ""],
  ];
  for (const [records, title] of cases) {
    assert.equal(summarize(transcript(...records), NOTHING).title, title, JSON.stringify(records));
  }
});

Deno.test("summarize() takes what people typed for prompts", () => {
  const notTyped = [
    prompt("a reminder", { isMeta: true }),
    prompt("a compaction", { isCompactSummary: true }),
    prompt("to an agent", { isSidechain: true }),
    prompt("<local-command-stdout>x</local-command-stdout>"),
    prompt("<command-name>/rename</command-name>"),
    prompt("<bash-input>ls</bash-input>"),
    prompt("<system-reminder>x</system-reminder>"),
    prompt([{ type: "tool_result", tool_use_id: "t", content: "a result" }]),
    prompt("   "),
    prompt(undefined),
    { type: "user" },
    { type: "user", message: "no object" },
  ];
  const { firstPrompt, lastPrompt } = summarize(
    transcript(
      ...notTyped,
      prompt([{ type: "text", text: "one" }, { type: "text", text: " two" }]),
    ),
    transcript(prompt("last"), ...notTyped),
  );
  assert.equal(firstPrompt, "one two");
  assert.equal(lastPrompt, "last");
});

Deno.test("summarize() prefers the last prompt that Claude Code wrote down", () => {
  const record = { type: "last-prompt", lastPrompt: "written down" };
  assert.equal(summarize(transcript(record, prompt("later")), NOTHING).lastPrompt, "written down");
});

Deno.test("summarize() takes the last answer that has a text", () => {
  const { lastAnswer } = summarize(
    transcript(
      answer([{ type: "text", text: "first" }]),
      answer([{ type: "thinking", thinking: "hm" }, { type: "text", text: "second" }]),
      answer([{ type: "tool_use", name: "Bash" }]),
      answer("of an agent", { isSidechain: true }),
    ),
    NOTHING,
  );
  assert.equal(lastAnswer, "second");
});

Deno.test("summarize() takes the first and the last time, whatever the order of the records", () => {
  const at = (timestamp: unknown) => ({ type: "user", timestamp });
  const { createdAt, updatedAt } = summarize(
    transcript(at("2026-03-02T00:00:00.000Z"), at("2026-03-01T00:00:00.000Z"), at(5)),
    transcript(at("2026-03-04T00:00:00.000Z"), at("2026-03-03T00:00:00.000Z")),
  );
  assert.equal(createdAt, "2026-03-01T00:00:00.000Z");
  assert.equal(updatedAt, "2026-03-04T00:00:00.000Z");
});

Deno.test("summarize() tells by the first entry point whether a terminal was there", () => {
  const cases: readonly [entrypoints: string[], headless: boolean][] = [
    [[], false],
    [["cli"], false],
    [["sdk-cli"], true],
    [["sdk-ts", "cli"], true],
    [["cli", "sdk-cli"], false],
    [["claude-desktop"], false],
  ];
  for (const [entrypoints, headless] of cases) {
    const records = entrypoints.map((entrypoint) => prompt("x", { entrypoint }));
    assert.equal(
      summarize(transcript(...records), NOTHING).headless,
      headless,
      String(entrypoints),
    );
  }
});

Deno.test("summarize() keeps what was known where the records are silent", () => {
  assert.deepEqual(summarize(NOTHING, NOTHING, EARLIER), EARLIER);
  assert.deepEqual(summarize(bytes('garbage {{{\n[]\nnull\n7\n"x"\n'), NOTHING, EARLIER), EARLIER);
});

Deno.test("summarize() lets what the records say replace what was known", () => {
  const fresh = summarize(
    transcript(prompt("new first", { entrypoint: "cli", gitBranch: "new", timestamp: "2025" })),
    transcript(custom("new title"), answer("new answer", { timestamp: "2027" })),
    EARLIER,
  );
  assert.deepEqual(fresh, {
    title: "new title",
    firstPrompt: "new first",
    lastPrompt: "new first",
    lastAnswer: "new answer",
    branch: "new",
    createdAt: EARLIER.createdAt,
    updatedAt: "2027",
    headless: false,
    slug: EARLIER.slug,
    forkOf: EARLIER.forkOf,
  });
});

Deno.test("summarize() reads what a session was forked of from a title's record, whatever title follows", () => {
  const fork = { ...custom("a fork"), forkOf: "its parent" };
  const of = (...records: readonly object[]) => summarize(transcript(...records), NOTHING).forkOf;
  assert.equal(of(fork, custom("another title")), "its parent");
  assert.equal(of(prompt("x", { forkOf: "no title" }), custom("y")), "");
});

Deno.test("summarize() keeps an earlier title when only prompts are at hand", () => {
  assert.equal(summarize(transcript(prompt("a prompt")), NOTHING, EARLIER).title, EARLIER.title);
});

Deno.test("summarize() cuts long texts by characters, with an ellipsis", () => {
  const cases: readonly [title: string, length: number][] = [
    ["会".repeat(200), 200],
    ["会".repeat(201), 200],
    ["😀".repeat(500), 200],
    ["x".repeat(10_000), 200],
  ];
  for (const [title, length] of cases) {
    const short = summarize(transcript(custom(title)), NOTHING).title;
    assert.equal([...short].length, length);
    assert.ok(short.isWellFormed());
    assert.equal(short.endsWith("…"), [...title].length > 200);
  }
  const { firstPrompt, lastAnswer } = summarize(
    transcript(prompt("語".repeat(900)), answer("語".repeat(900))),
    NOTHING,
  );
  assert.deepEqual([[...firstPrompt].length, [...lastAnswer].length], [500, 500]);
});

Deno.test("summarize() makes one line of a text", () => {
  const { title } = summarize(transcript(prompt("  one\n\ttwo\r\n  three ")), NOTHING);
  assert.equal(title, "one two three");
});

Deno.test("summarize() withstands any bytes", () => {
  const json = fc.json({ maxDepth: 3 }).map((line) => bytes(line + "\n"));
  const piece = fc.oneof(fc.uint8Array({ maxLength: 30 }), json);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
      const summary = summarize(joinBytes(pieces), joinBytes(pieces), EARLIER);
      assert.equal(summary.createdAt, EARLIER.createdAt);
    }),
    { seed: 9, numRuns: 200 },
  );
});
