/**
 * One run of a cluster: clients of all workloads at any node while faults happen; then everything is
 * healed, and within bounded time every node must serve again, all replicas be equal and the checks
 * of all workloads hold, asked at each node.
 */
import { must } from '../base/assert.js';
import { DatabaseError } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import type { Random } from '../base/random.js';
import type { SimulatedClient } from './client.js';
import { SimulatedCluster, untilKnown } from './cluster.js';
import { changesMembers, Faults } from './faults.js';
import { Operator } from './operator.js';
import type { ClusterOptions } from './options.js';
import type { SimulatedProcess } from './process.js';
import type { Figures, Simulation } from './run.js';
import type { ObservedReplica } from './safety.js';
import { type ClientWorld, demand, type Script, type Workload } from './workload.js';
import { Bank } from './workloads/bank.js';
import { Counter } from './workloads/counter.js';
import { Guarded } from './workloads/guarded.js';
import { Ledger } from './workloads/ledger.js';
import { News } from './workloads/news.js';
import { Registers } from './workloads/registers.js';

/** Virtual time within which a cluster without faults has formed, or serves again. */
const serveMsMax = 30_000;
/** Virtual time within which its replicas are equal when nothing is written. */
const settleMsMax = 20_000;

export class ClusterRun implements Simulation {
  readonly #options: ClusterOptions;
  readonly #random: Random;
  readonly #cluster: SimulatedCluster;
  readonly #operator: Operator;
  readonly #faults: Faults;
  readonly #workloads: readonly Workload[] = [
    new Ledger(),
    new Bank(),
    new Counter(),
    new Registers(),
  ];
  /** For sessions with state of their own: their clients are told when that is gone. */
  readonly #sessionWorkloads: readonly Workload[];
  readonly #clients: readonly SimulatedClient[];
  readonly #sessionClients: readonly SimulatedClient[];
  readonly #checker: SimulatedClient;
  readonly #clientWorld: ClientWorld;
  #working = false;

  constructor(
    options: ClusterOptions,
    random: Random,
    print: ((line: string) => void) | undefined,
  ) {
    this.#options = options;
    this.#random = random.split();
    const cluster = new SimulatedCluster(options, random.split(), print, (process) =>
      this.#faults.onDown(process),
    );
    this.#cluster = cluster;
    const { world, network, processes } = cluster;
    this.#clientWorld = { random: random.split(), nowMs: () => world.nowMs, settled: false };
    this.#operator = new Operator(world, cluster.addClient('operator', Operator.client));
    this.#faults = new Faults(
      {
        world,
        random: random.split(),
        options: options.faults,
        network,
        processes,
        operator: this.#operator,
        voters: () => cluster.safety.voters,
        learners: () => cluster.learners,
        isWitness: (node) => cluster.isWitness(node),
        leader: () => cluster.leader,
      },
      processes.filter((process) => cluster.isSpare(process)),
    );
    this.#checker = cluster.addClient('checker');
    this.#clients = Array.from({ length: options.clients }, (_, at) =>
      cluster.addClient(`client-${at}`),
    );
    const client = { ...options.client, insists: false };
    this.#sessionWorkloads = options.sessionClients > 0 ? [new Guarded(), new News()] : [];
    this.#sessionClients = Array.from({ length: options.sessionClients }, (_, at) =>
      cluster.addClient(`session-${at}`, client),
    );
  }

  run(): void {
    const { formingMs, durationMs, faults } = this.#options;
    this.#cluster.start();
    if (formingMs > 0) {
      this.#faults.start(faults.kinds.filter((kind) => !changesMembers(kind)));
      this.#cluster.runFor(formingMs);
      this.#faults.heal();
    }
    this.#runScript(this.#setUp(), 'a cluster forms and takes its first statements');
    this.#work();
    this.#cluster.runFor(durationMs);
    this.#faults.heal();
    this.#serveAgain();
    for (const process of this.#settle()) {
      this.#checker.useOnly([process]);
      this.#runScript(this.#check(), `${process.name} serves after all is healed`);
    }
  }

  figures(): Figures {
    const figures = this.#cluster.figures();
    const probes = new Map(figures.probes);
    for (const [kind, count] of this.#faults.counts) probes.set(`fault.${kind}`, count);
    return { ...figures, probes, faults: this.#faults.total };
  }

  #runScript(script: Script, promise: string): void {
    this.#cluster.runScript(this.#checker, script, serveMsMax, promise);
  }

  *#setUp(): Script {
    for (const workload of this.#all) yield* untilKnown(workload.setUp());
  }

  *#check(): Script {
    for (const workload of this.#all) yield* workload.check(this.#clientWorld);
  }

  get #all(): readonly Workload[] {
    return [...this.#workloads, ...this.#sessionWorkloads];
  }

  #work(): void {
    this.#working = true;
    this.#faults.start(this.#options.faults.kinds);
    for (const [at, client] of this.#clients.entries()) {
      this.#nextStep(client, at, this.#workloads[at % this.#workloads.length]);
    }
    for (const [at, client] of this.#sessionClients.entries()) {
      this.#nextStep(client, at >> 1, this.#sessionWorkloads[at % 2]);
    }
  }

  #nextStep(client: SimulatedClient, index: number, workload: Workload | undefined): void {
    const { world } = this.#cluster;
    if (!this.#working) return;
    const lullMs = this.#faults.lullUntilMs - world.nowMs;
    if (lullMs > 0) {
      world.after(lullMs, () => this.#nextStep(client, index, workload));
      return;
    }
    const script = must(workload, 'a workload').step(index, this.#clientWorld);
    client.run(script, () => {
      const pauseMs = this.#random.fraction() * this.#options.thinkMsMax;
      world.after(pauseMs, () => this.#nextStep(client, index, workload));
    });
  }

  /** Every client gets an answer again; then they stop. */
  #serveAgain(): void {
    const clients = [...this.#clients, ...this.#sessionClients];
    const before = clients.map((client) => client.statements);
    const served = (): boolean =>
      clients.every((client, index) => client.statements > (before[index] ?? 0));
    this.#cluster.until(served, serveMsMax, 'every client is served after all is healed');
    this.#working = false;
    const idle = (): boolean => clients.every((client) => !client.busy);
    this.#cluster.until(idle, serveMsMax, 'every statement ends');
  }

  /**
   * The members become those that are wanted; all replicas apply the same entries and hold the same
   * rows. Returns the members with data.
   */
  #settle(): readonly SimulatedProcess[] {
    const cluster = this.#cluster;
    cluster.until(() => !this.#operator.busy, serveMsMax, 'every command of an operator ends');
    cluster.until(
      () => this.#areWanted(cluster.members),
      settleMsMax,
      'the members become those that are wanted',
    );
    const data = this.#faults.members.filter(
      ({ node }) => cluster.members.has(node) && !cluster.isWitness(node),
    );
    const replicas = (): readonly (ObservedReplica | undefined)[] =>
      data.map(({ node }) => cluster.safety.members.get(node)?.replica);
    const equal = (): boolean => {
      const [first, ...others] = replicas();
      return (
        first !== undefined && others.every((each) => each?.appliedIndex === first.appliedIndex)
      );
    };
    cluster.until(equal, settleMsMax, 'all replicas apply the same entries');
    const hashes = replicas().map((replica) => replica && hashOf(replica));
    demand(
      new Set(hashes.filter((hash) => hash !== undefined)).size === 1,
      'replicas that have applied the same entries are equal',
      data.map(({ name }) => name),
      hashes,
    );
    return data;
  }

  /** Whether these are the members, as far as the cluster has agreed to what the operator wants. */
  #areWanted(members: ReadonlySet<NodeId>): boolean {
    const { leaving, departing } = this.#operator;
    const mayBe = new Set(this.#faults.members.map(({ node }) => node));
    const must = [...mayBe].filter((node) => !departing.has(node));
    return (
      must.every((node) => members.has(node)) &&
      [...members].every((node) => mayBe.has(node) && !leaving.has(node))
    );
  }
}

/** Undefined where a value has rotted that nobody has read since. */
function hashOf(replica: ObservedReplica): string | undefined {
  try {
    return replica.stateHash();
  } catch (error) {
    if (error instanceof DatabaseError && error.kind === 'data_corrupted') return undefined;
    throw error;
  }
}
