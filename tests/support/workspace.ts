/**
 * The use cases without the command line, on the machines of a world.
 *
 * @module
 */
import { join } from "node:path";
import type { LocalPath } from "../../src/brands.ts";
import { readConfig } from "../../src/machine/config.ts";
import type { Environment } from "../../src/machine/environment.ts";
import { Workspace } from "../../src/sync/workspace.ts";
import "./hermetic_git.ts";
import type { TestMachine } from "./world.ts";

/**
 * Returns an open workspace on a machine that has joined a hub. Dispose it.
 *
 * @param now The clock @default {the system's}
 */
export function openWorkspace(machine: TestMachine, now: () => number = Date.now): Workspace {
  const env: Environment = {
    os: Deno.build.os,
    style: Deno.build.os === "windows" ? "windows" : "posix",
    hostname: "test",
    home: machine.home as LocalPath,
    ccsyncHome: machine.ccsyncHome as LocalPath,
    claudeDir: machine.claude as LocalPath,
    claudeTmp: join(machine.tmp, "claude-0") as LocalPath,
    now,
  };
  const progress = { step: () => undefined, warn: () => undefined };
  return Workspace.open(env, readConfig(env.ccsyncHome, env.style), progress);
}
