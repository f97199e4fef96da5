/**
 * One run of a cluster: clients of all workloads at any node while faults happen; then everything is
 * healed, and within bounded time every node must serve again, all replicas be equal and the checks
 * of all workloads hold, asked at each node.
 */
import { assert, must } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import type { Random } from '../base/random.js';
import { SimulatedClient } from './client.js';
import { Faults } from './faults.js';
import { SimulatedNetwork } from './network.js';
import type { ClusterOptions } from './options.js';
import { SimulatedProcess } from './process.js';
import type { Figures, Simulation } from './run.js';
import { Safety } from './safety.js';
import { type ClientWorld, demand, type Script, type Workload } from './workload.js';
import { Bank } from './workloads/bank.js';
import { Counter } from './workloads/counter.js';
import { Ledger } from './workloads/ledger.js';
import { Registers } from './workloads/registers.js';
import { World } from './world.js';

/** Virtual time within which a cluster without faults has formed, or serves again. */
const serveMsMax = 30_000;
/** Virtual time within which its replicas are equal when nothing is written. */
const settleMsMax = 20_000;
/** Turns of the event loop that a run may take; more means that it is stuck at one instant. */
const eventsMax = 20_000_000;

export class ClusterRun implements Simulation {
  readonly #options: ClusterOptions;
  readonly #random: Random;
  readonly #world: World;
  readonly #network: SimulatedNetwork;
  readonly #processes: SimulatedProcess[] = [];
  readonly #safety: Safety;
  readonly #faults: Faults;
  readonly #workloads: readonly Workload[] = [
    new Ledger(),
    new Bank(),
    new Counter(),
    new Registers(),
  ];
  readonly #clients: SimulatedClient[] = [];
  readonly #checker: SimulatedClient;
  readonly #clientWorld: ClientWorld;
  #working = false;
  #crashes = 0;
  #events = 0;

  constructor(options: ClusterOptions, random: Random, print: ((line: string) => void) | undefined) {
    this.#options = options;
    this.#random = random.split();
    const world = new World(random.split(), print);
    this.#world = world;
    world.trace('world', 'options', JSON.stringify(options));
    this.#clientWorld = { random: random.split(), nowMs: () => world.nowMs, settled: false };
    this.#network = new SimulatedNetwork(world, options.network, random.split());
    this.#safety = new Safety((node) => this.#isWitness(node));
    const nodes = options.voters + options.witnesses + options.learners;
    for (let id = 1; id <= nodes; id += 1) this.#addProcess(id as NodeId, random.split());
    this.#faults = new Faults({
      world,
      random: random.split(),
      options: options.faults,
      network: this.#network,
      processes: this.#processes,
      rottenMax: Math.floor((options.voters + options.witnesses - 1) / 2),
      leader: () => this.#safety.leader,
    });
    const client = (name: string): SimulatedClient =>
      new SimulatedClient(name, world, random.split(), this.#processes, options.client);
    this.#checker = client('checker');
    for (let i = 0; i < options.clients; i += 1) this.#clients.push(client(`client-${i}`));
  }

  run(): void {
    for (const process of this.#processes) process.start();
    this.#runScript(this.#setUp(), 'a cluster forms and takes its first statements');
    this.#work();
    const endMs = this.#world.nowMs + this.#options.durationMs;
    while (this.#world.nowMs < endMs) this.#step();
    this.#faults.heal();
    this.#serveAgain();
    this.#settle();
    for (const process of this.#processes) {
      if (this.#isWitness(process.node)) continue;
      this.#checker.useOnly([process]);
      this.#runScript(this.#check(), `${process.name} serves after all is healed`);
    }
  }

  figures(): Figures {
    const probes = new Map<string, number>();
    const sources = [this.#network, ...this.#processes].map((each) => each.probes);
    for (const source of sources) {
      for (const [name, count] of source) probes.set(name, (probes.get(name) ?? 0) + count);
    }
    for (const [kind, count] of this.#faults.counts) probes.set(`fault.${kind}`, count);
    return {
      statements: this.#statements(),
      crashes: this.#crashes,
      faults: this.#faults.total,
      messages: this.#network.sent,
      virtualMs: this.#world.nowMs,
      trace: this.#world.traceHash(),
      probes,
    };
  }

  #addProcess(node: NodeId, random: Random): void {
    const process = new SimulatedProcess({
      world: this.#world,
      options: this.#options,
      random,
      node,
      network: this.#network,
      intercept: this.#safety.intercept,
      mayDieOf: ({ kind }) => kind === 'disk_full' || kind === 'io_error',
      events: {
        onUp: () => {
          for (const client of [this.#checker, ...this.#clients]) client.onNodeUp();
        },
        onDown: () => this.#onDown(process),
      },
    });
    this.#processes.push(process);
    this.#network.add(process);
  }

  #onDown(process: SimulatedProcess): void {
    this.#crashes += 1;
    this.#safety.forget(process.node);
    this.#faults.onDown(process);
    for (const client of [this.#checker, ...this.#clients]) client.onNodeDown(process.node);
  }

  #isWitness(node: NodeId): boolean {
    const { voters, witnesses } = this.#options;
    return node > voters && node <= voters + witnesses;
  }

  #step(): void {
    this.#events += 1;
    demand(this.#events < eventsMax, 'a run comes to its end', this.#world.nowMs);
    assert(this.#world.step(), 'there is always something left to do');
  }

  /** Runs the world until `done`, for so long at most. */
  #until(done: () => boolean, msMax: number, promise: string): void {
    const endMs = this.#world.nowMs + msMax;
    while (!done()) {
      demand(this.#world.nowMs < endMs, promise, this.#state());
      this.#step();
    }
  }

  #runScript(script: Script, promise: string): void {
    let ended = false;
    this.#checker.run(script, () => {
      ended = true;
    });
    this.#until(() => ended, serveMsMax, promise);
  }

  /** Repeats statements of unknown outcome: the tables must be there. */
  *#setUp(): Script {
    for (const workload of this.#workloads) {
      const script = workload.setUp();
      for (let next = script.next(); next.done !== true; ) {
        const outcome = yield next.value;
        if (outcome.kind === 'rows' || outcome.kind === 'error') next = script.next(outcome);
      }
    }
  }

  *#check(): Script {
    for (const workload of this.#workloads) yield* workload.check(this.#clientWorld);
  }

  #work(): void {
    this.#working = true;
    this.#faults.start();
    this.#clients.forEach((client, index) => this.#nextStep(client, index));
  }

  #nextStep(client: SimulatedClient, index: number): void {
    if (!this.#working) return;
    const workload = must(this.#workloads[index % this.#workloads.length], 'a workload');
    client.run(workload.step(index, this.#clientWorld), () => {
      const pauseMs = this.#random.fraction() * this.#options.thinkMsMax;
      this.#world.after(pauseMs, () => this.#nextStep(client, index));
    });
  }

  /** Every client gets an answer again; then they stop. */
  #serveAgain(): void {
    const before = this.#clients.map((client) => client.statements);
    const served = (): boolean =>
      this.#clients.every((client, index) => client.statements > (before[index] ?? 0));
    this.#until(served, serveMsMax, 'every client is served after all is healed');
    this.#working = false;
    const idle = (): boolean => this.#clients.every((client) => !client.busy);
    this.#until(idle, serveMsMax, 'every statement ends');
  }

  /** All replicas apply the same entries and hold the same rows. */
  #settle(): void {
    const equal = (): boolean => {
      const members = this.#dataMembers();
      const first = members[0]?.replica.appliedIndex;
      return (
        members.length === this.#processes.length - this.#options.witnesses &&
        members.every(({ replica }) => replica.appliedIndex === first)
      );
    };
    this.#until(equal, settleMsMax, 'all replicas apply the same entries');
    const hashes = this.#dataMembers().map(({ node, replica }) => [node, replica.stateHash()]);
    const [first] = hashes;
    demand(
      hashes.every(([, hash]) => hash === first?.[1]),
      'replicas that have applied the same entries are equal',
      hashes,
    );
  }

  #dataMembers() {
    return [...this.#safety.members.values()].filter(({ node }) => !this.#isWitness(node));
  }

  #statements(): number {
    return this.#clients.reduce((sum, client) => sum + client.statements, 0);
  }

  /** For the text of a violation. */
  #state(): unknown {
    return this.#processes.map(({ name, alive, up, frozen, node }) => {
      const member = this.#safety.members.get(node);
      const { role, term, commitIndex } = member ?? {};
      return { name, alive, up, frozen, role, term, commitIndex };
    });
  }
}
