import "../support/hermetic_git.ts";
import assert from "node:assert/strict";
import type { Oid, SessionId } from "../../src/brands.ts";
import { CcsyncError } from "../../src/errors.ts";
import type { CommitChanges } from "../../src/hub/commit_writer.ts";
import { FORMAT_PATH } from "../../src/hub/format.ts";
import { createBareHub, Mirror, type TreeEntry } from "../../src/hub/mirror.ts";
import type { Transfer } from "../../src/hub/transfer.ts";
import { Folder } from "../support/folder.ts";
import { runToEnd } from "../support/process.ts";

const INFO = {
  message: "laptop: a commit\n",
  machine: "laptop",
  at: Date.UTC(2026, 0, 2, 3, 4, 5),
};
const MISSING = "1".repeat(40) as Oid;

/** A hub in a temporary folder, and mirrors of it. */
class TestHub implements AsyncDisposable {
  readonly folder = new Folder();
  readonly path = this.folder.at("hub.git");
  readonly #mirrors: Mirror[] = [];

  static async create(): Promise<TestHub> {
    const hub = new TestHub();
    await createBareHub(hub.path);
    return hub;
  }

  /** Returns the mirror of a machine that has just joined. */
  async mirror(
    machine: string,
    remote = this.path,
    onTransfer: ((transfer: Transfer) => void) | undefined = undefined,
  ): Promise<Mirror> {
    const mirror = new Mirror(this.folder.at(machine), remote, onTransfer);
    this.#mirrors.push(mirror);
    await mirror.prepare();
    return mirror;
  }

  /** Runs git in the hub. */
  async git(...args: readonly string[]): Promise<string> {
    const { code, stderr, stdout } = await runToEnd("git", {
      args: ["--git-dir", this.path, ...args],
      cwd: this.folder.path,
      env: { PATH: Deno.env.get("PATH") ?? "", HOME: this.folder.path, GIT_CONFIG_NOSYSTEM: "1" },
    });
    assert.equal(code, 0, stderr);
    return stdout.trimEnd();
  }

