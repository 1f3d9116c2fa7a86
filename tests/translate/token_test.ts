import assert from "node:assert/strict";
import { escapeTokens, readToken, tokenText, unescapeTokens } from "../../src/translate/token.ts";
import { carried, LINUX, local, MACOS, portable, SERVER, WINDOWS } from "./support.ts";

Deno.test("readToken() reads a name, a form, and tildes", () => {
  const rows = [
    ["{{HOME}}", { tildes: 0, name: "HOME", form: "" }],
    ["{{A_1:j2-low.bf}}", { tildes: 0, name: "A_1", form: "j2-low.bf" }],
    ["{{~~P:dir}}", { tildes: 2, name: "P", form: "dir" }],
  ] as const;
  for (const [text, expected] of rows) {
    assert.deepEqual(readToken(`x${text}y`, 1), { start: 1, end: 1 + text.length, ...expected });
  }
});

Deno.test("readToken() takes nothing else for a token", () => {
  const texts = [
    ...[
      "{{}}",
      "{{a}}",
      "{{1A}}",
      "{{_A}}",
      "{{ A}}",
      "{{A }}",
      "{{A}",
      "{A}}",
      "{{A:}}",
      "{{A:B}}",
    ],
    ...[
      "{{A:b_}}",
      "{{A~}}",
      "{{A:~b}}",
      "{{ÄA}}",
      "{{A|b}}",
      "{{{A}}",
      "{{A",
      "{{",
      "{{~}}",
      "{{A:b:c}}",
    ],
  ];
  for (const text of texts) assert.equal(readToken(text, 0), undefined, text);
});

Deno.test("tokenText() writes what readToken() reads", () => {
  assert.equal(tokenText("A", ""), "{{A}}");
  assert.equal(tokenText("A", "j2"), "{{A:j2}}");
});

Deno.test("escapeTokens() adds a tilde to every token, and unescapeTokens() takes it away", () => {
  const text = "{{A}} {{~A:b}} {{{{A}}}} {{a}} {{~~A}}{{B}}";
  const escaped = "{{~A}} {{~~A:b}} {{{{~A}}}} {{a}} {{~~~A}}{{~B}}";
  assert.equal(escapeTokens(text), escaped);
  assert.equal(unescapeTokens(escaped), text);
  assert.equal(unescapeTokens("{{A}} {{~A}}"), "{{A}} {{A}}");
});

Deno.test("a literal token survives on every machine, known there or not", () => {
  const texts = [
    "{{HOME}}",
    "{{~HOME:j2}}",
    "{{NEW}}",
    "{{{HOME}}}",
    "{{HOME}}/a/b",
    "x{{~~PROJECTS}}",
  ];
  for (const text of texts) {
    for (const codec of ["jsonl", "json", "text"] as const) {
      let line = codec === "text" ? text : `{"text":"${text}","thinking":"${text}"}`;
      const original = line;
      const machines = [LINUX, WINDOWS, MACOS, SERVER, LINUX];
      for (const [i, from] of machines.entries()) {
        line = carried(from, machines[i + 1] ?? LINUX, codec, line);
        assert.equal(line, original);
      }
    }
  }
});

Deno.test("a literal token beside a root does not become one with it", () => {
  const rows = [
    ["{{/home/alice}}", "{{{{HOME}}}}"],
    ["{{/home/alice/{{HOME}}", "{{{{HOME}}/{{~HOME}}"],
    ["{/home/alice}", "{{{HOME}}}"],
    ["{{~/home/alice", "{{~/home/alice"],
    ["/home/alice/{{HOME}}/home/alice", "{{HOME}}/{{~HOME}}/home/alice"],
  ] as const;
  for (const [text, expected] of rows) {
    assert.equal(portable(LINUX, "text", text), expected);
    assert.equal(local(LINUX, "text", expected), text);
  }
});
