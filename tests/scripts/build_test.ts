import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { basename } from "node:path";
import {
  parseFlags,
  permissionFlags,
  PERMISSIONS,
  TARGETS,
  withoutMachine,
} from "../../scripts/build.ts";
import { CcsyncError } from "../../src/errors.ts";

const LINUX = "x86_64-unknown-linux-gnu";
const MAC = "aarch64-apple-darwin";
const WINDOWS = "x86_64-pc-windows-msvc";

function isUsageError(error: unknown): boolean {
  return error instanceof CcsyncError && error.kind === "usage" && error.hints.length > 0;
}

/** Returns a bundle with a source map, as `deno bundle --sourcemap=inline` prints it. */
function bundleOf(code: string, sources: readonly string[]): string {
  const map = { version: 3, sources, sourcesContent: sources.map(() => "text"), mappings: "AAAA" };
  const encoded = Buffer.from(JSON.stringify(map)).toString("base64");
  return `${code}//# sourceMappingURL=data:application/json;base64,${encoded}\n`;
}

function sourceMapOf(bundle: string): Record<string, unknown> {
  const encoded = bundle.trimEnd().split("base64,").at(-1) ?? "";
  return JSON.parse(Buffer.from(encoded, "base64").toString());
}

Deno.test("parseFlags() builds for this system into dist/ unless told otherwise", () => {
  const options = parseFlags([], LINUX);
  assert.equal(options.target, LINUX);
  assert.match(options.output, /[/\\]dist[/\\]ccsync$/);
  assert.equal(options.testRuntime, false);
  assert.equal(options.help, false);
});

Deno.test("parseFlags() names an executable after its system", () => {
  const cases: readonly [args: string[], host: string, name: string][] = [
    [[], WINDOWS, "ccsync.exe"],
    [["--target", MAC], MAC, "ccsync"],
    [["--target", MAC], LINUX, `ccsync-${MAC}`],
    [["--target", WINDOWS], LINUX, `ccsync-${WINDOWS}.exe`],
    [["--output", "here/tool"], LINUX, "tool"],
    [["--output", "here/tool"], WINDOWS, "tool.exe"],
    [["--output=here/tool.EXE"], WINDOWS, "tool.EXE"],
  ];
  for (const [args, host, name] of cases) {
    assert.equal(basename(parseFlags(args, host).output), name, args.join(" "));
  }
});

Deno.test("parseFlags() reads the switches", () => {
  assert.equal(parseFlags(["--test-runtime"], LINUX).testRuntime, true);
  assert.equal(parseFlags(["--help"], LINUX).help, true);
});

Deno.test("parseFlags() refuses what it does not know", () => {
  const cases = [
    ["--nope"],
    ["extra"],
    ["--target"],
    ["--target="],
    ["--target", "sparc-sun-solaris"],
    ["--target", "toString"],
    ["--help=yes"],
  ];
  for (const args of cases) {
    assert.throws(() => parseFlags(args, LINUX), isUsageError, args.join(" "));
  }
});

Deno.test("parseFlags() wants a target on a system that has none", () => {
  const host = "riscv64gc-unknown-linux-gnu";
  assert.throws(() => parseFlags([], host), isUsageError);
  assert.equal(parseFlags(["--target", MAC], host).target, MAC);
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
  ]);
});

Deno.test("PERMISSIONS has a reason for each", () => {
  for (const { name, value, reason } of PERMISSIONS) assert.ok(reason, `${name} ${value}`);
});

Deno.test("withoutMachine() makes the same of bundles from different machines", () => {
  const bundleIn = (npm: string) =>
    bundleOf(
      `// ${npm}/commander/15.1.0/index.js\nvar x = __esm({\n  "${npm}/commander/15.1.0/index.js"() {\n`,
      [`${npm}/commander/15.1.0/index.js`, "src/app.ts", "main.ts"],
    );
  const one = withoutMachine(bundleIn("../../../home/ann/.cache/deno/npm/registry.example"));
  const other = withoutMachine(bundleIn("D:/Users/Bob B/deno/npm/mirror.example"));
  assert.equal(one, other);
  assert.match(one, /^\/\/ npm\/commander\/15\.1\.0\/index\.js$/m);
  assert.match(one, /^ {2}"npm\/commander\/15\.1\.0\/index\.js"\(\) \{$/m);
  assert.deepEqual(sourceMapOf(one), {
    version: 3,
    sources: ["npm/commander/15.1.0/index.js", "src/app.ts", "main.ts"],
    mappings: "AAAA",
  });
});

Deno.test("withoutMachine() leaves the program itself alone", () => {
  const code = `var a = "../x/npm/y/z";\nvar b = call("../x/npm/y/z"); // ../x/npm/y/z\n`;
  assert.ok(withoutMachine(bundleOf(code, ["main.ts"])).startsWith(code));
  assert.equal(withoutMachine(code), code);
});
