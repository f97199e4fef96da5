/** The nodes of a run with their network, and clients that are told when nodes come and go. */
import { assert, must } from '../base/assert.js';
import type { NodeId, Term } from '../base/ids.js';
import { onlyShard } from '../node/index.js';
import { groupKey } from '../storage/keys.js';
import { decodeHardState } from '../storage/index.js';
import type { Random } from '../base/random.js';
import { SimulatedClient } from './client.js';
import type { Membership } from './compose.js';
import { SimulatedNetwork } from './network.js';
import type { ClusterOptions } from './options.js';
import { SimulatedProcess } from './process.js';
import type { Figures } from './run.js';
import { Safety } from './safety.js';
import { demand, type Script } from './workload.js';
import { World } from './world.js';

/** Events that a run may take; more means that it is stuck at one instant. */
const noBallot = { term: 0 as Term, vote: undefined };
const eventsMax = 20_000_000;

export class SimulatedCluster {
  readonly options: ClusterOptions;
  readonly world: World;
  readonly network: SimulatedNetwork;
  readonly processes: readonly SimulatedProcess[];
  readonly safety: Safety;
  readonly clients: SimulatedClient[] = [];
  readonly #random: Random;
  readonly #onDown: (process: SimulatedProcess) => void;
  #crashes = 0;
  #events = 0;

  /** `onDown` is told of each process that has died. */
  constructor(
    options: ClusterOptions,
    random: Random,
    print: ((line: string) => void) | undefined,
    onDown: (process: SimulatedProcess) => void,
  ) {
    this.options = options;
    this.#random = random;
    this.#onDown = onDown;
    this.world = new World(random.split(), print);
    this.world.trace('world', 'options', JSON.stringify(options));
    this.network = new SimulatedNetwork(this.world, options.network, random.split());
    const processOf = (node: NodeId): SimulatedProcess =>
      must(this.processes[node - 1], 'a process');
    const { leaseMs, clockDrift } = options.timing;
    this.safety = new Safety({
      isWitness: (node) => this.isWitness(node),
      nowMs: (node) => processOf(node).clock.shownMs,
      wallMs: (node) => processOf(node).clock.wallMs(),
      worldMs: () => this.world.nowMs,
      durableBallot: (node) => {
        const bytes = processOf(node).disk.durable(groupKey('hardState', onlyShard));
        return bytes === undefined ? noBallot : decodeHardState(bytes);
      },
      leaseMs: leaseMs * (1 - 2 * clockDrift),
    });
    this.network.onSend = (from, message) => this.safety.onSend(from, message);
    this.processes = Array.from({ length: this.#founders + options.spares }, (_, at) =>
      this.#makeProcess((at + 1) as NodeId, random.split()),
    );
  }

  get leader(): SimulatedProcess | undefined {
    const node = this.safety.leader;
    return this.processes.find((process) => process.node === node);
  }

  /** Those of the leader's configuration; nobody without a leader. */
  get members(): ReadonlySet<NodeId> {
    const leader = this.leader && this.safety.members.get(this.leader.node);
    if (leader === undefined) return new Set();
    const { voters, outgoing, learners } = leader.replica.raft.configuration;
    return new Set([...voters, ...outgoing, ...learners]);
  }

  /** Those of the leader's configuration that do not vote. */
  get learners(): readonly NodeId[] {
    const leader = this.leader && this.safety.members.get(this.leader.node);
    return leader?.replica.raft.configuration.learners ?? [];
  }

  isWitness(node: NodeId): boolean {
    const { voters, witnesses } = this.options;
    return node > voters && node <= voters + witnesses;
  }

  addClient(name: string, client = this.options.client): SimulatedClient {
    const made = new SimulatedClient(
      name,
      this.world,
      this.#random.split(),
      this.processes,
      client,
    );
    this.clients.push(made);
    return made;
  }

  /** Starts those who form the cluster. */
  start(): void {
    for (const process of this.processes) if (!this.isSpare(process)) process.start();
  }

  /** Whether the node is none of those who form the cluster. */
  isSpare({ node }: SimulatedProcess): boolean {
    return node > this.#founders;
  }

  /** Lets the next thing happen. */
  step(): void {
    this.#events += 1;
    demand(this.#events < eventsMax, 'a run comes to its end', this.world.nowMs);
    assert(this.world.step(), 'there is always something left to do');
  }

  /** Lets things happen until `done`, for so long of virtual time at most. */
  until(done: () => boolean, msMax: number, promise: string): void {
    const endMs = this.world.nowMs + msMax;
    while (!done()) {
      demand(this.world.nowMs < endMs, promise, this.#state());
      this.step();
    }
  }

  runFor(durationMs: number): void {
    const endMs = this.world.nowMs + durationMs;
    while (this.world.nowMs < endMs) this.step();
  }

  /** Has `client` run the script to its end. */
  runScript(client: SimulatedClient, script: Script, msMax: number, promise: string): void {
    let ended = false;
    client.run(script, () => {
      ended = true;
    });
    this.until(() => ended, msMax, promise);
  }

  figures(): Figures {
    const probes = new Map<string, number>();
    for (const source of [this.network, ...this.processes]) {
      for (const [name, count] of source.probes) {
        probes.set(name, (probes.get(name) ?? 0) + count);
      }
    }
    return {
      statements: this.clients.reduce((sum, client) => sum + client.statements, 0),
      crashes: this.#crashes,
      faults: this.#crashes,
      messages: this.network.sent,
      virtualMs: this.world.nowMs,
      trace: this.world.traceHash(),
      probes,
    };
  }

  #makeProcess(node: NodeId, random: Random): SimulatedProcess {
    const process: SimulatedProcess = new SimulatedProcess({
      world: this.world,
      options: this.options,
      random,
      node,
      network: this.network,
      membership: this.#membershipOf(node),
      intercept: this.safety.intercept,
      mayDieOf: ({ kind }) => kind === 'disk_full' || kind === 'io_error',
      events: {
        onUp: () => {
          for (const client of this.clients) client.onNodeUp();
        },
        onDown: () => {
          this.#crashes += 1;
          this.safety.forget(node);
          this.#onDown(process);
          for (const client of this.clients) client.onNodeDown(node);
        },
      },
    });
    this.network.add(process);
    return process;
  }

  #membershipOf(node: NodeId): Membership {
    const { voters, witnesses, timing, clusterLimits } = this.options;
    const founders = Array.from({ length: this.#founders }, (_, at) => (at + 1) as NodeId);
    const common = { timing, limits: clusterLimits };
    if (node > this.#founders) return { role: 'voter', seeds: [], join: founders, ...common };
    const votes = node <= voters + witnesses;
    const role = this.isWitness(node) ? 'witness' : votes ? 'voter' : 'learner';
    return { role, seeds: founders, join: [], ...common };
  }

  get #founders(): number {
    const { voters, witnesses, learners } = this.options;
    return voters + witnesses + learners;
  }

  /** For the text of a violation. */
  #state(): unknown {
    return this.processes.map(({ name, alive, up, frozen, node }) => {
      const { role, term, commitIndex } = this.safety.members.get(node) ?? {};
      return { name, alive, up, frozen, role, term, commitIndex };
    });
  }
}

/** Repeats statements of unknown outcome, so that what it sets up is there at its end. */
export function* untilKnown(script: Script): Script {
  for (let next = script.next(); next.done !== true; ) {
    const outcome = yield next.value;
    if (outcome.kind === 'rows' || outcome.kind === 'error') next = script.next(outcome);
  }
}
