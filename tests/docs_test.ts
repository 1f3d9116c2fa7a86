/**
 * The documents against the program: what they say exists, and what exists they say.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path/posix";
import config from "../deno.json" with { type: "json" };
import { ROWS } from "../scripts/bench.ts";
import { PERMISSIONS } from "../scripts/build/permissions.ts";
import { section, table } from "../scripts/markdown.ts";
import { EXIT_CODES } from "../src/errors.ts";
import { RELEASES } from "../src/version.ts";
import type { LocalPath, PlaceholderName } from "../src/brands.ts";
import { makeProfile, type PathStyle } from "../src/translate/profile.ts";
import { toLocal } from "../src/translate/to_local.ts";
import { toPortable } from "../src/translate/to_portable.ts";
import { Translator } from "../src/translate/translator.ts";
import { type TestMachine, World } from "./support/world.ts";

const ROOT = new URL("..", import.meta.url);

/** Documents for users, each with the same in Japanese. */
const TRANSLATED = [
  ["README.md", "docs/README_ja.md"],
  ["docs/guide.md", "docs/guide_ja.md"],
] as const;

const DOCUMENTS: readonly string[] = [
  ...TRANSLATED.flat(),
  "CHANGELOG.md",
  ".github/ARCHITECTURE.md",
  ".github/CONTRIBUTING.md",
  ".github/PERFORMANCE.md",
  ".github/SECURITY.md",
];

/** Returns a file of the repository. */
function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

/** Returns the paths of all files of the repository under a folder. */
function filesUnder(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap(({ isDirectory, name }) => {
    return isDirectory ? filesUnder(`${folder}/${name}`) : [`${folder}/${name}`];
  });
}

const README = read("README.md");
const GUIDE = read("docs/guide.md");
const CHANGES = filesUnder(".github/changes").filter((path) => path.endsWith(".md"));
const SOURCES = filesUnder("src").map((path) => ({ path, text: read(path) }));

/** Returns the contents of the code spans of a text. */
function codeIn(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? "");
}

/** What the help of a command says. */
interface Help {
  /** `ccsync config set-path <name> <machine-id> <path>`. */
  readonly usage: string;
  /** Its own options, `--remote <url|path>`, without help. */
  readonly options: readonly string[];
  /** Those of every command, `-q, --quiet`. */
  readonly globals: readonly string[];
  readonly commands: readonly string[];
}

/** Returns the first column of a list in a help text: its entries begin two spaces in. */
function entriesOf(help: string, title: string): string[] {
  const [, body = ""] = new RegExp(`^${title}:\n((?:  .*\n?)*)`, "m").exec(help) ?? [];
  return [...body.matchAll(/^ {2}(\S.*?)(?: {2,}.*)?$/gm)].map(([, entry]) => entry ?? "");
}

async function helpOf(machine: TestMachine, ...command: readonly string[]): Promise<Help> {
  const { stdout } = await machine.ccsync(...command, "--help");
  const isProgram = command.length === 0;
  const options = entriesOf(stdout, "Options");
  const [, usage = ""] = /^Usage: (.*)$/m.exec(stdout) ?? [];
  return {
    usage: usage.replace(" [options]", "").replace(/ \[command\]$/, ""),
    options: isProgram ? [] : options.filter((option) => !/^-h, --help/.test(option)),
    globals: isProgram ? options : entriesOf(stdout, "Global Options"),
    commands: entriesOf(stdout, "Commands").map((entry) => entry.split(" ")[0] ?? ""),
  };
}

/** Returns the help of a command and of all commands below it. */
async function helpsUnder(machine: TestMachine, ...command: readonly string[]): Promise<Help[]> {
  const help = await helpOf(machine, ...command);
  const names = help.commands.filter((name) => name !== "help");
  const below = await Promise.all(names.map((name) => helpsUnder(machine, ...command, name)));
  return [help, ...below.flat()];
}

/** What the program's help says of it and of all commands that do something; asked once. */
let knownHelp: Promise<{ readonly program: Help; readonly leaves: readonly Help[] }> | undefined;

async function wholeHelp(): Promise<{ program: Help; leaves: Help[] }> {
  await using world = await World.create();
  const [program, ...helps] = await helpsUnder(world.machine("docs"));
  assert.ok(program !== undefined);
  return { program, leaves: helps.filter(({ commands }) => commands.length === 0) };
}

