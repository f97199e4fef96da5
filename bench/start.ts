/**
 * How soon a database is there and what it costs while nobody asks: a node as a process, from spawn to
 * ready, empty and with data, its memory and CPU when idle; a database in memory embedded in a
 * process, from import to the first answer.
 *
 *     node build/bench/start.js [--runs N] [--json]
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { assert, must } from '#src/base/assert.js';
import { cpuSeconds } from './cpu.js';

const { values: args } = parseArgs({
  options: { runs: { type: 'string', default: '7' }, json: { type: 'boolean', default: false } },
});
const runs = Number(args.runs);
const idleSeconds = 5;
const directory = mkdtempSync(join(tmpdir(), 'shardforge-bench-'));
const root = new URL('../../', import.meta.url).pathname;

interface Started {
  readonly child: ChildProcess;
  readonly readyMs: number;
}

async function startNode(workers: number): Promise<Started> {
  const config = join(directory, 'config.json');
  const data = { directory: join(directory, 'data') };
  const auth = { rules: [{ addresses: ['loopback'], method: 'trust' }] };
  writeFileSync(
    config,
    JSON.stringify({ data, workers, http: { port: 0 }, log: { format: 'json' }, auth }),
  );
  const startedMs = performance.now();
  const child = spawn(process.execPath, [join(root, 'dist/main.js'), '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout) {
    output += chunk;
    if (output.includes('"node.ready"')) return { child, readyMs: performance.now() - startedMs };
  }
  throw new Error(`the node did not start: ${output}`);
}

async function stop({ child }: Started): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'exit');
}

function residentMegabytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(must(kilobytes, 'a process has memory')) / 1024;
}

/** Ready times of nodes on a directory that is made by the first. */
async function readyTimes(): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const node = await startNode(0);
    times.push(node.readyMs);
    await stop(node);
  }
  return times;
}

async function idle(
  workers: number,
): Promise<{ readonly megabytes: number; readonly cpuPercent: number }> {
  const node = await startNode(workers);
  const pid = must(node.child.pid, 'a started process has a pid');
  await sleep(2000);
  const cpuBefore = cpuSeconds(pid);
  await sleep(idleSeconds * 1000);
  const cpuPercent = ((cpuSeconds(pid) - cpuBefore) / idleSeconds) * 100;
  const megabytes = residentMegabytes(pid);
  await stop(node);
  return { megabytes, cpuPercent };
}

/** A process of its own, so that nothing is loaded before: from the import to the first answer. */
function embeddedMs(): number {
  const program = `
    const started = performance.now();
    const { open } = await import('${join(root, 'dist/embedded.js')}');
    const db = await open();
    await db.query('select 1');
    console.log(performance.now() - started);
    await db.close();`;
  const done = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  assert(done.status === 0, done.stderr);
  return Number(done.stdout);
}

function median(values: readonly number[]): number {
  return must([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)], 'a run');
}

const ready = await readyTimes();
const embedded = Array.from({ length: runs }, embeddedMs);
const idleAlone = await idle(0);
const idleWorkers = await idle(2);
rmSync(directory, { recursive: true });
const report = {
  readyEmptyMs: must(ready[0], 'a run'),
  readyMs: median(ready),
  embeddedMs: median(embedded),
  idleMegabytes: idleAlone.megabytes,
  idleCpuPercent: idleAlone.cpuPercent,
  idleMegabytesWorkers2: idleWorkers.megabytes,
  idleCpuPercentWorkers2: idleWorkers.cpuPercent,
};
if (args.json) console.log(JSON.stringify(report));
else {
  console.log(`node ready, new directory      ${report.readyEmptyMs.toFixed(0)} ms`);
  console.log(`node ready, median of ${runs}        ${report.readyMs.toFixed(0)} ms`);
  console.log(`embedded, import to first answer ${report.embeddedMs.toFixed(0)} ms`);
  console.log(
    `idle, workers 0   ${report.idleMegabytes.toFixed(0)} MB, ${report.idleCpuPercent.toFixed(2)} % CPU`,
  );
  console.log(
    `idle, workers 2   ${report.idleMegabytesWorkers2.toFixed(0)} MB, ${report.idleCpuPercentWorkers2.toFixed(2)} % CPU`,
  );
}
