import assert from "node:assert/strict";
import { byteText, utf8 } from "../../src/translate/bytes.ts";
import type { Profile } from "../../src/translate/profile.ts";
import { knownSpellings, spell } from "../../src/translate/spelling.ts";
import { toLocal } from "../../src/translate/to_local.ts";
import { toPortable } from "../../src/translate/to_portable.ts";
import { type Codec, Translator } from "../../src/translate/translator.ts";
import { isSame, LINUX, local, MACOS, moved, profile, SERVER, WINDOWS } from "./support.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);

/** Where the client that wrote the variant with Windows paths believed to be. */
const PROJ = profile("windows", { HOME: "C:\\Users\\alice", PROJECTS: "C:\\proj" });

interface Sample {
  readonly name: string;
  readonly codec: Codec;
  readonly bytes: Uint8Array;
  /** The machine that wrote it. */
  readonly writer: Profile;
}

const SAMPLES = [...samples(FIXTURES)];
const READERS = [LINUX, MACOS, WINDOWS, SERVER, profile("posix", { HOME: "/h", PROJECTS: "/h/p" })];

function* samples(directory: URL): Generator<Sample> {
  for (const entry of Deno.readDirSync(directory)) {
    const url = new URL(encodeURIComponent(entry.name) + (entry.isDirectory ? "/" : ""), directory);
    if (entry.isDirectory) yield* samples(url);
    else {
      const codec = /\.(jsonl|json)$/.exec(entry.name)?.[1] ?? "text";
      const writer = entry.name === "win.jsonl" ? PROJ : LINUX;
      yield { name: entry.name, codec: codec as Codec, bytes: Deno.readFileSync(url), writer };
    }
  }
}

/** Yields every value in a JSON value that holds no others, after the keys that lead to it. */
function* leaves(
  value: unknown,
  keys: readonly string[] = [],
): Generator<[readonly string[], unknown]> {
  if (typeof value !== "object" || value === null) return yield [keys, value];
  for (const [key, inner] of Object.entries(value)) yield* leaves(inner, [...keys, key]);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

Deno.test("every sample comes back byte for byte on every machine", () => {
  for (const { name, codec, bytes } of SAMPLES) {
    for (const machine of READERS) {
      const translator = new Translator(machine, codec);
      assert.ok(isSame(toLocal(translator, toPortable(translator, bytes)), bytes), name);
    }
  }
});

Deno.test("every sample's portable form comes back from every machine that read it", () => {
  for (const { name, codec, bytes, writer } of SAMPLES) {
    const own = new Translator(writer, codec);
    const portable = toPortable(own, bytes);
    assert.ok(isSame(toLocal(own, portable), bytes), name);
    for (const reader of READERS) {
      const there = new Translator(reader, codec);
      const read = toLocal(there, portable);
      assert.ok(isSame(toLocal(there, toPortable(there, read)), read), name);
    }
  }
});

Deno.test("every record of every sample has the equal native paths, and else the same content", () => {
  let records = 0;
  for (const { name, codec, bytes, writer } of SAMPLES.filter(({ codec }) => codec !== "text")) {
    const portable = decoder.decode(toPortable(new Translator(writer, codec), bytes));
    const split = (text: string) => codec === "jsonl" ? text.split("\n") : [text];
    const [before, between] = [split(decoder.decode(bytes)), split(portable)];
    assert.equal(before.length, between.length, name);
    for (const [i, line] of before.entries()) {
      const original = parsed(line.replace("\ufeff", ""));
      if (original === undefined) continue;
      records++;
      for (const reader of READERS) {
        const there = local(reader, codec, between[i] ?? "").replace("\ufeff", "");
        checkRecord(original, JSON.parse(there), writer, reader);
      }
    }
  }
  assert.ok(records > 250, `${records} records`);
});

/** Fields that hold a path and nothing else, of a file outside Claude Code's own directories. */
const PATH_FIELD = /^(?:cwd|file_path|filePath|planFilePath|filename)$/;
const SIGNED_FIELD = /^(?:thinking|signature)$/;

function checkRecord(original: unknown, read: unknown, writer: Profile, reader: Profile): void {
  const [before, after] = [[...leaves(original)], [...leaves(read)]];
  assert.equal(before.length, after.length);
  for (const [i, [keys, value]] of before.entries()) {
    const [keysThere, there] = after[i] ?? [];
    assert.deepEqual(keysThere, keys.map((key) => moved(key, writer, reader)));
    const field = keys.at(-1) ?? "";
    if (typeof value !== "string" || SIGNED_FIELD.test(field)) assert.equal(there, value);
    else if (PATH_FIELD.test(field)) assert.equal(there, moved(value, writer, reader));
  }
}

Deno.test("no root of the writer is left in a sample's portable form outside signed blocks", () => {
  for (const { name, codec, bytes, writer } of SAMPLES) {
    const lines = byteText(toPortable(new Translator(writer, codec), bytes)).split("\n");
    for (const line of lines.map((line) => line.replaceAll(/"thinking":"[^"]*"/g, ""))) {
      if (codec === "jsonl" && parsed(line) === undefined) continue;
      for (const { root } of writer.placeholders) {
        for (const spelling of knownSpellings(writer.style, root, codec === "text" ? 0 : 1)) {
          const text = byteText(
            utf8(spell(writer.style, root, spelling, codec === "text" ? 0 : 1)),
          );
          assert.ok(!line.includes(text), `${name}: ${text} in ${line.slice(0, 200)}`);
        }
      }
    }
  }
});
