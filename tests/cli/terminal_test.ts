import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { clean, type OutputOptions } from "../../src/cli/terminal.ts";
import { Folder } from "../support/folder.ts";
import { runToEnd } from "../support/process.ts";

Deno.test("clean() neutralises what steers a terminal or reorders text", () => {
  const cases: readonly [text: string, cleaned: string][] = [
    ["plain", "plain"],
    ["", ""],
    ["one\ntwo\r\n\tthree", "one two three"],
    ["\u001b[31mred\u001b[0m", "\ufffd[31mred\ufffd[0m"],
    ["\u001b]0;title\u0007", "\ufffd]0;title\ufffd"],
    ["\u001b]8;;https://evil\u001b\\link", "\ufffd]8;;https://evil\ufffd\\link"],
    ["\u009b2J", "\ufffd2J"],
    ["\u0000\u0008\u007f\u0080", "\ufffd\ufffd\ufffd\ufffd"],
    ["abc\u202egnp.exe", "abcgnp.exe"],
    ["\u2066\u2067\u2068\u2069\u202a\u202b\u202c\u202d", ""],
    ["\u200e\u200f\u061c\ufeff", ""],
    // What readers need stays.
    ["会話 Übung שלום مرحبا", "会話 Übung שלום مرحبا"],
    ["👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"],
    ["e\u0301", "e\u0301"],
    ["non\u00a0breaking", "non\u00a0breaking"],
  ];
  for (const [text, cleaned] of cases) assert.equal(clean(text), cleaned, JSON.stringify(text));
});

Deno.test("clean() leaves no control character, and nothing to clean", () => {
  const any = fc.string({ unit: "binary", maxLength: 30 });
  const control = fc.array(fc.integer({ min: 0, max: 0xa0 }), { maxLength: 10 })
    .map((codes) => String.fromCodePoint(...codes));
  fc.assert(
    fc.property(
      fc.oneof(any, control, fc.tuple(any, control).map((parts) => parts.join(""))),
      (text) => {
        const cleaned = clean(text);
        assert.doesNotMatch(cleaned, /\p{Cc}|\p{Bidi_Control}/u);
        assert.equal(clean(cleaned), cleaned);
      },
    ),
    { seed: 14, numRuns: 500 },
  );
});

const MODULE = new URL("../../src/cli/terminal.ts", import.meta.url).href;
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** Says one thing of each kind, once for each of the options. */
const SCRIPT = `
import { Terminal } from ${JSON.stringify(MODULE)};
for (const options of JSON.parse(Deno.args[0])) {
  const terminal = new Terminal(options);
  terminal.step("a step");
  terminal.note("a note");
  terminal.detail("a detail\\u001b[2J");
  terminal.warn("a warning\\u001b[2J");
  terminal.result("a result " + terminal.width);
  terminal.error("an error\\u001b[2J", ["a hint\\u001b[2J"], { code: 1 });
  terminal.result("---");
  terminal.warn("---");
}
`;

Deno.test("Terminal writes results to stdout and everything else to stderr, as far as wanted", async () => {
  const plain: OutputOptions = { isJson: false, isQuiet: false, isVerbose: false, hasColor: true };
  const told = ["error: an error\ufffd[2J", "hint: a hint\ufffd[2J"];
  const warning = "warning: a warning\ufffd[2J";
  const cases: readonly [options: OutputOptions, stderr: string[]][] = [
    [plain, ["a note", warning, ...told]],
    [{ ...plain, isQuiet: true }, [warning, ...told]],
    [{ ...plain, isVerbose: true }, ["a step", "a note", "a detail\ufffd[2J", warning, ...told]],
    [{ ...plain, isJson: true }, [warning, ...told, '{"error":{"code":1}}']],
  ];
  using folder = new Folder();
  const script = folder.write("script.js", SCRIPT);
  const options = JSON.stringify(cases.map(([options]) => options));
  const { stderr, stdout } = await runToEnd(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--frozen", "--config", CONFIG, script, options],
    cwd: folder.path,
  });
  // Where no terminal is there are 80 columns, no colours and no steps in place.
  assert.equal(stdout, "a result 80\n---\n".repeat(cases.length));
  const parts = stderr.split("warning: ---\n").slice(0, -1).map((part) =>
    part.trimEnd().split("\n")
  );
  assert.deepEqual(parts, cases.map(([, lines]) => lines));
});
