/**
 * The bundle: ccsync's code, and of its packages no more than it uses, as a few modules.
 *
 * @module
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT, run, say } from "./programs.ts";

/** The module that the others are loaded from. */
export const MAIN = "main.js";

/** Modules with their source maps, and what they were made of. */
export interface Bundle {
  /** By name; a module's map is called after it. */
  readonly files: ReadonlyMap<string, string>;
  /** The files of ccsync and of packages that something of is in the bundle. */
  readonly sources: readonly URL[];
}

/**
 * Bundles ccsync: what every start loads into one module, what commands load when they are run into others.
 *
 * Not minified: the esbuild inside Deno 2.9.6 (0.25.5) then drops `using` declarations whose
 * variable is used once, so that files stay open and locks stay held (fixed in esbuild 0.28.1).
 * Start-up would not be faster. It is if source maps are files of their own, which are read when
 * something fails.
 *
 * @param directory For the bundle as Deno makes it, which is not the same on every machine
 */
export async function makeBundle(directory: string): Promise<Bundle> {
  say("bundling main.ts");
  const flags = ["--quiet", "--frozen", "--platform=deno", "--code-splitting"];
  const place = ["--sourcemap=linked", `--outdir=${directory}`];
  await run(Deno.execPath(), ["bundle", ...flags, ...place, "main.ts"], {
    purpose: `bundle "main.ts"`,
  });
  const files = new Map<string, string>();
  for (const { name } of Deno.readDirSync(directory)) {
    files.set(name, await Deno.readTextFile(join(directory, name)));
  }
  return portableBundle(files, pathToFileURL(`${directory}/`), pathToFileURL(ROOT));
}

/** What a source map says, as far as it matters here. */
interface SourceMap {
  readonly sources: readonly string[];
}

/**
 * Returns a bundle without what only the machine that made it has: where it lies, and its packages.
 *
 * Line numbers stay, and stack traces still name the files of the sources. The text of the sources
 * is left out of the source maps, which is the larger half of a bundle.
 *
 * @param files By name: modules, and for each its source map
 * @param directory URL of the directory that the files' paths are relative to
 * @param root URL of the repository
 */
export function portableBundle(
  files: ReadonlyMap<string, string>,
  directory: URL,
  root: URL,
): Bundle {
  const names = portableNames(files);
  const portable = new Map<string, string>();
  const sources: URL[] = [];
  for (const [name, newName] of names) {
    const map: SourceMap = JSON.parse(files.get(`${name}.map`) ?? '{"sources":[]}');
    const urls = map.sources.map((source) => sourceUrl(source, directory));
    const paths = urls.map((url) => portablePath(url, root));
    sources.push(...urls);
    portable.set(newName, portableCode(files.get(name) ?? "", names));
    portable.set(
      `${newName}.map`,
      JSON.stringify({ ...map, sources: paths, sourcesContent: undefined }),
    );
  }
  return { files: portable, sources };
}

/** Returns where a source is: relative to the bundle, but for those on another drive of Windows. */
function sourceUrl(source: string, directory: URL): URL {
  return /^[a-z]:/i.test(source) ? new URL(`file:///${source}`) : new URL(source, directory);
}

/** A module that another one imports, and where a module names its source map. */
const MODULE_NAME = /(?<="\.\/|^\/\/# sourceMappingURL=)[^"/\s]+\.js(?="|\.map$)/gm;

/**
 * Returns names for the modules that do not depend on where packages lie, as the bundler's do.
 *
 * @returns By old name; numbered in the order in which they are imported, the main module first
 */
function portableNames(files: ReadonlyMap<string, string>): Map<string, string> {
  const found = new Set([MAIN]);
  // A set goes on to what is added while it is walked.
  for (const name of found) {
    for (const [next] of files.get(name)?.matchAll(MODULE_NAME) ?? []) {
      if (files.has(next)) found.add(next);
    }
  }
  return new Map([...found].map((name, index) => {
    return [name, name.replace(/-[A-Z0-9]{8}(?=\.js$)/, `_${index}`)];
  }));
}

/** Where a module names a file of an npm package: in a comment, or as the name of a module. */
const NPM_FILE_IN_CODE = /^(\/\/ |\s*")(?:\.\.\/|[a-z]:\/)[^"\n]*?\/npm\/[^/"\n]+\//gim;

function portableCode(code: string, names: ReadonlyMap<string, string>): string {
  return code.replace(MODULE_NAME, (name) => names.get(name) ?? name)
    .replace(NPM_FILE_IN_CODE, "$1npm/");
}

/** The directory of Deno's npm packages. */
const NPM_FILE = /^file:\/\/.*?\/npm\/[^/]+\//;

/** Returns the path of a source as every machine has it. */
function portablePath({ href }: URL, root: URL): string {
  return href.startsWith(root.href) ? href.slice(root.href.length) : href.replace(NPM_FILE, "npm/");
}
