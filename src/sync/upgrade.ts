/**
 * Replacing this ccsync by a newer one. Until the very last step, a rename, nothing is changed.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { CcsyncError } from "../errors.ts";
import type { GithubRepository } from "../hub/github.ts";
import {
  attestationFault,
  canVerify,
  downloadFiles,
  latestTag,
  parseReleases,
} from "../hub/releases.ts";
import type { Environment } from "../machine/environment.ts";
import { hashOfFile, lstatIfThere, readTextIfThere, removeTree } from "../machine/files.ts";
import { packageManagerOf, replaceExecutable, unpack, versionOf } from "../machine/installation.ts";
import { compareVersions, isVersion, VERSION } from "../version.ts";

/** Where new versions are looked for, and what was found. */
export interface Found {
  readonly repository: GithubRepository;
  readonly tag: string;
  /** The latest version. */
  readonly latest: string;
  /** Whether it is newer than this one. */
  readonly isNewer: boolean;
}

/** What an upgrade needs besides a newer version. */
export interface UpgradeOptions {
  /** Whether GitHub has to attest where the archive was built. */
  readonly isAttested: boolean;
  readonly onStep: (what: string) => void;
}

/**
 * Looks for the latest version.
 *
 * @throws {CcsyncError} where GitHub cannot be asked
 */
export async function findLatest({ releases }: Environment): Promise<Found> {
  const repository = parseReleases(releases);
  const tag = await latestTag(repository);
  const latest = tag.replace(/^v/, "");
  if (!isVersion(latest)) {
    throw new CcsyncError("failed", `cannot use the release "${tag}": it is no version`, {
      hints: ["nothing was changed"],
    });
  }
  return { repository, tag, latest, isNewer: compareVersions(latest, VERSION) > 0 };
}

/**
 * Returns the executable that can be replaced.
 *
 * @throws {CcsyncError} kind "setup" where another way is the right one
 */
export function requireOwnExecutable({ executable }: Environment): string {
  if (executable === undefined) {
    throw new CcsyncError("setup", "cannot upgrade ccsync: it runs from source", {
      hints: ["in the clone, run: git pull"],
    });
  }
  const manager = packageManagerOf(executable);
  if (manager === undefined) return executable;
  throw new CcsyncError("setup", `cannot upgrade ccsync: ${manager.name} installed it`, {
    hints: [`run: ${manager.command}`],
  });
}

/**
 * Puts the latest version in the place of this one.
 *
 * @throws {CcsyncError} where anything about it is not as it has to be; nothing was changed then
 */
export async function upgrade(
  env: Environment,
  { latest, repository, tag }: Found,
  { isAttested, onStep }: UpgradeOptions,
): Promise<void> {
  const executable = requireOwnExecutable(env);
  if (isAttested) await requireVerifier(repository);
  const work = workBeside(executable);
  try {
    const archive = archiveName(latest);
    onStep(`downloading ${archive}`);
    await downloadFiles(repository, tag, [archive, CHECKSUMS], work);
    const sha256 = checked(work, archive);
    if (isAttested) {
      onStep("asking GitHub where it was built");
      await requireAttestation(repository, join(work, archive), sha256);
    }
    onStep("unpacking");
    const member = `${folderName(latest)}/${env.os === "windows" ? "ccsync.exe" : "ccsync"}`;
    const next = await unpack(env, work, archive, member);
    await requireVersion(next, latest);
    replaceExecutable(env.os, executable, next);
  } finally {
    removeTree(work);
  }
}

const CHECKSUMS = "SHA256SUMS";

function folderName(version: string): string {
  return `ccsync-${version}-${Deno.build.target}`;
}

function archiveName(version: string): string {
  return `${folderName(version)}.${Deno.build.os === "windows" ? "zip" : "tar.gz"}`;
}

const WORK = ".ccsync-upgrade-";
const DAY_MS = 24 * 60 * 60_000;

/** Removes what upgrades that were killed left behind; another one may be at work. */
function clearLeftovers(directory: string): void {
  for (const { name } of Deno.readDirSync(directory)) {
    const path = join(directory, name);
    const age = Date.now() - (lstatIfThere(path)?.mtime?.getTime() ?? Infinity);
    if (name.startsWith(WORK) && age > DAY_MS) Deno.removeSync(path, { recursive: true });
  }
}

/** Makes a directory where a file can be renamed over the executable. */
function workBeside(executable: string): string {
  const dir = dirname(executable);
  try {
    clearLeftovers(dir);
    return Deno.makeTempDirSync({ dir, prefix: WORK });
  } catch (error) {
    const isRefused = error instanceof Deno.errors.PermissionDenied ||
      (error instanceof Error && /read-only/i.test(error.message));
    if (!isRefused) throw error;
    throw new CcsyncError(
      "failed",
      `cannot replace "${executable}": its directory cannot be written to`,
      {
        hints: [
          `run it as whom the directory belongs to; or install ${
            basename(executable)
          } where you may write, with the README's install script, and remove this one`,
        ],
        cause: error,
      },
    );
  }
}

/** Returns the archive's checksum, which is the one that the release says. */
function checked(work: string, archive: string): string {
  const sums = readTextIfThere(join(work, CHECKSUMS))?.split(/\r?\n/) ?? [];
  const line = sums.map((line) => line.split(/ [ *]/)).find(([, name]) => name === archive);
  const [expected] = line ?? [];
  const isThere = lstatIfThere(join(work, archive)) !== undefined;
  const actual = isThere ? hashOfFile(join(work, archive)) : undefined;
  if (actual !== undefined && expected === actual) return actual;
  const why = actual === undefined
    ? "the release has nothing for this system"
    : expected === undefined
    ? `${CHECKSUMS} does not name it`
    : "its checksum is not the one of the release";
  throw new CcsyncError("failed", `cannot use "${archive}": ${why}`, {
    hints: ["nothing was changed; run the command again later, and report it if it stays so"],
  });
}

const WITHOUT =
  "nothing was changed; ccsync upgrade --no-attestation trusts the release's checksum alone";

async function requireVerifier(repository: GithubRepository): Promise<void> {
  if (await canVerify(repository)) return;
  throw new CcsyncError(
    "setup",
    "cannot verify where the release was built: this gh cannot verify attestations",
    { hints: ["install gh 2.67 or newer from https://cli.github.com", WITHOUT] },
  );
}

async function requireAttestation(
  repository: GithubRepository,
  path: string,
  sha256: string,
): Promise<void> {
  const why = await attestationFault(repository, path, sha256);
  if (why === undefined) return;
  throw new CcsyncError("failed", `cannot verify where "${basename(path)}" was built: ${why}`, {
    hints: [WITHOUT],
  });
}

async function requireVersion(executable: string, version: string): Promise<void> {
  const started = await versionOf(executable);
  if ("version" in started && started.version === version) return;
  const why = "why" in started
    ? `it does not start here: ${started.why}`
    : `it says to be ${started.version}`;
  throw new CcsyncError("failed", `cannot use version ${version}: ${why}`, {
    hints: ["nothing was changed"],
  });
}
