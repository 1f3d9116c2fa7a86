/**
 * The npm packages that are in the bundle: their versions and licences.
 *
 * @module
 */
import { join } from "node:path";
import * as v from "valibot";
import { CcsyncError } from "../../src/errors.ts";
import { ROOT } from "./programs.ts";

/** A package that something of is in the bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, as the package says. */
  readonly license: string;
  /** The text of its licence. */
  readonly licenseText: string;
  /** Of the archive in the registry, `sha512-` and base64, as `deno.lock` has it. */
  readonly integrity: string;
}

/** A file of Deno's npm cache: the package's directory, its name, its version. */
const PACKAGE_FILE = /^(file:.*\/npm\/[^/]+\/((?:@[^/]+\/)?[^/]+)\/([^/]+)\/)/;

const MANIFEST = v.object({ license: v.string() });
const LOCK = v.object({ npm: v.record(v.string(), v.object({ integrity: v.string() })) });

/**
 * Returns the packages that sources belong to, by name.
 *
 * @throws {CcsyncError} kind "failed" when a package does not say what its licence is
 */
export async function packagesOf(sources: readonly URL[]): Promise<BundledPackage[]> {
  const lock = v.parse(LOCK, JSON.parse(await Deno.readTextFile(join(ROOT, "deno.lock"))));
  const found = new Map<string, Promise<BundledPackage>>();
  for (const { href } of sources) {
    const [, directory, name, version] = PACKAGE_FILE.exec(href) ?? [];
    if (directory === undefined || name === undefined || version === undefined) continue;
    // A copy of a package for other peers has a number behind its version.
    const plain = version.replace(/_\d+$/, "");
    const key = `${name}@${plain}`;
    if (found.has(key)) continue;
    const integrity = integrityOf(lock, key);
    found.set(key, readPackage(new URL(directory), { name, version: plain, integrity }));
  }
  const packages = await Promise.all(found.values());
  return packages.sort((a, b) => `${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1);
}

async function readPackage(
  directory: URL,
  known: Pick<BundledPackage, "name" | "version" | "integrity">,
): Promise<BundledPackage> {
  const manifest = await Deno.readTextFile(new URL("package.json", directory));
  const { success, output } = v.safeParse(MANIFEST, JSON.parse(manifest));
  const file = [...Deno.readDirSync(directory)].map((entry) => entry.name)
    .sort().find((entry) => /^licen[cs]e/i.test(entry));
  if (!success || file === undefined) {
    const id = `${known.name}@${known.version}`;
    throw new CcsyncError("failed", `cannot publish "${id}": it does not tell its licence`);
  }
  const licenseText = await Deno.readTextFile(new URL(file, directory));
  return { ...known, license: output.license, licenseText };
}

function integrityOf({ npm }: v.InferOutput<typeof LOCK>, key: string): string {
  // What a package has for peers follows its own version.
  const found = Object.entries(npm).find(([id]) => id === key || id.startsWith(`${key}_`));
  if (found === undefined) {
    throw new CcsyncError("failed", `cannot publish "${key}": deno.lock does not have it`);
  }
  return found[1].integrity;
}

/** Returns the licences of all packages, as the archives have them beside the executable. */
export function thirdPartyLicenses(packages: readonly BundledPackage[]): string {
  const parts = packages.map(({ name, version, license, licenseText }) =>
    `${name} ${version} (${license})\n\n${licenseText.replaceAll("\r\n", "\n").trim()}\n`
  );
  return [
    "The ccsync executable is made of Deno (https://deno.com/, MIT License) and of these packages:\n",
    ...parts,
  ].join(`\n${"-".repeat(80)}\n\n`);
}
