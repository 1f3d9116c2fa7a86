/**
 * `ccsync upgrade`: the real gh, a stand-in for GitHub on the loopback, and files that are really replaced. With
 * CCSYNC_BIN, that executable replaces itself.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { VERSION } from "../../src/version.ts";
import { invocationOf, sourceOf } from "../support/ccsync.ts";
import { Folder } from "../support/folder.ts";
import { GITHUB, Github, githubTest, type Release } from "../support/github.ts";
import { type ProcessResult, runToEnd } from "../support/process.ts";
import { type TestMachine, World } from "../support/world.ts";

const REPOSITORY = "alice/ccsync";
const TARGET = Deno.build.target;

/** What the tests put in the place of a newer ccsync. */
const programOf = (version: string) => `#!/bin/sh\necho ${version}\n`;

/** What stands in for a newer ccsync is a shell script, which Windows does not start. */
function upgradeTest(name: string, work: () => Promise<void>): void {
  const isWindows = Deno.build.os === "windows";
  githubTest(
    name,
    work,
    isWindows ? "the program that is put in place is a shell script" : undefined,
  );
}

/** A machine with an executable, and a GitHub that has releases. */
class Stage implements AsyncDisposable {
  readonly github: Github;
  readonly machine: TestMachine;
  readonly #world: World;

  private constructor(world: World, github: Github) {
    this.github = github;
    this.#world = world;
    this.machine = world.machine("laptop", {
      env: { ...github.env, CCSYNC_RELEASES: `${GITHUB}/${REPOSITORY}` },
    });
    Deno.mkdirSync(dirname(this.executable), { recursive: true });
    Deno.mkdirSync(`${this.machine.home}/attesting`);
  }

  static async create(): Promise<Stage> {
    const stage = new Stage(await World.create(), await Github.start());
    const binary = Deno.env.get("CCSYNC_BIN");
    if (binary === undefined) Deno.writeTextFileSync(stage.executable, programOf(VERSION));
    else Deno.copyFileSync(binary, stage.executable);
    Deno.chmodSync(stage.executable, 0o750);
    stage.attest(0, "[]", "");
    return stage;
  }

  get executable(): string {
    return `${this.machine.home}/bin/ccsync`;
  }

  /** Puts a release there, with an archive of a program. */
  async release(version: string, { program = programOf(version), ...changes }: {
    readonly program?: string;
    readonly target?: string;
    readonly sums?: string;
    readonly isPrerelease?: boolean;
  } = {}): Promise<void> {
    const folder = `ccsync-${version}-${changes.target ?? TARGET}`;
    const archive = await archiveOf(folder, program);
    const sha256 = createHash("sha256").update(archive).digest("hex");
    const sums = changes.sums ?? `${sha256}  ${folder}.tar.gz\n`;
    this.attest(0, JSON.stringify([attestation(sha256)]), "");
    const files = new Map([[`${folder}.tar.gz`, archive], ["SHA256SUMS", utf8(sums)]]);
    const release: Release = {
      tag: `v${version}`,
      isPrerelease: changes.isPrerelease === true,
      files,
    };
    const { releases } = this.github;
    releases.set(REPOSITORY, [release, ...releases.get(REPOSITORY) ?? []]);
  }

  /** Decides what `gh attestation verify` says: the gh of Debian's packages does not know it yet. */
  attest(code: number, stdout: string, stderr: string, isKnown = true): void {
    const { home } = this.machine;
    Deno.writeTextFileSync(`${home}/attestation.out`, stdout);
    Deno.writeTextFileSync(`${home}/attestation.err`, stderr);
    const script = `#!/bin/sh
if [ "$1 $3" = "attestation --help" ]; then exit ${isKnown ? 0 : 1}; fi
if [ "$1" = attestation ]; then
  printf '%s ' "$@" > "$HOME/attestation.args"
  cat "$HOME/attestation.out"; cat "$HOME/attestation.err" >&2; exit ${code}
fi
PATH="$REAL_PATH" exec gh "$@"
`;
    Deno.writeTextFileSync(`${home}/attesting/gh`, script, { mode: 0o755 });
  }

  /** Runs `ccsync upgrade`. */
  async upgrade(...args: readonly string[]): Promise<ProcessResult> {
    return await this.#run([], args);
  }

