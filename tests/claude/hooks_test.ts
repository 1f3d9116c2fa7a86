import assert from "node:assert/strict";
import fc from "fast-check";
import { hooksIn, withHooks, withoutHooks } from "../../src/claude/hooks.ts";
import { CcsyncError } from "../../src/errors.ts";

const PROGRAM = "/opt/ccsync";

const OURS = ["session-start", "stop", "session-end"].map((word) => `${PROGRAM} hook ${word}`);

/** Returns all commands of settings, by event. */
function commandsOf(text: string): Record<string, string[]> {
  const { hooks } = JSON.parse(text) as {
    hooks: Record<string, { hooks: { command: string }[] }[]>;
  };
  return Object.fromEntries(
    Object.entries(hooks).map(([event, matchers]) => {
      return [event, matchers.flatMap(({ hooks }) => hooks.map(({ command }) => command))];
    }),
  );
}

const EMPTY = `{
  "hooks": {
    "SessionStart": [
      {
        "hooks": [
          {
            "type": "command",
            "command": "/opt/ccsync hook session-start",
            "timeout": 10
          }
        ]
      }
    ],
    "Stop": [
      {
        "hooks": [
          {
            "type": "command",
            "command": "/opt/ccsync hook stop",
            "timeout": 10
          }
        ]
      }
    ],
    "SessionEnd": [
      {
        "hooks": [
          {
            "type": "command",
            "command": "/opt/ccsync hook session-end",
            "timeout": 10
          }
        ]
      }
    ]
  }
}
`;

Deno.test("withHooks() makes settings where there are none, and changes nothing the second time", () => {
  assert.equal(withHooks("", PROGRAM), EMPTY);
  assert.equal(withHooks("{}\n", PROGRAM), EMPTY);
  assert.equal(withHooks(EMPTY, PROGRAM), EMPTY);
  assert.equal(withoutHooks(EMPTY), "{}\n");
});

/** Settings of people, with what they may hold. */
const SETTINGS: Readonly<Record<string, string>> = {
  "other keys": `{\n  "model": "opus",\n  "permissions": { "allow": ["Bash(ls:*)"] }\n}\n`,
  "one line": `{"model":"opus","x":[1,2]}`,
  "tabs": `{\n\t"model": "opus"\n}`,
  "CRLF": `{\r\n  "model": "opus",\r\n  "b": 1\r\n}\r\n`,
  "comments": `{\n  // mine\n  "model": "opus", /* here */\n  "b": 1 // last\n  // end\n}\n`,
  "trailing comma": `{\n  "model": "opus",\n}\n`,
  "hooks of others":
    `{\n  "hooks": {\n    "Stop": [ {"hooks":[{"type":"command","command":"say done"}]} ],\n` +
    `    "PreToolUse": [{"matcher":"Bash","hooks":[{"type":"command","command":"x hook stop"}]}]\n  },\n  "z": 1\n}\n`,
  "a hook of the same event in the same list, with a matcher":
    `{"hooks":{"SessionStart":[{"matcher":"startup","hooks":[{"type":"command","command":"/bin/ccsync-notify hook"}]}]}}`,
  "odd hooks": `{"hooks":{"Stop":[{"hooks":[{"type":"prompt","prompt":"?"}]},3,null],"Old":{}}}`,
};

for (const [what, text] of Object.entries(SETTINGS)) {
  Deno.test(`withHooks() keeps ${what} to the byte, and withoutHooks() brings all back`, () => {
    const added = withHooks(text, PROGRAM);
    assert.equal(withHooks(added, PROGRAM), added);
    assert.equal(withoutHooks(added), text);
    assert.equal(withoutHooks(text), text);
    for (const command of OURS) assert.equal(added.split(`"${command}"`).length, 2);
    // What is new was put in; nothing else was touched.
    let at = 0;
    for (const char of text) {
      at = added.indexOf(char, at) + 1;
      assert.ok(at > 0, `lost ${char}`);
    }
  });
}

