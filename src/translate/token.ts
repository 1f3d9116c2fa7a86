/**
 * The token grammar of the portable form: `{{NAME}}`, `{{NAME:form}}`, and the escaped `{{~NAME}}` that
 * stands for a literal token somebody typed. Every level of literalness adds one `~`.
 *
 * Do not change: format 1 of the hub is written and read with this grammar.
 *
 * @module
 */

/** Where a token stands and what it says; offsets are absolute in the searched text. */
export interface Token {
  readonly start: number;
  /** First offset after the closing braces. */
  readonly end: number;
  /** How often the token is escaped; 0 stands for a root. */
  readonly tildes: number;
  readonly name: string;
  /** The spelling, empty where it is the ordinary one. */
  readonly form: string;
}

/** What every token begins with. */
export const TOKEN_OPEN = "{{";

const OPEN = 0x7b;
const CLOSE = 0x7d;
const TILDE = 0x7e;
const COLON = 0x3a;
const UNDERSCORE = 0x5f;
const DASH = 0x2d;
const DOT = 0x2e;

const isUpper = (c: number) => c >= 0x41 && c <= 0x5a;
const isLower = (c: number) => c >= 0x61 && c <= 0x7a;
const isDigit = (c: number) => c >= 0x30 && c <= 0x39;
const isNameUnit = (c: number) => isUpper(c) || isDigit(c) || c === UNDERSCORE;
const isFormUnit = (c: number) => isLower(c) || isDigit(c) || c === DASH || c === DOT;

/**
 * Reads the token that opens at `start`, or returns `undefined` where there is none. A loop and no
 * regular expression: names and forms from a hub may be as long as the text.
 */
export function readToken(text: string, start: number): Token | undefined {
  const at = (i: number): number => text.charCodeAt(i);
  if (at(start) !== OPEN || at(start + 1) !== OPEN) return undefined;
  let i = start + TOKEN_OPEN.length;
  while (at(i) === TILDE) i++;
  const nameStart = i;
  if (!isUpper(at(i))) return undefined;
  while (isNameUnit(at(i))) i++;
  const nameEnd = i;
  if (at(i) === COLON) {
    i++;
    if (!isFormUnit(at(i))) return undefined;
    while (isFormUnit(at(i))) i++;
  }
  if (at(i) !== CLOSE || at(i + 1) !== CLOSE) return undefined;
  return {
    start,
    end: i + 2,
    tildes: nameStart - start - TOKEN_OPEN.length,
    name: text.slice(nameStart, nameEnd),
    form: text.slice(nameEnd + 1, i),
  };
}

/** Returns the text of an unescaped token. */
export function tokenText(name: string, form: string): string {
  return form === "" ? `{{${name}}}` : `{{${name}:${form}}}`;
}

/** Escapes every literal token of a text by one more `~`. */
export function escapeTokens(text: string): string {
  return mapTokens(text, ({ start, end }) => "{{~" + text.slice(start + 2, end));
}

/** Takes one `~` from every escaped token of a text: the inverse of {@linkcode escapeTokens}. */
export function unescapeTokens(text: string): string {
  return mapTokens(
    text,
    ({ start, end, tildes }) => tildes > 0 ? "{{" + text.slice(start + 3, end) : undefined,
  );
}

function mapTokens(text: string, map: (token: Token) => string | undefined): string {
  let mapped = "";
  let done = 0;
  for (let at = text.indexOf(TOKEN_OPEN); at !== -1;) {
    const token = readToken(text, at);
    const replacement = token === undefined ? undefined : map(token);
    const end = token?.end ?? at + 1;
    if (replacement !== undefined) {
      mapped += text.slice(done, at) + replacement;
      done = end;
    }
    at = text.indexOf(TOKEN_OPEN, end);
  }
  return mapped + text.slice(done);
}
