/** Versions and the replica: golden scripts in test/golden/{mvcc,shard}, and random histories. */
import t from 'tap';
import { type Run, runScript, scripts } from './golden.js';
import { History } from './shard/history.js';
import { MvccScript } from './shard/mvcc-script.js';
import { ShardScript } from './shard/shard-script.js';

function golden(layer: string, start: () => Run): void {
  for (const name of scripts(layer)) {
    t.test(`${layer}: ${name.replaceAll('_', ' ')}`, (test) => {
      const { was, is } = runScript(layer, name, start());
      test.equal(is, was);
      test.end();
    });
  }
}

golden('mvcc', () => {
  const script = new MvccScript();
  return (command) => script.run(command);
});

golden('shard', () => {
  const script = new ShardScript();
  return (command) => script.run(command);
});

t.test('shard: random histories agree with a naive model', (test) => {
  const total = { committed: 0, conflicts: 0, crashes: 0, collected: 0, survivors: 0 };
  const seeds = Number(process.env.SEEDS ?? 150);
  for (let seed = 1; seed <= seeds; seed += 1) {
    const history = new History(seed);
    try {
      history.run(400);
    } catch (error) {
      test.fail(`seed ${seed}: ${(error as Error).stack}`);
    }
    for (const name of Object.keys(total) as (keyof typeof total)[]) {
      total[name] += history.counts[name];
    }
  }
  // What was never reached was not tested.
  for (const [name, count] of Object.entries(total)) test.ok(count > seeds / 5, `${name} ${count}`);
  test.end();
});
