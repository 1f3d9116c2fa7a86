/**
 * Three machines around one hub, and all lines that were ever written there: after every command, none of
 * them is lost; after everybody pushed and pulled twice, all machines have the same.
 *
 * @module
 */
import "../support/hermetic_git.ts";
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import type { Oid, SessionId } from "../../src/brands.ts";
import { entryOf, type HubEntry } from "../../src/hub/format.ts";
import { sidecarKind } from "../../src/claude/kinds.ts";
import { sidecarDirectory } from "../../src/claude/scan.ts";
import { TRANSCRIPT } from "../../src/sync/document.ts";
import { hasPrefix } from "../../src/sync/fingerprint.ts";
import type { SyncReport } from "../../src/sync/report.ts";
import type { Base } from "../../src/machine/state.ts";
import type { Workspace } from "../../src/sync/workspace.ts";
import { toLocal } from "../../src/translate/to_local.ts";
import { promptLine } from "../support/world.ts";
import type { Command, Trouble } from "./commands.ts";
import { HubView } from "./hub_view.ts";
import { interfered, type Outcome } from "./interference.ts";
import {
  type Clock,
  copy,
  filesUnder,
  LAYOUTS,
  Machine,
  PLACEHOLDERS,
  PROJECTS,
  remove,
} from "./machine.ts";

const DAY_MS = 86_400_000;
const BEGIN = Date.UTC(2026, 0, 1);
const decoder = new TextDecoder();

/** What a number of runs did. */
export class Counts {
  runs = 0;
  commands = 0;
  syncs = 0;
  kills = 0;
  faults = 0;
  overtaken = 0;
  takeovers = 0;
  lines = 0;

  add(other: Counts): void {
    for (const key of Object.keys(this) as (keyof Counts & string)[]) {
      if (key !== "add") this[key] += other[key];
    }
  }
}

/** A folder with a hub that three machines joined, to begin every run from. Dispose it. */
export class Origin implements Disposable {
  readonly folder: string;
  readonly #parent: string;

  private constructor(parent: string) {
    this.#parent = parent;
    this.folder = join(parent, "world");
  }

  /** Makes the hub, the machines, and a session with a note in each project that all of them have. */
  static async create(): Promise<Origin> {
    const parent = Deno.realPathSync(
      Deno.makeTempDirSync({ prefix: "ccsync-model-", ...inMemory() }),
    );
    const origin = new Origin(parent);
    await using model = new Model(origin.folder, new Counts(), 0);
    for (const [i, machine] of model.machines.entries()) {
      const layout = LAYOUTS[i];
      await machine.setUp(model.hub, {
        PROJECTS: layout?.PROJECTS[0] ?? "",
        WORK: layout?.WORK[0] ?? "",
      });
    }
    for (const project of PROJECTS.keys()) {
      await model.apply({ do: "begin", on: 0, project });
      await model.apply({ do: "note", on: 0, project, note: 0 });
    }
    await model.settle();
    // Nothing here lives long enough to be tidied.
    Deno.writeTextFileSync(join(model.hub, "config"), "[receive]\n\tautogc = false\n", {
      append: true,
    });
    for (const name of ["hub.git", ...model.machines.map(({ id }) => `${id}/ccsync/mirror.git`)]) {
      remove(join(origin.folder, name, "hooks"));
    }
    copy(origin.folder, join(parent, "origin"));
    return origin;
  }

