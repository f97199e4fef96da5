/**
 * SQL over WebSocket, from socket to disk: point SELECTs by primary key and durable one-row INSERTs
 * with several connections and requests in flight. The server is a process of its own; what counts
 * is how many operations it does per second of its CPU time.
 *
 *     node build/bench/websocket.js [--seconds N] [--rows N] [--workers N] [--only NAME] [--json]
 *         [--profile DIR]   has the server write its CPU profile there
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { must } from '#src/base/assert.js';
import { cpuSeconds } from './cpu.js';
import { execute, measure, print, type Result, type Scenario } from './load.js';

const { values: args } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rows: { type: 'string', default: '100000' },
    json: { type: 'boolean', default: false },
    workers: { type: 'string', default: 'auto' },
    only: { type: 'string', default: '' },
    profile: { type: 'string' },
  },
});
const seconds = Number(args.seconds);
const profiling =
  args.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${args.profile}`];
const rows = Number(args.rows);

const select = 'SELECT id, name, amount FROM bench WHERE id = $1';
const insert = 'INSERT INTO bench (id, name, amount) VALUES ($1, $2, $3)';
let nextId = rows;
const anyRow = (): string => `[${Math.floor(Math.random() * rows)}]`;
const newRow = (): string => {
  nextId += 1;
  return `[${nextId},"a name of some length, as they are in tables of customers and orders",1]`;
};
const scenarios: readonly Scenario[] = [
  { name: 'select 1x1', connections: 1, inFlight: 1, prepare: select, params: anyRow },
  { name: 'select 64x1', connections: 64, inFlight: 1, prepare: select, params: anyRow },
  { name: 'select 16x16', connections: 16, inFlight: 16, prepare: select, params: anyRow },
  { name: 'insert 1x1', connections: 1, inFlight: 1, prepare: insert, params: newRow },
  { name: 'insert 64x1', connections: 64, inFlight: 1, prepare: insert, params: newRow },
  { name: 'insert 16x4', connections: 16, inFlight: 4, prepare: insert, params: newRow },
];

async function startServer(): Promise<{ readonly process: ChildProcess; readonly port: number }> {
  const config = join(directory, 'config.json');
  const workers = args.workers === 'auto' ? 'auto' : Number(args.workers);
  const data = { directory: join(directory, 'data') };
  const log = { format: 'json' };
  const auth = { rules: [{ addresses: ['loopback'], method: 'trust' }] };
  writeFileSync(config, JSON.stringify({ data, workers, http: { port: 0 }, log, auth }));
  const main = new URL('../../dist/main.js', import.meta.url).pathname;
  const child = spawn(process.execPath, [...profiling, main, '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout) {
    output += chunk;
    const address = /"address":"[^"]*:(\d+)"/.exec(output)?.[1];
    if (address !== undefined) return { process: child, port: Number(address) };
  }
  throw new Error(`the server did not start: ${output}`);
}

async function load(): Promise<void> {
  await execute(
    server.port,
    'CREATE TABLE bench (id int PRIMARY KEY, name text NOT NULL, amount numeric)',
  );
  const batch = 500;
  for (let first = 0; first < rows; first += batch) {
    const values = Array.from({ length: Math.min(batch, rows - first) }, (_, i) => {
      return `(${first + i},'the name of row ${first + i}',${(first + i) / 100})`;
    });
    await execute(server.port, `INSERT INTO bench VALUES ${values.join(',')}`);
  }
}

function serverCpuSeconds(): number {
  return cpuSeconds(must(server.process.pid, 'a started process has a pid'));
}

const directory = mkdtempSync(join(tmpdir(), 'shardforge-bench-'));
const server = await startServer();
const target = { port: server.port, cpuSeconds: serverCpuSeconds };
try {
  await load();
  const results: Result[] = [];
  for (const scenario of scenarios) {
    if (scenario.name.includes(args.only)) results.push(await measure(scenario, target, seconds));
  }
  if (args.json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
  else print(results);
} finally {
  server.process.kill('SIGTERM');
  await once(server.process, 'exit');
  rmSync(directory, { recursive: true, force: true });
}
