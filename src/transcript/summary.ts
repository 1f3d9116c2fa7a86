/**
 * What a person wants to know of a session, read from its records: title, prompts, times, branch.
 *
 * Source: Claude Code writes titles and the last prompt again after every 32 KiB, so that its own picker
 * finds them in the last 64 KiB (client 2.1.197); fixtures `11111111-*`, `b9a316af-*`.
 *
 * @module
 */
import { splitLines } from "./lines.ts";

/** So many first and last bytes of a transcript are looked at. */
export const SUMMARY_BYTES = 256 * 1024;

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
};

type Json = Readonly<Record<string, unknown>>;

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
  const firstPrompt = promptsOf(first)[0] ?? earlier?.firstPrompt ?? "";
  const times = all.map((record) => text(record["timestamp"])).filter((time) => time !== "").sort();
  return {
    title: shorten(customTitle || aiTitle || earlier?.title || firstPrompt, TITLE_LENGTH),
    firstPrompt: shorten(firstPrompt, PREVIEW_LENGTH),
    lastPrompt: shorten(lastPromptOf(all) || earlier?.lastPrompt || firstPrompt, PREVIEW_LENGTH),
    lastAnswer: shorten(answersOf(all).at(-1) ?? earlier?.lastAnswer ?? "", PREVIEW_LENGTH),
    branch: lastValue(all, "gitBranch") || (earlier?.branch ?? ""),
    createdAt: earlier?.createdAt || (times[0] ?? ""),
    updatedAt: latest(times.at(-1) ?? "", earlier?.updatedAt ?? ""),
    headless: isHeadless(first, earlier),
    slug: lastValue(all, "slug") || (earlier?.slug ?? ""),
  };
}

function isHeadless(records: readonly Json[], earlier: Summary | undefined): boolean {
  const entrypoint = records.map((record) => text(record["entrypoint"])).find((name) =>
    name !== ""
  );
  return entrypoint === undefined ? earlier?.headless ?? false : entrypoint.startsWith("sdk-");
}

const latest = (a: string, b: string) => a > b ? a : b;

function records(bytes: Uint8Array): Json[] {
  const decoder = new TextDecoder();
  return splitLines(bytes).flatMap((line) => {
    const record = parse(decoder.decode(line));
    return record === undefined ? [] : [record];
  });
}

function parse(line: string): Json | undefined {
  try {
    return object(JSON.parse(line));
  } catch {
    // Torn and garbage lines say nothing; they travel all the same.
    return undefined;
  }
}

function object(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Json
    : undefined;
}

const text = (value: unknown): string => typeof value === "string" ? value : "";

function lastText(records: readonly Json[], type: string, field: string): string {
  return text(records.findLast((record) => record["type"] === type)?.[field]);
}

function lastValue(records: readonly Json[], field: string): string {
  return text(records.findLast((record) => text(record[field]) !== "")?.[field]);
}

function lastPromptOf(records: readonly Json[]): string {
  return lastText(records, "last-prompt", "lastPrompt") || (promptsOf(records).at(-1) ?? "");
}

/** Returns what people typed: no tool results, no reminders, no side chains. */
function promptsOf(records: readonly Json[]): string[] {
  return records.flatMap((record) => {
    const isTyped = record["type"] === "user" && record["isSidechain"] !== true &&
      record["isMeta"] !== true && record["isCompactSummary"] !== true;
    const prompt = isTyped ? textOf(object(record["message"])?.["content"]).trim() : "";
    return prompt === "" || /^<(?:local-command|command-|system-reminder|bash-)/.test(prompt)
      ? []
      : [prompt];
  });
}

function answersOf(records: readonly Json[]): string[] {
  return records.flatMap((record) => {
    const isAnswer = record["type"] === "assistant" && record["isSidechain"] !== true;
    const answer = isAnswer ? textOf(object(record["message"])?.["content"]).trim() : "";
    return answer === "" ? [] : [answer];
  });
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  const blocks = content.map(object);
  return blocks.map((block) => block?.["type"] === "text" ? text(block["text"]) : "").join("");
}

function shorten(value: string, length: number): string {
  const line = value.replace(/\s+/g, " ").trim();
  return [...line].length <= length ? line : [...line].slice(0, length - 1).join("") + "…";
}
