/**
 * The promise of ccsync, end to end with the real Claude Code client: a conversation goes on on
 * another machine, and comes back.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { basename, join } from "node:path";
import { ccsync } from "../support/ccsync.ts";
import { installClient } from "./claude_client.ts";
import { Client, type Machine, makeMachine, readTranscript, setUp } from "./conversation.ts";
import { startStubApi, type StubMessagesRequest } from "./stub_api.ts";
import { type Block, lastPrompt, type MessagesRequest, type Rule } from "./stub_script.ts";

// Literal tokens of ccsync's own notation, and what a careless escape would trip over.
const LITERALS = 'leave {{PROJECTS}}, {{~HOME}} and {{PROJECTS:url}} as they are, "so\\n"';

const FIRST: Rule = {
  match: "^first turn",
  steps: [
    {
      thinking: `Keep {{cwd}}/src "apart" from {{cwd}}2, and ${LITERALS}. Größe ✓`,
      signature: "Zmlyc3Q=",
      text: `I write to {{cwd}}/src and ${LITERALS}.`,
      tools: [{
        name: "Write",
        input: { file_path: "{{cwd}}/src/greet.txt", content: "hello from {{cwd}}\n" },
      }],
    },
    {
      tools: [{
        name: "Edit",
        input: { file_path: "{{cwd}}/src/greet.txt", old_string: "hello", new_string: "greetings" },
      }],
    },
    { tools: [{ name: "Read", input: { file_path: "{{cwd}}/src/greet.txt" } }] },
    { text: "Written: {{cwd}}/src/greet.txt" },
  ],
};

const SECOND: Rule = {
  match: "^second turn",
  steps: [
    {
      thinking: "The output of {{cwd}} will be long.",
      signature: "c2Vjb25k",
      // So long that the client keeps it in a file and quotes that file's path.
      tools: [{ name: "Bash", input: { command: "pwd; cat {{cwd}}/src/greet.txt; seq 1 20000" } }],
    },
    {
      // The client quotes the path of its output in the temporary tree.
      tools: [{
        name: "Bash",
        input: { command: "ls {{cwd}}/src", run_in_background: true },
      }],
    },
    { text: "Listed {{cwd}}/src" },
    // A last request tells that the background command has ended.
    { text: "It has ended in {{cwd}}" },
  ],
};

const THIRD: Rule = {
  match: "^third turn",
  steps: [
    {
      thinking: "Now I am in {{cwd}}, says {{PROJECTS}}.",
      signature: "dGhpcmQ=",
      text: "On to {{cwd}}/src/third.txt",
      tools: [{ name: "Write", input: { file_path: "{{cwd}}/src/third.txt", content: "3\n" } }],
    },
    { text: "Written: {{cwd}}/src/third.txt" },
  ],
};

const FOURTH: Rule = { match: "^fourth turn", steps: [{ text: "Seen in {{cwd}}" }] };

const PROMPTS = {
  first: `first turn: ${LITERALS}`,
  second: "second turn",
  third: "third turn",
  fourth: "fourth turn",
};

// The paths and the commands above are POSIX.
const executable = Deno.build.os === "windows" ? undefined : await installClient();

Deno.test({
  name: "A conversation held by the real client on machine A resumes on machine B with B's paths",
  ignore: executable === undefined,
  sanitizeResources: true,
  sanitizeOps: true,
  async fn() {
    assert.ok(executable !== undefined);
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "ccsync-client-" }));
    try {
      await using stub = startStubApi({ rules: [FIRST, SECOND, THIRD, FOURTH] });
      await goThereAndBack(folder, new Client(executable, stub));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function goThereAndBack(folder: string, client: Client): Promise<void> {
  const hub = join(folder, "hub.git");
  const a = await makeMachine("a", "alice", join(folder, "a/home/alice"), "projects");
  const b = await makeMachine("b", "bob", join(folder, "b/users/deep/bob"), "work");

  const { sessionId } = await client.say(a, PROMPTS.first);
  await client.say(a, PROMPTS.second, sessionId);
  const heldOnA = await readTranscript(a, sessionId);
  assertQuotesEveryRoot(heldOnA, a);
  await setUp(a, hub);
  await ccsync(a, "push");

  await setUp(b, hub);
  await ccsync(b, "pull");
  const third = await client.say(b, PROMPTS.third, sessionId);
  assert.equal(third.sessionId, sessionId);
  assertHoldsPaths(third.request, { here: b, there: a });
  assert.deepEqual(prompts(third.request), [PROMPTS.first, PROMPTS.second, PROMPTS.third]);
  assertToolsOf([[FIRST, b], [SECOND, b]], third.request);
  assertThinkingOf([[FIRST, a], [SECOND, a]], third.request);
  await assertLongOutputIsHere(third.request, b);

  await ccsync(b, "push");
  await ccsync(a, "pull");
  const backOnA = await readTranscript(a, sessionId);
  assertGrew(heldOnA, backOnA, { here: a, there: b });

  const fourth = await client.say(a, PROMPTS.fourth, sessionId);
  assertHoldsPaths(fourth.request, { here: a, there: b });
  assert.deepEqual(prompts(fourth.request), Object.values(PROMPTS));
  assertToolsOf([[FIRST, a], [SECOND, a], [THIRD, a]], fourth.request);
  assertThinkingOf([[FIRST, a], [SECOND, a], [THIRD, b]], fourth.request);
}

/** Guards the test itself: the conversation must quote paths under all roots that can differ. */
function assertQuotesEveryRoot(transcript: Uint8Array, machine: Machine): void {
  const text = new TextDecoder().decode(transcript);
  const encoded = machine.app.replace(/[^a-zA-Z0-9]/g, "-");
  const quoted = [
    `${machine.app}/src`,
    `${machine.home}/.claude/projects/${encoded}/`,
    `${machine.tmp}/claude-`,
    `/${encoded}/`,
    '"signature":"Zmlyc3Q="',
  ];
  for (const part of quoted) assert.ok(text.includes(part), `the transcript lacks ${part}`);
}

