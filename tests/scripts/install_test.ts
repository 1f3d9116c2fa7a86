/**
 * The install scripts: `install.sh` in the shells that there are, with a stand-in for the releases on the loopback.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { RELEASES } from "../../src/version.ts";
import { Folder } from "../support/folder.ts";
import { lint } from "../support/linters.ts";
import { described, type ProcessResult, runToEnd } from "../support/process.ts";
import { missing, pathOf, testUnless } from "../support/programs.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SCRIPT = `${ROOT}install.sh`;
const TARGET = "x86_64-unknown-linux-gnu";

/** What stands in for ccsync; no `#!`, by which other programs are known. It notes how it is called. */
const program = (version: string) =>
  `echo "$@" >> "$HOME/calls"
case $1 in
  --version) echo ${version} ;;
  completions) echo "completions for $2" ;;
esac
`;

/** Releases, an empty home, and a script that is to be run there. */
class Stage implements AsyncDisposable {
  readonly folder = new Folder();
  readonly home = this.folder.at("home");
  /** Files by path, such as `/latest/download/SHA256SUMS`. */
  readonly files = new Map<string, Uint8Array>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    Deno.mkdirSync(this.home);
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => undefined },
      (request) => {
        const bytes = this.files.get(new URL(request.url).pathname);
        return bytes === undefined
          ? new Response("no such file", { status: 404 })
          : new Response(new Uint8Array(bytes));
      },
    );
  }

  /** Returns a path where programs are installed. */
  bin(name = ""): string {
    return `${this.home}/.local/bin${name === "" ? "" : `/${name}`}`;
  }

  /** Puts a release there, as a certain version and as the latest. */
  async release(version: string, {
    body = program(version),
    target = TARGET,
    sum,
  }: { readonly body?: string; readonly target?: string; readonly sum?: string } = {}) {
    const name = `ccsync-${version}-${target}`;
    const tree = `release-${version}`;
    Deno.chmodSync(this.folder.write(`${tree}/${name}/ccsync`, body), 0o755);
    this.folder.write(`${tree}/${name}/ccsync.1`, ".TH CCSYNC 1\n");
    await runToEnd("tar", { args: ["-czf", "../archive", name], cwd: this.folder.at(tree) });
    const archive = Deno.readFileSync(this.folder.at("archive"));
    const sha256 = sum ?? createHash("sha256").update(archive).digest("hex");
    const other = `${"1".repeat(64)}  ccsync-${version}-riscv64-unknown-linux-gnu.tar.gz\n`;
    const sums = new TextEncoder().encode(`${other}${sha256}  ${name}.tar.gz\n`);
    for (const place of ["/latest/download", `/download/v${version}`]) {
      this.files.set(`${place}/SHA256SUMS`, sums);
      this.files.set(`${place}/${name}.tar.gz`, archive);
    }
  }

  /** Runs the script. */
  async run(
    args: readonly string[] = [],
    { env = {}, shell = ["sh"] }: {
      readonly env?: Readonly<Record<string, string>>;
      readonly shell?: readonly string[];
    } = {},
  ): Promise<ProcessResult> {
    const [path = "", ...first] = shell;
    return await runToEnd(path, {
      args: [...first, SCRIPT, ...args],
      cwd: this.folder.path,
      env: {
        HOME: this.home,
        PATH: Deno.env.get("PATH") ?? "",
        CCSYNC_BASE_URL: `http://127.0.0.1:${this.#server.addr.port}`,
        ...env,
      },
    });
  }

  /** Puts a program before all others on the PATH, and returns that. */
  before(name: string, body: string): string {
    const path = this.folder.write(`before/${name}`, `#!/bin/sh\n${body}\n`);
    Deno.chmodSync(path, 0o755);
    return `${this.folder.at("before")}:${Deno.env.get("PATH")}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    this.folder[Symbol.dispose]();
  }
}

function assertDone(result: ProcessResult): void {
  assert.equal(result.code, 0, described(result));
}

function assertRefused(result: ProcessResult, message: RegExp): void {
  assert.equal(result.code, 1, described(result));
  assert.match(result.stderr, message, described(result));
  assert.equal(result.stderr.match(/^error: /gm)?.length, 1, described(result));
}

/** Programs for Linux are what the tests install; the scripts of other systems differ in nothing but the target. */
const otherSystem = Deno.build.target === TARGET ? undefined : `this is not ${TARGET}`;

function installTest(
  name: string,
  work: (stage: Stage) => Promise<void>,
  obstacle: string | undefined = undefined,
): void {
  testUnless(otherSystem ?? obstacle, name, async () => {
    await using stage = new Stage();
    await work(stage);
  });
}

for (const shell of [["dash"], ["bash", "--posix"], ["busybox", "sh"]] as const) {
  const [name] = shell;
  installTest(`install.sh installs, upgrades and uninstalls in ${name}`, async (stage) => {
    await stage.release("1.2.3");
    const first = await stage.run([], { shell });
    assertDone(first);
    assert.match(first.stdout, /^installed ccsync 1\.2\.3 into .*\.local\/bin$/m);
    assert.deepEqual([...Deno.readDirSync(stage.bin())].map(({ name }) => name).sort(), [
      "ccsync",
      "claude-session-sync",
    ]);
    assert.equal(Deno.readLinkSync(stage.bin("claude-session-sync")), "ccsync");
    assert.equal((Deno.statSync(stage.bin("ccsync")).mode ?? 0) & 0o777, 0o755);
    await stage.release("1.3.0-rc.1");
    assertDone(await stage.run(["--completions"], { shell }));
    assert.equal(Deno.readTextFileSync(stage.bin("ccsync")), program("1.3.0-rc.1"));
    assertDone(await stage.run(["--version", "v1.2.3"], { shell }));
    assert.equal(Deno.readTextFileSync(stage.bin("ccsync")), program("1.2.3"));
    assertDone(await stage.run(["--uninstall"], { shell }));
    const left = await runToEnd("find", {
      args: [stage.home, "-type", "f", "-o", "-type", "l"],
      cwd: "/",
    });
    assert.equal(left.stdout, `${stage.home}/calls\n`);
    assert.match(
      Deno.readTextFileSync(`${stage.home}/calls`),
      /daemon --stop\ndaemon uninstall\nsetup-hooks --remove\n$/,
    );
  }, missing(name));
}

installTest(
  "install.sh puts completions and the manual page where shells and man look",
  async (stage) => {
    await stage.release("1.2.3");
    const { stdout } = await stage.run(["--completions"]);
    assert.match(stdout, /zsh wants this before compinit/);
    const data = `${stage.home}/.local/share`;
    const read = (path: string) => Deno.readTextFileSync(path);
    assert.equal(read(`${data}/bash-completion/completions/ccsync`), "completions for bash\n");
    assert.equal(read(`${data}/zsh/site-functions/_ccsync`), "completions for zsh\n");
    const fish = `${stage.home}/.config/fish/completions/ccsync.fish`;
    assert.equal(read(fish), "completions for fish\n");
    assert.equal(read(`${data}/man/man1/ccsync.1`), ".TH CCSYNC 1\n");
  },
);

/** What the script calls, besides what downloads and what makes checksums. */
const TOOLS = "uname ldd mktemp tar gzip mkdir mv rm ln cut grep head cat sysctl readlink".split(
  " ",
);

for (const [downloader, summer] of [["wget", "openssl"], ["curl", "shasum"]] as const) {
  installTest(`install.sh does with ${downloader} and ${summer} alone`, async (stage) => {
    await stage.release("1.2.3");
    for (const name of [...TOOLS, downloader, summer, "perl"]) {
      const path = pathOf(name);
      if (path === undefined) continue;
      Deno.mkdirSync(stage.folder.at("tools"), { recursive: true });
      Deno.symlinkSync(path, stage.folder.at("tools", name));
    }
    const options = { env: { PATH: stage.folder.at("tools") }, shell: ["/bin/sh"] };
    assertDone(await stage.run([], options));
    await stage.release("1.2.4", { sum: "0".repeat(64) });
    assertRefused(await stage.run([], options), /its checksum is not the one of the release/);
    Deno.removeSync(stage.folder.at("tools", summer));
    assertRefused(await stage.run([], options), /none of sha256sum, shasum and openssl/);
    Deno.removeSync(stage.folder.at("tools", downloader));
    assertRefused(await stage.run([], options), /neither curl nor wget is installed/);
  }, missing(downloader, summer));
}

installTest(
  "install.sh leaves everything as it was when something is wrong with the release",
  async (stage) => {
    const refuses = async (message: RegExp, ...args: readonly string[]) => {
      assertRefused(await stage.run(args), message);
      assert.deepEqual([...Deno.readDirSync(stage.bin())], []);
    };
    await refuses(/cannot download .*\/latest\/download\/SHA256SUMS/);
    await stage.release("1.2.3", { sum: "0".repeat(64) });
    await refuses(/its checksum is not the one of the release/);
    await stage.release("1.2.3", { body: "echo broken >&2; exit 3\n" });
    await refuses(/it does not start here: broken/);
    await stage.release("1.2.3", { target: "sparc-sun-solaris" });
    await refuses(/the release has none for x86_64-unknown-linux-gnu/);
    await refuses(/cannot download .*\/download\/v9\.9\.9\//, "--version", "9.9.9");
    await refuses(/\.\.\/x is no version/, "--version", "../x");
    await refuses(/--nonsense is unknown/, "--nonsense");
    await refuses(/--to wants a value/, "--to");
    stage.files.set(
      "/latest/download/SHA256SUMS",
      new TextEncoder().encode("<html>a page</html>\n"),
    );
    await refuses(/the release has none for/);
    const nobody = { env: { CCSYNC_BASE_URL: "http://127.0.0.1:9" } };
    assertRefused(await stage.run([], nobody), /cannot download http:\/\/127\.0\.0\.1:9\//);
  },
);

installTest(
  "install.sh knows the systems, and says where there is nothing for one",
  async (stage) => {
    const on = async (system: string, machine: string) => {
      const uname = `case $1 in -s) echo ${system} ;; -m) echo ${machine} ;; esac`;
      return await stage.run([], { env: { PATH: stage.before("uname", uname) } });
    };
    assertRefused(await on("FreeBSD", "amd64"), /there is none for FreeBSD/);
    assertRefused(await on("Linux", "riscv64"), /there is none for riscv64/);
    assertRefused(await on("MINGW64_NT-10.0", "x86_64"), /this is Windows\nhint: .*install\.ps1/);
    for (
      const [system, machine, target] of [
        ["Darwin", "x86_64", "x86_64-apple-darwin"],
        ["Darwin", "arm64", "aarch64-apple-darwin"],
        ["Linux", "aarch64", "aarch64-unknown-linux-gnu"],
      ] as const
    ) {
      await stage.release("1.2.3", { target });
      assertDone(await on(system, machine));
    }
    const path = stage.before("ldd", "echo 'musl libc (x86_64)' >&2; exit 1");
    stage.before("uname", "case $1 in -s) echo Linux ;; -m) echo x86_64 ;; esac");
    assertRefused(await stage.run([], { env: { PATH: path } }), /musl in place of glibc/);
  },
);

installTest(
  "install.sh replaces no other program of that name, unless forced to",
  async (stage) => {
    await stage.release("1.2.3");
    const other = "#!/usr/bin/env python3\n";
    Deno.mkdirSync(stage.bin(), { recursive: true });
    Deno.writeTextFileSync(stage.bin("ccsync"), other);
    assertRefused(
      await stage.run(),
      /is another program\nhint: .*pip uninstall claude-session-sync/,
    );
    assertRefused(await stage.run(["--uninstall"]), /is another program/);
    assert.equal(Deno.readTextFileSync(stage.bin("ccsync")), other);
    Deno.removeSync(stage.bin("ccsync"));
    Deno.writeTextFileSync(stage.bin("claude-session-sync"), other);
    assert.match((await stage.run()).stdout, /left .*claude-session-sync alone/);
    assert.equal(Deno.readTextFileSync(stage.bin("claude-session-sync")), other);
    assertDone(await stage.run(["--force"]));
    assert.equal(Deno.readLinkSync(stage.bin("claude-session-sync")), "ccsync");
  },
);

installTest("install.sh says what to do where it cannot write", async (stage) => {
  await stage.release("1.2.3");
  const directory = stage.folder.at("read-only");
  Deno.mkdirSync(directory, { mode: 0o555 });
  const drop = Deno.uid() === 0 ? ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] : [];
  const shell = [...drop, "sh"];
  assertRefused(
    await stage.run(["--to", directory], { shell }),
    /cannot be written to\nhint: .*--to/,
  );
  assertRefused(await stage.run(["--to", `${directory}/x`], { shell }), /cannot be made\nhint: /);
  assert.deepEqual([...Deno.readDirSync(directory)], []);
});

installTest(
  "install.sh says how the directory gets onto the PATH, for the shell at hand",
  async (stage) => {
    await stage.release("1.2.3");
    const advice: Readonly<Record<string, RegExp>> = {
      "/usr/bin/fish": /^ {2}fish_add_path '.*\.local\/bin'$/m,
      "/bin/zsh": /^ {2}echo 'export PATH=".*\.local\/bin:\$PATH"' >> ~\/\.zshrc$/m,
      "/bin/bash": /\.bashrc$/m,
      "/bin/sh": /\.profile$/m,
    };
    for (const [shell, message] of Object.entries(advice)) {
      assert.match((await stage.run([], { env: { SHELL: shell } })).stdout, message);
    }
    const path = `${stage.bin()}:${Deno.env.get("PATH")}`;
    assert.doesNotMatch((await stage.run([], { env: { PATH: path } })).stdout, /on the PATH/);
    const shadowed = stage.before("ccsync", "").replace(":", `:${stage.bin()}:`);
    assert.match(
      (await stage.run([], { env: { PATH: shadowed } })).stdout,
      /ccsync still means .*before\/ccsync/,
    );
  },
);

installTest("install.sh that was cut off on its way does nothing", async (stage) => {
  await stage.release("1.2.3");
  const whole = Deno.readTextFileSync(SCRIPT);
  for (const end of [0.3, 0.6, 0.95]) {
    const cut = stage.folder.write("cut.sh", whole.slice(0, whole.length * end));
    await runToEnd("sh", {
      args: [cut],
      cwd: stage.home,
      env: { HOME: stage.home, PATH: "/usr/bin:/bin" },
    });
    assert.deepEqual([...Deno.readDirSync(stage.home)], []);
  }
});

testUnless(missing("shellcheck"), "shellcheck finds no fault with install.sh", async () => {
  const result = await runToEnd("shellcheck", { args: ["-s", "sh", SCRIPT], cwd: ROOT });
  assert.equal(result.code, 0, result.stdout);
});

// There is no PowerShell in Debian's packages: nothing runs this script here.
Deno.test("install.ps1 can be read as PowerShell", async () => {
  assert.deepEqual(await lint("powershell", [`${ROOT}install.ps1`]), []);
});

Deno.test("the install scripts download from the repository that upgrade asks", () => {
  for (const name of ["install.sh", "install.ps1"]) {
    const text = Deno.readTextFileSync(`${ROOT}${name}`);
    const addresses = [...text.matchAll(/https:\/\/github\.com\/[\w-]+\/[\w-]+/g)].map(([it]) =>
      it
    );
    assert.ok(addresses.length > 1);
    assert.deepEqual([...new Set(addresses)], [`https://${RELEASES}`], name);
  }
});
