/**
 * The ready-made prompts, by name: the package as a whole would bring an editor and character sets along.
 * Only `prompts.ts` imports this, and late, so that no command pays for prompts that it does not show.
 *
 * @module
 */
export { confirm, input, select } from "@inquirer/prompts";
