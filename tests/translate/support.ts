/**
 * Machines and shorthands for the tests of translation.
 *
 * @module
 */
import type { LocalPath, PlaceholderName } from "../../src/brands.ts";
import { byteText, utf8 } from "../../src/translate/bytes.ts";
import {
  makeProfile,
  type PathStyle,
  type Profile,
  profileKey,
} from "../../src/translate/profile.ts";
import { toLocal } from "../../src/translate/to_local.ts";
import { toPortable } from "../../src/translate/to_portable.ts";
import type { Codec } from "../../src/translate/context.ts";
import { Translator } from "../../src/translate/translator.ts";

export const CODECS: readonly Codec[] = ["jsonl", "json", "text"];

/** Returns a profile of roots by name. */
export function profile(style: PathStyle, roots: Readonly<Record<string, string>>): Profile {
  return makeProfile(
    style,
    Object.entries(roots).map(([name, root]) => ({
      name: name as PlaceholderName,
      root: root as LocalPath,
    })),
  );
}

/** The machine that wrote the samples. */
export const LINUX = profile("posix", {
  HOME: "/home/alice",
  CLAUDE: "/home/alice/.claude",
  CLAUDE_TMP: "/tmp/claude-1500",
  PROJECTS: "/home/alice/projects",
});

export const MACOS = profile("posix", {
  HOME: "/Users/alice",
  CLAUDE: "/Users/alice/.claude",
  CLAUDE_TMP: "/private/tmp/claude-501",
  PROJECTS: '/Volumes/Daten & Bücher/it\'s "work"',
});

export const WINDOWS = profile("windows", {
  HOME: "C:\\Users\\alice",
  CLAUDE: "C:\\Users\\alice\\.claude",
  CLAUDE_TMP: "C:\\Users\\alice\\AppData\\Local\\Temp\\claude-0",
  PROJECTS: "D:\\work",
});

/** Projects on a drive of their own, the rest on a file server. */
export const SERVER = profile("windows", {
  HOME: "\\\\srv\\homes\\alice",
  CLAUDE: "\\\\srv\\homes\\alice\\.claude",
  CLAUDE_TMP: "C:\\Temp\\claude-0",
  PROJECTS: "P:\\",
});

const translators = new Map<string, Translator>();

/** Returns a machine's translator: the same one for the same machine, as the program does it. */
export function translator(of: Profile, codec: Codec): Translator {
  const key = codec + profileKey(of);
  const known = translators.get(key) ?? new Translator(of, codec);
  translators.set(key, known);
  return known;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Returns the portable form of a text. */
export function portable(of: Profile, codec: Codec, text: string): string {
  return decoder.decode(toPortable(translator(of, codec), utf8(text)));
}

/** Returns the local form of a text. */
export function local(of: Profile, codec: Codec, text: string): string {
  return decoder.decode(toLocal(translator(of, codec), utf8(text)));
}

/** Returns how a text of one machine reads on another. */
export function carried(from: Profile, to: Profile, codec: Codec, text: string): string {
  return local(to, codec, portable(from, codec, text));
}

/** Returns whether two byte strings are equal; far faster than `deepEqual`. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return byteText(a) === byteText(b);
}

/** The path of a file: what it is called below the root of a placeholder. */
export interface PathUnderRoot {
  readonly name: string;
  readonly rest: readonly string[];
}

/** Returns a path as a machine itself writes it; with a token where it has no such root. */
export function nativePath(
  { style, placeholders }: Profile,
  { name, rest }: PathUnderRoot,
): string {
  const root = placeholders.find((placeholder) => placeholder.name === name)?.root;
  const separator = style === "windows" && root !== undefined ? "\\" : "/";
  const path = [root ?? `{{${name}}}`, ...rest].join(separator);
  return /^[A-Z]:$/.test(path) ? path + separator : path;
}

/** Returns what a path of one machine is on another, told by its most specific root alone. */
export function moved(path: string, from: Profile, to: Profile): string {
  const separator = from.style === "windows" ? "\\" : "/";
  const owner = from.placeholders.find(({ root }) =>
    (path + separator).startsWith(root + separator)
  );
  if (owner === undefined) return path;
  const rest = path.slice(owner.root.length).split(separator).filter((name) => name !== "");
  return nativePath(to, { name: owner.name, rest });
}
