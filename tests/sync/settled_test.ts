import assert from "node:assert/strict";
import { join } from "node:path";
import type { Oid, SessionId } from "../../src/brands.ts";
import { push } from "../../src/sync/push.ts";
import { filesDigest, settlement } from "../../src/sync/settled.ts";
import { openWorkspace } from "../support/workspace.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

const HEAD = "a".repeat(40) as Oid;
const SCOPE = { all: false } as const;

async function digestOn(machine: TestMachine): Promise<string | undefined> {
  await using workspace = openWorkspace(machine);
  return await filesDigest(workspace);
}

Deno.test("filesDigest() differs after every change that a push may have to send", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  const id = desk.plant("variants/base.jsonl");
  const line = promptLine({ id, cwd: join(desk.projects, "app"), text: "more" });
  const changes: Readonly<Record<string, () => void>> = {
    "a line": () => desk.append(id, line),
    "another session": () => void desk.plant("variants/A.jsonl", { id: crypto.randomUUID() }),
    "a file of the session": () => {
      desk.writeFile(`projects/x/${id}/tool-results/a.txt`, "a");
    },
    "a file backup": () => desk.writeFile(`file-history/${id}/0123456789abcdef@v1`, "a"),
    "a task": () => desk.writeFile(`tasks/${id}/1.json`, "{}"),
    "a plan": () => desk.writeFile("plans/some-plan.md", "a"),
    "a session that is opened": () => {
      const claim = { pid: Deno.pid, sessionId: id, updatedAt: Date.now() };
      desk.writeFile(`sessions/${Deno.pid}.json`, JSON.stringify(claim));
    },
  };
  let before = await digestOn(desk);
  assert.ok(before !== undefined);
  for (const [what, change] of Object.entries(changes)) {
    assert.equal(await digestOn(desk), before);
    change();
    const after = await digestOn(desk);
    assert.notEqual(after, before, what);
    before = after;
  }
});

Deno.test("settlement() is of one state of the hub and one scope", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  const id = desk.plant("variants/base.jsonl") as SessionId;
  await using workspace = openWorkspace(desk);
  for (const isSettled of [false, false, true, true]) {
    const found = await settlement(workspace, HEAD, SCOPE);
    assert.equal(found.isSettled, isSettled);
    workspace.state.setFact("settled", found.fact);
  }
  const others = [
    await settlement(workspace, "b".repeat(40) as Oid, SCOPE),
    await settlement(workspace, HEAD, { all: true }),
    await settlement(workspace, HEAD, { all: false, also: id }),
  ];
  for (const other of others) assert.equal(other.isSettled, false);
});

Deno.test("push() compares nothing where nothing changed, and all once anything did", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  const id = desk.plant("variants/base.jsonl");
  const pushOnce = async () => {
    await using workspace = openWorkspace(desk);
    const { sessions } = await push(workspace, { isDryRun: false, all: false });
    // Counts how often the sessions were compared.
    return [sessions.length, Number(workspace.state.fact("turn"))];
  };
  const [sent, turn = 0] = await pushOnce();
  assert.equal(sent, 1);
  assert.deepEqual(await pushOnce(), [0, turn + 1]);
  assert.deepEqual(await pushOnce(), [0, turn + 2]);
  for (let i = 0; i < 2; i++) assert.deepEqual(await pushOnce(), [0, turn + 2]);
  desk.append(id, promptLine({ id, cwd: join(desk.projects, "app"), text: "more" }));
  assert.deepEqual(await pushOnce(), [1, turn + 3]);
});

Deno.test("push() tells of a torn line again and again, though nothing changed", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  const id = desk.plant("variants/base.jsonl");
  desk.append(id, '{"torn":');
  for (let i = 0; i < 3; i++) {
    await using workspace = openWorkspace(desk);
    const { waiting } = await push(workspace, { isDryRun: false, all: false });
    assert.deepEqual(waiting.map((each) => each.id), [id]);
  }
});
