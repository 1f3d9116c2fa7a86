/**
 * README's transcripts, played again: what stands there is what the program prints.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { invocationOf } from "../support/ccsync.ts";
import { GITHUB, Github, noGithub } from "../support/github.ts";
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
