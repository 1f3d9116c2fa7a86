/**
 * Translation of a single path, by the same rules as a path field of a transcript.
 *
 * @module
 */
import type { LocalPath, PortablePath } from "../brands.ts";
import { utf8 } from "./bytes.ts";
import { toLocal } from "./to_local.ts";
import { toPortable } from "./to_portable.ts";
import type { Translator } from "./translator.ts";

const decoder = new TextDecoder();

/** Returns a path of this machine in portable form. The translator's codec must be a JSON one. */
export function portablePath(translator: Translator, path: LocalPath): PortablePath {
  return throughField(path, (line) => toPortable(translator, line)) as PortablePath;
}

/**
 * Returns a portable path as this machine's own, or the names of the placeholders that have no path here.
 * The translator's codec must be a JSON one.
 */
export function localPath(
  translator: Translator,
  path: PortablePath,
): { readonly path: LocalPath } | { readonly unmapped: ReadonlySet<string> } {
  const unmapped = new Set<string>();
  const local = throughField(path, (line) => toLocal(translator, line, unmapped)) as LocalPath;
  return unmapped.size > 0 ? { unmapped } : { path: local };
}

function throughField(path: string, translate: (line: Uint8Array) => Uint8Array): string {
  const line = translate(utf8(JSON.stringify({ cwd: path })));
  const record: unknown = JSON.parse(decoder.decode(line));
  if (typeof record === "object" && record !== null && "cwd" in record) {
    if (typeof record.cwd === "string") return record.cwd;
  }
  throw new TypeError(`Cannot translate the path "${path}": the field did not survive`);
}
