import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import { runClient } from "./claude_client.ts";
import { runToEnd } from "../support/process.ts";

// Stands for the client: Deno itself prints what it was given.
const executable = Deno.execPath();

const ALLOWED = new RegExp(
  "^(EXTRA|PATH|PATHEXT|SYSTEMROOT|SYSTEMDRIVE|COMSPEC|TEMP|TMP|TMPDIR|HOME|USERPROFILE|USER|SHELL|LANG|TERM|" +
    "IS_SANDBOX|CLAUDE_CODE_.*|DISABLE_.*|ANTHROPIC_.*)$",
  "i",
);

async function inTempDir(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "ccsync-client-" }));
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("runClient() refuses the real home, and a configuration outside the given one", async () => {
  await inTempDir(async (folder) => {
    const run = { executable, cwd: folder, port: 1, args: ["--version"] };
    await assert.rejects(runClient({ ...run, home: homedir() }), /in the real home/);
    const home = join(folder, "home");
    const configDir = join(folder, "elsewhere");
    await assert.rejects(runClient({ ...run, home, configDir }), /outside its home/);
  });
});

Deno.test("runClient() passes on no variable of this process, and lets none be loosened", async () => {
  await inTempDir(async (folder) => {
    const home = join(folder, "home");
    const { stdout } = await runClient({
      executable,
      home,
      cwd: folder,
      port: 4321,
      args: [
        "eval",
        "Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(Deno.env.toObject())))",
      ],
      env: { EXTRA: "1", HOME: homedir(), ANTHROPIC_BASE_URL: "https://example.com" },
    });
    const seen: Record<string, string> = JSON.parse(stdout);
    assert.partialDeepStrictEqual(seen, {
      EXTRA: "1",
      HOME: home,
      TMPDIR: join(home, ".tmp"),
      CLAUDE_CODE_TMPDIR: join(home, ".tmp"),
      ANTHROPIC_BASE_URL: "http://127.0.0.1:4321",
    });
    assert.ok(!("CLAUDE_CONFIG_DIR" in seen));
    assert.deepEqual(Object.keys(seen).filter((name) => !ALLOWED.test(name)), []);
  });
});

Deno.test("runToEnd() stops a program that does not end", async () => {
  const args = ["eval", "setInterval(() => {}, 3_600_000)"];
  await assert.rejects(
    runToEnd(executable, { args, cwd: Deno.cwd(), timeoutMs: 300 }),
    /did not end within 300 ms/,
  );
});
