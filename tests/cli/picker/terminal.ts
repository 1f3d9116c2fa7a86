/**
 * The asking program in a terminal.
 *
 * @module
 */
import { type Program, sourceOf } from "../../support/ccsync.ts";
import { Tmux, type TmuxOptions } from "../../support/tmux.ts";

/** Returns how the program is started: what it asks, `pick 12`, and its options. */
export async function asking(...args: readonly string[]): Promise<Program> {
  const source = await sourceOf(new URL("program.ts", import.meta.url));
  return { ...source, args: [...source.args, ...args] };
}

/** Starts the program in a terminal, by default of 90 columns and 24 rows. */
export async function ask(
  what: string,
  { columns = 90, env = {}, rows = 24 }: Partial<TmuxOptions> = {},
): Promise<Tmux> {
  const { args, env: needed, path } = await asking(...what.split(" "));
  return await Tmux.start([path, ...args], { columns, rows, env: { ...needed, ...env } });
}
