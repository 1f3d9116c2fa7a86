import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { TARGETS } from "../../scripts/build/targets.ts";
import { packagingFiles } from "../../scripts/packaging.ts";
import { fragmentsOf, releaseNotes, versionOfTag } from "../../scripts/release.ts";
import { CcsyncError } from "../../src/errors.ts";
import { RELEASES, VERSION } from "../../src/version.ts";
import { Folder } from "../support/folder.ts";
import { lint } from "../support/linters.ts";
import { described, runToEnd } from "../support/process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

Deno.test("versionOfTag() takes the tag of the sources' version only", () => {
  assert.equal(versionOfTag("v1.2.3", "1.2.3"), "1.2.3");
  assert.equal(versionOfTag("v1.2.3-rc.1", "1.2.3-rc.1"), "1.2.3-rc.1");
  assert.equal(versionOfTag(`v${VERSION}`), VERSION);
  for (const tag of ["v1.2.4", "1.2.3", "v1.2.3 ", "", "vnonsense"]) {
    assert.throws(() => versionOfTag(tag, "1.2.3"), CcsyncError, tag);
  }
  assert.throws(() => versionOfTag("vnonsense", "nonsense"), CcsyncError);
});

Deno.test("releaseNotes() has a section a change, in the order of their names", () => {
  const notes = releaseNotes([
    { name: "moved-placeholders.md", text: "They moved.\n\nccsync now follows.\n" },
    { name: "daemon-log.md", text: "It grew.\n" },
    { name: "daemon.md", text: "It was slow.\n" },
  ]);
  assert.equal(
    notes,
    "## Daemon\n\nIt was slow.\n\n## Daemon log\n\nIt grew.\n\n## Moved placeholders\n\nThey moved.\n\nccsync now follows.\n",
  );
  assert.equal(releaseNotes([]), "Nothing that users notice.\n");
});

/** Runs git in a repository of a test's own. */
async function git(folder: Folder, ...args: readonly string[]): Promise<void> {
  const who = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"];
  const result = await runToEnd("git", { args: [...who, ...args], cwd: folder.path });
  assert.equal(result.code, 0, described(result));
}

Deno.test("fragmentsOf() returns what was added or changed since the tag before", async () => {
  using folder = new Folder();
  await git(folder, "init", "-q", "-b", "main");
  const commit = async (tag?: string) => {
    await git(folder, "add", "-A");
    await git(folder, "commit", "-q", "-m", "x");
    if (tag !== undefined) await git(folder, "tag", tag);
  };
  folder.write(".github/changes/first.md", "first");
  folder.write(".github/changes/second.md", "second");
  await commit("v0.1.0");
  folder.write("README.md", "x");
  folder.write(".github/changes/second.md", "second, better");
  folder.write(".github/changes/third.md", "third");
  await commit();
  folder.write(".github/changes/fourth.md", "fourth");
  await commit("v0.2.0");
  const namesOf = async (tag: string) => {
    const fragments = await fragmentsOf(tag, folder.path);
    return fragments.map(({ name, text }) => `${name}: ${text}`).sort();
  };
  assert.deepEqual(await namesOf("v0.1.0"), ["first.md: first", "second.md: second"]);
  assert.deepEqual(await namesOf("v0.2.0"), [
    "fourth.md: fourth",
    "second.md: second, better",
    "third.md: third",
  ]);
  await assert.rejects(namesOf("v9.9.9"), CcsyncError);
});

const sumOf = (text: string) => createHash("sha256").update(text).digest("hex");

/** The checksums of a release, as `deno task build --all --archive` writes them. */
function sumsOf(version: string): string {
  return Object.keys(TARGETS).map((target) => {
    const extension = target.includes("windows") ? "zip" : "tar.gz";
    return `${sumOf(target)}  ccsync-${version}-${target}.${extension}\n`;
  }).join("");
}

/** Returns a file of the packaging of version 1.2.3. */
function packaged(path: string): string {
  return packagingFiles("1.2.3", sumsOf("1.2.3")).get(path) ?? assert.fail(path);
}

