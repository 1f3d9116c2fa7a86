/**
 * Translating one file, against `sed` of the same file.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Folder } from "../../tests/support/folder.ts";
import { type Program, sourceOf } from "../../tests/support/ccsync.ts";
import { inTurns, median, medianOf, peaksOf, runProgram, shell } from "./measure.ts";
import type { Finding } from "./report.ts";
import type { Scale } from "./stage.ts";
import { transcriptOf } from "./transcripts.ts";

const HOME = "/home/alice";
const PROJECTS = `${HOME}/projects`;

/** Measures the way out and the way back: the speed of each, and the memory. */
export async function benchTranslation({ rounds, size }: Scale): Promise<Finding[]> {
  using folder = new Folder();
  const local = folder.at("local.jsonl");
  writeTranscript(local, size);
  const portable = folder.at("portable.jsonl");
  await shell(
    folder.path,
    `sed 's#${PROJECTS}#{{PROJECTS}}#g;s#${HOME}#{{HOME}}#g' ${local} > ${portable}`,
  );
  return [
    ...await benchDirection("out", local, `s#${PROJECTS}#{{PROJECTS}}#g`, rounds.short),
    ...await benchDirection("back", portable, `s#{{PROJECTS}}#${PROJECTS}#g`, rounds.short),
  ];
}

function writeTranscript(path: string, bytes: number): void {
  using file = Deno.openSync(path, { write: true, create: true });
  const id = "11111111-1111-4111-8111-111111111111";
  const options = { seed: 1, id, cwd: join(PROJECTS, "app"), home: HOME, bytes };
  for (const piece of transcriptOf(options)) {
    for (let done = 0; done < piece.length;) done += file.writeSync(piece.subarray(done));
  }
}

async function benchDirection(
  direction: "out" | "back",
  file: string,
  script: string,
  rounds: number,
): Promise<Finding[]> {
  const program = await translation(direction, file);
  const megabytes = Deno.statSync(file).size / 1e6;
  const inside: number[] = [];
  const times = await inTurns(rounds, [
    {
      run: async () => {
        const { ms } = JSON.parse(await runProgram(program, "/")) as { readonly ms: number };
        inside.push(ms);
      },
    },
    { run: () => shell("/", `sed '${script}' ${file} > /dev/null`) },
  ]);
  const sed = medianOf(times, ([, ms = NaN]) => ms);
  const ratios = times.map(([, ms = NaN], i) => ms / (inside[i] ?? NaN));
  const { own } = await peaksOf(program, "/");
  return [
    {
      what: `translate, ${direction}`,
      measured: { value: megabytes / median(inside) * 1000, unit: "MB/s" },
      reference: { value: megabytes / sed * 1000, unit: "MB/s" },
      against: "sed",
      found: median(ratios),
      reach: { bound: "at least", value: 0.35, unit: "x" },
    },
    {
      what: `its memory`,
      measured: { value: own / 1e6, unit: "MB" },
      against: "",
      found: own / 1e6,
      reach: { bound: "at most", value: 150, unit: "MB" },
    },
  ];
}

/** Returns the program that translates; its time is taken inside, without its start. */
async function translation(direction: string, file: string): Promise<Program> {
  const source = await sourceOf(new URL("./translate_file.ts", import.meta.url));
  const env = {
    ...source.env,
    PATH: Deno.env.get("PATH") ?? "",
    HOME: fileURLToPath("file:///tmp"),
  };
  return { ...source, args: [...source.args, direction, PROJECTS, HOME, file], env };
}
