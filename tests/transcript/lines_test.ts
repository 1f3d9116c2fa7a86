import assert from "node:assert/strict";
import fc from "fast-check";
import {
  completeLength,
  countLines,
  equalBytes,
  joinBytes,
  newlineAt,
  splitLines,
} from "../../src/transcript/lines.ts";
import { variant, VARIANTS } from "../support/fixtures.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (content: Uint8Array) => new TextDecoder().decode(content);

/** Bytes with many line ends among them. */
const content = fc.array(fc.constantFrom(0x0a, 0x0d, 0x7b, 0x00, 0xff), { maxLength: 40 })
  .map((values) => new Uint8Array(values));

Deno.test("completeLength() ends after the last newline", () => {
  const cases: readonly [input: string, length: number][] = [
    ["", 0],
    ["torn", 0],
    ["\n", 1],
    ["one\n", 4],
    ["one\ntorn", 4],
    ["one\n\ntorn", 5],
  ];
  for (const [input, length] of cases) assert.equal(completeLength(bytes(input)), length, input);
});

Deno.test("splitLines() gives each line its newline, and a torn one a place of its own", () => {
  assert.deepEqual(splitLines(bytes("")), []);
  assert.deepEqual(splitLines(bytes("a\n\nb\r\ntorn")).map(text), ["a\n", "\n", "b\r\n", "torn"]);
});

Deno.test("splitLines() keeps every byte, one newline a line, at its end", () => {
  fc.assert(
    fc.property(content, (input) => {
      const lines = splitLines(input);
      assert.deepEqual(joinBytes(lines), input);
      for (const line of lines.slice(0, -1)) assert.equal(newlineAt(line, 0), line.length - 1);
      const complete = lines.filter((line) => line.at(-1) === 0x0a);
      assert.equal(countLines(input), complete.length);
      assert.equal(completeLength(input), joinBytes(complete).length);
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("splitLines() copies nothing", () => {
  const input = bytes("one\ntwo\n");
  for (const line of splitLines(input)) assert.equal(line.buffer, input.buffer);
});

Deno.test("splitLines() gives back the recorded transcripts", () => {
  for (const name of VARIANTS) {
    assert.deepEqual(joinBytes(splitLines(variant(name))), variant(name), name);
  }
});

Deno.test("newlineAt() searches from a place on", () => {
  const input = bytes("a\nb\n");
  assert.deepEqual([0, 1, 2, 3, 4].map((from) => newlineAt(input, from)), [1, 1, 3, 3, -1]);
});

Deno.test("equalBytes() compares content, not place", () => {
  const whole = bytes("abcabc");
  assert.equal(equalBytes(whole.subarray(0, 3), whole.subarray(3)), true);
  assert.equal(equalBytes(whole.subarray(0, 3), whole.subarray(2, 5)), false);
  assert.equal(equalBytes(whole.subarray(0, 3), whole), false);
  assert.equal(equalBytes(new Uint8Array(), new Uint8Array()), true);
});
