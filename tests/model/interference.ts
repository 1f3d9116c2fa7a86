/**
 * What can happen to a run of ccsync inside this process: it is killed at a step, one file cannot be touched,
 * the disk is full, or another machine is faster. The effects of the program are wrapped where they leave it,
 * `Deno`, git and SQLite, so that the program itself needs no seam.
 *
 * Once it is killed, no effect gets through any more: clean-up that a dead process would not do does not
 * happen. What this does not show is a git process that dies half-way, and a power cut.
 *
 * @module
 */
import { DatabaseSync, StatementSync } from "node:sqlite";

/** What happens, and at which of the steps that this can happen to, counted from 1. */
export interface Interference {
  readonly kind: "kill" | "deny" | "full";
  readonly at: number;
}

/** How a run that may have been interfered with ended. */
export type Outcome<T> =
  | { readonly ended: "as usual"; readonly result: T }
  /** It came to the step. What it returned, if it was not stopped, need not be flawless. */
  | { readonly ended: "interfered with" };

interface Run {
  readonly interference: Interference | undefined;
  beforePush: (() => Promise<void>) | undefined;
  steps: number;
  isHit: boolean;
  isDead: boolean;
}

let run: Run | undefined;

/** The message of every error that is put in here. */
const MESSAGE = "put in by the test";

/**
 * Runs a piece of ccsync, interfered with.
 *
 * @param beforePush What another machine does right before this one's push reaches the hub, once
 * @throws whatever the work throws, unless it is the consequence of the interference
 */
export async function interfered<T>(
  interference: Interference | undefined,
  beforePush: (() => Promise<void>) | undefined,
  work: () => Promise<T>,
): Promise<Outcome<T>> {
  const mine: Run = { interference, beforePush, steps: 0, isHit: false, isDead: false };
  run = mine;
  try {
    const result = await work();
    return mine.isHit ? { ended: "interfered with" } : { ended: "as usual", result };
  } catch (error) {
    if (mine.isDead || (mine.isHit && String(error).includes(MESSAGE))) {
      return { ended: "interfered with" };
    }
    throw error;
  } finally {
    run = undefined;
  }
}

/** Counts a step of a kind; returns whether it is the one. A dead process takes none. */
function isHit(kind: Interference["kind"]): boolean {
  if (run === undefined) return false;
  if (run.isDead) throw new Error(`killed, ${MESSAGE}`);
  if (run.interference?.kind !== kind || ++run.steps !== run.interference.at) return false;
  run.isHit = true;
  return true;
}

function killable(): void {
  if (!isHit("kill")) return;
  die();
}

function die(): never {
  if (run !== undefined) run.isDead = true;
  throw new Error(`killed, ${MESSAGE}`);
}

type Call = (...args: unknown[]) => unknown;

function wrap(
  owner: object,
  name: string,
  around: (call: (...args: unknown[]) => unknown, args: unknown[]) => unknown,
): void {
  const original = Reflect.get(owner, name) as Call;
  const value = function (this: unknown, ...args: unknown[]): unknown {
    return around((...given) => Reflect.apply(original, this, given), args);
  };
  Object.defineProperty(owner, name, { configurable: true, writable: true, value });
}

/** What changes files, besides writing into an open one. */
const CHANGES = ["mkdirSync", "renameSync", "removeSync", "copyFileSync", "chmodSync", "utimeSync"];
const LOOKS = ["openSync", "lstatSync", "statSync", "readDirSync"];

for (const name of [...CHANGES, ...LOOKS]) {
  wrap(Deno, name, (call, args) => {
    const isChange = CHANGES.includes(name) || (name === "openSync" && isForWriting(args[1]));
    if (isChange) killable();
    if (String(args[0]).includes("/.claude/") && isHit("deny")) {
      throw new Deno.errors.PermissionDenied(MESSAGE);
    }
    return call(...args);
  });
}

const isForWriting = (options: unknown) =>
  typeof options === "object" && options !== null && ("write" in options || "append" in options);

wrap(Deno.FsFile.prototype, "writeSync", (call, [bytes]) => {
  const half = (bytes as Uint8Array).subarray(0, (bytes as Uint8Array).length >> 1);
  if (isHit("kill")) {
    call(half);
    die();
  }
  if (isHit("full")) {
    call(half);
    throw new Error(`No space left on device, ${MESSAGE}`);
  }
  return call(bytes);
});

for (const owner of [DatabaseSync.prototype, StatementSync.prototype]) {
  for (const name of ["exec", "run"]) {
    if (!(name in owner)) continue;
    wrap(owner, name, (call, args) => {
      killable();
      return call(...args);
    });
  }
}

/** What git does that lasts. */
const GIT_EFFECTS: ReadonlySet<string> = new Set([
  "fast-import",
  "fetch",
  "gc",
  "init",
  "push",
  "update-ref",
]);

Deno.Command = class extends Deno.Command {
  readonly #effect: string | undefined;

  constructor(command: string | URL, options?: Deno.CommandOptions) {
    super(command, options);
    this.#effect = options?.args?.find((arg) => GIT_EFFECTS.has(arg));
  }

  override async output(): Promise<Deno.CommandOutput> {
    if (this.#effect === undefined) return await super.output();
    killable();
    if (this.#effect === "push") await overtake();
    const result = await super.output();
    // Git did it, and nobody noted it.
    killable();
    return result;
  }

  override spawn(): Deno.ChildProcess {
    if (this.#effect !== undefined) killable();
    return super.spawn();
  }
};

async function overtake(): Promise<void> {
  const mine = run;
  if (mine?.beforePush === undefined) return;
  const other = mine.beforePush;
  mine.beforePush = undefined;
  run = undefined;
  await other();
  run = mine;
}