  /** Lets a hook of the hub's refuse every push. */
  refuse(reason: string): void {
    const path = this.folder.write(
      "hub.git/hooks/pre-receive",
      `#!/bin/sh\necho '${reason}'\nexit 1\n`,
    );
    Deno.chmodSync(path, 0o755);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const mirror of this.#mirrors) await mirror[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** Sets a file's content. */
const writing =
  (files: Readonly<Record<string, string | Uint8Array>>) =>
  async (changes: CommitChanges): Promise<void> => {
    for (const [path, content] of Object.entries(files)) await changes.write(path, content);
  };

const FIRST = { [FORMAT_PATH]: '{"format":1}\n' };

const pathsOf = (entries: readonly TreeEntry[]) => entries.map(({ path }) => path).sort();

Deno.test("Mirror sends a commit, and another one fetches and reads it", async () => {
  await using hub = await TestHub.create();
  const laptop = await hub.mirror("laptop");
  assert.equal(await laptop.fetch(), undefined);
  assert.equal(await laptop.head(), undefined);
  const names = [
    "plain.txt",
    "with space.txt",
    " lead and trail ",
    'quote".txt',
    "it's.txt",
    "back\\slash.txt",
    "tab\there.txt",
    "new\nline.txt",
    "Übung/会話/日本.txt",
    "e\u0301.txt",
    "😀.txt",
    "-dash.txt",
    "*.txt",
    ":(top).txt",
    "deep/er/and/deeper.txt",
  ];
  const files = Object.fromEntries(names.map((name) => [name, `content of ${name}\n`]));
  const commit = await laptop.commit(undefined, INFO, writing({ ...FIRST, ...files }));
  assert.equal(await laptop.push(commit), "pushed");
  assert.equal(await laptop.head(), commit);

  const desk = await hub.mirror("desk");
  assert.equal(await desk.fetch(), commit);
  assert.equal(await desk.head(), commit);
  assert.equal(await desk.has(commit), true);
  for (const name of names) {
    // Git is asked by the line; ccsync writes no such name.
    const expected = name.includes("\n") ? undefined : files[name];
    assert.equal(await desk.text(commit, name), expected, name);
  }
  const entries = await desk.entries(commit);
  const blobs = entries.filter(({ mode }) => mode === "100644");
  assert.deepEqual(pathsOf(blobs), [FORMAT_PATH, ...names].sort());
  const trees = entries.filter(({ mode }) => mode === "040000");
  assert.deepEqual(
    pathsOf(trees),
    ["deep", "deep/er", "deep/er/and", "Übung", "Übung/会話"].sort(),
  );
  assert.ok(entries.every(({ oid }) => oid !== undefined));
});

Deno.test("Mirror tells whoever wants to know how far a push and a fetch have come", async () => {
  await using hub = await TestHub.create();
  const told: Transfer[] = [];
  const note = (transfer: Transfer) => void told.push(transfer);
  // Large enough that a fetch tells the bytes.
  const large = crypto.getRandomValues(new Uint8Array(60_000));
  const many = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`${i}`, `${i}`]));
  const laptop = await hub.mirror("laptop", hub.path, note);
  const commit = await laptop.commit(undefined, INFO, writing({ ...FIRST, ...many, large }));
  assert.equal(await laptop.push(commit), "pushed");
  const sent = told.findLast(({ what }) => what === "sending to the hub");
  assert.equal(sent?.share, 1);
  assert.ok((sent.bytes ?? 0) > large.length);
  told.length = 0;
  const desk = await hub.mirror("desk", hub.path, note);
  assert.equal(await desk.fetch(), commit);
  assert.equal(told.findLast(({ what }) => what === "fetching from the hub")?.share, 1);
  hub.refuse("no more room");
  const next = await laptop.commit(commit, INFO, writing({ more: "more" }));
  // The answer does not hold what was told on the way.
  await assert.rejects(
    laptop.push(next),
    /cannot push to the hub: it refused: [^%]*no more room[^%]*$/,
  );
});

Deno.test("Mirror.commit() says who committed and when", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  const message = "two lines\n\nof 会話\n";
  const commit = await mirror.commit(undefined, { ...INFO, message }, writing(FIRST));
  await mirror.push(commit);
  assert.equal(
    await hub.git("log", "--format=%an|%ae|%cI|%B", "main"),
    `laptop|laptop@ccsync|2026-01-02T03:04:05+00:00|${message}`.trimEnd(),
  );
});

Deno.test("Mirror.commit() names only what changes", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  const files = { ...FIRST, "a/keep": "k", "a/change": "old", "b/gone": "g", "c": "file" };
  const first = await mirror.commit(undefined, INFO, writing(files));
  const keep = (await mirror.entries(first)).find(({ path }) => path === "a/keep")?.oid;
  assert.ok(keep !== undefined);
  const second = await mirror.commit(first, INFO, async (changes) => {
    await changes.write("a/change", "new");
    await changes.remove("b/gone");
    await changes.remove("never there");
    await changes.write("c/d", "now a directory");
    await changes.link("linked", keep);
  });
  const changes = await mirror.changes(first, second);
  const seen = changes?.map(({ mode, oid, path }) =>
    `${path} ${oid === undefined ? "gone" : mode}`
  );
  assert.deepEqual(seen?.sort(), [
    "a 040000",
    "a/change 100644",
    "b gone",
    "b/gone gone",
    "c 040000",
    "c gone",
    "c/d 100644",
    "linked 100644",
  ]);
  assert.equal(await mirror.text(second, "a/change"), "new");
  assert.equal(await mirror.text(second, "a/keep"), "k");
  assert.equal(await mirror.text(second, "linked"), "k");
  assert.equal(await mirror.text(second, "b/gone"), undefined);
  assert.deepEqual(await mirror.changes(second, second), []);
});

