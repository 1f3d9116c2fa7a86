/**
 * What is structured in a Markdown document: sections, tables, and links.
 *
 * @module
 */
import assert from "node:assert/strict";

/** Returns what stands under a heading, up to the next one of its level or above. */
export function section(document: string, heading: string): string {
  const [, level, rest] = new RegExp(`^(#+) ${RegExp.escape(heading)}\n([^]*)`, "m")
    .exec(document) ?? [];
  assert.ok(level !== undefined && rest !== undefined, `no heading "${heading}"`);
  const end = rest.search(new RegExp(`^#{1,${level.length}} `, "m"));
  return end === -1 ? rest : rest.slice(0, end);
}

/** Returns the cells of the first table whose first title this is, without titles. */
export function table(document: string, title: string): string[][] {
  const [, body] = new RegExp(`^\\| ${title} \\|.*\n\\|[-|]+\n((?:\\|.*\n?)+)`, "m")
    .exec(document) ?? [];
  assert.ok(body !== undefined, `no table "${title}"`);
  return body.trimEnd().split("\n").map((row) => {
    return row.replace(/^\| ?| ?\|$/g, "").split(/ ?(?<!\\)\| ?/).map((cell) =>
      cell.replaceAll("\\|", "|")
    );
  });
}

/** A link or an image that leads to another file of the repository; what has a scheme or only an anchor does not. */
const RELATIVE = /\]\((?![a-z][a-z0-9+.-]*:|#)([^)\s]+)\)/g;

/** Returns a document whose links lead to files of the repository wherever it lies itself. */
export function withAbsoluteLinks(document: string, base: string): string {
  return document.replace(RELATIVE, (_, path: string) => `](${base}${path})`);
}
