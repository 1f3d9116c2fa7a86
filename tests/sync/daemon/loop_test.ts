import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
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

/** Frees what nobody holds any more. */
const collect: () => void = (() => {
  v8.setFlagsFromString("--expose-gc");
  const gc: unknown = vm.runInNewContext("gc");
  assert.ok(typeof gc === "function");
  return () => gc();
})();

Deno.test("keepInStep() does not grow over 10,000 cycles", async () => {
  class Forgetful extends Simulation {
    cycles = 0;
    override work = (): Promise<Outcome> => {
      this.cycles++;
      return Promise.resolve("done");
    };
  }
  const heapAfter = async () => {
    const simulation = new Forgetful(20_000);
    await keepInStep(simulation, 2_000);
    assert.ok(simulation.cycles >= 10_000, String(simulation.cycles));
    collect();
    return Deno.memoryUsage().heapUsed;
  };
  const before = await heapAfter();
  // 26 bytes a cycle; what the engine compiles meanwhile stays below.
  assert.ok(await heapAfter() - before < 256 * 1024);
});
