import assert from "node:assert/strict";
import fc from "fast-check";
import { Conversation } from "../../src/transcript/conversation.ts";
import { linesMissingFrom } from "../../src/transcript/merge.ts";
import { reconcile } from "../../src/transcript/reconcile.ts";

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
  readonly other?: string;
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
    assert.equal(merged.other, other, what);
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

type Step =
  | { readonly kind: "push" | "pull"; readonly machine: number }
  | { readonly kind: "say"; readonly machine: number; readonly isKilled: boolean }
  | { readonly kind: "look"; readonly machine: number };

const machine = fc.constantFrom(0, 1, 2);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom("push" as const, "pull" as const), machine }),
  fc.record({ kind: fc.constant("say" as const), machine, isKilled: fc.boolean() }),
  fc.record({ kind: fc.constant("look" as const), machine }),
);

/** Three machines that remember nothing between runs, the hub, and the forks that were made. */
class Machines {
  hub: readonly string[] = BASE;
  readonly locals: (readonly string[])[] = [BASE, BASE, BASE];
  readonly forks = new Map<string, readonly string[]>();
  readonly said: string[] = [];

  run(step: Step): void {
    const local = this.locals[step.machine] ?? [];
    const put = (lines: readonly string[]) => this.locals[step.machine] = lines;
    if (step.kind === "say") {
      const uuid = `r${this.said.length}`;
      this.said.push(uuid);
      put([...local, said(uuid, leafOf(local) ?? null), ...step.isKilled ? [] : [select(uuid)]]);
    } else if (step.kind === "look") put([...local, select(leafOf(local) ?? "")]);
    else {
      const { lines, other } = merge(this.hub, local);
      // Whoever comes second finds the same fork.
      if (other !== undefined) {
        assert.equal(leafOf(this.hub), other);
        assert.ok(!this.forks.has(other) || step.kind === "pull" || leafOf(lines) !== other);
        if (!this.forks.has(other)) this.forks.set(other, this.hub);
      }
      if (step.kind === "push") this.hub = lines;
      else put(lines);
    }
  }

  /** Returns the records that resuming the session or one of its forks shows. */
  shown(): Set<string> {
    const parents = new Map<string, string>();
    for (const line of this.hub) {
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
      const [hub, forks] = [machines.hub, [...machines.forks.keys()]];
      settle();
      assert.deepEqual([machines.hub, [...machines.forks.keys()]], [hub, forks]);
    }),
    { seed: 12, numRuns: 1000 },
  );
});