Deno.test("Homebrew's formula has address and checksum of each archive for macOS and Linux", () => {
  const formula = packaged("homebrew/ccsync.rb");
  for (const target of Object.keys(TARGETS).filter((name) => !name.includes("windows"))) {
    const address = `https://${RELEASES}/releases/download/v1.2.3/ccsync-1.2.3-${target}.tar.gz`;
    assert.ok(formula.includes(`url "${address}"\n      sha256 "${sumOf(target)}"`), target);
  }
  const ends = formula.match(/^\s*end$/gm)?.length;
  assert.equal(ends, formula.match(/\bdo$|^class|^ +def /gm)?.length, "as many ends as beginnings");
});

Deno.test("Scoop's manifest is JSON with the archive, its folder and both names", () => {
  const manifest = JSON.parse(packaged("scoop/ccsync.json"));
  const folder = "ccsync-1.2.3-x86_64-pc-windows-msvc";
  assert.deepEqual(manifest.architecture["64bit"], {
    url: `https://${RELEASES}/releases/download/v1.2.3/${folder}.zip`,
    hash: sumOf("x86_64-pc-windows-msvc"),
    extract_dir: folder,
  });
  assert.deepEqual(manifest.bin, ["ccsync.exe", ["ccsync.exe", "claude-session-sync"]]);
  assert.match(manifest.autoupdate.architecture["64bit"].url, /\/v\$version\/ccsync-\$version-x86/);
});

Deno.test("winget's manifests are YAML of one package, version and archive", async () => {
  using folder = new Folder();
  const names = ["", ".installer", ".locale.en-US"].map((part) =>
    `winget/ClaudeSessionSync.ccsync${part}.yaml`
  );
  const paths = names.map((name) => folder.write(name, packaged(name)));
  const [version, installer, locale] = (await lint("yaml", paths)).map((line) => JSON.parse(line));
  for (const manifest of [version, installer, locale]) {
    assert.equal(manifest.PackageIdentifier, "ClaudeSessionSync.ccsync");
    assert.equal(manifest.PackageVersion, "1.2.3");
    assert.equal(manifest.ManifestVersion, "1.6.0");
  }
  assert.deepEqual(
    [version, installer, locale].map(({ ManifestType }) => ManifestType),
    ["version", "installer", "defaultLocale"],
  );
  const [file] = installer.NestedInstallerFiles;
  assert.equal(file.RelativeFilePath, "ccsync-1.2.3-x86_64-pc-windows-msvc\\ccsync.exe");
  assert.equal(
    installer.Installers[0].InstallerSha256,
    sumOf("x86_64-pc-windows-msvc").toUpperCase(),
  );
});

Deno.test("packagingFiles() refuses a release that lacks an archive", () => {
  const sums = sumsOf("1.2.3").split("\n");
  for (const index of sums.keys()) {
    if (sums[index] === "") continue;
    assert.throws(() => packagingFiles("1.2.3", sums.toSpliced(index, 1).join("\n")), CcsyncError);
  }
  assert.throws(() => packagingFiles("1.2.4", sumsOf("1.2.3")), /no checksum of "ccsync-1\.2\.4/);
});

Deno.test("deno task release writes the files, and says what is wrong", async () => {
  using folder = new Folder();
  const release = async (...args: readonly string[]) =>
    await runToEnd(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--frozen", "scripts/release.ts", ...args],
      cwd: ROOT,
    });
  const sums = folder.write("SHA256SUMS", sumsOf(VERSION));
  const done = await release("packaging", `v${VERSION}`, sums, folder.at("out"));
  assert.equal(done.code, 0, described(done));
  assert.deepEqual(folder.names("out"), ["homebrew", "scoop", "winget"]);
  // They are proposed as a change of this repository, whose checks they have to pass.
  const formatted = await runToEnd(Deno.execPath(), {
    args: ["fmt", "--check", `--config=${ROOT}deno.json`, folder.at("out")],
    cwd: ROOT,
  });
  assert.equal(formatted.code, 0, described(formatted));
  assert.equal((await release("check", `v${VERSION}`)).code, 0);
  const refused = await release("check", "v0.0.0");
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /^error: cannot release "v0\.0\.0": the sources are version/);
});
