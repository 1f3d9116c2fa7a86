import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import {
  type ChangeFacts,
  type HubState,
  type LocalState,
  planPull,
  planPush,
  planSidecarPull,
  planSidecarPush,
  planUndo,
  type PullAction,
  type PushAction,
  type SessionFacts,
  type SidecarFacts,
  type SidecarPull,
  type SidecarPush,
} from "../../src/sync/plan.ts";

const LOCAL: readonly LocalState[] = ["absent", "unchanged", "grown", "unknown"];
const HUB: readonly HubState[] = ["absent", "unchanged", "changed"];

/** The facts of a decision, and whether the user forced it. */
type Case = SessionFacts & { readonly force: boolean };
type Flag = Exclude<keyof Case, "local" | "hub">;

const FLAGS: readonly Flag[] = [
  "isAligned",
  "isPlaced",
  "isMoved",
  "isTorn",
  "isLive",
  "isRecent",
  "force",
];

/** Returns every combination of facts. */
function everyCase(): Case[] {
  const none = Object.fromEntries(FLAGS.map((flag) => [flag, false])) as Record<Flag, boolean>;
  const sides = LOCAL.flatMap((local) => HUB.map((hub): Case => ({ ...none, local, hub })));
  return FLAGS.reduce(
    (cases, flag) => cases.flatMap((facts) => [facts, { ...facts, [flag]: true }]),
    sides,
  );
}

/** What a row says of a case; what it does not say is left open. */
type Row<Action> = readonly [facts: Partial<Case>, action: Action];

/** Checks that of all cases each is decided as the first row says that fits, and that each row decides one. */
function assertDecisions<Action>(
  rows: readonly Row<Action>[],
  plan: (facts: Case) => Action,
): void {
  const used = new Set<Row<Action>>();
  for (const facts of everyCase()) {
    const row = rows.find(([partial]) => isDeepStrictEqual({ ...facts, ...partial }, facts));
    assert.ok(row !== undefined, `no row fits ${shown(facts)}`);
    used.add(row);
    assert.equal(plan(facts), row[1], shown(facts));
  }
  assert.equal(used.size, rows.length, "a row decides nothing");
}

const shown = (facts: unknown) => JSON.stringify(facts);

Deno.test("planPush() decides every combination of facts", () => {
  const rows: readonly Row<PushAction>[] = [
    [{ local: "absent" }, "none"],
    [{ hub: "absent" }, "create"],
    [{ local: "unknown" }, "merge"],
    [{ local: "grown", hub: "unchanged" }, "append"],
    [{ local: "grown", hub: "changed" }, "merge"],
    [{ local: "unchanged", isMoved: true }, "move"],
    [{ local: "unchanged", isMoved: false }, "none"],
  ];
  assertDecisions(rows, planPush);
});

Deno.test("planPull() decides every combination of facts", () => {
  const inPlace = { isAligned: true, isPlaced: true };
  const rows: readonly Row<PullAction>[] = [
    [{ hub: "absent" }, "none"],
    // Not here: never taken for a deletion.
    [{ local: "absent", isRecent: true }, "create"],
    [{ local: "absent", force: true }, "create"],
    [{ local: "absent" }, "leave-old"],
    // Nothing new in the hub, and the local file as it has to be.
    [{ local: "unchanged", hub: "unchanged", ...inPlace }, "none"],
    [{ local: "grown", hub: "unchanged", ...inPlace }, "none"],
    // Open in Claude Code: whatever there is to do waits.
    [{ isLive: true }, "wait"],
    [{ local: "unchanged", hub: "changed", ...inPlace, isTorn: false }, "append"],
    [{}, "merge"],
  ];
  assertDecisions(rows, (facts) => planPull(facts, facts.force));
});

/** A sidecar on both sides, in step. */
const SIDECAR: SidecarFacts = {
  local: "unchanged",
  hub: "unchanged",
  merge: "append",
  hasBase: true,
  isAligned: true,
  isPlaced: true,
};

Deno.test("planSidecarPush() sends what is new here, and never an absence", () => {
  const rows: readonly [facts: Partial<SidecarFacts>, action: SidecarPush][] = [
    [{ local: "absent", hub: "changed" }, "none"],
    [{ local: "absent", hub: "absent" }, "none"],
    [{ local: "unchanged", hub: "changed" }, "none"],
    [{ local: "unknown", hub: "absent" }, "create"],
    [{ local: "grown", hub: "absent" }, "create"],
    [{ local: "unknown", hub: "absent", merge: "replace", hasBase: false }, "create"],
    [{ local: "grown", hub: "unchanged" }, "append"],
    [{ local: "grown", hub: "changed" }, "merge"],
    [{ local: "unknown", hub: "unchanged" }, "merge"],
    [{ local: "unknown", hub: "changed", hasBase: false }, "merge"],
    [{ local: "grown", hub: "unchanged", merge: "replace" }, "replace"],
    [{ local: "unknown", hub: "unchanged", merge: "replace" }, "replace"],
    [{ local: "unknown", hub: "changed", merge: "replace" }, "replace"],
    [{ local: "unknown", hub: "changed", merge: "replace", hasBase: false }, "none"],
  ];
  for (const [facts, action] of rows) {
    assert.equal(planSidecarPush({ ...SIDECAR, ...facts }), action, shown(facts));
  }
});

Deno.test("planSidecarPull() brings what is new in the hub, and all of a session that is restored", () => {
  const rows: readonly [facts: Partial<SidecarFacts>, restores: boolean, action: SidecarPull][] = [
    [{ hub: "absent", local: "grown" }, true, "none"],
    [{ local: "absent", hub: "unchanged" }, false, "none"],
    [{ local: "absent", hub: "unchanged" }, true, "create"],
    [{ local: "absent", hub: "unchanged", hasBase: false }, false, "create"],
    [{ local: "absent", hub: "changed" }, false, "create"],
    [{}, false, "none"],
    [{ local: "grown" }, false, "none"],
    [{ local: "unknown" }, false, "join"],
    [{ hub: "changed" }, false, "join"],
    [{ hub: "changed", local: "grown" }, false, "join"],
    [{ isAligned: false }, false, "join"],
    [{ isPlaced: false }, false, "join"],
    [{ merge: "replace" }, false, "none"],
    [{ merge: "replace", hub: "changed" }, false, "replace"],
    [{ merge: "replace", isPlaced: false }, false, "replace"],
    // Changed here: it goes up with the next push.
    [{ merge: "replace", local: "unknown", hub: "changed" }, false, "none"],
    [{ merge: "replace", local: "grown", hub: "unchanged" }, false, "none"],
    [{ merge: "replace", local: "unknown", hub: "changed", hasBase: false }, false, "replace"],
  ];
  for (const [facts, restores, action] of rows) {
    assert.equal(planSidecarPull({ ...SIDECAR, ...facts }, restores), action, shown(facts));
  }
});

Deno.test("planUndo() never touches what was changed since", () => {
  const table: Record<string, Record<string, string>> = {
    create: { "absent": "leave", "as-before": "none", "as-left": "remove", "other": "leave" },
    replace: { "absent": "restore", "as-before": "none", "as-left": "restore", "other": "leave" },
    remove: { "absent": "leave", "as-before": "none", "as-left": "restore", "other": "leave" },
    append: { "absent": "leave", "as-before": "none", "as-left": "cut", "other": "leave" },
  };
  for (const [did, row] of Object.entries(table)) {
    for (const [now, action] of Object.entries(row)) {
      assert.equal(planUndo({ did, now } as ChangeFacts), action, `${did} ${now}`);
    }
  }
});
