/**
 * Claude Code's own clean-up, with the real client: it takes old sessions, and leaves what ccsync has put back.
 *
 * @module
 */
import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import { ccsync } from "../support/ccsync.ts";
import { installClient } from "./claude_client.ts";
import { Client, type Machine, makeMachine, setUp } from "./conversation.ts";
import { startStubApi } from "./stub_api.ts";
import type { Rule } from "./stub_script.ts";

const DAY_MS = 86_400_000;
const PERIOD_DAYS = 10;
/** Too old for the period, and not for what Claude Code does unless told otherwise. */
const AGE_DAYS = 20;

const PREPARE: Rule = {
  match: "^prepare",
  steps: [
    { tools: [{ name: "Bash", input: { command: "seq 1 20000", description: "long" } }] },
    { text: "Prepared." },
  ],
};
/** The clean-up runs some five seconds after the start: the client has to live for longer. */
const LINGER: Rule = { match: "^linger", steps: [{ text: "Here.", delayMs: 9_000 }] };

const executable = Deno.build.os === "windows" ? undefined : await installClient();

Deno.test({
  name: "The client's clean-up takes old sessions; what pull --force brings back survives it",
  ignore: executable === undefined,
  async fn() {
    assert.ok(executable !== undefined);
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "ccsync-client-" }));
    try {
      await using stub = startStubApi({ rules: [PREPARE, LINGER] });
      await cleanUpAndRestore(folder, new Client(executable, stub));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function cleanUpAndRestore(folder: string, client: Client): Promise<void> {
  const machine = await makeMachine("a", "alice", join(folder, "a/home/alice"), "projects");
  const { sessionId: restored } = await client.say(machine, "prepare what comes back");
  const { sessionId: lost } = await client.say(machine, "prepare what does not");
  const settings = JSON.stringify({ cleanupPeriodDays: PERIOD_DAYS });
  Deno.writeTextFileSync(join(machine.home, ".claude/settings.json"), settings);
  await setUp(machine, join(folder, "hub.git"));
  const transcript = makeOld(machine, restored);
  const files = filesBeside(transcript);
  assert.ok(files.some((path) => path.includes("tool-results")), "a session with sidecars");
  const before = Deno.readFileSync(transcript);
  await ccsync(machine, "push");

  await cleanUp(client, machine);
  assert.deepEqual(filesBeside(transcript), [], "the clean-up ran");
  await ccsync(machine, "push");
  const { stdout } = await ccsync(machine, "list", "--all");
  assert.match(stdout, new RegExp(`${restored.slice(0, 8)} .* only in the hub`));
  const { stderr } = await ccsync(machine, "pull");
  assert.match(stderr, /more than 10 days old/);
  assert.deepEqual(filesBeside(transcript), [], "it would only be taken again");

  await ccsync(machine, "pull", "--force");
  const other = makeOld(machine, lost);
  await cleanUp(client, machine);
  assert.deepEqual(filesBeside(other), [], "the clean-up ran again");
  assert.deepEqual(filesBeside(transcript), files);
  assert.deepEqual(Deno.readFileSync(transcript), before);
  await client.say(machine, "and it goes on", restored);
}

/** Makes a session look as if it had been held long ago, and returns where its transcript is. */
function makeOld({ app, home }: Machine, sessionId: string): string {
  const project = app.replace(/[^a-zA-Z0-9]/g, "-");
  const transcript = join(home, ".claude/projects", project, `${sessionId}.jsonl`);
  const at = new Date(Date.now() - AGE_DAYS * DAY_MS);
  const text = Deno.readTextFileSync(transcript);
  const old = text.replace(/"timestamp":"[^"]+"/g, `"timestamp":"${at.toISOString()}"`);
  Deno.writeTextFileSync(transcript, old);
  for (const path of filesBeside(transcript)) Deno.utimeSync(path, at, at);
  return transcript;
}

/** Returns the transcript, if it is there, and all files of the session's own directory. */
function filesBeside(transcript: string): string[] {
  const directory = transcript.replace(/\.jsonl$/, "");
  const walk = (path: string): string[] =>
    [...Deno.readDirSync(path)].flatMap(({ isDirectory, name }) =>
      isDirectory ? walk(join(path, name)) : [join(path, name)]
    );
  const names = [...Deno.readDirSync(dirname(transcript))].map(({ name }) => name);
  const own = names.includes(basename(transcript)) ? [transcript] : [];
  return [...own, ...names.includes(basename(directory)) ? walk(directory) : []].sort();
}

/** Starts the client for long enough, as if it had not cleaned up today. */
async function cleanUp(client: Client, machine: Machine): Promise<void> {
  const mark = join(machine.home, ".claude/.last-cleanup");
  await Deno.remove(mark).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await client.say(machine, "linger a while");
}
