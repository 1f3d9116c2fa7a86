import assert from "node:assert/strict";
import type { SessionId } from "../../../src/brands.ts";
import { announce, takeAnnouncements } from "../../../src/sync/daemon/queue.ts";
import { Folder } from "../../support/folder.ts";

const session = "11111111-1111-4111-8111-111111111111" as SessionId;

Deno.test("takeAnnouncements() returns what was announced, once, however often it was", () => {
  using folder = new Folder();
  assert.deepEqual(takeAnnouncements(folder.path), []);
  for (let i = 0; i < 100; i++) announce(folder.path, { session, event: "stop" });
  announce(folder.path, { session, event: "session-end" });
  assert.deepEqual(takeAnnouncements(folder.path), [
    { session, event: "session-end" },
    { session, event: "stop" },
  ]);
  assert.deepEqual(takeAnnouncements(folder.path), []);
});

Deno.test("takeAnnouncements() leaves alone what is none", () => {
  using folder = new Folder();
  announce(folder.path, { session, event: "stop" });
  for (const name of ["x.stop", `${session}.other`, `${session}`]) {
    folder.write(`queue/${name}`, "");
  }
  assert.deepEqual(takeAnnouncements(folder.path), [{ session, event: "stop" }]);
});
