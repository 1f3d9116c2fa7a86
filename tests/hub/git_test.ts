import "../support/hermetic_git.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import type { ErrorKind } from "../../src/errors.ts";
import { failureOf, Git, gitEnvironment, redact, requireGit } from "../../src/hub/git.ts";
import { createBareHub } from "../../src/hub/mirror.ts";
import { Folder } from "../support/folder.ts";
import { runToEnd } from "../support/process.ts";

const failure = (stderr: string, code = 128) =>
  failureOf("fetch", { code, stderr, stdout: new Uint8Array() });

Deno.test("gitEnvironment() passes on what is about people and networks", () => {
  const ours = {
    PATH: "/usr/bin",
    HOME: "/home/u",
    HTTPS_PROXY: "http://proxy:8080",
    SSH_AUTH_SOCK: "/tmp/agent",
    GIT_SSH_COMMAND: "ssh -i key",
    GIT_ASKPASS: "/usr/bin/askpass",
    GIT_SSL_CAINFO: "/etc/ca.pem",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
  };
  const env = gitEnvironment(ours, false);
  for (const [name, value] of Object.entries(ours)) assert.equal(env[name], value, name);
});

Deno.test("gitEnvironment() drops what points git elsewhere or runs code in it", () => {
  const dropped = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_KEY_0",
    "GIT_CONFIG_VALUE_0",
    "GIT_CONFIG_PARAMETERS",
    "GIT_ALLOW_PROTOCOL",
    "GIT_PROXY_COMMAND",
    "GIT_TEMPLATE_DIR",
    "GIT_AUTHOR_NAME",
    "GIT_COMMITTER_DATE",
    "GIT_TRACE",
    "GIT_QUARANTINE_PATH",
    "git_dir",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "DYLD_INSERT_LIBRARIES",
  ];
  for (const isTerminal of [true, false]) {
    const env = gitEnvironment(Object.fromEntries(dropped.map((name) => [name, "x"])), isTerminal);
    for (const name of dropped) assert.equal(env[name], undefined, name);
  }
});

Deno.test("gitEnvironment() lets git ask only where a terminal can answer", () => {
  const cases: readonly [
    ours: Readonly<Record<string, string>>,
    isTerminal: boolean,
    prompt: string | undefined,
    ssh: string | undefined,
  ][] = [
    [{}, true, undefined, undefined],
    [{}, false, "0", "ssh -o BatchMode=yes"],
    [{ GIT_TERMINAL_PROMPT: "1" }, false, "0", "ssh -o BatchMode=yes"],
    [{ GIT_SSH_COMMAND: "ssh -i key" }, false, "0", "ssh -i key"],
    // Git prefers the command to the program: the user's choice would not count.
    [{ GIT_SSH: "/usr/bin/plink" }, false, "0", undefined],
  ];
  for (const [ours, isTerminal, prompt, ssh] of cases) {
    const env = gitEnvironment(ours, isTerminal);
    assert.equal(env["GIT_TERMINAL_PROMPT"], prompt);
    assert.equal(env["GIT_SSH_COMMAND"], ssh);
  }
});

Deno.test("gitEnvironment() has messages in one language", () => {
  assert.equal(gitEnvironment({ LC_ALL: "ja_JP.UTF-8" }, true)["LC_ALL"], "C");
});

Deno.test("Git uses none of the caller's configuration for what it settles itself", async () => {
  using folder = new Folder();
  await createBareHub(folder.at("repository"));
  const git = new Git(folder.at("repository"));
  const value = async (name: string) =>
    new TextDecoder().decode(await git.run("read", ["config", "--get", name])).trim();
  await git.run("set", ["config", "core.hooksPath", folder.at("hooks")]);
  assert.equal(await value("core.hooksPath"), "/dev/null");
  assert.equal(await value("protocol.allow"), "never");
  assert.equal(await value("gc.auto"), "0");
});

Deno.test("Git refuses protocols that run programs", async () => {
  using folder = new Folder();
  await createBareHub(folder.at("repository"));
  const git = new Git(folder.at("repository"));
  const address = `ext::sh -c touch% ${folder.at("evil")}`;
  const { code, stderr } = await git.try(["fetch", "--", address, "main"]);
  assert.notEqual(code, 0);
  assert.match(stderr, /transport 'ext' not allowed/);
  assert.deepEqual(folder.names(), ["repository"]);
});

