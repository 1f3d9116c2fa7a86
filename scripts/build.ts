/**
 * Makes the ccsync executable: bundles `main.ts`, then compiles the bundle with the fewest
 * permissions that work; and packs it for publication.
 *
 * Bundling first keeps everything out of the executable that ccsync does not run: `deno compile`
 * alone embeds every package of the lock file. The result depends on the sources, not on the
 * machine: the same commit gives the same bytes wherever it is built.
 *
 * Usage: `deno task build [--target TARGET]... [--all] [--archive] [--output PATH] [--test-runtime]`
 *
 * @module
 */
import { basename, dirname, join, resolve } from "node:path";
import { completionScript, SCRIPT_FILES } from "../src/cli/completion/scripts.ts";
import { SHELLS } from "../src/cli/completion/shells.ts";
import { RELEASES, VERSION } from "../src/version.ts";
import { checksums, pack, type PackedFile } from "./build/archive.ts";
import { type Bundle, makeBundle } from "./build/bundle.ts";
import { type Compiler, compilerFor } from "./build/compiler.ts";
import { layOut, makeExecutable, verify } from "./build/executable.ts";
import { type BuildOptions, executablePath, HELP, parseFlags } from "./build/options.ts";
import { type BundledPackage, packagesOf, thirdPartyLicenses } from "./build/packages.ts";
import { print, ROOT, say } from "./build/programs.ts";
import { billOfMaterials } from "./build/sbom.ts";
import { isWindows, type Target } from "./build/targets.ts";
import { asProgram } from "./command_line.ts";
import { manPage } from "./man.ts";
import { withAbsoluteLinks } from "./markdown.ts";

/** An executable to be made. */
interface Job {
  readonly target: Target;
  readonly path: string;
  readonly compiler: Compiler;
}

/**
 * Makes what the command line asks for, tells about it, and returns the paths of what was made.
 *
 * Each executable appears at its place when it is complete and, if it is for this system, has been started;
 * until then, and if anything fails, an earlier one stays (`deno compile` itself removes it when it fails).
 */
async function build(options: BuildOptions): Promise<string[]> {
  const jobs: Job[] = await Array.fromAsync(options.targets, async (target) => ({
    target,
    path: resolve(executablePath(options.output, target, Deno.build.target)),
    compiler: await compilerFor(target, options),
  }));
  const directory = dirname(jobs[0]?.path ?? ROOT);
  await Deno.mkdir(directory, { recursive: true });
  const work = await Deno.makeTempDir({ dir: directory, prefix: ".ccsync-build-" });
  try {
    const bundle = await makeBundle(join(work, "as_bundled"));
    const source = await layOut(bundle, work);
    for (const job of jobs) await buildOne(job, source, work);
    const published = options.archive ? await publish(bundle, jobs, directory) : [];
    return [...jobs.map(({ path }) => path), ...published];
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Makes one executable. */
async function buildOne(
  { target, path, compiler }: Job,
  source: string,
  work: string,
): Promise<void> {
  const start = performance.now();
  const executable = join(work, basename(path));
  await makeExecutable({ source, executable, target, compiler });
  const built = performance.now() - start;
  const started = target === Deno.build.target
    ? `--version takes ${seconds(await verify(executable))}`
    : "not started, being for another system";
  const { size } = await Deno.stat(executable);
  await Deno.rename(executable, path);
  say(`${basename(path)}: ${megabytes(size)}, built in ${seconds(built)}, ${started}`);
}

/** Makes what is published, all in one directory, and returns the paths. */
async function publish(
  bundle: Bundle,
  jobs: readonly Job[],
  directory: string,
): Promise<string[]> {
  const packages = await packagesOf(bundle.sources);
  const companions = await companionFiles(packages);
  const files = new Map<string, Uint8Array>();
  for (const { target, path } of jobs) {
    const folder = `ccsync-${VERSION}-${target}`;
    const name = `${folder}.${isWindows(target) ? "zip" : "tar.gz"}`;
    say(`packing ${name}`);
    const executable: PackedFile = {
      path: isWindows(target) ? "ccsync.exe" : "ccsync",
      bytes: await Deno.readFile(path),
      isExecutable: true,
    };
    const bytes = await pack(isWindows(target) ? "zip" : "tar.gz", folder, [
      executable,
      ...companions,
    ]);
    say(`${name}: ${megabytes(bytes.length)}`);
    files.set(name, bytes);
  }
  const bill = billOfMaterials(packages, jobs[0]?.compiler.version ?? Deno.version.deno);
  files.set(`ccsync-${VERSION}.cdx.json`, new TextEncoder().encode(bill));
  files.set("SHA256SUMS", new TextEncoder().encode(checksums(files)));
  for (const [name, bytes] of files) await Deno.writeFile(join(directory, name), bytes);
  return [...files.keys()].map((name) => join(directory, name));
}

/** Returns what every archive has beside the executable. */
async function companionFiles(packages: readonly BundledPackage[]): Promise<PackedFile[]> {
  const read = async (path: string) => await Deno.readTextFile(join(ROOT, path));
  // What it links to is not in the archive.
  const readme = withAbsoluteLinks(
    await read("README.md"),
    `https://${RELEASES}/blob/v${VERSION}/`,
  );
  return [
    textFile("LICENSE", await read("LICENSE")),
    textFile("README.md", readme),
    textFile("THIRD_PARTY_LICENSES", thirdPartyLicenses(packages)),
    textFile("ccsync.1", manPage()),
    ...SHELLS.map((shell) =>
      textFile(`completions/${SCRIPT_FILES[shell]}`, completionScript(shell))
    ),
  ];
}

/** Returns a file of an archive that holds a text. */
function textFile(path: string, text: string): PackedFile {
  return { path, bytes: new TextEncoder().encode(text) };
}

/** Returns a number of bytes as megabytes, for people. */
function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Returns milliseconds as seconds, for people. */
function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** Runs the command line and returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const options = parseFlags(args, Deno.build.target);
  if (options.help) print(Deno.stdout, HELP.trimEnd());
  else for (const path of await build(options)) print(Deno.stdout, path);
  return 0;
}

if (import.meta.main) Deno.exit(await asProgram(() => main(Deno.args)));
