/**
 * ccsync's hooks in the real client: without a terminal, in one, and when the client is ended.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { entriesOf } from "../../src/machine/files.ts";
import { invocationOf } from "../support/ccsync.ts";
import { described, until } from "../support/process.ts";
import { terminalTest, Tmux } from "../support/tmux.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";
import { installClient, interactiveClient, runClient } from "./claude_client.ts";
import { startStubApi, type StubApi } from "./stub_api.ts";

const executable = Deno.build.os === "windows" ? undefined : await installClient();
const obstacle = executable === undefined ? "the client is not here" : undefined;

const RULES = [{ match: "^say hello", steps: [{ text: "Hello from {{cwd}}." }] }];

/** A machine whose client has ccsync's hooks. */
async function hooked(world: World, id: string): Promise<TestMachine> {
  const machine = await world.joined(id);
  Deno.mkdirSync(join(machine.projects, "app"));
  await machine.ccsync("setup-hooks");
  return machine;
}

/** Starts the client in a terminal, in the project's directory. Dispose what is returned. */
async function inTerminal(
  machine: TestMachine,
  { port }: StubApi,
  ...args: readonly string[]
): Promise<Tmux> {
  assert.ok(executable !== undefined);
  const { home, tmp } = machine;
  const cwd = join(machine.projects, "app");
  const { env } = await invocationOf(machine, []);
  const start = await interactiveClient({ executable, home, cwd, tmp, port, env });
  const command = ["sh", "-c", `${start} "$@"`, "sh", ...args];
  return await Tmux.start(command, { columns: 110, rows: 35, cwd });
}

async function say(terminal: Tmux, text: string): Promise<void> {
  await terminal.waitFor(/^❯/m);
  await terminal.type(text);
  await terminal.waitFor(new RegExp(`❯\\s${text}`));
  await terminal.press("Enter");
}

/** Returns the session that the client has open, and the client's process. */
async function openSession(machine: TestMachine): Promise<{ pid: number; id: string }> {
  return await until("the client's claim", () => {
    const [file] = entriesOf(join(machine.claude, "sessions"))
      .filter(({ name }) => name.endsWith(".json"));
    if (file === undefined) return undefined;
    const { pid, sessionId: id } = JSON.parse(machine.readFile(`sessions/${file.name}`));
    return { pid, id };
  });
}

/** Stops the daemon, which a hook may have started this moment. */
async function stopDaemon(machine: TestMachine): Promise<void> {
  await until("the daemon", async () => {
    const { stdout } = await machine.ccsync("daemon", "--status", "--json");
    return JSON.parse(stdout).isRunning ? true : undefined;
  });
  await machine.ccsync("daemon", "--stop");
}

async function isPushed(world: World, id: string, text: string): Promise<true | undefined> {
  return (await world.hubTranscript(id)).includes(text) ? true : undefined;
}

Deno.test({
  name: "hooks in -p: the daemon is started, and what was said is in the hub without any command",
  ignore: executable === undefined,
  async fn() {
    assert.ok(executable !== undefined);
    await using world = await World.create();
    await using stub = startStubApi({ rules: RULES });
    const desk = await hooked(world, "desk");
    const { env } = await invocationOf(desk, []);
    const args = ["-p", "say hello", "--output-format", "json"];
    const cwd = join(desk.projects, "app");
    const { home, tmp } = desk;
    const result = await runClient({ executable, home, cwd, tmp, port: stub.port, env, args });
    assert.equal(result.code, 0, described(result));
    try {
      const { session_id } = JSON.parse(result.stdout);
      await until("the push", () => isPushed(world, session_id, "Hello from"));
    } finally {
      await stopDaemon(desk);
    }
  },
});

terminalTest(
  "hooks in a terminal: a session is locked while it is open, pushed after a turn, and released on exit",
  async () => {
    await using world = await World.create();
    await using stub = startStubApi({ rules: RULES });
    const desk = await hooked(world, "desk");
    try {
      await using terminal = await inTerminal(desk, stub);
      await say(terminal, "say hello");
      await terminal.waitFor("Hello from");
      const { id } = await openSession(desk);
      await until("the push", () => isPushed(world, id, "Hello from"));
      await until("the lock", () => world.hubLock(id));
      await say(terminal, "/exit");
      await terminal.exitCode();
      await until("the release", async () => await world.hubLock(id) === undefined || undefined);
      const transcript = desk.read(id);
      await until("the last line", async () => {
        const lines = (await world.hubTranscript(id)).split("\n").length;
        return lines === transcript.split("\n").length ? true : undefined;
      });
    } finally {
      await stopDaemon(desk);
    }
  },
  obstacle,
);

for (const signal of ["SIGTERM", "SIGHUP", "SIGKILL"] as const) {
  terminalTest(
    `hooks when the client is ended by ${signal}: all is pushed, and the lock is released`,
    async () => {
      await using world = await World.create();
      await using stub = startStubApi({ rules: RULES });
      const desk = await hooked(world, "desk");
      // Nobody announces what SIGKILL ended: the next run finds out.
      await desk.ccsync("daemon", "--detach", "--interval", "5");
      try {
        await using terminal = await inTerminal(desk, stub);
        await say(terminal, "say hello");
        await terminal.waitFor("Hello from");
        const { id, pid } = await openSession(desk);
        await until("the lock", () => world.hubLock(id));
        Deno.kill(pid, signal);
        // What SIGKILL ended has not tidied the screen.
        await terminal.waitFor(/ended with \d+/);
        await until("the push", () => isPushed(world, id, "Hello from"));
        await until("the release", async () => await world.hubLock(id) === undefined || undefined);
      } finally {
        await stopDaemon(desk);
      }
    },
    obstacle,
  );
}

terminalTest(
  "a session that another machine has open is announced inside Claude Code",
  async () => {
    await using world = await World.create();
    await using stub = startStubApi({ rules: RULES });
    const desk = await hooked(world, "desk");
    const laptop = await world.joined("laptop");
    const id = "2aaaaaaa-0000-4000-8000-000000000001";
    const cwd = join(laptop.projects, "app");
    laptop.write(id, promptLine({ id, cwd, text: "begun on the laptop" }));
    const claim = { pid: Deno.pid, sessionId: id, updatedAt: Date.now() };
    laptop.writeFile(`sessions/${Deno.pid}.json`, JSON.stringify(claim));
    await laptop.ccsync("daemon", "--detach");
    try {
      await until("the push", () => isPushed(world, id, "begun on the laptop"));
      await until("the lock", () => world.hubLock(id));
      await desk.ccsync("pull");
      await using terminal = await inTerminal(desk, stub, "--resume", id);
      const screen = await terminal.waitFor(/ccsync:\s+this\s+session\s+is\s+open\s+on\s+laptop/);
      assert.match(screen.replaceAll(/\s+/g, " "), /close it there/);
      await say(terminal, "/exit");
      await terminal.exitCode();
    } finally {
      await stopDaemon(laptop);
      await stopDaemon(desk);
    }
  },
  obstacle,
);
