import assert from "node:assert/strict";
import { keepInStep, type Surroundings } from "../../../src/sync/daemon/loop.ts";
import type { News, Outcome, Work } from "../../../src/sync/daemon/timetable.ts";

/** Surroundings whose seconds pass at once. */
class Simulation implements Surroundings {
  time = 0;
  looks = 0;
  readonly runs: Work[] = [];
  atOnce = 0;
  readonly #seconds: number;

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  now = () => this.time;
  wait(): Promise<void> {
    this.time += 1000;
    return Promise.resolve();
  }
  isStopped = () => this.time >= this.#seconds * 1000;
  news(): News {
    this.looks++;
    return { hasChanged: this.looks % 10 === 0, isElsewhere: false, hooks: [] };
  }
  async work(work: Work): Promise<Outcome> {
    assert.equal(++this.atOnce, 1);
    await Promise.resolve();
    this.atOnce--;
    this.runs.push(work);
    return "done";
  }
}

Deno.test("keepInStep() looks once a second, works when due, one thing at a time, and ends when told", async () => {
  const simulation = new Simulation(600);
  await keepInStep(simulation, 300_000);
  assert.equal(simulation.looks, 600);
  assert.equal(simulation.runs.filter((work) => work === "sync").length, 2);
  // What changed right before an interval's end goes with the sync.
  assert.equal(simulation.runs.filter((work) => work === "push").length, 58);
});

Deno.test("keepInStep() does nothing where it is to stop already", async () => {
  const simulation = new Simulation(0);
  await keepInStep(simulation, 1000);
  assert.deepEqual(simulation.runs, []);
});

Deno.test("keepInStep() does not grow over 10,000 cycles", async () => {
  class Forgetful extends Simulation {
    cycles = 0;
    override work = (): Promise<Outcome> => {
      this.cycles++;
      return Promise.resolve("done");
    };
  }
  const warmUp = new Forgetful(20_000);
  await keepInStep(warmUp, 2_000);
  const before = Deno.memoryUsage().heapUsed;
  const simulation = new Forgetful(20_000);
  await keepInStep(simulation, 2_000);
  assert.ok(simulation.cycles >= 10_000, String(simulation.cycles));
  // A kilobyte that stays with each cycle would be ten megabytes; collecting is the engine's choice.
  assert.ok(Deno.memoryUsage().heapUsed - before < 8 * 1024 * 1024);
});
