/**
 * `npm run sim -- --seeds N`: runs seeds and prints what they did. Each failure ends with the command
 * that repeats it. Exit code 1 when a seed failed or two runs of a seed differed.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadParser } from '../sql/index.js';
import { type Plant, plants } from './options.js';
import { type RunResult, runLone } from './run.js';

const usage = `usage: npm run sim -- [options]
  --seeds N     run N seeds (default 10)
  --seed S      the first seed (default 1)
  --twice       run each seed twice and compare the traces
  --plant BUG   plant a bug: ${Object.keys(plants).join(', ')}
  --trace       print the trace
  --record      add what was covered to bench/soak.md`;

interface Arguments {
  readonly seeds: number;
  readonly first: number;
  readonly twice: boolean;
  readonly trace: boolean;
  readonly record: boolean;
  readonly plant: Plant | undefined;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      twice: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      plant: { type: 'string' },
    },
  });
  const seeds = Number(values.seeds);
  const first = Number(values.seed);
  const known = Object.keys(plants) as Plant[];
  const plant = known.find((name) => name === values.plant);
  const wrong = values.plant !== undefined && plant === undefined;
  if (!Number.isSafeInteger(seeds) || seeds < 1 || !Number.isSafeInteger(first) || wrong) {
    throw new TypeError('an option has a value that it does not take');
  }
  return { seeds, first, twice: values.twice, trace: values.trace, record: values.record, plant };
}

function runSeed(seed: number, options: Arguments): RunResult {
  const print = options.trace ? (line: string) => console.log(line) : undefined;
  const result = runLone({
    seed,
    ...(options.plant === undefined ? {} : { plant: options.plant }),
    ...(print === undefined ? {} : { print }),
  });
  const outcome = result.violation === undefined ? 'ok' : 'FAILED';
  console.log(
    `seed ${seed}: ${outcome} ${result.statements} statements, ${result.crashes} crashes, ` +
      `${(result.virtualMs / 1000).toFixed(2)} virtual s, trace ${result.trace}`,
  );
  if (result.violation !== undefined) {
    const plant = options.plant === undefined ? '' : ` --plant ${options.plant}`;
    console.log(result.violation);
    console.log(`repeat: npm run sim -- --seed ${seed} --seeds 1${plant} --trace`);
  }
  return result;
}

function record(options: Arguments, statements: number, crashes: number, failures: number): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const day = new Date().toISOString().slice(0, 10);
  const last = options.first + options.seeds - 1;
  appendFileSync(
    'bench/soak.md',
    `| ${day} | ${commit} | simulator | seeds ${options.first} to ${last} | ${statements} statements, ${crashes} crashes | ${failures} |\n`,
  );
}

async function main(): Promise<number> {
  const options = readArguments();
  await loadParser();
  const probes = new Map<string, number>();
  let failures = 0;
  let statements = 0;
  let crashes = 0;
  for (let seed = options.first; seed < options.first + options.seeds; seed += 1) {
    const result = runSeed(seed, options);
    statements += result.statements;
    crashes += result.crashes;
    for (const [name, count] of result.probes) probes.set(name, (probes.get(name) ?? 0) + count);
    if (result.violation !== undefined) failures += 1;
    if (options.twice && runSeed(seed, options).trace !== result.trace) {
      console.log(`seed ${seed}: FAILED two runs differ`);
      failures += 1;
    }
  }
  for (const [name, count] of [...probes].sort()) console.log(`reached ${name}: ${count}`);
  console.log(
    `${options.seeds} seeds, ${statements} statements, ${crashes} crashes, ${failures} failed`,
  );
  if (options.record) record(options, statements, crashes, failures);
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