  /** Begins a run. */
  begin(counts: Counts): Model {
    remove(this.folder);
    copy(join(this.#parent, "origin"), this.folder);
    return new Model(this.folder, counts, 1000);
  }

  [Symbol.dispose](): void {
    remove(this.#parent);
  }
}

/** In memory the disk does not wait for anything. */
function inMemory(): { dir?: string } {
  try {
    return Deno.statSync("/dev/shm").isDirectory ? { dir: "/dev/shm" } : {};
  } catch {
    return {};
  }
}

/** A line that somebody wrote. */
interface Line {
  readonly machine: Machine;
  readonly mark: string;
  wasInHub: boolean;
}

/** What a document of the hub holds. */
interface HubDocument {
  readonly id: SessionId;
  readonly name: string;
  readonly segments: Oid[];
}

/** The machines, and what is known of all that was written. Dispose it. */
export class Model implements AsyncDisposable {
  readonly hub: string;
  readonly machines: readonly Machine[];
  readonly #folder: string;
  readonly #counts: Counts;
  readonly #view: HubView;
  readonly #clock: Clock = { now: BEGIN };
  /** Lines of which nobody took back any, by their marks. */
  readonly #lines = new Map<string, Line>();
  /** Lines whose end has not been written, by machine and session. */
  readonly #torn = new Map<string, string>();
  /** The machines that resumed a session last, as far as that is certain, by session. */
  readonly #holders = new Map<string, Machine>();
  readonly #checked = new Set<Oid>();
  /** Transcripts as the hub had them last. */
  readonly #transcripts = new Map<SessionId, string>();
  #number: number;
  #head: Oid | undefined;
  #hubText = "";

  /**
   * @param firstNumber Above those of all lines that are there
   */
  constructor(folder: string, counts: Counts, firstNumber: number) {
    this.#folder = folder;
    this.hub = join(folder, "hub.git");
    this.machines = ["anna", "bert", "carl"].map((id) => new Machine(folder, id, this.#clock));
    this.#counts = counts;
    this.#view = new HubView(this.hub);
    this.#number = firstNumber;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#view[Symbol.asyncDispose]();
  }

  /** Carries a command out, and checks what has to hold after every one. */
  async apply(command: Command): Promise<void> {
    this.#clock.now += 1000;
    this.#counts.commands++;
    if (command.do === "nothing") return;
    if (command.do === "wait") {
      this.#clock.now += command.days * DAY_MS;
      return;
    }
    const machine = this.#machine(command.on);
    switch (command.do) {
      case "push":
      case "pull":
      case "set-path":
        await this.#sync(machine, command.trouble, () => this.#run(machine, command));
        return;
      case "undo":
        await this.#sync(machine, command.trouble, () => machine.undo(command.operation));
        return;
      case "take":
        return await this.#take(machine, command);
      case "keep":
        return await this.#keep(machine, command);
      case "lose":
        return machine.lose(command.what);
      case "close":
        return machine.close();
      case "begin":
        return this.#begin(machine, command.project);
      case "note":
      case "unlearn":
      case "forget-note":
      case "forget-folder":
        return this.#changeMemory(machine, command);
      default: {
        const found = chosen([...machine.transcripts()], command.session);
        if (found !== undefined) this.#changeSession(machine, found, command);
      }
    }
  }

  /** Lets everybody close everything, push and pull twice, and checks that all have the same. */
  async settle(): Promise<void> {
    for (const machine of this.machines) {
      machine.close();
      for (const [id, path] of machine.transcripts()) this.#completeTorn(machine, id, path);
    }
    const push = async (machine: Machine) => requireFlawless(await machine.push());
    const pull = async (machine: Machine) => requireFlawless(await machine.pull(true));
    // One machine after the other, or all in step.
    const turns = this.#number % 2 === 0 ? [[push, pull]] : [[push], [pull]];
    for (let round = 0; round < 2; round++) {
      for (const steps of turns) {
        for (const machine of this.machines) {
          for (const step of steps) await step(machine);
        }
      }
    }
    await this.#checkLines();
    await this.#checkSame();
    const before = await this.#view.head();
    await this.#machine(this.#number).push();
    assert.equal(await this.#view.head(), before, "a push without news made a commit");
    this.#counts.lines += this.#lines.size;
  }

  #machine(index: number): Machine {
    const machine = this.machines[index % this.machines.length];
    assert.ok(machine !== undefined);
    return machine;
  }

  /** Runs a command of ccsync, checks what has to hold after each, and returns how it ended. */
  async #sync(
    machine: Machine,
    { interference, overtakenBy }: Trouble,
    work: () => Promise<SyncReport | void>,
  ): Promise<Outcome<void>["ended"]> {
    this.#counts.syncs++;
    const other = overtakenBy === undefined ? undefined : this.#machine(overtakenBy);
    const overtake = other === undefined || other === machine ? undefined : async () => {
      this.#counts.overtaken++;
      requireFlawless(await other.push());
    };
    const outcome = await interfered(interference, overtake, work);
    if (outcome.ended === "as usual") {
      if (outcome.result !== undefined) requireFlawless(outcome.result);
    } else if (interference?.kind === "kill") this.#counts.kills++;
    else this.#counts.faults++;
    await this.#checkLines();
    await machine.run((workspace) => this.#checkBases(workspace));
    return outcome.ended;
  }

  /** A machine that resumes a session has its lock from then on, whoever had it before. */
  async #take(machine: Machine, { session, trouble }: Command & { do: "take" }): Promise<void> {
    const [id] = chosen([...machine.transcripts()], session) ?? [];
    if (id === undefined) return;
    const before = machine.keepers.get(id);
    const ended = await this.#sync(machine, trouble, () => machine.take(id));
    const isNew = machine.keepers.get(id) !== before;
    if (ended === "interfered with") {
      // The hub may have the lock of a process that is no more.
      machine.keepers.delete(id);
      this.#holders.delete(id);
      return;
    }
    assert.ok(isNew, `${machine.id} did not get the lock of ${id}`);
    const holder = this.#holders.get(id);
    if (holder !== undefined && holder !== machine) this.#counts.takeovers++;
    this.#holders.set(id, machine);
  }

  /** A machine whose session was taken over is told when it pushes next; its lines are checked as all are. */
  async #keep(machine: Machine, command: Command & { do: "keep" }): Promise<void> {
    const [id, keeper] = chosen([...machine.keepers], command.session) ?? [];
    if (id === undefined || keeper === undefined) return;
    const [wasHolder, holder] = [keeper.isHolder, this.#holders.get(id)];
    machine.warnings.length = 0;
    const work = () => machine.keep(keeper, command.ends);
    const ended = await this.#sync(machine, command.trouble, work);
    if (ended === "interfered with") {
      machine.keepers.delete(id);
      if (holder === machine) this.#holders.delete(id);
      return;
    }
    if (command.ends) machine.keepers.delete(id);
    if (!wasHolder || holder === undefined) {
      if (keeper.isHolder) this.#holders.set(id, machine);
    } else if (holder === machine) {
      assert.equal(keeper.isHolder, !command.ends, `${machine.id} and the lock of ${id}`);
      if (command.ends) this.#holders.delete(id);
    } else {
      assert.ok(!keeper.isHolder, `${machine.id} has the lock that ${holder.id} took`);
      const told = machine.warnings.filter((message) => message.startsWith(holder.id));
      assert.equal(told.length, 1, `${machine.id} was not told that ${holder.id} took ${id}`);
    }
  }

  async #run(
    machine: Machine,
    command: Command & { readonly do: "push" | "pull" | "set-path" },
  ): Promise<SyncReport> {
    if (command.do === "push") return await machine.push();
    if (command.do === "pull") return await machine.pull(command.isForced);
    const of = command.of % this.machines.length;
    const name = PLACEHOLDERS[command.placeholder % PLACEHOLDERS.length] ?? "WORK";
    const path = chosen(LAYOUTS[of]?.[name] ?? [], command.path) ?? "";
    const other = this.#machine(of);
    if (other === machine) return await machine.setPath(name, path);
    return await machine.setPathOf(other, name, path);
  }

  #begin(machine: Machine, index: number): void {
    const project = chosen(PROJECTS, index);
    assert.ok(project !== undefined);
    const id = `${String(++this.#number).padStart(8, "0")}-0000-4000-8000-000000000000`;
    const cwd = machine.project(project);
    this.#append(machine, machine.transcriptPath(id, cwd), id, cwd);
  }

  /** Appends a prompt to a transcript, of the session or of a sub-agent. */
  #append(machine: Machine, path: string, id: string, cwd: string, parent?: string): string {
    const { line, uuid } = this.#prompt(machine, id, cwd, parent);
    machine.append(path, line);
    return uuid;
  }

  #prompt(
    machine: Machine,
    id: string,
    cwd: string,
    parent?: string,
  ): { line: string; uuid: string } {
    const mark = this.#mark(machine);
    const uuid = `00000000-0000-4000-9000-${mark.slice(1, -1).padStart(12, "0")}`;
    const text =
      `${mark} ${cwd}/src/main.ts, ${machine.env.home}/notes, ${machine.env.claudeTmp}/x`;
    const at = new Date(this.#clock.now).toISOString();
    return { uuid, line: promptLine({ id, cwd, text, uuid, at, ...(parent ? { parent } : {}) }) };
  }

  /** Returns what a line is recognised by, whatever becomes of its paths. */
  #mark(machine: Machine): string {
    const mark = `#${++this.#number}#`;
    this.#lines.set(mark, { machine, mark, wasInHub: false });
    return mark;
  }

