/**
 * Preloaded into ccsync by tests (`deno run --preload`): counts its steps, and ends the process with SIGKILL
 * at a chosen one. A step is whatever may leave something behind: a change of files, a statement of the
 * state's that is not inside a transaction, a program that is started, and the first it is given to read.
 *
 * Between two steps nothing that lasts is done, so to be killed right before a step is to be killed right
 * after the one before it. A write is cut in half, which only a crash does.
 *
 * `KILL_AT`: the number of that step, from 1; 0 for none. `KILL_LOG`: the file that receives a line a step.
 *
 * @module
 */
import { DatabaseSync, StatementSync } from "node:sqlite";
import { basename } from "node:path";

const chosen = Number(Deno.env.get("KILL_AT") ?? 0);
const log = Deno.env.get("KILL_LOG");
const { kill, lstatSync, pid, writeTextFileSync } = Deno;
let steps = 0;

/** Notes a step that is about to be taken, and returns whether it is the chosen one. */
function isChosen(what: string): boolean {
  steps++;
  if (log !== undefined) writeTextFileSync(log, `${what}\n`, { append: true });
  return steps === chosen;
}

function step(what: string): void {
  if (isChosen(what)) kill(pid, "SIGKILL");
}

type Method = (...args: unknown[]) => unknown;

/** Replaces a method by one that is given the old one. */
function wrap(
  target: object,
  name: string,
  work: (original: Method, args: unknown[]) => unknown,
): void {
  const original: unknown = Reflect.get(target, name);
  if (typeof original !== "function") throw new TypeError(`there is no ${name}`);
  Reflect.set(target, name, function (this: unknown, ...args: unknown[]): unknown {
    return work((...passed) => Reflect.apply(original, this, passed), args);
  });
}

function isThere(path: unknown): boolean {
  try {
    lstatSync(String(path));
    return true;
  } catch {
    // Whatever keeps it from being looked at, the step itself will meet it, too.
    return false;
  }
}

const CHANGES = [
  "copyFileSync",
  "linkSync",
  "removeSync",
  "renameSync",
  "symlinkSync",
  "truncateSync",
  "utimeSync",
  "writeFileSync",
  "writeTextFileSync",
];
for (const name of CHANGES) {
  wrap(Deno, name, (original, args) => {
    step(`${name} ${basename(String(args[0]))}`);
    return original(...args);
  });
}
for (const name of ["mkdirSync", "openSync"]) {
  wrap(Deno, name, (original, args) => {
    if (!isThere(args[0])) step(`${name} ${basename(String(args[0]))}`);
    return original(...args);
  });
}
wrap(Deno, "chmodSync", (original, args) => {
  const [path, mode] = args;
  if ((lstatSync(String(path)).mode ?? 0) % 0o1000 !== mode) step(`chmodSync ${path}`);
  return original(...args);
});
for (const name of ["truncateSync", "utimeSync"]) {
  wrap(Deno.FsFile.prototype, name, (original, args) => {
    step(name);
    return original(...args);
  });
}
wrap(Deno.FsFile.prototype, "writeSync", (original, args) => {
  const [bytes] = args;
  if (bytes instanceof Uint8Array && isChosen(`writeSync ${bytes.length}`)) {
    original(bytes.subarray(0, bytes.length >> 1));
    kill(pid, "SIGKILL");
  }
  return original(...args);
});

/** A state that is there already has its tables. */
const hadState = isThere(`${Deno.env.get("CCSYNC_HOME")}/state.db`);
let depth = 0;
wrap(DatabaseSync.prototype, "exec", (original, args) => {
  const statement = String(args[0]).trim();
  if (/^(?:SAVEPOINT|BEGIN)/.test(statement)) depth++;
  if (/^(?:RELEASE|COMMIT|ROLLBACK)/.test(statement)) depth--;
  const isStep = depth === 0 && !/^(?:ROLLBACK|PRAGMA journal)/.test(statement);
  if (isStep && !(hadState && /^CREATE/.test(statement))) step(statement.split("\n")[0] ?? "");
  return original(...args);
});
wrap(StatementSync.prototype, "run", (original, args) => {
  if (depth === 0) step(`statement ${args[0]}`);
  return original(...args);
});

/** Calls of git that only look. */
const LOOKS =
  /^(?:--version|cat-file|diff-tree|for-each-ref|ls-remote|ls-tree|merge-base|rev-parse)$/;

let isGivenNothing = false;

Deno.Command = class extends Deno.Command {
  readonly #name: string;

  constructor(program: string | URL, options: Deno.CommandOptions = {}) {
    super(program, options);
    const { args = [] } = options;
    const at = args.indexOf("--git-dir");
    const verb = args.slice(at === -1 ? 0 : at + 2).find((arg) =>
      !arg.includes("=") && arg !== "-c"
    );
    this.#name = LOOKS.test(verb ?? "") ? "" : `${basename(String(program))} ${verb ?? ""}`;
  }

  override output(): Promise<Deno.CommandOutput> {
    if (this.#name !== "") step(this.#name);
    return super.output();
  }

  override spawn(): Deno.ChildProcess {
    if (this.#name !== "") {
      step(this.#name);
      isGivenNothing = true;
    }
    return super.spawn();
  }
};

wrap(WritableStreamDefaultWriter.prototype, "write", (original, args) => {
  if (isGivenNothing) step("input");
  isGivenNothing = false;
  return original(...args);
});