/** Returns `config set-path` of a usage. */
function nameOf({ usage }: Help): string {
  return usage.replace(/^ccsync | [<[].*$/g, "");
}

Deno.test("README's tables of commands and options are those of the program", async () => {
  const { leaves, program } = await (knownHelp ??= wholeHelp());
  const actual = leaves.flatMap((help) => {
    // A short form has no row of its own.
    const options = help.options.map((option) => option.replace(/^-\w, /, ""));
    return [help.usage, ...options.map((option) => `ccsync ${nameOf(help)} ${option}`)];
  });
  const text = section(README, "Commands");
  const documented = table(text, "command").flatMap(([cell = ""]) => codeIn(cell));
  assert.deepEqual(documented.toSorted(), [...actual, "ccsync help [command]"].toSorted());
  const options = table(text, "option").map(([cell = ""]) => codeIn(cell).join(", "));
  assert.deepEqual(options.toSorted(), program.globals.toSorted());
  for (const { options, usage } of leaves) {
    for (const short of options.flatMap((option) => /^-\w/.exec(option) ?? [])) {
      assert.ok(README.includes(`\`${short}\``), `${usage}: ${short}`);
    }
  }
});

Deno.test("README's overview has every command", async () => {
  const { program } = await (knownHelp ??= wholeHelp());
  const overview = table(section(README, "Commands"), "for").flatMap(([, cell = ""]) =>
    codeIn(cell)
  );
  const commands = program.commands.map((name) => `ccsync ${name}`);
  assert.deepEqual(overview.toSorted(), commands.toSorted());
});

Deno.test("examples in documents name commands and options that there are", async () => {
  const { leaves, program } = await (knownHelp ??= wholeHelp());
  const blocks = DOCUMENTS.flatMap((path) => [...read(path).matchAll(/^```sh\n([^]*?)^```$/gm)]);
  const lines = blocks.flatMap(([, block = ""]) => block.replace(/ +#.*/g, "").split("\n"));
  // The try-out's machines are functions that run ccsync.
  const calls = lines.flatMap((line) => /^(?:ccsync|laptop|desk) (.*)$/.exec(line)?.[1] ?? []);
  assert.ok(calls.length > 20);
  for (const call of calls) {
    const help = leaves.find((help) => `${call} `.startsWith(`${nameOf(help)} `));
    assert.ok(help !== undefined, call);
    const namesIn = (text: string) => text.match(/(?<=^|[ ,])--?[a-z][a-z-]*/g) ?? [];
    const known = new Set([...help.options, ...program.globals].flatMap(namesIn));
    assert.deepEqual(namesIn(call).filter((option) => !known.has(option)), [], call);
  }
});

Deno.test("documents have the address that releases come from", () => {
  for (const document of [...DOCUMENTS, ...CHANGES]) {
    for (const [address] of read(document).matchAll(/github\.com\/[\w-]+\/ccsync\b/g)) {
      assert.equal(address, RELEASES, document);
    }
  }
});

Deno.test("README's exit codes are those of the program", () => {
  const documented = table(README, "code").map(([code = "", kind = ""]) => {
    return [codeIn(kind)[0] ?? "done", Number(code)];
  });
  assert.deepEqual(documented, [["done", 0], ...Object.entries(EXIT_CODES)]);
});

Deno.test("README's keys of config.json are those of the program", async () => {
  await using world = await World.create();
  const machine = await world.joined("docs");
  const path = `${machine.ccsyncHome}/config.json`;
  const written: Record<string, unknown> = JSON.parse(Deno.readTextFileSync(path));
  const documented = table(section(README, "Configuration"), "key").flatMap(([cell = ""]) =>
    codeIn(cell)
  );
  const unwritten = documented.filter((key) => !Object.hasOwn(written, key));
  assert.deepEqual(Object.keys(written).filter((key) => !documented.includes(key)), []);
  const valueOf = (key: string) =>
    key === "allow_public" ? true : ["interval", "lock_ttl"].includes(key) ? 60 : "x";
  const all = { ...Object.fromEntries(unwritten.map((key) => [key, valueOf(key)])), ...written };
  Deno.writeTextFileSync(path, JSON.stringify(all));
  await machine.ccsync("config", "show");
});

Deno.test("the guide's names of the hub's files are those of the program", async () => {
  await using world = await World.create();
  const machine = await world.joined("laptop");
  const id = machine.plant("variants/base.jsonl");
  Deno.mkdirSync(`${machine.claude}/tasks/${id}`, { recursive: true });
  Deno.writeTextFileSync(`${machine.claude}/tasks/${id}/1.json`, "{}");
  const project = dirname(machine.transcriptPath(id).slice(machine.claude.length));
  machine.writeFile(`${project}/memory/MEMORY.md`, "a note\n");
  machine.writeFile("CLAUDE.md", "an instruction\n");
  await machine.ccsync("push");
  const files = (await world.hubFiles()).map((path) => {
    return path.replace(`${id.slice(0, 2)}/${id}`, "XX/ID").replace("/laptop.", "/MACHINE.")
      .replace(/^(sessions.*\/files)\/.*\//, "$1/PATH/")
      .replace(/^memory\/[^/]*/, "memory/KEY").replace(/^(memory.*\/files)\/.*/, "$1/PATH");
  });
  const listed = [...section(GUIDE, "What is in the hub").matchAll(/^([\w./]+) {2,}\S/gm)]
    .map(([, path]) => path);
  assert.deepEqual(files.toSorted(), listed.toSorted());
});

/** Returns the variables that the program reads, by how it reads them. */
function variablesRead(): Set<string> {
  const reads = SOURCES.flatMap(({ text }) => [
    ...text.matchAll(/(?:Deno\.env\.get|nonEmpty)\(([^()]*)\)/g),
    // Those that git gets to see.
    ...text.matchAll(/\bKEPT\b[^[]*\[([^\]]*)\]/g),
  ]);
  const names = reads.flatMap(([, names = ""]) => names.match(/(?<=")[A-Z][A-Z0-9_]*(?=")/g) ?? []);
  const isNoColor = SOURCES.some(({ text }) => text.includes("Deno.noColor"));
  return new Set([...names, ...isNoColor ? ["NO_COLOR"] : []]);
}

Deno.test("README's environment variables are those that the program reads", () => {
  const text = section(README, "Environment");
  const documented = [
    ...table(text, "variable").flatMap(([cell = ""]) => codeIn(cell)),
    ...codeIn(text).filter((code) => code.startsWith("GIT_")),
  ];
  assert.deepEqual(documented.toSorted(), [...variablesRead()].sort());
});

Deno.test("variables that scripts and tests read are documented", () => {
  const names = [...filesUnder("scripts"), ...filesUnder("tests/support")].flatMap((path) =>
    [...read(path).matchAll(/Deno\.env\.get\("([A-Z_]+)"\)/g)].map(([, name = ""]) => name)
  ).filter((name) => !["HOME", "PATH"].includes(name));
  const documents = DOCUMENTS.map(read).join("");
  assert.deepEqual(names.filter((name) => !documents.includes(`\`${name}\``)), []);
});

Deno.test("messages that README explains are the program's", () => {
  const texts = SOURCES.map(({ text }) => text).join("\n");
  const tables = section(README, "When something is in the way").split("\n<details>");
  assert.equal(tables.length, 2);
  const rows = tables.flatMap((text) => table(text, "message"));
  const fragments = rows.flatMap(([cell = ""]) => codeIn(cell))
    .flatMap((message) => message.split("…")).map((fragment) => fragment.trim())
    .filter((fragment) => fragment !== "");
  assert.deepEqual(fragments.filter((fragment) => !texts.includes(fragment)), []);
});

/** The machines of README's example. */
const EXAMPLE: Readonly<Record<string, readonly [PathStyle, Record<string, string>]>> = {
  laptop: ["posix", { PROJECTS: "/home/you/projects", HOME: "/home/you" }],
  macbook: ["posix", { PROJECTS: "/Users/you/dev", HOME: "/Users/you" }],
  windows: ["windows", { PROJECTS: "C:\\projects", HOME: "C:\\Users\\you" }],
};

function exampleTranslator(machine: string): Translator {
  const [style, roots] = EXAMPLE[machine] ?? assert.fail(machine);
  const placeholders = Object.entries(roots).map(([name, root]) => {
    return { name: name as PlaceholderName, root: root as LocalPath };
  });
  return new Translator(makeProfile(style, placeholders), "jsonl");
}

Deno.test("SECURITY.md's permissions are those of the executable", () => {
  const documented = table(read(".github/SECURITY.md"), "permission");
  const actual = PERMISSIONS.map(({ name, reason, value }) => {
    return [`\`--allow-${name}${value === undefined ? "" : `=${value}`}\``, reason];
  });
  assert.deepEqual(documented, actual);
});

Deno.test("install scripts that documents download are in the repository", () => {
  for (const document of DOCUMENTS) {
    for (const [, name = ""] of read(document).matchAll(/releases\/latest\/download\/(\S+)/g)) {
      assert.ok(exists(name), `${document}: ${name}`);
    }
  }
});

Deno.test("README's example is what translation makes of it", () => {
  const rows = section(README, "How it works").matchAll(/^(\w+) +(\{.*\})$/gm);
  const lines = new Map([...rows].map(([, where = "", line = ""]) => [where, line]));
  assert.deepEqual([...lines.keys()].sort(), ["hub", ...Object.keys(EXAMPLE)].sort());
  const bytes = (where: string) => new TextEncoder().encode(lines.get(where));
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  for (const machine of Object.keys(EXAMPLE)) {
    const translator = exampleTranslator(machine);
    assert.equal(text(toPortable(translator, bytes(machine))), lines.get("hub"), machine);
    assert.equal(text(toLocal(translator, bytes("hub"))), lines.get(machine), machine);
  }
  const typed = new TextEncoder().encode("{{PROJECTS}}");
  assert.equal(text(toPortable(exampleTranslator("laptop"), typed)), "{{~PROJECTS}}");
});

Deno.test("rows and options of the bench that PERFORMANCE.md names are the program's", () => {
  const performance = read(".github/PERFORMANCE.md");
  const options = table(performance, "option").flatMap(([cell = ""]) => codeIn(cell))
    .map((option) => option.split(" ")[0] ?? "");
  const bench = read("scripts/bench.ts");
  for (const option of options) assert.ok(bench.includes(`${option.slice(2)}: {`), option);
  const [, names = ""] = /Rows: ([^|]*)/.exec(performance) ?? [];
  assert.deepEqual(codeIn(names).toSorted(), Object.keys(ROWS).toSorted());
});

Deno.test("tasks that documents name exist", () => {
  const tasks = new Set(Object.keys(config.tasks));
  for (const document of DOCUMENTS) {
    for (const [, name = ""] of read(document).matchAll(/deno(?:@[\d.]+)? task\s+([a-z:]+)/g)) {
      assert.ok(tasks.has(name), `${document}: ${name}`);
    }
  }
});

Deno.test("documents name the versions that are used", () => {
  const oldestGit = /OLDEST[^=]*= \[(\d+), (\d+)\]/.exec(read("src/hub/git.ts"));
  assert.ok(README.includes(`git ${oldestGit?.[1]}.${oldestGit?.[2]} or newer`));
  const [deno] = /(?<=deno@)[\d.]+/.exec(read(".ci/run")) ?? [];
  for (const document of DOCUMENTS) {
    for (const [named] of read(document).matchAll(/(?<=deno@|Deno )\d+\.\d+\.\d+/gi)) {
      assert.equal(named, deno, document);
    }
  }
});

const exists = (path: string): boolean => {
  try {
    Deno.statSync(new URL(path, ROOT));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
};

/** A part of a document that begins with a heading, in terms that do not depend on the language. */
interface Part {
  /** So many `#`. */
  readonly level: number;
  /** Examples without the comments of shells. */
  readonly blocks: readonly string[];
  /** The code spans, sorted, each once. */
  readonly code: readonly string[];
  /** How many cells each row of a table has, and what of its first one is code. */
  readonly rows: readonly string[];
  /** Where its links lead: addresses and files, and of headings the place in their document. */
  readonly links: readonly string[];
}

/** Returns the parts of a document. */
function partsOf(document: string): Part[] {
  const blocks: string[] = [];
  // Comments of shells begin as headings do.
  const text = read(document).replace(/^```[^]*?^```$/gm, (block) => {
    blocks.push(block.replace(/ +# .*$/gm, ""));
    return `@block ${blocks.length - 1}@`;
  });
  return text.split(/^(?=#+ )/m).map((part) => ({
    level: /^#*/.exec(part)?.[0].length ?? 0,
    blocks: [...part.matchAll(/@block (\d+)@/g)].map(([, i]) => blocks[Number(i)] ?? ""),
    code: [...new Set(codeIn(part))].sort(),
    rows: [...part.matchAll(/^\|.*$/gm)].map(([row]) => {
      const [, first = "", ...others] = row.split(/(?<!\\)\|/);
      return `${others.length} ${codeIn(first).join()}`;
    }),
    links: linksIn(document, part).toSorted(),
  }));
}

/** Returns where the links of a text of a document lead, whatever the language. */
function linksIn(document: string, text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => {
    if (/^[a-z]+:/.test(link)) return link;
    const [path = "", fragment] = link.split("#");
    const target = path === "" ? document : targetOf(document, path);
    const pair = TRANSLATED.findIndex((names) => names.some((name) => name === target));
    const place = fragment === undefined ? "" : headingsOf(target).indexOf(decodeURI(fragment));
    return `${pair === -1 ? target : pair}#${pair === -1 ? fragment : place}`;
  });
}

Deno.test("Japanese documents have the parts, examples, tables, code and links of the English ones", () => {
  for (const [english, japanese] of TRANSLATED) {
    const [ours, theirs] = [partsOf(english), partsOf(japanese)];
    assert.equal(theirs.length, ours.length, japanese);
    for (const [i, part] of ours.entries()) assert.deepEqual(theirs[i], part, japanese);
  }
});

/** Returns the path from the root of the repository to what a document names. */
function targetOf(document: string, path: string): string {
  return new URL(path, new URL(`${dirname(document)}/`, ROOT)).href.slice(ROOT.href.length);
}

/** Returns the fragments by which the headings of a document are linked to. */
function headingsOf(document: string): string[] {
  return [...read(document).matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) => anchorOf(text));
}

/** Returns the fragment by which a heading is linked to. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
}

Deno.test("links inside the repository lead somewhere", () => {
  for (const document of [...DOCUMENTS, ...CHANGES]) {
    for (const [, link = ""] of read(document).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [path = "", fragment] = link.split("#");
      const target = path === "" ? document : targetOf(document, path);
      assert.ok(exists(target), `${document}: ${link}`);
      if (fragment === undefined) continue;
      assert.ok(headingsOf(target).includes(decodeURI(fragment)), `${document}: ${link}`);
    }
  }
});

Deno.test("files that documents name exist, and ARCHITECTURE.md names every folder beside src", () => {
  for (const document of DOCUMENTS) {
    const named = codeIn(read(document)).filter((code) => {
      return /^(?:src|tests|scripts|\.github|\.ci)\/[\w./-]*$/.test(code);
    });
    assert.deepEqual(named.filter((path) => !exists(path)), [], document);
  }
  // Tests of a folder of the sources bear its name.
  const isMirror = (folder: string) =>
    folder.startsWith("tests/") && exists(folder.replace("tests/", "src/"));
  const folders = new Set(
    [...filesUnder("tests"), ...filesUnder("scripts")]
      .map((path) => `${dirname(path)}/`)
      .filter((folder) => !/^tests\/(?:fixtures\/.+\/)?$/.test(folder)),
  );
  const architecture = codeIn(read(".github/ARCHITECTURE.md"));
  assert.deepEqual(
    [...folders].filter((folder) => !isMirror(folder) && !architecture.includes(folder)),
    [],
  );
});

Deno.test("tests that documents call as witnesses exist", () => {
  const architecture = read(".github/ARCHITECTURE.md");
  const promises = section(architecture, "What ccsync promises");
  const faults = section(architecture, "What each fault does");
  const called = promises + faults + read(".github/SECURITY.md");
  const witnesses = [...called.matchAll(/`(tests\/[\w/.]+_test\.ts)`:\s+"([^"]+)"/g)];
  assert.ok(witnesses.length > 0);
  for (const [, file = "", title = ""] of witnesses) {
    const words = title.replace(/\s+/g, " ");
    const isThere = ['"', "`"].some((quote) => read(file).includes(quote + words + quote));
    assert.ok(isThere, `${file}: "${words}"`);
  }
  for (const name of ["P1", "P2", "P3", "P4", "P5", "P6", "P7"]) {
    assert.match(promises, new RegExp(`\\*\\*${name} `));
  }
});

Deno.test("documents name nothing of the machine they were written on, and no registry's host", () => {
  const host = /\/work\/|\/root\/|\b(?:registry\.)?npmjs\.|\bjsr\.io\b|\bregistry\.|\blocalhost\b/i;
  for (const document of [...DOCUMENTS, ...CHANGES]) {
    assert.equal(host.exec(read(document))?.[0], undefined, document);
  }
});
