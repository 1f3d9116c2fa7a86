/**
 * What package managers read: a formula for Homebrew, manifests for Scoop and winget. All of it follows from a
 * version and its checksums.
 *
 * @module
 */
import { CcsyncError } from "../src/errors.ts";
import { RELEASES } from "../src/version.ts";

const HOMEPAGE = `https://${RELEASES}`;
const SUMMARY = "Continue any Claude Code conversation on any of your machines";
const PACKAGE_IDENTIFIER = "ClaudeSessionSync.ccsync";
/** Source: the schema's version in winget-pkgs. */
const WINGET_SCHEMA = "1.6.0";
const WINDOWS = "x86_64-pc-windows-msvc";

/** An archive of a release. */
interface Archive {
  readonly url: string;
  readonly sha256: string;
  /** The one directory in it. */
  readonly folder: string;
}

/**
 * Returns the files for package managers by path.
 *
 * @param sums The release's `SHA256SUMS`
 * @throws {CcsyncError} kind "failed" when an archive has no checksum there
 */
export function packagingFiles(version: string, sums: string): Map<string, string> {
  const archiveFor = (target: string) => archiveIn(version, sums, target);
  const winget = `winget/${PACKAGE_IDENTIFIER}`;
  return new Map([
    ["homebrew/ccsync.rb", formula(version, archiveFor)],
    ["scoop/ccsync.json", scoopManifest(version, archiveFor(WINDOWS))],
    [`${winget}.yaml`, wingetVersion(version)],
    [`${winget}.installer.yaml`, wingetInstaller(version, archiveFor(WINDOWS))],
    [`${winget}.locale.en-US.yaml`, wingetLocale(version)],
  ]);
}

function archiveIn(version: string, sums: string, target: string): Archive {
  const folder = `ccsync-${version}-${target}`;
  const name = `${folder}.${target === WINDOWS ? "zip" : "tar.gz"}`;
  const line = sums.split(/\r?\n/).map((line) => line.split(/ [ *]/)).find(([, it]) => it === name);
  const [sha256 = ""] = line ?? [];
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw new CcsyncError("failed", `cannot package version ${version}: no checksum of "${name}"`);
  }
  return { url: `${HOMEPAGE}/releases/download/v${version}/${name}`, sha256, folder };
}

function formula(version: string, archiveFor: (target: string) => Archive): string {
  const source = (block: string, target: string) => {
    const { sha256, url } = archiveFor(target);
    return `    ${block} do\n      url "${url}"\n      sha256 "${sha256}"\n    end`;
  };
  return `class Ccsync < Formula
  desc "${SUMMARY}"
  homepage "${HOMEPAGE}"
  version "${version}"
  license "MIT"

  on_macos do
${source("on_arm", "aarch64-apple-darwin")}
${source("on_intel", "x86_64-apple-darwin")}
  end

  on_linux do
${source("on_arm", "aarch64-unknown-linux-gnu")}
${source("on_intel", "x86_64-unknown-linux-gnu")}
  end

  def install
    bin.install "ccsync"
    bin.install_symlink "ccsync" => "claude-session-sync"
    man1.install "ccsync.1"
    generate_completions_from_executable(bin/"ccsync", "completions", shells: [:bash, :zsh, :fish])
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/ccsync --version")
  end
end
`;
}

function scoopManifest(version: string, { folder, sha256, url }: Archive): string {
  const manifest = {
    version,
    description: SUMMARY,
    homepage: HOMEPAGE,
    license: "MIT",
    suggest: { git: "git" },
    architecture: { "64bit": { url, hash: sha256, extract_dir: folder } },
    bin: ["ccsync.exe", ["ccsync.exe", "claude-session-sync"]],
    checkver: "github",
    autoupdate: {
      architecture: {
        "64bit": {
          url: url.replaceAll(version, "$version"),
          extract_dir: folder.replaceAll(version, "$version"),
        },
      },
      hash: { url: "$baseurl/SHA256SUMS" },
    },
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** What the three files of winget have in common. */
function winget(kind: "version" | "installer" | "defaultLocale", version: string, body: string) {
  const schema = `https://aka.ms/winget-manifest.${kind}.${WINGET_SCHEMA}.schema.json`;
  return `# yaml-language-server: $schema=${schema}
PackageIdentifier: ${PACKAGE_IDENTIFIER}
PackageVersion: "${version}"
${body}ManifestType: ${kind}
ManifestVersion: ${WINGET_SCHEMA}
`;
}

function wingetVersion(version: string): string {
  return winget("version", version, "DefaultLocale: en-US\n");
}

function wingetInstaller(version: string, { folder, sha256, url }: Archive): string {
  return winget(
    "installer",
    version,
    `InstallerType: zip
NestedInstallerType: portable
NestedInstallerFiles:
  - RelativeFilePath: ${folder}\\ccsync.exe
    PortableCommandAlias: ccsync
Installers:
  - Architecture: x64
    InstallerUrl: ${url}
    InstallerSha256: ${sha256.toUpperCase()}
`,
  );
}

function wingetLocale(version: string): string {
  return winget(
    "defaultLocale",
    version,
    `PackageLocale: en-US
Publisher: ccsync
PackageName: ccsync
PackageUrl: ${HOMEPAGE}
License: MIT
LicenseUrl: ${HOMEPAGE}/blob/main/LICENSE
ShortDescription: ${SUMMARY}
`,
  );
}
