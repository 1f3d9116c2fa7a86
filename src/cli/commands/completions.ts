import { completionScript } from "../completion/scripts.ts";
import type { Shell } from "../completion/shells.ts";
import type { Context, Ending } from "../context.ts";

/** Prints the script that makes a shell complete ccsync's command line. */
export function runCompletions({ terminal }: Context, shell: Shell): Ending {
  terminal.result(completionScript(shell).trimEnd());
  return "done";
}
