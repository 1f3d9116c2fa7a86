/**
 * Keeps git, run by this process, away from the configuration of the system and of whoever runs the
 * tests. Always the same values: files that are tested in parallel share the environment.
 *
 * @module
 */

Deno.env.set("GIT_CONFIG_NOSYSTEM", "1");
Deno.env.set("GIT_CONFIG_GLOBAL", "/dev/null");
