/**
 * Which sidecars a pull brings.
 *
 * @module
 */
import type { HubFile } from "../machine/state.ts";
import type { Document } from "./document.ts";
import { type SessionView, sidecarFacts } from "./facts.ts";
import { planSidecarPull, type PullAction, type SidecarPull } from "./plan.ts";

/** What a pull does with the sidecars of a session. */
export interface SidecarItem {
  readonly document: Document & { readonly hub: HubFile };
  readonly action: Exclude<SidecarPull, "none">;
}

/** Returns which sidecars a pull brings, given what it does with the transcript. */
export function sidecarItems(view: SessionView, action: PullAction): SidecarItem[] {
  if (action === "wait" || action === "leave-old" || view.path === undefined) return [];
  return view.sidecars.flatMap((document) => {
    const { hub } = document;
    const plan = planSidecarPull(sidecarFacts(view, document), action === "create");
    const isHere = view.transcript.local !== undefined || action === "create";
    return plan === "none" || hub === undefined || !isHere
      ? []
      : [{ document: { ...document, hub }, action: plan }];
  });
}
