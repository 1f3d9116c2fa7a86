/**
 * This machine's bare clone of the hub: the only place that talks to the hub.
 *
 * @module
 */
import { join } from "node:path";
import { asOid, type Oid, type SessionId } from "../brands.ts";
import { CcsyncError, FileTrouble } from "../errors.ts";
import {
  entriesOf,
  lstatIfThere,
  makePrivateDirectory,
  patiently,
  removeIfThere,
  removeTree,
} from "../machine/files.ts";
import { type CommitChanges, type CommitInfo, writeCommit } from "./commit_writer.ts";
import { checkFormat, FORMAT_PATH } from "./format.ts";
import { failureOf, Git, type GitResult, redact, UPLOAD_PACK } from "./git.ts";
import { credentialSettings } from "./github.ts";
import { ObjectReader } from "./object_reader.ts";
import { isLocal } from "./remote.ts";
import type { Transfer } from "./transfer.ts";

/** The hub's only branch. */
const MAIN = "refs/heads/main";
/** Where the mirror keeps what it last fetched. */
const FETCHED = "refs/hub/main";
/** Where the hub keeps locks, and where the mirror keeps those it last fetched. */
const LOCKS = "refs/ccsync/locks";
const FETCHED_LOCKS = "refs/hub/locks";

/** A hundred thousand changes take a second. */
const PATIENCE_MS = 5_000;

/** One path that differs between two states of the hub. */
export interface TreeEntry {
  readonly path: string;
  /** Git's file mode; `100644` and `040000` are all that ccsync writes. */
  readonly mode: string;
  /** The object, or `undefined` where the path is gone. */
  readonly oid: Oid | undefined;
}

/** What became of a push: `rejected` means that somebody was faster, so fetch and try again. */
export type PushOutcome = "pushed" | "rejected";

/** A session's lock and how a push moves it: only if the hub still has it as believed. */
export interface LockMove {
  readonly session: SessionId;
  /** The lock that the hub is believed to have, `undefined` for none. */
  readonly from: Oid | undefined;
  /** The lock that it gets, `undefined` to release it. */
  readonly to: Oid | undefined;
}

const decoder = new TextDecoder();

/** The mirror of one hub. */
export class Mirror implements AsyncDisposable {
  readonly remote: string;
  readonly git: Git;
  readonly objects: ObjectReader;
  readonly #onTransfer: ((transfer: Transfer) => void) | undefined;
  #credentials: Promise<readonly string[]> | undefined;

  /**
   * Names the mirror; nothing is read or written before {@linkcode Mirror.prepare}.
   *
   * @param onTransfer Told how far fetches and pushes have come; where nobody is, git is not asked
   */
  constructor(ccsyncHome: string, remote: string, onTransfer?: (transfer: Transfer) => void) {
    this.remote = remote;
    this.#onTransfer = onTransfer;
    this.git = new Git(join(ccsyncHome, "mirror.git"));
    this.objects = new ObjectReader(this.git);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.objects[Symbol.asyncDispose]();
  }

  /** Makes the mirror if it is not there, and clears away what a git that was killed left in it. */
  async prepare(): Promise<void> {
    const { directory } = this.git;
    if (lstatIfThere(join(directory, "HEAD")) === undefined) {
      await makeBareRepository(directory, "make the mirror");
    } else await clearAfterCrash(directory);
  }

