import config from "../deno.json" with { type: "json" };

/** This version of ccsync. */
export const VERSION: string = config.version;
