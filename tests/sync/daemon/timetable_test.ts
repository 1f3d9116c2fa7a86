import assert from "node:assert/strict";
import {
  begin,
  due,
  ended,
  type HookEvent,
  type News,
  noted,
  type Outcome,
  type Timetable,
  type Work,
} from "../../../src/sync/daemon/timetable.ts";

const INTERVAL = 300_000;
const START = 1_000_000_000;

/** Plays seconds, and returns when which work was done. */
class Play {
  now = START;
  plan: Timetable;
  readonly done: [second: number, work: Work][] = [];
  #outcome: Outcome = "done";

  constructor(intervalMs = INTERVAL) {
    this.plan = begin(intervalMs, START);
  }

  /** One look. */
  tick(news: Partial<News> = {}): this {
    const all = { hasChanged: false, isElsewhere: false, hooks: [], ...news };
    this.plan = noted(this.plan, all, this.now);
    const work = due(this.plan, this.now);
    if (work !== undefined) {
      this.done.push([(this.now - START) / 1000, work]);
      this.plan = ended(this.plan, work, this.#outcome, this.now);
    }
    this.now += 1000;
    return this;
  }

  ticks(count: number, news: Partial<News> = {}): this {
    for (let i = 0; i < count; i++) this.tick(news);
    return this;
  }

  meets(outcome: Outcome): this {
    this.#outcome = outcome;
    return this;
  }

  hook(event: HookEvent): this {
    return this.tick({ hooks: [event] });
  }
}

Deno.test("noted(), due(), ended() work at once, and then every interval", () => {
  assert.deepEqual(new Play().ticks(700).done, [[0, "sync"], [300, "sync"], [600, "sync"]]);
});

Deno.test("noted() waits for a pause after changes, but not for ever", () => {
  const once = new Play().tick().ticks(9).tick({ hasChanged: true }).ticks(100);
  assert.deepEqual(once.done, [[0, "sync"], [13, "push"]]);
  const busy = new Play().tick().ticks(9).ticks(60, { hasChanged: true });
  assert.deepEqual(busy.done, [[0, "sync"], [40, "push"]]);
});

Deno.test("noted() pulls when a session starts, and pushes when a turn or a session ends", () => {
  const play = new Play().ticks(10).hook("session-start").ticks(9).hook("stop").ticks(9)
    .hook("session-end").ticks(9);
  assert.deepEqual(play.done, [[0, "sync"], [10, "sync"], [22, "push"], [30, "push"]]);
});

Deno.test("ended() tries again at growing pauses while offline, and changes do not hasten it", () => {
  const play = new Play().meets("offline").ticks(200, { hasChanged: true });
  const tries = [0, 5, 15, 35, 75, 135, 195].map((second) => [second, "sync"]);
  assert.deepEqual(play.done, tries);
  const short = new Play(2000).meets("offline").ticks(7);
  assert.deepEqual(short.done.map(([second]) => second), [0, 2, 4, 6]);
});

Deno.test("noted() works at once in another network while offline, and only then", () => {
  const play = new Play().meets("offline").ticks(80).meets("done").tick({ isElsewhere: true });
  assert.deepEqual(play.done.at(-1), [80, "sync"]);
  play.ticks(10).tick({ isElsewhere: true }).ticks(5);
  assert.deepEqual(play.done.at(-1), [80, "sync"]);
});

Deno.test("noted() works at once after a sleep, and after the clock was set, and goes on as before", () => {
  const slept = new Play().ticks(10);
  slept.now += 3_600_000;
  assert.deepEqual(slept.ticks(299).done, [[0, "sync"], [3610, "sync"]]);
  const back = new Play().ticks(10);
  back.now -= 86_400_000;
  back.tick({ hasChanged: true }).ticks(310);
  assert.equal(back.done.length, 3);
  assert.deepEqual(back.done[1]?.[1], "sync");
});

Deno.test("ended() waits an interval after a failure that is no network's", () => {
  const play = new Play().meets("failed").ticks(301);
  assert.deepEqual(play.done, [[0, "sync"], [300, "sync"]]);
});

Deno.test("a busy day on and off the network: no minute without a run or a try, and no more runs than changes", () => {
  const play = new Play();
  for (let second = 0; second < 86_400; second++) {
    play.meets(second % 7200 < 600 ? "offline" : "done");
    play.tick({ hasChanged: second % 5 === 0, isElsewhere: second % 1000 === 0 });
  }
  const times = play.done.map(([second]) => second);
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  assert.ok(Math.max(...gaps) <= 60, String(Math.max(...gaps)));
  assert.ok(play.done.length <= 86_400 / 5 + 86_400 / 300 + 100, String(play.done.length));
});
