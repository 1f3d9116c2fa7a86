/**
 * ccsync's executable as a file: who put it there, and how another version takes its place.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { CcsyncError, messageOf } from "../errors.ts";
import { type Environment, randomId } from "./environment.ts";
import { entriesOf, lstatIfThere, patiently, removeIfThere } from "./files.ts";
import { runProgram } from "./programs.ts";

/** Package managers by where they put programs, and how each brings a new version. */
const PACKAGE_MANAGERS: readonly (readonly [path: RegExp, name: string, command: string])[] = [
  [/[/\\]Cellar[/\\]|[/\\](?:home|linux)brew[/\\]/i, "Homebrew", "brew upgrade ccsync"],
  [/[/\\]scoop[/\\]/i, "Scoop", "scoop update ccsync"],
  [/[/\\]WinGet[/\\]/i, "winget", "winget upgrade ccsync"],
  [/^\/nix\/store\//, "Nix", "nix profile upgrade ccsync"],
];

/** Returns who put an executable there, where that is a package manager: it would not notice another version. */
export function packageManagerOf(
  executable: string,
): { readonly name: string; readonly command: string } | undefined {
  const [, name, command] = PACKAGE_MANAGERS.find(([path]) => path.test(executable)) ?? [];
  return name === undefined || command === undefined ? undefined : { name, command };
}

/**
 * Takes one file out of an archive, into the archive's directory.
 *
 * @param directory Where the archive is
 * @param member The file's path in the archive
 * @returns The file's path
 * @throws {CcsyncError} kind "failed" when it is not there
 */
export async function unpack(
  { os, searchPath }: Pick<Environment, "os" | "searchPath">,
  directory: string,
  archive: string,
  member: string,
): Promise<string> {
  const fault = await unpackingFault(tarOf(os, searchPath), directory, archive, member);
  const path = join(directory, ...member.split("/"));
  if (fault === undefined && lstatIfThere(path)?.isFile === true) return path;
  throw new CcsyncError("failed", `cannot unpack "${archive}": ${fault ?? "it lacks ccsync"}`, {
    hints: ["nothing was changed"],
  });
}

async function unpackingFault(
  tar: string,
  directory: string,
  archive: string,
  member: string,
): Promise<string | undefined> {
  const result = await runProgram(tar, ["-xf", archive, member], directory);
  if (result === undefined) return `there is no program "${tar}"`;
  return result.code === 0 ? undefined : result.stderr.trim();
}

/**
 * Returns the system's tar, which reads both formats: Windows has it since 2018, but the one that Git brings along
 * there knows no zip.
 */
function tarOf(os: Environment["os"], searchPath: readonly string[]): string {
  const system = searchPath.find((path) => /[/\\]system32[/\\]?$/i.test(path));
  return os === "windows" && system !== undefined ? join(system, "tar.exe") : "tar";
}

/** Returns what an executable calls its version, and why it cannot be told where it does not start. */
export async function versionOf(
  executable: string,
): Promise<{ readonly version: string } | { readonly why: string }> {
  try {
    const result = await runProgram(executable, ["--version"]);
    if (result === undefined) return { why: "it is not there" };
    const { code, stderr, stdout } = result;
    return code === 0 ? { version: stdout.trim() } : { why: stderr.trim() };
  } catch (error) {
    return { why: messageOf(error) };
  }
}

/**
 * Puts a new executable in the place of the old one, at once: there is one at every moment. On Windows, where the
 * file of a running program can be renamed but neither replaced nor removed, the old one stays beside it until
 * {@linkcode removeReplaced}, under a name of its own: a daemon may still run one that was replaced before.
 *
 * @param next On the same file system
 */
export function replaceExecutable(
  os: Environment["os"],
  executable: string,
  next: string,
): void {
  if (os !== "windows") {
    Deno.chmodSync(next, (Deno.statSync(executable).mode ?? 0o755) & 0o777);
    Deno.renameSync(next, executable);
    return;
  }
  const old = `${executable}.${randomId()}${REPLACED}`;
  patiently(() => Deno.renameSync(executable, old), os);
  try {
    // It has just been started and looked at, by virus scanners too.
    patiently(() => Deno.renameSync(next, executable), os);
  } catch (error) {
    patiently(() => Deno.renameSync(old, executable), os);
    throw error;
  }
}

const REPLACED = ".old";

/** Removes what {@linkcode replaceExecutable} and the install script had to leave, if it is no longer running. */
export function removeReplaced({ executable, os }: Pick<Environment, "executable" | "os">): void {
  if (executable === undefined || os !== "windows") return;
  try {
    for (const { name } of entriesOf(dirname(executable))) {
      const isReplaced = name.startsWith(`${basename(executable)}.`) && name.endsWith(REPLACED);
      if (isReplaced) removeUnlessRunning(join(dirname(executable), name));
    }
  } catch {
    // The directory is somebody else's: whoever may look into it will do it.
  }
}

function removeUnlessRunning(path: string): void {
  try {
    removeIfThere(path);
  } catch {
    // A daemon of that version may still run: another run will do it.
  }
}
