import assert from "node:assert/strict";
import type { LocalPath } from "../../src/brands.ts";
import { isRecent, retentionDays, survivingTime } from "../../src/claude/retention.ts";
import { Folder } from "../support/folder.ts";

const DAY_MS = 86_400_000;
const NOW = Date.parse("2026-11-22T12:00:00.000Z");

Deno.test("retentionDays() is what the settings say, 30 where they say nothing, and at least 1", () => {
  using folder = new Folder();
  const days = () => retentionDays(folder.path as LocalPath);
  assert.equal(days(), 30);
  const table: [string, number][] = [
    ['{"cleanupPeriodDays": 7}', 7],
    ['{"cleanupPeriodDays": 365, "other": true}', 365],
    ['{"cleanupPeriodDays": 0}', 1],
    ['{"cleanupPeriodDays": -3}', 1],
    ['{"cleanupPeriodDays": "7"}', 30],
    ["{}", 30],
    ["null", 30],
    ["{", 30],
    ["", 30],
  ];
  for (const [settings, expected] of table) {
    folder.write("settings.json", settings);
    assert.equal(days(), expected, settings);
  }
});

Deno.test("survivingTime() keeps a time that the clean-up will not take soon, else says now", () => {
  const ago = (days: number) => NOW - days * DAY_MS;
  assert.equal(survivingTime(ago(27), NOW, 30), ago(27));
  assert.equal(survivingTime(ago(28), NOW, 30), NOW);
  assert.equal(survivingTime(ago(400), NOW, 30), NOW);
  assert.equal(survivingTime(ago(0.5), NOW, 1), NOW);
  assert.equal(survivingTime(ago(-1), NOW, 30), NOW, "a clock that was ahead");
  assert.equal(survivingTime(NaN, NOW, 30), NOW);
  assert.ok(isRecent(ago(29), NOW, 30) && !isRecent(ago(30), NOW, 30));
});
