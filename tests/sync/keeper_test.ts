import assert from "node:assert/strict";
import { accompany } from "../../src/sync/keeper.ts";

Deno.test("accompany() steps until the end, never two at a time, and returns how it ended", async () => {
  const ended = Promise.withResolvers<number>();
  let [steps, atOnce] = [0, 0];
  const code = await accompany(ended.promise, 1, true, async () => {
    assert.equal(++atOnce, 1);
    await Promise.resolve();
    atOnce--;
    if (++steps === 3) ended.resolve(42);
  });
  assert.deepEqual([code, steps], [42, 3]);
});

Deno.test("accompany() takes no first step that is not due, and none after the end", async () => {
  const step = () => Promise.reject(new Error("no step was due"));
  assert.equal(await accompany(Promise.resolve(0), 60_000, false, step), 0);
});

Deno.test("accompany() passes on why it did not come to an end", async () => {
  const failed = accompany(Promise.reject(new Error("no")), 60_000, false, () => Promise.resolve());
  await assert.rejects(failed, /no/);
});