Deno.test("Mirror.entries() returns those under some directories, and what leads there", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  const files = { ...FIRST, "a/1/x": "", "a/2/x": "", "b/x": "" };
  const head = await mirror.commit(undefined, INFO, writing(files));
  assert.deepEqual(pathsOf(await mirror.entries(head, ["a/1", "b"])), [
    "a",
    "a/1",
    "a/1/x",
    "b",
    "b/x",
  ]);
  assert.deepEqual(await mirror.entries(head, ["missing"]), []);
});

Deno.test("Mirror.commit() keeps any bytes", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  const every = Uint8Array.from({ length: 1024 }, (_, i) => i % 256);
  const large = new Uint8Array(3_000_000).map((_, i) => i * 31 % 251);
  const files = { every, empty: new Uint8Array(), large, data: "data 5\nabc\ndone\n" };
  const head = await mirror.commit(undefined, INFO, writing(files));
  for (const [path, content] of Object.entries(files)) {
    const expected = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const { bytes } = await mirror.objects.read(`${head}:${path}`) ?? {};
    assert.ok(bytes !== undefined && bytes.length === expected.length, path);
    assert.ok(bytes.every((byte, i) => byte === expected[i]), path);
  }
});

Deno.test("Mirror.commit() makes none where the work fails, and leaves nothing behind", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  const before = hub.folder.names("laptop/mirror.git");
  const failing = mirror.commit(undefined, INFO, async (changes) => {
    await changes.write("half", "x");
    throw new RangeError("the work failed");
  });
  await assert.rejects(failing, RangeError);
  assert.deepEqual(hub.folder.names("laptop/mirror.git"), before);
  assert.equal(new TextDecoder().decode(await mirror.git.run("list", ["for-each-ref"])), "");
});

Deno.test("Mirror.commit() tells why git could not write", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  const before = hub.folder.names("laptop/mirror.git");
  const many = async (changes: CommitChanges) => {
    await changes.write("empty//component", "x");
    // Git has given up by now: the pipe breaks.
    for (let i = 0; i < 20; i++) await changes.write(`file ${i}`, new Uint8Array(1_000_000));
  };
  await assert.rejects(mirror.commit(undefined, INFO, many), {
    kind: "failed",
    message: /^cannot write to the mirror: .*[Ee]mpty path component/,
  });
  assert.deepEqual(hub.folder.names("laptop/mirror.git"), before);
});

Deno.test("Mirror.push() is rejected where somebody was faster, until it is based on theirs", async () => {
  await using hub = await TestHub.create();
  const [laptop, desk] = [await hub.mirror("laptop"), await hub.mirror("desk")];
  const first = await laptop.commit(undefined, INFO, writing(FIRST));
  const other = await desk.commit(undefined, { ...INFO, machine: "desk" }, writing(FIRST));
  assert.equal(await laptop.push(first), "pushed");
  assert.equal(await desk.push(other), "rejected");
  assert.equal(await desk.fetch(), first);

  const [mine, theirs] = [
    await laptop.commit(first, INFO, writing({ laptop: "1" })),
    await desk.commit(first, INFO, writing({ desk: "2" })),
  ];
  assert.equal(await desk.push(theirs), "pushed");
  assert.equal(await laptop.push(mine), "rejected");
  assert.equal(await laptop.head(), first);
  const head = await laptop.fetch();
  assert.equal(head, theirs);
  const again = await laptop.commit(head, INFO, writing({ laptop: "1" }));
  assert.equal(await laptop.push(again), "pushed");
  assert.deepEqual(pathsOf(await laptop.entries(again)), [FORMAT_PATH, "desk", "laptop"]);
  assert.equal(await hub.git("rev-parse", "main"), again);
});

Deno.test("Mirror.push() is done where the hub has the commit already", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  const commit = await mirror.commit(undefined, INFO, writing(FIRST));
  assert.equal(await mirror.push(commit), "pushed");
  assert.equal(await mirror.push(commit), "pushed");
});

