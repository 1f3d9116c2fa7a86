/**
 * The daemon as people use it: it syncs by itself, one of it, and ends when told.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { described, type RunningProcess, until } from "../support/process.ts";
import { promptLine, STAYS_OPEN, type TestMachine, World } from "../support/world.ts";

const ID = "11111111-1111-4111-8111-111111111111";

/** Starts a daemon, and waits until it runs. Dispose what is returned. */
async function startDaemon(
  machine: TestMachine,
  ...args: readonly string[]
): Promise<RunningProcess> {
  const daemon = await machine.start("daemon", ...args);
  await until("the daemon", async () => (await statusOf(machine)).isRunning ? true : undefined);
  return daemon;
}

interface Status {
  readonly isRunning: boolean;
  readonly pid?: number;
  readonly endedAt?: string;
  readonly last?: { readonly at: string; readonly outcome: string };
  readonly failing?: { readonly since: string; readonly why: string };
}

async function statusOf(machine: TestMachine): Promise<Status> {
  const { stdout } = await machine.ccsync("daemon", "--status", "--json");
  return JSON.parse(stdout);
}

/** Waits for the end of a daemon that was told to end. */
async function endOf(daemon: RunningProcess): Promise<void> {
  const result = await daemon.ended;
  assert.equal(result.code, 0, described(result));
}

const line = (machine: TestMachine, text: string) =>
  promptLine({ id: ID, cwd: machine.own(join(machine.projects, "app")), text });

Deno.test("a daemon pushes what changes, another one pulls it, a stop file ends both", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  const laptop = await world.joined("laptop");
  await using atDesk = await startDaemon(desk);
  await using atLaptop = await startDaemon(laptop, "--interval", "1");
  desk.write(ID, line(desk, "said while the daemon runs"));
  await until("the session", () => laptop.has(ID) ? true : undefined);
  assert.ok(laptop.read(ID).includes("said while the daemon runs"));
  for (const [machine, daemon] of [[desk, atDesk], [laptop, atLaptop]] as const) {
    await machine.ccsync("daemon", "--stop");
    await endOf(daemon);
    assert.equal((await statusOf(machine)).isRunning, false);
    assert.ok(!Deno.readTextFileSync(join(machine.ccsyncHome, "daemon.log")).includes("failed"));
  }
});

Deno.test("a machine has one daemon; a second one says so and ends", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  await using daemon = await startDaemon(desk);
  const { pid } = await statusOf(desk);
  for (const how of [[], ["--once"], ["--detach"]]) {
    const second = await desk.ccsync("daemon", ...how);
    assert.ok(second.stderr.includes(`a daemon is running (process ${pid})`), second.stderr);
  }
  daemon.signal("SIGTERM");
  await endOf(daemon);
  assert.ok((await statusOf(desk)).endedAt);
});

Deno.test("a daemon in the background outlives its command, and a stop file from before does not end it", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  Deno.writeTextFileSync(join(desk.ccsyncHome, "daemon.stop"), "");
  const started = await desk.ccsync("daemon", "--detach", "--interval", "60");
  assert.ok(started.stderr.includes("daemon.log"), started.stderr);
  desk.write(ID, line(desk, "said in the foreground"));
  await until("the push", async () => (await world.hubTranscript(ID)) === "" ? undefined : true);
  const { pid } = await statusOf(desk);
  assert.ok(pid !== undefined);
  await desk.ccsync("daemon", "--stop");
  assert.equal((await statusOf(desk)).isRunning, false);
});

Deno.test("a daemon that was killed leaves nothing in the way of the next", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  {
    await using daemon = await startDaemon(desk);
    daemon.signal("SIGKILL");
    await daemon.ended;
  }
  assert.equal((await statusOf(desk)).isRunning, false);
  await using next = await startDaemon(desk);
  next.signal("SIGTERM");
  await endOf(next);
});

Deno.test("a daemon goes on while the hub is away, says so once, and pushes when it is back", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  desk.write(ID, line(desk, "said before the hub went"));
  await desk.ccsync("push");
  await Deno.rename(world.hub, `${world.hub}.away`);
  await using daemon = await startDaemon(desk, "--interval", "1");
  desk.append(ID, line(desk, "said while the hub was away"));
  const { failing } = await until("the failure", async () => {
    const status = await statusOf(desk);
    return status.failing === undefined ? undefined : status;
  });
  assert.match(failing?.why ?? "", /the hub cannot be reached/);
  const warned = await until("the warning", async () => {
    const { stderr } = await desk.try("config", "show");
    return stderr.includes("nothing has been synced by itself") ? stderr : undefined;
  });
  assert.ok(warned.includes("the hub cannot be reached"), warned);
  await Deno.rename(`${world.hub}.away`, world.hub);
  await until("the push", async () => {
    return (await world.hubTranscript(ID)).includes("while the hub was away") ? true : undefined;
  });
  await until("the good news", async () => (await statusOf(desk)).failing ? undefined : true);
  daemon.signal("SIGINT");
  await endOf(daemon);
  const log = Deno.readTextFileSync(join(desk.ccsyncHome, "daemon.log"));
  assert.equal(log.split("sync failed").length, 2, log);
  assert.ok(log.includes("all is well again"), log);
});

