/**
 * What every command works with.
 *
 * @module
 */
import { CcsyncError } from "../errors.ts";
import { type Config, readConfig } from "../machine/config.ts";
import type { Environment } from "../machine/environment.ts";
import { alone } from "../machine/one_process.ts";
import { requireGit } from "../hub/git.ts";
import { type Progress, Workspace } from "../sync/workspace.ts";
import type { OutputOptions, Terminal } from "./terminal.ts";

/** The surroundings and the terminal of one run. */
export interface Context {
  readonly env: Environment;
  readonly terminal: Terminal;
}

/** Makes the context of a run once the global options are known. */
export type ContextFactory = (options: OutputOptions) => Context;

/** How a command that was carried out ended. */
export type Ending = "done" | "partial";

/** Returns where a use case tells of its progress: the terminal. */
export function progressOn(terminal: Terminal): Progress {
  return {
    step: (what) => terminal.step(what),
    warn: (what) => terminal.warn(what),
  };
}

/** Runs the work in an open workspace, alone on this machine. */
export async function inWorkspace<T>(
  { env, terminal }: Context,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const config: Config = readConfig(env.ccsyncHome, env.style);
  await requireGit();
  return await onlyOne({ env, terminal }, async () => {
    await using workspace = Workspace.open(env, config, progressOn(terminal));
    return await work(workspace);
  });
}

/** Runs the work while no other ccsync of this machine does. */
export async function onlyOne<T>({ env, terminal }: Context, work: () => Promise<T>): Promise<T> {
  return await alone(
    env.ccsyncHome,
    () => terminal.note("waiting for another ccsync to finish ..."),
    work,
  );
}

/** Reads `NAME=PATH`. */
export function parseAssignment(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  if (equals > 0 && equals < text.length - 1) {
    return [text.slice(0, equals), text.slice(equals + 1)];
  }
  throw new CcsyncError("usage", `cannot read the placeholder "${text}": it is not NAME=PATH`, {
    hints: ["write for example: --add-placeholder PROJECTS=/home/you/projects"],
  });
}
