import assert from "node:assert/strict";
import { runToEnd } from "../support/process.ts";
import { terminalTest, Tmux } from "../support/tmux.ts";
import { ask, asking } from "./picker/terminal.ts";

/** Checks that the terminal is as a shell wants it. */
async function assertRestored(terminal: Tmux): Promise<void> {
  assert.equal(await terminal.ask("#{cursor_flag} #{alternate_on}"), "1 0");
  await terminal.type("stty -a");
  await terminal.press("Enter");
  assert.match(await terminal.waitFor(/isig/), /isig icanon .*\becho\b/);
}

const KINDS = ["pick 12", "confirm", "input", "choose"] as const;

/** What shows that a prompt waits for keys. */
const READY = {
  "pick 12": "Which session?",
  confirm: "Take over?",
  input: "name?",
  choose: "three",
};

Deno.test("prompts end at once where no terminal is, and say what to pass", async () => {
  for (const kind of KINDS) {
    const { args, env, path } = await asking(...kind.split(" "));
    const { code, stderr } = await runToEnd(path, { args, cwd: ".", env, timeoutMs: 30_000 });
    assert.equal(code, 2, kind);
    assert.match(
      stderr,
      /^error: cannot ask "[^"]+\?": this is no terminal\nhint: pass --something$/m,
    );
  }
});

terminalTest("prompts end at once where stderr is no terminal", async () => {
  const { args, env, path } = await asking("confirm");
  const script = `"$@" 2>errors; code=$?; cat errors; exit $code`;
  await using terminal = await Tmux.start(["sh", "-c", script, "sh", path, ...args], {
    columns: 90,
    rows: 24,
    env,
  });
  assert.equal(await terminal.exitCode(), 2);
  await terminal.waitFor("hint: pass --something");
});

terminalTest("Ctrl-C and Ctrl-D leave any prompt, with the terminal as it was", async () => {
  for (const kind of KINDS) {
    for (const key of ["C-c", "C-d"]) {
      await using terminal = await ask(kind);
      await terminal.waitFor(READY[kind]);
      await terminal.press(key);
      assert.equal(await terminal.exitCode(), 130, `${kind} ${key}`);
      await terminal.waitFor("error: cancelled");
      await assertRestored(terminal);
    }
  }
});

terminalTest("Ctrl-D leaves a prompt behind other keys of the same moment", async () => {
  await using terminal = await ask("confirm");
  await terminal.waitFor("Take over?");
  await terminal.press("Up", "C-d");
  assert.equal(await terminal.exitCode(), 130);
  await assertRestored(terminal);
});

terminalTest(
  "signals leave a prompt that hides the cursor, with the terminal as it was",
  async () => {
    for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) {
      await using terminal = await ask("choose");
      const [, pid] = /^pid (\d+)$/m.exec(await terminal.waitFor("three")) ?? [];
      assert.equal(await terminal.ask("#{cursor_flag}"), "0");
      Deno.kill(Number(pid), signal);
      assert.equal(await terminal.exitCode(), 130, signal);
      await assertRestored(terminal);
    }
  },
);

terminalTest("confirm() takes yes, no and the default", async () => {
  const cases: readonly [key: string, answer: string][] = [["y", "true"], ["n", "false"], [
    "",
    "false",
  ]];
  for (const [key, answer] of cases) {
    await using terminal = await ask("confirm");
    await terminal.waitFor("? Take over? (y/N)");
    if (key !== "") await terminal.type(key);
    await terminal.press("Enter");
    assert.equal(await terminal.exitCode(), 0);
    await terminal.waitFor(`answer: ${answer}`);
  }
});

terminalTest("input() says what is wrong with an answer, and has a default", async () => {
  await using terminal = await ask("input");
  await terminal.waitFor("Which name? (laptop)");
  await terminal.type("my mac");
  await terminal.press("Enter");
  await terminal.waitFor("> it has a space");
  await terminal.press("C-u");
  await terminal.press("Enter");
  await terminal.waitFor("answer: laptop");
});

terminalTest("choose() takes the one that the pointer is at", async () => {
  await using terminal = await ask("choose");
  await terminal.waitFor("three");
  await terminal.press("Down", "Enter");
  await terminal.waitFor("answer: 1");
});

terminalTest("prompts have no colours where NO_COLOR or --no-color forbids them", async () => {
  const cases: readonly [what: string, env: Record<string, string>, hasColor: boolean][] = [
    ["choose", {}, true],
    ["choose", { NO_COLOR: "1" }, false],
    ["choose --no-color", {}, false],
    ["confirm", { NO_COLOR: "1" }, false],
    ["input", { NO_COLOR: "1" }, false],
  ];
  for (const [what, env, hasColor] of cases) {
    await using terminal = await ask(what, { env });
    await terminal.waitFor(/\? (?:Take over|Which n)/);
    const screen = await terminal.screen({ isStyled: true });
    assert.equal(screen.includes("\u001b["), hasColor, JSON.stringify(screen));
  }
});

terminalTest(
  "several prompts in a row take their keys, and a child after them gets all of its",
  async () => {
    await using terminal = await ask("several");
    await terminal.waitFor("Sure?");
    await terminal.press("Enter");
    await terminal.waitFor("Which name?");
    await terminal.type("desk");
    await terminal.press("Enter");
    await terminal.waitFor("Which session?");
    await terminal.press("Down", "Enter");
    await terminal.waitFor(/^child$/m);
    for (const key of "keys!") await terminal.type(key);
    await terminal.waitFor("keys!");
    await terminal.waitFor("answer: true desk 00000001-");
    assert.equal(await terminal.exitCode(), 0);
  },
);
