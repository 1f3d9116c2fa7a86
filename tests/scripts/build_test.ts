import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, strFromU8, unzipSync } from "fflate";
import { unpackTar } from "modern-tar";
import { checksums, pack, type PackedFile } from "../../scripts/build/archive.ts";
import { portableBundle } from "../../scripts/build/bundle.ts";
import { executablePath, parseFlags } from "../../scripts/build/options.ts";
import {
  type BundledPackage,
  packagesOf,
  thirdPartyLicenses,
} from "../../scripts/build/packages.ts";
import { permissionFlags, PERMISSIONS } from "../../scripts/build/permissions.ts";
import { billOfMaterials } from "../../scripts/build/sbom.ts";
import { allTargets, TARGETS } from "../../scripts/build/targets.ts";
import { CcsyncError } from "../../src/errors.ts";
import { runToEnd } from "../support/process.ts";

const LINUX = "x86_64-unknown-linux-gnu";
const MAC = "aarch64-apple-darwin";
const WINDOWS = "x86_64-pc-windows-msvc";

function isUsageError(error: unknown): boolean {
  return error instanceof CcsyncError && error.kind === "usage" && error.hints.length > 0;
}

Deno.test("parseFlags() builds for this system alone, without archives, unless told otherwise", () => {
  assert.deepEqual(parseFlags([], LINUX), {
    help: false,
    targets: [LINUX],
    output: undefined,
    archive: false,
    testRuntime: false,
  });
});

Deno.test("executablePath() names an executable after its system, in dist/ unless told otherwise", () => {
  const cases: readonly [args: string[], host: string, name: string][] = [
    [[], LINUX, "ccsync"],
    [[], WINDOWS, "ccsync.exe"],
    [["--target", MAC], MAC, "ccsync"],
    [["--target", MAC], LINUX, `ccsync-${MAC}`],
    [["--target", WINDOWS], LINUX, `ccsync-${WINDOWS}.exe`],
    [["--output", "here/tool"], LINUX, "tool"],
    [["--output", "here/tool"], WINDOWS, "tool.exe"],
    [["--output=here/tool.EXE"], WINDOWS, "tool.EXE"],
  ];
  for (const [args, host, name] of cases) {
    const { output, targets: [target = assert.fail()] } = parseFlags(args, host);
    const path = executablePath(output, target, host);
    assert.equal(basename(path), name, args.join(" "));
    if (output === undefined) assert.match(path, /[/\\]dist[/\\][^/\\]+$/);
  }
});

Deno.test("parseFlags() takes several targets, each once, or all", () => {
  const targetsOf = (...args: string[]) => parseFlags(args, LINUX).targets;
  assert.deepEqual(targetsOf("--target", MAC, "--target", WINDOWS), [MAC, WINDOWS]);
  assert.deepEqual(targetsOf("--target", MAC, "--target", MAC), [MAC]);
  assert.deepEqual(targetsOf("--all"), allTargets());
});

Deno.test("parseFlags() reads the switches", () => {
  assert.equal(parseFlags(["--test-runtime"], LINUX).testRuntime, true);
  assert.equal(parseFlags(["--archive"], LINUX).archive, true);
  assert.equal(parseFlags(["--help"], LINUX).help, true);
});

Deno.test("parseFlags() refuses what it does not know, and several executables at one place", () => {
  const cases = [
    ["--nope"],
    ["extra"],
    ["--target"],
    ["--target="],
    ["--target", "sparc-sun-solaris"],
    ["--target", "toString"],
    ["--help=yes"],
    ["--all", "--output", "tool"],
  ];
  for (const args of cases) {
    assert.throws(() => parseFlags(args, LINUX), isUsageError, args.join(" "));
  }
});

Deno.test("parseFlags() wants a target on a system that has none", () => {
  const host = "riscv64gc-unknown-linux-gnu";
  assert.throws(() => parseFlags([], host), isUsageError);
  assert.deepEqual(parseFlags(["--target", MAC], host).targets, [MAC]);
});

Deno.test("parseFlags() tells the reason in one clause", () => {
  assert.throws(() => parseFlags(["--nope"], LINUX), {
    message: "cannot read the command line: Unknown option '--nope'",
  });
});

Deno.test("TARGETS has packages of its own for every target", () => {
  const facts = Object.values(TARGETS);
  assert.equal(new Set(facts.map(({ denoPackage }) => denoPackage)).size, facts.length);
  assert.equal(new Set(facts.map(({ runtimePackage }) => runtimePackage)).size, facts.length);
});

Deno.test("permissionFlags() grants what the list says: no network, no native code", () => {
  assert.deepEqual(permissionFlags(), [
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-sys=hostname,networkInterfaces,osRelease,uid",
    "--allow-run",
    "--deny-import",
  ]);
});

