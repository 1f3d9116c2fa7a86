/**
 * What the stand-in for the Anthropic Messages API answers: the shape of a request, the rules of a
 * test, and the pure choice of a reply.
 *
 * @module
 */
import * as v from "valibot";

const BLOCK = v.looseObject({
  type: v.string(),
  text: v.optional(v.string()),
  thinking: v.optional(v.string()),
  signature: v.optional(v.string()),
  id: v.optional(v.string()),
  name: v.optional(v.string()),
  input: v.optional(v.unknown()),
});

/** Content of a message, which may be a bare string on the wire, as a list of blocks. */
const CONTENT = v.union([
  v.pipe(v.string(), v.transform((text): Block[] => [{ type: "text", text }])),
  v.array(BLOCK),
]);

const MESSAGE = v.looseObject({ role: v.string(), content: CONTENT });

const REQUEST = v.looseObject({
  model: v.optional(v.string(), "stub"),
  stream: v.optional(v.boolean(), false),
  system: v.optional(CONTENT, []),
  tools: v.optional(v.array(v.looseObject({ name: v.string() })), []),
  messages: v.array(MESSAGE),
});

/** One content block of a message. */
export type Block = v.InferOutput<typeof BLOCK>;

/** One message of a conversation; a bare string as content has become one text block. */
export type Message = v.InferOutput<typeof MESSAGE>;

/** The body of a `POST /v1/messages`. */
export type MessagesRequest = v.InferOutput<typeof REQUEST>;

/** A value that JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | {
  readonly [key: string]: Json;
};

/** A tool that the stand-in asks the client to run. */
export interface ToolCall {
  /** Name of the tool, such as `Write`. */
  readonly name: string;
  /** The tool's input; variables are filled in, in every string of it. */
  readonly input: Json;
}

/** One reply. Variables (`{{cwd}}`) are filled in, in the text, the thinking and the tools' input. */
export interface Step {
  /** Text of a thinking block, which comes first. */
  readonly thinking?: string;
  /** Signature of the thinking block, sent as it is. @default "c3R1Yg==" */
  readonly signature?: string;
  /** Text of the text block. */
  readonly text?: string;
  /** Tools that the client is to run, one block each, after the text. */
  readonly tools?: readonly ToolCall[];
  /** Token counts that differ from the ordinary ones, by the API's names. */
  readonly usage?: Readonly<Record<string, number>>;
  /** Reason why the reply ends. @default "tool_use" with tools, else "end_turn" */
  readonly stopReason?: string;
  /** Milliseconds before the reply begins. @default 0 */
  readonly delayMs?: number;
  /** Cuts the connection of a streamed reply after this many content blocks. */
  readonly dropAfter?: number;
  /** Answers with this HTTP status and message in place of a reply. */
  readonly error?: { readonly status: number; readonly message: string };
}

/**
 * What to answer to one prompt.
 *
 * The rule is chosen by the last prompt of the person, the step by the number of replies that follow
 * that prompt. No state is kept, so a rule works alike for a first start, a resumed conversation and
 * a sub-agent.
 */
export interface Rule {
  /** Matched against the prompt; a string is a case-insensitive regular expression. */
  readonly match: string | RegExp;
  /** Only requests that offer the tool which starts sub-agents (`main`), or only others (`agent`). */
  readonly when?: "main" | "agent";
  /**
   * Further variables: the first group of the last match of each expression in the system prompt and
   * the texts of the messages; empty where nothing matches.
   */
  readonly vars?: Readonly<Record<string, RegExp>>;
  /** The replies in their order. */
  readonly steps: readonly Step[];
}

/** A reply that is ready to be sent. */
export interface Reply {
  readonly step: Step;
  /** Content blocks without ids. */
  readonly content: readonly Block[];
}

/**
 * Reads the body of a `POST /v1/messages`.
 *
 * @returns the request, or `undefined` for anything else
 */
export function parseRequest(body: string): MessagesRequest | undefined {
  try {
    const result = v.safeParse(REQUEST, JSON.parse(body));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Chooses the reply to a request: the step of the first rule that matches, or
 * `Stub reply {{n}} to: <prompt>` where there is none.
 *
 * @param n number of the request, for `{{n}}`
 */
export function chooseReply(request: MessagesRequest, rules: readonly Rule[], n: number): Reply {
  const { prompt, replies } = lastPrompt(request.messages);
  const rule = rules.find((candidate) => applies(candidate, prompt, request));
  const step = rule?.steps[replies] ??
    { text: `Stub reply ${n} to: ${prompt.replace(/\s+/g, " ").slice(0, 80)}` };
  const variables = variablesOf(request, rule, n);
  const fill = (text: string) =>
    text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => variables.get(name) ?? whole);
  return { step, content: contentOf(step, fill) };
}

/** Returns the last prompt of the person, and how many replies follow it. */
export function lastPrompt(messages: readonly Message[]): { prompt: string; replies: number } {
  let replies = 0;
  for (const message of messages.toReversed()) {
    if (message.role === "assistant") replies++;
    if (message.role !== "user" || hasToolResult(message)) continue;
    const prompt = texts(message.content).filter((text) => !isNoise(text)).join("\n").trim();
    if (prompt !== "") return { prompt, replies };
  }
  return { prompt: "", replies: 0 };
}

function applies(rule: Rule, prompt: string, request: MessagesRequest): boolean {
  const pattern = typeof rule.match === "string" ? new RegExp(rule.match, "i") : rule.match;
  if (!pattern.test(prompt)) return false;
  if (rule.when === undefined) return true;
  const isMain = request.tools.some(({ name }) => name === "Task" || name === "Agent");
  return (rule.when === "main") === isMain;
}

function hasToolResult(message: Message): boolean {
  return message.content.some((block) => block.type === "tool_result");
}

/** Tells a text that the client adds by itself from a prompt. Observed with 2.1.197. */
function isNoise(text: string): boolean {
  return /^\s*<(system-reminder|local-command|command-|task-notification)/.test(text);
}

function texts(content: readonly Block[]): string[] {
  return content.flatMap((block) => block.type === "text" ? [block.text ?? ""] : []);
}

function variablesOf(
  request: MessagesRequest,
  rule: Rule | undefined,
  n: number,
): Map<string, string> {
  const text = [...texts(request.system), ...request.messages.flatMap((m) => texts(m.content))]
    .join("\n");
  // The client names it `Primary working directory: ...` in its system prompt; observed with 2.1.197.
  const cwd = /(?:working directory|cwd): *([^\n]+)/i.exec(text)?.[1]?.trim() ?? "";
  const variables = new Map([["cwd", cwd], ["n", String(n)]]);
  for (const [name, pattern] of Object.entries(rule?.vars ?? {})) {
    variables.set(name, [...text.matchAll(new RegExp(pattern, "g"))].at(-1)?.[1] ?? "");
  }
  return variables;
}

function contentOf(step: Step, fill: (text: string) => string): Block[] {
  const content: Block[] = [];
  if (step.thinking !== undefined) {
    const signature = step.signature ?? "c3R1Yg==";
    content.push({ type: "thinking", thinking: fill(step.thinking), signature });
  }
  if (step.text !== undefined) content.push({ type: "text", text: fill(step.text) });
  for (const { name, input } of step.tools ?? []) {
    content.push({ type: "tool_use", name, input: fillJson(input, fill) });
  }
  return content;
}

function fillJson(value: Json, fill: (text: string) => string): Json {
  if (typeof value === "string") return fill(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: Json) => fillJson(item, fill));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, fillJson(item, fill)]),
  );
}
