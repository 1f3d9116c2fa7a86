import assert from "node:assert/strict";
import {
  advanced,
  begun,
  formatTime,
  isDue,
  lineOf,
  partOf,
  transferLineOf,
} from "../../src/cli/progress.ts";

const NONE = { bytes: 0, sessions: 0 };
const TOTAL = { bytes: 200_000_000, sessions: 488 };

Deno.test("lineOf() tells bytes and sessions, and the rate and the time left once they are known", () => {
  const work = begun("sending", TOTAL, NONE, 10_000);
  assert.equal(lineOf(work, 10_500), "sending 0 B of 200 MB, 0 of 488 sessions");
  const later = advanced(advanced(work, { bytes: 40_000_000 }), { sessions: 12 });
  assert.equal(lineOf(later, 10_900), "sending 40 MB of 200 MB, 12 of 488 sessions");
  assert.equal(
    lineOf(later, 12_000),
    "sending 40 MB of 200 MB, 12 of 488 sessions, 20 MB/s, 8 s left",
  );
});

Deno.test("lineOf() takes no rate from what an earlier part has done", () => {
  const half = { bytes: 100_000_000, sessions: 200 };
  const work = advanced(begun("sending", TOTAL, half, 0), { bytes: 10_000_000 });
  assert.equal(
    lineOf(work, 1000),
    "sending 110 MB of 200 MB, 200 of 488 sessions, 10 MB/s, 9 s left",
  );
});

Deno.test("lineOf() never shows more than all", () => {
  const work = advanced(begun("bringing", { bytes: 1000, sessions: 1 }, NONE, 0), {
    bytes: 5000,
    sessions: 2,
  });
  assert.equal(
    lineOf(work, 1000),
    "bringing 5.0 KB of 5.0 KB, 2 of 2 sessions, 5.0 KB/s, 0 s left",
  );
});

Deno.test("isDue() waits half a second, then shows ten lines a second at most", () => {
  const work = begun("sending", TOTAL, NONE, 10_000);
  assert.deepEqual([10_000, 10_499, 10_500].map((now) => isDue(work, now)), [false, false, true]);
  const shown = { ...work, shownAt: 10_500 };
  assert.deepEqual([10_599, 10_600].map((now) => isDue(shown, now)), [false, true]);
});

Deno.test("transferLineOf() tells bytes and share, and the rate and the time left once they are known", () => {
  const transfer = { what: "sending to the hub", share: 0.25, bytes: 64_000_000 };
  const part = partOf(transfer, undefined, 10_000);
  assert.equal(transferLineOf(transfer, part, 10_900), "sending to the hub: 64 MB, 25%");
  assert.equal(
    transferLineOf(transfer, part, 12_000),
    "sending to the hub: 64 MB, 25%, 32 MB/s, 6 s left",
  );
  const { bytes: _, ...without } = transfer;
  assert.equal(transferLineOf(without, part, 12_000), "sending to the hub: 25%, 6 s left");
  assert.equal(
    transferLineOf({ ...without, share: 0 }, part, 12_000),
    "sending to the hub: 0%",
  );
});

Deno.test("partOf() counts each part of a transfer from its own beginning", () => {
  const [first, second] = [{ what: "compressing", share: 0 }, { what: "unpacking", share: 0 }];
  const part = partOf(first, undefined, 1000);
  assert.equal(partOf({ ...first, share: 0.5 }, part, 2000), part);
  assert.deepEqual(partOf(second, part, 3000), { what: "unpacking", begunAt: 3000, shownAt: 0 });
});

Deno.test("formatTime() has two units at most", () => {
  const cases: readonly [ms: number, text: string][] = [
    [0, "0 s"],
    [1, "1 s"],
    [59_000, "59 s"],
    [125_000, "2 min 5 s"],
    [12_000_000, "3 h 20 min"],
  ];
  for (const [ms, text] of cases) assert.equal(formatTime(ms), text);
});
