/**
 * Plan and merge together, on machines that are nothing but maps: whatever people do and in whatever order
 * machines push and pull, all end with the same texts, and no line is lost that nobody took away.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { mergeFiles } from "../../src/memory/merge.ts";
import { planTextPull, planTextPush, type TextFacts } from "../../src/memory/plan.ts";
import { byteText } from "../../src/translate/bytes.ts";
import { latin1 } from "./support.ts";

interface Version {
  readonly text: string;
  readonly oid: number;
}

class Hub {
  readonly texts = new Map<string, Version>();
  #oid = 1;

  write(path: string, text: string): number {
    const oid = this.#oid++;
    this.texts.set(path, { text, oid });
    return oid;
  }
}

/** The oid of a base of which the hub has more. */
const MORE = 0;

class Machine {
  readonly texts = new Map<string, string>();
  readonly bases = new Map<string, Version>();
  readonly #hub: Hub;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  push(): void {
    for (const { path, facts, merged } of this.#all()) {
      const action = planTextPush(facts);
      const local = this.texts.get(path) ?? "";
      if (action === "delete") {
        this.#hub.texts.delete(path);
        this.bases.delete(path);
      } else if (action !== "none") {
        const text = action === "merge" ? merged : local;
        const oid = this.#hub.write(path, text);
        this.bases.set(path, { text: local, oid: text === local ? oid : MORE });
      }
    }
  }

  pull(): void {
    for (const { path, facts, merged } of this.#all()) {
      const action = planTextPull(facts);
      const theirs = this.#hub.texts.get(path);
      if (action === "delete") {
        this.texts.delete(path);
        this.bases.delete(path);
      } else if (action !== "none" && theirs !== undefined) {
        this.texts.set(path, action === "merge" ? merged : theirs.text);
        this.bases.set(path, theirs);
      }
    }
  }

  #all(): { path: string; facts: TextFacts; merged: string }[] {
    const paths = [...this.texts.keys(), ...this.bases.keys(), ...this.#hub.texts.keys()];
    return [...new Set(paths)].map((path) => {
      const [local, base, hub] = [
        this.texts.get(path),
        this.bases.get(path),
        this.#hub.texts.get(path),
      ];
      const both = local !== undefined && hub !== undefined;
      const merged = both ? merge(base?.text ?? "", local, hub.text) : "";
      const facts: TextFacts = {
        local: local === undefined ? "absent" : local === base?.text ? "unchanged" : "changed",
        hub: hub === undefined ? "absent" : hub.oid === base?.oid ? "unchanged" : "changed",
        hasBase: base !== undefined,
        isSetGone: this.texts.size === 0,
        isPlaced: true,
        hasNews: both && merged !== hub.text,
        lacksNews: both && merged !== local,
      };
      if (both && !facts.hasNews && !facts.lacksNews) {
        this.bases.set(path, { text: local, oid: hub.oid });
      }
      if (local === undefined && hub === undefined) this.bases.delete(path);
      return { path, facts, merged };
    });
  }
}

function merge(base: string, local: string, hub: string): string {
  const merged = mergeFiles("a.md", latin1(base), latin1(local), latin1(hub));
  assert.ok(merged !== undefined);
  return byteText(merged);
}

const step = fc.record({
  machine: fc.nat(2),
  what: fc.constantFrom(
    "push",
    "pull",
    "push",
    "pull",
    "add",
    "add",
    "change",
    "delete line",
    "delete",
    "crash",
    "forget",
  ),
  path: fc.constantFrom("a", "b", "c"),
  at: fc.nat(6),
});

Deno.test("two and three machines converge, and no line is lost that nobody took away", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 2, max: 3 }),
      (steps, count) => {
        const hub = new Hub();
        const machines = Array.from({ length: count }, () => new Machine(hub));
        const written = new Set<string>();
        const removed = new Set<string>();
        for (const [i, { machine: which, what, path, at }] of steps.entries()) {
          const machine = machines[which % count];
          assert.ok(machine !== undefined);
          const lines = machine.texts.get(path)?.split("\n").slice(0, -1) ?? [];
          const line = `line ${i}`;
          const place = Math.min(at, lines.length);
          if (what === "push") machine.push();
          else if (what === "pull") machine.pull();
          else if (what === "forget") machine.bases.clear();
          else if (what === "crash") {
            const bases = new Map(machine.bases);
            machine.push();
            machine.bases.clear();
            for (const [path, base] of bases) machine.bases.set(path, base);
          } else if (what === "delete") {
            for (const line of lines) removed.add(line);
            machine.texts.delete(path);
          } else {
            const gone = lines.splice(
              place,
              what === "add" ? 0 : 1,
              ...(what === "delete line" ? [] : [line]),
            );
            for (const line of gone) removed.add(line);
            if (what !== "delete line") written.add(line);
            machine.texts.set(path, lines.map((line) => `${line}\n`).join(""));
          }
        }
        for (let round = 0; round < 2; round++) {
          for (const machine of machines) {
            machine.push();
            machine.pull();
          }
        }
        for (const machine of machines) machine.pull();
        const shared = Object.fromEntries([...hub.texts].map(([path, { text }]) => [path, text]));
        for (const machine of machines) assert.deepEqual(Object.fromEntries(machine.texts), shared);
        const all = Object.values(shared).join("").split("\n");
        for (const line of written) {
          if (!removed.has(line)) assert.ok(all.includes(line), `"${line}" is lost`);
        }
        for (const text of Object.values(shared)) {
          const lines = text.split("\n");
          assert.equal(
            new Set(lines).size,
            lines.length,
            `doubled lines in ${JSON.stringify(text)}`,
          );
        }
      },
    ),
    { numRuns: 3_000 },
  );
});
