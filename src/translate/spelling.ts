/**
 * Every way in which tools write a directory's path, and which of them a token's form names.
 *
 * @module
 */
import { utf8Text } from "./bytes.ts";
import type { PathStyle } from "./profile.ts";
import { dashed, projectDirName } from "./project_dir.ts";

/**
 * How a path is written.
 *
 * `native` as the system writes it · `ext` native with the prefix for long paths (`\\?\C:\projects`) · `fwd`
 * with forward slashes (`C:/projects`) · `url` what follows `file://` · `msys` Git-Bash (`/c/projects`) ·
 * `wsl` (`/mnt/c/projects`) · `cyg` (`/cygdrive/c/projects`) · `dir` Claude Code's directory-name form
 * (`C--projects`).
 */
export type SpellingKind = "native" | "ext" | "fwd" | "url" | "msys" | "wsl" | "cyg" | "dir";

/** What a token's form says. */
export interface Spelling {
  readonly kind: SpellingKind;
  /** How often the path is JSON-escaped; `undefined` stands for the codec's ordinary level. */
  readonly level?: number;
  /** Whether the drive letter is lower case. */
  readonly low?: boolean;
  /** Whether the colon after the drive is percent-encoded (`c%3A`). */
  readonly pct?: boolean;
  /**
   * One letter for each separator of the rest of the path, `b` backslash or `f` forward slash, where they
   * are not all the kind's ordinary one; separators beyond the last letter stand as they are.
   */
  readonly separators?: string;
  /**
   * The working directory below the root, with slashes, where a directory name stands for all of it: Claude
   * Code cuts long names and adds a hash of the whole path, so the root's part alone could not be replaced.
   */
  readonly rest?: string;
}

const KINDS: readonly string[] = ["ext", "fwd", "url", "msys", "wsl", "cyg", "dir"];

/** How deeply JSON is found inside JSON: a path in a tool's output that quotes a transcript has level 3. */
const DEEPEST_LEVEL = 3;

/** Returns the form of a token; empty for the ordinary spelling. Do not change: part of the hub's format 1. */
export function formOf({ kind, level, low, pct, separators, rest }: Spelling): string {
  const words: string[] = [];
  if (kind !== "native") words.push(kind);
  if (level !== undefined) words.push(`j${level}`);
  if (low === true) words.push("low");
  if (pct === true) words.push("pct");
  const detail = rest === undefined ? separators : encodeRest(rest);
  return words.join("-") + (detail === undefined ? "" : `.${detail}`);
}

/** Reads a token's form, or returns `undefined` for one that this version does not write. */
export function parseForm(form: string): Spelling | undefined {
  const dot = form.indexOf(".");
  const words = (dot === -1 ? form : form.slice(0, dot)).split("-");
  const kind = KINDS.includes(words[0] ?? "") ? words[0] as SpellingKind : "native";
  const level = words.find((word) => /^j[0-9]$/.test(word));
  const detail = dot === -1 ? undefined : form.slice(dot + 1);
  if (kind !== "dir" && detail !== undefined && !/^[bf]*$/.test(detail)) return undefined;
  const spelling: Spelling = {
    kind,
    ...(level === undefined ? {} : { level: Number(level.slice(1)) }),
    ...(words.includes("low") ? { low: true } : {}),
    ...(words.includes("pct") ? { pct: true } : {}),
    ...(detail === undefined
      ? {}
      : kind === "dir"
      ? { rest: decodeRest(detail) }
      : { separators: detail }),
  };
  if ((spelling.level ?? 0) > DEEPEST_LEVEL) return undefined;
  return formOf(spelling) === form ? spelling : undefined;
}

/**
 * Returns a root in a spelling, on a machine of this path style.
 *
 * @param ordinaryLevel How often text of the codec at hand is JSON-escaped: 1 in JSON, 0 in plain text
 */
