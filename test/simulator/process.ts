/** A simulated process keeps the order of what reaches it, also of what comes while it cannot run. */
import type { Test } from 'tap';
import type { NodeId } from '#src/base/ids.js';
import { Random } from '#src/base/random.js';
import { SimulatedClock } from '#src/sim/clock.js';
import { drawLoneOptions } from '#src/sim/options.js';
import { SimulatedProcess } from '#src/sim/process.js';
import { World } from '#src/sim/world.js';

export function testProcess(t: Test): void {
  t.test('a process: what reaches it while it is frozen happens in order', async (t) => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const world = new World(new Random(seed));
      const drawn = drawLoneOptions(seed, new Random(seed), undefined);
      const process = new SimulatedProcess({
        ...{ world, random: new Random(seed), node: 1 as NodeId },
        // Each look at the clock takes time, so that not all happens at one instant.
        options: { ...drawn, clock: { ...drawn.clock, readMsMax: 0.5 } },
        events: { onUp: () => undefined, onDown: () => undefined },
      });
      process.start();
      while (!process.up) world.step();
      const answered: number[] = [];
      const connection = process.connect('client', (answer) => {
        if (answer.kind === 'sql.rows') answered.push(answer.request);
      });
      process.freeze();
      const requests = Array.from({ length: 20 }, (_, at) => at + 1);
      for (const request of requests) {
        connection.post({
          ...{ kind: 'sql.execute', request, parameters: [], credit: 4 },
          statement: { text: `select ${request}` },
        });
      }
      process.thaw(10);
      while (answered.length < requests.length) world.step();
      t.same(answered, requests, `seed ${seed}`);
    }
  });

  t.test('a clock: what is left to wait is never too short to pass', async (t) => {
    const world = new World(new Random(1));
    const clock = new SimulatedClock(world, new Random(1), {
      ...{ drift: 0.001, wallOffsetMsMax: 0, readMsMax: 0 },
    });
    world.after(4356.199104438036, () => undefined);
    world.step();
    // The next number that a double has: rounding would lose it on the way to the world's time.
    const dueMs = clock.nowMs() * (1 + Number.EPSILON);
    t.ok(
      world.nowMs + clock.untilMs(dueMs) > world.nowMs,
      'time passes until it is due (seed 63821)',
    );
  });
}
