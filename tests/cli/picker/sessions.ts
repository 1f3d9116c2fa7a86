/**
 * Made-up sessions of all kinds, for the picker's tests.
 *
 * @module
 */
import { asSessionId } from "../../../src/brands.ts";
import type { PickerSession } from "../../../src/cli/picker/session.ts";

/** When the sessions' ages are counted from. */
export const NOW = Date.UTC(2026, 10, 22, 12);

/** One session, different from others in what is given. */
export function session(given: Partial<PickerSession> & { readonly place: number }): PickerSession {
  const { place, ...rest } = given;
  const id = asSessionId(`${place.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`);
  if (id === undefined) throw new RangeError(`no session has the place ${place}`);
  return {
    id,
    title: `Session ${place}`,
    project: "~/projects/app",
    machine: "laptop",
    updatedAt: new Date(NOW - place * 3_700_000).toISOString(),
    size: 1000 + place * 7919,
    branch: "main",
    firstPrompt: `First prompt of ${place}`,
    lastPrompt: `Last prompt of ${place}`,
    lastAnswer: `Last answer of ${place}`,
    badges: [],
    isFork: false,
    ...rest,
  };
}

/** Sessions that each have something of their own. */
export const VARIED: readonly PickerSession[] = [
  session({
    place: 0,
    title: "Fix the flaky login test",
    badges: ["open here"],
    branch: "fix/login",
    lastPrompt:
      "Now run all of the tests again, three times in a row, and tell me which of them failed",
    lastAnswer:
      "All 412 tests passed, three times in a row. The login test waited for a fixed time; now it waits for the event itself, so that a slow machine no longer matters.",
  }),
  session({
    place: 1,
    title: "支払い処理のリファクタリング",
    machine: "macbook",
    project: "~/仕事/決済",
  }),
  session({ place: 2, title: "👩‍👩‍👧‍👦 family tree 🇯🇵 with e\u0301 accents", badges: ["to push"] }),
  session({ place: 3, title: "same, with another parser", badges: ["fork"], isFork: true }),
  session({
    place: 4,
    title: "Move the build to a monorepo and delete every script that nobody uses any more",
    project: "~/projects/platform/services/build-and-release",
    machine: "workstation-berlin",
    badges: ["locked by workstation-berlin"],
    size: 48_000_000,
  }),
  session({
    place: 5,
    title: "Evil \u001b[2J\u202etitle\nof two lines",
    badges: ["only in the hub"],
  }),
  session({ place: 6, title: "", firstPrompt: "", lastPrompt: "", lastAnswer: "", branch: "" }),
  session({ place: 70, title: "한국어 세션", machine: "macbook", badges: ["fork", "to push"] }),
];

/** So many sessions, the varied ones first. */
export function madeSessions(count: number): PickerSession[] {
  return Array.from({ length: count }, (_, place) =>
    VARIED[place] ?? session({
      place: place + 100,
      title: `Session ${place} about something that has a title of a usual length`,
      firstPrompt: `Prompt ${place} `.repeat(40),
      project: `~/projects/team-${place % 17}/service-${place % 113}`,
      machine: ["laptop", "macbook", "workstation"][place % 3] ?? "",
    }));
}
