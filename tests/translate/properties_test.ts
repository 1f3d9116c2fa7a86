import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import type { Profile } from "../../src/translate/profile.ts";
import { toLocal } from "../../src/translate/to_local.ts";
import { toPortable } from "../../src/translate/to_portable.ts";
import { escapeTokens, unescapeTokens } from "../../src/translate/token.ts";
import { byteText, utf8 } from "../../src/translate/bytes.ts";
import {
  anyPath,
  anyProfile,
  fleet,
  literalText,
  machineAndBytes,
  plainPath,
  surroundings,
} from "./arbitraries.ts";
import {
  carried,
  CODECS,
  isSame,
  local,
  moved,
  nativePath,
  portable,
  translator,
} from "./support.ts";

/** To replay one failure, put the seed and path here that fast-check printed. */
const RUNS = { numRuns: 10_000, seed: 20_260_729 } as const;

const codec = fc.constantFrom(...CODECS);

Deno.test("toLocal() is the exact inverse of toPortable()", () => {
  fc.assert(
    fc.property(machineAndBytes, codec, ({ machine, bytes }, codec) => {
      const own = translator(machine, codec);
      assert.ok(isSame(toLocal(own, toPortable(own, bytes)), bytes));
    }),
    RUNS,
  );
});

Deno.test("every line of a transcript is translated as if it stood alone", () => {
  fc.assert(
    fc.property(machineAndBytes, ({ machine, bytes }) => {
      const own = translator(machine, "jsonl");
      const lines = byteText(bytes).split(/(?<=\n)/).map((line) =>
        Uint8Array.from(Buffer.from(line, "latin1"))
      );
      for (const translate of [toPortable, toLocal]) {
        const alone = lines.map((line) => byteText(translate(own, line))).join("");
        assert.equal(byteText(translate(own, bytes)), alone);
      }
    }),
    RUNS,
  );
});

Deno.test("literal tokens survive any number of machines", () => {
  fc.assert(
    fc.property(
      fc.array(anyProfile, { minLength: 1, maxLength: 3 }),
      literalText,
      codec,
      (machines, text, codec) => {
        const line = codec === "text" ? text : `{"text":"${text}"}\n`;
        let carriedLine = line;
        for (const [i, from] of machines.entries()) {
          carriedLine = carried(from, machines[i + 1] ?? from, codec, carriedLine);
          assert.equal(carriedLine, line);
        }
      },
    ),
    RUNS,
  );
});

Deno.test("unescapeTokens() is the exact inverse of escapeTokens()", () => {
  fc.assert(
    fc.property(literalText, (text) => {
      assert.equal(unescapeTokens(escapeTokens(text)), text);
      assert.equal(local(NOBODY, "text", escapeTokens(text)), text);
      assert.equal(portable(NOBODY, "text", text), escapeTokens(text));
    }),
    RUNS,
  );
});

/** A transcript's record with paths in all the places where Claude Code writes them. */
function record(paths: readonly string[], prose: string, thinking: string): unknown {
  const [cwd, file, key, plan, list] = paths;
  return {
    parentUuid: null,
    cwd,
    message: {
      role: "assistant",
      content: [
        { type: "thinking", thinking, signature: "c3R1Yg==" },
        { type: "redacted_thinking", data: thinking },
        { type: "tool_use", name: "Read", input: { file_path: file, limit: 3 } },
        { type: "text", text: prose },
      ],
    },
    toolUseResult: {
      filePath: file,
      filenames: [list],
      stdout: JSON.stringify({ cwd, file: plan }),
    },
    snapshot: { trackedFileBackups: { [key ?? ""]: { version: 1 }, "src/a b.ts": { version: 2 } } },
    attachment: { type: "plan_mode", planFilePath: plan, other: "/srv/x y/z" },
  };
}

Deno.test("records stay JSON, and their fields and keys hold the equal native path", () => {
  fc.assert(
    fc.property(
      fleet,
      fc.tuple(anyPath, anyPath, anyPath, anyPath, plainPath),
      ({ machines }, under) => {
        const [first] = machines;
        if (first === undefined) return;
        let paths = under.map((path) => nativePath(first, path));
        const thinking = `I saw ${paths.join(" and ")} and {{HOME}}`;
        let line = JSON.stringify(record(paths, "", thinking));
        for (const [i, from] of machines.entries()) {
          const to = machines[i + 1] ?? first;
          line = carried(from, to, "jsonl", line);
          paths = paths.map((path) => moved(path, from, to));
          assert.deepEqual(JSON.parse(line), record(paths, "", thinking));
        }
      },
    ),
    RUNS,
  );
});