Deno.test("a daemon ends where its configuration was removed, and brings nothing back", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  await using daemon = await startDaemon(desk);
  await until("the first run", async () => (await statusOf(desk)).last);
  await Deno.rename(desk.ccsyncHome, `${desk.ccsyncHome}.gone`);
  await endOf(daemon);
  assert.throws(() => Deno.statSync(desk.ccsyncHome), Deno.errors.NotFound);
});

Deno.test("daemon --once syncs once, and its exit code says how that went", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  const laptop = await world.joined("laptop");
  desk.write(ID, line(desk, "for cron"));
  await desk.ccsync("daemon", "--once");
  await laptop.ccsync("daemon", "--once");
  assert.ok(laptop.has(ID));
  await Deno.rename(world.hub, `${world.hub}.away`);
  const failed = await desk.try("daemon", "--once");
  assert.equal(failed.code, 5, described(failed));
});

Deno.test("daemon --push-only sends, and brings nothing", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  const laptop = await world.joined("laptop");
  desk.write(ID, line(desk, "sent"));
  await desk.ccsync("daemon", "--once", "--push-only");
  assert.ok((await world.hubTranscript(ID)).includes("sent"));
  await laptop.ccsync("daemon", "--once", "--push-only");
  assert.equal(laptop.has(ID), false);
});

Deno.test("a daemon locks a session that is open here, and releases it when that is closed", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  const laptop = await world.joined("laptop");
  desk.write(ID, line(desk, "opened by hand"));
  const claim = { pid: Deno.pid, sessionId: ID, updatedAt: Date.now() };
  desk.writeFile(`sessions/${Deno.pid}.json`, JSON.stringify(claim));
  await using daemon = await startDaemon(desk, "--interval", "1");
  const lock = await until("the lock", async () => await world.hubLock(ID));
  assert.deepEqual([lock["machine"], lock["pid"]], ["desk", (await statusOf(desk)).pid]);
  const renewed = await until("a heartbeat", async () => {
    const next = await world.hubLock(ID);
    return next?.["heartbeatAt"] === lock["heartbeatAt"] ? undefined : next;
  });
  assert.equal(renewed["token"], lock["token"]);
  const shown = await laptop.ccsync("lock", "show");
  assert.ok(shown.stdout.includes("desk"), shown.stdout);
  await Deno.remove(join(desk.claude, `sessions/${Deno.pid}.json`));
  await until(
    "the release",
    async () => (await world.hubLock(ID)) === undefined ? true : undefined,
  );
  desk.writeFile(`sessions/${Deno.pid}.json`, JSON.stringify(claim));
  await until("the lock again", async () => await world.hubLock(ID));
  daemon.signal("SIGTERM");
  await endOf(daemon);
  assert.equal(await world.hubLock(ID), undefined);
});

Deno.test("a daemon leaves a lock alone that another machine took over, and pushes all the same", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  const laptop = await world.joined("laptop");
  desk.write(ID, line(desk, "opened by hand"));
  desk.writeFile(
    `sessions/${Deno.pid}.json`,
    JSON.stringify({ pid: Deno.pid, sessionId: ID, updatedAt: Date.now() }),
  );
  await using _daemon = await startDaemon(desk, "--interval", "1");
  await until("the push", async () => (await world.hubTranscript(ID)) === "" ? undefined : true);
  assert.equal((await world.hubLock(ID))?.["machine"], "desk");
  Deno.mkdirSync(join(laptop.projects, "app"), { recursive: true });
  laptop.scriptClaude(STAYS_OPEN);
  await using resuming = await laptop.start("resume", ID, "--takeover");
  await laptop.clientUp();
  desk.append(ID, line(desk, "written after the take-over"));
  await until("the push", async () => {
    return (await world.hubTranscript(ID)).includes("after the take-over") ? true : undefined;
  });
  assert.equal((await world.hubLock(ID))?.["machine"], "laptop");
  laptop.closeClient();
  assert.equal((await resuming.ended).code, 0);
});

Deno.test("resume takes over from the daemon of its own machine without asking", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  Deno.mkdirSync(join(desk.projects, "app"));
  desk.write(ID, line(desk, "opened by hand"));
  const claim = { pid: Deno.pid, sessionId: ID, updatedAt: Date.now() };
  desk.writeFile(`sessions/${Deno.pid}.json`, JSON.stringify(claim));
  await using daemon = await startDaemon(desk);
  await until("the push", async () => (await world.hubTranscript(ID)) === "" ? undefined : true);
  assert.equal((await world.hubLock(ID))?.["machine"], "desk");
  // The client was killed: nobody has told the daemon yet.
  await Deno.remove(join(desk.claude, `sessions/${Deno.pid}.json`));
  desk.scriptClaude("exit 0");
  await desk.ccsync("resume", ID);
  assert.equal(await world.hubLock(ID), undefined);
  daemon.signal("SIGTERM");
  await endOf(daemon);
});

Deno.test("daemon refuses what it cannot do", async () => {
  await using world = await World.create();
  const desk = await world.joined("desk");
  for (const interval of ["0", "2592000", "-5", "1.5", "five", ""]) {
    const result = await desk.try("daemon", "--interval", interval);
    assert.equal(result.code, 2, described(result));
    assert.ok(result.stderr.includes("from 1 to 86400"), result.stderr);
  }
  for (const args of [["--once", "--stop"], ["install", "--status"], ["--dry-run"]]) {
    const result = await desk.try("daemon", ...args);
    assert.equal(result.code, 2, described(result));
  }
  const stranger = await world.machine("stranger").try("daemon");
  assert.equal(stranger.code, 7, described(stranger));
});
