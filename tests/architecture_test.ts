/**
 * The rules of ARCHITECTURE.md that a program can check: who may import whom, what is pure, and where the
 * outside world may be touched.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import config from "../deno.json" with { type: "json" };
import { runToEnd } from "./support/process.ts";

const ROOT = new URL("..", import.meta.url);

/**
 * The folders of `src`, from the top down: a file imports only from its own folder and from lower rows.
 * Folders of one row do not know each other.
 */
const LAYERS: readonly (readonly string[])[] = [
  ["main.ts"],
  ["src/cli"],
  ["src/sync"],
  ["src/hub", "src/claude"],
  ["src/machine"],
  ["src/transcript", "src/translate", "src/memory"],
  ["src/errors.ts", "src/brands.ts", "src/version.ts"],
  ["deno.json"],
];

/** Values in, values out. */
const PURE =
  /^src\/(?:transcript\/|translate\/|memory\/|cli\/completion\/|sync\/(?:plan|daemon\/timetable)\.ts$|machine\/schedules\.ts$)/;

/** What pure code may import that is not ours: computation only. */
const PURE_MODULES: ReadonlySet<string> = new Set([
  "node:path",
  "node:buffer",
  "npm:node-diff3",
]);

/** Which files may import which package: one place each, so that replacing a package is one change. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  "@commander-js/extra-typings": /^src\/cli\/program\.ts$/,
  "@inquirer/core": /^src\/cli\/picker\/prompt\.ts$/,
  "@inquirer/prompts": /^src\/cli\/prompt_library\.ts$/,
  "commander": /^src\/cli\/program\.ts$/,
  "fast-string-width": /^src\/cli\/table\.ts$/,
  "jsonc-parser": /^src\/claude\/hooks\.ts$/,
  "node-diff3": /^src\/memory\/lines\.ts$/,
  "picocolors": /^src\/cli\/terminal\.ts$/,
  // Wherever untrusted JSON comes in.
  "valibot":
    /^src\/(?:machine\/(?:config|journal)|hub\/(?:format|locks)|claude\/live|sync\/daemon\/record)\.ts$/,
};

/** What `--version` and hooks wait for. What reads command lines, and what commands need, is loaded when it is used. */
const STARTED =
  /^(?:main\.ts|deno\.json|src\/(?:cli\/(?:app|commands|terminal)|machine\/(?:environment|streams)|errors|version)\.ts|npm:picocolors)$/;

/** Parts of `Deno` that have one home each; the rest of it is files, and stays out of {@linkcode PURE}. */
const PLACES: Readonly<Record<string, RegExp>> = {
  "Deno.args": /^main\.ts$/,
  "Deno.exit": /^main\.ts$/,
  "Deno.env": /^src\/(?:machine\/environment|hub\/git|hub\/github|cli\/terminal)\.ts$/,
  "Deno.Command":
    /^src\/(?:claude\/client|hub\/git|hub\/github|machine\/(?:editor|processes|programs|scheduler|self))\.ts$/,
  "Deno.stdin": /^src\/(?:hub\/git|cli\/(?:prompts|commands\/hook))\.ts$/,
  "Deno.stdout": /^src\/cli\/terminal\.ts$/,
  "Deno.stderr": /^src\/cli\/(?:prompts|terminal)\.ts$/,
};

/** Node's names for the same: the prompts' library speaks no others. */
const NODE_PROCESS = /^src\/cli\/(?:prompts|picker\/prompt)\.ts$/;

/** What talks to a network: git does that, as a program of its own. */
const NETWORK: ReadonlySet<string> = new Set([
  "Deno.connect",
  "Deno.connectTls",
  "Deno.createHttpClient",
  "Deno.listen",
  "Deno.listenDatagram",
  "Deno.listenTls",
  "Deno.resolveDns",
  "Deno.serve",
  "Deno.startTls",
  "Deno.upgradeWebSocket",
  "EventSource",
  "WebSocket",
  "WebTransport",
  "XMLHttpRequest",
  "fetch",
]);
const NETWORK_MODULES = /^node:(?:dgram|dns|http|http2|https|net|tls)(?:\/|$)/;

/** What makes a result depend on more than the arguments, besides `Deno` itself. */
const IMPURE: ReadonlySet<string> = new Set([
  "Date.now",
  "Math.random",
  "crypto",
  "globalThis",
  "localStorage",
  "navigator",
  "performance",
  "process",
  "queueMicrotask",
  "setInterval",
  "setTimeout",
  "Temporal.Now",
]);

interface Import {
  readonly to: string;
  /** Whether it is gone at run time. */
  readonly isType: boolean;
  /** Whether it is loaded only when it is come to: `await import()`. */
  readonly isLate: boolean;
}

interface Module {
  /** The path from the root of the repository. */
  readonly path: string;
  readonly imports: readonly Import[];
}

const TARGET = v.object({ specifier: v.string() });
const INFO = v.object({
  modules: v.array(v.object({
    specifier: v.string(),
    error: v.optional(v.string()),
    dependencies: v.optional(
      v.array(v.object({
        specifier: v.string(),
        code: v.optional(TARGET),
        type: v.optional(TARGET),
        isDynamic: v.optional(v.boolean(), false),
      })),
      [],
    ),
  })),
});

