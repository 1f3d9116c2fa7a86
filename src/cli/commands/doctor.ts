import { EXIT_CODES } from "../../errors.ts";
import { readConfig } from "../../machine/config.ts";
import { examineAll } from "../../sync/doctor/doctor.ts";
import { failed, type Finding } from "../../sync/doctor/finding.ts";
import { checkPrograms } from "../../sync/doctor/machine.ts";
import { type Context, type Ending, inWorkspace } from "../context.ts";
import { clean, type Terminal } from "../terminal.ts";

/** Options of `ccsync doctor`. */
export interface DoctorOptions {
  readonly fix?: boolean | undefined;
}

/** Examines the set-up, and mends what is safe to mend where that is asked for. */
export async function runDoctor(context: Context, options: DoctorOptions): Promise<Ending> {
  const { env, terminal } = context;
  const programs = await checkPrograms(env);
  const examination = await examined(context, programs, options.fix === true);
  const { mended } = examination;
  const findings = [...programs, ...examination.findings];
  const left = findings.filter((finding) => !mended.includes(finding));
  if (terminal.options.isJson) {
    terminal.json(findings.map(({ fix: _, ...finding }) => {
      return { ...finding, isMended: mended.some(({ what }) => what === finding.what) };
    }));
  } else {
    terminal.result(findings.map((finding) => lineOf(terminal, finding, mended)).join("\n"));
    terminal.note(summaryOf(left, mended));
  }
  return left.some(({ level }) => level === "error") ? { code: EXIT_CODES.failed } : "done";
}

interface Examination {
  readonly findings: readonly Finding[];
  readonly mended: readonly Finding[];
}

/** Nothing more can be looked at without git, or without a configuration. */
async function examined(
  context: Context,
  programs: readonly Finding[],
  isMending: boolean,
): Promise<Examination> {
  const { env } = context;
  if (programs.some(({ level }) => level === "error")) return { findings: [], mended: [] };
  try {
    readConfig(env.ccsyncHome, env.style);
  } catch (error) {
    return { findings: [failed("set-up", error)], mended: [] };
  }
  return await inWorkspace(context, async (workspace) => {
    const findings = await examineAll(workspace);
    return { findings, mended: isMending ? await mend(findings) : [] };
  });
}

async function mend(findings: readonly Finding[]): Promise<Finding[]> {
  const mended: Finding[] = [];
  for (const finding of findings) {
    if (finding.fix === undefined) continue;
    await finding.fix();
    mended.push(finding);
  }
  return mended;
}

function lineOf(
  { colors }: Terminal,
  finding: Finding,
  mended: readonly Finding[],
): string {
  const { level, mend, topic, what } = finding;
  const isMended = mended.includes(finding);
  const paint = { ok: colors.green, warning: colors.yellow, error: colors.red }[level];
  const word = paint((isMended ? "mended" : level).padEnd(7));
  const line = `${word}  ${topic.padEnd(12)}  ${clean(what)}`;
  return mend === undefined || isMended ? line : `${line}\n${" ".repeat(23)}-> ${clean(mend)}`;
}

function summaryOf(left: readonly Finding[], mended: readonly Finding[]): string {
  const count = (level: Finding["level"]) =>
    left.filter((finding) => finding.level === level).length;
  const fixable = left.filter(({ fix }) => fix !== undefined).length;
  const parts = [
    `${count("error")} errors, ${count("warning")} warnings`,
    ...(mended.length > 0 ? [`${mended.length} mended`] : []),
    ...(fixable > 0 ? [`ccsync doctor --fix mends ${fixable}`] : []),
  ];
  return parts.join("; ");
}
