import assert from "node:assert/strict";
import { join } from "node:path";
import type { SessionId } from "../../src/brands.ts";
import { describeSessions, listSessions, promptsIn, underParents } from "../../src/sync/listing.ts";
import { openWorkspace } from "../support/workspace.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

/** Orders sessions that are written as `id` or `id<parent`. */
function ordered(sessions: string): string {
  const listed = sessions.split(" ").map((session) => {
    const [id = "", forkOf = ""] = session.split("<");
    return { id: id as SessionId, forkOf };
  });
  return underParents(listed).map(({ id }) => id).join(" ");
}

Deno.test("underParents() puts forks behind their parents, whatever the hub claims", () => {
  const cases: readonly [sessions: string, expected: string][] = [
    ["a b c", "a b c"],
    ["f<b a b", "a b f"],
    ["f<b a b g<b h<f", "a b f h g"],
    ["a f<gone b", "a f b"],
    // Forks of each other, and of themselves.
    ["a x<y y<x b", "a b x y"],
    ["x<x a", "a x"],
  ];
  for (const [sessions, expected] of cases) assert.equal(ordered(sessions), expected, sessions);
});

Deno.test("underParents() withstands a long line of forks", () => {
  const ids = Array.from({ length: 50_000 }, (_, i) => `${i + 1}<${i}`).join(" ");
  assert.equal(ordered(`${ids} 0`).split(" ").length, 50_001);
});

const [FIRST = "", SECOND = "", THIRD = ""] = [3, 2, 1].map((place) =>
  `11aaaaaa-0000-4000-8000-00000000000${place}`
);
const ALL = { side: "both", all: true, headless: true } as const;

const said = (machine: TestMachine, id: string, text: string) =>
  promptLine({ id, cwd: join(machine.projects, "app"), text });

Deno.test("what was said is known of sessions that are settled and of others, while the list is looked at", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  for (const id of [FIRST, SECOND]) desk.write(id, said(desk, id, `in ${id}`));
  await desk.ccsync("push");
  await desk.ccsync("list");
  desk.write(THIRD, said(desk, THIRD, `in ${THIRD}`));
  const { prompts, sessions } = await listed(desk);
  assert.deepEqual(sessions.map(({ isUnpushed }) => isUnpushed), [false, false, true]);
  const texts = () => sessions.map((session) => prompts(session).lastPrompt);
  assert.deepEqual(texts(), sessions.map(({ id }) => `in ${id}`));

  const again = await listed(desk);
  // Another process has pulled a line of it meanwhile, say.
  desk.append(SECOND, said(desk, SECOND, "more"));
  await desk.ccsync("push");
  const [first, second] = again.sessions.map((session) => again.prompts(session).lastPrompt);
  assert.deepEqual([first, second], [`in ${FIRST}`, ""]);
});

async function listed(machine: TestMachine) {
  await using workspace = openWorkspace(machine);
  const sessions = (await listSessions(workspace, ALL)).sort((a, b) => a.id < b.id ? 1 : -1);
  const described = await describeSessions(workspace, ALL);
  for (const { id, lastPrompt } of described) assert.equal(lastPrompt, `in ${id}`);
  return { sessions, prompts: promptsIn(workspace, sessions) };
}
