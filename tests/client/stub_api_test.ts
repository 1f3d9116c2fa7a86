import assert from "node:assert/strict";
import { startStubApi, type StubApi } from "./stub_api.ts";
import type { Rule } from "./stub_script.ts";

interface Ask {
  readonly messages: readonly unknown[];
  readonly stream?: boolean;
  readonly system?: string;
  readonly tools?: readonly { readonly name: string }[];
}

function post(stub: StubApi, body: Ask): Promise<Response> {
  return fetch(`${stub.url}/v1/messages?beta=true`, {
    method: "POST",
    headers: { "x-claude-code-session-id": "session-1" },
    body: JSON.stringify({ model: "m", ...body }),
  });
}

/** Returns the content blocks and the stop reason of a reply that is not streamed. */
async function ask(stub: StubApi, body: Ask): Promise<{ content: unknown; stop_reason: string }> {
  const response = await post(stub, body);
  assert.equal(response.status, 200);
  return await response.json();
}

function prompt(text: string): unknown {
  return { role: "user", content: text };
}

/** Reads `data:` lines of a streamed reply. */
function events(text: string): unknown[] {
  return text.split("\n").filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice("data: ".length)));
}

const GREET: Rule = {
  match: "^greet",
  steps: [
    { text: "first in {{cwd}}, {{unknown}}", tools: [{ name: "Bash", input: { a: ["{{cwd}}"] } }] },
    { text: "second, request {{n}}" },
  ],
};

Deno.test("stub API: the prompt chooses the rule, the number of replies after it the step", async () => {
  await using stub = startStubApi({ rules: [GREET] });
  const asked = [prompt("Greet me")];
  const system = "Primary working directory: /home/u/app\nother";

  const first = await ask(stub, { system, messages: asked });
  assert.equal(first.stop_reason, "tool_use");
  assert.partialDeepStrictEqual(first.content, [
    { type: "text", text: "first in /home/u/app, {{unknown}}" },
    { type: "tool_use", name: "Bash", input: { a: ["/home/u/app"] } },
  ]);

  const second = await ask(stub, {
    system,
    messages: [
      ...asked,
      { role: "assistant", content: first.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "ok" }] },
    ],
  });
  assert.deepEqual(second.content, [{ type: "text", text: "second, request 2" }]);
  assert.equal(second.stop_reason, "end_turn");
});

Deno.test("stub API: reminders are not taken for the prompt, and no rule is needed", async () => {
  await using stub = startStubApi({ rules: [GREET] });
  const content = [
    { type: "text", text: "<system-reminder>greet</system-reminder>" },
    { type: "text", text: "something  else" },
  ];
  const reply = await ask(stub, { messages: [{ role: "user", content }] });
  assert.deepEqual(reply.content, [{ type: "text", text: "Stub reply 1 to: something else" }]);
});

Deno.test("stub API: rules may be for the main agent or sub-agents only, with variables of their own", async () => {
  const main: Rule = { match: "go", when: "main", steps: [{ text: "main" }] };
  const vars = { plan: /(\/\S+\.md)/ };
  const agent: Rule = { match: /go/, when: "agent", vars, steps: [{ text: "agent of {{plan}}" }] };
  await using stub = startStubApi();
  stub.setRules([main, agent]);
  const messages = [prompt("go by /a.md or /b.md")];

  const byMain = await ask(stub, { messages, tools: [{ name: "Agent" }] });
  assert.deepEqual(byMain.content, [{ type: "text", text: "main" }]);
  const byAgent = await ask(stub, { messages, tools: [{ name: "Bash" }] });
  assert.deepEqual(byAgent.content, [{ type: "text", text: "agent of /b.md" }]);
});

Deno.test("stub API: streams thinking with its signature, text in pieces and tools", async () => {
  const text = "x".repeat(9000);
  const tools = [{ name: "Read", input: { file_path: "/f" } }];
  const steps = [{ thinking: "hm", signature: "c2ln", text, tools, usage: { input_tokens: 7 } }];
  await using stub = startStubApi({ rules: [{ match: "", steps }] });

  const response = await post(stub, { stream: true, messages: [prompt("hello")] });
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const [start, ...rest] = events(await response.text());
  assert.partialDeepStrictEqual(start, { message: { content: [], usage: { input_tokens: 7 } } });
  const deltas = rest.flatMap((event) =>
    typeof event === "object" && event !== null && "delta" in event ? [event.delta] : []
  );
  assert.deepEqual(deltas, [
    { type: "thinking_delta", thinking: "hm" },
    { type: "signature_delta", signature: "c2ln" },
    { type: "text_delta", text: "x".repeat(4000) },
    { type: "text_delta", text: "x".repeat(4000) },
    { type: "text_delta", text: "x".repeat(1000) },
    { type: "input_json_delta", partial_json: '{"file_path":"/f"}' },
    { stop_reason: "tool_use", stop_sequence: null },
  ]);
  assert.deepEqual(rest.at(-1), { type: "message_stop" });
});

Deno.test("stub API: a step may be an error, or cut the connection after some blocks", async () => {
  const rules: Rule[] = [
    { match: "fail", steps: [{ error: { status: 529, message: "busy" } }] },
    { match: "drop", steps: [{ text: "kept", tools: [{ name: "T", input: {} }], dropAfter: 1 }] },
  ];
  await using stub = startStubApi({ rules });

  const failed = await post(stub, { stream: true, messages: [prompt("fail")] });
  assert.equal(failed.status, 529);
  assert.partialDeepStrictEqual(await failed.json(), { error: { message: "busy" } });

  const dropped = await post(stub, { stream: true, messages: [prompt("drop")] });
  const received: string[] = [];
  await assert.rejects(async () => {
    const body = dropped.body ?? ReadableStream.from<Uint8Array>([]);
    for await (const chunk of body) received.push(new TextDecoder().decode(chunk));
  });
  const types = JSON.stringify(events(received.join("")));
  assert.match(types, /kept/);
  assert.doesNotMatch(types, /tool_use|message_stop/);
});

Deno.test("stub API: logs every request, and tells when one arrives", async () => {
  const rules: Rule[] = [{ match: "slow", steps: [{ text: "late", delayMs: 3_600_000 }] }];
  const stub = startStubApi({ rules });
  const slow = post(stub, { messages: [prompt("slow")] });
  const failed = assert.rejects(async () => await (await slow).text());
  const arrived = await stub.waitFor(({ raw }) => raw.includes("slow"));
  assert.equal(arrived.session, "session-1");

  await (await fetch(stub.url, { method: "HEAD" })).body?.cancel();
  const count = await fetch(`${stub.url}/v1/messages/count_tokens`, {
    method: "POST",
    body: "1234",
  });
  assert.deepEqual(await count.json(), { input_tokens: 1 });
  const broken = await fetch(`${stub.url}/v1/messages`, { method: "POST", body: "{" });
  assert.equal(broken.status, 400);
  await broken.body?.cancel();

  const seen = stub.requests.map(({ n, method, path }) => `${n} ${method} ${path}`);
  assert.deepEqual(seen, [
    "1 POST /v1/messages",
    "2 HEAD /",
    "3 POST /v1/messages/count_tokens",
    "4 POST /v1/messages",
  ]);
  assert.equal(stub.conversation.length, 1);

  await assert.rejects(stub.waitFor(() => false, 0), /no such request/);
  const waiting = assert.rejects(stub.waitFor(() => false), /closed/);
  await stub[Symbol.asyncDispose]();
  await Promise.all([waiting, failed]);
});
