/**
 * `ccsync setup-hooks`, and what Claude Code's hooks run, without Claude Code.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { invocationOf } from "../support/ccsync.ts";
import { described, type ProcessResult, until } from "../support/process.ts";
import { promptLine, STAYS_OPEN, type TestMachine, World } from "../support/world.ts";

const ID = "11111111-1111-4111-8111-111111111111";

/** Runs a hook as Claude Code does, with JSON on its standard input. */
async function hook(
  machine: TestMachine,
  event: string,
  input: unknown = { session_id: ID, hook_event_name: event },
): Promise<ProcessResult> {
  const { args, env, path } = await invocationOf(machine, ["hook", event]);
  const child = new Deno.Command(path, {
    args: [...args],
    cwd: machine.home,
    env: { ...env },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const text = typeof input === "string" ? input : JSON.stringify(input);
  // One that does not read to the end is no fault.
  await writer.write(new TextEncoder().encode(text)).then(() => writer.close()).catch(() =>
    undefined
  );
  const { code, stderr, stdout } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function assertSilent(result: ProcessResult): void {
  assert.deepEqual(result, { code: 0, stdout: "", stderr: "" });
}

/** Stops the daemon that a hook has started, which may not be up yet. */
async function stopDaemon(machine: TestMachine): Promise<void> {
  await until("the daemon", async () => await isRunning(machine) ? true : undefined);
  await machine.ccsync("daemon", "--stop");
}

async function isRunning(machine: TestMachine): Promise<boolean> {
  const { stdout } = await machine.ccsync("daemon", "--status", "--json");
  return JSON.parse(stdout).isRunning;
}

const line = (machine: TestMachine, text: string) =>
  promptLine({ id: ID, cwd: join(machine.projects, "app"), text });

Deno.test("a hook starts the daemon, and a session that ends is pushed at once", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  assertSilent(await hook(desk, "session-start"));
  try {
    await until("the daemon", async () => await isRunning(desk) ? true : undefined);
    desk.write(ID, line(desk, "said by hand"));
    assertSilent(await hook(desk, "session-end"));
    await until("the push", async () => (await world.hubTranscript(ID)) === "" ? undefined : true);
    await until("the queue's end", () => {
      return [...Deno.readDirSync(join(desk.ccsyncHome, "queue"))].length === 0 ? true : undefined;
    });
  } finally {
    await stopDaemon(desk);
  }
});

Deno.test("a session that starts and is locked elsewhere is told of, as Claude Code shows it", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  const laptop = await world.joined("laptop");
  desk.write(ID, line(desk, "said at the desk"));
  await desk.ccsync("push");
  await laptop.ccsync("pull");
  Deno.mkdirSync(join(desk.projects, "app"), { recursive: true });
  desk.scriptClaude(STAYS_OPEN);
  await using resuming = await desk.start("resume", ID);
  await desk.clientUp();
  await laptop.ccsync("pull");
  try {
    const { code, stdout, stderr } = await hook(laptop, "session-start");
    assert.deepEqual([code, stderr], [0, ""]);
    const { systemMessage } = JSON.parse(stdout);
    assert.match(systemMessage, /^ccsync: this session is open on desk \(host .+\) since just now/);
    assert.match(systemMessage, /ccsync resume/);
    assertSilent(await hook(laptop, "stop"));
  } finally {
    await stopDaemon(laptop);
  }
  desk.closeClient();
  await resuming.ended;
});

Deno.test("a session that starts is told that nothing has been synced for two intervals", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  const since = new Date(Date.now() - 700_000).toISOString();
  const record = {
    ...{ pid: 1, mode: "once", startedAt: since, interval: 300, pushOnly: false },
    failing: { since, why: "cannot fetch: the disk is full" },
  };
  Deno.writeTextFileSync(join(desk.ccsyncHome, "daemon.json"), JSON.stringify(record));
  try {
    const { stdout } = await hook(desk, "session-start");
    const { systemMessage } = JSON.parse(stdout);
    assert.match(
      systemMessage,
      /nothing has been synced by itself since 11 min ago: .*disk is full/,
    );
  } finally {
    await stopDaemon(desk);
  }
});

