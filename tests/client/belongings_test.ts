/**
 * What belongs to a conversation, end to end with the real Claude Code client: on the other machine the
 * old sub-agent answers, the task list is there, long outputs can be read, and the memory is known.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ccsync } from "../support/ccsync.ts";
import { installClient } from "./claude_client.ts";
import { Client, type Machine, makeMachine, setUp } from "./conversation.ts";
import { startStubApi, type StubApi } from "./stub_api.ts";
import type { Rule } from "./stub_script.ts";

const SUBTASK: Rule = {
  match: "^SUBTASK",
  steps: [
    { tools: [{ name: "Bash", input: { command: "pwd", description: "where" } }] },
    { text: "The agent looked around in {{cwd}}." },
  ],
};

const PREPARE: Rule = {
  match: "^prepare",
  when: "main",
  steps: [
    {
      tools: [{
        name: "Agent",
        input: {
          description: "Look around",
          prompt: "SUBTASK look around",
          subagent_type: "general-purpose",
          run_in_background: false,
        },
      }],
    },
    {
      tools: [{
        name: "TaskCreate",
        input: { subject: "First thing", description: "In {{cwd}}", activeForm: "Doing it" },
      }, { name: "Bash", input: { command: "pwd; seq 1 20000", description: "long" } }],
    },
    { text: "Prepared." },
  ],
};

/** Returns the rule that uses everything that was prepared, and writes a memory. */
function checkRule(agent: string, output: string): Rule {
  return {
    match: "^check",
    when: "main",
    steps: [
      {
        tools: [
          { name: "SendMessage", input: { to: agent, summary: "ping", message: "SUBTASK again" } },
          { name: "TaskList", input: {} },
          { name: "Read", input: { file_path: output, limit: 3 } },
        ],
      },
      { text: "Checked." },
    ],
  };
}

const executable = Deno.build.os === "windows" ? undefined : await installClient();

Deno.test({
  name: "On the other machine the sub-agent, the tasks, the outputs and the memory are there",
  ignore: executable === undefined,
  async fn() {
    assert.ok(executable !== undefined);
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "ccsync-client-" }));
    try {
      await using stub = startStubApi({ rules: [PREPARE, SUBTASK] });
      await useEverything(folder, stub, new Client(executable, stub));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function useEverything(folder: string, stub: StubApi, client: Client): Promise<void> {
  const a = await makeMachine("a", "alice", join(folder, "a/home/alice"), "projects");
  const b = await makeMachine("b", "bob", join(folder, "b/users/deep/bob"), "work");
  const { sessionId } = await client.say(a, "prepare everything");
  const agent = /"agentId":"([0-9a-f]+)"/.exec(transcriptOn(a, sessionId))?.[1] ?? "";
  assert.ok(agent !== "");
  remember(a, `Prefers tabs. See ${a.app}/src.`);
  const before = filesOf(a);
  await setUp(a, join(folder, "hub.git"));
  await ccsync(a, "push");
  await setUp(b, join(folder, "hub.git"));
  await ccsync(b, "pull");

  const output = /Full output saved to: ([^\\"]+)/.exec(transcriptOn(b, sessionId))?.[1] ?? "";
  assert.ok(output.startsWith(join(b.home, ".claude/projects")), output);
  stub.setRules([checkRule(agent, output), SUBTASK]);
  const { request } = await client.say(b, "check everything", sessionId);
  assert.ok(
    request.raw.includes(`Prefers tabs. See ${b.app}/src.`),
    "B's first request has A's memory",
  );

  const last = stub.conversation.findLast(({ body }) =>
    body.tools.some(({ name }) => name === "Agent")
  );
  const results = last?.raw ?? "";
  assert.ok(!results.includes("could not be resumed"), "the old sub-agent answers");
  assert.ok(
    stub.conversation.some(({ raw }) =>
      raw.includes("SUBTASK look around") && raw.includes("SUBTASK again")
    ),
    "the sub-agent knows what it did before",
  );
  assert.match(results, /First thing/);
  assert.ok(results.includes(`${b.app}\\n`) || results.includes(b.app), "the long output was read");
  assert.ok(!results.includes("File does not exist"));

  await ccsync(b, "push");
  await ccsync(a, "pull");
  for (const [path, content] of before) {
    const now = Deno.readTextFileSync(join(a.home, ".claude", path));
    assert.ok(now.startsWith(content), `${path} changed on A`);
  }
  assert.match(transcriptOn(a, sessionId), /check everything/);
}

/** Writes a memory the way the model does, with Claude Code's Write tool: a plain file and an index. */
function remember(machine: Machine, fact: string): void {
  const directory = join(projectDir(machine), "memory");
  Deno.mkdirSync(directory, { recursive: true });
  Deno.writeTextFileSync(join(directory, "tabs.md"), `---\nname: tabs\n---\n\n${fact}\n`);
  Deno.writeTextFileSync(join(directory, "MEMORY.md"), `- [Tabs](tabs.md) - ${fact}\n`);
}

function projectDir({ app, home }: Machine): string {
  return join(home, ".claude/projects", app.replace(/[^a-zA-Z0-9]/g, "-"));
}

function transcriptOn(machine: Machine, sessionId: string): string {
  return Deno.readTextFileSync(join(projectDir(machine), `${sessionId}.jsonl`));
}

/** Returns the content of the files that may only gain from a pull. */
function filesOf(machine: Machine, path = "projects"): [string, string][] {
  const root = join(machine.home, ".claude");
  return [...Deno.readDirSync(join(root, path))].flatMap(({ isDirectory, name }) => {
    const inner = join(path, name);
    // Agent descriptions and task files are rewritten by the client as it goes on.
    if (name.endsWith(".json")) return [];
    return isDirectory
      ? filesOf(machine, inner)
      : [[inner, Deno.readTextFileSync(join(root, inner))] as [string, string]];
  });
}
