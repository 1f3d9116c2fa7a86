/**
 * What the hub says of a session, as a push writes it.
 *
 * @module
 */
import { type Meta, parseMeta } from "../hub/format.ts";
import { NO_SUMMARY } from "../transcript/summary.ts";
import { utf8 } from "../translate/bytes.ts";
import { portable } from "./content.ts";
import type { Document } from "./document.ts";
import type { SessionView } from "./facts.ts";
import type { Workspace } from "./workspace.ts";

/** Returns the meta of a session after a push, in local form. */
export function metaOf(
  workspace: Workspace,
  view: SessionView,
  sidecars: readonly Document[],
  added: { readonly lines: number; readonly bytes: number },
): Meta {
  const { facts, meta, transcript: { end, local }, unmapped } = view;
  // Under a placeholder that was taken from this machine, the hub still knows best where it belongs.
  const project = unmapped.length > 0 && !facts.isMoved ? meta?.project : view.project;
  const { machineId } = workspace.config;
  const known = new Map(meta?.sidecars.map(({ name, bytes }) => [name, bytes]));
  return {
    ...NO_SUMMARY,
    ...meta,
    ...(local === undefined ? {} : workspace.readings.summary(local, end, meta)),
    project: project ?? meta?.project ?? "",
    createdBy: meta?.createdBy || machineId,
    lastEditedBy: added.bytes > 0 ? machineId : meta?.lastEditedBy || machineId,
    lines: (meta?.lines ?? 0) + added.lines,
    bytes: (meta?.bytes ?? 0) + added.bytes,
    sidecars: sidecars.map(({ end, local, name }) => {
      return { name, bytes: local === undefined ? known.get(name) ?? 0 : end };
    }),
  };
}

/** Returns a meta in portable form. What did not change keeps its form: a token unknown here stays a token. */
export function portableMeta(
  workspace: Workspace,
  meta: Meta,
  earlier: string | undefined,
): string {
  const json = new TextDecoder().decode(portable(workspace, "json", utf8(JSON.stringify(meta))));
  const before = earlier === undefined ? undefined : parseMeta(earlier);
  const local = before === undefined ? undefined : workspace.localJson(before);
  const kept = Object.entries(before ?? {}).filter(([key]) => {
    return JSON.stringify(local?.[key]) === JSON.stringify(meta[key]);
  });
  return JSON.stringify({ ...JSON.parse(json) as Meta, ...Object.fromEntries(kept) }, null, 2) +
    "\n";
}