/** Returns the program's own modules, as Deno resolves their imports. */
async function readModules(): Promise<Module[]> {
  const { code, stdout, stderr } = await runToEnd(Deno.execPath(), {
    args: ["info", "--json", "main.ts"],
    cwd: fileURLToPath(ROOT),
  });
  assert.equal(code, 0, stderr);
  const { modules } = v.parse(INFO, JSON.parse(stdout));
  assert.deepEqual(modules.filter(({ error }) => error !== undefined), []);
  return modules.filter(({ specifier }) => specifier.startsWith("file:")).map((module) => ({
    path: ownPath(module.specifier),
    imports: module.dependencies.map(({ code, type, isDynamic }) => ({
      to: ownPath((code ?? type)?.specifier ?? ""),
      isType: code === undefined,
      isLate: isDynamic,
    })),
  }));
}

/** Returns the path from the root for a file of ours, a package's name without version, or a module's name. */
function ownPath(specifier: string): string {
  if (specifier.startsWith(ROOT.href)) return specifier.slice(ROOT.href.length);
  return specifier.replace(/^npm:\/?(@?[^@]+)@.*$/, "npm:$1");
}

const MODULES = await readModules();
const SOURCES = MODULES.filter(({ path }) => path.endsWith(".ts"));
const OURS: ReadonlySet<string> = new Set(MODULES.map(({ path }) => path));

/** Returns every import of the program, as `{from, to, isType}`. */
function allImports(): (Import & { readonly from: string })[] {
  return SOURCES.flatMap(({ path, imports }) => imports.map((found) => ({ ...found, from: path })));
}

/** Returns the row of {@linkcode LAYERS} that a path belongs to, and its name there. */
function layerOf(path: string): { readonly row: number; readonly name: string } | undefined {
  for (const [row, names] of LAYERS.entries()) {
    const name = names.find((name) => path === name || path.startsWith(`${name}/`));
    if (name !== undefined) return { row, name };
  }
  return undefined;
}

Deno.test("every module has its place in the order of imports", () => {
  const homeless = [...OURS].filter((path) => layerOf(path) === undefined);
  assert.deepEqual(homeless, [], "give its folder a row in LAYERS and in ARCHITECTURE.md");
});

Deno.test("ARCHITECTURE.md has every folder of the program in its table", async () => {
  const document = await Deno.readTextFile(new URL(".github/ARCHITECTURE.md", ROOT));
  const folders = new Set([...OURS].map((path) => path.slice(0, path.lastIndexOf("/") + 1)));
  folders.delete("");
  folders.delete("src/");
  const missing = [...folders].filter((folder) => !document.includes(`\`${folder}\``));
  assert.deepEqual(missing, []);
});

Deno.test("imports go down the page only", () => {
  const upwards = allImports().filter(({ from, to }) => {
    const [above, below] = [layerOf(from), layerOf(to)];
    return above !== undefined && below !== undefined && above.name !== below.name &&
      above.row >= below.row;
  });
  assert.deepEqual(upwards.map(({ from, to }) => `${from} -> ${to}`), []);
});

Deno.test("nothing is imported in a circle at run time", () => {
  const next = new Map(SOURCES.map(({ path, imports }) => {
    return [path, imports.filter(({ isType }) => !isType).map(({ to }) => to)];
  }));
  const done = new Set<string>();
  const follow = (path: string, trail: readonly string[]): string[] => {
    const start = trail.indexOf(path);
    if (start !== -1) return [[...trail.slice(start), path].join(" -> ")];
    if (done.has(path)) return [];
    const circles = (next.get(path) ?? []).flatMap((to) => follow(to, [...trail, path]));
    done.add(path);
    return circles;
  };
  assert.deepEqual(SOURCES.flatMap(({ path }) => follow(path, [])), []);
});

Deno.test("what every start loads is the command line alone", () => {
  const loaded = new Set(["main.ts"]);
  // A set goes on to what is added while it is walked.
  for (const path of loaded) {
    const module = SOURCES.find((source) => source.path === path);
    for (const { to, isType, isLate } of module?.imports ?? []) {
      if (!isType && !isLate && !to.startsWith("node:")) loaded.add(to);
    }
  }
  assert.deepEqual([...loaded].filter((path) => !STARTED.test(path)), []);
});

Deno.test("each package is imported in its own places only, and of an exact version", () => {
  const packages = allImports().filter(({ to }) => !OURS.has(to) && !to.startsWith("node:"));
  const strangers = packages.filter(({ from, to }) => {
    return PACKAGES[to.replace("npm:", "")]?.test(from) !== true;
  });
  assert.deepEqual(strangers.map(({ from, to }) => `${from} -> ${to}`), []);
  for (const [name, specifier] of Object.entries(config.imports)) {
    assert.match(specifier, /^npm:(?:@[^/]+\/)?[^@]+@\d+\.\d+\.\d+$/, name);
  }
});