  /**
   * Looks whether a failure comes of damage to the mirror; if so, sets the mirror aside, so that the next
   * run fetches all of it anew. It is not deleted: should the hub be damaged as well, it is the best copy.
   *
   * @returns What to tell the user instead of the failure, `undefined` where the mirror is whole
   */
  async setAsideIfDamaged(failure: CcsyncError): Promise<CcsyncError | undefined> {
    const { directory } = this.git;
    const isThere = lstatIfThere(directory) !== undefined;
    if (!isThere || !LOOKS_DAMAGED.test(failure.message)) return undefined;
    await this.objects[Symbol.asyncDispose]();
    const check = await this.git.try(["fsck", "--no-dangling", "--no-progress"]);
    if (!DAMAGE.test(decoder.decode(check.stdout) + check.stderr)) return undefined;
    const aside = `${directory}.damaged`;
    removeTree(aside);
    patiently(() => Deno.renameSync(directory, aside));
    return new CcsyncError("failed", `${failure.message}: the mirror of the hub is damaged`, {
      hints: [
        "run the command again: the hub is fetched anew; your sessions were not touched",
        `the damaged mirror is kept as "${aside}"; delete it once the command has gone through`,
      ],
      cause: failure,
      transient: true,
    });
  }

  /**
   * Fetches the hub's branch and its locks, and returns its head, `undefined` for an empty hub.
   *
   * @throws {CcsyncError} kind "unreachable" or "credentials"; "setup" when it is not a hub, or of a newer format
   */
  async fetch(): Promise<Oid | undefined> {
    this.objects.prepare();
    const result = await this.#transfer([
      ...await this.#access(),
      "fetch",
      this.#onTransfer === undefined ? "--quiet" : "--progress",
      "--no-tags",
      "--no-write-fetch-head",
      "--prune",
      ...(isLocal(this.remote) ? [`--upload-pack=${UPLOAD_PACK}`] : []),
      "--",
      this.remote,
      `+${MAIN}:${FETCHED}`,
      `+${LOCKS}/*:${FETCHED_LOCKS}/*`,
    ]);
    if (result.code !== 0) {
      if (!/couldn't find remote ref/i.test(result.stderr)) {
        throw failureOf(`fetch from the hub "${redact(this.remote)}"`, result);
      }
      return await this.#emptyHub();
    }
    const head = await this.head();
    if (head !== undefined) await this.#checkFormat(head);
    return head;
  }

  /** Returns what was fetched last, without asking the hub. */
  async head(): Promise<Oid | undefined> {
    return (await this.objects.read(FETCHED))?.oid;
  }

  /** Returns every path of a state of the hub, or those under some directories; directories included. */
  async entries(head: Oid, under: readonly string[] = []): Promise<TreeEntry[]> {
    const args = ["ls-tree", "-r", "-t", "-z", "--full-tree", head, "--", ...under];
    return parseTree(decoder.decode(await this.git.list("read the hub's files", args)));
  }

  /**
   * Returns the paths that differ between two states of the hub, directories included; `undefined` where
   * finding them takes longer than reading all would. Git holds all of them in memory before it prints the
   * first, and a few small trees can name ten million: a list is bounded, this is not.
   */
  async changes(from: Oid, to: Oid): Promise<TreeEntry[] | undefined> {
    const args = ["diff-tree", "-r", "-t", "-z", "--raw", "--no-renames", from, to];
    const output = await this.git.list("compare the hub's states", args, PATIENCE_MS);
    return output === undefined ? undefined : parseDiff(decoder.decode(output));
  }

  /** Returns the fetched commits that changed a file, the latest first. */
  async history(path: string, most: number): Promise<Oid[]> {
    const args = ["rev-list", `--max-count=${most}`, FETCHED, "--", path];
    const output = decoder.decode(await this.git.run("read the hub's history", args));
    return output.split("\n").flatMap((line) => asOid(line) ?? []);
  }

  /** Returns whether the mirror has a commit. */
  async has(oid: Oid): Promise<boolean> {
    return (await this.objects.read(oid))?.type === "commit";
  }

  /** Returns whether a state of the hub has a path. */
  async hasPath(head: Oid, path: string): Promise<boolean> {
    try {
      return await this.objects.read(`${head}:${path}`) !== undefined;
    } catch (error) {
      // More than anybody reads is there, too.
      if (error instanceof FileTrouble) return true;
      throw error;
    }
  }

  /** Returns a text file of a state of the hub, or `undefined` where there is none. */
  async text(head: Oid | undefined, path: string): Promise<string | undefined> {
    if (head === undefined) return undefined;
    const object = await this.objects.read(`${head}:${path}`);
    return object?.type === "blob" ? decoder.decode(object.bytes) : undefined;
  }

  /** Makes a commit on top of a head that was fetched. It is in the mirror only; {@linkcode Mirror.push} sends it. */
  commit(
    parent: Oid | undefined,
    info: CommitInfo,
    change: (changes: CommitChanges) => Promise<void>,
  ): Promise<Oid> {
    return writeCommit(this.git, parent, info, change);
  }

  /** Returns the locks that were fetched last: what their refs are called, and what they point to. */
  async lockRefs(): Promise<[name: string, oid: Oid][]> {
    const format = "--format=%(objectname) %(refname:lstrip=3)";
    const output = await this.git.run("read the locks", ["for-each-ref", format, FETCHED_LOCKS]);
    return decoder.decode(output).split("\n").flatMap((line) => {
      const space = line.indexOf(" ");
      const oid = asOid(line.slice(0, space));
      return oid === undefined ? [] : [[line.slice(space + 1), oid]];
    });
  }

  /**
   * Sends a commit to the hub, and moves locks there: all of it, or nothing. The hub's branch only moves
   * forward, and locks only from what they are believed to be: git compares and swaps at the server.
   *
   * @param commit What the branch becomes, `undefined` to move locks alone
   * @throws {CcsyncError} kind "unreachable", "credentials", or "failed" when the hub refuses for good
   */
  async push(commit: Oid | undefined, locks: readonly LockMove[] = []): Promise<PushOutcome> {
    const leases = locks.map(({ from, session }) =>
      `--force-with-lease=${LOCKS}/${session}:${from ?? ""}`
    );
    const refspecs = locks.map(({ session, to }) => `${to ?? ""}:${LOCKS}/${session}`);
    if (commit !== undefined) refspecs.unshift(`${commit}:${MAIN}`);
    const atomic = refspecs.length > 1 ? ["--atomic"] : [];
    const progress = this.#onTransfer === undefined ? [] : ["--progress"];
    const options = ["--porcelain", "--no-verify", ...progress, ...atomic, ...leases];
    const access = await this.#access();
    const args = [...access, "push", ...options, "--", this.remote, ...refspecs];
    const result = await this.#transfer(args);
    if (result.code === 0) {
      await this.#notePush(commit, locks);
      return "pushed";
    }
    const refusals = refusalsOf(decoder.decode(result.stdout));
    if (refusals.length === 0) {
      if (SOMEBODY_WAS_FASTER.test(result.stderr)) return "rejected";
      throw failureOf(`push to the hub "${redact(this.remote)}"`, result);
    }
    const refusal = refusals.find((why) => !SOMEBODY_WAS_FASTER.test(why));
    if (refusal === undefined) return "rejected";
    const why = [refusal, ...remarksOf(result.stderr)].join("; ");
    throw new CcsyncError("failed", `cannot push to the hub: it refused: ${why}`, {
      hints: ["the sessions are safe on this machine; mend the hub, then run: ccsync push"],
    });
  }

  #transfer(args: readonly string[]): Promise<GitResult> {
    return this.#onTransfer === undefined
      ? this.git.try(args)
      : this.git.watch(args, this.#onTransfer);
  }

  async #notePush(commit: Oid | undefined, locks: readonly LockMove[]): Promise<void> {
    const moved = locks.map(({ session, to }) => {
      const ref = `${FETCHED_LOCKS}/${session}`;
      return to === undefined ? `delete ${ref}\n` : `update ${ref} ${to}\n`;
    });
    const main = commit === undefined ? [] : [`update ${FETCHED} ${commit}\n`];
    const input = [...main, ...moved].join("");
    await this.git.run("note what was pushed", ["update-ref", "--stdin"], input);
  }

  /**
   * Asks whether a push would be let in, without sending anything.
   *
   * @throws {CcsyncError} kind "unreachable", "credentials" or "failed" when not
   */
  async tryPush(head: Oid): Promise<void> {
    const args = ["push", "--dry-run", "--porcelain", "--no-verify", "--", this.remote];
    const result = await this.git.try([...await this.#access(), ...args, `${head}:${MAIN}`]);
    // Somebody else's push in between is a proof, too.
    if (result.code === 0 || SOMEBODY_WAS_FASTER.test(decoder.decode(result.stdout))) return;
    throw failureOf(`push to the hub "${redact(this.remote)}"`, result);
  }

  /** Returns who made a commit, and when, milliseconds since 1970. */
  async lastCommit(head: Oid): Promise<{ readonly machine: string; readonly at: number }> {
    const commit = await this.objects.read(head);
    const text = commit === undefined ? "" : decoder.decode(commit.bytes);
    const [, machine = "", seconds = "0"] = /^committer (.*) <[^>\n]*> (\d+) /m.exec(text) ?? [];
    return { machine, at: Number(seconds) * 1000 };
  }

  /** Settings of git with which it gets credentials; found out once, and only where the hub is asked. */
  #access(): Promise<readonly string[]> {
    return this.#credentials ??= credentialSettings(this.remote);
  }

  /** Packs loose objects when there are many: cheap when there is nothing to do. */
  async maintain(): Promise<void> {
    const settings = [
      "gc.auto=2000",
      // In the background it would be taken for a git that was killed, and its half packs cleared away.
      "gc.autoDetach=false",
      // What a first push of gigabytes has packed is not packed again with every small pack.
      "gc.bigPackThreshold=32m",
    ].flatMap((setting) => ["-c", setting]);
    await this.git.run("tidy the mirror", [...settings, "gc", "--auto", "--quiet"]);
  }

  async #emptyHub(): Promise<undefined> {
    const branches = await this.git.run("look at the hub's branches", [
      ...await this.#access(),
      "ls-remote",
      "--heads",
      "--",
      this.remote,
    ]);
    if (branches.length > 0) throw this.#noHub();
    if (await this.head() === undefined) return undefined;
    throw new CcsyncError(
      "failed",
      `cannot use the hub "${redact(this.remote)}": it is empty, but had sessions before`,
      {
        hints: [
          `if the hub was made anew on purpose, remove "${this.git.directory}" and run: ccsync push; nothing was changed`,
        ],
      },
    );
  }

  async #checkFormat(head: Oid): Promise<void> {
    const format = await this.text(head, FORMAT_PATH);
    if (format !== undefined) return checkFormat(format);
    throw this.#noHub();
  }

  #noHub(): CcsyncError {
    return new CcsyncError(
      "setup",
      `cannot use "${redact(this.remote)}": it is a git repository, but not a hub of ccsync`,
      {
        hints: ["name an empty repository, a hub, or a path where nothing is; nothing was changed"],
      },
    );
  }
}

