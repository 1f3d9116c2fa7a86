/**
 * Which networks this computer is in, without asking any of them.
 *
 * @module
 */

/** Returns a text that changes when an address comes or goes: when a cable, a WLAN or a VPN does. */
export function networkAddresses(): string {
  try {
    return Deno.networkInterfaces().map(({ address, name }) => `${name} ${address}`).sort().join();
  } catch {
    // Some systems do not tell: nothing changes then, and trying again at intervals is what is left.
    return "";
  }
}
