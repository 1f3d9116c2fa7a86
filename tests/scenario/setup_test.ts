/**
 * Setting machines up, rightly and wrongly: exit codes, messages, and nothing left half done.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { type TestMachine, World } from "../support/world.ts";

/** Asserts how a command fails: its code, what it says, and that it has a hint. */
async function assertFails(
  machine: TestMachine,
  args: readonly string[],
  code: number,
  message: RegExp,
): Promise<void> {
  const result = await machine.try(...args);
  assert.equal(result.code, code, `${args.join(" ")}: ${result.stderr}`);
  assert.match(result.stderr, message);
  assert.match(result.stderr, /^error: .*[^.]$/m);
  assert.match(result.stderr, /^hint: /m);
  assert.doesNotMatch(result.stderr, /^\s+at /m, "no stack trace");
}

const exists = (path: string) => Deno.lstat(path).then(() => true, () => false);

Deno.test("the first machine creates the hub, the second joins it", async () => {
  await using world = await World.create();
  const first = await world.machine("first").init();
  assert.match(first.stdout, /created the hub/);
  const second = await world.machine("second").init();
  assert.match(second.stdout, /joined the hub/);
  const shared = JSON.parse(await world.hubFile("shared_placeholders.json"));
  assert.deepEqual(Object.keys(shared.PROJECTS), ["first", "second"]);
  assert.deepEqual(JSON.parse(await world.hubFile("ccsync.json")), { format: 1 });
});

Deno.test("init again keeps what is not asked for", async () => {
  await using world = await World.create();
  const machine = await world.joined("laptop");
  await machine.ccsync("init", "--add-placeholder", `WORK=${machine.home}/work`, "--json");
  const config = JSON.parse(await Deno.readTextFile(join(machine.ccsyncHome, "config.json")));
  assert.equal(config.machine_id, "laptop");
  assert.deepEqual(Object.keys(config.custom_placeholders), ["PROJECTS", "WORK"]);
  assert.deepEqual(config.sync_directories, [machine.projects]);
});

Deno.test("state and configuration are for their owner only", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using world = await World.create();
  const machine = await world.joined("laptop");
  const mode = async (name: string) =>
    ((await Deno.stat(join(machine.ccsyncHome, name))).mode ?? 0) & 0o777;
  assert.equal(await mode("."), 0o700);
  assert.equal(await mode("config.json"), 0o600);
  assert.equal(await mode("state.db"), 0o600);
});

Deno.test("two machines with the same id: the second is refused and nothing is written", async () => {
  await using world = await World.create();
  await world.joined("laptop");
  const other = world.machine("laptop", { home: "other/home" });
  await assertFails(
    other,
    ["init", "--remote", world.hub, "--machine-id", "laptop"],
    EXIT_CODES.setup,
    /another machine has that id/,
  );
  assert.ok(!await exists(join(other.ccsyncHome, "config.json")));
});

Deno.test("a machine that lost its configuration is recognised", async () => {
  await using world = await World.create();
  const machine = await world.joined("laptop");
  await Deno.remove(machine.ccsyncHome, { recursive: true });
  const { stdout } = await machine.init();
  assert.match(stdout, /updated this machine as laptop/);
});

Deno.test("commands before init say how to set up", async () => {
  await using world = await World.create();
  const machine = world.machine("laptop");
  for (const args of [["push"], ["pull"], ["list"], ["status"], ["config", "show"]]) {
    await assertFails(machine, args, EXIT_CODES.setup, /this machine is not set up/);
  }
});

