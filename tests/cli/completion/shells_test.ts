/**
 * Completion as people meet it: in the real shells, with the real program, somebody presses Tab.
 *
 * @module
 */
import assert from "node:assert/strict";
import { completionScript } from "../../../src/cli/completion/scripts.ts";
import type { Shell } from "../../../src/cli/completion/shells.ts";
import { invocationOf } from "../../support/ccsync.ts";
import { Folder } from "../../support/folder.ts";
import { lint } from "../../support/linters.ts";
import { missing } from "../../support/programs.ts";
import { terminalTest, Tmux } from "../../support/tmux.ts";
import { promptLine, STAYS_OPEN, type TestMachine, World } from "../../support/world.ts";

const FIRST = "1a000000-0000-4000-8000-000000000001";
const SECOND = "2b000000-0000-4000-8000-000000000002";

/** A machine that has sessions, with `ccsync` among its programs. */
async function makeMachine(world: World): Promise<TestMachine> {
  const machine = await world.joined("laptop");
  const cwd = `${machine.projects}/app`;
  const at = "2026-01-01T00:00:00.000Z";
  machine.write(FIRST, promptLine({ id: FIRST, cwd, text: "Fix the parser: now", at }));
  machine.write(SECOND, promptLine({ id: SECOND, cwd, text: "Grüße, 日本 `rm` $(rm)", at }));
  await machine.ccsync("push");
  Deno.mkdirSync(`${machine.home}/my own folder`);
  const { args, env, path } = await invocationOf(machine, []);
  const command = [path, ...args].map((word) => `'${word}'`).join(" ");
  Deno.mkdirSync(`${machine.home}/bin`, { recursive: true });
  // A shell's own variables are not ccsync's.
  const variables = Object.entries(env).filter(([name]) => !["PATH", "LANG"].includes(name))
    .map(([name, value]) => `export ${name}='${value}'\n`).join("");
  const script = `#!/bin/sh\n${variables}exec ${command} "$@"\n`;
  Deno.writeTextFileSync(`${machine.home}/bin/ccsync`, script, { mode: 0o755 });
  return machine;
}

/** How a shell is started that shows `> ` and knows the completions, and what it reads when it starts. */
interface Setup {
  readonly command: readonly string[];
  readonly file: string;
  readonly content: (script: string) => string;
}

const SETUPS: Readonly<Record<Exclude<Shell, "powershell">, Setup>> = {
  bash: {
    command: ["bash", "--rcfile", "rc"],
    file: "rc",
    content: (script) => `PS1='> '\nbind 'set enable-bracketed-paste off'\n${script}`,
  },
  zsh: {
    command: ["zsh"],
    file: ".zshrc",
    content: (script) => `PS1='> '\nautoload -U compinit\ncompinit -D -u\n${script}`,
  },
  fish: {
    command: ["fish"],
    file: ".config/fish/config.fish",
    content: (script) =>
      `function fish_prompt; echo -n '> '; end\nset -g fish_greeting\nset -g fish_autosuggestion_enabled 0\n${script}`,
  },
};

async function startShell(machine: TestMachine, shell: keyof typeof SETUPS): Promise<Tmux> {
  const { command, content, file } = SETUPS[shell];
  const path = `${machine.home}/${file}`;
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  Deno.writeTextFileSync(path, content(completionScript(shell)));
  const tmux = await Tmux.start(command, {
    columns: 120,
    rows: 40,
    cwd: machine.home,
    env: { HOME: machine.home, PATH: `${machine.home}/bin:${Deno.env.get("PATH") ?? ""}` },
  });
  await tmux.waitFor(/^>$/m);
  return tmux;
}

/** What is typed before Tab, and the line that it becomes. */
const LINES: Readonly<Record<string, string>> = {
  "ccsync resu": "ccsync resume",
  "ccsync setup-hooks --rem": "ccsync setup-hooks --remove",
  "ccsync list --format j": "ccsync list --format json",
  "ccsync list --format=j": "ccsync list --format=json",
  "ccsync resume 1a": `ccsync resume ${FIRST}`,
  "ccsync resume --from lap": "ccsync resume --from laptop",
  "ccsync resume --from=lap": "ccsync resume --from=laptop",
  "ccsync config set-path PRO": "ccsync config set-path PROJECTS",
  "ccsync config add-placeholder PRO": "ccsync config add-placeholder PROJECTS=",
  "ccsync config add-placeholder NEW=proj": "ccsync config add-placeholder NEW=projects/",
  "ccsync resume --dir my": "ccsync resume --dir my\\ own\\ folder/",
  "ccsync resume --dir=proj": "ccsync resume --dir=projects/",
  "claude-session-sync stat": "claude-session-sync status",
};

