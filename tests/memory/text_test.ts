import assert from "node:assert/strict";
import fc from "fast-check";
import { codecOf, portableText } from "../../src/sync/memory/text.ts";
import { byteText, utf8 } from "../../src/translate/bytes.ts";
import { toLocal } from "../../src/translate/to_local.ts";
import { Translator } from "../../src/translate/translator.ts";
import { LINUX, WINDOWS } from "../translate/support.ts";

function portable(text: string, known: string | undefined, profile = LINUX): string {
  const bytes = known === undefined ? undefined : utf8(known);
  return byteText(portableText(new Translator(profile, "text"), utf8(text), bytes));
}

Deno.test("portableText() translates new lines only: others keep the form that the hub has", () => {
  const known = "{{HOME}}/projects/app\n{{OTHER}}/x\n{{PROJECTS}}/app\n";
  const text = "/home/alice/projects/app\nnew /home/alice/projects/b\n{{OTHER}}/x\n";
  assert.equal(
    portable(text, known),
    "{{HOME}}/projects/app\nnew {{PROJECTS}}/b\n{{OTHER}}/x\n",
  );
  assert.equal(
    portable(text, undefined),
    "{{PROJECTS}}/app\nnew {{PROJECTS}}/b\n{{~OTHER}}/x\n",
  );
});

Deno.test("portableText() keeps the line ends of the text", () => {
  assert.equal(portable("{{X}}\r\nb", "{{X}}\n"), "{{X}}\r\nb");
});

Deno.test("codecOf() tells JSON by its name", () => {
  assert.equal(codecOf("deep/a.JSON"), "json");
  assert.equal(codecOf("a.json.md"), "text");
});

const line = fc.constantFrom(
  "/home/alice/projects/app",
  "`/home/alice/projects/app/x y`",
  "{{PROJECTS}}/app",
  "{{OTHER}}/x",
  "{{~OTHER}}/x",
  "C:\\Users\\alice\\x",
  "D:\\work\\a b\\c",
  "{{HOME:fwd}}/x",
  "plain",
  "",
);
const lines = fc.array(line, { maxLength: 6 }).map((all) => all.join("\n"));

Deno.test("portableText() comes back as the text, whatever the hub has", () => {
  fc.assert(
    fc.property(lines, lines, fc.constantFrom(LINUX, WINDOWS), (text, known, profile) => {
      const translator = new Translator(profile, "text");
      const result = portableText(translator, utf8(text), utf8(known));
      assert.equal(byteText(toLocal(translator, result)), text);
      const same = toLocal(translator, utf8(known));
      assert.equal(byteText(portableText(translator, same, utf8(known))), known);
    }),
    { numRuns: 5_000 },
  );
});
