import assert from "node:assert/strict";
import {
  changedCrontab,
  cronLine,
  type Job,
  launchdAgent,
  shQuoted,
  systemdUnit,
  windowsTask,
} from "../../src/machine/schedules.ts";
import { Folder } from "../support/folder.ts";
import { described, runToEnd } from "../support/process.ts";
import { missing, testUnless } from "../support/programs.ts";

/** What paths of people may hold, and every format gives another meaning to. */
const ODD: Job = {
  command: ["/bin/echo", "daemon", `a "b" & <c> $HOME %h 100% it's\\n`, "--interval", "60"],
  variables: { PATH: "/usr/bin:/bin", CCSYNC_HOME: `/home/o'x y/%d "q" <&> $Z` },
};

Deno.test("systemdUnit() escapes what systemd would take for its own", () => {
  const unit = systemdUnit(ODD);
  assert.ok(
    unit.includes(`ExecStart="/bin/echo" "daemon" "a \\"b\\" & <c> $$HOME %%h 100%% it's\\\\n"`),
    unit,
  );
  assert.ok(unit.includes(`Environment="CCSYNC_HOME=/home/o'x y/%%d \\"q\\" <&> $Z"`), unit);
  assert.match(unit, /^Restart=on-failure$/m);
  assert.match(unit, /^WantedBy=default\.target$/m);
});

testUnless(
  missing("systemd-analyze"),
  "systemdUnit() is what systemd-analyze accepts",
  async () => {
    using folder = new Folder();
    const path = folder.write("ccsync.service", systemdUnit(ODD));
    const env = {
      PATH: Deno.env.get("PATH") ?? "",
      XDG_RUNTIME_DIR: folder.path,
      HOME: folder.path,
    };
    const result = await runToEnd("systemd-analyze", {
      args: ["--user", "--man=no", "verify", path],
      cwd: folder.path,
      env,
    });
    assert.deepEqual(
      [result.code, result.stderr.includes("ccsync.service:")],
      [0, false],
      described(result),
    );
  },
);

for (
  const [what, make] of [["launchdAgent", launchdAgent], ["windowsTask", windowsTask]] as const
) {
  testUnless(
    missing("xmllint"),
    `${what}() is well-formed XML, and holds the command as it is`,
    async () => {
      using folder = new Folder();
      const text = make(ODD).replace('encoding="UTF-16"', 'encoding="UTF-8"');
      const path = folder.write("job.xml", text);
      const xmllint = async (...args: readonly string[]) => {
        const result = await runToEnd("xmllint", {
          args: ["--nonet", ...args, path],
          cwd: folder.path,
        });
        assert.equal(result.code, 0, described(result));
        return result.stdout;
      };
      await xmllint("--noout");
      const all = await xmllint("--xpath", "string(/)");
      assert.ok(all.includes("/bin/echo"), all);
      assert.ok(all.includes(`& <c> $HOME %h 100%`), all);
    },
  );
}

Deno.test("cronLine() runs as it is in a shell, after cron has taken its percent signs", async () => {
  const line = cronLine({ ...ODD, variables: { ...ODD.variables, A: "x" } }, 300);
  const [, times, rest = ""] = /^((?:\S+ ){5})(.*)$/.exec(line) ?? [];
  assert.equal(times, "*/5 * * * * ");
  assert.ok(!/(?<!\\)%/.test(rest));
  const shell = rest.replaceAll("\\%", "%").replace(" >/dev/null 2>&1", "");
  const { stdout } = await runToEnd("/bin/sh", { args: ["-c", shell], cwd: "." });
  assert.equal(stdout.trimEnd(), ODD.command.slice(1).join(" "));
});

Deno.test("cronLine() rounds the interval to what cron knows", () => {
  const timesOf = (seconds: number) => cronLine(ODD, seconds).split(" ").slice(0, 5).join(" ");
  assert.equal(timesOf(1), "* * * * *");
  assert.equal(timesOf(60), "* * * * *");
  assert.equal(timesOf(1200), "*/20 * * * *");
  assert.equal(timesOf(3600), "0 * * * *");
  assert.equal(timesOf(7200), "0 */2 * * *");
  assert.equal(timesOf(86_400), "0 */23 * * *");
});

Deno.test("changedCrontab() changes ccsync's line only", () => {
  const others = "MAILTO=x\n0 1 * * * backup # of ccsync's files\n";
  const line = cronLine(ODD, 300);
  const added = changedCrontab(others, line);
  assert.equal(added, `${others}${line}\n`);
  assert.equal(changedCrontab(added, cronLine(ODD, 60)), `${others}${cronLine(ODD, 60)}\n`);
  assert.equal(changedCrontab(added, undefined), others);
  assert.equal(changedCrontab("", line), `${line}\n`);
  assert.equal(changedCrontab(`${line}\n`, undefined), "");
});

Deno.test("shQuoted() gives a shell the word as it is", async () => {
  for (const word of ["plain", "/a/b-c.d", "a b", "it's", `"$HOME"`, "", "*", "a\\b", "~"]) {
    const { stdout } = await runToEnd("/bin/sh", {
      args: ["-c", `printf %s ${shQuoted(word)}`],
      cwd: ".",
    });
    assert.equal(stdout, word);
  }
});
