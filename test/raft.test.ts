/**
 * The Raft core: golden scripts in test/golden/raft, whose language is in test/raft/commands.ts, and
 * random runs of whole groups (src/sim/raft).
 */
import t from 'tap';
import { runGroup } from '#src/sim/index.js';
import { runScript, scripts } from './golden.js';
import { Script } from './raft/commands.js';

t.setTimeout(120_000);

for (const name of scripts('raft')) {
  t.test(`raft: ${name.replaceAll('_', ' ')}`, (test) => {
    const script = new Script();
    const { was, is } = runScript('raft', name, (command) => script.run(command));
    test.equal(is, was);
    test.end();
  });
}

/** What must come about somewhere in the seeds, or they prove less than they seem to. */
const situations = [
  'changes of members',
  'changes of members refused',
  'elections',
  'entries replaced',
  'fault bridge',
  'hibernating',
  'install torn',
  'joint configurations',
  'logs rotten',
  'reads by index',
  'reads under a lease',
  'rollbacks',
  'snapshots installed',
  'started in the middle of an install',
  'started with lost entries',
  'transfers',
];

/** Seeds that have failed once. */
const mended = [500_080];

t.test('raft: groups under faults keep their promises and agree when they are healed', (test) => {
  const reached = new Set<string>();
  const ordinary = Array.from({ length: 250 }, (_one, at) => at + 1);
  for (const seed of [...ordinary, ...mended]) {
    const { violation, probes } = runGroup({ seed });
    if (violation !== undefined) test.fail(`seed ${seed}: ${violation.slice(0, 500)}`);
    for (const name of probes.keys()) reached.add(name);
  }
  for (const name of situations) test.ok(reached.has(name), name);
  test.end();
});

t.test('raft: a seed run twice does the same', (test) => {
  for (let seed = 1; seed <= 5; seed += 1) {
    test.equal(runGroup({ seed }).trace, runGroup({ seed }).trace, `seed ${seed}`);
  }
  test.end();
});