Deno.test("pure code imports pure code only", () => {
  const impure = allImports().filter(({ from, to, isType }) => {
    if (!PURE.test(from) || isType) return false;
    return !PURE.test(to) && !PURE_MODULES.has(to) && !/^src\/(?:brands|errors)\.ts$/.test(to);
  });
  assert.deepEqual(impure.map(({ from, to }) => `${from} -> ${to}`), []);
});

Deno.test("no module of Node's is imported that talks to a network", () => {
  const found = allImports().filter(({ to }) => NETWORK_MODULES.test(to));
  assert.deepEqual(found.map(({ from, to }) => `${from} -> ${to}`), []);
});

Deno.test("Node's process is for prompts alone", () => {
  const found = allImports().filter(({ from, to }) => {
    return to === "node:process" && !NODE_PROCESS.test(from);
  });
  assert.deepEqual(found.map(({ from, to }) => `${from} -> ${to}`), []);
});

/** What a source does that the rules are about, each with the place where. */
interface Use {
  readonly what: string;
  readonly line: number;
}

/** Returns the globals that a source uses, `a.b` for members, and words for what has no name. */
function usesOf(path: string, source: string): Use[] {
  const rule: Deno.lint.Rule = {
    create: (context) => ({
      Identifier(node) {
        const name = globalName(node);
        if (name !== undefined) context.report({ node, message: name });
      },
      NewExpression(node) {
        const isDate = node.callee.type === "Identifier" && node.callee.name === "Date";
        if (isDate && node.arguments.length === 0) context.report({ node, message: "new Date()" });
      },
      AwaitExpression: (node) => context.report({ node, message: "await" }),
      ForOfStatement(node) {
        if (node.await) context.report({ node, message: "await" });
      },
    }),
  };
  const found = Deno.lint.runPlugin({ name: "uses", rules: { uses: rule } }, path, source);
  return found.map(({ message, range: [from] }) => ({
    what: message,
    line: source.slice(0, from).split("\n").length,
  }));
}

/** Returns the name of a global that an identifier may be, with the member that is taken of it. */
function globalName(node: Deno.lint.Identifier): string | undefined {
  const { parent } = node;
  switch (parent.type) {
    case "MemberExpression": {
      const { computed, object, property } = parent;
      if (object === node && !computed && property.type === "Identifier") {
        return `${node.name}.${property.name}`;
      }
      return object === node || computed ? node.name : undefined;
    }
    // Names of their own, and names of types.
    case "Property":
    case "PropertyDefinition":
    case "MethodDefinition":
      return parent.key === node && !parent.computed ? undefined : node.name;
    case "TSPropertySignature":
    case "TSQualifiedName":
      return undefined;
    default:
      return node.name;
  }
}

const USES = await Promise.all(SOURCES.map(async ({ path }) => {
  return { path, uses: usesOf(path, await Deno.readTextFile(new URL(path, ROOT))) };
}));

/** Returns where the rule is broken, as `path:line what`. */
function places(isBroken: (path: string, what: string) => boolean): string[] {
  return USES.flatMap(({ path, uses }) => {
    return uses.filter(({ what }) => isBroken(path, what)).map(({ what, line }) =>
      `${path}:${line} ${what}`
    );
  });
}

/** Whether a use is of a global or of one of its members. */
const isIn = (what: string, names: ReadonlySet<string>) =>
  names.has(what) || names.has(what.split(".")[0] ?? "");

Deno.test("usesOf() finds what the rules are about, and nothing in comments, texts and types", () => {
  const source = `
    // Deno.exit(), Date.now()
    const a = "fetch(x)" + \`\${Deno.env} Math.random()\`;
    function f(os: typeof Deno.build.os) { return own.fetch(os) + Math.random(); }
    const o = { console: 1, when: new Date(), then: new Date(0), now: Date.now };
    await fetch(a);
    console.log(o);`;
  const found = usesOf("x.ts", source).map(({ what }) => what);
  const expected = ["Deno.env", "Math.random", "new Date()", "Date.now", "await", "fetch"];
  for (const what of [...expected, "console.log"]) assert.ok(found.includes(what), what);
  for (const what of ["Deno.exit", "Deno.build", "console", "Deno"]) {
    assert.ok(!found.includes(what), what);
  }
  assert.equal(found.filter((what) => what === "new Date()").length, 1);
});

Deno.test("transcript/, translate/, memory/, completion and sync/plan.ts are pure", () => {
  const broken = places((path, what) => {
    if (!PURE.test(path)) return false;
    return what === "await" || what === "new Date()" || isIn(what, IMPURE) ||
      what.split(".")[0] === "Deno";
  });
  assert.deepEqual(broken, []);
});

Deno.test("no source talks to a network", () => {
  assert.deepEqual(places((_path, what) => isIn(what, NETWORK)), []);
});

Deno.test("no source writes to the console: results and errors go through the terminal", () => {
  assert.deepEqual(places((_path, what) => what.split(".")[0] === "console"), []);
});

Deno.test("arguments, environment, streams, programs and the exit have one home each", () => {
  const broken = places((path, what) => PLACES[what] !== undefined && !PLACES[what].test(path));
  assert.deepEqual(broken, []);
});
