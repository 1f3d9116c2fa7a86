/**
 * A profile prepared for work on text: which character strings are roots, and what each token stands for.
 *
 * @module
 */
import { utf8Text } from "./bytes.ts";
import type { Codec, SeparatorRule } from "./context.ts";
import type { PathStyle, Profile } from "./profile.ts";
import { dashed, LONGEST_DIR_NAME } from "./project_dir.ts";
import {
  formOf,
  knownSpellings,
  parseForm,
  separatorText,
  spell,
  type Spelling,
} from "./spelling.ts";
import { TOKEN_OPEN, tokenText } from "./token.ts";

/** How often paths are JSON-escaped where nothing says otherwise. */
function ordinaryLevel(codec: Codec): number {
  return codec === "text" ? 0 : 1;
}

/** A character string that stands for a root. */
export interface Literal {
  /** What is written, as byte text. */
  readonly text: string;
  readonly name: string;
  /** Whether the root is a Windows drive, whose separators are not part of the text. */
  readonly isDrive: boolean;
  /** Which spellings read so; where they are several, the surroundings tell. */
  readonly readings: readonly Reading[];
}

/** One spelling that a literal may be. */
export interface Reading {
  readonly spelling: Spelling;
  /** How often this spelling is JSON-escaped. */
  readonly level: number;
  /** What separates the names of the rest of the path. */
  readonly rule: SeparatorRule;
  readonly token: string;
}

/** What a token stands for on this machine. */
export interface Expansion {
  /** As byte text. */
  readonly text: string;
  readonly spelling: Spelling;
  /** What stands between two names of a native path. */
  readonly separator: string;
  /** Whether it is a Windows drive, which is only a directory with a separator behind it. */
  readonly isDrive: boolean;
}

/** A profile prepared for one codec. Make it once and use it for many files. */
export class Translator {
  readonly profile: Profile;
  readonly codec: Codec;
  readonly level: number;
  /** Finds every place where a literal or a token may begin; what it matches is an anchor. */
  readonly anchors: RegExp;
  readonly #groups: readonly (readonly [anchor: string, literals: readonly Literal[]])[];
  readonly #roots: ReadonlyMap<string, string>;
  readonly #expansions = new Map<string, Expansion>();

  /**
   * @param cwds The working directories of the session whose files are translated: the directory names
   * that Claude Code makes of deeply nested ones, and of `/p/app-old` beside a placeholder's `/p/app`, can
   * only be translated by who knows what they stand for
   */
  constructor(profile: Profile, codec: Codec, cwds: Iterable<string> = []) {
    this.profile = profile;
    this.codec = codec;
    this.level = ordinaryLevel(codec);
    this.#roots = new Map(profile.placeholders.map(({ name, root }) => [name, root]));
    this.#groups = [...groupLiterals(this.#allLiterals(cwds))];
    const sources = this.#groups.map(([anchor]) => RegExp.escape(anchor));
    this.anchors = new RegExp(
      [...sources, `${RegExp.escape(TOKEN_OPEN)}(?=[~A-Z])`].join("|"),
      "g",
    );
  }

  /** Returns the literals that begin with an anchor, the longest first. */
  literalsAt(anchor: string): readonly Literal[] {
    // They are few: comparing takes less than hashing a text that is new each time.
    for (const [text, literals] of this.#groups) if (text === anchor) return literals;
    return [];
  }

  /** Returns whether this machine has a path for a placeholder. */
  knows(name: string): boolean {
    return this.#roots.has(name);
  }

  /** Returns what a token stands for here, or `undefined` for an unmapped name or an unknown form. */
  expand(name: string, form: string): Expansion | undefined {
    const key = tokenText(name, form);
    const known = this.#expansions.get(key);
    if (known !== undefined) return known;
    const root = this.#roots.get(name);
    const spelling = root === undefined ? undefined : parseForm(form);
    if (root === undefined || spelling === undefined) return undefined;
    const { style } = this.profile;
    const expansion: Expansion = {
      text: utf8Text(spell(style, root, spelling, this.level)),
      spelling,
      separator: separatorText(style, spelling.level ?? this.level),
      isDrive: isDriveRoot(style, root),
    };
    // Forms with details are as many as there are paths.
    if (!form.includes(".")) this.#expansions.set(key, expansion);
    return expansion;
  }

  #allLiterals(cwds: Iterable<string>): Literal[] {
    const { style, placeholders } = this.profile;
    const literals = new Map<string, Literal>();
    for (const cwd of cwds) this.#addDirName(literals, cwd);
    for (const { name, root } of placeholders) {
      for (const spelling of knownSpellings(style, root, this.level)) {
        this.#add(literals, name, root, spelling);
      }
    }
    return [...literals.values()];
  }

  /** Adds a spelling; what reads like a root of another name stays that one's. */
  #add(literals: Map<string, Literal>, name: string, root: string, spelling: Spelling): void {
    const text = utf8Text(spell(this.profile.style, root, spelling, this.level));
    const isDrive = isDriveRoot(this.profile.style, root);
    const literal = literals.get(text) ?? { text, name, isDrive, readings: [] };
    if (literal.name !== name) return;
    const level = spelling.level ?? this.level;
    const reading: Reading = {
      spelling,
      level,
      rule: { unit: 2 ** level, backslashSeparates: true },
      token: tokenText(name, formOf(spelling)),
    };
    literals.set(text, { ...literal, readings: [...literal.readings, reading] });
  }

  /** Adds the directory name of a working directory where replacing its root's part would not do. */
  #addDirName(literals: Map<string, Literal>, cwd: string): void {
    const { style, placeholders } = this.profile;
    const separator = separatorText(style, 0);
    const low = style === "windows" && /^[a-z]:/.test(cwd);
    const path = low ? cwd.charAt(0).toUpperCase() + cwd.slice(1) : cwd;
    const owner = placeholders.find(({ root }) => (path + separator).startsWith(root + separator));
    if (owner === undefined || !cwd.isWellFormed()) return;
    const rest = path.slice(owner.root.length + 1).replaceAll(separator, "/");
    const name = dashed(path);
    const seeming = placeholders.find(({ root }) => `${name}-`.startsWith(`${dashed(root)}-`));
    const isShort = name.length <= LONGEST_DIR_NAME && rest.length <= LONGEST_REST;
    if (isShort && seeming === owner) return;
    this.#add(literals, owner.name, owner.root, { kind: "dir", rest, ...(low ? { low } : {}) });
  }
}

/**
 * How long a path below a root may be so that the root's part of its directory name can be replaced: with
 * roots of up to 100 characters elsewhere, the name is not cut there.
 */
const LONGEST_REST = LONGEST_DIR_NAME - 100;

function isDriveRoot(style: PathStyle, root: string): boolean {
  return style === "windows" && root.length === 2;
}

/** Groups literals by the shortest one that they begin with. */
function groupLiterals(literals: readonly Literal[]): Map<string, Literal[]> {
  const groups = new Map<string, Literal[]>();
  let anchor: string | undefined;
  // Sorted, a text stands before all that begin with it.
  for (
    const literal of literals.toSorted((a, b) => a.text < b.text ? -1 : a.text > b.text ? 1 : 0)
  ) {
    if (anchor === undefined || !literal.text.startsWith(anchor)) anchor = literal.text;
    groups.set(anchor, [...groups.get(anchor) ?? [], literal]);
  }
  for (const group of groups.values()) group.sort((a, b) => b.text.length - a.text.length);
  return groups;
}
