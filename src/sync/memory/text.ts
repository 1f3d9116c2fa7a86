/**
 * Shared texts between local and portable form.
 *
 * @module
 */
import { alignLines, diffLines, joinText, splitText } from "../../memory/lines.ts";
import { equalBytes } from "../../transcript/lines.ts";
import { toLocal } from "../../translate/to_local.ts";
import { toPortable } from "../../translate/to_portable.ts";
import type { Codec } from "../../translate/context.ts";
import type { Translator } from "../../translate/translator.ts";
import type { Workspace } from "../workspace.ts";

/**
 * Returns how a shared text is encoded.
 *
 * Do not change: it decides what a token without a form means.
 */
export function codecOf(path: string): Codec {
  return /\.json$/i.test(path) ? "json" : "text";
}

/**
 * Returns the portable form of a local text. Lines that are in the hub already keep the form they have there:
 * nobody's local copy is a source for what others wrote, and a token unknown here stays a token.
 *
 * `toLocal` of the result is the text again.
 *
 * @param known What the hub has, in portable form
 */
export function portableText(
  translator: Translator,
  text: Uint8Array,
  known: Uint8Array | undefined,
): Uint8Array {
  const fresh = toPortable(translator, text);
  if (known === undefined) return fresh;
  const [portable, local, lines] = [known, toLocal(translator, known), text].map(splitText);
  const translated = splitText(fresh);
  if (portable === undefined || local === undefined || lines === undefined) return fresh;
  if (portable.length !== local.length || translated.length !== lines.length) return fresh;
  const inText = alignLines(local.length, diffLines(local, lines));
  for (const [i, { text }] of portable.entries()) {
    const at = inText[i] ?? -1;
    const line = translated[at];
    if (line !== undefined) translated[at] = { text, end: line.end };
  }
  const kept = joinText(translated);
  return equalBytes(toLocal(translator, kept), text) ? kept : fresh;
}

/** Returns a text that was written with the placeholders of an earlier profile as it reads with today's. */
export function todaysText(
  workspace: Workspace,
  path: string,
  text: Uint8Array,
  profile: string,
  known: Uint8Array | undefined,
): Uint8Array {
  if (profile === workspace.profileKey) return text;
  const codec = codecOf(path);
  const portable = portableText(workspace.translator(codec, profile), text, known);
  return toLocal(workspace.translator(codec), portable);
}
