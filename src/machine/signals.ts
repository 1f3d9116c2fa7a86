/**
 * Signals that would end this process while it has something to finish.
 *
 * @module
 */

const ENDING = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK", "SIGHUP"] as const
  : ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** A signal that asks a process to end. */
export type EndingSignal = typeof ENDING[number];

/** From here on signals that ask this process to end go to the handler. Dispose it to let them end it again. */
export function holdSignals(handle: (signal: EndingSignal) => void): Disposable {
  const listeners = ENDING.map((signal) => ({ signal, listen: () => handle(signal) }));
  for (const { listen, signal } of listeners) Deno.addSignalListener(signal, listen);
  return {
    [Symbol.dispose]() {
      for (const { listen, signal } of listeners) Deno.removeSignalListener(signal, listen);
    },
  };
}