Deno.test("bad options of init are usage errors and leave nothing behind", async () => {
  await using world = await World.create();
  const machine = world.machine("laptop");
  const init = ["init", "--remote", world.hub];
  const rows: [string[], RegExp][] = [
    [["init"], /no hub is named/],
    [["init", "--remote", ""], /it is no address/],
    [["init", "--remote", "github.com/you/sessions"], /it is no URL, and nothing is there/],
    [["init", "--remote", "ext::sh -c id"], /this protocol can run programs/],
    [["init", "--remote", "ftp://host/x"], /the protocol ftp is not used/],
    [["init", "--remote", "https://user:secret@host/x.git"], /it holds credentials/],
    [[...init, "--machine-id", "a/b"], /cannot use the machine id "a\/b"/],
    [[...init, "--machine-id", ".."], /cannot use the machine id/],
    [[...init, "--sync-dir", "relative"], /is not an absolute path/],
    [[...init, "--add-placeholder", "PROJECTS"], /it is not NAME=PATH/],
    [[...init, "--add-placeholder", "projects=/x"], /it breaks the rule/],
    [[...init, "--add-placeholder", "HOME=/x"], /it is built in/],
    [[...init, "--add-placeholder", "P=x/y"], /it is not an absolute path/],
    [[...init, "--add-placeholder", "P=/"], /the root of the file system/],
    [
      [...init, "--add-placeholder", "P=/x", "--add-placeholder", "Q=/x/"],
      /it is the path of "P" already/,
    ],
    [["pusch"], /unknown command/],
    [["push", "--dry"], /unknown option/],
    [["list", "--format", "xml"], /Allowed choices are table, json/],
    [["config"], /names no command/],
  ];
  for (const [args, message] of rows) await assertFails(machine, args, EXIT_CODES.usage, message);
  const { stderr } = await machine.try("init", "--remote", "https://user:secret@host/x.git");
  assert.ok(!stderr.includes("secret"));
  assert.ok(!await exists(world.hub));
  assert.ok(!await exists(join(machine.ccsyncHome, "config.json")));
});

Deno.test("~ is the home directory in every option, whatever the shell does", async () => {
  await using world = await World.create();
  const machine = world.machine("laptop");
  await machine.ccsync(
    ...["init", "--remote=~/hub.git", "--sync-dir=~/projects", "--add-placeholder=WORK=~/work"],
  );
  const config = JSON.parse(await Deno.readTextFile(join(machine.ccsyncHome, "config.json")));
  assert.equal(config.remote, join(machine.home, "hub.git"));
  assert.deepEqual(config.sync_directories, [machine.projects]);
  assert.deepEqual(config.custom_placeholders, { WORK: join(machine.home, "work") });
});

Deno.test("init finds the projects folders of the sessions here, and other machines' placeholders", async () => {
  await using world = await World.create();
  const laptop = world.machine("laptop");
  laptop.plant("variants/base.jsonl");
  const init = (id: string) => ["init", "--remote", world.hub, "--machine-id", id];
  await laptop.ccsync(...init("laptop"));
  const desk = world.machine("desk");
  const { stdout } = await desk.ccsync(...init("desk"));
  assert.match(stdout, new RegExp(`^PROJECTS is ${RegExp.escape(desk.projects)} here$`, "m"));
  await laptop.ccsync("push");
  assert.match((await desk.ccsync("pull")).stdout, /pulled 1 session/);
});

Deno.test("a host name that another machine bears gets a number", async () => {
  await using world = await World.create();
  const ids: string[] = [];
  for (const id of ["a", "b", "a"]) {
    const machine = world.machine(id);
    await machine.ccsync("init", "--remote", world.hub);
    const path = join(machine.ccsyncHome, "config.json");
    ids.push(JSON.parse(await Deno.readTextFile(path)).machine_id);
  }
  assert.deepEqual(ids, [ids[0], `${ids[0]}-2`, ids[0]]);
});

Deno.test("a folder that is not there is told of and taken; a file is refused", async () => {
  await using world = await World.create();
  const machine = world.machine("laptop");
  const file = join(machine.home, "file");
  await Deno.writeTextFile(file, "x");
  const init = ["init", "--remote", world.hub, "--sync-dir"];
  await assertFails(machine, [...init, file], EXIT_CODES.usage, /it is no directory/);
  assert.ok(!await exists(world.hub));
  const { stderr } = await machine.ccsync(...init, join(machine.home, "later"));
  assert.match(stderr, /^warning: ".*later" is no directory on this machine yet$/m);
});