const SOMEBODY_WAS_FASTER =
  /non-fast-forward|fetch first|stale info|cannot lock ref|failed to update ref|incorrect old value|reference already exists|failed to lock|unable to lock|needs force|remote ref does not exist|atomic (?:push|transaction) fail/i;

/** Returns why refs were refused; where one took others along, they say no more than that. */
function refusalsOf(porcelain: string): string[] {
  return [...porcelain.matchAll(/^!\t.*\t\[[^\]]*\](?: \((.*)\))?$/gm)].map(([, why]) => why ?? "");
}

/** Returns what the hub says about a refusal: hooks explain themselves so. */
function remarksOf(stderr: string): string[] {
  const said = [...redact(stderr).matchAll(/^(?:remote|error: remote unpack failed): *(.*?)\s*$/gm)]
    .map(([, line]) => line ?? "");
  return said.filter((line) => /[^=\s]/.test(line)).slice(0, 3);
}

/** What messages say where an object or a ref cannot be read; `git fsck` then tells whose fault that is. */
const LOOKS_DAMAGED =
  /ended early|has no such file|corrupt|is empty|bad (?:object|tree|config|signature|ref)|missing (?:blob|tree|commit|object)|unable to (?:read|unpack|map|find)|could not (?:read|parse|open)|not a git repository|inflate|invalid (?:object|sha1|ref)|not a (?:valid object|commit)|unresolved deltas|all necessary objects|reference broken|unable to resolve reference|does not match index|unexpected line|ended with code/i;

