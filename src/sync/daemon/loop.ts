/**
 * The daemon's loop: looks once a second at what happened, and works when that is due.
 *
 * @module
 */
import { begin, due, ended, type News, noted, type Outcome, type Work } from "./timetable.ts";

/** What the loop acts on. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  now(): number;
  /** Waits about a second; less where the daemon is to stop. */
  wait(): Promise<void>;
  isStopped(): boolean;
  /** Returns what happened since this was asked last. */
  news(): News;
  /** Works; never throws. */
  work(work: Work): Promise<Outcome>;
}

/** Works whenever something is due, one thing at a time, until it is stopped. */
export async function keepInStep(surroundings: Surroundings, intervalMs: number): Promise<void> {
  const { now } = surroundings;
  let plan = begin(intervalMs, now());
  while (!surroundings.isStopped()) {
    plan = noted(plan, surroundings.news(), now());
    const work = due(plan, now());
    if (work !== undefined) plan = ended(plan, work, await surroundings.work(work), now());
    await surroundings.wait();
  }
}
