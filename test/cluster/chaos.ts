/**
 * A cluster of real processes under load while faults come every few seconds, one at a time, each
 * healed before the next. What was acknowledged is there afterwards, registers are linearizable, a
 * sequence gave no number twice, and all replicas hold the same. Half of the load comes through
 * PostgreSQL's protocol by node-postgres, whose errors are only those that docs/clients.md names.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '#src/base/assert.js';
import { Random } from '#src/base/random.js';
import { isLinearizable, type Model, type Operation } from '#src/sim/index.js';
import { exitCodes } from '#src/node/index.js';
import { ClusterClient, insist, type LoadClient } from './client.js';
import { ProcessCluster } from './processes.js';
import { WireClient } from './wire-client.js';

export const faults = [
  ...['kill', 'freeze', 'cut', 'cut in', 'cut out', 'restart all', 'disk full'],
] as const;
export type Fault = (typeof faults)[number];

export interface ChaosOptions {
  readonly directory: string;
  readonly seed: number;
  /** One after the other; each strikes the leader half of the time. */
  readonly faults: readonly Fault[];
  readonly faultMs: number;
  readonly pauseMs: number;
}

export interface ChaosResult {
  readonly inserts: number;
  readonly insertsUnknown: number;
  /** Of the inserts those through PostgreSQL's protocol. */
  readonly wireInserts: number;
  /** How often node-postgres was told each SQLSTATE, or lost its connection (08006). */
  readonly wireErrors: Readonly<Record<string, number>>;
  /** Most errors that one of its clients was told one after the other, silences apart. */
  readonly wireErrorsInARow: number;
  readonly operations: number;
  /** From each fault that struck the leader to the first insert acknowledged after it, milliseconds. */
  readonly outagesMs: readonly number[];
  readonly failures: readonly string[];
}

const registers = 4;
/** A node under load needs room within so much, ms. */
const diskFullMsMax = 20_000;
/** The first half of them through WebSocket, the second through PostgreSQL's protocol. */
const writers = 6;

type Input = { readonly write: number } | 'read';

/** Unknown reads were never answered: they say nothing and are left out of the history. */
const register: Model<number, Input, number | undefined> = {
  initial: 0,
  step: (state, input, output) => {
    if (input !== 'read') return input.write;
    return output === state ? state : undefined;
  },
  key: String,
};

export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const { directory } = options;
  const cluster = await ProcessCluster.start({ directory, nodes: 3, proxies: true, disks: true });
  try {
    return await new Chaos(cluster, options).run();
  } finally {
    await cluster.stop();
  }
}

class Chaos {
  readonly #cluster: ProcessCluster;
  readonly #options: ChaosOptions;
  readonly #random: Random;
  readonly #acknowledged = new Set<number>();
  readonly #unknown = new Set<number>();
  readonly #histories: Operation<Input, number | undefined>[][] = [];
  readonly #acknowledgedAtMs: number[] = [];
  readonly #wireClients: WireClient[] = [];
  /** Numbers that were written as n and -n at once. */
  readonly #blocks = new Set<number>();
  #wireInserts = 0;
  readonly #outagesMs: number[] = [];
  readonly #failures: string[] = [];
  #value = 0;
  #over = false;

