/**
 * The README's recording against the program that it shows.
 *
 * @module
 */
import assert from "node:assert/strict";
import { record, RECORDING } from "../../scripts/recording.ts";
import { animatedSvg, type Frame, runsOf } from "../../scripts/screen_svg.ts";
import { terminalTest } from "../support/tmux.ts";

const obstacle = Deno.build.os === "linux" ? undefined : "it was made on Linux";

terminalTest("the recording is what the program shows", async () => {
  const made = (await record()).split("\n");
  const committed = Deno.readTextFileSync(RECORDING).split("\n");
  // A mistake in so long a text is shown by its first line.
  const at = made.findIndex((line, i) => line !== committed[i]);
  const message = "docs/demo.svg is out of date: deno task recording makes it anew";
  assert.deepEqual([committed[at], committed.length], [made[at], made.length], message);
}, obstacle);

Deno.test("runsOf() places what is shown by columns, and knows its style", () => {
  assert.deepEqual(runsOf("\x1b[1mTITLE\x1b[0m  a b   \x1b[2m\x1b[36mc\x1b[39md\x1b[0m"), [
    { column: 0, text: "TITLE", classes: ["b"] },
    { column: 7, text: "a b", classes: [] },
    { column: 13, text: "c", classes: ["d", "c6"] },
    { column: 14, text: "d", classes: ["d"] },
  ]);
  assert.throws(() => runsOf("\x1b[7mreversed"), /cannot draw the style 7/);
});

Deno.test("animatedSvg() shows every frame for its time, and a row that comes again once", () => {
  const frame = (rows: string[], milliseconds: number): Frame => {
    return { title: "desk", rows, cursor: undefined, milliseconds };
  };
  const frames = [frame(["<$>", ""], 100), frame(["<$>", "b"], 300)];
  const svg = animatedSvg(frames, { columns: 10, rows: 2 }, 1);
  assert.equal(svg.match(/&lt;\$&gt;/g)?.length, 1);
  assert.match(
    svg,
    /@keyframes film\{0%\{transform:translateX\(0px\)\}25%\{transform:translateX\(-112px\)\}/,
  );
  assert.match(svg, /animation:film 400ms/);
  assert.match(svg, /\.film\{transform:translateX\(-112px\)/);
});
