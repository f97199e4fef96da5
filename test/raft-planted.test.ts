/**
 * Groups of Raft cores alone (src/sim/raft): ordinary seeds keep all promises and reach what is rare, and
 * each bug planted in the core is noticed within 300 of them.
 */
import t from 'tap';
import { type Plant, plants, runGroup } from '#src/sim/index.js';

const seedsMax = 300;

t.setTimeout(120_000);

for (const plant of [
  'blind-vote',
  'counted-commit',
  'hasty-vote',
  'kept-lease',
  'forgotten-promise',
] satisfies Plant[]) {
  t.test(`cores, ${plant}: ${plants[plant]}`, (test) => {
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const { violation } = runGroup({ seed, plant });
      if (violation === undefined) continue;
      const promise = violation.split('\n')[0]?.slice(0, 120) ?? '';
      test.notMatch(promise, /a healed group agrees/, `seed ${seed}: ${promise}`);
      test.end();
      return;
    }
    test.fail(`not noticed in ${seedsMax} seeds`);
    test.end();
  });
}