Deno.test(
  "Mirror.push() fails for good where a hook of the hub refuses",
  { ignore: Deno.build.os === "windows" },
  async () => {
    await using hub = await TestHub.create();
    const mirror = await hub.mirror("laptop");
    hub.refuse("no pushes on Sunday");
    const commit = await mirror.commit(undefined, INFO, writing(FIRST));
    await assert.rejects(mirror.push(commit), {
      kind: "failed",
      message: /^cannot push to the hub: it refused: pre-receive hook declined/,
    });
    assert.equal(await mirror.head(), undefined);
    assert.equal(await hub.git("for-each-ref"), "");
  },
);

Deno.test("Mirror.push() and fetch() cannot reach a hub that is gone", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  const commit = await mirror.commit(undefined, INFO, writing(FIRST));
  await mirror.push(commit);
  Deno.removeSync(hub.path, { recursive: true });
  await assert.rejects(mirror.fetch(), { kind: "unreachable", transient: true });
  await assert.rejects(mirror.push(commit), { kind: "unreachable" });
  // What was fetched before is still at hand.
  assert.equal(await mirror.head(), commit);
});

Deno.test("Mirror.fetch() refuses a repository that is no hub, or of a newer format", async () => {
  const cases: readonly [files: Readonly<Record<string, string>>, message: RegExp][] = [
    [{ "README.md": "my project" }, /it is a git repository, but not a hub of ccsync/],
    [{ [FORMAT_PATH]: '{"format": 2}' }, /it has format 2, this version knows 1/],
    [{ [FORMAT_PATH]: "broken" }, /names no format/],
  ];
  for (const [files, message] of cases) {
    await using hub = await TestHub.create();
    const other = await hub.mirror("other");
    await other.push(await other.commit(undefined, INFO, writing(files)));
    const mirror = await hub.mirror("laptop");
    await assert.rejects(mirror.fetch(), { kind: "setup", message });
  }
});

Deno.test("Mirror.fetch() does not take an emptied hub for a new one", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  await mirror.push(await mirror.commit(undefined, INFO, writing(FIRST)));
  Deno.removeSync(hub.path, { recursive: true });
  await createBareHub(hub.path);
  await assert.rejects(mirror.fetch(), {
    kind: "failed",
    message: /it is empty, but had sessions/,
  });
});

Deno.test("Mirror.fetch() follows a hub whose history was rewritten", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  await mirror.push(await mirror.commit(undefined, INFO, writing(FIRST)));
  Deno.removeSync(hub.path, { recursive: true });
  await createBareHub(hub.path);
  const other = await hub.mirror("other");
  const rewritten = await other.commit(undefined, INFO, writing({ ...FIRST, new: "history" }));
  await other.push(rewritten);
  assert.equal(await mirror.fetch(), rewritten);
});

Deno.test("Mirror.prepare() keeps a mirror that is there", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  const commit = await mirror.commit(undefined, INFO, writing(FIRST));
  await mirror.push(commit);
  await mirror.prepare();
  assert.equal(await mirror.head(), commit);
});

Deno.test("Mirror answers questions about what is not there", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  const head = await mirror.commit(undefined, INFO, writing({ ...FIRST, "a/b": "" }));
  assert.equal(await mirror.has(MISSING), false);
  assert.equal(await mirror.text(undefined, FORMAT_PATH), undefined);
  assert.equal(await mirror.text(head, "missing"), undefined);
  assert.equal(await mirror.text(head, "a"), undefined);
  assert.equal(await mirror.text(MISSING, "a"), undefined);
  const blob = (await mirror.entries(head, ["a/b"])).find(({ path }) => path === "a/b")?.oid;
  assert.ok(blob !== undefined);
  assert.equal(await mirror.has(blob), false);
});

Deno.test("Mirror.maintain() packs and keeps all", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  const commit = await mirror.commit(undefined, INFO, writing(FIRST));
  await mirror.push(commit);
  await mirror.maintain();
  assert.equal(await mirror.text(commit, FORMAT_PATH), FIRST[FORMAT_PATH]);
});

Deno.test("createBareHub() leaves a repository that is there as it is", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  const commit = await mirror.commit(undefined, INFO, writing(FIRST));
  await mirror.push(commit);
  await createBareHub(hub.path);
  assert.equal(await mirror.fetch(), commit);
});

