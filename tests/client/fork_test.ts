/**
 * With the real Claude Code client: a session that two machines continued while apart goes on where it was
 * continued last, and the other continuation goes on as a session of its own.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { projectDirName } from "../../src/translate/project_dir.ts";
import { ccsync } from "../support/ccsync.ts";
import { installClient } from "./claude_client.ts";
import { Client, type Machine, makeMachine, readTranscript, setUp } from "./conversation.ts";
import { startStubApi, type StubMessagesRequest } from "./stub_api.ts";

const REPLY = { match: ".", steps: [{ text: "Answered in {{cwd}}" }] };

const executable = Deno.build.os === "windows" ? undefined : await installClient();

/** How the second machine comes by the first one's turn, and whether its client was killed before. */
const CASES = [
  { first: "pull", isKilled: false },
  { first: "push", isKilled: false },
  { first: "pull", isKilled: true },
  { first: "push", isKilled: true },
] as const;

Deno.test({
  name: "Both continuations of a session resume where they ended",
  ignore: executable === undefined,
  async fn(test) {
    assert.ok(executable !== undefined);
    const client = executable;
    for (const { first, isKilled } of CASES) {
      await test.step(`${first} first${isKilled ? ", after a kill" : ""}`, async () => {
        const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "ccsync-client-" }));
        try {
          await using stub = startStubApi({ rules: [REPLY] });
          await goApart(folder, new Client(client, stub), first, isKilled);
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      });
    }
  },
});

async function goApart(
  folder: string,
  client: Client,
  first: "push" | "pull",
  isKilled: boolean,
): Promise<void> {
  const hub = join(folder, "hub.git");
  const a = await makeMachine("a", "alice", join(folder, "a/home/alice"), "projects");
  const b = await makeMachine("b", "bob", join(folder, "b/users/deep/bob"), "work");
  const { sessionId } = await client.say(a, "together");
  await setUp(a, hub);
  await setUp(b, hub);
  await ccsync(a, "push");
  await ccsync(b, "pull");

  await client.say(a, "said on a", sessionId);
  await ccsync(a, "push");
  await client.say(b, "said on b", sessionId);
  if (isKilled) dropLastPrompt(b, sessionId, "said on b");
  await ccsync(b, first);
  for (const machine of [b, a, b]) await synced(machine);
  const fork = await onlyFork(a, sessionId);
  assert.equal(await onlyFork(b, sessionId), fork);

  const [parentBefore, forkBefore] = [
    await readTranscript(a, sessionId),
    await readTranscript(a, fork),
  ];
  const main = await client.say(a, "on with it", sessionId);
  assert.equal(main.sessionId, sessionId);
  assert.deepEqual(prompts(main.request), ["together", "said on b", "on with it"]);
  const other = await client.say(a, "on with the fork", fork);
  assert.equal(other.sessionId, fork);
  assert.deepEqual(prompts(other.request), ["together", "said on a", "on with the fork"]);
  // Each has gone on in its own file.
  assertGrew(parentBefore, await readTranscript(a, sessionId), "on with it");
  assertGrew(forkBefore, await readTranscript(a, fork), "on with the fork");

  await synced(a);
  await synced(b);
  const back = await client.say(b, "back on b", fork);
  assert.deepEqual(prompts(back.request), [
    "together",
    "said on a",
    "on with the fork",
    "back on b",
  ]);
  assert.ok(!JSON.stringify(back.request.body.messages).includes(a.home));
}

async function synced(machine: Machine): Promise<void> {
  await ccsync(machine, "push");
  await ccsync(machine, "pull");
}

async function onlyFork(machine: Machine, parent: string): Promise<string> {
  const { stdout } = await ccsync(machine, "list", "--all", "--json");
  const sessions = JSON.parse(stdout) as { readonly id: string; readonly forkOf: string }[];
  const [fork, ...others] = sessions.filter(({ forkOf }) => forkOf === parent);
  assert.ok(fork !== undefined && others.length === 0, stdout);
  return fork.id;
}

/** Makes a transcript what a client leaves that was killed before it wrote which prompt was the last. */
function dropLastPrompt(machine: Machine, sessionId: string, prompt: string): void {
  const directory = join(machine.home, ".claude/projects", projectDirName(machine.app));
  const path = join(directory, `${sessionId}.jsonl`);
  const lines = Deno.readTextFileSync(path).split("\n");
  const isDropped = (line: string) =>
    line.includes('"type":"last-prompt"') && line.includes(prompt);
  assert.equal(lines.filter(isDropped).length, 1);
  Deno.writeTextFileSync(path, lines.filter((line) => !isDropped(line)).join("\n"));
}

/** Returns what the person has said, without what the client puts around it. */
function prompts({ body }: StubMessagesRequest): string[] {
  return body.messages.filter(({ role }) => role === "user").map(({ content }) =>
    content.findLast(({ type }) => type === "text")?.text ?? ""
  );
}

function assertGrew(before: Uint8Array, after: Uint8Array, prompt: string): void {
  const decoder = new TextDecoder();
  const [old, now] = [decoder.decode(before), decoder.decode(after)];
  assert.ok(now.startsWith(old));
  assert.ok(now.slice(old.length).includes(prompt));
}
