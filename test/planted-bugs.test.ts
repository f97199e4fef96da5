/** Bugs planted on purpose: a checker that does not notice them would not notice ours. */
import t from 'tap';
import { loadParser, type Plant, plants, runCluster, runLone } from '#src/sim/index.js';

/** Those that one node alone shows, within so many seeds. */
const ofOneNode: ReadonlySet<Plant> = new Set<Plant>([
  'early-durability',
  'torn-batch',
  'blind-commit',
  'forgotten-sequence',
]);
const loneSeedsMax = 15;
const clusterSeedsMax = 300;

t.setTimeout(290_000);
t.before(() => loadParser());

for (const plant of Object.keys(plants) as Plant[]) {
  t.test(`${plant}: ${plants[plant]}`, async (t) => {
    const alone = ofOneNode.has(plant);
    const seedsMax = alone ? loneSeedsMax : clusterSeedsMax;
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const { violation } = alone ? runLone({ seed, plant }) : runCluster({ seed, plant }, {});
      if (violation === undefined) continue;
      t.match(violation, /Violation|AssertionError|DatabaseError/, `seed ${seed}`);
      t.comment(`seed ${seed}: ${violation.split('\n')[0]?.slice(0, 200)}`);
      return;
    }
    t.fail(`not noticed in ${seedsMax} seeds`);
  });
}