Deno.test("a hook ends well and says nothing, whatever is wrong", async () => {
  await using world = await World.create();
  const stranger = world.machine("stranger");
  assertSilent(await hook(stranger, "session-start"));
  assert.equal(
    [...Deno.readDirSync(stranger.home)].some(({ name }) => /ccsync|sync/.test(name)),
    false,
  );

  const desk = await world.joined("desk");
  await Deno.rename(world.hub, `${world.hub}.away`);
  try {
    const inputs = ["", "{", "null", '{"session_id":"../../x"}', "x".repeat(3_000_000)];
    for (const input of inputs) assertSilent(await hook(desk, "session-start", input));
    assertSilent(await hook(desk, "an-event-of-next-year"));
    assertSilent(await hook(desk, "session-end"));
  } finally {
    await stopDaemon(desk);
  }

  const broken = await world.machine("broken");
  Deno.mkdirSync(broken.ccsyncHome, { recursive: true });
  Deno.writeTextFileSync(join(broken.ccsyncHome, "config.json"), "{");
  assertSilent(await hook(broken, "session-start"));
  // As on a full disk: nothing can be left for the daemon, nor in the log.
  Deno.writeTextFileSync(join(desk.ccsyncHome, "queue.txt"), "");
  await Deno.remove(join(desk.ccsyncHome, "queue"), { recursive: true });
  Deno.renameSync(join(desk.ccsyncHome, "queue.txt"), join(desk.ccsyncHome, "queue"));
  try {
    assertSilent(await hook(desk, "stop"));
  } finally {
    await stopDaemon(desk);
  }
});

Deno.test("setup-hooks adds its hooks, keeps the rest and a backup, and takes them away again", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  const settings = `{\n  // mine\n  "model": "opus"\n}\n`;
  desk.writeFile("settings.json", settings);
  Deno.chmodSync(join(desk.claude, "settings.json"), 0o640);
  const shown = await desk.ccsync("setup-hooks", "--dry-run");
  assert.equal(desk.readFile("settings.json"), settings);
  const added = await desk.ccsync("setup-hooks");
  assert.equal(desk.readFile("settings.json"), shown.stdout);
  const [, backup = ""] = /backup: (.*)/.exec(added.stderr) ?? [];
  assert.equal(Deno.readTextFileSync(backup), settings);
  const mode = Deno.statSync(join(desk.claude, "settings.json")).mode ?? 0;
  assert.equal(mode & 0o777, 0o640);
  const again = await desk.ccsync("setup-hooks");
  assert.ok(again.stderr.includes("nothing to change"), again.stderr);
  await desk.ccsync("setup-hooks", "--remove");
  assert.equal(desk.readFile("settings.json"), settings);
});

Deno.test("the command of a hook is one that a shell runs", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  await desk.ccsync("setup-hooks");
  const settings = JSON.parse(desk.readFile("settings.json"));
  const { command } = settings.hooks.Stop[0].hooks[0];
  const { env } = await invocationOf(desk, []);
  const child = new Deno.Command("sh", {
    args: ["-c", command],
    cwd: desk.home,
    env: { ...env },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stderr, stdout } = await child.output();
  try {
    assert.deepEqual([code, stderr.length, stdout.length], [0, 0, 0]);
    await until("the daemon", async () => await isRunning(desk) ? true : undefined);
  } finally {
    await stopDaemon(desk);
  }
});

Deno.test("setup-hooks refuses settings that it must not change", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  const path = join(desk.claude, "settings.json");
  const refused = async (why: string) => {
    const result = await desk.try("setup-hooks");
    assert.equal(result.code, 7, described(result));
    assert.ok(result.stderr.includes(why), result.stderr);
  };
  desk.writeFile("settings.json", `{\n  "a": 1,,\n}`);
  await refused("line 2 is no JSON");
  desk.writeFile("settings.json", "{}");
  Deno.chmodSync(path, 0o400);
  await refused("it is read-only");
  Deno.removeSync(path);
  Deno.symlinkSync(join(desk.home, "dotfiles.json"), path);
  await refused("it is a link");
  Deno.removeSync(path);
  Deno.mkdirSync(path);
  await refused("it is not a regular file");
  const stranger = await world.machine("stranger").try("setup-hooks");
  assert.equal(stranger.code, 7, described(stranger));
});
