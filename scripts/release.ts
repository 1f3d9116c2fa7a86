/**
 * What a release needs besides the executables: a check of its tag, its notes, and what package managers read.
 *
 * Usage: `deno task release check TAG`, `deno task release notes TAG`,
 * `deno task release packaging TAG SHA256SUMS DIRECTORY`
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CcsyncError } from "../src/errors.ts";
import { asProgram } from "./command_line.ts";
import { isVersion, VERSION } from "../src/version.ts";
import { packagingFiles } from "./packaging.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CHANGES = ".github/changes";

/**
 * Returns the version that a tag names.
 *
 * @throws {CcsyncError} kind "usage" when it is not that of the sources
 */
export function versionOfTag(tag: string, version = VERSION): string {
  if (tag === `v${version}` && isVersion(version)) return version;
  throw new CcsyncError("usage", `cannot release "${tag}": the sources are version ${version}`, {
    hints: ["set the version in deno.json, commit it, and tag that commit"],
  });
}

/** A file of `.github/changes/`. */
export interface Fragment {
  /** Its name, `moved-placeholders.md`. */
  readonly name: string;
  readonly text: string;
}

/** Returns the notes of a release, in Markdown: a section a change, in the order of their names. */
export function releaseNotes(fragments: readonly Fragment[]): string {
  if (fragments.length === 0) return "Nothing that users notice.\n";
  return fragments.map(({ name, text }) => ({ title: titleOf(name), text: text.trim() }))
    .sort((a, b) => (a.title < b.title ? -1 : 1))
    .map(({ text, title }) => `## ${title}\n\n${text}\n`)
    .join("\n");
}

function titleOf(name: string): string {
  const words = basename(name, ".md").replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * Returns the fragments that were added or changed since the tag before, all of them where there is none.
 *
 * @param repository A clone with its tags and its history
 */
export async function fragmentsOf(tag: string, repository = ROOT): Promise<Fragment[]> {
  const git = async (...args: readonly string[]) => {
    const { stdout, success } = await new Deno.Command("git", {
      args: ["-C", repository, ...args],
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  };
  const before = await git("describe", "--tags", "--abbrev=0", "--match", "v*", `${tag}^`);
  const listed = before === undefined
    ? await git("ls-tree", "--name-only", tag, `${CHANGES}/`)
    : await git("diff", "--name-only", "--diff-filter=AM", before, tag, "--", CHANGES);
  if (listed === undefined) {
    throw new CcsyncError("failed", `cannot read what changed up to "${tag}"`, {
      hints: ["the clone has to have the tag: git fetch --tags"],
    });
  }
  const names = listed.split("\n").filter((name) => name.endsWith(".md"));
  return await Promise.all(names.map(async (name) => {
    return { name: basename(name), text: await git("show", `${tag}:${name}`) ?? "" };
  }));
}

async function main([command, tag = "", ...rest]: readonly string[]): Promise<number> {
  const version = command === "notes" ? "" : versionOfTag(tag);
  if (command === "check") return 0;
  if (command === "notes") {
    const notes = releaseNotes(await fragmentsOf(tag));
    Deno.stdout.writeSync(new TextEncoder().encode(notes));
    return 0;
  }
  const [sums, directory] = rest;
  if (command !== "packaging" || sums === undefined || directory === undefined) {
    throw new CcsyncError("usage", "cannot read the command line", {
      hints: ["deno task release check TAG | notes TAG | packaging TAG SHA256SUMS DIRECTORY"],
    });
  }
  const files = packagingFiles(version, Deno.readTextFileSync(sums));
  for (const [path, text] of files) {
    const target = join(directory, path);
    Deno.mkdirSync(dirname(target), { recursive: true });
    Deno.writeTextFileSync(target, text);
  }
  return 0;
}

if (import.meta.main) Deno.exitCode = await asProgram(() => main(Deno.args));
