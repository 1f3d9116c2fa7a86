/**
 * What a person wants to know of a session, read from its records: title, prompts, times, branch.
 *
 * Source: Claude Code writes titles and the last prompt again after every 32 KiB, so that its own picker
 * finds them in the last 64 KiB (client 2.1.197); fixtures `11111111-*`, `b9a316af-*`.
 *
 * @module
 */
import { splitLines } from "./lines.ts";
import { answerOf, type Json, promptOf, recordOf, textOf } from "./records.ts";

/** So many first and last bytes of a transcript are looked at. */
export const SUMMARY_BYTES = 256 * 1024;

/** The key with which a title's record names the session that its own one was forked of. Claude Code ignores it. */
export const FORK_KEY = "forkOf";

const TITLE_LENGTH = 200;
const PREVIEW_LENGTH = 500;

/** What the records say; empty where they do not. */
export interface Summary {
  readonly title: string;
  readonly firstPrompt: string;
  readonly lastPrompt: string;
  readonly lastAnswer: string;
  readonly branch: string;
  /** ISO 8601 times of the first and the last event. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Whether it was held without a terminal (`claude -p`): Claude Code hides such sessions in its lists. */
  readonly headless: boolean;
  /** The name of the session's plan file. */
  readonly slug: string;
  /** The id of the session that it was forked of by a merge. */
  readonly forkOf: string;
}

/** The summary of a transcript that says nothing. */
export const NO_SUMMARY: Summary = {
  title: "",
  firstPrompt: "",
  lastPrompt: "",
  lastAnswer: "",
  branch: "",
  createdAt: "",
  updatedAt: "",
  headless: false,
  slug: "",
  forkOf: "",
};

/**
 * Returns the summary of a transcript.
 *
 * @param head Its first lines
 * @param tail Its last lines, empty where the head is all of it; a cut first line is passed over
 * @param earlier What was known before, for what neither part says
 */
export function summarize(head: Uint8Array, tail: Uint8Array, earlier?: Summary): Summary {
  const first = records(head);
  const all = [...first, ...records(tail)];
  const customTitle = lastText(all, "custom-title", "customTitle");
  const aiTitle = lastText(all, "ai-title", "aiTitle") || lastText(all, "summary", "summary");
  const firstPrompt = first.map(promptOf).find((prompt) => prompt !== "") ?? earlier?.firstPrompt ??
    "";
  const times = all.map((record) => textOf(record["timestamp"])).filter((time) => time !== "")
    .sort();
  return {
    title: shorten(customTitle || aiTitle || earlier?.title || firstPrompt, TITLE_LENGTH),
    firstPrompt: shorten(firstPrompt, PREVIEW_LENGTH),
    lastPrompt: shorten(lastPromptOf(all) || earlier?.lastPrompt || firstPrompt, PREVIEW_LENGTH),
    lastAnswer: shorten(lastOf(all, answerOf) || (earlier?.lastAnswer ?? ""), PREVIEW_LENGTH),
    branch: lastValue(all, "gitBranch") || (earlier?.branch ?? ""),
    createdAt: earlier?.createdAt || (times[0] ?? ""),
    updatedAt: latest(times.at(-1) ?? "", earlier?.updatedAt ?? ""),
    headless: isHeadless(first, earlier),
    slug: lastValue(all, "slug") || (earlier?.slug ?? ""),
    forkOf: earlier?.forkOf || forkOf(all),
  };
}

function isHeadless(records: readonly Json[], earlier: Summary | undefined): boolean {
  const entrypoint = records.map((record) => textOf(record["entrypoint"])).find((name) =>
    name !== ""
  );
  return entrypoint === undefined ? earlier?.headless ?? false : entrypoint.startsWith("sdk-");
}

const latest = (a: string, b: string) => a > b ? a : b;

function forkOf(records: readonly Json[]): string {
  return lastValue(records.filter(({ type }) => type === "custom-title"), FORK_KEY);
}

function records(bytes: Uint8Array): Json[] {
  return splitLines(bytes).map(recordOf).filter((record) => record !== undefined);
}

function lastText(records: readonly Json[], type: string, field: string): string {
  return textOf(records.findLast((record) => record["type"] === type)?.[field]);
}

function lastValue(records: readonly Json[], field: string): string {
  return textOf(records.findLast((record) => textOf(record[field]) !== "")?.[field]);
}

function lastOf(records: readonly Json[], read: (record: Json) => string): string {
  const found = records.findLast((record) => read(record) !== "");
  return found === undefined ? "" : read(found);
}

function lastPromptOf(records: readonly Json[]): string {
  return lastText(records, "last-prompt", "lastPrompt") || lastOf(records, promptOf);
}

function shorten(value: string, length: number): string {
  const line = value.replace(/\s+/g, " ").trim();
  const characters = [...line];
  if (characters.length <= length) return line;
  // A path that was cut could not be translated any more.
  return characters.slice(0, length - 1).join("").replace(/\S*[/\\]\S*$/, "") + "…";
}