  /** Runs it as somebody who may not write everywhere. */
  async upgradeUnprivileged(): Promise<ProcessResult> {
    const isRoot = Deno.uid() === 0;
    return await this.#run(
      isRoot ? ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] : [],
      [],
    );
  }

  async #run(wrapper: readonly string[], args: readonly string[]): Promise<ProcessResult> {
    const { env } = await invocationOf(this.machine, []);
    const isCompiled = Deno.env.has("CCSYNC_BIN");
    const source = await sourceOf(new URL("upgrade_program.ts", import.meta.url));
    const { path, args: first } = isCompiled ? { path: this.executable, args: [] } : source;
    const searchPath = Deno.env.get("PATH") ?? "";
    const [program = "", ...rest] = [...wrapper, path, ...first, "upgrade", ...args];
    return await runToEnd(program, {
      args: rest,
      cwd: this.machine.home,
      env: {
        ...env,
        ...source.env,
        UPGRADED_FILE: this.executable,
        REAL_PATH: searchPath,
        PATH: `${this.machine.home}/attesting:${searchPath}`,
      },
    });
  }

  /** Checks that the executable is still the old one, and that nothing lies beside it. */
  assertUntouched(before: ProcessResult | undefined = undefined): void {
    const names = [...Deno.readDirSync(dirname(this.executable))].map(({ name }) => name);
    assert.deepEqual(names, ["ccsync"], before?.stderr);
    const old = Deno.env.get("CCSYNC_BIN");
    const expected = old === undefined ? utf8(programOf(VERSION)) : Deno.readFileSync(old);
    assert.ok(sameBytes(Deno.readFileSync(this.executable), expected), before?.stderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.github[Symbol.asyncDispose]();
    await this.#world[Symbol.asyncDispose]();
  }
}

const utf8 = (text: string) => new TextEncoder().encode(text);

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return createHash("sha256").update(a).digest("hex") ===
    createHash("sha256").update(b).digest("hex");
}

async function archiveOf(name: string, program: string): Promise<Uint8Array> {
  using folder = new Folder();
  Deno.chmodSync(folder.write(`${name}/ccsync`, program), 0o755);
  folder.write(`${name}/LICENSE`, "MIT");
  await runToEnd("tar", { args: ["-czf", "archive", name], cwd: folder.path });
  return Deno.readFileSync(folder.at("archive"));
}

/** A result as `gh attestation verify --format json` prints it, the part that is read. */
function attestation(sha256: string) {
  const statement = { subject: [{ name: "archive", digest: { sha256 } }] };
  return { verificationResult: { statement } };
}

upgradeTest(
  "upgrade puts the latest version in the place of this one, and keeps its mode",
  async () => {
    await using stage = await Stage.create();
    await stage.release("9.8.7");
    const check = await stage.upgrade("--check");
    assert.equal(check.code, 0, check.stderr);
    assert.match(check.stdout, /^ccsync 9\.8\.7 is there, this is /);
    stage.assertUntouched(check);
    const done = await stage.upgrade();
    assert.equal(done.code, 0, done.stderr);
    assert.equal(done.stdout, `upgraded from ${VERSION} to 9.8.7\n`);
    assert.equal(Deno.readTextFileSync(stage.executable), programOf("9.8.7"));
    assert.equal((Deno.statSync(stage.executable).mode ?? 0) & 0o777, 0o750);
    assert.deepEqual([...Deno.readDirSync(dirname(stage.executable))].length, 1);
    const asked = Deno.readTextFileSync(`${stage.machine.home}/attestation.args`);
    assert.match(
      asked,
      /--repo alice\/ccsync --signer-workflow alice\/ccsync\/\.github\/workflows\//,
    );
  },
);

upgradeTest("upgrade goes to newer versions only, and not to pre-releases", async () => {
  await using stage = await Stage.create();
  const missing = await stage.upgrade();
  assert.equal(missing.code, 1);
  assert.match(
    missing.stderr,
    /^error: cannot find the latest release of "github\.localhost\/alice/,
  );
  await stage.release("0.0.1");
  assert.match((await stage.upgrade()).stdout, /is newer than the latest release, 0\.0\.1$/m);
  await stage.release(VERSION);
  assert.equal((await stage.upgrade()).stdout, `ccsync ${VERSION} is the latest version\n`);
  await stage.release("9.0.0-rc.1", { isPrerelease: true });
  const { stdout } = await stage.upgrade("--check", "--json");
  assert.deepEqual(JSON.parse(stdout), {
    version: VERSION,
    latest: VERSION,
    isNewer: false,
    isUpgraded: false,
  });
  stage.assertUntouched();
});

