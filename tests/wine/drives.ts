/**
 * The drives of a Wine prefix: `C:` is a folder in it, `Z:` is the root of this system.
 *
 * @module
 */

/** Option `--name=`, or variable `name=`, before a path. */
const BEFORE = /^((?:--?[\w-]+=)|(?:[\w.]+=))?/.source;
const DRIVE = new RegExp(`${BEFORE}([A-Za-z]):(?:[\\\\/](.*))?$`, "s");
const FILE_URL = new RegExp(`${BEFORE}file:///([A-Za-z]):/(.*)$`, "s");

/** Translates paths between the two sides of a Wine prefix. */
export class Drives {
  /** The folder that is `C:\`. */
  readonly c: string;

  constructor(prefix: string) {
    this.c = `${prefix}/drive_c`;
  }

  /** Returns the path of a file as Windows programs see it. */
  toWindows(path: string): string {
    const isOnC = path === this.c || path.startsWith(`${this.c}/`);
    const rest = isOnC ? path.slice(this.c.length) : path;
    return `${isOnC ? "C" : "Z"}:${rest === "" ? "\\" : rest.replaceAll("/", "\\")}`;
  }

  /** Returns the path of a file as it is on this system; other texts as they are. */
  toUnix(text: string): string {
    const [, drive, rest] = /^([A-Za-z]):(?:[\\/](.*))?$/s.exec(text) ?? [];
    return drive === undefined ? text : this.#of(drive, rest);
  }

  /** Returns an argument of a program with the path in it as it is on this system. */
  inArgument(text: string): string {
    const [, option = "", drive, rest] = DRIVE.exec(text) ?? [];
    if (drive !== undefined) return option + this.#of(drive, rest);
    const [, before = "", driveOfUrl, restOfUrl] = FILE_URL.exec(text) ?? [];
    return driveOfUrl === undefined ? text : `${before}file://${this.#of(driveOfUrl, restOfUrl)}`;
  }

  #of(drive: string, rest = ""): string {
    const root = drive.toUpperCase() === "Z" ? "" : this.c;
    return `${root}/${rest.replaceAll("\\", "/").replace(/^\/+/, "")}`;
  }
}
