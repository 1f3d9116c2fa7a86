/**
 * What can happen in the model, as data: a run is a list of these, and its seed gives the same list again.
 *
 * @module
 */
import fc from "fast-check";
import type { Interference } from "./interference.ts";

/** What stops or delays a command of ccsync. */
export interface Trouble {
  readonly interference?: Interference;
  /** The machine that pushes in between. */
  readonly overtakenBy?: number;
}

/**
 * One event. Numbers choose among what there is at that moment; where there is nothing to choose from,
 * nothing happens.
 */
export type Command =
  | { readonly do: "nothing" }
  /** A conversation goes on: prompts, and what Claude Code re-appends after them. */
  | {
    readonly do: "talk";
    readonly on: number;
    readonly session: number;
    readonly prompts: number;
    readonly closes: boolean;
  }
  | { readonly do: "begin"; readonly on: number; readonly project: number }
  | { readonly do: "agent"; readonly on: number; readonly session: number }
  | { readonly do: "result"; readonly on: number; readonly session: number }
  /** A line is cut off, and the rest comes when the same session is torn again. */
  | { readonly do: "tear"; readonly on: number; readonly session: number }
  /** Claude Code takes its last line back. */
  | { readonly do: "tombstone"; readonly on: number; readonly session: number }
  | { readonly do: "touch"; readonly on: number; readonly session: number }
  | { readonly do: "cd"; readonly on: number; readonly session: number; readonly project: number }
  | { readonly do: "open"; readonly on: number; readonly session: number }
  | { readonly do: "close"; readonly on: number }
  | { readonly do: "clean-up"; readonly on: number; readonly session: number }
  | { readonly do: "note"; readonly on: number; readonly project: number; readonly note: number }
  | { readonly do: "unlearn"; readonly on: number; readonly note: number; readonly line: number }
  | { readonly do: "forget-note"; readonly on: number; readonly note: number }
  | { readonly do: "forget-folder"; readonly on: number; readonly note: number }
  | { readonly do: "wait"; readonly days: number }
  /** What an operation changed here is taken back: the last one, or one before it. */
  | {
    readonly do: "undo";
    readonly on: number;
    readonly operation: number;
    readonly trouble: Trouble;
  }
  /** A session is resumed, whoever has it locked. */
  | {
    readonly do: "take";
    readonly on: number;
    readonly session: number;
    readonly trouble: Trouble;
  }
  /** What a machine does every few minutes with a session that it resumed, and when that ends. */
  | {
    readonly do: "keep";
    readonly on: number;
    readonly session: number;
    readonly ends: boolean;
    readonly trouble: Trouble;
  }
  | { readonly do: "lose"; readonly on: number; readonly what: "state" | "mirror" }
  | { readonly do: "push"; readonly on: number; readonly trouble: Trouble }
  | {
    readonly do: "pull";
    readonly on: number;
    readonly isForced: boolean;
    readonly trouble: Trouble;
  }
  | {
    readonly do: "set-path";
    readonly on: number;
    readonly placeholder: number;
    readonly path: number;
    /** The machine whose path it is. */
    readonly of: number;
    readonly trouble: Trouble;
  };

/** How many commands a run has. */
export const LENGTH = 30;

const on = fc.nat(2);
const session = fc.nat(5);
const project = fc.nat(2);
const note = fc.nat(3);

const interference: fc.Arbitrary<Interference> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("kill"), at: steps(60) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("deny"), at: steps(150) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("full"), at: steps(6) }) },
);

function steps(max: number): fc.Arbitrary<number> {
  return fc.integer({ min: 1, max });
}

const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  { withCrossShrink: true },
  { weight: 6, arbitrary: fc.constant({}) },
  { weight: 3, arbitrary: fc.record({ interference }) },
  { weight: 1, arbitrary: fc.record({ overtakenBy: on }) },
);

const WEIGHTED: readonly (readonly [number, fc.Arbitrary<Command>])[] = [
  [
    14,
    fc.record({
      do: fc.constant("talk"),
      on,
      session,
      prompts: fc.integer({ min: 0, max: 3 }),
      closes: fc.boolean(),
    }),
  ],
  [2, fc.record({ do: fc.constant("begin"), on, project })],
  [3, fc.record({ do: fc.constant("agent"), on, session })],
  [2, fc.record({ do: fc.constant("result"), on, session })],
  [3, fc.record({ do: fc.constant("tear"), on, session })],
  [1, fc.record({ do: fc.constant("tombstone"), on, session })],
  [1, fc.record({ do: fc.constant("touch"), on, session })],
  [2, fc.record({ do: fc.constant("cd"), on, session, project })],
  [1, fc.record({ do: fc.constant("open"), on, session })],
  [1, fc.record({ do: fc.constant("close"), on })],
  [2, fc.record({ do: fc.constant("clean-up"), on, session })],
  [4, fc.record({ do: fc.constant("note"), on, project, note })],
  [1, fc.record({ do: fc.constant("unlearn"), on, note, line: fc.nat(5) })],
  [1, fc.record({ do: fc.constant("forget-note"), on, note })],
  [1, fc.record({ do: fc.constant("forget-folder"), on, note })],
  [1, fc.record({ do: fc.constant("wait"), days: fc.constantFrom(1, 20, 40) })],
  [
    2,
    fc.record({ do: fc.constant("lose"), on, what: fc.constantFrom("state", "state", "mirror") }),
  ],
  [2, fc.record({ do: fc.constant("undo"), on, operation: fc.nat(2), trouble })],
  [3, fc.record({ do: fc.constant("take"), on, session, trouble })],
  [3, fc.record({ do: fc.constant("keep"), on, session, ends: fc.boolean(), trouble })],
  [8, fc.record({ do: fc.constant("push"), on, trouble })],
  [7, fc.record({ do: fc.constant("pull"), on, isForced: fc.boolean(), trouble })],
  [
    2,
    fc.record({
      do: fc.constant("set-path"),
      on,
      placeholder: fc.nat(1),
      path: fc.nat(2),
      of: on,
      trouble,
    }),
  ],
];

const command: fc.Arbitrary<Command> = fc.oneof(
  // A command that a failure does not need shrinks to none.
  { withCrossShrink: true },
  { weight: 1, arbitrary: fc.constant<Command>({ do: "nothing" }) },
  ...WEIGHTED.map(([weight, arbitrary]) => ({ weight: weight * 2, arbitrary })),
);

/** The commands of one run. */
export const commands: fc.Arbitrary<Command[]> = fc.array(command, {
  minLength: LENGTH,
  maxLength: LENGTH,
});
