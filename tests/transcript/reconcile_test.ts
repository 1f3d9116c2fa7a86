import assert from "node:assert/strict";
import fc from "fast-check";
import { Conversation } from "../../src/transcript/conversation.ts";
import { linesMissingFrom } from "../../src/transcript/merge.ts";
import { type Branch, reconcile, useOf } from "../../src/transcript/reconcile.ts";

type Fields = Readonly<Record<string, unknown>>;

const ID = "22222222-2222-4222-8222-222222222222";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

const lineOf = (fields: Fields) => JSON.stringify(fields) + "\n";
const said = (uuid: string, parentUuid: string | null, type = "user") => {
  const message = { role: type, content: `says ${uuid}` };
  return lineOf({ parentUuid, isSidechain: false, type, message, uuid });
};
const select = (leafUuid: string, fields: Fields = {}) =>
  lineOf({
    type: "last-prompt",
    lastPrompt: `says ${leafUuid}`,
    leafUuid,
    ...fields,
    sessionId: ID,
  });

function conversationOf(lines: readonly string[]): Conversation {
  const conversation = new Conversation();
  for (const line of lines) conversation.add(encoder.encode(line));
  return conversation;
}

const leafOf = (lines: readonly string[]) => conversationOf(lines).leaf;

interface Merged {
  readonly lines: readonly string[];
  readonly other?: Branch;
}

/** Merges as a push and a pull do. */
function merge(hub: readonly string[], local: readonly string[]): Merged {
  const different = local.findIndex((line, i) => line !== hub[i]);
  const common = different === -1 ? local.length : different;
  const rests = [hub, local].map((lines) =>
    lines.slice(common).map((line) => encoder.encode(line))
  );
  const missing = linesMissingFrom(rests[0] ?? [], rests[1] ?? []);
  const isOneSided = missing.length === 0 || common === hub.length;
  if (isOneSided) return { lines: [...hub, ...missing.map((line) => decoder.decode(line))] };
  const found = reconcile(ID, conversationOf(hub), conversationOf(local), missing);
  const added = found.missing.map((line) => decoder.decode(line));
  return {
    lines: [...hub, ...added],
    ...(found.other === undefined ? {} : { other: found.other }),
  };
}

const BASE = [said("a", null), said("b", "a", "assistant"), select("b")];

Deno.test("reconcile() resumes what was added last, and names what it hides", () => {
  const [h, l] = [[said("h", "b"), select("h")], [said("l", "b"), select("l")]];
  const cases: readonly [string, string[], string[], leaf: string, other: string | undefined][] = [
    ["both went on", h, l, "l", "h"],
    ["the local client was killed", h, [said("l", "b")], "l", "h"],
    ["the hub's was killed", [said("h", "b")], l, "l", "h"],
    ["only the hub went on", h, [lineOf({ type: "mode", mode: "x" })], "h", undefined],
    ["only looked at here", h, [select("b")], "h", undefined],
    ["gone back to the start here", h, [select("a", { explicit: true })], "h", undefined],
    ["only looked at there", [select("b")], l, "l", undefined],
    ["gone back there", [select("a", { explicit: true })], l, "l", undefined],
    ["only titles", [lineOf({ type: "tag" })], [lineOf({ type: "mode" })], "b", undefined],
    [
      "side chains",
      h,
      [lineOf({ ...JSON.parse(said("s", "b")), isSidechain: true })],
      "h",
      undefined,
    ],
    [
      "gone back in the hub, then looked at here",
      [...h, select("a", { explicit: true })],
      [select("b")],
      "h",
      undefined,
    ],
    [
      "gone back after it, exactly there",
      [...h, said("i", "h"), select("h", { explicit: true })],
      [select("a")],
      "h",
      undefined,
    ],
  ];
  for (const [what, hub, local, leaf, other] of cases) {
    const merged = merge([...BASE, ...hub], [...BASE, ...local]);
    assert.equal(leafOf(merged.lines), leaf, what);
    assert.equal(merged.other?.records[0], other, what);
    for (const lines of [[...BASE, ...local], merged.lines]) {
      assert.deepEqual(merge(merged.lines, lines), { lines: merged.lines }, `${what}, again`);
    }
  }
});

Deno.test("reconcile() adds a line only where it is needed, as Claude Code writes it", () => {
  const hub = [...BASE, said("h", "b"), select("h")];
  const local = [...BASE, said("l", "b")];
  assert.equal(merge(hub, local).lines.at(-1), select("l"));
  assert.equal(merge(hub, [...local, select("l")]).lines.length, hub.length + 2);
});

/** What keeps a branch, as `src/sync/branches.ts` finds it: a record, and whether the fork of it has to grow. */
type Keeper = { readonly of: string; readonly kind: "kept" | "new" | "grows" };

