/**
 * What can be named as the hub: any URL git knows, or a path.
 *
 * @module
 */
import { resolve } from "node:path";
import { CcsyncError } from "../errors.ts";
import { entriesOf, lstatIfThere } from "../machine/files.ts";
import { redact } from "./git.ts";

/** A hub as the user named it, made unambiguous. */
export interface Remote {
  readonly kind: "url" | "path";
  /** The URL, or the absolute path. */
  readonly address: string;
}

const URL_LIKE = /^[a-z][a-z0-9+.-]*:\/\//i;
/** `user@host:path`, but no Windows drive. */
const SCP_LIKE = /^[^/\\\s:]{2,}:(?![\\/]{2})/;

/**
 * Reads the address of a hub.
 *
 * @throws {CcsyncError} kind "usage" for exotic protocols and for credentials in the address
 */
export function parseRemote(text: string): Remote {
  const shown = redact(text);
  const fail = (why: string, hint: string) =>
    new CcsyncError("usage", `cannot use "${shown}" as the hub: ${why}`, { hints: [hint] });
  if (text.trim() === "" || text.startsWith("-")) {
    throw fail("it is no address", "name a URL or a path: --remote https://host/you/sessions.git");
  }
  // deno-lint-ignore no-control-regex -- control characters are exactly what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) throw fail("it has control characters", "type it again");
  if (/^[a-z][a-z0-9+.-]*::/i.test(text)) {
    throw fail("this protocol can run programs", "use https, ssh, or a path");
  }
  if (!URL_LIKE.test(text)) {
    return SCP_LIKE.test(text)
      ? { kind: "url", address: text }
      : { kind: "path", address: resolve(text) };
  }
  const [scheme = ""] = text.toLowerCase().split(":");
  if (!["https", "http", "ssh", "git", "file"].includes(scheme)) {
    throw fail(`the protocol ${scheme} is not used`, "use https, ssh, or a path");
  }
  const userInfo = /^[^/]*\/\/([^/@]*)@/.exec(text)?.[1];
  if (userInfo !== undefined && (scheme !== "ssh" || userInfo.includes(":"))) {
    throw fail(
      "it holds credentials, which would be stored",
      "leave them out and let git's credential helper, or gh auth login, keep them",
    );
  }
  return { kind: "url", address: text };
}

/** Whether the hub at an address is served by programs of this machine. */
export function isLocal(address: string): boolean {
  return URL_LIKE.test(address) ? /^file:/i.test(address) : !SCP_LIKE.test(address);
}

/** Returns a path with the home directory in place of a leading `~`, which not every shell replaces. */
export function expandHome(text: string, home: string): string {
  return /^~(?:[\\/]|$)/.test(text) ? home + text.slice(1) : text;
}

/** What is at a path that is to be a hub. */
export type PathState = "nothing" | "repository" | "other";

/** Returns what is at a path: nothing (or an empty directory), a repository, or something else. */
export function pathState(path: string): PathState {
  const info = lstatIfThere(path);
  if (info === undefined) return "nothing";
  if (!info.isDirectory && !info.isSymlink) return "other";
  const names = new Set(entriesOf(path).map(({ name }) => name));
  if (names.size === 0) return "nothing";
  return (names.has("HEAD") && names.has("objects")) || names.has(".git") ? "repository" : "other";
}