/** What git and ssh print, and what it means. Gathered from git 2.39, OpenSSH 9, GitHub and GitLab. */
const MESSAGES: readonly [kind: ErrorKind, stderr: string][] = [
  [
    "unreachable",
    "fatal: '/srv/hub.git' does not appear to be a git repository\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
  ],
  ["unreachable", "fatal: repository '/srv/hub.git' does not exist\n"],
  [
    "unreachable",
    "fatal: unable to access 'https://host/hub/': Could not resolve host: host\n",
  ],
  [
    "unreachable",
    "fatal: unable to access 'https://127.0.0.1:1/hub/': Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server\n",
  ],
  [
    "unreachable",
    "fatal: unable to connect to 127.0.0.1:\n127.0.0.1[0: 127.0.0.1]: errno=Connection refused\n\n",
  ],
  [
    "unreachable",
    "ssh: connect to host host port 22: Connection refused\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
  ],
  [
    "unreachable",
    "ssh: Could not resolve hostname host: Name or service not known\nfatal: the remote end hung up unexpectedly\n",
  ],
  ["unreachable", "ssh: connect to host host port 22: No route to host\n"],
  ["unreachable", "kex_exchange_identification: Connection closed by remote host\n"],
  [
    "unreachable",
    "remote: Repository not found.\nfatal: repository 'https://github.com/me/x.git/' not found\n",
  ],
  [
    "unreachable",
    "fatal: unable to access 'https://host/hub/': The requested URL returned error: 503\n",
  ],
  [
    "unreachable",
    "error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly: CANCEL (err 8)\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output\n",
  ],
  ["credentials", "fatal: Authentication failed for 'https://host/hub/'\n"],
  [
    "credentials",
    "remote: Support for password authentication was removed on August 13, 2021.\nremote: Please see https://docs.github.com/ for more\nremote: information.\nfatal: Authentication failed for 'https://github.com/me/x.git/'\n",
  ],
  [
    "credentials",
    "fatal: could not read Username for 'https://github.com': terminal prompts disabled\n",
  ],
  [
    "credentials",
    "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
  ],
  [
    "credentials",
    '** WARNING: connection is not using a post-quantum key exchange algorithm.\n** This session may be vulnerable to "store now, decrypt later" attacks.\n** The server may need to be upgraded. See https://openssh.com/pq.html\nme@host: Permission denied (publickey,password).\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n',
  ],
  [
    "credentials",
    "Host key verification failed.\nfatal: Could not read from remote repository.\n",
  ],
  [
    "credentials",
    "fatal: unable to access 'https://github.com/me/x.git/': The requested URL returned error: 403\n",
  ],
  ["failed", "fatal: not a git repository: '/home/u/.claude-session-sync/mirror.git'\n"],
  ["failed", "error: unable to write file: No space left on device\nfatal: write error\n"],
  [
    "failed",
    "error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413\nfatal: the remote end hung up unexpectedly\n",
  ],
  ["failed", "fatal: bad object HEAD\n"],
  ["failed", ""],
];

Deno.test("failureOf() tells the kind from git's message", () => {
  for (const [kind, stderr] of MESSAGES) {
    const error = failure(stderr);
    assert.equal(error.kind, kind, stderr);
    assert.equal(error.transient, kind === "unreachable", stderr);
    assert.ok(error.hints.length > 0, stderr);
    assert.doesNotMatch(error.message, /\n|fatal:|correct access rights|\.$/);
  }
});

Deno.test("failureOf() tells the cause in one line", () => {
  const cases: readonly [stderr: string, message: RegExp][] = [
    ["", /^cannot fetch: git ended with code 128$/],
    ["warning: w\nhint: h\nfatal: bad object x\n", /^cannot fetch: bad object x$/],
    [
      "git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.\n",
      /: git@host: Permission denied \(publickey\)$/,
    ],
    [
      "** WARNING: a\n** b\n** c\nssh: connect to host h port 22: Connection refused\n",
      /: ssh: connect to host h port 22: Connection refused$/,
    ],
    [
      "remote: \nremote: ====\nremote: \nremote: ERROR: no such project\nremote: \nfatal: the remote end hung up\n",
      /: remote: ERROR: no such project; the remote end hung up$/,
    ],
  ];
  for (const [stderr, message] of cases) assert.match(failure(stderr).message, message);
});

Deno.test("failureOf() prints no credentials", () => {
  const { message } = failure("fatal: Authentication failed for 'https://me:s3cret@host/hub/'\n");
  assert.match(message, /'https:\/\/host\/hub\/'/);
});

