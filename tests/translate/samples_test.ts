import assert from "node:assert/strict";
import { byteText, utf8 } from "../../src/translate/bytes.ts";
import type { Profile } from "../../src/translate/profile.ts";
import { projectDirName } from "../../src/translate/project_dir.ts";
import { knownSpellings, spell } from "../../src/translate/spelling.ts";
import { toLocal } from "../../src/translate/to_local.ts";
import { toPortable } from "../../src/translate/to_portable.ts";
import type { Codec } from "../../src/translate/context.ts";
import { isSame, LINUX, MACOS, moved, profile, SERVER, translator, WINDOWS } from "./support.ts";

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
      const own = translator(machine, codec);
      assert.ok(isSame(toLocal(own, toPortable(own, bytes)), bytes), name);
    }
  }
});

Deno.test("every sample's portable form comes back from every machine that read it", () => {
  for (const { name, codec, bytes, writer } of SAMPLES) {
    const own = translator(writer, codec);
    const portable = toPortable(own, bytes);
    assert.ok(isSame(toLocal(own, portable), bytes), name);
    for (const reader of READERS) {
      const there = translator(reader, codec);
      const read = toLocal(there, portable);
      assert.ok(isSame(toLocal(there, toPortable(there, read)), read), name);
    }
  }
});

Deno.test("every record of every sample has the equal native paths between any two machines", () => {
  let records = 0;
  for (const { name, codec, bytes, writer } of SAMPLES.filter(({ codec }) => codec !== "text")) {
    const shared = toPortable(translator(writer, codec), bytes);
    for (const from of READERS) {
      const there = toLocal(translator(from, codec), shared);
      const passedOn = toPortable(translator(from, codec), there);
      const before = recordsOf(codec, there);
      records += before.filter((record) => record !== undefined).length;
      for (const to of READERS) {
        const after = recordsOf(codec, toLocal(translator(to, codec), passedOn));
        assert.equal(after.length, before.length, name);
        for (const [i, record] of before.entries()) checkRecord(record, after[i], from, to);
      }
    }
  }
  assert.ok(records > 250 * READERS.length, `${records} records`);
});

/** Returns the values of all lines, or of the one document; `undefined` for lines that are no JSON. */
function recordsOf(codec: Codec, bytes: Uint8Array): unknown[] {
  const text = decoder.decode(bytes).replace("\ufeff", "");
  return codec === "jsonl" ? text.split("\n").map(parsed) : [parsed(text)];
}

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

Deno.test("every project directory among the samples has the name of its sessions' cwd", () => {
  const projects = new URL("alice/.claude/projects/", FIXTURES);
  let sessions = 0;
  for (const { name } of Deno.readDirSync(projects)) {
    const directory = new URL(`${name}/`, projects);
    for (const file of Deno.readDirSync(directory)) {
      if (!file.name.endsWith(".jsonl")) continue;
      const cwd = /"cwd":"([^"]*)"/.exec(Deno.readTextFileSync(new URL(file.name, directory)))?.[1];
      assert.equal(projectDirName(cwd ?? ""), name);
      sessions++;
    }
  }
  assert.equal(sessions, 5);
});

Deno.test("no root of the writer is left in a sample's portable form outside signed blocks", () => {
  for (const { name, codec, bytes, writer } of SAMPLES) {
    const lines = byteText(toPortable(translator(writer, codec), bytes)).split("\n");
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
