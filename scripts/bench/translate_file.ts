/**
 * Translates one file as a push or a pull does, and throws the result away: a program of its own, so that its
 * memory is its own, too.
 *
 * Usage: `translate_file.ts out|back PROJECTS HOME FILE`. Prints milliseconds and bytes as JSON.
 *
 * @module
 */
import { piecesOf } from "../../src/sync/pieces.ts";
import type { LocalPath, PlaceholderName } from "../../src/brands.ts";
import { makeProfile } from "../../src/translate/profile.ts";
import { toLocal } from "../../src/translate/to_local.ts";
import { toPortable } from "../../src/translate/to_portable.ts";
import { Translator } from "../../src/translate/translator.ts";

function translate(direction: string, roots: readonly string[], file: string): void {
  const names = ["PROJECTS", "HOME", "CLAUDE", "CLAUDE_TMP"];
  const placeholders = names.map((name, i) => {
    return { name: name as PlaceholderName, root: roots[i] as LocalPath };
  });
  const translator = new Translator(makeProfile("posix", placeholders), "jsonl");
  const work = direction === "out" ? toPortable : toLocal;
  using sink = Deno.openSync(Deno.build.os === "windows" ? "NUL" : "/dev/null", { write: true });
  const size = Deno.statSync(file).size;
  const start = performance.now();
  let bytes = 0;
  for (const piece of piecesOf(file as LocalPath, "jsonl", 0, size)) {
    const translated = work(translator, piece);
    bytes += translated.length;
    sink.writeSync(translated);
  }
  const result = { ms: performance.now() - start, bytes };
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(result)));
}

const [direction = "", projects = "", home = "", file = ""] = Deno.args;
translate(direction, [projects, home, `${home}/.claude`, "/tmp/claude-0"], file);
