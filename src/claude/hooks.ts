/**
 * ccsync's hooks in Claude Code's settings: texts in, texts out. What is not ccsync's stays as it is, to
 * the byte.
 *
 * Source: `settings.json` has `{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "..."}]}]}}`;
 * `timeout` in seconds; at SessionEnd 1.5 s without; observed with client 2.1.197.
 *
 * @module
 */
import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { CcsyncError } from "../errors.ts";

/** Claude Code's events, and what `ccsync hook` calls them. */
const EVENTS: Readonly<Record<string, string>> = {
  SessionStart: "session-start",
  Stop: "stop",
  SessionEnd: "session-end",
};

/** Seconds: a slow disk must not have the announcement cancelled. It takes milliseconds. */
const TIMEOUT = 10;

/** A command of ccsync's, wherever the program lies: `"/path/ccsync" hook stop`. */
const OWN_COMMAND =
  /(?:ccsync|claude-session-sync|main\.ts)[^\s/\\"']*["']? hook (?:session-start|stop|session-end)$/;

/**
 * Returns settings with ccsync's hooks, in the place of earlier ones.
 *
 * @param text The file's content, empty where there is none; comments and trailing commas are kept
 * @param program How ccsync is started, quoted for a shell
 * @throws {CcsyncError} kind "setup" when it is not such settings, saying where
 */
export function withHooks(text: string, program: string): string {
  let result = text.trim() === "" ? "{}\n" : text;
  if (hasHooks(result, program)) return result;
  result = withoutHooks(result);
  for (const [event, word] of Object.entries(EVENTS)) {
    const entry = {
      hooks: [{ type: "command", command: `${program} hook ${word}`, timeout: TIMEOUT }],
    };
    result = added(result, event, entry);
  }
  return result;
}

/** Returns whether all hooks are there exactly as {@linkcode withHooks} would add them, and no others. */
function hasHooks(text: string, program: string): boolean {
  const commands = [...ownEntries(rootOf(text))].map(({ command }) => command);
  const wanted = Object.values(EVENTS).map((word) => `${program} hook ${word}`);
  return commands.sort().join("\n") === wanted.sort().join("\n");
}

/**
 * Returns what ccsync's hooks in settings are: none, all of this program, or others.
 *
 * @param text The file's content, empty where there is none
 * @param program How this ccsync is started, quoted for a shell
 * @throws {CcsyncError} kind "setup" when it is not such settings
 */
export function hooksIn(text: string, program: string): "none" | "complete" | "other" {
  if (text.trim() === "") return "none";
  if (hasHooks(text, program)) return "complete";
  return ownEntries(rootOf(text)).next().done === true ? "none" : "other";
}

/** Returns settings without ccsync's hooks. Throws as {@linkcode withHooks}. */
export function withoutHooks(text: string): string {
  let result = text;
  for (;;) {
    const [own] = ownEntries(rootOf(result));
    if (own === undefined) return result;
    result = removed(result, own.node);
  }
}

function rootOf(text: string): Node {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) {
    const line = text.slice(0, error.offset).split("\n").length;
    throw unusable(`line ${line} is no JSON (${printParseErrorCode(error.error)})`);
  }
  if (root?.type !== "object") throw unusable("it is no JSON object");
  return root;
}

function unusable(why: string): CcsyncError {
  return new CcsyncError("setup", `cannot change Claude Code's settings: ${why}`, {
    hints: ["mend settings.json and run it again; nothing was changed"],
  });
}

/** Returns the value of a key, as a node of that kind. */
function member(node: Node, key: string, type: "object" | "array"): Node | undefined {
  const property = node.children?.find(({ children }) => children?.[0]?.value === key);
  const value = property?.children?.[1];
  if (value === undefined || value.type === type) return value;
  throw unusable(`its "${key}" is no ${type}`);
}