Deno.test("withHooks() indents as the file does, with its line ends", () => {
  assert.match(withHooks(SETTINGS["tabs"] ?? "", PROGRAM), /^\t"hooks": \{\n\t\t"SessionStart"/m);
  assert.doesNotMatch(withHooks(SETTINGS["CRLF"] ?? "", PROGRAM), /[^\r]\n/);
});

Deno.test("withHooks() replaces its own of another place, and leaves those of others", () => {
  const others = SETTINGS["hooks of others"] ?? "";
  for (
    const program of [`"C:/Program Files/ccsync.exe"`, "/x/deno run -A '/a b/main.ts'", "/o/ccsync"]
  ) {
    const moved = withHooks(withHooks(others, program), PROGRAM);
    assert.equal(moved, withHooks(others, PROGRAM));
    assert.deepEqual(commandsOf(moved)["Stop"], ["say done", OURS[1]]);
  }
});

Deno.test("withoutHooks() takes only its own of a list that it shares", () => {
  const own = `{"type":"command","command":"/opt/ccsync hook stop"}`;
  const other = `{"type":"command","command":"beep"}`;
  const settings = (...hooks: string[]) => `{"hooks":{"Stop":[{"hooks":[${hooks.join(", ")}]}]}}`;
  assert.equal(withoutHooks(settings(own, other)), settings(other));
  assert.equal(withoutHooks(settings(other, own)), settings(other));
  assert.equal(withoutHooks(settings(other, own, other)), settings(other, other));
  assert.equal(withoutHooks(settings(own)), "{}");
  assert.equal(withoutHooks(settings(own, own)), "{}");
});

Deno.test("withHooks() refuses what is no settings, and says where", () => {
  const fails = (text: string, why: RegExp) => {
    for (const change of [() => withHooks(text, PROGRAM), () => withoutHooks(text)]) {
      assert.throws(change, (error) => error instanceof CcsyncError && why.test(error.message));
    }
  };
  fails(`{\n  "a": 1\n  "b": 2\n}`, /line 3 is no JSON \(CommaExpected\)/);
  fails(`{"a": `, /line 1 is no JSON/);
  fails(`[]`, /it is no JSON object/);
  fails(`{"hooks": []}`, /its "hooks" is no object/);
  assert.throws(() => withHooks(`{"hooks":{"Stop":{}}}`, PROGRAM), /its "Stop" is no array/);
});

Deno.test("withoutHooks() is the inverse of withHooks() for any settings", () => {
  const entry = fc.record({
    hooks: fc.array(fc.record({ type: fc.constant("command"), command: fc.string() }), {
      minLength: 1,
      maxLength: 3,
    }),
  });
  const hooks = fc.dictionary(
    fc.constantFrom("Stop", "SessionStart", "SessionEnd", "PreToolUse"),
    fc.array(entry, { minLength: 1, maxLength: 3 }),
    { minKeys: 1, noNullPrototype: true },
  );
  const settings = fc.record({ a: fc.jsonValue(), hooks, z: fc.jsonValue() }, {
    requiredKeys: [],
    noNullPrototype: true,
  });
  const indents = fc.constantFrom(undefined, "\t", "  ", "    ");
  fc.assert(fc.property(settings, indents, (value, indent) => {
    const text = JSON.stringify(value, null, indent);
    const added = withHooks(text, PROGRAM);
    assert.equal(withoutHooks(added), text);
    assert.equal(withHooks(added, PROGRAM), added);
    const all = Object.values(commandsOf(added)).flat();
    for (const command of OURS) assert.ok(all.includes(command));
  }));
});

Deno.test("what of ccsync's hooks is in settings is told", () => {
  const complete = withHooks('{"model": "x"}', PROGRAM);
  assert.equal(hooksIn(complete, PROGRAM), "complete");
  assert.equal(hooksIn(complete, "/elsewhere/ccsync"), "other");
  assert.equal(hooksIn(complete.replace("hook stop", "hook rest"), PROGRAM), "other");
  for (const text of ["", "{}", '{"hooks": {"Stop": []}}', withoutHooks(complete)]) {
    assert.equal(hooksIn(text, PROGRAM), "none", text);
  }
  assert.throws(() => hooksIn("{", PROGRAM), CcsyncError);
});