export function spell(
  style: PathStyle,
  root: string,
  spelling: Spelling,
  ordinaryLevel: number,
): string {
  const level = spelling.level ?? ordinaryLevel;
  const separator = style === "posix" ? "/" : "\\";
  const cased = spelling.low === true ? root.charAt(0).toLowerCase() + root.slice(1) : root;
  if (spelling.kind === "dir") {
    if (spelling.rest === undefined) return dashed(cased);
    const below = spelling.rest.replaceAll("/", separator);
    return projectDirName(below === "" ? cased : cased + separator + below);
  }
  if (style === "posix") {
    return spelling.kind === "url" ? percentEncode(root) : jsonEscape(root, level);
  }
  const forward = cased.replaceAll("\\", "/");
  const afterDrive = forward.slice(2);
  const isOnDrive = hasDrive(root);
  const letter = root.charAt(0).toLowerCase();
  switch (spelling.kind) {
    case "native":
      return jsonEscape(cased, level);
    case "ext":
      return jsonEscape(isOnDrive ? `\\\\?\\${cased}` : `\\\\?\\UNC${root.slice(1)}`, level);
    case "fwd":
      return forward;
    case "url": {
      const colon = spelling.pct === true ? "%3A" : ":";
      const path = percentEncode(afterDrive);
      return isOnDrive ? `/${forward.charAt(0)}${colon}${path}` : path;
    }
    case "msys":
      return isOnDrive ? `/${letter}${afterDrive}` : forward;
    case "wsl":
      return isOnDrive ? `/mnt/${letter}${afterDrive}` : forward;
    case "cyg":
      return isOnDrive ? `/cygdrive/${letter}${afterDrive}` : forward;
  }
}

/** Returns the bytes between two names of a native path: backslashes escaped `level` times, or a slash. */
export function separatorText(style: PathStyle, level: number): string {
  return style === "posix" ? "/" : "\\".repeat(2 ** level);
}

/**
 * Returns the spellings of a root that tools are known to produce on a machine of this style. Where two
 * read the same, the one that more has to be true for comes first, and the ordinary one last.
 */
export function knownSpellings(
  style: PathStyle,
  root: string,
  ordinaryLevel: number,
): readonly Spelling[] {
  const levels = [{ level: ordinaryLevel + 2 }, { level: ordinaryLevel + 1 }, {}];
  const native = levels.map((level): Spelling => ({ kind: "native", ...level }));
  if (style === "posix") return [{ kind: "url" }, { kind: "dir" }, ...native];
  const everywhere: Spelling[] = [
    { kind: "url" },
    { kind: "dir" },
    { kind: "fwd" },
    ...levels.map((level): Spelling => ({ kind: "ext", ...level })),
    ...native,
  ];
  if (!hasDrive(root)) return everywhere;
  return [
    ...everywhere.flatMap((spelling) => [spelling, { ...spelling, low: true }]),
    { kind: "url", pct: true },
    { kind: "url", low: true, pct: true },
    { kind: "msys" },
    { kind: "wsl" },
    { kind: "cyg" },
  ];
}

/** Returns whether a Windows root lies on a drive; else it is a share (`\\server\share`). */
function hasDrive(root: string): boolean {
  return root.charAt(1) === ":";
}

function jsonEscape(text: string, level: number): string {
  let escaped = text;
  for (let i = 0; i < level; i++) escaped = JSON.stringify(escaped).slice(1, -1);
  return escaped;
}

function percentEncode(path: string): string {
  return encodeURI(path).replaceAll("?", "%3F").replaceAll("#", "%23");
}

/** Writes a path in the characters of a form: `.` for a slash, `-` and two digits for most other bytes. */
function encodeRest(rest: string): string {
  return utf8Text(rest).replace(
    /[^a-z0-9]/g,
    (unit) => unit === "/" ? "." : `-${unit.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function decodeRest(encoded: string): string {
  const percent = encoded.replaceAll("-", "%").replaceAll(".", "/");
  try {
    return decodeURIComponent(percent);
  } catch {
    return "";
  }
}
