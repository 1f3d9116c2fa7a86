import assert from "node:assert/strict";
import fc from "fast-check";
import { completeLength, equalBytes, joinBytes, splitLines } from "../../src/transcript/lines.ts";
import { linesMissingFrom } from "../../src/transcript/merge.ts";
import { variant, VARIANTS } from "../support/fixtures.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Returns the line of a record: one with a uuid for a capital, else one that may repeat. */
function lineOf(name: string): Uint8Array {
  const record = /^[A-Z]/.test(name)
    ? { parentUuid: null, type: "user", uuid: name }
    : { type: "mode", mode: name };
  return new TextEncoder().encode(JSON.stringify(record) + "\n");
}

function nameOf(line: Uint8Array): string {
  const record: unknown = JSON.parse(decoder.decode(line));
  assert.ok(typeof record === "object" && record !== null);
  const name = "uuid" in record ? record.uuid : "mode" in record ? record.mode : undefined;
  assert.ok(typeof name === "string");
  return name;
}

const lines = (names: string): Uint8Array[] => names.split(" ").filter(Boolean).map(lineOf);

/** Merges two continuations that are written as names with spaces between, and returns what is missing. */
function missing(hub: string, local: string): string {
  return linesMissingFrom(lines(hub), lines(local)).map(nameOf).join(" ");
}

const isChain = (name: string) => /^[A-Z]/.test(name);

/** Returns what follows the equal beginning of two transcripts, as a push and a pull compare them. */
function afterCommon<T>(
  a: readonly T[],
  b: readonly T[],
  equal: (a: T, b: T) => boolean,
): [T[], T[]] {
  const [shorter, longer] = a.length < b.length ? [a, b] : [b, a];
  const different = shorter.findIndex((item, i) => !equal(item, longer[i] as T));
  const common = different === -1 ? shorter.length : different;
  return [a.slice(common), b.slice(common)];
}

const sameText = (a: string, b: string) => a === b;

/** Returns the missing of two whole transcripts of names. */
function missingNames(hub: readonly string[], local: readonly string[]): string[] {
  const [hubRest, localRest] = afterCommon(hub, local, sameText);
  return linesMissingFrom(hubRest.map(lineOf), localRest.map(lineOf)).map(nameOf);
}

/** Names of records, few enough to meet by chance on both sides. */
const names = fc.array(fc.constantFrom("A", "B", "C", "D", "a", "b", "c"), { maxLength: 8 });

Deno.test("linesMissingFrom() returns the local lines that the hub lacks", () => {
  const cases: readonly [hub: string, local: string, missing: string][] = [
    // Nothing to do, nothing there.
    ["", "", ""],
    ["A a", "", ""],
    ["", "A a B", "A a B"],
    // The hub has the whole continuation, alone, first, in the middle, or last.
    ["A a", "A a", ""],
    ["A a B b", "A a", ""],
    ["B A a C", "A a", ""],
    ["B b A a", "A a", ""],
    ["B a b C", "a b", ""],
    // Both went on.
    ["A a", "B b", "B b"],
    ["A a B", "C c B", "C c"],
    // Interleaved: what stands next to a known record is known.
    ["A a X B b", "A a B b C c", "C c"],
    ["X A a", "a A a B", "a B"],
    ["X A Y B", "A a B b", "a b"],
    // Records that repeat stay with their side.
    ["a X b", "b A a", "b A a"],
    ["X a", "Y a", "Y a"],
    ["X a b", "a Y", "a Y"],
    ["A b a", "A a", ""],
    // The same record twice on one side.
    ["X A", "A A", ""],
    ["X A a A b", "A a A b c", "c"],
    // One line of the hub stands for one local line.
    ["X A a B", "A a a B", "a"],
    // A record that was taken out of the middle locally is still in the hub.
    ["A B C", "A C D", "D"],
  ];
  for (const [hub, local, expected] of cases) {
    assert.equal(missing(hub, local), expected, `hub "${hub}", local "${local}"`);
  }
});

Deno.test("linesMissingFrom() adds nothing when a push is repeated after a crash", () => {
  const cases: readonly [hub: string, local: string][] = [
    ["X", "a A b B c"],
    ["X A a Y", "A a b"],
    ["X A Y", "b A c"],
    ["X A Y B", "c A b C B a"],
    // The lines around a known record look like those that were added.
    ["A", "b a A b C"],
    ["b A", "A b A b"],
    ["D c", "a c D c B"],
  ];
  for (const [hub, local] of cases) {
    const added = missing(hub, local);
    assert.equal(missing(`${hub} ${added}`, local), "", `hub "${hub}", local "${local}"`);
    // Others may have added theirs since.
    assert.equal(
      missing(`${hub} ${added} Z z`, local),
      "",
      `hub "${hub}", local "${local}", later`,
    );
  }
});

Deno.test("linesMissingFrom() adds nothing the second time, whatever the lines", () => {
  fc.assert(
    fc.property(names, names, (hub, local) => {
      const first = linesMissingFrom(hub.map(lineOf), local.map(lineOf));
      const second = linesMissingFrom([...hub.map(lineOf), ...first], local.map(lineOf));
      assert.deepEqual(second.map(nameOf), []);
    }),
    { seed: 4, numRuns: 3000 },
  );
});

Deno.test("linesMissingFrom() loses no record and keeps the local order", () => {
  fc.assert(
    fc.property(names, names, (hub, local) => {
      const added = linesMissingFrom(hub.map(lineOf), local.map(lineOf)).map(nameOf);
      const merged = new Set([...hub, ...added]);
      for (const name of local) assert.ok(merged.has(name), name);
      assertSubsequence(added, local);
      const known = new Set(hub);
      const fresh = local.filter((name) => isChain(name) && !known.has(name));
      assert.deepEqual(added.filter(isChain), fresh);
    }),
    { seed: 5, numRuns: 1000 },
  );
});