/** A fork as far as it is ccsync's: lines of its parent in their order, and its marks. */
const withoutMarks = (fork: readonly string[]) => fork.filter((line) => !line.includes('"forkOf"'));
const markOf = (of: string) => lineOf({ type: "custom-title", sessionId: of, forkOf: ID });

function keeperOf(
  branch: Branch,
  parent: readonly string[],
  forks: ReadonlyMap<string, readonly string[]>,
): Keeper {
  for (const of of branch.records) {
    const fork = forks.get(of);
    if (fork === undefined) continue;
    const isUntouched = withoutMarks(fork).every((line, i) => line === parent[i]);
    const use = useOf(conversationOf(fork), isUntouched, branch);
    if (use !== "none") return { of, kind: use === "keeps" ? "kept" : use };
  }
  const last = branch.records[0] ?? "";
  const free = [branch.first, last].find((of) => !forks.has(of));
  return free === undefined ? { of: last, kind: "kept" } : { of: free, kind: "new" };
}

Deno.test("a fork keeps the branch that it ends within, if nobody went on with it", () => {
  const A = [said("a1", "b"), select("a1")];
  const A2 = [said("a2", "a1"), select("a2")];
  const B = [said("b1", "b"), select("b1")];
  const hub = [...BASE, ...A, ...B, ...A2];
  const mark = markOf("a1");
  const fork = [...BASE, ...A, mark];
  const local = [...BASE, ...B, said("b2", "b1")];
  const cases: readonly [string, Record<string, readonly string[]>, Keeper][] = [
    ["none", {}, { of: "a1", kind: "new" }],
    ["an earlier state of it", { a1: fork }, { of: "a1", kind: "grows" }],
    ["one that has grown already", { a1: [...fork, ...B, ...A2, mark] }, {
      of: "a1",
      kind: "kept",
    }],
    ["one that is made of a later record, as older versions did", { a2: [...hub, markOf("a2")] }, {
      of: "a2",
      kind: "kept",
    }],
    ["one that somebody went on with", { a1: [...fork, said("f", "a1")] }, {
      of: "a2",
      kind: "new",
    }],
    ["one that was only renamed", { a1: [...fork, lineOf({ type: "custom-title" })] }, {
      of: "a2",
      kind: "new",
    }],
    ["one with lines in another order", { a1: [...BASE, select("b"), ...A, mark] }, {
      of: "a2",
      kind: "new",
    }],
    ["one that somebody went on with after all of it", {
      a1: [...fork, ...B, ...A2, mark, said("f", "a2")],
    }, { of: "a1", kind: "kept" }],
    ["one of what both have", { b: [...BASE, markOf("b")] }, { of: "b", kind: "grows" }],
    ["one of the other branch", { b1: [...BASE, ...A, ...B, markOf("b1")] }, {
      of: "a1",
      kind: "new",
    }],
    ["one of what both have, for the other branch", { b: [...BASE, ...A, ...B, markOf("b")] }, {
      of: "a1",
      kind: "new",
    }],
    ["both of its own ids taken, and gone back in", {
      a1: [...fork, said("f", "b"), select("f")],
      a2: [...hub, markOf("a2"), said("g", "b"), select("g")],
    }, { of: "a2", kind: "kept" }],
  ];
  const { other } = merge(hub, local);
  assert.ok(other !== undefined);
  assert.deepEqual(other, { records: ["a2", "a1", "b", "a"], first: "a1" });
  for (const [what, forks, expected] of cases) {
    assert.deepEqual(keeperOf(other, hub, new Map(Object.entries(forks))), expected, what);
  }
});

type Step =
  | { readonly kind: "push" | "pull"; readonly machine: number }
  | { readonly kind: "say"; readonly machine: number; readonly isKilled: boolean }
  | { readonly kind: "look"; readonly machine: number }
  | { readonly kind: "go on with"; readonly fork: number };

const machine = fc.constantFrom(0, 1, 2);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom("push" as const, "pull" as const), machine }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("say" as const), machine, isKilled: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("look" as const), machine }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("go on with" as const), fork: fc.nat(3) }),
  },
);

/** Three machines that remember nothing between runs, the hub, its forks, and those that were not sent yet. */
class Machines {
  hub: readonly string[] = BASE;
  readonly locals: (readonly string[])[] = [BASE, BASE, BASE];
  readonly forks = new Map<string, readonly string[]>();
  readonly unsent: Map<string, readonly string[]>[] = [new Map(), new Map(), new Map()];
  readonly said: string[] = [];