/** What can be wrong with a release, and what is said. */
const FAULTS: Readonly<Record<string, readonly [(stage: Stage) => Promise<void>, RegExp]>> = {
  "a download that breaks off": [async (stage) => {
    await stage.release("9.8.7");
    stage.github.cutsDownloads = true;
  }, /cannot download v9\.8\.7/],
  "an archive with another checksum": [
    (stage) =>
      stage.release("9.8.7", { sums: `${"0".repeat(64)}  ccsync-9.8.7-${TARGET}.tar.gz\n` }),
    /its checksum is not the one of the release/,
  ],
  "an archive that no checksum is there for": [
    (stage) => stage.release("9.8.7", { sums: "" }),
    /SHA256SUMS does not name it/,
  ],
  "no archive for this system": [
    (stage) => stage.release("9.8.7", { target: "sparc-sun-solaris" }),
    /the release has nothing for this system/,
  ],
  "a program that does not start": [
    (stage) => stage.release("9.8.7", { program: "#!/bin/sh\necho broken >&2; exit 3\n" }),
    /cannot use version 9\.8\.7: it does not start here: broken/,
  ],
  "a program of another version": [
    (stage) => stage.release("9.8.7", { program: programOf("1.1.1") }),
    /cannot use version 9\.8\.7: it says to be 1\.1\.1/,
  ],
  "a tag that is no version": [async (stage) => {
    await stage.release("nonsense");
  }, /cannot use the release "vnonsense": it is no version/],
  "a file that nobody attests": [async (stage) => {
    await stage.release("9.8.7");
    stage.attest(1, "", "✗ Loading attestations from GitHub API failed\nno attestations found\n");
  }, /cannot verify where ".*" was built: .*no attestations found/],
  "a gh that ends well without an attestation": [async (stage) => {
    await stage.release("9.8.7");
    stage.attest(0, "", "✗ No attestations found\n");
  }, /there is no attestation of this file/],
  "an attestation of another file": [async (stage) => {
    await stage.release("9.8.7");
    stage.attest(0, JSON.stringify([attestation("0".repeat(64))]), "");
  }, /there is no attestation of this file/],
};

for (const [what, [prepare, message]] of Object.entries(FAULTS)) {
  upgradeTest(`upgrade refuses ${what}, and leaves everything as it was`, async () => {
    await using stage = await Stage.create();
    await prepare(stage);
    const result = await stage.upgrade();
    assert.equal(result.code, 1, result.stderr);
    assert.match(result.stderr, message);
    assert.match(result.stderr, /^hint: .*nothing was changed/m);
    stage.assertUntouched(result);
  });
}

upgradeTest("upgrade wants a gh that can verify, unless told to do without", async () => {
  await using stage = await Stage.create();
  await stage.release("9.8.7");
  // gh 2.23's own words for a command that it does not know.
  stage.attest(1, "", 'unknown command "attestation" for "gh"\n', false);
  const refused = await stage.upgrade();
  assert.equal(refused.code, 7);
  assert.match(refused.stderr, /was built: this gh cannot verify attestations/);
  assert.match(refused.stderr, /hint: install gh 2\.67 or newer/);
  stage.assertUntouched(refused);
  assert.ok(!stage.github.asked.some((it) => it.includes("/assets/")), "nothing is downloaded");
  const done = await stage.upgrade("--no-attestation");
  assert.equal(done.code, 0, done.stderr);
  assert.equal(Deno.readTextFileSync(stage.executable), programOf("9.8.7"));
});

upgradeTest(
  "upgrade says what to do where GitHub cannot be asked",
  async () => {
    await using stage = await Stage.create();
    await stage.release("9.8.7");
    stage.github.isTokenGood = false;
    const refused = await stage.upgrade();
    assert.equal(refused.code, 6, refused.stderr);
    stage.github.isTokenGood = true;
    // Without the scope that private hubs need, releases can be read all the same.
    stage.github.scopes = "gist";
    assert.equal((await stage.upgrade("--check")).code, 0);
    stage.assertUntouched();
  },
);

upgradeTest(
  "upgrade says what to do where it cannot write, and clears what a killed one left",
  async () => {
    await using stage = await Stage.create();
    await stage.release("9.8.7");
    const directory = dirname(stage.executable);
    Deno.chmodSync(directory, 0o555);
    const refused = await stage.upgradeUnprivileged();
    Deno.chmodSync(directory, 0o755);
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(
      refused.stderr,
      /cannot replace ".*": its directory cannot be written to\nhint: run it/,
    );
    stage.assertUntouched(refused);
    const [young, old] = [`${directory}/.ccsync-upgrade-young`, `${directory}/.ccsync-upgrade-old`];
    Deno.mkdirSync(young);
    Deno.mkdirSync(old);
    Deno.utimeSync(old, 0, 0);
    const done = await stage.upgrade();
    assert.equal(done.code, 0, done.stderr);
    const names = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    assert.deepEqual(names, [".ccsync-upgrade-young", "ccsync"]);
  },
);

Deno.test({
  name: "upgrade from source says how the source is brought up to date",
  ignore: Deno.env.has("CCSYNC_BIN"),
  fn: async () => {
    await using world = await World.create();
    const result = await world.machine("laptop").try("upgrade");
    assert.equal(result.code, 7);
    assert.match(result.stderr, /it runs from source\nhint: in the clone, run: git pull/);
  },
});
