/**
 * Conversations with the real client on machines that ccsync connects.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import * as v from "valibot";
import { ccsync } from "../support/ccsync.ts";
import { described } from "../support/process.ts";
import { runClient } from "./claude_client.ts";
import type { StubApi, StubMessagesRequest } from "./stub_api.ts";
import { lastPrompt } from "./stub_script.ts";

/** A machine with a person's home and one project. */
export interface Machine {
  readonly id: string;
  /** A name that stands in all of this machine's paths and nowhere else. */
  readonly person: string;
  readonly home: string;
  readonly projects: string;
  readonly app: string;
  readonly tmp: string;
}

/** What the client did for one prompt. */
export interface Turn {
  readonly sessionId: string;
  /** The first request with the prompt: it holds the whole conversation before it. */
  readonly request: StubMessagesRequest;
}

/** Makes a machine whose project is `app`. */
export async function makeMachine(
  id: string,
  person: string,
  home: string,
  projectsName: string,
): Promise<Machine> {
  const projects = join(home, projectsName);
  const app = join(projects, "app");
  const tmp = join(home, ".tmp");
  await Deno.mkdir(app, { recursive: true });
  await Deno.mkdir(tmp);
  return { id, person, home, projects, app, tmp };
}

/** Joins the hub, with PROJECTS as a placeholder. */
export async function setUp(machine: Machine, hub: string): Promise<void> {
  // deno-fmt-ignore
  await ccsync(
    machine, "init", "--remote", hub, "--machine-id", machine.id, "--sync-dir", machine.projects,
    "--add-placeholder", `PROJECTS=${machine.projects}`, "--yes",
  );
}

const RESULT = v.object({ session_id: v.string(), is_error: v.literal(false) });

/** The client on any of the machines, with the stand-in that all of them talk to. */
export class Client {
  readonly #executable: string;
  readonly #stub: StubApi;

  constructor(executable: string, stub: StubApi) {
    this.#executable = executable;
    this.#stub = stub;
  }

  /** Starts the client in the machine's project for one prompt. */
  async say(machine: Machine, prompt: string, sessionId?: string): Promise<Turn> {
    this.#stub.clearRequests();
    const resume = sessionId === undefined ? [] : ["--resume", sessionId];
    const result = await runClient({
      executable: this.#executable,
      home: machine.home,
      cwd: machine.app,
      tmp: machine.tmp,
      port: this.#stub.port,
      args: ["-p", prompt, ...resume, "--output-format", "json", "--dangerously-skip-permissions"],
    });
    assert.equal(result.code, 0, described(result));
    const { session_id } = v.parse(RESULT, JSON.parse(result.stdout));
    const request = this.#stub.conversation.find(({ body }) =>
      lastPrompt(body.messages).prompt === prompt
    );
    assert.ok(request !== undefined, `no request with the prompt "${prompt}"`);
    return { sessionId: session_id, request };
  }
}

/** Returns the bytes of the session's only transcript on the machine. */
export async function readTranscript(machine: Machine, sessionId: string): Promise<Uint8Array> {
  const projects = join(machine.home, ".claude/projects");
  const found: string[] = [];
  for await (const project of Deno.readDir(projects)) {
    for await (const file of Deno.readDir(join(projects, project.name))) {
      if (file.name === `${sessionId}.jsonl`) found.push(join(projects, project.name, file.name));
    }
  }
  const [path, ...others] = found;
  assert.ok(path !== undefined && others.length === 0, `transcripts: ${found.join(", ")}`);
  return await Deno.readFile(path);
}
