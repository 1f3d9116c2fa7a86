import assert from "node:assert/strict";
import type { SessionId } from "../../src/brands.ts";
import { parseMeta } from "../../src/hub/format.ts";
import type { SessionView } from "../../src/sync/facts.ts";
import { countUnmapped, titleOf } from "../../src/sync/report.ts";

const ID = "11111111-1111-4111-8111-111111111111" as SessionId;

Deno.test("titleOf() takes the id where there is no title", () => {
  const meta = (title: string) => parseMeta(JSON.stringify({ project: "/p", title }));
  const cases: readonly [ReturnType<typeof meta>, title: string][] = [
    [meta("My Session"), "My Session"],
    [meta(""), ID],
    [undefined, ID],
  ];
  for (const [known, title] of cases) {
    assert.equal(titleOf({ id: ID, meta: known }), title);
  }
});

Deno.test("countUnmapped() counts the sessions that wait for each placeholder, by name", () => {
  const view = (...unmapped: string[]) => ({ unmapped }) as unknown as SessionView;
  assert.deepEqual(countUnmapped([]), []);
  assert.deepEqual(countUnmapped([view("WORK"), view(), view("NOTES", "WORK"), view("WORK")]), [
    { name: "NOTES", sessions: 1 },
    { name: "WORK", sessions: 3 },
  ]);
});
