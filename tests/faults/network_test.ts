/**
 * What goes wrong between a machine and the hub: what is said, what is left, and that the next run makes up
 * for it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { push } from "../../src/sync/push.ts";
import { type Fault, GitServer, type Service } from "../support/git_server.ts";
import "../support/hermetic_git.ts";
import { openWorkspace } from "../support/workspace.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";
import { BASE, initArgs, note, plantAll, sidecar } from "./scenes.ts";
import { assertExplained } from "./told.ts";

/** A hub behind HTTP, a machine that uses it, and another one that has a path to it. */
class Internet implements AsyncDisposable {
  readonly world: World;
  readonly server: GitServer;
  readonly machine: TestMachine;
  readonly other: TestMachine;

  private constructor(world: World, server: GitServer, other: TestMachine) {
    this.world = world;
    this.server = server;
    this.other = other;
    this.machine = world.machine("laptop");
  }

  static async create(): Promise<Internet> {
    const world = await World.create();
    const other = await world.joined("other");
    const internet = new Internet(world, new GitServer(world.folder), other);
    const url = internet.server.url("hub.git");
    const args = initArgs(internet.machine).map((arg) => arg === world.hub ? url : arg);
    await internet.machine.ccsync(...args);
    return internet;
  }

  /** Says something in the session, and returns the text. */
  say(text: string, machine = this.machine): string {
    const cwd = join(machine.projects, "app");
    const line = promptLine({ id: BASE, cwd, text });
    if (machine.has(BASE)) machine.append(BASE, line);
    else machine.write(BASE, line);
    return text;
  }

  /** How often something was said in the session, by what the hub has. */
  async countInHub(text: string): Promise<number> {
    return (await this.world.hubTranscript(BASE)).split(`"content":"${text}"`).length - 1;
  }

  async head(): Promise<string> {
    return (await this.world.git("rev-parse", "main")).stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.world[Symbol.asyncDispose]();
  }
}

Deno.test("credentials that are refused: said, noted, and nothing is asked for", async () => {
  await using internet = await Internet.create();
  const { machine, server } = internet;
  const said = internet.say("hello");
  server.requireCredentials("me:secret");
  for (const command of ["push", "pull"]) {
    const result = await machine.try(command);
    assertExplained(result, EXIT_CODES.credentials, /the hub refused the credentials/);
  }
  const { stdout } = await machine.ccsync("status");
  assert.match(stdout, /^trouble +ccsync pull.*refused the credentials/m);
  assert.match(stdout, /^waiting +1 to push/m);
  server.requireCredentials(undefined);
  await machine.ccsync("push");
  assert.equal(await internet.countInHub(said), 1);
  assert.doesNotMatch((await machine.ccsync("status")).stdout, /trouble/);
});

/** What can happen to a push: the request it happens to, the fault, how it ends, and what is said. */
const LOST_PUSHES: readonly [
  service: Service,
  fault: Fault,
  code: number,
  message: RegExp,
][] = [
  ["refs", { kind: "status", status: 404 }, EXIT_CODES.unreachable, /not found/],
  ["refs", { kind: "status", status: 503 }, EXIT_CODES.unreachable, /error: 503/],
  ["refs", { kind: "cut", afterBytes: 60 }, EXIT_CODES.unreachable, /transfer closed/],
  ["git-receive-pack", { kind: "status", status: 403 }, EXIT_CODES.credentials, /error: 403/],
  ["git-receive-pack", { kind: "status", status: 413 }, EXIT_CODES.failed, /it is too large/],
  [
    "git-receive-pack",
    { kind: "cut-request", afterBytes: 500 },
    EXIT_CODES.unreachable,
    /cannot be reached/,
  ],
];

Deno.test("a connection that is lost in the middle of a push: said, and the next push sends all of it", async () => {
  await using internet = await Internet.create();
  const { machine, server } = internet;
  for (const [service, fault, code, message] of LOST_PUSHES) {
    const said = internet.say(`${service} ${fault.kind} ${crypto.randomUUID()}`);
    const before = await internet.head();
    const transcript = machine.read(BASE);
    server.failNext(service, fault);
    assertExplained(await machine.try("push"), code, message);
    assert.equal(await internet.head(), before);
    assert.match((await machine.ccsync("status")).stdout, /^trouble +ccsync push/m);
    server.heal();
    await machine.ccsync("push");
    assert.equal(await internet.countInHub(said), 1);
    assert.equal(machine.read(BASE), transcript);
  }
});

