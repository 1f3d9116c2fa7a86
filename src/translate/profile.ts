/**
 * A machine's profile: which placeholder stands for which directory there.
 *
 * @module
 */
import { posix, win32 } from "node:path";
import type { LocalPath, PlaceholderName } from "../brands.ts";

/** The two families of path rules. macOS and Linux differ in nothing that translation sees. */
export type PathStyle = "posix" | "windows";

/** A name and the directory it stands for on one machine. */
export interface Placeholder {
  readonly name: PlaceholderName;
  /** Absolute, normal, no separator at the end; a Windows drive is upper case (`C:\projects`, `D:`). */
  readonly root: LocalPath;
}

/** The placeholders of one machine, longest root first. */
export interface Profile {
  readonly style: PathStyle;
  readonly placeholders: readonly Placeholder[];
}

/** Why a path cannot be a placeholder's root; `undefined` where it can. */
export function rootFault(style: PathStyle, path: string): string | undefined {
  // deno-lint-ignore no-control-regex -- control characters are exactly what is looked for
  if (/[\u0000-\u001f\u007f]/.test(path)) return "it has control characters";
  if (!path.isWellFormed()) return "it is not valid Unicode";
  if (style === "posix") {
    if (!path.startsWith("/")) return "it is not an absolute path";
    return posix.normalize(path).replace(/\/+$/, "") === ""
      ? "the root of the file system cannot stand behind a placeholder"
      : undefined;
  }
  if (!/^[A-Za-z]:(?:[\\/]|$)/.test(path) && !/^[\\/]{2}[^\\/]+[\\/]+[^\\/]+/.test(path)) {
    return "it is not an absolute path with a drive letter";
  }
  if (/[<>|*?"]/.test(path)) return "it has a character that Windows does not allow in paths";
  return undefined;
}

/** Returns a root in its one normal spelling. The path must have no {@linkcode rootFault}. */
export function normalRoot(style: PathStyle, path: string): LocalPath {
  if (style === "posix") return posix.normalize(path).replace(/\/+$/, "") as LocalPath;
  // With the separator, because `C:` alone means the directory that a shell last used on that drive.
  const normal = win32.normalize(`${path}\\`).replace(/\\+$/, "");
  return (normal.charAt(0).toUpperCase() + normal.slice(1)) as LocalPath;
}

/**
 * Returns a profile of these placeholders: roots normalised, the longest first, so that the most
 * specific one is found. Of two roots for one name the first counts; of two names for one root both
 * are read and the first is written.
 *
 * @throws {RangeError} A root has a {@linkcode rootFault}; callers check what people typed before
 */
export function makeProfile(style: PathStyle, placeholders: Iterable<Placeholder>): Profile {
  const byName = new Map<string, Placeholder>();
  for (const { name, root } of placeholders) {
    const fault = rootFault(style, root);
    if (fault !== undefined) throw new RangeError(`Cannot use "${root}" for ${name}: ${fault}`);
    if (!byName.has(name)) byName.set(name, { name, root: normalRoot(style, root) });
  }
  const sorted = [...byName.values()].sort((a, b) => b.root.length - a.root.length);
  return { style, placeholders: sorted };
}

/** Returns a text that is equal for equal profiles: whether a local file has to be written anew. */
export function profileKey(profile: Profile): string {
  return JSON.stringify([
    profile.style,
    profile.placeholders.map(({ name, root }) => [name, root]),
  ]);
}