Deno.test("PERMISSIONS has a reason for each", () => {
  for (const { name, value, reason } of PERMISSIONS) assert.ok(reason, `${name} ${value}`);
});

/** A machine on which something is bundled. */
interface Bundler {
  /** URL of the directory with Deno's packages. */
  readonly npm: string;
  /** URL of the repository. */
  readonly root: string;
  /** What the bundler's names of modules end with. */
  readonly hash: string;
}

/** Returns a bundle of two modules that the main one imports, as `deno bundle` on a machine makes it. */
function bundleOn({ npm, root, hash }: Bundler) {
  const directory = new URL("dist/bundle/", root);
  const relativeTo = (url: string) => {
    const up = (from: string) => "../".repeat(from.split("/").length - 1);
    const path = new URL(url).pathname.slice(1);
    return /^[A-Za-z]:/.test(path) ? path : up(directory.pathname.slice(1)) + path;
  };
  const commander = relativeTo(`${npm}/commander/15.1.0/index.js`);
  const map = (...sources: string[]) =>
    JSON.stringify({
      version: 3,
      sources,
      sourcesContent: sources.map(() => "text"),
      mappings: "A",
    });
  const files = new Map([
    ["aside.js", "nobody imports it"],
    [
      "main.js",
      `import { a } from "./chunk-${hash}.js";\n// ${commander}\nvar x = __esm({\n  "${commander}"() {\n` +
      `import("./push-${hash}.js");\nvar s = "./other.js";\n//# sourceMappingURL=main.js.map\n`,
    ],
    ["main.js.map", map(commander, "../../src/app.ts")],
    [`push-${hash}.js`, `push;\n//# sourceMappingURL=push-${hash}.js.map\n`],
    [`push-${hash}.js.map`, map("../../src/push.ts")],
    [`chunk-${hash}.js`, `chunk;\n//# sourceMappingURL=chunk-${hash}.js.map\n`],
    [`chunk-${hash}.js.map`, map()],
  ]);
  return portableBundle(files, directory, new URL(root));
}

