/**
 * What `ccsync resume` asks and does in a terminal, with a script in place of Claude Code.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { invocationOf } from "../support/ccsync.ts";
import { until } from "../support/process.ts";
import { terminalTest, Tmux } from "../support/tmux.ts";
import { promptLine, STAYS_OPEN, type TestMachine, World } from "../support/world.ts";

const ID = "3aaaaaaa-0000-4000-8000-000000000001";

function line(machine: TestMachine, text: string): string {
  return promptLine({ id: ID, cwd: machine.own(join(machine.projects, "app")), text });
}

/** Two machines with one session; the second one has not pulled it. */
async function twoMachines(world: World): Promise<[TestMachine, TestMachine]> {
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "work" });
  for (const { projects } of [laptop, desk]) Deno.mkdirSync(join(projects, "app"));
  laptop.write(ID, line(laptop, "Fix the login page"));
  await laptop.ccsync("push");
  return [laptop, desk];
}

async function inTerminal(machine: TestMachine, ...args: readonly string[]): Promise<Tmux> {
  const { args: all, env, path } = await invocationOf(machine, args);
  return await Tmux.start([path, ...all], { columns: 100, rows: 30, env });
}

terminalTest("a session that is locked elsewhere is taken over only after a yes", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world);
  laptop.scriptClaude(STAYS_OPEN);
  desk.scriptClaude("echo up and away");
  await using running = await laptop.start("resume", ID);
  await until("the lock", () => world.hubLock(ID));
  {
    await using terminal = await inTerminal(desk, "resume", ID);
    const screen = await terminal.waitFor("Take it over?");
    assert.match(screen, /locked by laptop \(host .*\) since just now/);
    await terminal.press("Enter");
    assert.equal(await terminal.exitCode(), EXIT_CODES.locked);
    assert.deepEqual(desk.clientStarts(), []);
  }
  {
    await using terminal = await inTerminal(desk, "resume", ID);
    await terminal.waitFor("Take it over?");
    await terminal.press("y", "Enter");
    await terminal.waitFor("up and away");
    assert.equal(await terminal.exitCode(), 0);
  }
  laptop.closeClient();
  assert.equal((await running.ended).code, 0);
});

terminalTest("a missing directory is asked for: another one, a new one, or not now", async () => {
  await using world = await World.create();
  const [, desk] = await twoMachines(world);
  Deno.removeSync(join(desk.projects, "app"));
  desk.scriptClaude("echo up in $PWD");
  const elsewhere = join(desk.home, "else");
  Deno.mkdirSync(elsewhere);
  {
    await using terminal = await inTerminal(desk, "resume", ID);
    await terminal.waitFor("The project is not here.");
    await terminal.press("Down", "Down", "Enter");
    assert.equal(await terminal.exitCode(), EXIT_CODES.setup);
  }
  {
    await using terminal = await inTerminal(desk, "resume", ID);
    await terminal.waitFor("The project is not here.");
    await terminal.press("Enter");
    await terminal.waitFor("Directory:");
    await terminal.type(elsewhere);
    await terminal.press("Enter");
    assert.equal(await terminal.exitCode(), 0);
    assert.deepEqual(desk.clientStarts().at(-1)?.[0], elsewhere);
  }
  {
    await using terminal = await inTerminal(desk, "resume", ID);
    await terminal.waitFor("The project is not here.");
    await terminal.press("Down", "Enter");
    assert.equal(await terminal.exitCode(), 0);
    assert.deepEqual(desk.clientStarts().at(-1)?.[0], join(desk.projects, "app"));
  }
});

terminalTest(
  "while Claude Code has the terminal, nothing is written there: a lost lock is told after",
  async () => {
    await using world = await World.create();
    const [laptop, desk] = await twoMachines(world);
    laptop.setTimes({ interval: 1 });
    laptop.scriptClaude(`echo the client is here\n${STAYS_OPEN}`);
    desk.scriptClaude("");
    await using terminal = await inTerminal(laptop, "resume", ID);
    await terminal.waitFor("the client is here");
    await until("the lock", () => world.hubLock(ID));
    await desk.ccsync("resume", ID, "--takeover");
    desk.scriptClaude(STAYS_OPEN);
    await using taker = await desk.start("resume", ID, "--takeover");
    await until("the other lock", async () => {
      return (await world.hubLock(ID))?.["machine"] === "desk" ? true : undefined;
    });
    laptop.append(ID, line(laptop, "after the takeover"));
    await until("the line in the hub", async () => {
      return (await world.hubTranscript(ID)).includes("after the takeover") ? true : undefined;
    });
    assert.doesNotMatch(await terminal.screen(), /taken this session over/);
    laptop.closeClient();
    await terminal.waitFor("warning: desk has taken this session over");
    assert.equal(await terminal.exitCode(), 0);
    desk.closeClient();
    assert.equal((await taker.ended).code, 0);
  },
);

terminalTest(
  "a terminal that is closed ends Claude Code; the session is pushed and released",
  async () => {
    await using world = await World.create();
    const [, desk] = await twoMachines(world);
    const words = join(desk.home, "words.jsonl");
    Deno.writeTextFileSync(words, line(desk, "words at the end"));
    const transcript = desk.transcriptPath(ID);
    desk.scriptClaude(`trap 'cat "${words}" >> "${transcript}"; exit 129' HUP\n${STAYS_OPEN}`);
    {
      await using terminal = await inTerminal(desk, "resume", ID);
      await until("the lock", () => world.hubLock(ID));
      await terminal.waitFor("resuming");
      await desk.clientUp();
    }
    await until("the words in the hub", async () => {
      return (await world.hubTranscript(ID)).includes("words at the end") ? true : undefined;
    });
    await until("the lock's end", async () => await world.hubLock(ID) === undefined || undefined);
  },
);

terminalTest("Ctrl-C reaches Claude Code alone, and the picker leaves with 130", async () => {
  await using world = await World.create();
  const [, desk] = await twoMachines(world);
  desk.scriptClaude(`trap 'echo interrupted' INT\n${STAYS_OPEN}`);
  {
    await using terminal = await inTerminal(desk, "resume");
    await terminal.waitFor("Which session?");
    await terminal.press("C-c");
    assert.equal(await terminal.exitCode(), EXIT_CODES.cancelled);
  }
  await using terminal = await inTerminal(desk, "resume");
  await terminal.waitFor("Which session?");
  await terminal.press("Enter");
  await desk.clientUp();
  await terminal.press("C-c");
  await terminal.waitFor("interrupted");
  desk.closeClient();
  assert.equal(await terminal.exitCode(), 0);
  assert.equal(await world.hubLock(ID), undefined);
});