Deno.test("a failed change of the hub leaves configuration, mirror and state of the old one", async () => {
  await using world = await World.create();
  const machine = await world.joined("laptop");
  machine.plant("variants/base.jsonl");
  await machine.ccsync("push");
  const config = await Deno.readTextFile(join(machine.ccsyncHome, "config.json"));
  const names = () => [...Deno.readDirSync(machine.ccsyncHome)].map(({ name }) => name).sort();
  const before = names();
  const taken = join(world.folder, "taken.git");
  const stranger = world.machine("stranger");
  await stranger.ccsync("init", "--remote", taken, "--machine-id", "laptop");
  await assertFails(
    machine,
    ["init", "--remote", taken],
    EXIT_CODES.setup,
    /another machine has that id/,
  );
  const refusing = join(world.folder, "refusing.git");
  await stranger.ccsync("init", "--remote", refusing, "--machine-id", "other");
  const hook = join(refusing, "hooks/pre-receive");
  await Deno.mkdir(join(refusing, "hooks"), { recursive: true });
  await Deno.writeTextFile(hook, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  await assertFails(machine, ["init", "--remote", refusing], EXIT_CODES.failed, /it refused/);
  assert.equal(await Deno.readTextFile(join(machine.ccsyncHome, "config.json")), config);
  assert.deepEqual(names(), before);
  assert.match((await machine.ccsync("push")).stdout, /nothing to push/);
  await Deno.remove(hook);
  await machine.ccsync("init", "--remote", refusing);
  assert.match((await machine.ccsync("push")).stdout, /pushed 1 session/);
});

Deno.test("addresses that are no hub", async () => {
  await using world = await World.create();
  const machine = world.machine("laptop");
  const folder = join(world.folder, "folder");
  await Deno.mkdir(folder);
  await Deno.writeTextFile(join(folder, "file"), "x");
  const init = (remote: string) => ["init", "--remote", remote];
  await assertFails(machine, init(folder), EXIT_CODES.setup, /it is not a git repository/);
  await assertFails(
    machine,
    init(join(folder, "file")),
    EXIT_CODES.setup,
    /it is not a git repository/,
  );
  await assertFails(
    machine,
    init("http://127.0.0.1:1/x.git"),
    EXIT_CODES.unreachable,
    /cannot be reached/,
  );
  await assertFails(
    machine,
    init("file:///nowhere/x.git"),
    EXIT_CODES.unreachable,
    /cannot be reached/,
  );
  const repository = join(world.folder, "repository");
  await Deno.mkdir(repository);
  const git = (...args: string[]) =>
    new Deno.Command("git", {
      args: ["-C", repository, "-c", "user.name=x", "-c", "user.email=x@x", ...args],
      stdout: "null",
      stderr: "null",
    }).output();
  await git("init", "-b", "main");
  await git("commit", "--allow-empty", "-m", "mine");
  await assertFails(machine, init(repository), EXIT_CODES.setup, /not a hub of ccsync/);
  await git("branch", "-m", "master");
  await assertFails(machine, init(repository), EXIT_CODES.setup, /not a hub of ccsync/);
  assert.ok(!await exists(join(machine.ccsyncHome, "config.json")));
});

Deno.test("a hub that rejects every push is no race: it is said, and nothing is lost", async () => {
  await using world = await World.create();
  const machine = await world.joined("laptop");
  const id = machine.plant("variants/base.jsonl");
  const lock = join(world.hub, "refs/heads/main.lock");
  await Deno.writeTextFile(lock, "");
  await assertFails(machine, ["push"], EXIT_CODES.failed, /rejects every push though nobody else/);
  await Deno.remove(lock);
  await machine.ccsync("push");
  assert.match(await world.hubTranscript(id), /turn one/);
});

Deno.test("a broken or newer configuration names the key and the fix", async () => {
  await using world = await World.create();
  const machine = await world.joined("laptop");
  const path = join(machine.ccsyncHome, "config.json");
  const good = JSON.parse(await Deno.readTextFile(path));
  const rows: [unknown, RegExp][] = [
    ["{", /it is not JSON/],
    [{ ...good, format: 2 }, /it has format 2, this version knows 1/],
    [{ ...good, machine_id: 5 }, /machine_id: /],
    [{ ...good, machine_id: "a b" }, /machine_id: must be/],
    [{ ...good, sync_directories: "x" }, /sync_directories: /],
    [{ ...good, sync_directories: ["x"] }, /sync_directories: "x" is not an absolute path/],
    [{ ...good, custom_placeholders: { P: "x" } }, /custom_placeholders: /],
    [{ ...good, custom_placeholders: { P: "/x", Q: "/x" } }, /it is the path of "P" already/],
    [{ ...good, mystery: 1 }, /mystery: is an unknown key/],
  ];
  for (const [content, message] of rows) {
    await Deno.writeTextFile(path, typeof content === "string" ? content : JSON.stringify(content));
    await assertFails(machine, ["push"], EXIT_CODES.setup, message);
  }
});

Deno.test("a damaged state is set aside and rebuilt; a newer one is refused", async () => {
  await using world = await World.create();
  const machine = await world.joined("laptop");
  machine.plant("variants/base.jsonl");
  await machine.ccsync("push");
  const path = join(machine.ccsyncHome, "state.db");
  for (const suffix of ["-wal", "-shm"]) await Deno.remove(path + suffix).catch(() => undefined);
  await Deno.writeTextFile(
    path,
    "this is no database, but long enough to be taken for one".repeat(100),
  );
  const { stdout, stderr } = await machine.ccsync("push");
  assert.match(stderr, /the state was set aside .* and is rebuilt/);
  assert.match(stdout, /nothing to push/);
});

Deno.test("a hub of a newer format is refused for reading and writing", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  await world.changeHub({ "ccsync.json": '{"format": 2}' });
  for (const machine of [laptop, desk]) {
    await assertFails(machine, ["push"], EXIT_CODES.setup, /it has format 2, this version knows 1/);
    await assertFails(machine, ["pull"], EXIT_CODES.setup, /it has format 2/);
  }
});

