/**
 * The command line of `deno task build`.
 *
 * @module
 */
import { join } from "node:path";
import { CcsyncError } from "../../src/errors.ts";
import { readFlags } from "../command_line.ts";
import { TEST_RUNTIME } from "./compiler.ts";
import { ROOT } from "./programs.ts";
import { allTargets, isTarget, type Target, withExtension } from "./targets.ts";

/** What `--help` prints. */
export const HELP = `Make the ccsync executable in dist/.

Usage: deno task build [options]

Options:
  --target TARGET  What to build for; repeatable (default: this system)
                   ${allTargets().join("\n                   ")}
  --all            Build for all of them
  --archive        Also make what is published: an archive of each, an SBOM, and SHA256SUMS
  --output PATH    Where to write the executable, of one target only
                   (default: dist/ccsync; for another system dist/ccsync-TARGET)
  --test-runtime   Use Deno ${TEST_RUNTIME.denoVersion} from the npm registry, for tests only
  --help           Show this text

The runtime comes from Deno's download server. Where that cannot be reached, the variable
DENORT_BIN names the runtime's file (denort, of the same version and for the target).
`;

const FLAGS = {
  target: { type: "string", multiple: true },
  all: { type: "boolean" },
  archive: { type: "boolean" },
  output: { type: "string" },
  "test-runtime": { type: "boolean" },
  help: { type: "boolean" },
} as const;

/** What the command line asks for. */
export interface BuildOptions {
  readonly help: boolean;
  readonly targets: readonly Target[];
  /**
   * Path of the executable, relative to the current directory.
   *
   * @default {undefined} {@linkcode executablePath} in `dist/`
   */
  readonly output?: string | undefined;
  readonly archive: boolean;
  readonly testRuntime: boolean;
}

/**
 * Returns what the command line asks for.
 *
 * @param args The arguments without program and script
 * @param host The target that stands for this system, as `Deno.build.target` names it
 * @throws {CcsyncError} kind "usage" when a flag or its value is not known, or does not go with another
 */
export function parseFlags(args: readonly string[], host: string): BuildOptions {
  const { output, ...flags } = readFlags(args, FLAGS, "deno task build --help");
  const targets = targetsOf(flags.all === true ? allTargets() : flags.target ?? [host]);
  if (output !== undefined && targets.length > 1) {
    throw new CcsyncError("usage", `cannot write ${targets.length} executables to "${output}"`, {
      hints: ["leave --output out: each has a name of its own in dist/"],
    });
  }
  return {
    help: flags.help ?? false,
    targets,
    output,
    archive: flags.archive ?? false,
    testRuntime: flags["test-runtime"] ?? false,
  };
}

/** Returns the targets of these names, each once. */
function targetsOf(names: readonly string[]): Target[] {
  return [...new Set(names)].map((name) => {
    if (isTarget(name)) return name;
    throw new CcsyncError("usage", `cannot build for "${name}": not a known target`, {
      hints: [`--target is one of ${allTargets().join(", ")}`],
    });
  });
}

/** Returns where the executable for a target is written. */
export function executablePath(output: string | undefined, target: Target, host: string): string {
  const name = target === host ? "ccsync" : `ccsync-${target}`;
  return withExtension(output ?? join(ROOT, "dist", name), target);
}
