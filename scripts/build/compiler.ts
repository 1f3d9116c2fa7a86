/**
 * The programs that turn a bundle into an executable: `deno`, and the runtime for the target.
 *
 * @module
 */
import { basename, join } from "node:path";
import { CcsyncError } from "../../src/errors.ts";
import { exists, ROOT, run, say, writeJson } from "./programs.ts";
import { isTarget, type Target, TARGETS, withExtension } from "./targets.ts";

/**
 * The programs of the test runtime, exact versions. Both are Deno 2.7.11, and have to stay the same
 * version: an executable made of two versions does not start.
 */
export const TEST_RUNTIME = { denoVersion: "2.7.11", runtimePackageVersion: "0.22.2" } as const;

/** What turns a bundle into an executable. */
export interface Compiler {
  /** Path of the `deno` command. */
  readonly deno: string;
  /** Its version, and so that of the runtime. */
  readonly version: string;
  /**
   * Path of the runtime the executable is made of.
   *
   * @default {undefined} Deno downloads it
   */
  readonly runtime?: string | undefined;
}

/** What of the command line says which compiler is meant. */
interface CompilerOptions {
  readonly targets: readonly Target[];
  readonly testRuntime: boolean;
}

/**
 * Returns the compiler for one of the targets: this Deno with its own runtime, or the one for tests.
 *
 * @throws {CcsyncError} kind "usage" when `DENORT_BIN` would have to be the runtime of several targets
 */
export async function compilerFor(
  target: Target,
  { targets, testRuntime }: CompilerOptions,
): Promise<Compiler> {
  if (testRuntime) return await testCompiler(target);
  const runtime = Deno.env.get("DENORT_BIN") || undefined;
  if (runtime !== undefined && targets.length > 1) {
    throw new CcsyncError(
      "usage",
      `cannot build for ${targets.length} targets with one DENORT_BIN`,
      {
        hints: ["build them one by one, with --target, each with the runtime for it"],
      },
    );
  }
  return { deno: Deno.execPath(), version: Deno.version.deno, runtime };
}

/**
 * Installs the compiler for machines which reach nothing but an npm registry, and returns it.
 *
 * `deno compile` takes the runtime from Deno's download server, and no npm package holds it as such.
 * The packages `@stdy/cli-*` however hold a program that was itself made by `deno compile`, version
 * 2.7.11, so that its file can serve as the runtime of that version. It stands in for the real one
 * in tests of the executable; the release workflow downloads Deno's own.
 */
async function testCompiler(target: Target): Promise<Compiler> {
  const { denoVersion, runtimePackageVersion } = TEST_RUNTIME;
  const host = Deno.build.target;
  if (!isTarget(host)) {
    throw new CcsyncError("failed", `cannot use the test runtime on "${host}": it has no package`);
  }
  const deno = await packageFile(
    `@deno/${TARGETS[host].denoPackage}`,
    denoVersion,
    withExtension("deno", host),
  );
  const runtime = await packageFile(
    `@stdy/cli-${TARGETS[target].runtimePackage}`,
    runtimePackageVersion,
    withExtension("bin/steady", target),
  );
  return { deno, version: denoVersion, runtime };
}

/**
 * Returns the path of a copy of one file of an npm package, which is installed if it is not there.
 *
 * The file appears in `.cache/` at once and whole, so that builds may run side by side and a build
 * that was interrupted leaves nothing that looks complete.
 *
 * @param file Path inside the package
 */
async function packageFile(name: string, version: string, file: string): Promise<string> {
  const cache = join(ROOT, ".cache", "test-runtime");
  const path = join(cache, `${name.replaceAll(/[@/]/g, "_")}_${version}_${basename(file)}`);
  if (await exists(path)) return path;
  say(`installing ${name}@${version}`);
  await Deno.mkdir(cache, { recursive: true });
  const work = await Deno.makeTempDir({ dir: cache });
  try {
    await writeJson(join(work, "deno.json"), {});
    await writeJson(join(work, "package.json"), { dependencies: { [name]: version } });
    // Deno installs packages itself and, unlike npm, runs no scripts of theirs and needs no Node.js.
    await run(Deno.execPath(), ["install", "--node-modules-dir=auto"], {
      purpose: `install "${name}@${version}"`,
      cwd: work,
      hints: ["the npm registry has to be reachable"],
    });
    await Deno.rename(join(work, "node_modules", ...name.split("/"), ...file.split("/")), path);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  return path;
}
