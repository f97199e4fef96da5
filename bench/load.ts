/**
 * Load on SQL over WebSocket from connections that each keep some requests in flight, and what it costs
 * the servers: operations per second of their processor time.
 */
import { assert, must } from '#src/base/assert.js';
import { clientFrame, LeanClient } from './lean-client.js';

export interface Scenario {
  readonly name: string;
  readonly connections: number;
  readonly inFlight: number;
  readonly prepare: string;
  /** Parameters of the next request, as JSON. */
  readonly params: () => string;
}

export interface Result {
  readonly name: string;
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly serverCpuPercent: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Who is measured. */
export interface Target {
  readonly port: number;
  /** Of all server processes. */
  readonly cpuSeconds: () => number;
}

/** One connection that keeps `inFlight` requests under way. */
class Load {
  readonly #port: number;
  readonly #scenario: Scenario;
  readonly #latenciesMs: number[];
  readonly #sentMs: number[];
  #client: LeanClient | undefined;
  #prepared: (() => void) | undefined;
  #slot = 0;
  #outbox: Buffer[] = [];
  running = true;

  constructor(port: number, scenario: Scenario, latenciesMs: number[]) {
    this.#port = port;
    this.#scenario = scenario;
    this.#latenciesMs = latenciesMs;
    this.#sentMs = new Array<number>(scenario.inFlight).fill(0);
  }

  async open(): Promise<void> {
    const client = await LeanClient.open(this.#port, (payload) => this.#answered(payload));
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

/** Runs one scenario for so long, after a warm-up. */
export async function measure(
  scenario: Scenario,
  { port, cpuSeconds }: Target,
  seconds: number,
): Promise<Result> {
  const latenciesMs: number[] = [];
  const loads = Array.from(
    { length: scenario.connections },
    () => new Load(port, scenario, latenciesMs),
  );
  for (const load of loads) await load.open();
  for (const load of loads) load.start();
  await sleep(Math.min(1, seconds / 2));
  latenciesMs.length = 0;
  const startMs = performance.now();
  const startCpu = cpuSeconds();
  await sleep(seconds);
  const elapsed = (performance.now() - startMs) / 1000;
  const cpu = cpuSeconds() - startCpu;
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

export function sleep(durationSeconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationSeconds * 1000));
}

/** As a table. */
export function print(results: readonly Result[]): void {
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

/** Sends one statement and gives the text of its last answer. */
export async function execute(port: number, sql: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const opened = LeanClient.open(port, (payload) => {
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