const SESSION = "11111111-1111-4111-8111-111111111111" as SessionId;

/** Returns an object that a lock can point to. */
async function lockCommit(mirror: Mirror, who: string): Promise<Oid> {
  return await mirror.commit(undefined, { ...INFO, message: who }, () => Promise.resolve());
}

Deno.test("Mirror.push() moves a lock only from what it is, and main with it or not at all", async () => {
  await using hub = await TestHub.create();
  const laptop = await hub.mirror("laptop");
  const desk = await hub.mirror("desk");
  const head = await laptop.commit(undefined, INFO, writing(FIRST));
  const [mine, theirs] = [await lockCommit(laptop, "laptop"), await lockCommit(desk, "desk")];
  const take = { session: SESSION, from: undefined, to: mine };
  assert.equal(await laptop.push(head, [take]), "pushed");
  assert.deepEqual(await laptop.lockRefs(), [[SESSION, mine]]);
  assert.equal(await desk.push(undefined, [{ ...take, to: theirs }]), "rejected");
  await desk.fetch();
  assert.deepEqual(await desk.lockRefs(), [[SESSION, mine]]);
  const takeOver = { session: SESSION, from: mine, to: theirs };
  assert.equal(await desk.push(undefined, [takeOver]), "pushed");
  const next = await laptop.commit(head, INFO, writing({ a: "1" }));
  const renewed = await lockCommit(laptop, "laptop again");
  const renew = { session: SESSION, from: mine, to: renewed };
  assert.equal(await laptop.push(next, [renew]), "rejected");
  assert.equal(await hub.git("rev-parse", "main"), head);
  assert.equal(await laptop.push(next), "pushed");
  const release = { session: SESSION, from: theirs, to: undefined };
  assert.equal(await desk.push(undefined, [release]), "pushed");
  assert.equal(await desk.push(undefined, [release]), "rejected");
  await laptop.fetch();
  assert.deepEqual(await laptop.lockRefs(), []);
});

Deno.test("Mirror.push() says what the hub refuses, also where it takes the rest along", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  const head = await mirror.commit(undefined, INFO, writing(FIRST));
  const hook = hub.folder.write(
    "hub.git/hooks/update",
    '#!/bin/sh\ncase "$1" in refs/ccsync/*) exit 1;; esac\n',
  );
  Deno.chmodSync(hook, 0o755);
  const to = await lockCommit(mirror, "laptop");
  const moves = [{ session: SESSION, from: undefined, to }];
  await assert.rejects(mirror.push(head, moves), /it refused: hook declined/);
  await assert.rejects(mirror.push(undefined, moves), /it refused: hook declined/);
});

Deno.test("Mirror.setAsideIfDamaged() does not take hostile names for damage", async () => {
  await using hub = await TestHub.create();
  const mirror = await hub.mirror("laptop");
  const failure = new CcsyncError("failed", "cannot read the mirror: git cat-file ended early");
  assert.equal(await mirror.setAsideIfDamaged(failure), undefined);
  const blob = await mirror.git.run("write", ["hash-object", "-w", "--stdin"], "x");
  const oid = new TextDecoder().decode(blob).trim();
  const make = "100644 blob " + oid + "\t..\n100644 blob " + oid + "\t.git\n";
  const tree = await mirror.git.run("write", ["mktree"], make);
  await mirror.git.run("write", [
    "update-ref",
    "refs/hub/main",
    new TextDecoder().decode(tree).trim(),
  ]);
  assert.equal(await mirror.setAsideIfDamaged(failure), undefined);
  Deno.removeSync(`${mirror.git.directory}/objects/${oid.slice(0, 2)}/${oid.slice(2)}`);
  const told = await mirror.setAsideIfDamaged(failure);
  assert.match(told?.message ?? "", /the mirror of the hub is damaged$/);
  assert.ok(Deno.statSync(`${mirror.git.directory}.damaged`).isDirectory);
});
