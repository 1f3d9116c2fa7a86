import assert from "node:assert/strict";
import { giveBackMemory } from "../../src/machine/memory.ts";

Deno.test("giveBackMemory() frees what nothing refers to", () => {
  const fill = () => Array.from({ length: 200_000 }, (_, i) => ({ i }));
  const { heapUsed: before } = Deno.memoryUsage();
  let all: unknown[] | undefined = fill();
  const { heapUsed: full } = Deno.memoryUsage();
  assert.equal(all.length, 200_000);
  all = undefined;
  giveBackMemory();
  const { heapUsed: after } = Deno.memoryUsage();
  assert.ok(after - before < (full - before) / 2, `${before}, ${full}, ${after}`);
  assert.equal("gc" in globalThis, false, "the program itself does not get it");
});
