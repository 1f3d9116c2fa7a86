/**
 * What `ccsync init` asks on a terminal, and what wrong answers lead to: the question again, and nothing
 * written before all is answered.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { lstatIfThere } from "../../src/machine/files.ts";
import { invocationOf } from "../support/ccsync.ts";
import { GITHUB, Github, noGithub } from "../support/github.ts";
import { terminalTest, Tmux } from "../support/tmux.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

const QUESTIONS = {
  hub: "Where is the hub?",
  id: "What is this machine called?",
  folders: "Commas between them:",
  nowhere: "for nowhere:",
  summary: "Set this machine up like this?",
} as const;

async function init(machine: TestMachine, columns = 80, ...more: string[]): Promise<Tmux> {
  const { args, env, path } = await invocationOf(machine, ["init", ...more]);
  return await Tmux.start([path, ...args], { columns, rows: 40, env });
}

/** Returns the screen as one line, whatever the width of the terminal. */
async function text(terminal: Tmux): Promise<string> {
  return (await terminal.screen()).replaceAll("\n", "");
}

/** Waits until the terminal shows a text, wherever its lines end. */
async function shows(terminal: Tmux, wanted: string): Promise<string> {
  const pattern = [...wanted].map((letter) =>
    letter === " " ? "[ \\n]\\n?" : RegExp.escape(letter)
  );
  await terminal.waitFor(new RegExp(pattern.join("\\n?")));
  return await text(terminal);
}

async function accept(terminal: Tmux, question: string): Promise<void> {
  await shows(terminal, question);
  await terminal.press("Enter");
}

async function answer(terminal: Tmux, question: string, typed: string): Promise<void> {
  await shows(terminal, question);
  await terminal.press("C-u");
  await terminal.type(typed);
  await terminal.press("Enter");
}

/** Answers wrongly, and returns what is said about it. */
async function refused(terminal: Tmux, typed: string, reason: string): Promise<void> {
  await terminal.press("C-u");
  await terminal.type(typed);
  await terminal.press("Enter");
  await shows(terminal, reason);
}

/** Gives a machine a session in a project. */
function holdSession(machine: TestMachine, project: string, n: number): void {
  const cwd = machine.own(join(machine.projects, project));
  Deno.mkdirSync(cwd, { recursive: true });
  const id = `3aaaaaaa-0000-4000-8000-00000000000${n}`;
  machine.write(id, promptLine({ id, cwd, text: "Fix the login page" }) + "\n", project);
}

const configOf = ({ ccsyncHome }: TestMachine) =>
  JSON.parse(Deno.readTextFileSync(join(ccsyncHome, "config.json")));
const isSetUp = ({ ccsyncHome }: TestMachine) => lstatIfThere(ccsyncHome) !== undefined;

for (const columns of [80, 40]) {
  terminalTest(
    `a first and a second machine are set up by pressing Enter, at ${columns} columns`,
    async () => {
      await using world = await World.create();
      await using github = await Github.start();
      const laptop = world.machine("laptop", { env: github.env });
      ["app", "site"].forEach((project, i) => holdSession(laptop, project, i));
      {
        await using terminal = await init(laptop, columns);
        await accept(terminal, QUESTIONS.hub);
        await answer(terminal, QUESTIONS.id, "laptop");
        await accept(terminal, QUESTIONS.folders);
        const summary = await shows(terminal, QUESTIONS.summary);
        assert.match(summary, /claude-sessions\.git \(will be created, ?private\)/);
        assert.deepEqual([...github.repositories], [], "nothing was created yet");
        await terminal.press("Enter");
        await shows(terminal, "ended with 0");
      }
      assert.deepEqual(configOf(laptop).custom_placeholders, { PROJECTS: laptop.projects });
      assert.deepEqual(configOf(laptop).sync_directories, [laptop.projects]);
      const desk = world.machine("desk", { env: github.env, projects: "work" });
      holdSession(desk, "app", 5);
      await using terminal = await init(desk, columns);
      await accept(terminal, QUESTIONS.hub);
      await answer(terminal, QUESTIONS.id, "desk");
      const question = `PROJECTS is ${laptop.projects} on laptop; where is it here?`;
      const asked = await shows(terminal, QUESTIONS.nowhere);
      assert.ok(asked.replaceAll(" ", "").includes(question.replaceAll(" ", "")), asked);
      await accept(terminal, QUESTIONS.nowhere);
      await accept(terminal, QUESTIONS.folders);
      await accept(terminal, QUESTIONS.summary);
      await shows(terminal, "ended with 0");
      assert.equal(configOf(desk).remote, `https://${GITHUB}/alice/claude-sessions.git`);
      assert.deepEqual(configOf(desk).custom_placeholders, { PROJECTS: desk.projects });
      assert.deepEqual(configOf(desk).sync_directories, [desk.projects]);
    },
    noGithub,
  );
}