/** Yields the smallest nodes that hold nothing but a hook of ccsync's. */
function* ownEntries(root: Node): Generator<{ readonly node: Node; readonly command: string }> {
  const hooks = member(root, "hooks", "object");
  for (const property of hooks?.children ?? []) {
    const matchers = property.children?.[1];
    for (const matcher of matchers?.type === "array" ? matchers.children ?? [] : []) {
      if (matcher.type !== "object") continue;
      for (const hook of member(matcher, "hooks", "array")?.children ?? []) {
        const command = hook.type !== "object" ? undefined : commandOf(hook);
        if (command !== undefined && OWN_COMMAND.test(command)) {
          yield { node: alone(hook), command };
        }
      }
    }
  }
}

function commandOf(hook: Node): string | undefined {
  const property = hook.children?.find(({ children }) => children?.[0]?.value === "command");
  const value: unknown = property?.children?.[1]?.value;
  return typeof value === "string" ? value : undefined;
}

/** Returns the outermost node that holds nothing else: a list that would be empty goes, too. */
function alone(node: Node): Node {
  let outermost = node;
  for (let at = node; at.parent !== undefined; at = at.parent) {
    const { parent } = at;
    if (parent.type === "property") outermost = parent;
    else if (parent.type === "object" && parent.parent?.type === "array") {
      // A matcher goes with its last hook, whatever else describes it.
      const isHook = at.type === "property" && at.children?.[0]?.value === "hooks";
      if (!isHook) return outermost;
      outermost = parent;
    } else if (parent.parent === undefined || (parent.children?.length ?? 0) > 1) return outermost;
    else outermost = parent;
  }
  return outermost;
}

const endOf = ({ length, offset }: Node) => offset + length;

/** Returns a text without a member of an object or a list, and the comma that goes with it. */
function removed(text: string, node: Node): string {
  const siblings = node.parent?.children ?? [];
  const index = siblings.findIndex(({ offset }) => offset === node.offset);
  const [before, after] = [siblings[index - 1], siblings[index + 1]];
  if (before !== undefined) return text.slice(0, endOf(before)) + text.slice(endOf(node));
  if (after !== undefined) return text.slice(0, node.offset) + text.slice(after.offset);
  const { parent = node } = node;
  const inner = text.slice(parent.offset + 1, endOf(parent) - 1);
  const rest = inner.replace(text.slice(node.offset, endOf(node)), "").replace(/^\s*,?\s*$/, "");
  return text.slice(0, parent.offset + 1) + rest + text.slice(endOf(parent) - 1);
}

/** Returns settings with one more entry of an event. */
function added(text: string, event: string, entry: unknown): string {
  const root = rootOf(text);
  const hooks = member(root, "hooks", "object");
  if (hooks === undefined) return inserted(text, root, { hooks: { [event]: [entry] } });
  const matchers = member(hooks, event, "array");
  if (matchers === undefined) return inserted(text, hooks, { [event]: [entry] });
  return inserted(text, matchers, [entry]);
}

/** Returns a text with the members of a value at the end of an object or a list, indented as that is. */
function inserted(text: string, container: Node, members: object): string {
  const unit = /^(?:\t+| +)(?=")/m.exec(text)?.[0] ?? "  ";
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const line = text.slice(text.lastIndexOf("\n", container.offset) + 1, container.offset);
  const indent = /^\s*/.exec(line)?.[0] ?? "";
  // Without the brackets of the value itself.
  const lines = JSON.stringify(members, null, unit).split("\n").slice(1, -1);
  const block = lines.map((each) => newline + indent + each).join("");
  const last = container.children?.at(-1);
  if (last !== undefined) {
    return `${text.slice(0, endOf(last))},${block}${text.slice(endOf(last))}`;
  }
  const inner = text.slice(container.offset + 1, endOf(container) - 1);
  const tail = inner.trim() === "" ? "" : inner.trimEnd();
  const head = text.slice(0, container.offset + 1);
  return `${head}${tail}${block}${newline}${indent}${text.slice(endOf(container) - 1)}`;
}
