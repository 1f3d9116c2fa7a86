/**
 * Adversarial machines, texts and records for property tests.
 *
 * @module
 */
import fc from "fast-check";
import { utf8 } from "../../src/translate/bytes.ts";
import { type PathStyle, type Profile, rootFault } from "../../src/translate/profile.ts";
import { knownSpellings, spell } from "../../src/translate/spelling.ts";
import { type PathUnderRoot, profile } from "./support.ts";

/** Names of placeholders, some of which begin with others. */
export const NAMES = ["A", "HOME", "HOME_2", "P", "PROJECTS", "X9"] as const;

const NASTY = [
  "{{A}}",
  "{{~HOME}}",
  "a b",
  "per%20cent",
  "é",
  "中文",
  "a.b",
  "$(x)",
  "-x",
  "~",
  "n",
];
const PLAIN = ["home", "u", "a", "projects", "c", "mnt", "Users", "x-y", "v1.2_x", "ü", "B"];

const windowsName = fc.constantFrom(...PLAIN, ...NASTY, "it's", "(app)", "a;b", "#1", "a & b");
const posixName = fc.oneof(
  windowsName,
  fc.constantFrom('q"t', "C:", "b\\s", "*", "<x>", "a:b", "?"),
);

const posixRoot = fc.array(posixName, { minLength: 1, maxLength: 3 }).map((names) =>
  `/${names.join("/")}`
);
const windowsRoot = fc.oneof(
  fc.tuple(fc.constantFrom("A:", "C:", "D:"), fc.array(windowsName, { maxLength: 3 })).map(
    ([drive, names]) => [drive, ...names].join("\\"),
  ),
  fc.array(windowsName, { minLength: 2, maxLength: 4 }).map((names) => `\\\\${names.join("\\")}`),
);

/** Grows a root, with or without a separator: into a directory of it, or into its neighbour. */
const growth = (separator: string) =>
  fc.tuple(fc.constantFrom(separator, "", "-", " "), windowsName).map((parts) => parts.join(""));

function roots(style: PathStyle, root: fc.Arbitrary<string>): fc.Arbitrary<string[]> {
  return fc.tuple(
    fc.array(root, { minLength: 1, maxLength: 2 }),
    fc.array(growth(style === "posix" ? "/" : "\\"), { maxLength: 3 }),
  ).map(([own, growths]) => {
    const all = [...own];
    for (const more of growths) all.push((all.at(-1) ?? "") + more);
    return all.filter((path) => rootFault(style, path) === undefined);
  });
}

function named(names: readonly string[], all: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.slice(0, all.length).map((name, i) => [name, all[i] ?? ""]));
}

const someNames = fc.shuffledSubarray([...NAMES], { minLength: NAMES.length });

/** A machine of any style, with overlapping roots. */
export const anyProfile: fc.Arbitrary<Profile> = fc.oneof(
  fc.tuple(someNames, roots("posix", posixRoot)).map(([names, all]) =>
    profile("posix", named(names, all))
  ),
  fc.tuple(someNames, roots("windows", windowsRoot)).map(([names, all]) =>
    profile("windows", named(names, all))
  ),
);

const TOKENS = [
  ...[
    "{{",
    "}}",
    "{",
    "}",
    "~",
    "{{~",
    "{{A",
    "A}}",
    ":",
    ":j2}}",
    "{{A}}",
    "{{~A}}",
    "{{~~HOME}}",
  ],
  ...[
    "{{P:dir}}",
    "{{HOME:low}}",
    "{{A:.bf}}",
    "{{A:.}}",
    "{{A:fwd.fb}}",
    "{{P:j9}}",
    "{{P:dir.a-2f}}",
  ],
  ...["{{X9}}", "{{a}}", "{{HOME }}", "{{A:}}", "{{A:-}}", "HOME", "PROJECTS", "{{HOME:"],
];
const GLUE = [
  ...[
    '"',
    '\\"',
    '\\\\\\"',
    "'",
    "`",
    "\\",
    "\\\\",
    "\\\\\\\\",
    "/",
    "//",
    " ",
    "\n",
    "\r\n",
    "\t",
  ],
  ...[
    ".",
    "...",
    ",",
    ":",
    ";",
    "-",
    "_",
    "2",
    "x",
    "=",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "|",
    "&",
    "@",
  ],
  ...[
    "\\n",
    "\\t",
    "\\u001b[32m",
    "\x1b[0m",
    "\\u003e",
    "é",
    "中",
    "，",
    "\u00a0",
    "…",
    "\ufeff",
    "\0",
  ],
  ...[
    "file://",
    "u@h:",
    "-I",
    "+",
    "**",
    "don't ",
    "a/b",
    "a\\\\b",
    "my dir",
    " - ",
    " -x ",
    "%20",
  ],
];
const JSON_PIECES = [
  ...['{"cwd":"', '"}', '","file_path":"', '{"text":"', '","thinking":"', '{"type":"thinking"'],
  ...[
    '","signature":"',
    '"data":"',
    '{"',
    '":{',
    '"},"',
    '["',
    '","',
    '{\\"cwd\\":\\"',
    '\\"}',
    ": ",
  ],
];

const OPENERS = [
  " ",
  '"',
  '\\"',
  '\\\\\\"',
  "'",
  "`",
  "(",
  "\n",
  "\\n",
  "{{",
  "",
  '":"',
  '","cwd":"',
];

