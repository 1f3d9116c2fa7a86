/**
 * Screens of a terminal as one animated SVG, for documents.
 *
 * @module
 */

/** What a terminal shows at one moment. */
export interface Frame {
  /** The machine, in the title bar. */
  readonly title: string;
  /** The screen with escape sequences for colours and styles (SGR), one element a row. */
  readonly rows: readonly string[];
  /** Where the cursor is, from 0; `undefined` where none is shown. */
  readonly cursor: { readonly column: number; readonly row: number } | undefined;
  readonly milliseconds: number;
}

/** The size of the terminal, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Characters that look alike, side by side. */
interface Run {
  readonly column: number;
  readonly text: string;
  /** Names of the classes of the style sheet. */
  readonly classes: readonly string[];
}

const CHARACTER = { width: 8.4, height: 19 } as const;
const MARGIN = 14;
const BAR = 34;

/** The colours 0 to 7 of a terminal, and their bright ones. */
const PALETTE = [
  ...["#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4"],
  ...["#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff"],
] as const;

/**
 * Returns an SVG that shows the frames one after the other, for ever. Where nothing moves, by the reader's wish or
 * because the viewer cannot, it shows one of them.
 *
 * @param still The number of that one
 */
export function animatedSvg(frames: readonly Frame[], size: Size, still: number): string {
  const width = size.columns * CHARACTER.width + 2 * MARGIN;
  const height = size.rows * CHARACTER.height + BAR + MARGIN;
  // Rows that come again and again are there once.
  const rows = new Map<string, string>();
  const groups = frames.map((frame, i) => frameGroup(frame, i, width, rows));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${round(width)}" height="${round(height)}" ` +
    `viewBox="0 0 ${round(width)} ${round(height)}" role="img">`,
    "<title>ccsync in a terminal</title>",
    `<style>${styles(frames, width, still)}</style>`,
    `<defs>${[...rows].map(([content, id]) => `<g id="${id}">${content}</g>`).join("\n")}</defs>`,
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    ...["#ff5f57", "#febc2e", "#28c840"].map((colour, i) =>
      `<circle cx="${20 + 18 * i}" cy="17" r="5.5" fill="${colour}"/>`
    ),
    `<g class="film">`,
    ...groups,
    "</g>",
    "</svg>",
  ].join("\n") + "\n";
}

function styles(frames: readonly Frame[], width: number, still: number): string {
  const total = frames.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  let at = 0;
  const steps = frames.map(({ milliseconds }, i) => {
    const step = `${round(100 * at / total)}%{transform:translateX(${round(-i * width)}px)}`;
    at += milliseconds;
    return step;
  });
  const end = `100%{transform:translateX(${round(-(frames.length - 1) * width)}px)}`;
  return [
    "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;" +
    "fill:#c9d1d9}",
    ".t{fill:#8b949e;text-anchor:middle}.b{font-weight:bold}.d{opacity:.6}",
    ".u{text-decoration:underline}",
    ...PALETTE.map((colour, i) => `.c${i}{fill:${colour}}`),
    ".k{fill:#c9d1d9;opacity:.7}",
    `.film{transform:translateX(${round(-still * width)}px);` +
    `animation:film ${total}ms steps(1,end) infinite}`,
    `@keyframes film{${steps.join("")}${end}}`,
    "@media(prefers-reduced-motion){.film{animation:none}}",
  ].join("\n");
}

function frameGroup(
  frame: Frame,
  place: number,
  width: number,
  rows: Map<string, string>,
): string {
  const title = `<text class="t" x="${round(width / 2)}" y="22">${escaped(frame.title)}</text>`;
  const uses = frame.rows.flatMap((row, i) => {
    const content = rowContent(row);
    if (content === "") return [];
    const id = rows.get(content) ?? `r${rows.size}`;
    rows.set(content, id);
    return [`<use href="#${id}" x="${MARGIN}" y="${BAR + i * CHARACTER.height}"/>`];
  });
  const { cursor } = frame;
  const block = cursor === undefined ? [] : [
    `<rect class="k" x="${round(MARGIN + cursor.column * CHARACTER.width)}" ` +
    `y="${BAR + cursor.row * CHARACTER.height}" width="${CHARACTER.width}" height="17"/>`,
  ];
  return `<g transform="translate(${round(place * width)} 0)">${
    [title, ...uses, ...block].join("")
  }</g>`;
}

function rowContent(row: string): string {
  return runsOf(row).map(({ classes, column, text }) => {
    const names = classes.length === 0 ? "" : ` class="${classes.join(" ")}"`;
    return `<text x="${round(column * CHARACTER.width)}" y="14"${names}>${escaped(text)}</text>`;
  }).join("");
}

/** Returns the runs of one row that show something. */
export function runsOf(row: string): Run[] {
  const runs: Run[] = [];
  let classes: readonly string[] = [];
  let column = 0;
  // deno-lint-ignore no-control-regex -- escape sequences are what is looked for
  for (const [, codes, text = ""] of row.matchAll(/\x1b\[([\d;]*)m|([^\x1b]+)/g)) {
    if (codes !== undefined) classes = styled(classes, codes.split(";").map(Number));
    else {
      // Viewers make one space of several.
      for (const { 0: words, index } of text.matchAll(/\S+(?: \S+)*/g)) {
        runs.push({ column: column + index, text: words, classes });
      }
      column += text.length;
    }
  }
  return runs;
}

/** Returns the style that holds after an SGR sequence. */
function styled(classes: readonly string[], codes: readonly number[]): readonly string[] {
  return codes.reduce<readonly string[]>((now, code) => {
    const without = (pattern: RegExp) => now.filter((name) => !pattern.test(name));
    if (code === 0) return [];
    if (code === 1) return [...without(/^b$/), "b"];
    if (code === 2) return [...without(/^d$/), "d"];
    if (code === 4) return [...without(/^u$/), "u"];
    if (code === 22) return without(/^[bd]$/);
    if (code === 24) return without(/^u$/);
    if (code >= 30 && code <= 37) return [...without(/^c/), `c${code - 30}`];
    if (code >= 90 && code <= 97) return [...without(/^c/), `c${code - 82}`];
    if (code === 39) return without(/^c/);
    // No background is drawn, so there is none to leave.
    if (code === 49) return now;
    throw new Error(`cannot draw the style ${code}: it is not known here`);
  }, classes);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Numbers of a picture need no more digits. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}