terminalTest("leaving at any question leaves nothing behind", async () => {
  await using world = await World.create();
  const first = await world.joined("first");
  const questions = [QUESTIONS.id, QUESTIONS.nowhere, QUESTIONS.folders, QUESTIONS.summary];
  for (const last of [QUESTIONS.hub, ...questions]) {
    const machine = world.machine("second", { projects: "work" });
    const options = last === QUESTIONS.hub ? [] : ["--remote", world.hub];
    await using terminal = await init(machine, 80, ...options);
    for (const question of questions.slice(0, Math.max(0, questions.indexOf(last as never)))) {
      await accept(terminal, question);
    }
    await shows(terminal, last);
    await terminal.press("C-c");
    assert.equal(await terminal.exitCode(), EXIT_CODES.cancelled, last);
    assert.ok(!isSetUp(machine), last);
  }
  assert.deepEqual(Object.keys(JSON.parse(await world.hubFile("shared_placeholders.json"))), [
    "PROJECTS",
  ]);
  assert.ok(isSetUp(first));
});

terminalTest("a no to the summary changes nothing, and creates no hub", async () => {
  await using world = await World.create();
  const machine = world.machine("laptop");
  await using terminal = await init(machine, 80, "--remote", world.hub);
  await accept(terminal, QUESTIONS.id);
  await accept(terminal, QUESTIONS.folders);
  await shows(terminal, QUESTIONS.summary);
  await terminal.press("n", "Enter");
  assert.equal(await terminal.exitCode(), EXIT_CODES.cancelled);
  assert.ok(!isSetUp(machine));
  assert.equal(lstatIfThere(world.hub), undefined);
});

