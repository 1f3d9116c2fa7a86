import assert from "node:assert/strict";
import {
  planTextPull,
  planTextPush,
  type TextFacts,
  type TextPull,
  type TextPush,
} from "../../src/memory/plan.ts";

const FACTS: TextFacts = {
  local: "unchanged",
  hub: "unchanged",
  hasBase: true,
  isSetGone: false,
  isPlaced: true,
  hasNews: false,
  lacksNews: false,
};

interface Case extends Partial<TextFacts> {
  readonly what: string;
  readonly push: TextPush;
  readonly pull: TextPull;
}

const NEW = { hasBase: false } as const;
const BOTH = { local: "changed", hub: "changed" } as const;

const CASES: readonly Case[] = [
  { what: "nothing changed", push: "none", pull: "none" },
  { what: "changed here", local: "changed", push: "send", pull: "none" },
  { what: "changed there", hub: "changed", push: "none", pull: "take" },
  { what: "deleted here", local: "absent", push: "delete", pull: "none" },
  { what: "deleted there", hub: "absent", push: "none", pull: "delete" },
  { what: "deleted on both", local: "absent", hub: "absent", push: "none", pull: "none" },
  {
    what: "deleted here, edited there",
    local: "absent",
    hub: "changed",
    push: "none",
    pull: "take",
  },
  {
    what: "edited here, deleted there",
    local: "changed",
    hub: "absent",
    push: "send",
    pull: "none",
  },
  { what: "new here", ...NEW, local: "changed", hub: "absent", push: "send", pull: "none" },
  { what: "new there", ...NEW, local: "absent", hub: "changed", push: "none", pull: "take" },
  {
    what: "changed on both, each has news",
    ...BOTH,
    hasNews: true,
    lacksNews: true,
    push: "merge",
    pull: "merge",
  },
  {
    what: "changed on both, only here are news",
    ...BOTH,
    hasNews: true,
    push: "merge",
    pull: "none",
  },
  {
    what: "changed on both, only there are news",
    ...BOTH,
    lacksNews: true,
    push: "none",
    pull: "take",
  },
  { what: "changed on both to the same", ...BOTH, push: "none", pull: "none" },
  {
    what: "new on both",
    ...NEW,
    ...BOTH,
    hasNews: true,
    lacksNews: true,
    push: "merge",
    pull: "merge",
  },
  { what: "the set is gone", local: "absent", isSetGone: true, push: "none", pull: "take" },
  {
    what: "the set is gone, deleted there",
    local: "absent",
    hub: "absent",
    isSetGone: true,
    push: "none",
    pull: "none",
  },
  { what: "in another place", isPlaced: false, push: "none", pull: "take" },
  {
    what: "in another place, changed here",
    local: "changed",
    isPlaced: false,
    push: "send",
    pull: "merge",
  },
  {
    what: "in another place, changed there",
    hub: "changed",
    isPlaced: false,
    push: "none",
    pull: "take",
  },
  {
    what: "in another place, changed on both to the same",
    ...BOTH,
    isPlaced: false,
    push: "none",
    pull: "merge",
  },
  {
    what: "in another place, deleted there",
    hub: "absent",
    isPlaced: false,
    push: "none",
    pull: "delete",
  },
];

for (const { what, push, pull, ...facts } of CASES) {
  Deno.test(`planTextPush(), planTextPull(): ${what}`, () => {
    const all = { ...FACTS, ...facts };
    assert.deepEqual([planTextPush(all), planTextPull(all)], [push, pull]);
  });
}

const STATES = ["absent", "unchanged", "changed"] as const;
const BOOLEANS = [true, false] as const;

/** Every combination of facts that can be. */
function allFacts(): TextFacts[] {
  const facts: TextFacts[] = [];
  for (const local of STATES) {
    for (const hub of STATES) {
      for (const hasBase of BOOLEANS) {
        if (!hasBase && (local === "unchanged" || hub === "unchanged")) continue;
        for (const isSetGone of BOOLEANS) {
          for (const isPlaced of BOOLEANS) {
            for (const hasNews of BOOLEANS) {
              for (const lacksNews of BOOLEANS) {
                facts.push({ local, hub, hasBase, isSetGone, isPlaced, hasNews, lacksNews });
              }
            }
          }
        }
      }
    }
  }
  return facts;
}

Deno.test("a text is deleted only where the other side deleted what nobody changed", () => {
  for (const facts of allFacts()) {
    const { hasBase, hub, isSetGone, local } = facts;
    const isDeletedHere = hasBase && local === "absent" && hub === "unchanged" && !isSetGone;
    assert.equal(planTextPush(facts) === "delete", isDeletedHere);
    const isDeletedThere = hasBase && hub === "absent" && local === "unchanged";
    assert.equal(planTextPull(facts) === "delete", isDeletedThere);
  }
});

Deno.test("a local change is never replaced by what lacks it", () => {
  for (const facts of allFacts().filter(({ local }) => local === "changed")) {
    if (planTextPull(facts) === "take") assert.equal(facts.hasNews, false);
  }
});