/**
 * What `git fsck` says of objects and refs that cannot be read. What it says of names that git would not
 * write ("error in tree ...") is the hub's content, and comes back however often it is fetched.
 */
const DAMAGE = /^(?:error:|fatal:|missing |broken )/m;

/** Creates a bare hub at a path where nothing is. */
export async function createBareHub(path: string): Promise<void> {
  await makeBareRepository(path, `create the hub "${path}"`);
}

/** Makes a bare repository, whole or not at all. Where something is already, git adds to it what is missing. */
async function makeBareRepository(path: string, what: string): Promise<void> {
  const isThere = lstatIfThere(path) !== undefined;
  const place = isThere ? path : `${path}.ccsync-new`;
  // One of an earlier run that was killed.
  if (!isThere) removeTree(place);
  makePrivateDirectory(place);
  const init = ["init", "--quiet", "--bare", "--initial-branch=main", "--template="];
  await new Git(place).run(what, init);
  if (!isThere) patiently(() => Deno.renameSync(place, path));
}

/** Git holds a lock for moments only; what is older was left by one that was killed. */
const LOCK_AGE_MS = 5_000;

/**
 * Removes what a git that was killed leaves in a repository and no git ever removes: its locks, which would
 * keep every later one from working, and files that it was writing. No other ccsync is at work, but a git
 * that a killed one has started may be: a young lock is waited for.
 */
