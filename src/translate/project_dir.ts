/**
 * How Claude Code names the directory of a project's sessions.
 *
 * Source: observed with client 2.1.197 for 199, 200, 201, 260 and 400 characters, spaces, dots, `_`,
 * umlauts, CJK, emoji and upper case; fixtures `tests/fixtures/alice/.claude/projects`.
 *
 * @module
 */

/** The most UTF-16 units of a path that a name holds. */
export const LONGEST_DIR_NAME = 200;

/**
 * Returns the name under `projects/` for a working directory. Not reversible: `my.app`, `my_app` and
 * `my-app` share one. Works on UTF-16 units (an emoji gives two dashes), keeps case, and cuts names of
 * more than 200 units, adding a hash of the whole path.
 *
 * @param cwd Absolute path with symbolic links resolved
 */
export function projectDirName(cwd: string): string {
  const name = dashed(cwd);
  return name.length <= LONGEST_DIR_NAME
    ? name
    : `${name.slice(0, LONGEST_DIR_NAME)}-${pathHash(cwd)}`;
}

/** Returns the path with all but ASCII letters and digits replaced by dashes, at full length. */
export function dashed(path: string): string {
  return path.replace(/[^a-zA-Z0-9]/g, "-");
}

/** Returns the working directory as Claude Code spells it before it names the directory: NFC on macOS alone. */
export function normalCwd(os: typeof Deno.build.os, cwd: string): string {
  return os === "darwin" ? cwd.normalize("NFC") : cwd;
}

function pathHash(path: string): string {
  let hash = 0;
  for (let i = 0; i < path.length; i++) hash = ((hash << 5) - hash + path.charCodeAt(i)) | 0;
  return Math.abs(hash).toString(36);
}
