/**
 * Where a path begins and ends in text: a root is only one where neither side continues a name (T3).
 *
 * All functions work on byte text: characters outside ASCII are several units of 0x80 to 0xff.
 *
 * @module
 */

const SPACE = 0x20;
const COLON = 0x3a;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const DASH = 0x2d;
const DOT = 0x2e;

const FILE_URL = "file://";

/** White space, control characters, and these. */
const table = (characters: string): Uint8Array => {
  const flags = new Uint8Array(256).fill(1, 0, 0x21);
  for (const character of characters + "\x7f") flags[character.charCodeAt(0)] = 1;
  return flags;
};

/** Closing brackets are missing because `$(pwd)/home/u` is no root. */
const DELIMITERS = "\"'`<>|:;,([{&!=^@";
/** What an absolute path may follow. */
const BEFORE_PATH = table(DELIMITERS);
/** What cannot continue the name of the root directory. */
const AFTER_ROOT = table("\"'`<>|:;,()[]{}&!=^$*?/\\");
/** Where a path that stands in prose ends. */
const ENDS_PATH = table("\"'`<>|:;,?");

/** Outside ASCII: punctuation and symbols up to U+2BFF, CJK and full-width ones, the no-break space. */
const PUNCTUATION = "(?:\\xe2[\\x80-\\xaf][\\x80-\\xbf]|\\xe3\\x80[\\x80-\\xbf]|" +
  "\\xef[\\xbc\\xbd][\\x80-\\xbf]|\\xc2\\xa0)";
const PUNCTUATION_HERE = new RegExp(PUNCTUATION, "y");

/** What the rules below are about: enough of what stands before `at`. */
const lookBehind = (text: string, at: number): string => text.slice(Math.max(0, at - 64), at);

/** `user@host:` before a path: it is one of another machine. */
const REMOTE = /[\w.-]@[\w.-]+:$/;

/** An escaped ASCII character, as some encoders write `>`. */
const ESCAPED = /\\u00([0-9a-fA-F]{2})$/;

/**
 * What else a path may follow: a compiler flag (`-I/usr/x`), the first column of a diff, bold in Markdown,
 * words of a script that has no spaces unless a name goes on in them, punctuation, a terminal's colour.
 */
const BEGINS = (() => {
  const delimiter = `(?:^|[\\x00-\\x20${DELIMITERS}]|\\\\[nrtbf])`;
  const escape = "(?:\\x1b|\\\\u001[bB]|\\\\x1[bB]|\\\\033|\\\\e)";
  const afterDelimiter = "(?:-[A-Za-z]?|\\+|\\*\\*|[\\x80-\\xff]+)";
  return new RegExp(
    `(?:${delimiter}${afterDelimiter}|${PUNCTUATION}|${escape}\\[[0-9;]*[A-Za-z])$`,
  );
})();

/** Returns whether an absolute path can begin at `at`. */
export function canBegin(text: string, at: number): boolean {
  if (at === 0) return true;
  const before = text.charCodeAt(at - 1);
  if (before === COLON) return !text.startsWith("//", at) && !REMOTE.test(lookBehind(text, at));
  if (BEFORE_PATH[before] === 1) return true;
  if (before === SLASH) return isFileUrl(text, at);
  if (text.charCodeAt(at - 2) === BACKSLASH && isEscapeLetter(before)) return true;
  const behind = lookBehind(text, at);
  const code = ESCAPED.exec(behind)?.[1];
  return code === undefined ? BEGINS.test(behind) : BEFORE_PATH[Number.parseInt(code, 16)] === 1;
}

/** Returns whether `file://` stands directly before `at`. */
export function isFileUrl(text: string, at: number): boolean {
  return at >= FILE_URL.length && text.startsWith(FILE_URL, at - FILE_URL.length);
}

/** Returns whether the name of a root can end at `at`. */
export function canEnd(text: string, at: number): boolean {
  if (at === text.length || AFTER_ROOT[text.charCodeAt(at)] === 1) return true;
  if (text.charCodeAt(at) !== DOT) return isPunctuation(text, at);
  let i = at + 1;
  while (text.charCodeAt(i) === DOT) i++;
  // A full stop or an ellipsis after the path, not the beginning of an extension.
  return i === text.length ||
    (text.charCodeAt(i) !== SLASH && AFTER_ROOT[text.charCodeAt(i)] === 1) ||
    text.charCodeAt(i) >= 0x80;
}

/** Returns whether a name goes on at `at` because a shell's backslash keeps the space there from ending it. */
export function isEscapedSpace(text: string, at: number): boolean {
  const after = skipBackslashes(text, at);
  return after > at && text.charCodeAt(after) === SPACE;
}

/** Returns the first offset at or after `at` that holds no backslash. */
export function skipBackslashes(text: string, at: number): number {
  let i = at;
  while (text.charCodeAt(i) === BACKSLASH) i++;
  return i;
}

/** Returns whether a path in prose ends before `at`. Backslashes are the caller's: they may separate. */
export function endsPath(text: string, at: number): boolean {
  return at >= text.length || ENDS_PATH[text.charCodeAt(at)] === 1 || isPunctuation(text, at);
}

/** Returns whether Claude Code's directory-name form of a root can begin at `at`: only inside a path. */
export function canBeginDirName(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  return before === SLASH || before === BACKSLASH;
}

/** Returns whether a directory name's root can end at `at`: at a dash or the end of the name. */
export function canEndDirName(text: string, at: number): boolean {
  return text.charCodeAt(at) === DASH || canEnd(text, at);
}

function isPunctuation(text: string, at: number): boolean {
  if (text.charCodeAt(at) < 0x80) return false;
  PUNCTUATION_HERE.lastIndex = at;
  return PUNCTUATION_HERE.test(text);
}

const isEscapeLetter = (c: number) =>
  c === 0x6e || c === 0x72 || c === 0x74 || c === 0x62 || c === 0x66;