  #changeSession(
    machine: Machine,
    [id, path]: readonly [string, string],
    command: Command & { readonly session: number },
  ): void {
    const content = Deno.readTextFileSync(path);
    const cwd = [...content.matchAll(/"(?:c|relocatedC)wd":"([^"]+)"/g)].at(-1)?.[1] ?? "";
    const parent = [...content.matchAll(/"uuid":"([^"]+)"/g)].at(-1)?.[1];
    const beside = path.replace(/\.jsonl$/, "");
    switch (command.do) {
      case "talk":
        this.#completeTorn(machine, id, path);
        return this.#talk(machine, { id, path, cwd, parent }, command);
      case "agent": {
        const agent = join(beside, "subagents", "agent-a1.jsonl");
        this.#append(machine, agent, id, cwd);
        return;
      }
      case "result": {
        const mark = this.#mark(machine);
        const result = join(beside, "tool-results", `${mark.slice(1, -1)}.txt`);
        machine.write(result, `${mark} of ${cwd}\n`);
        return;
      }
      case "tear":
        return this.#tear(machine, { id, path, cwd, parent });
      case "tombstone":
        return this.#takeBack(machine, path, content);
      case "touch":
        return machine.touch(path);
      case "cd": {
        const project = chosen(PROJECTS, command.project);
        if (project === undefined || this.#torn.has(`${machine.id} ${id}`)) return;
        const target = machine.project(project);
        const moved = machine.move(path, target);
        const record = { type: "relocated", relocatedCwd: target, sessionId: id };
        machine.append(moved, JSON.stringify(record) + "\n");
        return;
      }
      case "open":
        return machine.open(id);
      case "clean-up":
        this.#forgive(filesOf(path));
        return machine.cleanUp(path);
    }
  }

  #talk(
    machine: Machine,
    session: Session,
    { closes, prompts }: { readonly prompts: number; readonly closes: boolean },
  ): void {
    const { cwd, id, path } = session;
    let last = session.parent;
    for (let i = 0; i < prompts; i++) last = this.#append(machine, path, id, cwd, last);
    machine.append(path, JSON.stringify({ type: "mode", mode: "normal", sessionId: id }) + "\n");
    if (!closes) return;
    const record = { type: "last-prompt", lastPrompt: "hi", leafUuid: last, sessionId: id };
    machine.append(path, JSON.stringify(record) + "\n");
  }

  #tear(machine: Machine, { cwd, id, parent, path }: Session): void {
    if (this.#completeTorn(machine, id, path)) return;
    if (!Deno.readTextFileSync(path).endsWith("\n")) return;
    const { line } = this.#prompt(machine, id, cwd, parent);
    // Behind the mark, and before any path.
    const cut = line.indexOf("#", line.indexOf("#") + 1) + 1;
    machine.append(path, line.slice(0, cut));
    this.#torn.set(`${machine.id} ${id}`, line);
  }

  /** Writes the rest of a line, unless something came after its beginning. */
  #completeTorn(machine: Machine, id: string, path: string): boolean {
    const key = `${machine.id} ${id}`;
    const line = this.#torn.get(key);
    if (line === undefined) return false;
    this.#torn.delete(key);
    const [last = ""] = Deno.readTextFileSync(path).split("\n").slice(-1);
    if (last === "" || !line.startsWith(last)) return false;
    machine.append(path, line.slice(last.length));
    return true;
  }

  #takeBack(machine: Machine, path: string, content: string): void {
    const lines = content.split(/(?<=\n)/);
    const last = lines.findLastIndex((line) => line.includes('"uuid"'));
    if (last < 1) return;
    this.#forgive(lines[last] ?? "");
    machine.write(path, lines.toSpliced(last, 1).join(""));
  }

  /** Marks of lines that Claude Code or its user removed before they were in the hub need not be anywhere. */
  #forgive(text: string): void {
    for (const mark of marksIn(text)) {
      if (this.#lines.get(mark)?.wasInHub === false) this.#lines.delete(mark);
    }
  }

  #changeMemory(
    machine: Machine,
    command: Command & { readonly do: "note" | "unlearn" | "forget-note" | "forget-folder" },
  ): void {
    if (command.do === "note") {
      const project = chosen(PROJECTS, command.project);
      const path = project && machine.transcriptPath("", machine.project(project));
      const note = join(dirname(path ?? ""), "memory", `note-${command.note}.md`);
      machine.append(note, `- ${this.#mark(machine)} in ${machine.env.home}\n`);
      return;
    }
    const path = chosen(machine.notes(), command.note);
    if (path === undefined) return;
    const content = Deno.readTextFileSync(path);
    if (command.do === "forget-folder") {
      this.#forgive(filesUnder(dirname(path)).map((one) => Deno.readTextFileSync(one)).join());
      return remove(dirname(path));
    }
    const lines = content.split(/(?<=\n)/).filter((line) => line !== "");
    const gone = command.do === "unlearn" ? lines.splice(command.line % lines.length, 1) : lines;
    for (const mark of marksIn(gone.join())) this.#lines.delete(mark);
    if (command.do === "unlearn") machine.write(path, lines.join(""));
    else remove(path);
  }

  /** Every line is in the hub, or still on the machine that wrote it; the hub has portable form only. */
  async #checkLines(): Promise<void> {
    const head = await this.#view.head();
    if (head !== undefined && head !== this.#head) await this.#readHub(head);
    this.#head = head;
    const inHub = marksIn(this.#hubText);
    const here = new Map<Machine, Set<string>>();
    for (const line of this.#lines.values()) {
      if (inHub.has(line.mark)) line.wasInHub = true;
      else {
        assert.ok(!line.wasInHub, `${line.mark} is no longer in the hub`);
        const { machine } = line;
        const known = here.get(machine) ?? marksIn(machine.allText());
        here.set(machine, known);
        assert.ok(known.has(line.mark), `${line.mark} is neither in the hub nor on ${machine.id}`);
      }
    }
  }

  async #readHub(head: Oid): Promise<void> {
    const texts: string[] = [];
    const files = await this.#view.files(head);
    for (const [path, oid] of files) {
      if (!/^(?:sessions|memory|claude)\//.test(path)) continue;
      const text = decoder.decode(await this.#view.blob(oid));
      texts.push(text);
      if (this.#checked.has(oid)) continue;
      this.#checked.add(oid);
      const local = text.split("\n").filter((line) => isWhole(line) && line.includes(this.#folder));
      assert.deepEqual(local, [], `paths of a machine are in the hub's ${path}`);
    }
    this.#hubText = texts.join("\n");
    for (const { id, name, segments } of documentsOf(files).values()) {
      const whole = await this.#text(segments);
      if (name === TRANSCRIPT) {
        assert.ok(
          whole.startsWith(this.#transcripts.get(id) ?? ""),
          `${id} was rewritten in the hub`,
        );
        this.#transcripts.set(id, whole);
      }
      const text = whole.split("\n").filter(isWhole).join("\n");
      const uuids = [...text.matchAll(/"uuid":"([^"]+)"/g)].map(([, uuid]) => uuid);
      const doubled = uuids.filter((uuid, i) => uuids.indexOf(uuid) !== i);
      assert.deepEqual(doubled, [], `the hub has lines twice in ${id} ${name}`);
    }
  }

  async #text(segments: readonly Oid[]): Promise<string> {
    return decoder.decode(await this.#bytes(segments));
  }

  async #bytes(segments: readonly Oid[]): Promise<Uint8Array<ArrayBuffer>> {
    const blobs: Uint8Array[] = [];
    for (const oid of segments) {
      const blob = await this.#view.blob(oid);
      assert.ok(blob !== undefined, `the hub has no blob ${oid}`);
      blobs.push(blob);
    }
    return new Uint8Array(await new Blob(blobs as BlobPart[]).arrayBuffer());
  }

  /** A base names content that is in the hub, and what it says of the local file is true. */
  async #checkBases(workspace: Workspace): Promise<void> {
    for (const bases of workspace.state.bases().values()) {
      for (const base of bases.values()) await this.#checkBase(workspace, base);
    }
  }

  async #checkBase(workspace: Workspace, base: Base): Promise<void> {
    const hub = await this.#bytes(base.segments);
    const info = statIfThere(base.path);
    // What changed since is compared as a whole by the next run.
    if (info === undefined || !hasPrefix(base.path, base.localBytes, base.blocks, "all")) return;
    const local = Deno.readFileSync(base.path).subarray(0, base.localBytes);
    const what = `the base of ${base.id} ${base.name} on ${workspace.config.machineId}`;
    if (base.aligned) {
      const codec = base.name === TRANSCRIPT ? "jsonl" : sidecarKind(base.name)?.codec ?? "binary";
      const expected = codec === "binary"
        ? hub
        : toLocal(workspace.translator(codec, base.profile), hub);
      assert.equal(decoder.decode(local), decoder.decode(expected), `${what} is not aligned`);
    }
    const missing = marksIn(decoder.decode(local)).difference(marksIn(this.#hubText));
    assert.deepEqual([...missing], [], `${what} says that these are in the hub`);
  }

  /** Every machine has what the hub has, in its own form, and nothing else. */
  async #checkSame(): Promise<void> {
    assert.ok(this.#head !== undefined);
    const files = await this.#view.files(this.#head);
    const documents = documentsOf(files);
    for (const machine of this.machines) {
      await machine.run(async (workspace) => {
        const expected = await this.#expected(workspace, machine, documents);
        const found = new Map(
          filesUnder(join(machine.env.claudeDir, "projects"))
            .filter((path) => !path.includes("/memory/"))
            .map((path) => [path, Deno.readTextFileSync(path)]),
        );
        assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort(), machine.id);
        for (const [path, text] of expected) assert.equal(found.get(path), text, path);
        await this.#checkSameMemory(workspace, machine, files);
      });
    }
  }

  async #expected(
    workspace: Workspace,
    machine: Machine,
    documents: ReadonlyMap<string, HubDocument>,
  ): Promise<Map<string, string>> {
    const paths = machine.transcripts();
    const expected = new Map<string, string>();
    for (const { id, name, segments } of documents.values()) {
      const path = paths.get(id);
      assert.ok(path !== undefined, `${machine.id} has no session ${id}`);
      const codec = name === TRANSCRIPT ? "jsonl" : sidecarKind(name)?.codec ?? "binary";
      const bytes = await this.#bytes(segments);
      const local = codec === "binary" ? bytes : toLocal(workspace.translator(codec), bytes);
      const directory = sidecarDirectory(machine.env.claudeDir, path as never, id, "session");
      const place = name === TRANSCRIPT ? path : join(directory, name.slice("session/".length));
      expected.set(place, decoder.decode(local));
    }
    return expected;
  }

  async #checkSameMemory(
    workspace: Workspace,
    machine: Machine,
    files: ReadonlyMap<string, Oid>,
  ): Promise<void> {
    const expected = new Map<string, string>();
    for (const [path, oid] of files) {
      const entry = entryOf(path);
      if (entry.kind !== "text") continue;
      const project = files.get(`memory/${entry.key}/project.json`);
      assert.ok(project !== undefined);
      const json = JSON.parse(await this.#text([project])) as { project: string };
      const local = workspace.local(json.project as never);
      assert.ok("path" in local);
      // A second set for one directory, made before a placeholder moved, has no place here.
      if (workspace.portable(local.path) !== json.project) continue;
      const directory = dirname(machine.transcriptPath("", local.path));
      const bytes = await this.#bytes([oid]);
      const text = decoder.decode(toLocal(workspace.translator("text"), bytes));
      expected.set(join(directory, "memory", entry.path), text);
    }
    const found = new Map(machine.notes().map((path) => [path, Deno.readTextFileSync(path)]));
    for (const [path, text] of expected) assert.equal(found.get(path), text, path);
  }
}

/** A transcript as a command meets it. */
interface Session {
  readonly id: string;
  readonly path: string;
  readonly cwd: string;
  readonly parent: string | undefined;
}

function requireFlawless({ failed, memory }: SyncReport): void {
  assert.deepEqual([...failed, ...memory.failed], []);
}

function chosen<T>(all: readonly T[], index: number): T | undefined {
  return all[index % all.length];
}

function marksIn(text: string): Set<string> {
  return new Set(text.match(/#\d+#/g));
}

/** Returns the text of all files that go with a transcript, and its own. */
function filesOf(path: string): string {
  const paths = [path, ...filesUnder(path.replace(/\.jsonl$/, ""))];
  return paths.map((one) => Deno.readTextFileSync(one)).join("\n");
}

function documentsOf(files: ReadonlyMap<string, Oid>): Map<string, HubDocument> {
  const documents = new Map<string, HubDocument>();
  for (const [path, oid] of [...files].sort(([a], [b]) => a < b ? -1 : 1)) {
    const entry: HubEntry = entryOf(path);
    if (entry.kind !== "segment" && entry.kind !== "sidecar-segment") continue;
    const name = entry.kind === "segment" ? TRANSCRIPT : entry.name;
    const key = `${entry.id} ${name}`;
    const document = documents.get(key) ?? { id: entry.id, name, segments: [] };
    document.segments[entry.index] = oid;
    documents.set(key, document);
  }
  return documents;
}

/** Returns whether a line is a record, or no JSON at all: a torn one travels as it is. */
function isWhole(line: string): boolean {
  if (!line.startsWith("{")) return true;
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

function statIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
