/**
 * Reads the records of a transcript, as far as ccsync has to understand them.
 *
 * @module
 */

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

const decoder = new TextDecoder();

/** Returns the record of a line, or `undefined` where it is none: torn and garbage lines travel all the same. */
export function recordOf(line: Uint8Array): Json | undefined {
  try {
    return objectOf(JSON.parse(decoder.decode(line)));
  } catch {
    return undefined;
  }
}

/** Returns the value as an object, or `undefined` where it is another one. */
export function objectOf(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Json
    : undefined;
}

/** Returns the value as a text, empty where it is another one. */
export const textOf = (value: unknown): string => typeof value === "string" ? value : "";

/** Returns what a person typed: empty for tool results, reminders and side chains. */
export function promptOf(record: Json): string {
  const isTyped = record["type"] === "user" && record["isSidechain"] !== true &&
    record["isMeta"] !== true && record["isCompactSummary"] !== true;
  const prompt = isTyped ? contentOf(record).trim() : "";
  return /^<(?:local-command|command-|system-reminder|bash-)/.test(prompt) ? "" : prompt;
}

/** Returns what Claude answered: empty for everything else. */
export function answerOf(record: Json): string {
  const isAnswer = record["type"] === "assistant" && record["isSidechain"] !== true;
  return isAnswer ? contentOf(record).trim() : "";
}

function contentOf(record: Json): string {
  const content = objectOf(record["message"])?.["content"];
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  const blocks = content.map(objectOf);
  return blocks.map((block) => block?.["type"] === "text" ? textOf(block["text"]) : "").join("");
}
