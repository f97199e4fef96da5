/** Bugs planted on purpose: a checker that does not notice them would not notice ours. */
import t from 'tap';
import { loadParser, type Plant, plants, runCluster, runLone } from '#src/sim/index.js';
import { runGroup } from '#src/sim/raft/run.js';

/** Where a bug shows, and within how many seeds. */
interface Search {
  readonly run: (seed: number, plant: Plant) => { readonly violation: string | undefined };
  readonly seedsMax: number;
}

const alone: Search = { run: (seed, plant) => runLone({ seed, plant }), seedsMax: 40 };
const clusters: Search = { run: (seed, plant) => runCluster({ seed, plant }, {}), seedsMax: 60 };
/** With clients whose sessions have locks and listen. */
const sessions: Search = {
  run: (seed, plant) => runCluster({ seed, plant }, { sessionClients: 8 }),
  seedsMax: 30,
};
/** A write must be on its way when its node is cut off, for longer than a lease: one seed of a hundred. */
const cutOff: Search = {
  run: (seed, plant) => runCluster({ seed: seed + 50, plant }, { sessionClients: 8 }),
  seedsMax: 60,
};
/** Cores alone: a vote within a lease is rare in whole clusters (kept-lease in one of a hundred seeds). */
const cores: Search = { run: (seed, plant) => runGroup({ seed, plant }), seedsMax: 300 };

const searches: Readonly<Record<Plant, readonly Search[]>> = {
  'early-durability': [alone],
  'torn-batch': [alone],
  'blind-commit': [alone],
  'forgotten-sequence': [alone],
  'blind-vote': [clusters, cores],
  'counted-commit': [clusters, cores],
  'hasty-vote': [clusters, cores],
  'kept-lease': [cores],
  'forgotten-promise': [cores],
  'hasty-lock': [sessions],
  'unfenced-lock': [cutOff],
  'lost-notification': [sessions],
};

t.setTimeout(290_000);
t.before(() => loadParser());

for (const plant of Object.keys(plants) as Plant[]) {
  for (const search of searches[plant]) {
    const { run, seedsMax } = search;
    const where = search === alone ? 'a node alone' : search === cores ? 'cores' : 'clusters';
    t.test(`${plant}, in ${where}: ${plants[plant]}`, async (t) => {
      for (let seed = 1; seed <= seedsMax; seed += 1) {
        const { violation } = run(seed, plant);
        if (violation === undefined) continue;
        t.match(violation, /Violation|AssertionError|DatabaseError/, `seed ${seed}`);
        if (search === cores) {
          t.notMatch(
            violation,
            /a healed group agrees/,
            'as an unsafe step, not as a group that stands still',
          );
        }
        t.comment(`seed ${seed}: ${violation.split('\n')[0]?.slice(0, 200)}`);
        return;
      }
      t.fail(`not noticed in ${seedsMax} seeds`);
    });
  }
}