interface Sides {
  readonly here: Machine;
  readonly there: Machine;
}

function assertHoldsPaths({ body }: StubMessagesRequest, { here, there }: Sides): void {
  const text = JSON.stringify({ ...body, messages: body.messages.map(withoutThinking) });
  assertLacks(text, there.person);
  assert.ok(text.includes(`${here.app}/src/greet.txt`));
}

/** Names each place where a text holds what it must not hold. */
function assertLacks(text: string, unwanted: string): void {
  const places = [...text.matchAll(new RegExp(`.{0,120}${unwanted}.{0,80}`, "g"))];
  assert.deepEqual(places.map(([place]) => place), []);
}

function withoutThinking<M extends { readonly content: readonly Block[] }>(message: M): M {
  return { ...message, content: message.content.filter(({ type }) => type !== "thinking") };
}

/** Returns what the person has said. */
function prompts({ body }: StubMessagesRequest): string[] {
  const said: string[] = [];
  for (const index of body.messages.keys()) {
    const { prompt, replies } = lastPrompt(body.messages.slice(0, index + 1));
    if (replies === 0 && prompt !== said.at(-1) && prompt !== "") said.push(prompt);
  }
  return said;
}

type Source = readonly [rule: Rule, writtenOn: Machine];

function assertToolsOf(sources: readonly Source[], { body }: StubMessagesRequest): void {
  const expected = sources.flatMap(([rule, machine]) =>
    rule.steps.flatMap(({ tools = [] }) => tools.map((tool) => filled(tool, machine)))
  );
  const actual = blocks(body).filter(({ type }) => type === "tool_use")
    .map(({ name, input }) => ({ name, input }));
  assert.partialDeepStrictEqual(actual, expected);
  assert.equal(actual.length, expected.length);
}

/** Thinking is signed, so its bytes are those of the machine that it was received on. */
function assertThinkingOf(sources: readonly Source[], { body }: StubMessagesRequest): void {
  const expected = sources.flatMap(([rule, machine]) =>
    rule.steps.flatMap(({ thinking, signature }) =>
      thinking === undefined ? [] : [filled({ type: "thinking", thinking, signature }, machine)]
    )
  );
  assert.deepEqual(blocks(body).filter(({ type }) => type === "thinking"), expected);
}

function blocks(body: MessagesRequest): Block[] {
  return body.messages.flatMap(({ content }) => content);
}

/** Returns a copy with the machine's project for `{{cwd}}`. */
function filled(value: object, { app }: Machine): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll("{{cwd}}", app));
}

/** The file that the client put a long output into has come along, under the path that is quoted. */
async function assertLongOutputIsHere(request: StubMessagesRequest, here: Machine): Promise<void> {
  const [, path = ""] = /Full output saved to: ([^\\"]+)/.exec(request.raw) ?? [];
  assert.ok(path.startsWith(`${here.home}/.claude/projects/`), `path of the output: ${path}`);
  assert.equal(basename(join(path, "..")), "tool-results");
  const output = await Deno.readTextFile(path);
  assert.ok(
    output.startsWith(`${here.app}\ngreetings from ${here.app}\n1\n2\n`),
    output.slice(0, 500),
  );
  assert.ok(output.trimEnd().endsWith("\n19999\n20000"));
}

/** A pull left every byte in place and added the other machine's turn. */
function assertGrew(before: Uint8Array, after: Uint8Array, { here, there }: Sides): void {
  assert.equal(Buffer.compare(after.subarray(0, before.length), before), 0);
  const gained = new TextDecoder().decode(after.subarray(before.length));
  assert.ok(gained.endsWith("\n"));
  assert.ok(gained.includes(`"file_path":"${here.app}/src/third.txt"`));
  assert.ok(gained.includes(`"cwd":"${here.app}"`));
  assert.ok(gained.includes(`"thinking":"Now I am in ${there.app}, says {{PROJECTS}}."`));
  for (const line of gained.trimEnd().split("\n")) {
    assertLacks(JSON.stringify(JSON.parse(line, dropThinking)), there.person);
  }
}

function dropThinking(key: string, value: unknown): unknown {
  return key === "thinking" ? undefined : value;
}