terminalTest("a wrong answer is asked for again, with the reason", async () => {
  await using world = await World.create();
  await world.joined("first");
  const machine = world.machine("second", { projects: "work" });
  const file = join(machine.home, "file");
  Deno.writeTextFileSync(file, "x");
  const folder = join(machine.home, "full");
  Deno.mkdirSync(folder);
  Deno.writeTextFileSync(join(folder, "x"), "x");
  await using terminal = await init(machine, 200);
  // GitHub, where gh is not logged in or not there.
  await accept(terminal, QUESTIONS.hub);
  await terminal.waitFor(/error: cannot ask GitHub: gh.*\n(?:.*\n)*hint: .*gh auth login/);
  await terminal.press("Down", "Enter");
  await shows(terminal, "Which URL?");
  await refused(terminal, "github.com/you/sessions", "it is no URL");
  await refused(terminal, "https://you:secret@host/x.git", "it holds credentials");
  await refused(terminal, "ext::sh -c id", "this protocol can run programs");
  await terminal.press("C-u");
  await terminal.type("http://127.0.0.1:1/x.git");
  await terminal.press("Enter");
  await terminal.waitFor(/error: .*the hub cannot be reached/);
  await terminal.press("Down", "Down", "Enter");
  await shows(terminal, "Which folder?");
  await refused(terminal, "hub.git", "it is no absolute path");
  await refused(terminal, file, "it is a file");
  await terminal.press("C-u");
  await terminal.type("~/full");
  await terminal.press("Enter");
  await terminal.waitFor(/error: .*full" as the hub: it is not a git repository/);
  await terminal.press("Down", "Down", "Enter");
  await terminal.waitFor(/\? Which folder\? *$/);
  await terminal.type(world.hub);
  await terminal.press("Enter");
  await shows(terminal, QUESTIONS.id);
  await refused(terminal, "my mac", "it must be 1 to 64 letters");
  await refused(terminal, "first", "another machine has that id");
  await refused(terminal, "../x", "it must be 1 to 64 letters");
  await answer(terminal, QUESTIONS.id, "second");
  await shows(terminal, QUESTIONS.nowhere);
  await refused(terminal, "work", "it is not an absolute path");
  await refused(terminal, "/", "the root of the file system");
  await refused(terminal, file, "it is no directory");
  await answer(terminal, QUESTIONS.nowhere, "~/work");
  await shows(terminal, QUESTIONS.folders);
  await refused(terminal, "work", "is not an absolute path");
  await refused(terminal, `${machine.projects}, ${file}`, "it is no directory");
  await refused(terminal, ",", "name one at least");
  await answer(terminal, QUESTIONS.folders, "~/work, ~/not-yet");
  await accept(terminal, QUESTIONS.summary);
  await terminal.waitFor(/warning: ".*not-yet" is no directory/);
  assert.equal(await terminal.exitCode(), 0);
  const config = configOf(machine);
  assert.deepEqual(config.custom_placeholders, {
    PROJECTS: machine.projects,
    NOT_YET: join(machine.home, "not-yet"),
  });
  assert.deepEqual(config.sync_directories, [machine.projects, join(machine.home, "not-yet")]);
});

terminalTest("init again, with Enter alone, changes nothing; an option asks nothing", async () => {
  await using world = await World.create();
  await world.joined("first");
  const machine = await world.joined("second", { projects: "work" });
  const path = join(machine.ccsyncHome, "config.json");
  const before = Deno.readTextFileSync(path);
  {
    await using terminal = await init(machine);
    await accept(terminal, QUESTIONS.hub);
    await accept(terminal, QUESTIONS.id);
    await accept(terminal, QUESTIONS.folders);
    await accept(terminal, QUESTIONS.summary);
    assert.equal(await terminal.exitCode(), 0);
  }
  assert.equal(Deno.readTextFileSync(path), before);
  {
    await using terminal = await init(machine, 80, "--add-placeholder", `WORK=${machine.home}/w`);
    assert.equal(await terminal.exitCode(), 0);
  }
  const { custom_placeholders: now, ...rest } = configOf(machine);
  const { custom_placeholders: then, ...same } = JSON.parse(before);
  assert.deepEqual(now, { ...then, WORK: `${machine.home}/w` });
  assert.deepEqual(rest, same);
});

terminalTest(
  "a public repository is refused, and another one can be named",
  async () => {
    await using world = await World.create();
    await using github = await Github.start();
    await github.addRepository("alice/claude-sessions", "public");
    const machine = world.machine("laptop", { env: github.env });
    await using terminal = await init(machine, 100);
    await accept(terminal, QUESTIONS.hub);
    await terminal.waitFor(/error: .*it is public: everybody could read your sessions/);
    await terminal.press("Down", "Enter");
    await shows(terminal, "Which repository?");
    await refused(terminal, "a/b/c", "it is not OWNER/NAME");
    await answer(terminal, "Which repository?", "alice/sessions");
    await accept(terminal, QUESTIONS.id);
    await accept(terminal, QUESTIONS.folders);
    await accept(terminal, QUESTIONS.summary);
    assert.equal(await terminal.exitCode(), 0);
    assert.equal(github.repositories.get("alice/sessions"), "private");
  },
  noGithub,
);