/** Pieces of text that mean something to a machine: its roots in every spelling, whole and cut. */
function pieces(of: Profile): fc.Arbitrary<string> {
  const spelled = of.placeholders.flatMap(({ root }) =>
    [0, 1].flatMap((level) =>
      knownSpellings(of.style, root, level).map((spelling) =>
        spell(of.style, root, spelling, level)
      )
    )
  );
  const root = fc.constantFrom(...spelled);
  const cut = fc.tuple(root, fc.nat(), fc.nat()).map(([text, a, b]) =>
    text.slice(a % (text.length + 1), 1 + b % (text.length + 1))
  );
  const separator = fc.constantFrom("/", "\\", "\\\\", "\\\\\\\\", "//", "\\/");
  const rest = fc.array(fc.tuple(separator, fc.constantFrom(...PLAIN, ...NASTY, ...GLUE, "")), {
    maxLength: 4,
  }).map((names) => names.flat().join(""));
  const path = fc.tuple(fc.constantFrom(...OPENERS), root, rest, fc.constantFrom(...OPENERS));
  return fc.oneof(
    { weight: 4, arbitrary: path.map((parts) => parts.join("")) },
    { weight: 2, arbitrary: root },
    { weight: 1, arbitrary: cut },
    { weight: 2, arbitrary: fc.constantFrom(...TOKENS) },
    { weight: 3, arbitrary: fc.constantFrom(...GLUE) },
    { weight: 1, arbitrary: fc.constantFrom(...JSON_PIECES) },
  );
}

/** A machine, and bytes made of its own spellings, of tokens, and of what stands around such things. */
export const machineAndBytes: fc.Arbitrary<{ machine: Profile; bytes: Uint8Array }> = anyProfile
  .chain(
    (machine) =>
      fc.tuple(
        fc.array(pieces(machine), { maxLength: 16 }),
        fc.constantFrom(true, true, false),
        fc.option(fc.uint8Array({ maxLength: 8 }), { freq: 8 }),
      ).map(([parts, isRecord, noise]) => {
        const text = parts.join("");
        const bytes = utf8(isRecord ? `{"text":"${text}"}\n` : text);
        return { machine, bytes: noise ? Uint8Array.from([...noise, ...bytes, ...noise]) : bytes };
      }),
  );

/** Text of tokens and pieces of them, and of prose with no path in it. */
export const literalText: fc.Arbitrary<string> = fc.array(
  fc.oneof(
    fc.constantFrom(...TOKENS),
    fc.constantFrom(" ", "x", "\n", "~~", "{{{", "}}}", "é", "a.b", "'"),
  ),
  { maxLength: 16 },
).map((parts) => parts.join("").replaceAll("\n", "\\n"));

/** Machines that share placeholders, with roots that programs and people would choose. */
export interface Fleet {
  readonly machines: readonly Profile[];
  /** Names that every machine has a root for. */
  readonly names: readonly string[];
}

const FLEET_NAMES = ["HOME", "PROJECTS", "PROJECTS_2"] as const;
const posixHome = fc.constantFrom(
  "/home/u",
  "/Users/u",
  "/home/ü",
  "/root",
  "/home/a b",
  "/Volumes/it's",
);
const windowsHome = fc.constantFrom(
  "C:\\Users\\u",
  "C:\\Users\\a b",
  "D:",
  "\\\\srv\\u",
  "C:\\Users\\ü",
);
const project = fc.constantFrom("projects", "projects-old", "work", "my work", "p.q", "projects2");

function fleetMachine(
  style: PathStyle,
  home: fc.Arbitrary<string>,
): fc.Arbitrary<Profile> {
  const separator = style === "posix" ? "/" : "\\";
  return fc.tuple(home, home, project, project, fc.boolean()).map(
    ([mine, base, one, two, nested]) => {
      const first = base + separator + one;
      const second = (nested ? first : base) + separator + two;
      return profile(style, { HOME: mine, PROJECTS: first, PROJECTS_2: second });
    },
  );
}

/** A Linux, a Windows and a macOS machine, in any order. */
export const fleet: fc.Arbitrary<Fleet> = fc.tuple(
  fleetMachine("posix", posixHome),
  fleetMachine("windows", windowsHome),
  fleetMachine("posix", posixHome),
).chain((machines) =>
  fc.shuffledSubarray(machines, { minLength: 3 }).map((shuffled) => ({
    machines: shuffled,
    names: FLEET_NAMES,
  }))
);

function pathsOf(names: fc.Arbitrary<string>): fc.Arbitrary<PathUnderRoot> {
  return fc.record({
    name: fc.constantFrom(...FLEET_NAMES),
    rest: fc.array(names, { maxLength: 4 }),
  });
}

/** A file of any name that every system allows, and some that only one does. */
export const anyPath = pathsOf(fc.oneof(
  fc.constantFrom(
    ...PLAIN,
    "a b",
    "{{A}}",
    "{{~HOME:j2}}",
    "-x",
    " -x y",
    "é",
    "中文",
    "😀",
    "$(x)",
    "a, b; c",
  ),
  fc.constantFrom(
    "it's",
    "(app)",
    "[id]",
    "~",
    "#1",
    "100%",
    "a=b",
    'q"t',
    "a:b",
    "a|b",
    "*",
    "`",
    "x.",
    "  ",
  ),
));

/** A file whose name ends where prose would end it. */
export const plainPath = pathsOf(
  fc.constantFrom("a", "src", "main.ts", "v1.2_x", "x-y", "ü", "日本", "(app)", "@x"),
);

/** What may stand on both sides of a path in prose. */
export const surroundings = fc.constantFrom(
  ...[[" ", " "], ['"', '"'], ["'", "'"], ["`", "`"], ["(", ", "], ["\n", "\n"], [
    "<p>",
    "</p>",
  ]] as const,
  ...[["=", ";"], ["\t", "\r\n"], ["見る：", "。"], ["\x1b[1m", "\x1b[0m"], [
    "x: ",
    ":12:5",
  ]] as const,
);
