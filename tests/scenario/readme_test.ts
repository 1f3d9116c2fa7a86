/**
 * README's examples, played again: what stands there runs, and its transcripts are what the program prints.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { section } from "../../scripts/markdown.ts";
import { invocationOf, shellEnvironment } from "../support/ccsync.ts";
import { GITHUB, Github, noGithub } from "../support/github.ts";
import { described, runToEnd } from "../support/process.ts";
import { terminalTest, Tmux } from "../support/tmux.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

const README = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));

/** Returns the transcripts, a list of lines each. */
function transcripts(): string[][] {
  return [...README.matchAll(/^```console\n([^]*?)^```$/gm)].map(([, block = ""]) =>
    block.trimEnd().split("\n")
  );
}

/** Questions with a list of answers or a yes; the others are answered by typing. */
const CHOSEN = ["Where is the hub?", "Set this machine up like this?"];

/** Plays a transcript on a machine, and returns what the terminal shows in the end, in README's words. */
async function play(machine: TestMachine, root: string, transcript: string[]): Promise<string[]> {
  const [command = "", ...lines] = transcript;
  const { args, env, path } = await invocationOf(machine, command.split(" ").slice(2));
  // Wide enough for the paths of a test.
  await using terminal = await Tmux.start([path, ...args], { columns: 400, rows: 50, env });
  for (const line of lines.filter((line) => line.startsWith("✔ "))) {
    const chosen = CHOSEN.find((question) => line.startsWith(`✔ ${question}`));
    const [, question = "", typed = ""] = /^✔ (.*[?:]) (.*)$/.exec(line) ?? [];
    if (chosen !== undefined) await terminal.waitFor(`? ${chosen}`);
    else {
      const end = question.split(" ").slice(-3).join(" ");
      await terminal.waitFor(new RegExp(`^\\? .*${RegExp.escape(end)}`, "m"));
      await terminal.press("C-u");
      await terminal.type(typed.replace(/^(?=\/)/, root));
    }
    await terminal.press("Enter");
  }
  assert.equal(await terminal.exitCode(), 0);
  const screen = (await terminal.screen()).split("\nended with")[0] ?? "";
  return screen.replaceAll(`${machine.world.folder}/laptop`, "").replaceAll(root, "")
    .replaceAll(GITHUB, "github.com").replaceAll("alice/", "you/").split("\n");
}

terminalTest("README's set-up of a first and a second machine is what happens", async () => {
  const [first = [], second = []] = transcripts();
  await using world = await World.create();
  await using github = await Github.start();
  const { env } = github;
  const laptop = world.machine("laptop", { env, home: "laptop/home/you" });
  const id = "3aaaaaaa-0000-4000-8000-000000000001";
  const cwd = join(laptop.projects, "app");
  Deno.mkdirSync(cwd);
  laptop.write(id, promptLine({ id, cwd, text: "Fix the login page" }) + "\n");
  assert.deepEqual(await play(laptop, `${world.folder}/laptop`, first), first.slice(1));
  const mac = world.machine("macbook", { env, home: "mac/Users/you", projects: "dev" });
  assert.deepEqual(await play(mac, `${world.folder}/mac`, second), second.slice(1));
}, noGithub);

/** Returns the shell's examples under a heading. */
function examples(heading: string): string[] {
  return [...section(README, heading).matchAll(/^```sh\n([^]*?)^```$/gm)]
    .map(([, block = ""]) => block);
}

/** Returns the paths of all files under a folder with what they hold. */
function contents(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const { isDirectory, name } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (!isDirectory) found.set(path, Deno.readTextFileSync(path));
    else for (const [inner, text] of contents(path)) found.set(inner, text);
  }
  return found;
}

Deno.test({
  name: "README's try-out brings sessions with new paths, and writes nothing outside its folder",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const [trial = "", look = ""] = examples("Try it without an account");
    await using world = await World.create();
    const laptop = world.machine("laptop");
    laptop.plant("variants/base.jsonl");
    laptop.plantAll();
    const env = { ...await shellEnvironment(laptop), TMPDIR: world.folder };
    const before = contents(world.folder);
    const script = `set -e\n${trial}echo "in $try"\n${look}`;
    const result = await runToEnd("sh", { args: ["-c", script], cwd: laptop.home, env });
    assert.equal(result.code, 0, described(result));
    const [listed = "", counted = ""] = result.stdout.split(/^in .*\n/m);
    const [, folder = ""] = /^in (.*)$/m.exec(result.stdout) ?? [];
    assert.match(listed, /SESSION +TITLE[^]*laptop/);
    const directories = [...counted.matchAll(/^ *\d+ "cwd":"(.*)"$/gm)].map(([, path]) =>
      path ?? ""
    );
    assert.notDeepEqual(directories, []);
    const home = await Deno.realPath(world.folder).then((path) =>
      folder.replace(world.folder, path)
    );
    for (const path of directories) assert.ok(path.startsWith(`${home}/desk/`), path);
    assert.deepEqual(contents(world.folder), before);
  },
});

terminalTest("README's daily use is what a day needs", async () => {
  // What makes the system start programs is not for tests: tests/scenario/schedule_test.ts has systems for it.
  const blocks = examples("Daily use").filter((block) => !block.includes("daemon install"));
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "work" });
  Deno.mkdirSync(join(desk.projects, "app"));
  const id = "3aaaaaaa-0000-4000-8000-000000000001";
  const cwd = join(laptop.projects, "app");
  laptop.write(id, promptLine({ id, cwd, text: "Fix the login page" }));
  await laptop.ccsync("push");
  desk.scriptClaude("echo working");
  const env = await shellEnvironment(desk);
  const script = `set -e\n${blocks.join("")}`;
  await using terminal = await Tmux.start(["sh", "-c", script], { columns: 100, rows: 200, env });
  await terminal.waitFor("Which session?");
  await terminal.press("Enter");
  assert.equal(await terminal.exitCode(), 0, await terminal.screen());
  const resumed = [join(desk.projects, "app"), "--resume", id];
  const starts = desk.clientStarts().filter(([, option]) => option === "--resume");
  assert.deepEqual(starts, [resumed, resumed]);
});
