/**
 * The picker as a prompt: keys in, frames out. What it decides and shows is in `list.ts` and `view.ts`.
 *
 * @module
 */
import process from "node:process";
import { createPrompt, useEffect, useKeypress, useMemo, useState } from "@inquirer/core";
import type { SessionId } from "../../brands.ts";
import { promptSize } from "../prompts.ts";
import type { Colors } from "../terminal.ts";
import { type List, type Move, moved, type Search, searchIn, windowed } from "./list.ts";
import type { PickerSession } from "./session.ts";
import { FILTER_PROMPT, fittingFilter, frameOf, layoutFor, shapeOf } from "./view.ts";

/** What the prompt is about. */
export interface PickerConfig {
  readonly sessions: readonly PickerSession[];
  readonly colors: Colors;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const MOVES: Readonly<Record<string, Move>> = {
  up: "up",
  down: "down",
  pageup: "pageup",
  pagedown: "pagedown",
  home: "home",
  end: "end",
};

/** The same keys as in shells. */
const CONTROL_MOVES: Readonly<Record<string, Move>> = { p: "up", n: "down" };

/** Each frame begins at the top and clears what was there: after a resize nothing is where it was. */
const CLEAR = "\x1b[H\x1b[J";

/** Lets the user choose a session. */
export const pickerPrompt = createPrompt<SessionId, PickerConfig>((config, done) => {
  const { colors, now, sessions } = config;
  const [{ columns, rows: lines }, setSize] = useState(promptSize);
  const search = useMemo<Search>(() => searchIn(sessions), []);
  const [list, setList] = useState<List>({ filter: "", matches: sessions, active: 0, top: 0 });
  const shape = shapeOf(lines);
  const filter = fittingFilter(list.filter, columns);

  useEffect((readline) => {
    const resized = () => {
      const size = promptSize();
      setSize(size);
      setLine(readline, fittingFilter(readline.line, size.columns));
    };
    process.stderr.on("resize", resized);
    return () => process.stderr.off("resize", resized);
  }, []);

  useKeypress((key, readline) => {
    const name = key.name ?? "";
    const move = key.ctrl ? CONTROL_MOVES[name] : MOVES[name];
    if (name === "return" || name === "enter" || name === "tab" || move !== undefined) {
      // All of these mean something to a line of text, too.
      setLine(readline, filter);
      const chosen = list.matches[list.active];
      if (move !== undefined) setList(moved(list, move, shape.rows));
      else if (name !== "tab" && chosen !== undefined) done(chosen.id);
      return;
    }
    const typed = fittingFilter(readline.line, columns);
    if (typed !== readline.line) setLine(readline, typed);
    if (typed === list.filter) return;
    setList({ filter: typed, matches: search(typed), active: 0, top: 0 });
  });

  const layout = useMemo(() => layoutFor(sessions, columns, now), [columns]);
  const scene = { columns, colors, layout, now, shape, total: sessions.length };
  const { above, below } = frameOf({ ...scene, list: windowed(list, shape.rows) });
  return [CLEAR + [...above, FILTER_PROMPT + filter].join("\n"), below.join("\n")];
});

type Readline = Parameters<Parameters<typeof useKeypress>[0]>[1];

/** Makes the line that is edited say this, with the cursor at its end. */
function setLine(readline: Readline, text: string): void {
  readline.clearLine(0);
  if (text !== "") readline.write(text);
}
