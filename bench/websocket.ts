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
import { assert, must } from '#src/base/assert.js';
import { cpuSeconds } from './cpu.js';
import { clientFrame, LeanClient } from './lean-client.js';

interface Scenario {
  readonly name: string;
  readonly connections: number;
  readonly inFlight: number;
  readonly prepare: string;
  /** Parameters of the next request, as JSON. */
  readonly params: () => string;
}

interface Result {
  readonly name: string;
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly serverCpuPercent: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

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
  writeFileSync(config, JSON.stringify({ data, workers, http: { port: 0 }, log }));
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

/** Sends one statement and gives the text of its last answer. */
async function execute(sql: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const opened = LeanClient.open(server.port, (payload) => {
      const text = payload.toString();
      if (!text.includes('"more":true')) opened.then((client) => client.close(), reject);
      if (text.startsWith('{"op":"error"')) reject(new Error(text));
      else resolve(text);
    });
    opened.then((client) => {
      client.send(clientFrame(JSON.stringify({ op: 'execute', id: 1, sql })));
    }, reject);
  });
}

async function load(): Promise<void> {
  await execute('CREATE TABLE bench (id int PRIMARY KEY, name text NOT NULL, amount numeric)');
  const batch = 500;
  for (let first = 0; first < rows; first += batch) {
    const values = Array.from({ length: Math.min(batch, rows - first) }, (_, i) => {
      return `(${first + i},'the name of row ${first + i}',${(first + i) / 100})`;
    });
    await execute(`INSERT INTO bench VALUES ${values.join(',')}`);
  }
}

/** One connection that keeps `inFlight` requests under way. */
class Load {
  readonly #scenario: Scenario;
  readonly #latenciesMs: number[];
  readonly #sentMs: number[];
  #client: LeanClient | undefined;
  #prepared: (() => void) | undefined;
  #slot = 0;
  #outbox: Buffer[] = [];
  running = true;

  constructor(scenario: Scenario, latenciesMs: number[]) {
    this.#scenario = scenario;
    this.#latenciesMs = latenciesMs;
    this.#sentMs = new Array<number>(scenario.inFlight).fill(0);
  }

  async open(): Promise<void> {
    const client = await LeanClient.open(server.port, (payload) => this.#answered(payload));
    this.#client = client;
    const { prepare: sql } = this.#scenario;
    await new Promise<void>((resolve) => {
      this.#prepared = resolve;
      client.send(clientFrame(JSON.stringify({ op: 'prepare', id: 1, name: 'q', sql })));
    });
    this.#prepared = undefined;
  }

  start(): void {
    for (let slot = 0; slot < this.#scenario.inFlight; slot += 1) this.#request(slot);
  }

  close(): void {
    this.#client?.close();
  }

  #answered(payload: Buffer): void {
    // {"op":"e...: an error
    assert(payload[7] !== 0x65, payload.toString());
    if (this.#prepared !== undefined) {
      this.#prepared();
      return;
    }
    const slot = this.#slot;
    this.#slot = (slot + 1) % this.#scenario.inFlight;
    this.#latenciesMs.push(performance.now() - must(this.#sentMs[slot], 'a slot'));
    if (this.running) this.#request(slot);
  }

  /** Answers that arrive together are followed by requests that leave together. */
  #request(slot: number): void {
    this.#sentMs[slot] = performance.now();
    const params = this.#scenario.params();
    const text = `{"op":"execute","id":${slot + 1},"prepared":"q","params":${params}}`;
    if (this.#outbox.push(clientFrame(text)) > 1) return;
    queueMicrotask(() => {
      this.#client?.send(Buffer.concat(this.#outbox));
      this.#outbox = [];
    });
  }
}

async function measure(scenario: Scenario): Promise<Result> {
  const latenciesMs: number[] = [];
  const loads = Array.from({ length: scenario.connections }, () => new Load(scenario, latenciesMs));
  for (const load of loads) await load.open();
  for (const load of loads) load.start();
  await sleep(Math.min(1, seconds / 2));
  latenciesMs.length = 0;
  const startMs = performance.now();
  const startCpu = serverCpuSeconds();
  await sleep(seconds);
  const elapsed = (performance.now() - startMs) / 1000;
  const cpu = serverCpuSeconds() - startCpu;
  const count = latenciesMs.length;
  for (const load of loads) load.running = false;
  await sleep(0.1);
  for (const load of loads) load.close();
  const sorted = Float64Array.from(latenciesMs.slice(0, count)).sort();
  return {
    name: scenario.name,
    perSecond: count / elapsed,
    perCpuSecond: count / cpu,
    serverCpuPercent: (cpu / elapsed) * 100,
    p50Ms: sorted[Math.floor(count * 0.5)] ?? 0,
    p99Ms: sorted[Math.floor(count * 0.99)] ?? 0,
  };
}

function sleep(durationSeconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationSeconds * 1000));
}

function serverCpuSeconds(): number {
  return cpuSeconds(must(server.process.pid, 'a started process has a pid'));
}

function print(results: readonly Result[]): void {
  const cell = (text: string | number): string => String(text).padStart(14);
  const head = ['', 'per second', 'per CPU second', 'server CPU %', 'p50 ms', 'p99 ms'];
  const lines = results.map((r) => [
    r.name,
    Math.round(r.perSecond),
    Math.round(r.perCpuSecond),
    Math.round(r.serverCpuPercent),
    r.p50Ms.toFixed(3),
    r.p99Ms.toFixed(3),
  ]);
  const text = [head, ...lines].map((line) => line.map(cell).join(' ')).join('\n');
  process.stdout.write(`${text}\n`);
}

const directory = mkdtempSync(join(tmpdir(), 'shardforge-bench-'));
const server = await startServer();
try {
  await load();
  const results: Result[] = [];
  for (const scenario of scenarios) {
    if (scenario.name.includes(args.only)) results.push(await measure(scenario));
  }
  if (args.json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
  else print(results);
} finally {
  server.process.kill('SIGTERM');
  await once(server.process, 'exit');
  rmSync(directory, { recursive: true, force: true });
}
