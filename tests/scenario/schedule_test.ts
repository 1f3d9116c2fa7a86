/**
 * `ccsync daemon install`, with stand-ins for the system's schedulers: the real ones are never asked.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { invocationOf } from "../support/ccsync.ts";
import { described, runToEnd } from "../support/process.ts";
import { type TestMachine, World } from "../support/world.ts";

/** A machine whose `systemctl` and `crontab` are scripts. */
async function withSchedulers(world: World, systemctl: string): Promise<TestMachine> {
  const bin = join(world.folder, "desk/bin");
  const PATH = `${bin}:${Deno.env.get("PATH") ?? ""}`;
  const machine = await world.joined("desk", { env: { PATH } });
  const table = join(world.folder, "desk/crontab");
  const scripts = {
    systemctl: `echo "$@" >> '${join(world.folder, "desk/systemctl.log")}'; ${systemctl}`,
    crontab: `case "$1" in -l) cat '${table}' 2>/dev/null ;; -) cat > '${table}' ;; esac`,
  };
  for (const [name, body] of Object.entries(scripts)) {
    const path = join(bin, name);
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  return machine;
}

const isLinux = Deno.build.os === "linux";

Deno.test({
  name: "daemon install makes a unit of systemd and starts it; uninstall takes both back",
  ignore: !isLinux,
  async fn() {
    await using world = await World.create();
    const desk = await withSchedulers(world, "exit 0");
    const unit = join(desk.home, ".config/systemd/user/ccsync.service");
    const log = () => Deno.readTextFileSync(join(world.folder, "desk/systemctl.log"));
    const shown = await desk.ccsync("daemon", "install", "--interval", "60", "--dry-run");
    assert.throws(() => Deno.statSync(unit), Deno.errors.NotFound);
    assert.equal(log(), "--user show-environment\n");
    for (let time = 0; time < 2; time++) {
      const installed = await desk.ccsync("daemon", "install", "--interval", "60");
      assert.ok(installed.stderr.includes("journalctl --user -u ccsync"), installed.stderr);
      const text = Deno.readTextFileSync(unit);
      assert.match(text, /^ExecStart=.*"daemon" "--interval" "60"$/m);
      assert.ok(text.includes(`"CCSYNC_HOME=${desk.ccsyncHome}"`), text);
      assert.ok(shown.stdout.includes(text.trimEnd()), shown.stdout);
    }
    assert.ok(
      log().endsWith("--user enable ccsync.service\n--user restart ccsync.service\n"),
      log(),
    );
    await desk.ccsync("daemon", "uninstall", "--dry-run");
    assert.ok(Deno.statSync(unit).isFile);
    const gone = await desk.ccsync("daemon", "uninstall");
    assert.equal(gone.stdout, "taken from systemd\n");
    assert.throws(() => Deno.statSync(unit), Deno.errors.NotFound);
    const none = await desk.ccsync("daemon", "uninstall");
    assert.ok(none.stderr.includes("nothing is installed"), none.stderr);
  },
});

Deno.test({
  name: "daemon install writes a line of the crontab where there is no systemd, and the line works",
  ignore: !isLinux,
  async fn() {
    await using world = await World.create();
    const desk = await withSchedulers(world, "exit 1");
    const table = join(world.folder, "desk/crontab");
    Deno.writeTextFileSync(table, "0 1 * * * backup\n");
    await desk.ccsync("daemon", "install", "--dry-run");
    assert.equal(Deno.readTextFileSync(table), "0 1 * * * backup\n");
    await desk.ccsync("daemon", "install");
    await desk.ccsync("daemon", "install");
    const [backup, line = "", ...rest] = Deno.readTextFileSync(table).trimEnd().split("\n");
    assert.deepEqual([backup, rest], ["0 1 * * * backup", []]);
    assert.match(line, /^\*\/5 \* \* \* \* PATH=.* CCSYNC_HOME=.* daemon --interval 300 --once /);
    const { env } = await invocationOf(desk, []);
    const command = line.split(" ").slice(5).join(" ").replaceAll("\\%", "%");
    // Cron has a short PATH and none of the other variables.
    const { CCSYNC_HOME: _, PATH: __, ...others } = env;
    const ran = await runToEnd("/bin/sh", {
      args: ["-c", command],
      cwd: desk.home,
      env: { ...others, PATH: "/usr/bin:/bin" },
    });
    assert.equal(ran.code, 0, described(ran));
    const record = JSON.parse(Deno.readTextFileSync(join(desk.ccsyncHome, "daemon.json")));
    assert.deepEqual([record.mode, record.last.outcome], ["once", "done"]);
    await desk.ccsync("daemon", "uninstall");
    assert.equal(Deno.readTextFileSync(table), "0 1 * * * backup\n");
  },
});

Deno.test({
  name: "daemon install says what a scheduler refused",
  ignore: !isLinux,
  async fn() {
    await using world = await World.create();
    const refuses = `case "$2" in enable) echo "no bus" >&2; exit 1 ;; esac`;
    const desk = await withSchedulers(world, refuses);
    const result = await desk.try("daemon", "install");
    assert.equal(result.code, 1, described(result));
    assert.ok(result.stderr.includes(`"systemctl --user enable ccsync.service" failed: no bus`));
  },
});
