/**
 * Releases at GitHub, by its program `gh`: which is the latest, their files, and whether GitHub attests where a
 * file was built.
 *
 * Facts about gh: `gh release view --help`, `gh release download --help`, observed with gh 2.23.0, and
 * `gh attestation verify --help`, which came with 2.49.0.
 *
 * @module
 */
import { CcsyncError } from "../errors.ts";
import {
  essence,
  gh,
  githubAccount,
  type GithubRepository,
  obstacleError,
  parseRepository,
} from "./github.ts";

/** Milliseconds that a download may take: some 100 MB, over a slow line. */
const DOWNLOAD_MS = 30 * 60_000;
const ATTESTATION_MS = 2 * 60_000;

/** The workflow that builds releases: what another one of the same repository made is none. */
const WORKFLOW = ".github/workflows/release.yml";

/**
 * Reads `[HOST/]OWNER/NAME`.
 *
 * @throws {CcsyncError} kind "usage"
 */
export function parseReleases(text: string): GithubRepository {
  const parts = text.split("/");
  const host = parts.length === 3 ? parts.shift() ?? "" : "github.com";
  const { name, owner } = parseRepository(parts.join("/"));
  if (owner !== undefined && /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(host)) {
    return { host, owner, name };
  }
  throw new CcsyncError("usage", `cannot use "${text}" as the releases: it is not OWNER/NAME`, {
    hints: ["CCSYNC_RELEASES names a repository at GitHub; without it, ccsync's own is taken"],
  });
}

/**
 * Returns the tag of the latest release, which is never a draft and never marked as a pre-release.
 *
 * @throws {CcsyncError} kind "setup", "credentials", "unreachable" or "failed"
 */
export async function latestTag(repository: GithubRepository): Promise<string> {
  const { host } = repository;
  const account = await githubAccount(host);
  // Releases can be read without the scope that private hubs need.
  if ("obstacle" in account && account.obstacle !== "wrong scopes") throw obstacleError(account);
  const args = ["release", "view", "--repo", slugOf(repository), "--json", "tagName"];
  const result = await gh(host, args);
  const tag = /"tagName":"([^"\\]+)"/.exec(result?.stdout ?? "")?.[1];
  if (result?.code === 0 && tag !== undefined) return tag;
  throw new CcsyncError(
    "failed",
    `cannot find the latest release of "${slugOf(repository)}": ${essence(result?.stderr ?? "")}`,
    { hints: ["nothing was changed"], transient: true },
  );
}

/**
 * Downloads files of a release into a directory.
 *
 * @throws {CcsyncError} kind "failed" when one is missing or does not come whole
 */
export async function downloadFiles(
  repository: GithubRepository,
  tag: string,
  names: readonly string[],
  directory: string,
): Promise<void> {
  const patterns = names.flatMap((name) => ["--pattern", name]);
  const place = ["--repo", slugOf(repository), "--dir", directory];
  const result = await gh(
    repository.host,
    ["release", "download", tag, ...place, ...patterns],
    { patienceMs: DOWNLOAD_MS },
  );
  if (result?.code === 0) return;
  throw new CcsyncError(
    "failed",
    `cannot download ${tag} of "${slugOf(repository)}": ${essence(result?.stderr ?? "")}`,
    { hints: ["nothing was changed; run the command again later"], transient: true },
  );
}

/** Returns whether this gh can verify attestations. It asks nobody. */
export async function canVerify({ host }: GithubRepository): Promise<boolean> {
  return (await gh(host, ["attestation", "verify", "--help"]))?.code === 0;
}

/**
 * Returns why GitHub does not attest that the release workflow of a repository built a file; `undefined` where it
 * does.
 *
 * The exit code is not enough: gh 2.49 to 2.66 end with 0 where there is no attestation at all
 * (CVE-2025-25204). So the attested checksum has to be among the results.
 *
 * @param sha256 The file's checksum, hexadecimal
 */
export async function attestationFault(
  repository: GithubRepository,
  path: string,
  sha256: string,
): Promise<string | undefined> {
  const { host, name, owner } = repository;
  const signer = ["--signer-workflow", `${owner}/${name}/${WORKFLOW}`];
  const result = await gh(
    host,
    [
      ...["attestation", "verify", path, "--repo", `${owner}/${name}`, ...signer],
      ...["--deny-self-hosted-runners", "--format", "json"],
    ],
    { patienceMs: ATTESTATION_MS },
  );
  const { code = 1, stderr = "", stdout = "" } = result ?? {};
  if (code !== 0) return essence(stderr);
  const isAttested = attestedChecksums(stdout).includes(sha256);
  return isAttested ? undefined : "there is no attestation of this file";
}

/** Returns the SHA-256 checksums that gh's results are about. */
function attestedChecksums(json: string): string[] {
  let results: unknown;
  try {
    results = JSON.parse(json);
  } catch {
    // No results at all are no JSON.
    return [];
  }
  return list(results).flatMap((result) =>
    list(member(member(member(result, "verificationResult"), "statement"), "subject"))
      .map((subject) => member(member(subject, "digest"), "sha256"))
      .filter((digest) => typeof digest === "string")
  );
}

const list = (value: unknown): readonly unknown[] => Array.isArray(value) ? value : [];

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function slugOf({ host, name, owner }: GithubRepository): string {
  return `${host}/${owner}/${name}`;
}