Deno.test("linesMissingFrom() returns nothing where the hub has the local lines in one piece", () => {
  fc.assert(
    fc.property(names, names, names, (before, local, after) => {
      const hub = [...before, ...local, ...after];
      assert.deepEqual(linesMissingFrom(hub.map(lineOf), local.map(lineOf)), []);
    }),
    { seed: 6, numRuns: 500 },
  );
});

Deno.test("linesMissingFrom() returns all lines where the sides share no record", () => {
  const side = (letters: readonly string[]) =>
    fc.array(fc.constantFrom(...letters), { maxLength: 8 });
  fc.assert(
    fc.property(side(["A", "B", "a"]), side(["C", "D", "a"]), (hub, local) => {
      fc.pre(local.some(isChain));
      assert.deepEqual(linesMissingFrom(hub.map(lineOf), local.map(lineOf)).map(nameOf), local);
    }),
    { seed: 7, numRuns: 500 },
  );
});

type Step =
  | { readonly kind: "push" | "pull"; readonly machine: number }
  | { readonly kind: "write"; readonly machine: number; readonly repeats: readonly string[] };

const machine = fc.constantFrom(0, 1, 2);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("write" as const),
    machine,
    repeats: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant("push" as const), machine }),
  fc.record({ kind: fc.constant("pull" as const), machine }),
);

/** Three machines that remember nothing between runs, and the hub. */
class Machines {
  readonly hub: string[] = ["A"];
  readonly locals: string[][] = [["A"], ["A"], ["A"]];
  readonly written: string[] = [];

  run(step: Step): void {
    const local = this.locals[step.machine] ?? [];
    if (step.kind === "write") {
      const record = `R${this.written.length}`;
      this.written.push(record);
      local.push(record, ...step.repeats);
    } else if (step.kind === "push") this.hub.push(...missingNames(this.hub, local));
    else this.locals[step.machine] = [...this.hub, ...missingNames(this.hub, local)];
  }
}

Deno.test("linesMissingFrom() makes three machines converge, whatever the order of pushes and pulls", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const machines = new Machines();
      steps.forEach((step) => machines.run(step));
      for (const kind of ["push", "pull"] as const) {
        for (const machine of [0, 1, 2]) machines.run({ kind, machine });
      }
      for (const local of machines.locals) assert.deepEqual(local, machines.hub);
      // Every record is there exactly once.
      assert.deepEqual(
        machines.hub.filter((name) => name.startsWith("R")).sort(),
        machines.written.sort(),
      );
    }),
    { seed: 8, numRuns: 500 },
  );
});

function assertSubsequence(part: readonly string[], whole: readonly string[]): void {
  let at = 0;
  for (const name of part) {
    at = whole.indexOf(name, at) + 1;
    assert.ok(at > 0, `${part.join(" ")} is no part of ${whole.join(" ")}`);
  }
}

/** Returns what two recorded transcripts merge to. */
function merged(hub: Uint8Array, local: Uint8Array): Uint8Array {
  return joinBytes([hub, ...missingOf(hub, local)]);
}

function missingOf(hub: Uint8Array, local: Uint8Array): Uint8Array[] {
  return linesMissingFrom(...afterCommon(splitLines(hub), splitLines(local), equalBytes));
}

/** A push sends complete lines only. */
const complete = (bytes: Uint8Array) => bytes.subarray(0, completeLength(bytes));

Deno.test("linesMissingFrom() merges recorded continuations to what Claude Code resumes", () => {
  assert.deepEqual(merged(variant("A"), variant("B")), variant("AB"));
  assert.deepEqual(merged(variant("B"), variant("A")), variant("BA"));
  assert.deepEqual(merged(variant("base"), variant("A")), variant("A"));
});

Deno.test("linesMissingFrom() knows the recorded continuations that the hub has", () => {
  const cases: readonly [hub: typeof VARIANTS[number], local: typeof VARIANTS[number]][] = [
    ["A", "base"],
    ["AB", "A"],
    ["AB", "B"],
    ["BA", "A"],
    ["AB", "BA"],
    ["BA", "AB"],
    ["dup", "A"],
    ["garb", "A"],
    ["torn", "A"],
    ["A", "nonl"],
  ];
  for (const [hub, local] of cases) {
    assert.deepEqual(missingOf(variant(hub), variant(local)), [], `hub ${hub}, local ${local}`);
  }
});

Deno.test("linesMissingFrom() takes damaged lines along, once", () => {
  const hub = variant("A");
  const text = (lines: readonly Uint8Array[]) => lines.map((line) => decoder.decode(line));
  const cases: readonly [typeof VARIANTS[number], readonly string[]][] = [
    ["garb", ["garbage {{{\n"]],
    ["torn", text(splitLines(variant("torn")).slice(-1))],
    ["bom", text(splitLines(variant("bom")).slice(0, 1))],
  ];
  for (const [name, expected] of cases) {
    const added = missingOf(hub, variant(name));
    assert.deepEqual(text(added), expected, name);
    assert.deepEqual(missingOf(joinBytes([hub, ...added]), variant(name)), [], name);
  }
});

Deno.test("linesMissingFrom() is at rest after one merge, for every pair of recorded transcripts", () => {
  for (const hub of VARIANTS) {
    for (const local of VARIANTS) {
      const there = complete(variant(hub));
      const here = complete(variant(local));
      const both = merged(there, here);
      assert.equal(missingOf(both, here).length, 0, `hub ${hub}, local ${local}`);
      assert.equal(missingOf(both, there).length, 0, `hub ${hub}, local ${local}`);
    }
  }
});