Deno.test("a hub that vanished is unreachable, and what was done stays", async () => {
  await using world = await World.create();
  const machine = await world.joined("laptop");
  const id = machine.plant("variants/base.jsonl");
  await Deno.rename(world.hub, world.hub + ".away");
  await assertFails(machine, ["push"], EXIT_CODES.unreachable, /cannot be reached/);
  await Deno.rename(world.hub + ".away", world.hub);
  await machine.ccsync("push");
  assert.match(await world.hubTranscript(id), /turn one/);
});

Deno.test("names in the hub that ccsync never writes are told of and not used", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  laptop.plant("variants/base.jsonl");
  await laptop.ccsync("push");
  const id = "aaaaaaaa-0000-4000-8000-000000000001";
  await world.changeHub({
    "sessions/zz/../evil": "x",
    [`sessions/aa/${id}/transcript/000000.jsonl`]: "{}\n",
    [`sessions/aa/${id}/meta.json`]: "not json",
    "sessions/aa/..%2fx/meta.json": "{}",
    "sessions/bb/AAAAAAAA-0000-4000-8000-000000000001/meta.json": "{}",
    "sessions/aa/name\u001b[31m/meta.json": "{}",
  });
  const { stderr, code } = await desk.try("pull");
  assert.equal(code, 0, stderr);
  assert.match(stderr, /is not used: its name is none that ccsync writes/);
  assert.match(stderr, /its meta.json is missing or broken/);
  assert.ok(!stderr.includes("\u001b[31m"));
  const { stdout } = await desk.ccsync("list", "--all", "--json");
  assert.equal(JSON.parse(stdout).length, 1);
});

Deno.test(
  "no git, and a git that is too old",
  { ignore: Deno.build.os === "windows" },
  async () => {
    await using world = await World.create();
    const empty = join(world.folder, "empty");
    const old = join(world.folder, "old");
    for (const folder of [empty, old]) await Deno.mkdir(folder);
    await Deno.writeTextFile(join(old, "git"), "#!/bin/sh\necho git version 2.29.1\n", {
      mode: 0o755,
    });
    const init = ["init", "--remote", world.hub];
    await assertFails(
      world.machine("a", { env: { PATH: empty } }),
      init,
      EXIT_CODES.setup,
      /cannot run git/,
    );
    await assertFails(
      world.machine("b", { env: { PATH: old } }),
      init,
      EXIT_CODES.setup,
      /version 2\.29\.1/,
    );
  },
);

Deno.test("errors are JSON, too, where JSON was asked for", async () => {
  await using world = await World.create();
  const { code, stderr, stdout } = await world.machine("laptop").try("push", "--json");
  assert.equal(code, EXIT_CODES.setup);
  assert.equal(stdout, "");
  const { error } = JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "");
  assert.equal(error.kind, "setup");
  assert.equal(error.code, EXIT_CODES.setup);
  assert.ok(error.hints.length > 0);
});