Deno.test("paths in prose become native, and nothing else changes", () => {
  const place = fc.tuple(surroundings, plainPath);
  fc.assert(
    fc.property(fleet, fc.array(place, { maxLength: 4 }), codec, ({ machines }, places, codec) => {
      const [from, to] = machines;
      if (from === undefined || to === undefined) return;
      const write = (on: (path: string) => string): string => {
        const text = places.map(([[before, after], path]) =>
          `a/b ${before}${on(nativePath(from, path))}${after} c/d\\e `
        ).join("{{HOME}}");
        return codec === "text" ? text : JSON.stringify({ text });
      };
      assert.equal(
        carried(from, to, codec, write((path) => path)),
        write((path) => moved(path, from, to)),
      );
    }),
    RUNS,
  );
});

Deno.test("JSON inside JSON inside JSON stays JSON with native paths", () => {
  fc.assert(
    fc.property(fleet, plainPath, fc.boolean(), ({ machines }, under, isPretty) => {
      const [from, to] = machines;
      if (from === undefined || to === undefined) return;
      const write = (path: string): string => {
        const inner = { cwd: path, list: ["x", path], text: `in ${path} or so` };
        const middle = JSON.stringify(
          { inner: JSON.stringify(inner), path },
          null,
          isPretty ? 2 : 0,
        );
        return JSON.stringify({ content: middle, tail: [path] });
      };
      const path = nativePath(from, under);
      assert.equal(carried(from, to, "jsonl", write(path)), write(moved(path, from, to)));
    }),
    RUNS,
  );
});

Deno.test("a root is found between delimiters, and not in longer names", () => {
  const before = fc.constantFrom(
    ...["", " ", '"', "'", "(", "=", ":", ",", "\n", "file://", "**", "`", ">"].map((s) =>
      [s, true] as const
    ),
    ...["x", "/", "/mnt", ".", "_", "1", ")", "]", "}", "$", "%", "#", "xé"].map((s) =>
      [s, false] as const
    ),
  );
  const after = fc.constantFrom(
    ...["", "/", "/x", " ", '"', "'", ")", ":", ",", "\n", ". ", ".", "`", "<", "?"].map((s) =>
      [s, true] as const
    ),
    ...["x", "2", "-old", "_", ".x", "é", "+", "~", "%20", "@", "#"].map((s) =>
      [s, false] as const
    ),
  );
  fc.assert(
    fc.property(
      fleet,
      fc.nat(2),
      before,
      after,
      ({ machines }, index, [head, begins], [tail, ends]) => {
        const [machine] = machines;
        const placeholder = machine?.placeholders[index];
        if (machine === undefined || placeholder === undefined) return;
        const { name, root } = placeholder;
        // Only one root can be found, and by no other spelling.
        const single = { ...machine, placeholders: [placeholder] };
        if (head === "file://" && /[^\w/]/.test(root)) return;
        if (/^[A-Z]:$/.test(root)) return;
        const found = portable(single, "text", `${head}${root}${tail}`);
        assert.equal(found.includes(`{{${name}`), begins && ends, found);
      },
    ),
    RUNS,
  );
});

Deno.test("an unknown placeholder stays a token, is named, and becomes a path once it is mapped", () => {
  fc.assert(
    fc.property(
      fleet,
      anyPath,
      fc.subarray(["HOME", "PROJECTS", "PROJECTS_2"]),
      ({ machines }, under, names) => {
        const [from, to] = machines;
        if (from === undefined || to === undefined) return;
        const line = JSON.stringify({ cwd: nativePath(from, under), text: "{{HOME}} {{OTHER}}" });
        const shared = portable(from, "jsonl", line);
        const partial = {
          ...to,
          placeholders: to.placeholders.filter(({ name }) => names.includes(name)),
        };
        const unmapped = new Set<string>();
        const partly = new TextDecoder().decode(
          toLocal(translator(partial, "jsonl"), utf8(shared), unmapped),
        );
        const owner = /^\{"cwd":"\{\{([A-Z0-9_]+)/.exec(shared)?.[1] ?? "";
        assert.deepEqual([...unmapped], names.includes(owner) ? [] : [owner]);
        const path: unknown = JSON.parse(partly).cwd;
        const whole: unknown = JSON.parse(local(to, "jsonl", shared)).cwd;
        assert.equal(whole, moved(nativePath(from, under), from, to));
        assert.equal(
          path,
          names.includes(owner) ? whole : JSON.parse(shared).cwd.replaceAll(/\{\{~/g, "{{"),
        );
      },
    ),
    RUNS,
  );
});

const NOBODY: Profile = { style: "posix", placeholders: [] };
