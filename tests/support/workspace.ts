/**
 * Use cases without the program around them: a workspace on a machine of a scenario.
 *
 * @module
 */
import { join } from "node:path";
import type { LocalPath } from "../../src/brands.ts";
import { type Config, readConfig } from "../../src/machine/config.ts";
import type { Environment } from "../../src/machine/environment.ts";
import { Workspace } from "../../src/sync/workspace.ts";
import "./hermetic_git.ts";
import type { TestMachine } from "./world.ts";

/** Returns surroundings in a home, with what is named as it is named. */
export function environmentIn(home: string, known: Partial<Environment> = {}): Environment {
  return {
    os: Deno.build.os,
    style: Deno.build.os === "windows" ? "windows" : "posix",
    hostname: "test",
    home: home as LocalPath,
    ccsyncHome: join(home, ".claude-session-sync") as LocalPath,
    claudeDir: join(home, ".claude") as LocalPath,
    configHome: join(home, ".config"),
    claudeTmp: join(home, "tmp/claude-0") as LocalPath,
    executable: undefined,
    releases: "github.com/you/ccsync",
    claudeProgram: "claude",
    editor: "vi",
    variables: new Set(),
    searchPath: [],
    now: Date.now,
    ...known,
  };
}

const SILENT = {
  step: () => undefined,
  begin: () => undefined,
  advance: () => undefined,
  warn: () => undefined,
};

/** Returns an open workspace on a machine that has joined a hub. Dispose it. */
export function openWorkspace(
  machine: TestMachine,
  known: Partial<Environment> = {},
  changed: Partial<Config> = {},
): Workspace {
  const claudeTmp = join(machine.tmp, "claude-0") as LocalPath;
  const env = environmentIn(machine.home, { claudeTmp, ...known });
  const config = { ...readConfig(env.ccsyncHome, env.style), ...changed };
  return Workspace.open(env, config, SILENT);
}
