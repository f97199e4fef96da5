/** Bugs planted on purpose: a checker that does not notice them would not notice ours. */
import t from 'tap';
import { loadParser, type Plant, plants, runLone } from '#src/sim/index.js';

const seedsMax = 15;

t.setTimeout(290_000);
t.before(() => loadParser());

for (const plant of Object.keys(plants) as Plant[]) {
  t.test(`${plant}: ${plants[plant]}`, async (t) => {
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const result = runLone({ seed, plant });
      if (result.violation !== undefined) {
        t.match(result.violation, /Violation|AssertionError|DatabaseError/, `seed ${seed}`);
        t.comment(result.violation.split('\n')[0] ?? '');
        return;
      }
    }
    t.fail(`not noticed in ${seedsMax} seeds`);
  });
}
