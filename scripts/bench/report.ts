/**
 * What the bench found, as a table and as JSON.
 *
 * @module
 */

/** A number with its unit. */
export interface Quantity {
  readonly value: number;
  readonly unit: "ms" | "MB" | "MB/s" | "x" | "trips";
}

/** What a row has to reach: `of` is what the ratio, the difference, or the measured value itself is held against. */
export interface Reach {
  readonly bound: "at least" | "at most";
  readonly value: number;
  /** `x` for a ratio; `ms` for what it may take longer; `MB` and `trips` for the value itself. */
  readonly unit: Quantity["unit"];
}

/** One line of the table. */
export interface Finding {
  readonly what: string;
  readonly measured: Quantity;
  /** What it is compared with, measured in the same run. */
  readonly reference?: Quantity;
  /** What the reference is. */
  readonly against: string;
  /** In the unit of the reach. */
  readonly found: number;
  readonly reach: Reach;
}

/** Returns whether a finding is as good as it has to be. */
export function isReached({ found, reach }: Finding): boolean {
  return reach.bound === "at least" ? found >= reach.value : found <= reach.value;
}

/** Returns a number as people read it: `1,234`, `56.7`, `0.35`. */
export function formatNumber(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const [whole = "", fraction] = value.toFixed(digits).split(".");
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

function formatQuantity({ unit, value }: Quantity): string {
  if (unit === "x") return `${formatNumber(value)} x`;
  return unit === "trips" ? String(value) : `${formatNumber(value)} ${unit}`;
}

const TITLES = ["what", "measured", "reference", "ratio", "reach", "ok"] as const;

/** Returns the findings as a Markdown table, which reads well on a terminal, too. */
export function formatFindings(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => [
    finding.what,
    formatQuantity(finding.measured),
    finding.reference === undefined
      ? finding.against
      : `${formatQuantity(finding.reference)} ${finding.against}`,
    finding.reach.unit === "ms"
      ? `+${formatQuantity({ value: finding.found, unit: "ms" })}`.replace("+-", "-")
      : formatQuantity({ value: finding.found, unit: finding.reach.unit }),
    `${finding.reach.bound} ${finding.reach.unit === "ms" ? "+" : ""}${
      formatQuantity({ value: finding.reach.value, unit: finding.reach.unit })
    }`,
    isReached(finding) ? "yes" : "NO",
  ]);
  const widths = TITLES.map((title, i) => {
    return Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0));
  });
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [line(TITLES), rule, ...rows.map(line)].join("\n");
}
