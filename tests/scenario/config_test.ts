/**
 * `ccsync config`: what changes, what it does to the sessions here, and what is refused.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { invocationOf } from "../support/ccsync.ts";
import { described } from "../support/process.ts";
import { terminalTest, Tmux } from "../support/tmux.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

const ID = "5aaaaaaa-0000-4000-8000-000000000001";

function line(machine: TestMachine, text: string): string {
  return promptLine({ id: ID, cwd: machine.own(join(machine.projects, "app")), text });
}

async function withSession(world: World): Promise<TestMachine> {
  const laptop = await world.joined("laptop");
  laptop.write(ID, line(laptop, "Hello"));
  await laptop.ccsync("push");
  return laptop;
}

function configOf(machine: TestMachine): Record<string, unknown> {
  return JSON.parse(Deno.readTextFileSync(join(machine.ccsyncHome, "config.json")));
}

async function assertRefused(machine: TestMachine, code: number, why: RegExp, ...args: string[]) {
  const before = Deno.readTextFileSync(join(machine.ccsyncHome, "config.json"));
  const result = await machine.try(...args);
  assert.equal(result.code, code, described(result));
  assert.match(result.stderr, why);
  assert.equal(Deno.readTextFileSync(join(machine.ccsyncHome, "config.json")), before);
}

Deno.test("a new path is shown before it is in force: --dry-run changes nothing", async () => {
  await using world = await World.create();
  const laptop = await withSession(world);
  const other = join(laptop.home, "code");
  const before = laptop.read(ID);
  const set = ["config", "set-path", "PROJECTS", "laptop", other];
  const { stdout } = await laptop.ccsync(...set, "--dry-run");
  assert.match(stdout, /would pull 1 session/);
  assert.equal(laptop.read(ID), before);
  assert.deepEqual(configOf(laptop)["custom_placeholders"], { PROJECTS: laptop.projects });
  const { stderr } = await laptop.ccsync(...set);
  assert.match(stderr, /1 session here get the new path/);
  const moved = join(laptop.claude, "projects", join(other, "app").replace(/[^a-zA-Z0-9]/g, "-"));
  assert.match(Deno.readTextFileSync(join(moved, `${ID}.jsonl`)), /home\/laptop\/code\/app/);
});

Deno.test("a placeholder that is removed leaves its sessions as they are; they go on when it is back", async () => {
  await using world = await World.create();
  const laptop = await withSession(world);
  const before = laptop.read(ID);
  const { stderr } = await laptop.try("config", "remove-placeholder", "PROJECTS", "--dry-run");
  assert.match(stderr, /PROJECTS has no path on this machine/);
  assert.deepEqual(configOf(laptop)["custom_placeholders"], { PROJECTS: laptop.projects });
  const removed = await laptop.try("config", "remove-placeholder", "PROJECTS", "--yes");
  assert.equal(removed.code, EXIT_CODES.partial, described(removed));
  assert.match(removed.stderr, /1 session under PROJECTS stay as they are/);
  assert.deepEqual(configOf(laptop)["custom_placeholders"], {});
  assert.deepEqual(JSON.parse(await world.hubFile("shared_placeholders.json")), { PROJECTS: {} });
  laptop.append(ID, line(laptop, "meanwhile"));
  await laptop.try("push");
  await laptop.try("pull");
  assert.equal(laptop.read(ID).slice(0, before.length), before);
  assert.match(await world.hubTranscript(ID), /"cwd":"\{\{PROJECTS\}\}\/app"[^\n]*\n.*meanwhile/);
  await laptop.ccsync("config", "add-placeholder", `PROJECTS=${laptop.projects}`);
  await laptop.ccsync("push");
  await laptop.ccsync("pull");
  assert.equal(laptop.read(ID).slice(0, before.length), before);
  assert.doesNotMatch(laptop.read(ID), /\{\{/);
});

Deno.test("sync directories are added and removed; the last one stays", async () => {
  await using world = await World.create();
  const laptop = await withSession(world);
  const other = join(laptop.home, "other");
  const added = await laptop.ccsync("config", "add-sync-dir", other);
  assert.match(added.stderr, /there is no directory ".*other" yet/);
  assert.deepEqual(configOf(laptop)["sync_directories"], [laptop.projects, other]);
  const inside = await laptop.ccsync("config", "add-sync-dir", join(other, "deep"));
  assert.match(inside.stderr, /is synced already/);
  await laptop.ccsync("config", "remove-sync-dir", laptop.projects);
  assert.deepEqual(configOf(laptop)["sync_directories"], [other]);
  const { usage } = EXIT_CODES;
  await assertRefused(laptop, usage, /it is the only one/, "config", "remove-sync-dir", other);
  await assertRefused(laptop, usage, /none of the sync/, "config", "remove-sync-dir", "/x");
});

Deno.test("config show says where each value comes from", async () => {
  await using world = await World.create();
  const laptop = await withSession(world);
  laptop.setTimes({ interval: 7 });
  const { stdout } = await laptop.ccsync("config", "show");
  assert.match(stdout, /^machine +laptop +\(config\.json\)$/m);
  assert.match(stdout, /^interval +7 s +\(config\.json\)$/m);
  assert.match(stdout, /^lock_ttl +600 s +\(default\)$/m);
  assert.match(stdout, /^configuration .*\(CCSYNC_HOME\)$/m);
  const { sources } = JSON.parse((await laptop.ccsync("config", "show", "--json")).stdout);
  assert.equal(sources.CLAUDE, "default");
});

Deno.test("config refuses what it cannot do, and changes nothing", async () => {
  await using world = await World.create();
  const laptop = await withSession(world);
  const { usage } = EXIT_CODES;
  const remove = ["config", "remove-placeholder"];
  await assertRefused(laptop, usage, /there is none here[^]*PROJECTS/, ...remove, "NOTHING");
  await assertRefused(laptop, usage, /there is none here/, ...remove, "HOME");
  await assertRefused(laptop, usage, /breaks the rule/, "config", "set-path", "P", "a b", "/x");
  await assertRefused(laptop, usage, /this is no terminal/, "config", "edit");
});

terminalTest("config edit takes effect only once it can be read", async () => {
  await using world = await World.create();
  const laptop = await withSession(world);
  const script = join(laptop.home, "edit.sh");
  // The first time a mistake, the second time as it should be.
  Deno.writeTextFileSync(
    script,
    `if [ -e "$HOME/once" ]; then sed -i 's/"intervall"/"interval"/' "$1"
else touch "$HOME/once"; sed -i 's/^{/{ "intervall": 9,/' "$1"; fi\n`,
  );
  const { args, env, path } = await invocationOf(laptop, ["config", "edit"]);
  const options = { columns: 100, rows: 30, env: { ...env, EDITOR: `sh ${script}` } };
  await using terminal = await Tmux.start([path, ...args], options);
  const screen = await terminal.waitFor("Edit it again?");
  assert.match(screen, /intervall: is an unknown key/);
  assert.equal(configOf(laptop)["interval"], undefined);
  await terminal.press("Enter");
  assert.equal(await terminal.exitCode(), 0);
  assert.equal(configOf(laptop)["interval"], 9);
});

terminalTest(
  "config edit leaves everything as it was where the answer is no, or the hub would change",
  async () => {
    await using world = await World.create();
    const laptop = await withSession(world);
    const before = JSON.stringify(configOf(laptop));
    const { args, env, path } = await invocationOf(laptop, ["config", "edit"]);
    const edits = [`sed -i s/laptop/desk/`, "sh -c 'echo {}>\"$1\"' sh"];
    for (const EDITOR of edits) {
      const options = { columns: 100, rows: 30, env: { ...env, EDITOR } };
      await using terminal = await Tmux.start([path, ...args], options);
      await terminal.waitFor("Edit it again?");
      await terminal.press("n", "Enter");
      assert.equal(await terminal.exitCode(), EXIT_CODES.cancelled);
      assert.equal(JSON.stringify(configOf(laptop)), before);
      assert.ok(!JSON.stringify([...Deno.readDirSync(laptop.ccsyncHome)]).includes("config.edit"));
    }
  },
);