for (const shell of ["bash", "zsh", "fish"] as const) {
  terminalTest(`${shell} completes commands, flags, values and paths`, async () => {
    await using world = await World.create();
    const machine = await makeMachine(world);
    await using tmux = await startShell(machine, shell);
    for (const [typed, expected] of Object.entries(LINES)) {
      await tmux.type(typed);
      await tmux.press("Tab");
      await tmux.waitFor(`> ${expected}`);
      await tmux.press("C-u", "C-l");
      await tmux.waitFor(/^>$/);
    }
  }, missing(shell));

  terminalTest(`${shell} shows the titles of sessions`, async () => {
    await using world = await World.create();
    const machine = await makeMachine(world);
    await using tmux = await startShell(machine, shell);
    await tmux.type("ccsync resume ");
    await tmux.press("Tab", "Tab");
    const screen = await tmux.waitFor(/Fix the parser: now[^]*Grüße|Grüße[^]*Fix the parser: now/);
    assert.match(screen, /日本 `rm` \$\(rm\)/);
  }, missing(shell));

  terminalTest(`${shell} runs nothing that is typed while it completes`, async () => {
    await using world = await World.create();
    const machine = await makeMachine(world);
    await using tmux = await startShell(machine, shell);
    await tmux.type('ccsync resume $(touch touched) "$(touch touched)" --la');
    await tmux.press("Tab");
    await tmux.waitFor("--latest");
    assert.throws(() => Deno.lstatSync(`${machine.home}/touched`), Deno.errors.NotFound);
  }, missing(shell));
}

Deno.test("a machine that is not set up, or broken, completes what it can, without a word", async () => {
  await using world = await World.create();
  const machine = world.machine("new");
  const complete = async (current: string, ...before: readonly string[]) =>
    await machine.try("complete", `--current=${current}`, "--", ...before);
  const nothing = { code: 0, stdout: "", stderr: "" };
  assert.deepEqual(await complete("", "resume"), nothing);
  assert.deepEqual(await complete("", "nonsense", "--x"), { ...await complete("", "nonsense") });
  assert.match((await complete("pu")).stdout, /^push\t.*\npull\t.*\n$/);
  assert.throws(() => Deno.lstatSync(machine.ccsyncHome), Deno.errors.NotFound);
  Deno.mkdirSync(machine.ccsyncHome);
  Deno.writeTextFileSync(`${machine.ccsyncHome}/config.json`, "{");
  assert.deepEqual(await complete("", "resume"), nothing);
  assert.deepEqual(await machine.try("complete"), nothing);
  assert.deepEqual(await machine.try("complete", "resume"), nothing);
});

Deno.test("completion knows this machine's sessions and the hub's, locks, machines and placeholders", async () => {
  await using world = await World.create();
  const machine = await makeMachine(world);
  const other = await world.joined("desk");
  await other.ccsync("pull");
  const here = "3c000000-0000-4000-8000-000000000003";
  other.write(here, promptLine({ id: here, cwd: `${other.projects}/app`, text: "Only here" }));
  const complete = async (current: string, ...before: readonly string[]) => {
    const { stderr, stdout } = await other.ccsync(
      "complete",
      `--current=${current}`,
      "--",
      ...before,
    );
    assert.equal(stderr, "");
    return stdout;
  };
  const sessions = await complete("", "resume");
  assert.match(sessions, /^3c000000-\S+\tOnly here \(desk, just now\)\n/);
  assert.match(sessions, /^1a000000-\S+\tFix the parser: now \(laptop, .*\)$/m);
  assert.equal((await complete("2b", "resume")).split("\t")[0], SECOND);
  assert.equal(await complete("", "lock", "release"), "");
  assert.match(await complete("", "resume", "--from"), /^desk\t.*\nlaptop\t.*\n$/);
  const there = await complete("", "config", "set-path");
  assert.equal(there, `PROJECTS\t${other.projects}\n`);
  await machine.ccsync("config", "add-placeholder", `NOTES=${machine.home}`, "--yes");
  await machine.ccsync("push");
  await other.ccsync("pull");
  assert.match(await complete("NO", "config", "set-path"), /^NOTES\tno path on this machine\n$/);
  Deno.mkdirSync(`${machine.projects}/app`, { recursive: true });
  machine.scriptClaude(STAYS_OPEN);
  await using resumed = await machine.start("resume", FIRST);
  await machine.clientUp();
  await other.ccsync("lock", "show");
  assert.match(
    await complete("1a", "lock", "release"),
    /^1a000000-\S+\tFix the parser: now \(laptop, just now\)\n$/,
  );
  assert.equal(await complete("2b", "lock", "release"), "");
  machine.closeClient();
  assert.equal((await resumed.ended).code, 0);
});

// There is no PowerShell in Debian's packages: nothing runs this script here.
Deno.test("PowerShell's script can be read as PowerShell", async () => {
  using folder = new Folder();
  const good = folder.write("good.ps1", completionScript("powershell"));
  const bad = folder.write("bad.ps1", "if ($x { foo }");
  assert.deepEqual(await lint("powershell", [good]), []);
  assert.notDeepEqual(await lint("powershell", [bad]), []);
});