async function clearAfterCrash(repository: string): Promise<void> {
  for (const path of locksIn(repository)) {
    for (;;) {
      const age = Date.now() - (lstatIfThere(path)?.mtime?.getTime() ?? 0);
      if (age > LOCK_AGE_MS || age < 0) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    removeIfThere(path);
  }
  const packs = join(repository, "objects/pack");
  for (const { name } of entriesOf(packs)) {
    if (name.startsWith("tmp_")) removeIfThere(join(packs, name));
  }
  for (const { name } of entriesOf(repository)) {
    if (name.startsWith("fast_import_crash_")) removeIfThere(join(repository, name));
  }
}

function locksIn(repository: string): string[] {
  const locks: string[] = [];
  const walk = (directory: string, depth: number) => {
    for (const { isDirectory, name } of entriesOf(directory)) {
      const path = join(directory, name);
      // Of objects only what lies beside them: there are many, and none is ever locked.
      if (isDirectory && depth > 0 && !/^[0-9a-f]{2}$/.test(name)) walk(path, depth - 1);
      else if (name.endsWith(".lock")) locks.push(path);
    }
  };
  walk(repository, 4);
  return locks;
}

function parseTree(output: string): TreeEntry[] {
  return split(output).map((record) => {
    const tab = record.indexOf("\t");
    const [mode = "", , id = ""] = record.slice(0, tab).split(" ");
    return { path: record.slice(tab + 1), mode, oid: asOid(id) };
  });
}

function parseDiff(output: string): TreeEntry[] {
  const fields = split(output);
  const entries: TreeEntry[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [, mode = "", , id = "", status = ""] = (fields[i] ?? "").split(" ");
    entries.push({ path: fields[i + 1] ?? "", mode, oid: status === "D" ? undefined : asOid(id) });
  }
  return entries;
}

const split = (output: string): string[] => output === "" ? [] : output.slice(0, -1).split("\0");
