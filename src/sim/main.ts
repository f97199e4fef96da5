/**
 * `npm run sim -- --seeds N`: runs seeds and prints what they did. Each failure ends with the command
 * that repeats it. Exit code 1 when a seed failed or two runs of a seed differed.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadParser } from '../sql/index.js';
import { faultKinds } from './faults.js';
import { type ClusterWishes, type Plant, plants } from './options.js';
import { runGroup } from './raft/run.js';
import { type Figures, type RunRequest, runCluster, runLone } from './run.js';

const usage = `usage: npm run sim -- [options]
  --seeds N     run N seeds (default 10)
  --seed S      the first seed (default 1)
  --lone        one node alone, killed at random turns, instead of a cluster
  --raft        a group of Raft cores alone, without SQL and disks: thousands of seeds a minute
  --nodes N     voting members of the cluster (default: drawn from the seed)
  --length F    run for F times as long
  --without F   without these faults, separated by commas: ${faultKinds.join(', ')}
  --twice       run each seed twice and compare the traces
  --plant BUG   plant a bug: ${Object.keys(plants).join(', ')}
  --trace       print the trace
  --quiet       print failed seeds only
  --record      add what was covered to bench/soak.md`;

type Outcome = Figures & { readonly violation: string | undefined };

interface Arguments {
  readonly seeds: number;
  readonly first: number;
  readonly lone: boolean;
  readonly raft: boolean;
  readonly wishes: ClusterWishes;
  readonly twice: boolean;
  readonly trace: boolean;
  readonly quiet: boolean;
  readonly record: boolean;
  readonly plant: Plant | undefined;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      lone: { type: 'boolean', default: false },
      raft: { type: 'boolean', default: false },
      nodes: { type: 'string' },
      length: { type: 'string' },
      without: { type: 'string' },
      twice: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      plant: { type: 'string' },
    },
  });
  const known = Object.keys(plants) as Plant[];
  const plant = known.find((name) => name === values.plant);
  if (values.plant !== undefined && plant === undefined) throw wrongValue('plant');
  const nodes = numberOf('nodes', values.nodes);
  const lengthFactor = numberOf('length', values.length);
  const without = values.without?.split(',').map((name) => {
    const kind = faultKinds.find((each) => each === name);
    if (kind === undefined) throw wrongValue('without');
    return kind;
  });
  const { lone, raft, twice, trace, quiet, record } = values;
  return {
    seeds: numberOf('seeds', values.seeds) ?? 10,
    first: numberOf('seed', values.seed) ?? 1,
    wishes: {
      ...(nodes === undefined ? {} : { nodes }),
      ...(lengthFactor === undefined ? {} : { lengthFactor }),
      ...(without === undefined ? {} : { without }),
    },
    ...{ lone, raft, twice, trace, quiet, record, plant },
  };
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw wrongValue(name);
  return number;
}

function wrongValue(name: string): TypeError {
  return new TypeError(`--${name} has a value that it does not take`);
}

function runSeed(seed: number, options: Arguments): Outcome {
  const request: RunRequest = {
    seed,
    ...(options.plant === undefined ? {} : { plant: options.plant }),
    ...(options.trace ? { print: (line) => console.log(line) } : {}),
  };
  const result = runOne(request, options);
  const failed = result.violation !== undefined;
  if (failed || !options.quiet) {
    console.log(
      `seed ${seed}: ${failed ? 'FAILED' : 'ok'} ${result.statements} statements, ` +
        `${result.faults} faults, ${result.messages} messages, ` +
        `${(result.virtualMs / 1000).toFixed(2)} virtual s, trace ${result.trace}`,
    );
  }
  if (failed) {
    console.log(result.violation);
    console.log(`repeat: npm run sim -- --seed ${seed} --seeds 1${flags(options)} --trace`);
  }
  return result;
}

function runOne(request: RunRequest, { raft, lone, wishes }: Arguments): Outcome {
  if (raft) return runGroup(request);
  return lone ? runLone(request) : runCluster(request, wishes);
}

function flags({ plant, lone, raft, wishes }: Arguments): string {
  return [
    plant === undefined ? '' : ` --plant ${plant}`,
    lone ? ' --lone' : '',
    raft ? ' --raft' : '',
    wishes.nodes === undefined ? '' : ` --nodes ${wishes.nodes}`,
    wishes.lengthFactor === undefined ? '' : ` --length ${wishes.lengthFactor}`,
    wishes.without === undefined ? '' : ` --without ${wishes.without.join(',')}`,
  ].join('');
}

function record(options: Arguments, statements: number, faults: number, failures: number): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const day = new Date().toISOString().slice(0, 10);
  const last = options.first + options.seeds - 1;
  const clusters = options.lone ? 'simulator, lone node' : 'simulator, clusters';
  const what = options.raft ? 'simulator, Raft cores' : clusters;
  const which = `seeds ${options.first} to ${last}${flags(options)}`;
  appendFileSync(
    'bench/soak.md',
    `| ${day} | ${commit} | ${what} | ${which} | ${statements} statements, ${faults} faults | ${failures} |\n`,
  );
}

async function main(): Promise<number> {
  const options = readArguments();
  await loadParser();
  const probes = new Map<string, number>();
  let failures = 0;
  let statements = 0;
  let faults = 0;
  for (let seed = options.first; seed < options.first + options.seeds; seed += 1) {
    const result = runSeed(seed, options);
    statements += result.statements;
    faults += result.faults;
    for (const [name, count] of result.probes) probes.set(name, (probes.get(name) ?? 0) + count);
    if (result.violation !== undefined) failures += 1;
    if (options.twice && runSeed(seed, options).trace !== result.trace) {
      console.log(`seed ${seed}: FAILED two runs differ`);
      failures += 1;
    }
  }
  for (const [name, count] of [...probes].sort()) console.log(`reached ${name}: ${count}`);
  console.log(
    `${options.seeds} seeds, ${statements} statements, ${faults} faults, ${failures} failed`,
  );
  if (options.record) record(options, statements, faults, failures);
  return failures === 0 ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof TypeError ? `${error.message}\n${usage}` : error);
    process.exitCode = 2;
  },
);
