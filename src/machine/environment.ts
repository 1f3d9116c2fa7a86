/**
 * What this process knows of its surroundings, gathered once: everything else gets it passed in.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { delimiter, join } from "node:path";
import { tmpdir } from "node:os";
import type { LocalPath } from "../brands.ts";
import { CcsyncError } from "../errors.ts";
import type { PathStyle } from "../translate/profile.ts";
import { RELEASES } from "../version.ts";

/** The surroundings of one run. */
export interface Environment {
  readonly os: typeof Deno.build.os;
  readonly style: PathStyle;
  readonly hostname: string;
  readonly home: LocalPath;
  /** ccsync's own directory: `CCSYNC_HOME` or `~/.claude-session-sync`. */
  readonly ccsyncHome: LocalPath;
  /** Claude Code's directory: `CLAUDE_CONFIG_DIR` or `~/.claude`, NFC. Observed with client 2.1.197. */
  readonly claudeDir: LocalPath;
  /** Where programs keep their settings: `XDG_CONFIG_HOME` or `~/.config`. */
  readonly configHome: string;
  /** Claude Code's temporary tree `<tmp>/claude-<uid>`; uid 0 where there is none. Observed with client 2.1.197. */
  readonly claudeTmp: LocalPath;
  /** The Claude Code that is to be started: `CCSYNC_CLAUDE` or `claude`. */
  readonly claudeProgram: string;
  /** The executable that this is, without links on its path; `undefined` where ccsync runs from source. */
  readonly executable: string | undefined;
  /** The repository that new versions come from, `[HOST/]OWNER/NAME`: `CCSYNC_RELEASES` or ccsync's own. */
  readonly releases: string;
  /** The command line of the user's editor: `VISUAL`, `EDITOR`, or the system's. */
  readonly editor: string;
  /** Which variables that ccsync reads were set. */
  readonly variables: ReadonlySet<string>;
  /** Where programs are looked for by name. */
  readonly searchPath: readonly string[];
  /** Returns the current time, milliseconds since 1970. */
  readonly now: () => number;
}

/** Variables of which it is worth knowing whether a value comes from them. */
const VARIABLES = ["CCSYNC_HOME", "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_TMPDIR", "CCSYNC_CLAUDE"];

/** Returns a variable's value, `undefined` where it is not set. */
type GetVariable = (name: string) => string | undefined;

/**
 * Reads the surroundings from the process.
 *
 * @param get Its variables @default the process's own
 * @throws {CcsyncError} kind "setup" when there is no home directory
 */
export function readEnvironment(
  get: GetVariable = (name) => Deno.env.get(name),
): Environment {
  const { os } = Deno.build;
  const style = os === "windows" ? "windows" : "posix";
  const nonEmpty = (name: string) => get(name) || undefined;
  const home = nonEmpty(os === "windows" ? "USERPROFILE" : "HOME") ?? nonEmpty("HOME");
  if (home === undefined) {
    throw new CcsyncError("setup", "cannot find the home directory: HOME is not set", {
      hints: ["set HOME to your home directory"],
    });
  }
  return {
    os,
    style,
    hostname: Deno.hostname(),
    home: home as LocalPath,
    ccsyncHome: (nonEmpty("CCSYNC_HOME") ?? join(home, ".claude-session-sync")) as LocalPath,
    claudeDir: (nonEmpty("CLAUDE_CONFIG_DIR") ?? join(home, ".claude"))
      .normalize("NFC") as LocalPath,
    configHome: nonEmpty("XDG_CONFIG_HOME") ?? join(home, ".config"),
    claudeTmp: claudeTmp(nonEmpty("CLAUDE_CODE_TMPDIR")),
    executable: Deno.build.standalone ? realPath(Deno.execPath()) : undefined,
    releases: nonEmpty("CCSYNC_RELEASES") ?? RELEASES,
    editor: nonEmpty("VISUAL") ?? nonEmpty("EDITOR") ?? (os === "windows" ? "notepad" : "vi"),
    variables: new Set(VARIABLES.filter((name) => nonEmpty(name) !== undefined)),
    claudeProgram: nonEmpty("CCSYNC_CLAUDE") ?? "claude",
    searchPath: (nonEmpty("PATH") ?? "").split(delimiter).filter((path) => path !== ""),
    now: Date.now,
  };
}

function claudeTmp(base = tmpdir()): LocalPath {
  const uid = Deno.build.os === "windows" ? 0 : Deno.uid() ?? 0;
  return join(realPath(base), `claude-${uid}`) as LocalPath;
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    // Not there yet: Claude Code will resolve it when it makes it; its plain name is the best guess.
    return path;
  }
}

/** Returns a random id of 128 bits as hexadecimal digits. */
export function randomId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");
}