Deno.test("portableBundle() makes the same of bundles from different machines", () => {
  const ann = bundleOn({
    npm: "file:///home/ann/.cache/deno/npm/registry.example",
    root: "file:///home/ann/ccsync/",
    hash: "AAAAAAA1",
  });
  const bob = bundleOn({
    npm: "file:///D:/Users/Bob%20B/deno/npm/mirror.example",
    root: "file:///C:/ccsync/",
    hash: "ZZZZZZZ9",
  });
  assert.deepEqual([...ann.files], [...bob.files]);
  assert.deepEqual([...ann.files.keys()], [
    "main.js",
    "main.js.map",
    "chunk_1.js",
    "chunk_1.js.map",
    "push_2.js",
    "push_2.js.map",
  ]);
  assert.equal(
    ann.files.get("main.js"),
    'import { a } from "./chunk_1.js";\n// npm/commander/15.1.0/index.js\n' +
      'var x = __esm({\n  "npm/commander/15.1.0/index.js"() {\n' +
      'import("./push_2.js");\nvar s = "./other.js";\n//# sourceMappingURL=main.js.map\n',
  );
  assert.match(ann.files.get("push_2.js") ?? "", /^\/\/# sourceMappingURL=push_2\.js\.map$/m);
  assert.deepEqual(JSON.parse(ann.files.get("main.js.map") ?? ""), {
    version: 3,
    sources: ["npm/commander/15.1.0/index.js", "src/app.ts"],
    mappings: "A",
  });
});

Deno.test("portableBundle() leaves the program itself alone", () => {
  const code = `var a = "../x/npm/y/z";\nvar b = call("../x/npm/y/z"); // ../x/npm/y/z\n`;
  const directory = new URL("file:///ccsync/dist/");
  const { files } = portableBundle(
    new Map([["main.js", code]]),
    directory,
    new URL("..", directory),
  );
  assert.equal(files.get("main.js"), code);
});

Deno.test("packagesOf() names what sources belong to, with what deno.lock and the packages say", async () => {
  const sources = ["valibot", "@commander-js/extra-typings", "valibot"].map((name) =>
    import.meta.resolve(name)
  );
  const packages = await packagesOf([...sources, import.meta.url].map((url) => new URL(url)));
  assert.deepEqual(
    packages.map(({ name, license }) => [name, license]),
    [["@commander-js/extra-typings", "MIT"], ["valibot", "MIT"]],
  );
  for (const { version, integrity, licenseText } of packages) {
    assert.match(version, /^\d+\.\d+\.\d+$/);
    assert.match(integrity, /^sha512-[A-Za-z0-9+/]{86}==$/);
    assert.match(licenseText, /Permission is hereby granted/);
  }
});

const PACKAGES: readonly BundledPackage[] = [
  {
    name: "@some/thing",
    version: "1.2.3",
    license: "MIT",
    licenseText: "The text.\r\n",
    integrity: "sha512-AP8=",
  },
  {
    name: "other",
    version: "4.5.6",
    license: "(MIT OR Apache-2.0)",
    licenseText: "Another text.\n",
    integrity: "sha512-AP8=",
  },
];

Deno.test("billOfMaterials() names the runtime and each package, and nothing of the machine", () => {
  const bill = JSON.parse(billOfMaterials(PACKAGES, "9.9.9"));
  assert.equal(bill.bomFormat, "CycloneDX");
  assert.deepEqual(Object.keys(bill.metadata), ["component"]);
  assert.deepEqual(
    bill.components.map(({ purl }: { purl: string }) => purl),
    ["pkg:github/denoland/deno@v9.9.9", "pkg:npm/%40some/thing@1.2.3", "pkg:npm/other@4.5.6"],
  );
  const [, thing, other] = bill.components;
  assert.deepEqual([thing.group, thing.name], ["@some", "thing"]);
  assert.deepEqual(thing.hashes, [{ alg: "SHA-512", content: "00ff" }]);
  assert.deepEqual(thing.licenses, [{ license: { id: "MIT" } }]);
  assert.deepEqual(other.licenses, [{ expression: "(MIT OR Apache-2.0)" }]);
});

Deno.test("thirdPartyLicenses() has the text of each", () => {
  const text = thirdPartyLicenses(PACKAGES);
  assert.match(text, /@some\/thing 1\.2\.3 \(MIT\)\n\nThe text\.\n/);
  assert.match(text, /other 4\.5\.6 \(\(MIT OR Apache-2\.0\)\)\n\nAnother text\.\n/);
});

const FILES: readonly PackedFile[] = [
  { path: "ccsync", bytes: new Uint8Array([1, 2, 3]), isExecutable: true },
  { path: "README.md", bytes: new TextEncoder().encode("read me") },
];

Deno.test("pack() makes a tar.gz of one folder that tells nothing of who made it", async () => {
  const archive = await pack("tar.gz", "ccsync-1", FILES);
  const entries = await unpackTar(gunzipSync(archive));
  assert.deepEqual(
    entries.map(({ header, data }) => [header.name, header.mode, data && [...data]]),
    [
      ["ccsync-1/README.md", 0o644, [...new TextEncoder().encode("read me")]],
      ["ccsync-1/ccsync", 0o755, [1, 2, 3]],
    ],
  );
  for (const { header } of entries) {
    assert.deepEqual([header.mtime?.getTime(), header.uid, header.gid], [0, 0, 0]);
  }
  // Seconds since 1970 at which it was compressed: not said.
  assert.deepEqual([...archive.subarray(4, 8)], [0, 0, 0, 0]);
});

Deno.test("pack() makes a zip of one folder, as if in the first second that zip knows", async () => {
  const archive = Buffer.from(await pack("zip", "ccsync-1", FILES));
  const files = unzipSync(archive);
  assert.deepEqual(Object.keys(files), ["ccsync-1/README.md", "ccsync-1/ccsync"]);
  assert.equal(strFromU8(files["ccsync-1/README.md"] ?? new Uint8Array()), "read me");
  // Of the first file: the time, then the date, years since 1980 in its upper seven bits.
  assert.deepEqual([archive.readUInt16LE(10), archive.readUInt16LE(12)], [0, 1 << 5 | 1]);
});

Deno.test("pack() makes the same whatever the order of the files", async () => {
  for (const format of ["tar.gz", "zip"] as const) {
    const one = await pack(format, "ccsync-1", FILES);
    assert.deepEqual(await pack(format, "ccsync-1", FILES.toReversed()), one, format);
  }
});

Deno.test("checksums() writes what sha256sum reads", () => {
  const sums = checksums(new Map([["b", new Uint8Array()], ["a", new TextEncoder().encode("a")]]));
  assert.equal(
    sums,
    "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a\n" +
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n",
  );
});

Deno.test("one DENORT_BIN is not taken for the runtime of several targets", async () => {
  const { code, stderr } = await runToEnd(Deno.execPath(), {
    args: ["run", "-A", "--frozen", "scripts/build.ts", "--all"],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { ...Deno.env.toObject(), DENORT_BIN: "denort" },
  });
  assert.equal(code, 2);
  assert.match(stderr, /cannot build for 5 targets with one DENORT_BIN\nhint: .*--target/);
});
