/**
 * Draws `packaging/ccsync.ico`, the icon of the executable on Windows: two arrows, there and back.
 *
 * Usage: `deno run -A --frozen scripts/icon.ts`
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";

/** Pixels of an edge. */
const SIZES = [16, 24, 32, 48, 64, 256] as const;
const BACKGROUND = [0x1f, 0x4e, 0x79] as const;
const ARROWS = [0xff, 0xff, 0xff] as const;

/** Returns the colour at a point of a square of edge 1; `undefined` outside of its round corners. */
function colorAt(x: number, y: number): readonly [number, number, number] | undefined {
  const radius = 0.2;
  const outside = Math.hypot(
    Math.max(Math.abs(x - 0.5) - (0.5 - radius), 0),
    Math.max(Math.abs(y - 0.5) - (0.5 - radius), 0),
  );
  if (outside > radius) return undefined;
  return isArrow(x, y - 0.34) || isArrow(1 - x, y - 0.66) ? ARROWS : BACKGROUND;
}

/** Whether a point is on the arrow to the right whose middle line is y = 0. */
function isArrow(x: number, y: number): boolean {
  const isShaft = x > 0.16 && x < 0.62 && Math.abs(y) < 0.055;
  const isHead = x >= 0.58 && Math.abs(y) < (0.84 - x) * 0.62;
  return isShaft || isHead;
}

/** Returns the picture as a PNG; each pixel is the mean of 8 by 8 points. */
function png(size: number): Buffer {
  const rows = Array.from({ length: size }, (_, row) => {
    const pixels = Array.from({ length: size }, (_, column) => pixel(size, column, row));
    return Buffer.from([0, ...pixels.flat()]);
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  // Eight bits each of red, green, blue and opacity.
  header.set([8, 6], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(rows), { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function pixel(size: number, column: number, row: number): number[] {
  const points = Array.from({ length: 64 }, (_, index) => {
    return colorAt(
      (column + (index % 8 + 0.5) / 8) / size,
      (row + (Math.floor(index / 8) + 0.5) / 8) / size,
    );
  }).filter((color) => color !== undefined);
  const mean = (part: 0 | 1 | 2) =>
    Math.round(points.reduce((sum, color) => sum + color[part], 0) / (points.length || 1));
  return [mean(0), mean(1), mean(2), Math.round(points.length / 64 * 255)];
}

function chunk(name: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, check]);
}

/** Returns an icon file: a directory of pictures, and the pictures. */
function ico(): Buffer {
  const pictures = SIZES.map((size) => ({ size, data: png(size) }));
  const header = Buffer.alloc(6 + 16 * pictures.length);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(pictures.length, 4);
  let offset = header.length;
  for (const [index, { size, data }] of pictures.entries()) {
    const at = 6 + 16 * index;
    // An edge of 256 reads 0.
    header.set([size % 256, size % 256], at);
    header.writeUInt16LE(1, at + 4);
    header.writeUInt16LE(32, at + 6);
    header.writeUInt32LE(data.length, at + 8);
    header.writeUInt32LE(offset, at + 12);
    offset += data.length;
  }
  return Buffer.concat([header, ...pictures.map(({ data }) => data)]);
}

await Deno.writeFile(new URL("../packaging/ccsync.ico", import.meta.url), ico());
