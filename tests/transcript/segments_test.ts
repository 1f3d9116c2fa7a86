import assert from "node:assert/strict";
import fc from "fast-check";
import { equalBytes, joinBytes, newlineAt } from "../../src/transcript/lines.ts";
import { LONGEST_SEGMENT, SEGMENT_BYTES, SegmentCutter } from "../../src/transcript/segments.ts";

const NEWLINE = 0x0a;
const MIB = 1024 * 1024;

/** Returns lines of these lengths, newline included, each of other letters. */
function transcript(lengths: readonly number[], tornLength = 0): Uint8Array {
  const lines = lengths.map((length, i) => {
    const line = new Uint8Array(length).fill(0x30 + i % 64);
    line[length - 1] = NEWLINE;
    return line;
  });
  return joinBytes([...lines, new Uint8Array(tornLength).fill(0x21)]);
}

/** Cuts the input at these places. */
function piecesOf(input: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places, input.length].sort((a, b) => a - b);
  return sorted.slice(1).map((to, i) => input.subarray(sorted[i], to));
}

/** Cuts all of it with one cutter that gets it piece by piece. */
function cut(pieces: readonly Uint8Array[]): Uint8Array[] {
  const cutter = new SegmentCutter();
  const segments = pieces.flatMap((piece) => cutter.push(piece));
  const last = cutter.end();
  return last === undefined ? segments : [...segments, last];
}

/** Cuts it as pushes do: each continues the last segment of the one before. */
function cutByAppending(pieces: readonly Uint8Array[]): Uint8Array[] {
  const segments: Uint8Array[] = [];
  for (const piece of pieces) {
    const cutter = new SegmentCutter(segments.pop());
    segments.push(...cutter.push(piece));
    const last = cutter.end();
    if (last !== undefined) segments.push(last);
  }
  return segments;
}

function assertEqualSegments(actual: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  // No deepEqual: on megabytes it takes seconds.
  assert.deepEqual(actual.map(({ length }) => length), expected.map(({ length }) => length));
  assert.ok(actual.every((segment, i) => equalBytes(segment, expected[i] ?? new Uint8Array())));
}

const lineLength = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 3000 }) },
  { weight: 3, arbitrary: fc.integer({ min: MIB / 8, max: MIB / 2 }) },
  { weight: 2, arbitrary: fc.integer({ min: MIB - 2, max: MIB + 2 }) },
);

const input = fc.record({
  lengths: fc.array(lineLength, { maxLength: 12 }),
  torn: fc.constantFrom(0, 0, 1, MIB),
}).map(({ lengths, torn }) => transcript(lengths, torn));

const inputAndPlaces = input.chain((bytes) =>
  fc.tuple(
    fc.constant(bytes),
    fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 6 }),
  )
);

Deno.test("SegmentCutter cuts alike whatever the pieces, and by appending", () => {
  fc.assert(
    fc.property(inputAndPlaces, ([bytes, places]) => {
      const atOnce = cut([bytes]);
      assert.ok(equalBytes(joinBytes(atOnce), bytes));
      const pieces = piecesOf(bytes, places);
      assertEqualSegments(cut(pieces), atOnce);
      assertEqualSegments(cutByAppending(pieces), atOnce);
    }),
    { seed: 2, numRuns: 60 },
  );
});

Deno.test("SegmentCutter ends every segment but the last at the first line end after 1 MiB", () => {
  fc.assert(
    fc.property(input, (bytes) => {
      for (const segment of cut([bytes]).slice(0, -1)) {
        assert.equal(newlineAt(segment, SEGMENT_BYTES - 1), segment.length - 1);
      }
    }),
    { seed: 3, numRuns: 40 },
  );
});

Deno.test("SegmentCutter ends a segment where the line end makes it 1 MiB exactly", () => {
  const cases: readonly [lengths: number[], segments: number[]][] = [
    [[], []],
    [[1], [1]],
    [[MIB - 1, 5], [MIB + 4]],
    [[MIB, 5], [MIB, 5]],
    [[MIB - 1, 1, 5], [MIB, 5]],
    [[MIB + 1, 5], [MIB + 1, 5]],
    [[MIB - 1, 2 * MIB, 5], [3 * MIB - 1, 5]],
    [[MIB, MIB, MIB], [MIB, MIB, MIB]],
  ];
  for (const [lengths, segments] of cases) {
    const bytes = transcript(lengths);
    assert.deepEqual(cut([bytes]).map(({ length }) => length), segments, String(lengths));
  }
});

Deno.test("SegmentCutter cuts a line of 40 MB hard, in one go and while it arrives", () => {
  const bytes = transcript([100, 40_000_000, 200]);
  const atOnce = cut([bytes]);
  const rest = 100 + 40_000_000 - LONGEST_SEGMENT;
  assert.deepEqual(atOnce.map(({ length }) => length), [LONGEST_SEGMENT, rest, 200]);
  assert.ok(equalBytes(joinBytes(atOnce), bytes));
  const places = [50, 30_000_000, LONGEST_SEGMENT, LONGEST_SEGMENT + 1, 39_000_000];
  assertEqualSegments(cutByAppending(piecesOf(bytes, places)), atOnce);
});

Deno.test("SegmentCutter cuts a torn line hard, and goes on when it is completed", () => {
  const bytes = transcript([10], 2 * LONGEST_SEGMENT + 7);
  const segments = cut([bytes]);
  assert.deepEqual(segments.map(({ length }) => length), [LONGEST_SEGMENT, LONGEST_SEGMENT, 17]);
});

Deno.test("SegmentCutter leaves a full last segment as it was", () => {
  const full = transcript([MIB]);
  const cutter = new SegmentCutter(full);
  const segments = cutter.push(transcript([3]));
  assertEqualSegments(segments, [full]);
  assert.equal(cutter.end()?.length, 3);
});

Deno.test("SegmentCutter has no last segment where nothing is left", () => {
  assert.equal(new SegmentCutter().end(), undefined);
  const cutter = new SegmentCutter();
  assert.equal(cutter.push(transcript([MIB])).length, 1);
  assert.equal(cutter.end(), undefined);
});
