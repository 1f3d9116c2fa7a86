import assert from "node:assert/strict";
import { parseOptions, parseSize, ROWS } from "../../scripts/bench.ts";
import { inTurns, median } from "../../scripts/bench/measure.ts";
import { type Finding, formatFindings, isReached } from "../../scripts/bench/report.ts";
import {
  planEqualSessions,
  planSessions,
  transcriptOf,
  type TranscriptOptions,
} from "../../scripts/bench/transcripts.ts";
import { CcsyncError } from "../../src/errors.ts";
import { joinBytes, splitLines } from "../../src/transcript/lines.ts";
import { recordOf } from "../../src/transcript/records.ts";

const OPTIONS: TranscriptOptions = {
  seed: 1,
  id: "11111111-1111-4111-8111-111111111111",
  cwd: "/home/alice/projects/app",
  home: "/home/alice",
  bytes: 6_000_000,
};

const generated = (options: TranscriptOptions) => joinBytes([...transcriptOf(options)]);

Deno.test("transcriptOf() is equal for equal seeds, and as long as it has to be", () => {
  const small = { ...OPTIONS, bytes: 100_000 };
  assert.deepEqual(generated(small), generated(small));
  assert.notDeepEqual(generated(small), generated({ ...small, seed: 2 }));
  const { length } = generated(small);
  assert.ok(length >= small.bytes && length < small.bytes + 1_000_000, String(length));
});

Deno.test("transcriptOf() has the shape that its description says", () => {
  const bytes = generated(OPTIONS);
  const lines = splitLines(bytes);
  assert.equal(bytes.at(-1), 0x0a);
  const records = lines.map((line) => recordOf(line));
  assert.ok(records.every((record) => record !== undefined));
  const text = new TextDecoder().decode(bytes);
  const paths = text.split("/home/alice").length - 1;
  const results = lines.filter((_, i) => records[i]?.["toolUseResult"] !== undefined);
  const share = results.reduce((sum, line) => sum + line.length, 0) / bytes.length;
  const within = (value: number, from: number, to: number, what: string) =>
    assert.ok(value >= from && value <= to, `${what}: ${value}`);
  within(bytes.length / lines.length, 1000, 1500, "bytes a line");
  within(paths / lines.length, 1.8, 2.6, "paths a line");
  within(share, 0.4, 0.6, "share of tool results");
  within(Math.max(...lines.map((line) => line.length)), 600_000, 700_000, "the longest line");
});

Deno.test("planSessions() makes few large sessions and many small ones, of so many bytes together", () => {
  const sessions = planSessions(200_000_000, 1);
  const bytes = sessions.reduce((sum, session) => sum + session.bytes, 0);
  assert.equal(bytes, 200_000_000);
  assert.equal(sessions.length, 488);
  assert.equal(new Set(sessions.map(({ id }) => id)).size, sessions.length);
  assert.deepEqual(planSessions(200_000_000, 1), sessions);
  assert.equal(planEqualSessions(5000, 4000, 5).length, 5000);
});

Deno.test("inTurns() begins each round with another contender, and gives each its own place", async () => {
  const order: string[] = [];
  const contender = (name: string) => ({
    prepare: () => Promise.resolve(order.push(`prepare ${name}`)),
    run: () => Promise.resolve(order.push(name)),
  });
  const rounds = await inTurns(2, [contender("a"), contender("b")]);
  assert.deepEqual(order.filter((name) => !name.startsWith("prepare")), ["a", "b", "b", "a"]);
  assert.equal(order[0], "prepare a");
  assert.deepEqual(rounds.map((times) => times.length), [2, 2]);
});

Deno.test("median() is the middle, or the mean of the two in the middle", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});

const FINDING: Finding = {
  what: "first push",
  measured: { value: 12_345.6, unit: "ms" },
  reference: { value: 20_000, unit: "ms" },
  against: "git",
  found: 0.617,
  reach: { bound: "at most", value: 0.9, unit: "x" },
};

Deno.test("formatFindings() is a table of what was measured, against what, and whether it is enough", () => {
  const longer: Finding = {
    ...FINDING,
    what: "list",
    against: "--version",
    found: 151.4,
    reach: { bound: "at most", value: 150, unit: "ms" },
  };
  const rows = formatFindings([FINDING, longer]).split("\n").map((line) => {
    return line.split("|").slice(1, -1).map((cell) => cell.trim());
  });
  assert.deepEqual(rows, [
    ["what", "measured", "reference", "ratio", "reach", "ok"],
    rows[1],
    ["first push", "12,346 ms", "20,000 ms git", "0.62 x", "at most 0.90 x", "yes"],
    ["list", "12,346 ms", "20,000 ms --version", "+151 ms", "at most +150 ms", "NO"],
  ]);
});

Deno.test("isReached() knows both directions", () => {
  assert.equal(isReached(FINDING), true);
  assert.equal(isReached({ ...FINDING, reach: { ...FINDING.reach, bound: "at least" } }), false);
});

Deno.test("parseOptions() measures all rows at 200 MB unless told otherwise", () => {
  const { json, rows, scale } = parseOptions([]);
  assert.deepEqual([json, rows, scale.size], [undefined, Object.keys(ROWS), 200_000_000]);
  assert.equal(parseOptions(["--full"]).scale.size, 1_000_000_000);
  assert.equal(parseOptions(["--full"]).scale.pushes, 10_000);
  assert.deepEqual(parseOptions(["--only", "many", "--only", "start"]).rows, ["many", "start"]);
  assert.equal(parseOptions(["--size", "5MB"]).scale.size, 5_000_000);
  for (
    const args of [["--only", "nothing"], ["--size", "large"], ["--rounds", "no"], [
      "--pushes",
      "0",
    ], ["--nonsense"]]
  ) {
    assert.throws(
      () => parseOptions(args),
      (error) => error instanceof CcsyncError && error.kind === "usage",
    );
  }
  assert.deepEqual(["1", "2KB", "1.5gb"].map(parseSize), [1, 2000, 1_500_000_000]);
});

Deno.test("the row about translation measures speed and memory of both directions", async () => {
  const { scale } = parseOptions(["--size", "1MB", "--rounds", "1"]);
  const findings = await ROWS["translate"]?.(scale) ?? [];
  assert.deepEqual(
    findings.map(({ what }) => what),
    ["translate, out", "its memory", "translate, back", "its memory"],
  );
  for (const { found, what } of findings) assert.ok(Number.isFinite(found) && found > 0, what);
});