Deno.test("redact() takes names and passwords out of URLs, and nothing else", () => {
  const cases: readonly [text: string, redacted: string][] = [
    ["https://me:secret@host/x", "https://host/x"],
    ["https://token@host/x", "https://host/x"],
    ["https://me:pass@word@host/x", "https://host/x"],
    ["ssh://me:secret@host:22/x", "ssh://host:22/x"],
    ["see 'https://a:b@c/d' and http://e:f@g", "see 'https://c/d' and http://g"],
    ["https://host/a@b", "https://host/a@b"],
    ["git@github.com:me/x.git", "git@github.com:me/x.git"],
    ["no URL, me@host", "no URL, me@host"],
    ["", ""],
  ];
  for (const [text, redacted] of cases) assert.equal(redact(text), redacted);
});

Deno.test("redact() leaves nothing of a password, whatever it is", () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9@:!$&'()*+,;=._~%-]{1,20}$/);
  fc.assert(
    fc.property(secret, (password) => {
      assert.equal(redact(`x https://me:${password}@host/hub y`), "x https://host/hub y");
    }),
    { seed: 10, numRuns: 200 },
  );
});

Deno.test("Git.run() reads the kinds from a real git", async () => {
  using folder = new Folder();
  await createBareHub(folder.at("repository"));
  const git = new Git(folder.at("repository"));
  folder.write("plain/file", "");
  // Nobody listens on a port that was just given back.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const cases: readonly [address: string, kind: ErrorKind][] = [
    [folder.at("missing"), "unreachable"],
    [folder.at("plain"), "unreachable"],
    [`file://${folder.at("missing")}`, "unreachable"],
    [`git://127.0.0.1:${port}/hub`, "unreachable"],
  ];
  for (const [address, kind] of cases) {
    await assert.rejects(git.run("fetch", ["fetch", "--", address, "main"]), { kind }, address);
  }
  const lost = new Git(folder.at("missing"));
  await assert.rejects(lost.run("read", ["rev-parse", "main"]), { kind: "failed" });
});

Deno.test("requireGit() returns the version of this git", async () => {
  assert.match(await requireGit(), /^\d+\.\d+/);
});

const MODULE = new URL("../../src/hub/git.ts", import.meta.url).href;

/** Prints what `requireGit()` says of the git in each of the directories. */
const SCRIPT = `
import { requireGit } from ${JSON.stringify(MODULE)};
for (const directory of Deno.args) {
  Deno.env.set("PATH", directory);
  const told = await requireGit().catch(({ kind, message }) => kind + ": " + message);
  Deno.stdout.writeSync(new TextEncoder().encode(told + "\\n"));
}
`;

Deno.test(
  "requireGit() refuses a git that is missing or too old",
  { ignore: Deno.build.os === "windows" },
  async () => {
    using folder = new Folder();
    const cases: readonly [printed: string | undefined, told: RegExp][] = [
      ["git version 2.30.0", /^2\.30\.0$/],
      [
        "git version 2.29.9",
        /^setup: cannot use this git: it is version 2\.29\.9, ccsync needs 2\.30/,
      ],
      ["git version 1.99.1", /^setup: .*version 1\.99\.1/],
      ["git version 2.50.1 (Apple Git-155)", /^2\.50\.1$/],
      ["git version 2.45.1.windows.1", /^2\.45\.1/],
      ["git version 3.0.0", /^3\.0\.0$/],
      ["what?", /^setup: cannot use this git: it is version unknown/],
      [undefined, /^setup: cannot run git: it is not installed, or not on the PATH$/],
    ];
    const directories = cases.map(([printed], i) => {
      Deno.mkdirSync(folder.at(String(i)));
      if (printed === undefined) return folder.at(String(i));
      const path = folder.write(`${i}/git`, `#!/bin/sh\necho '${printed}'\n`);
      Deno.chmodSync(path, 0o755);
      return folder.at(String(i));
    });
    const script = folder.write("script.js", SCRIPT);
    const args = ["run", "-A", "--quiet", "--no-config", script, ...directories];
    const { stdout } = await runToEnd(Deno.execPath(), { args, cwd: folder.path });
    const told = stdout.trimEnd().split("\n");
    assert.equal(told.length, cases.length, stdout);
    for (const [i, [, expected]] of cases.entries()) assert.match(told[i] ?? "", expected);
  },
);
