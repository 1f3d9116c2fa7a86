import assert from "node:assert/strict";
import { join } from "node:path";
import type { LocalPath, SessionId } from "../../src/brands.ts";
import { liveSessions } from "../../src/claude/live.ts";
import { ALICE } from "../support/fixtures.ts";
import { Folder } from "../support/folder.ts";

const ID = "11111111-1111-4111-8111-111111111111" as SessionId;
const OTHER_ID = "22222222-2222-4222-8222-222222222222" as SessionId;

/** A process that runs until it is disposed. */
class Client implements AsyncDisposable {
  readonly #child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "for await (const _ of Deno.stdin.readable);"],
    stdin: "piped",
  }).spawn();

  get pid(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.status;
  }
}

function claim(folder: Folder, pid: number, fields: Readonly<Record<string, unknown>>): void {
  folder.write(`sessions/${pid}.json`, JSON.stringify({ pid, ...fields }));
}

const sessionsOf = async (
  folder: Folder,
) => [...await liveSessions(folder.path as LocalPath, Date.now())];

Deno.test("liveSessions() finds the session of a client that runs, until it ends", async () => {
  using folder = new Folder();
  {
    await using client = new Client();
    claim(folder, client.pid, { sessionId: ID, updatedAt: Date.now() });
    assert.deepEqual(await sessionsOf(folder), [ID]);
  }
  // As after SIGKILL: the file is still there.
  assert.deepEqual(await sessionsOf(folder), []);
});

Deno.test("liveSessions() does not count a process that got the number later", async () => {
  using folder = new Folder();
  await using client = new Client();
  claim(folder, client.pid, { sessionId: ID, startedAt: 0, updatedAt: Date.now() - 3_600_000 });
  assert.deepEqual(await sessionsOf(folder), []);
});

Deno.test("liveSessions() counts a claim that tells no time", async () => {
  using folder = new Folder();
  await using client = new Client();
  claim(folder, client.pid, { sessionId: ID });
  assert.deepEqual(await sessionsOf(folder), [ID]);
});

Deno.test("liveSessions() passes over what is no claim", async () => {
  using folder = new Folder();
  await using client = new Client();
  assert.deepEqual(await sessionsOf(folder), []);
  const { pid } = client;
  const now = Date.now();
  const broken = ["", "{", "null", "[]", `{"pid":${pid}}`, `{"sessionId":"${ID}"}`];
  for (const [i, content] of broken.entries()) folder.write(`sessions/${i + 1}.json`, content);
  folder.write("sessions/note.txt", JSON.stringify({ pid, sessionId: ID, updatedAt: now }));
  folder.write("sessions/x.json", JSON.stringify({ pid, sessionId: ID, updatedAt: now }));
  claim(folder, 90, { pid, sessionId: "../../evil", updatedAt: now });
  claim(folder, 91, { pid: -1, sessionId: ID, updatedAt: now });
  claim(folder, 92, { pid: 1.5, sessionId: ID, updatedAt: now });
  claim(folder, 93, { pid: "1; rm", sessionId: ID, updatedAt: now });
  assert.deepEqual(await sessionsOf(folder), []);
  claim(folder, pid, { sessionId: OTHER_ID, updatedAt: now });
  assert.deepEqual(await sessionsOf(folder), [OTHER_ID]);
});

Deno.test("liveSessions() reads a claim as Claude Code writes it", async () => {
  using folder = new Folder();
  await using client = new Client();
  const recorded = Deno.readTextFileSync(join(ALICE, "sessions", "22522.json"));
  const content = recorded.replace('"pid":22522', `"pid":${client.pid}`)
    .replaceAll("1795359557876", String(Date.now()));
  folder.write(`sessions/${client.pid}.json`, content);
  assert.deepEqual(await sessionsOf(folder), ["b9a316af-110f-4ec1-9a0e-575002e0dbaa"]);
});