  constructor(cluster: ProcessCluster, options: ChaosOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  async run(): Promise<ChaosResult> {
    await this.#setUp();
    const load = [
      ...Array.from({ length: writers }, (_, writer) =>
        writer < writers / 2 ? this.#insert(writer) : this.#insertByWire(writer),
      ),
      ...Array.from({ length: registers * 2 }, (_, i) => this.#useRegister(i % registers, i)),
    ];
    for (const fault of this.#options.faults) {
      await sleep(this.#options.pauseMs);
      await this.#strike(fault);
    }
    await sleep(this.#options.pauseMs);
    this.#over = true;
    await Promise.all(load);
    await this.#check();
    for (const { strange } of this.#wireClients) this.#failures.push(...strange.slice(0, 3));
    return {
      inserts: this.#acknowledged.size,
      insertsUnknown: this.#unknown.size,
      wireInserts: this.#wireInserts,
      wireErrors: this.#wireErrors(),
      wireErrorsInARow: Math.max(...this.#wireClients.map((one) => one.errorsInARowMax)),
      operations: this.#histories.reduce((sum, history) => sum + history.length, 0),
      outagesMs: this.#outagesMs,
      failures: this.#failures,
    };
  }

  async #setUp(): Promise<void> {
    const client = this.#client(0);
    await insist(client, 'create table if not exists written (n int primary key, id serial)');
    await insist(client, 'create table if not exists register (id int primary key, value int)');
    for (let id = 0; id < registers; id += 1) {
      await insist(client, `insert into register values (${id}, 0) on conflict (id) do nothing`);
      this.#histories.push([]);
    }
    client.close();
  }

  #client(first: number): ClusterClient {
    return new ClusterClient(this.#cluster.urls, first);
  }

  #wireClient(first: number): WireClient {
    const client = new WireClient(this.#cluster.postgresPorts, first);
    this.#wireClients.push(client);
    return client;
  }

  #wireErrors(): Record<string, number> {
    const errors: Record<string, number> = {};
    for (const [code, count] of this.#wireClients.flatMap(({ codes }) => [...codes])) {
      errors[code] = (errors[code] ?? 0) + count;
    }
    return errors;
  }

  async #insert(writer: number): Promise<void> {
    const client = this.#client(writer);
    for (let i = 0; !this.#over; i += 1) {
      const n = i * writers + writer;
      const outcome = await client.execute('insert into written (n) values ($1)', [n]);
      if (outcome.kind === 'rows') {
        this.#acknowledged.add(n);
        this.#acknowledgedAtMs.push(performance.now());
      } else if (outcome.kind === 'unknown') this.#unknown.add(n);
      await sleep(this.#random.between(0, 4));
    }
    client.close();
  }

  /** Each second time a block of two rows, n and -n. */
  async #insertByWire(writer: number): Promise<void> {
    const client = this.#wireClient(writer);
    const sql = 'insert into written (n) values ($1)';
    for (let i = 0; !this.#over; i += 1) {
      const n = i * writers + writer;
      const rows = i % 2 === 0 ? [n] : [n, -n];
      if (rows.length === 2) this.#blocks.add(n);
      const outcome =
        rows.length === 1
          ? await client.execute(sql, rows)
          : await client.transaction(rows.map((row) => [sql, [row]]));
      for (const row of rows) {
        if (outcome.kind === 'rows') this.#acknowledged.add(row);
        else if (outcome.kind === 'unknown') this.#unknown.add(row);
      }
      if (outcome.kind === 'rows') {
        this.#wireInserts += rows.length;
        this.#acknowledgedAtMs.push(performance.now());
      }
      await sleep(this.#random.between(0, 4));
    }
    client.close();
  }

  async #useRegister(id: number, first: number): Promise<void> {
    const client = first < registers ? this.#client(first) : this.#wireClient(first);
    const history = must(this.#histories[id], 'a history');
    while (!this.#over) {
      const calledAt = performance.now();
      if (this.#random.chance(0.5)) {
        const { kind, value } = await this.#read(client, id);
        const returnedAt = performance.now();
        if (kind === 'rows') history.push({ input: 'read', output: value, calledAt, returnedAt });
      } else {
        this.#value += 1;
        const input = { write: this.#value };
        const sql = 'update register set value = $2 where id = $1';
        const { kind } = await client.execute(sql, [id, input.write]);
        const returnedAt = kind === 'unknown' ? Number.POSITIVE_INFINITY : performance.now();
        if (kind !== 'refused') history.push({ input, output: undefined, calledAt, returnedAt });
      }
      await sleep(this.#random.between(0, 20));
    }
    client.close();
  }

  async #read(
    client: LoadClient,
    id: number,
  ): Promise<{ readonly kind: string; readonly value: number | undefined }> {
    const outcome = await client.execute('select value from register where id = $1', [id]);
    if (outcome.kind !== 'rows') return { kind: outcome.kind, value: undefined };
    const value = outcome.rows[0]?.[0];
    return { kind: 'rows', value: typeof value === 'number' ? value : undefined };
  }

  async #strike(fault: Fault): Promise<void> {
    const cluster = this.#cluster;
    const leader = await cluster.leader();
    const strikesLeader = this.#random.chance(0.5) && leader !== undefined;
    const victim = strikesLeader ? leader : this.#random.between(1, cluster.size);
    const struckMs = performance.now();
    if (fault === 'kill') await cluster.kill(victim);
    else if (fault === 'freeze') cluster.node(victim).freeze();
    else if (fault === 'cut') cluster.cut(victim, 'both');
    else if (fault === 'cut in') cluster.cut(victim, 'in');
    else if (fault === 'cut out') cluster.cut(victim, 'out');
    else if (fault === 'disk full') await this.#fill(victim);
    else await this.#killAll();
    await sleep(this.#options.faultMs);
    if (victim === leader) this.#noteOutage(struckMs);
    if (fault === 'freeze') cluster.node(victim).thaw();
    cluster.heal();
    for (let number = 1; number <= cluster.size; number += 1) {
      if (!cluster.isRunning(number)) await cluster.launch(number);
    }
    for (let number = 1; number <= cluster.size; number += 1) await cluster.node(number).ready();
  }

  /** A node without room ends by itself and says why, while the others go on. */
  async #fill(victim: number): Promise<void> {
    this.#cluster.fill(victim);
    const code = await this.#cluster.node(victim).ended(diskFullMsMax);
    if (code === exitCodes.disk_full) return;
    this.#failures.push(`node ${victim} with a full disk ended with ${code}`);
  }

  async #killAll(): Promise<void> {
    for (let number = 1; number <= this.#cluster.size; number += 1) {
      await this.#cluster.kill(number);
    }
  }

  #noteOutage(struckMs: number): void {
    // What was acknowledged within the first moments may have been on its way.
    const after = this.#acknowledgedAtMs.filter((atMs) => atMs > struckMs);
    const gaps = after.map((atMs, i) => atMs - (after[i - 1] ?? struckMs));
    this.#outagesMs.push(Math.round(Math.max(0, ...gaps)));
  }

  async #check(): Promise<void> {
    for (let number = 0; number < this.#cluster.size; number += 1) {
      const client = this.#client(number);
      const rows = await insist(client, 'select id, n from written');
      this.#checkWritten(number + 1, rows as readonly (readonly [number, number])[]);
      client.close();
    }
    this.#histories.forEach((history, id) => {
      if (!isLinearizable(register, history))
        this.#failures.push(`register ${id} is not linearizable`);
    });
    const client = this.#client(0);
    const [answer] = await insist(client, 'select shardforge.cluster_check()');
    const { equal } = JSON.parse(String(answer?.[0])) as { readonly equal: boolean };
    if (!equal) this.#failures.push(`replicas differ: ${String(answer?.[0])}`);
    client.close();
  }

  #checkWritten(node: number, rows: readonly (readonly [id: number, n: number])[]): void {
    const found = new Set(rows.map(([, n]) => n));
    const lost = [...this.#acknowledged].filter((n) => !found.has(n));
    if (lost.length > 0) this.#failures.push(`node ${node} lost ${lost.slice(0, 10).join(', ')}`);
    const strange = [...found].filter((n) => !this.#acknowledged.has(n) && !this.#unknown.has(n));
    if (strange.length > 0)
      this.#failures.push(`node ${node} holds what was refused: ${strange[0]}`);
    const half = [...this.#blocks].find((n) => found.has(n) !== found.has(-n));
    if (half !== undefined) this.#failures.push(`node ${node} holds half of block ${half}`);
    if (new Set(rows.map(([id]) => id)).size < rows.length) {
      this.#failures.push(`node ${node}: the sequence gave a number twice`);
    }
  }
}
