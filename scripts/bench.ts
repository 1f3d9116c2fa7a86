/**
 * Measures whether cost follows the change, not the history (P6), on generated sessions that are shaped like
 * recorded ones: what is compared is run in turns on the same machine, and the medians of the ratios count.
 *
 * Usage: `deno task bench [--size 200MB] [--only ROW]... [--full] [--json PATH]`. `--full` is 1 GB, and ten
 * thousand pushes. Prints a table, and ends with code 1 where a row misses its reach.
 *
 * @module
 */
import { loadavg } from "node:os";
import { CcsyncError, EXIT_CODES } from "../src/errors.ts";
import "../tests/support/hermetic_git.ts";
import { benchChange, benchHistory } from "./bench/change.ts";
import { benchFirstPull, benchFirstPush } from "./bench/first.ts";
import { benchGrowth, benchMany } from "./bench/growth.ts";
import { benchMemory } from "./bench/memory.ts";
import { type Finding, formatFindings, isReached } from "./bench/report.ts";
import { benchResume } from "./bench/resume.ts";
import { benchSessions, benchStart } from "./bench/sessions.ts";
import type { Scale } from "./bench/stage.ts";
import { benchTranslation } from "./bench/translation.ts";
import { asProgram, readFlags } from "./command_line.ts";

/** The rows by the names that `--only` takes. */
export const ROWS: Readonly<Record<string, (scale: Scale) => Promise<Finding[]>>> = {
  "translate": benchTranslation,
  "first-push": benchFirstPush,
  "first-pull": benchFirstPull,
  "change": benchChange,
  "history": benchHistory,
  "growth": benchGrowth,
  "many": benchMany,
  "sessions": benchSessions,
  "start": benchStart,
  "resume": benchResume,
  "memory": benchMemory,
};

const FLAGS = {
  size: { type: "string" },
  only: { type: "string", multiple: true, default: Object.keys(ROWS) },
  full: { type: "boolean", default: false },
  history: { type: "string", default: "1GB" },
  giant: { type: "string", default: "2GB" },
  pushes: { type: "string" },
  sessions: { type: "string", default: "5000" },
  rounds: { type: "string", default: "9" },
  json: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

const HELP = `Measure what ccsync costs, against the same work without it.

Usage: deno task bench [options]

Options:
  --size SIZE      Bytes of transcripts (default: 200MB; with --full 1GB)
  --only ROW       Only this row; repeatable
                   ${Object.keys(ROWS).join(", ")}
  --full           1 GB, and ten thousand pushes
  --history SIZE   Of the row history (default: 1GB)
  --giant SIZE     Of the one session of the row memory (default: 2GB)
  --pushes N       Of the row many (default: 1000; with --full 10000)
  --sessions N     Of the row sessions (default: 5000)
  --rounds N       How often short work is measured; long work a third as often (default: 9)
  --json PATH      Write the same there as JSON
  --help           Show this text

CCSYNC_BIN names the executable to measure; without it, the source is. Ends with code 1 where
a row misses its reach.`;

/** What to measure, and how much of it. */
export interface BenchOptions {
  readonly help: boolean;
  readonly scale: Scale;
  readonly rows: readonly string[];
  readonly json: string | undefined;
}

const UNITS = { "": 1, KB: 1e3, MB: 1e6, GB: 1e9 } as const;

/** Reads `200MB`, `1GB`. */
export function parseSize(text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)(|KB|MB|GB)$/.exec(text.trim().toUpperCase()) ??
    [];
  if (number !== undefined) return Number(number) * UNITS[unit as keyof typeof UNITS];
  throw usage(`"${text}" is no size`, "write for example: --size 200MB");
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw usage(`"${text}" is no number of things`, "write for example: --sessions 5000");
}

function usage(why: string, hint: string): CcsyncError {
  return new CcsyncError("usage", `cannot run the bench: ${why}`, { hints: [hint] });
}

/**
 * Reads the command line.
 *
 * @throws {CcsyncError} kind "usage"
 */
export function parseOptions(args: readonly string[]): BenchOptions {
  const values = readFlags(args, FLAGS, "deno task bench --help");
  for (const row of values.only) {
    if (Object.hasOwn(ROWS, row)) continue;
    throw usage(`there is no row "${row}"`, `rows: ${Object.keys(ROWS).join(", ")}`);
  }
  const short = parseCount(values.rounds);
  return {
    help: values.help,
    rows: values.only,
    json: values.json,
    scale: {
      size: parseSize(values.size ?? (values.full ? "1GB" : "200MB")),
      history: parseSize(values.history),
      giant: parseSize(values.giant),
      sessions: parseCount(values.sessions),
      pushes: parseCount(values.pushes ?? (values.full ? "10000" : "1000")),
      rounds: { short, long: Math.max(1, Math.round(short / 3)) },
    },
  };
}

const encoder = new TextEncoder();
const say = (text: string) => Deno.stdout.writeSync(encoder.encode(text + "\n"));
const tell = (text: string) => Deno.stderr.writeSync(encoder.encode(text + "\n"));

/** Returns the load of the last minute: what absolute times are worth. */
const load = () => loadavg()[0] ?? 0;

async function main(): Promise<number> {
  const { help, json, rows, scale } = parseOptions(Deno.args);
  if (help) {
    say(HELP);
    return 0;
  }
  const findings: Finding[] = [];
  const loads: number[] = [];
  for (const row of rows) {
    tell(`${new Date().toISOString()} ${row}, load ${load().toFixed(1)}`);
    loads.push(load());
    findings.push(...await ROWS[row]?.(scale) ?? []);
    tell(formatFindings(findings));
  }
  say(formatFindings(findings));
  const about = {
    at: new Date().toISOString(),
    deno: Deno.version.deno,
    cores: navigator.hardwareConcurrency,
    load: loads,
    scale,
  };
  say(JSON.stringify(about));
  if (json !== undefined) {
    await Deno.writeTextFile(json, JSON.stringify({ ...about, findings }, null, 2) + "\n");
  }
  return findings.every(isReached) ? 0 : EXIT_CODES.failed;
}

if (import.meta.main) Deno.exitCode = await asProgram(main);
