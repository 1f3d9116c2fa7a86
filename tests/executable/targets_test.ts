import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { homedir } from "node:os";
import { basename } from "node:path";
import { NtExecutable, NtExecutableResource, Resource } from "resedit";
import config from "../../deno.json" with { type: "json" };
import { executablePath } from "../../scripts/build/options.ts";
import { allTargets, type Target } from "../../scripts/build/targets.ts";
import { assertSigned, build, embeddedIn, kindOf, ROOT } from "./support.ts";

const KINDS: Readonly<Record<Target, string>> = {
  "x86_64-unknown-linux-gnu": "ELF x86_64",
  "aarch64-unknown-linux-gnu": "ELF aarch64",
  "x86_64-apple-darwin": "Mach-O x86_64",
  "aarch64-apple-darwin": "Mach-O aarch64",
  "x86_64-pc-windows-msvc": "PE x86_64",
};

/** Bytes that an executable may have: the runtime's, and a few for what is embedded. */
const [LEAST, MOST] = [80e6, 110e6] as const;

/** What the environment of the build holds, and nobody else may know. */
const SECRET = "3f1c0a9e-a-secret-of-who-builds";

const made = await build(["--all"], { env: { SOME_TOKEN: SECRET } });

async function executableFor(target: Target): Promise<Buffer> {
  const name = basename(executablePath(undefined, target, Deno.build.target));
  const path = made.find((path) => basename(path) === name) ?? assert.fail(name);
  return Buffer.from((await Deno.readFile(path)).buffer);
}

for (const target of allTargets()) {
  Deno.test(`the executable for ${target} is one, and no larger than it has to be`, async () => {
    const program = await executableFor(target);
    assert.equal(kindOf(program), KINDS[target]);
    assert.ok(program.length > LEAST && program.length < MOST, `${program.length} bytes`);
  });

  Deno.test(`the executable for ${target} holds ccsync, with the permissions that are declared`, async () => {
    const { bytes, metadata } = embeddedIn(await executableFor(target));
    const { allow_import: _, ...permissions } = metadata.permissions;
    const denied = [
      "deny_env",
      "deny_ffi",
      "deny_net",
      "deny_read",
      "deny_run",
      "deny_sys",
      "deny_write",
    ];
    assert.deepEqual(permissions, {
      allow_env: [],
      allow_ffi: null,
      allow_net: null,
      allow_read: [],
      allow_run: [],
      allow_sys: ["hostname", "networkInterfaces", "osRelease", "uid"],
      allow_write: [],
      ...Object.fromEntries(denied.map((name) => [name, null])),
      // Everything.
      deny_import: [],
      ignore_env: null,
      ignore_read: null,
      prompt: false,
    });
    // No file of compiled code in a directory that everybody can write to.
    assert.equal(metadata.code_cache_key, null);
    assert.equal(metadata.entrypoint_key, "main.js");
    for (
      const text of ["Continue any Claude Code conversation", '"src/cli/app.ts"', "npm/commander/"]
    ) {
      assert.ok(bytes.includes(text), text);
    }
  });

  Deno.test(`the executable for ${target} holds nothing of this machine, and no tool of ours`, async () => {
    const { bytes } = embeddedIn(await executableFor(target));
    const paths = [ROOT, Deno.execPath(), homedir()].filter((path) => path.length > 1);
    const tools = ["fast-check", "resedit", "fflate", "modern-tar"].map((name) => `npm/${name}/`);
    const strangers = [SECRET, ...paths, ...tools, "tests/support", "sourcesContent"];
    assert.deepEqual(strangers.filter((text) => bytes.includes(text)), []);
  });
}

Deno.test("the executable for Apple's processors has a signature that holds", async () => {
  assertSigned(await executableFor("aarch64-apple-darwin"));
});

Deno.test("the executable for Windows shows its icon, name and version", async () => {
  const program = NtExecutable.from(await executableFor("x86_64-pc-windows-msvc"));
  const { entries } = NtExecutableResource.from(program);
  const [group] = Resource.IconGroupEntry.fromEntries(entries);
  assert.deepEqual(group?.icons.map(({ width }) => width), [16, 24, 32, 48, 64, 0]);
  const [info = assert.fail("no version")] = Resource.VersionInfo.fromEntries(entries);
  const [major, minor, patch] = config.version.split(".").map(Number);
  assert.equal(info.fixedInfo.fileVersionMS, ((major ?? 0) << 16) + (minor ?? 0));
  assert.equal(info.fixedInfo.fileVersionLS, (patch ?? 0) << 16);
  const [language = assert.fail("no language")] = info.getAllLanguagesForStringValues();
  const { ProductName, ProductVersion } = info.getStringValues(language);
  assert.deepEqual([ProductName, ProductVersion], ["ccsync", config.version]);
});
