/**
 * One of many machines that race for locks: a program of its own, so that the race is real.
 *
 * Usage: `lock_racer.ts HOME HUB ID`. For each session's id on standard input it tries to lock that session,
 * and answers `won` or `lost`.
 *
 * @module
 */
import type { LocalPath, MachineId, SessionId } from "../../src/brands.ts";
import { DEFAULT_TIMES } from "../../src/machine/config.ts";
import { acquireLock } from "../../src/sync/locks.ts";
import { Workspace } from "../../src/sync/workspace.ts";
import { environmentIn } from "../support/workspace.ts";

const [home = "", hub = "", id = ""] = Deno.args;
const config = {
  machineId: id as MachineId,
  installation: id,
  remote: hub,
  syncDirectories: [home as LocalPath],
  placeholders: new Map(),
  ...DEFAULT_TIMES,
};
const silent = {
  step: () => undefined,
  begin: () => undefined,
  advance: () => undefined,
  warn: () => undefined,
};
await using workspace = Workspace.open(environmentIn(home), config, silent, () => undefined);
await workspace.mirror.prepare();

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

say("ready");
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const line of lines) {
  const held = await acquireLock(workspace, line.trim() as SessionId, undefined);
  say(held === undefined ? "lost" : "won");
}