  run(step: Step): void {
    if (step.kind === "go on with") return this.#goOnWith(step.fork);
    const local = this.locals[step.machine] ?? [];
    const put = (lines: readonly string[]) => this.locals[step.machine] = lines;
    if (step.kind === "say") {
      const uuid = this.#word();
      put([...local, said(uuid, leafOf(local) ?? null), ...step.isKilled ? [] : [select(uuid)]]);
    } else if (step.kind === "look") put([...local, select(leafOf(local) ?? "")]);
    else if (step.kind === "push") this.#push(local, this.unsent[step.machine] ?? new Map());
    else put(this.#pull(local, this.unsent[step.machine] ?? new Map()));
  }

  #word(): string {
    const uuid = `r${this.said.length}`;
    this.said.push(uuid);
    return uuid;
  }

  #goOnWith(index: number): void {
    const [of, lines] = [...this.forks][index] ?? [];
    if (of === undefined || lines === undefined) return;
    const uuid = this.#word();
    this.forks.set(of, [...lines, said(uuid, leafOf(lines) ?? null), select(uuid)]);
  }

  /** Forks first: what the session's needs is decided by what the hub has of it. */
  #push(local: readonly string[], unsent: Map<string, readonly string[]>): void {
    for (const [of, lines] of unsent) {
      const inHub = this.forks.get(of);
      this.forks.set(of, inHub === undefined ? lines : merge(inHub, lines).lines);
    }
    unsent.clear();
    const { lines, other } = merge(this.hub, local);
    if (other !== undefined) {
      assert.equal(leafOf(this.hub), other.records[0]);
      this.#keep(keeperOf(other, this.hub, this.forks), this.forks);
    }
    this.hub = lines;
  }

  #pull(local: readonly string[], unsent: Map<string, readonly string[]>): readonly string[] {
    const { lines, other } = merge(this.hub, local);
    if (other === undefined) return lines;
    const keeper = keeperOf(other, this.hub, new Map([...unsent, ...this.forks]));
    // It waits for the push.
    if (keeper.kind === "grows" && this.forks.has(keeper.of)) return local;
    this.#keep(keeper, unsent);
    return lines;
  }

  #keep({ kind, of }: Keeper, forks: Map<string, readonly string[]>): void {
    if (kind === "kept") return;
    const before = forks === this.forks ? forks.get(of) ?? [] : [];
    const rest = this.hub.slice(withoutMarks(before).length);
    forks.set(of, [...before, ...rest, markOf(of)]);
    assert.equal(leafOf(forks.get(of) ?? []), leafOf(this.hub));
  }

  /** Returns the records that resuming the session or one of its forks shows. */
  shown(): Set<string> {
    const parents = new Map<string, string>();
    for (const line of [...this.hub, ...[...this.forks.values()].flat()]) {
      const { parentUuid, uuid } = JSON.parse(line);
      if (uuid !== undefined) parents.set(uuid, parentUuid);
    }
    const shown = new Set<string>();
    for (const lines of [this.hub, ...this.forks.values()]) {
      for (let at = leafOf(lines); at !== undefined && at !== null; at = parents.get(at)) {
        shown.add(at);
      }
    }
    return shown;
  }
}

Deno.test("reconcile() hides nothing that was said, on three machines, whatever the order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const machines = new Machines();
      steps.forEach((step) => machines.run(step));
      const settle = () => {
        for (const kind of ["push", "pull"] as const) {
          for (const machine of [0, 1, 2]) machines.run({ kind, machine });
        }
      };
      settle();
      for (const local of machines.locals) assert.deepEqual(local, machines.hub);
      const shown = machines.shown();
      for (const uuid of machines.said) assert.ok(shown.has(uuid), `${uuid} is hidden`);
      const [hub, forks] = [machines.hub, [...machines.forks]];
      settle();
      assert.deepEqual([machines.hub, [...machines.forks]], [hub, forks]);
    }),
    { seed: 12, numRuns: 2000 },
  );
});

Deno.test("reconcile() makes as many forks as there are branches, however often machines take turns", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ machine, isKilled: fc.boolean(), isPulled: fc.boolean() }), {
        minLength: 20,
        maxLength: 40,
      }),
      (turns) => {
        const machines = new Machines();
        // Each has its own branch from the beginning on.
        for (const machine of [0, 1, 2]) machines.run({ kind: "say", machine, isKilled: false });
        for (const { isKilled, isPulled, machine } of turns) {
          machines.run({ kind: "say", machine, isKilled });
          if (isPulled) machines.run({ kind: "pull", machine });
          machines.run({ kind: "push", machine });
        }
        assert.ok(machines.forks.size <= 3, [...machines.forks.keys()].join());
      },
    ),
    { seed: 12, numRuns: 100 },
  );
});