Deno.test("a hub that accepts a push and loses the connection before it answers gets nothing twice", async () => {
  await using internet = await Internet.create();
  const { machine, server } = internet;
  const faults: readonly Fault[] = [{ kind: "swallow" }, { kind: "cut", afterBytes: 10 }];
  for (const fault of faults) {
    const said = internet.say(`swallowed ${fault.kind}`);
    const before = await internet.head();
    server.failNext("git-receive-pack", fault);
    const result = await machine.try("push");
    assertExplained(result, EXIT_CODES.unreachable, /cannot be reached/);
    const accepted = await internet.head();
    assert.notEqual(accepted, before);
    server.heal();
    assert.match((await machine.ccsync("push")).stdout, /nothing to push/);
    assert.equal(await internet.head(), accepted);
    assert.equal(await internet.countInHub(said), 1);
  }
});

Deno.test("a connection that is lost in the middle of a fetch changes nothing, and the next pull brings all", async () => {
  await using internet = await Internet.create();
  const { machine, other, server } = internet;
  plantAll(other);
  await other.ccsync("push");
  const faults: readonly Fault[] = [
    { kind: "cut", afterBytes: 40 },
    { kind: "cut", afterBytes: 700 },
    { kind: "swallow" },
    { kind: "status", status: 500 },
  ];
  for (const fault of faults) {
    server.failWith((service) => service === "git-upload-pack" ? fault : undefined);
    const result = await machine.try("pull");
    assertExplained(result, EXIT_CODES.unreachable, /cannot be reached/);
    assert.ok(!machine.has(BASE));
  }
  server.heal();
  await machine.ccsync("pull");
  assert.equal(machine.neutral(machine.read(BASE)), other.neutral(other.read(BASE)));
  assert.equal(machine.readFile(note(machine)), other.readFile(note(other)));
  assert.match(machine.readFile(sidecar(machine)), /^see /);
});

for (const times of [1, 3, 20]) {
  Deno.test(`a push that somebody else is faster than ${times} times in a row arrives, once`, async () => {
    await using internet = await Internet.create();
    const { machine, server, world } = internet;
    const said = internet.say("patient");
    let left = times;
    server.failWith((service) => {
      if (service !== "git-receive-pack" || left-- <= 0) return undefined;
      return world.changeHub({ [`other/${left}`]: "somebody was faster\n" });
    });
    await using workspace = openWorkspace(machine, { hostname: Deno.hostname() });
    const { retries, sessions } = await pushWithoutWaiting(workspace);
    assert.equal(retries, times);
    assert.equal(sessions.length, 1);
    assert.equal(await internet.countInHub(said), 1);
  });
}

/** Pushes; the random waits between tries are as short as can be. */
async function pushWithoutWaiting(
  workspace: Parameters<typeof push>[0],
): ReturnType<typeof push> {
  const { random } = Math;
  Math.random = () => 0;
  try {
    return await push(workspace, { isDryRun: false, all: false });
  } finally {
    Math.random = random;
  }
}

Deno.test("a hook of the hub that refuses is quoted, and the push goes through once it agrees", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using internet = await Internet.create();
  const { other: machine, world } = internet;
  const said = internet.say("refused", machine);
  const hook = join(world.hub, "hooks/pre-receive");
  Deno.mkdirSync(join(world.hub, "hooks"), { recursive: true });
  const script = "#!/bin/sh\necho 'no secrets in this repository, please' >&2\nexit 1\n";
  Deno.writeTextFileSync(hook, script, { mode: 0o755 });
  const result = await machine.try("push");
  assertExplained(result, EXIT_CODES.failed, /it refused: pre-receive hook declined; no secrets/);
  assert.match((await machine.ccsync("status")).stdout, /^trouble .*no secrets/m);
  Deno.removeSync(hook);
  await machine.ccsync("push");
  assert.equal(await internet.countInHub(said), 1);
});

Deno.test("two ccsync processes on one machine at once: both succeed, and nothing is sent twice", async () => {
  await using internet = await Internet.create();
  const { machine } = internet;
  const said = internet.say("twice");
  const results = await Promise.all([
    machine.try("push"),
    machine.try("push"),
    machine.try("pull"),
  ]);
  for (const result of results) assert.equal(result.code, 0, result.stderr);
  assert.equal(await internet.countInHub(said), 1);
});
