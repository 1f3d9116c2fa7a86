/**
 * Types that look alike at run time and must never be mixed up: ids, and paths before and after
 * translation. A plain string becomes one only through the checking function beside the type.
 *
 * @module
 */

declare const brand: unique symbol;

/** A `T` that only the function which checks it can make. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A session's UUID, lower case, as Claude Code names its transcript. */
export type SessionId = Brand<string, "SessionId">;

/** The id under which a machine is registered in the hub. */
export type MachineId = Brand<string, "MachineId">;

/** An absolute path, or text with such paths, as it reads on one machine. */
export type LocalPath = Brand<string, "LocalPath">;

/** A path with its root replaced by a placeholder token, as it reads in the hub. */
export type PortablePath = Brand<string, "PortablePath">;

/** The name of a placeholder. */
export type PlaceholderName = Brand<string, "PlaceholderName">;

/** A git object's id, 40 or 64 hexadecimal digits. */
export type Oid = Brand<string, "Oid">;

const SESSION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const MACHINE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const PLACEHOLDER_NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
const OID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Returns the text as a session id, or `undefined` where it is not a lower-case UUID. */
export function asSessionId(text: string): SessionId | undefined {
  return SESSION_ID.test(text) ? text as SessionId : undefined;
}

/** Returns the text as a machine id, or `undefined` where it breaks the rule (letters, digits, `.`, `_`, `-`; at most 64). */
export function asMachineId(text: string): MachineId | undefined {
  return MACHINE_ID.test(text) && !text.includes("..") && !text.endsWith(".lock") &&
      !text.endsWith(".")
    ? text as MachineId
    : undefined;
}

/** Returns the text as a placeholder name, or `undefined` where it is not `[A-Z][A-Z0-9_]*` of at most 64 characters. */
export function asPlaceholderName(text: string): PlaceholderName | undefined {
  return PLACEHOLDER_NAME.test(text) ? text as PlaceholderName : undefined;
}

/** Returns the text as a git object id, or `undefined` where it is none. */
export function asOid(text: string): Oid | undefined {
  return OID.test(text) ? text as Oid : undefined;
}
