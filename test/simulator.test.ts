/**
 * The simulator on fixed seeds, some run twice, and on seeds derived from the commit, so that every
 * commit sees new ones: one node alone, and clusters. A failure prints the command that repeats it.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Failover, loadParser, type RunResult, runCluster, runLone } from '#src/sim/index.js';
import { testNetwork } from './simulator/network.js';
import { testProcess } from './simulator/process.js';
import { testSafety } from './simulator/safety.js';
import { testSuffice } from './simulator/suffice.js';

/** Leave room in the stage's five minutes on a machine at half speed. */
const loneBudgetMs = 10_000;
const clusterBudgetMs = 20_000;
const derivedMax = 400;
/** What the seeds of one CI run need not reach: runs of thousands of seeds look for it. */
const rare: ReadonlySet<string> = new Set([
  'cluster.stranger',
  'network.backlogFull',
  'shard.epochForgotten',
  'shard.flightForgotten',
  'shard.locksShared',
  'shard.notificationsLost',
  'shard.logNotHeld',
  'shard.logReplayed',
  'shard.outcomeUnknown',
  'shard.snapshotGivenUp',
  'shard.snapshotResumed',
  'shard.snapshotResumedAfterRestart',
]);
/** Rare situations that some run has reached. */
const reached = new Set<string>();

t.setTimeout(290_000);
t.before(() => loadParser());

testNetwork(t);
testProcess(t);
testSafety(t);
testSuffice(t);

const lone = (seed: number): RunResult => runLone({ seed });
const cluster = (seed: number): RunResult => runCluster({ seed }, {});

/** Runs a seed, which must hold all promises. */
function hold(t: Test, seed: number, run: (seed: number) => RunResult): RunResult {
  const result = run(seed);
  for (const name of result.probes.keys()) reached.add(name);
  if (result.violation !== undefined) {
    const flags = run === lone ? ' --lone' : '';
    t.fail(`npm run sim -- --seed ${seed} --seeds 1${flags} --trace`, {
      violation: result.violation.slice(0, 4000),
    });
  }
  return result;
}

t.test('a node alone holds all promises on fixed seeds', async (t) => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const { statements, faults } = hold(t, seed, lone);
    t.ok(statements >= 500 && faults >= 3, 'a seed has 500 statements and 3 crashes');
  }
});

t.test('clusters hold all promises on fixed seeds', async (t) => {
  let faults = 0;
  for (let seed = 1; seed <= 180; seed += 1) faults += hold(t, seed, cluster).faults;
  t.ok(faults > 300, `${faults} faults`);
});

t.test('a seed run twice gives the same trace', async (t) => {
  for (let seed = 1; seed <= 4; seed += 1) {
    t.equal(lone(seed).trace, lone(seed).trace, `node alone, seed ${seed}`);
    t.equal(cluster(seed).trace, cluster(seed).trace, `cluster, seed ${seed}`);
  }
});

t.test('seeds derived from the commit hold all promises', async (t) => {
  const first = Number.parseInt(commit().slice(0, 8), 16);
  const share = (run: typeof lone, budgetMs: number): void => {
    const endMs = performance.now() + budgetMs;
    let done = 0;
    while (done < derivedMax && performance.now() < endMs) {
      hold(t, first + done, run);
      done += 1;
    }
    t.comment(`${done} derived seeds of ${run === lone ? 'a node alone' : 'clusters'}`);
    t.ok(done > 0);
  };
  share(lone, loneBudgetMs);
  share(cluster, clusterBudgetMs);
});

t.test('when the leader dies writes go on soon', async (t) => {
  const pausesMs: number[] = [];
  for (let seed = 1; seed <= 10; seed += 1) {
    const failover = new Failover(seed);
    for (let deaths = 0; deaths < 3; deaths += 1) pausesMs.push(failover.kill());
  }
  const { medianMs, longestMs } = figuresOf(t, pausesMs);
  t.ok(medianMs <= 400, 'half of the pauses are at most 400 ms');
  t.ok(longestMs <= 1000, 'no pause is longer than a second');
});

t.test('when the leader hands over no write fails', async (t) => {
  const pausesMs: number[] = [];
  let lost = 0;
  for (let seed = 1; seed <= 3; seed += 1) {
    const failover = new Failover(seed);
    for (let transfers = 0; transfers < 3; transfers += 1) pausesMs.push(failover.transfer());
    lost += failover.lost;
  }
  const { longestMs } = figuresOf(t, pausesMs);
  t.equal(lost, 0, 'every write is answered');
  t.ok(longestMs <= 100, 'writes hardly stop');
});

function figuresOf(t: Test, pausesMs: readonly number[]): { medianMs: number; longestMs: number } {
  const sorted = [...pausesMs].sort((a, b) => a - b);
  const medianMs = sorted[sorted.length >> 1] ?? Number.POSITIVE_INFINITY;
  const longestMs = sorted.at(-1) ?? Number.POSITIVE_INFINITY;
  const shown = [medianMs, longestMs].map((ms) => ms.toFixed(1));
  t.comment(`median ${shown[0]} ms, longest ${shown[1]} ms of virtual time`);
  return { medianMs, longestMs };
}

t.test('every rare situation that the code marks was reached', async (t) => {
  const names = probesInSource();
  t.same(
    names.filter((name) => !reached.has(name) && !rare.has(name)),
    [],
  );
  t.same(
    [...rare].filter((name) => !names.includes(name)),
    [],
    'what is called rare is there',
  );
});

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return '00000001';
  }
}

/** The names of all `probe('...')` calls of the product. */
function probesInSource(): string[] {
  const names = new Set<string>();
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const source = readFileSync(join('src', file), 'utf8');
    for (const match of source.matchAll(/\bprobe\('([^']+)'\)/g)) names.add(match[1] ?? '');
  }
  return [...names].sort();
}
