/**
 * One run of a lone node: it is under the clients of all workloads, killed at random turns and started
 * again. After every start the checks of all workloads must hold before clients go on; at the end the
 * node is killed once more and checked a last time.
 */
import { assert } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import type { Random } from '../base/random.js';
import { SimulatedClient } from './client.js';
import type { LoneOptions } from './options.js';
import { SimulatedProcess } from './process.js';
import type { Figures, Simulation } from './run.js';
import { demand, type ClientWorld, type Script, type Workload } from './workload.js';
import { Bank } from './workloads/bank.js';
import { Counter } from './workloads/counter.js';
import { Ledger } from './workloads/ledger.js';
import { Registers } from './workloads/registers.js';
import { World } from './world.js';

/** Events without an answered statement after which a run has stopped making progress. */
const idleEventsMax = 200_000;
const retryMsMax = 10;
const node = 1 as NodeId;

type Phase = 'checking' | 'working' | 'ending';

export class LoneRun implements Simulation {
  readonly options: LoneOptions;
  readonly #random: Random;
  readonly #world: World;
  readonly #process: SimulatedProcess;
  readonly #workloads: readonly Workload[] = [
    new Ledger(),
    new Bank(),
    new Counter(),
    new Registers(),
  ];
  readonly #clients: SimulatedClient[] = [];
  readonly #checker: SimulatedClient;
  readonly #clientWorld: ClientWorld;
  #phase: Phase = 'checking';
  #crashes = 0;
  #isSetUp = false;
  #finished = false;

  constructor(options: LoneOptions, random: Random, print: ((line: string) => void) | undefined) {
    this.options = options;
    this.#random = random.split();
    this.#world = new World(random.split(), print);
    this.#world.trace('world', 'options', JSON.stringify(options));
    this.#clientWorld = {
      random: random.split(),
      nowMs: () => this.#world.nowMs,
      settled: true,
    };
    this.#process = new SimulatedProcess({
      world: this.#world,
      options,
      random: random.split(),
      node,
      events: { onUp: () => this.#onUp(), onDown: () => this.#onDown() },
    });
    const client = (name: string): SimulatedClient => {
      const patience = { patienceMs: undefined, retryMsMax, insists: false, endures: [] };
      return new SimulatedClient(name, this.#world, random.split(), [this.#process], patience);
    };
    this.#checker = client('checker');
    for (let i = 0; i < options.clients; i += 1) this.#clients.push(client(`client-${i}`));
  }

  run(): void {
    this.#process.start();
    this.#jumpClocks();
    let idle = 0;
    let answered = 0;
    while (!this.#finished) {
      demand(this.#world.step(), 'there is always something left to do');
      idle += 1;
      if (this.#statements() > answered) idle = 0;
      answered = this.#statements();
      demand(idle < idleEventsMax, 'the node makes progress', { phase: this.#phase });
    }
  }

  figures(): Figures {
    return {
      statements: this.#statements(),
      crashes: this.#crashes,
      faults: this.#crashes,
      messages: 0,
      virtualMs: this.#world.nowMs,
      trace: this.#world.traceHash(),
      probes: this.#process.probes,
    };
  }

  #statements(): number {
    return this.#clients.reduce((sum, client) => sum + client.statements, 0);
  }

  #onUp(): void {
    const crashAgain = this.#crashes < this.options.crashes || this.#phase === 'working';
    if (crashAgain && this.#phase !== 'ending') {
      this.#process.crashAfterTurns(this.#random.between(1, this.options.turnsToCrashMax));
    }
    this.#checker.onNodeUp();
    for (const client of this.#clients) client.onNodeUp();
    if (!this.#checker.busy) this.#check();
  }

  #onDown(): void {
    this.#crashes += 1;
    if (this.#phase === 'working') this.#phase = 'checking';
    this.#world.after(this.#random.between(1, 200), () => this.#process.start());
    this.#checker.onNodeDown(node);
    for (const client of this.#clients) client.onNodeDown(node);
  }

  /** Everything is checked while no other client has a statement in flight. */
  #check(): void {
    const crashesBefore = this.#crashes;
    this.#checker.run(this.#checkScript(), () => {
      // A crash in mid-check left answers out: check again, on the node that is up by then.
      if (this.#crashes !== crashesBefore) {
        if (this.#process.up) this.#check();
        return;
      }
      if (this.#phase === 'ending') this.#finished = true;
      else this.#work();
    });
  }

  *#checkScript(): Script {
    if (!this.#isSetUp) {
      const crashesBefore = this.#crashes;
      for (const workload of this.#workloads) yield* workload.setUp();
      if (this.#crashes !== crashesBefore) return;
      this.#isSetUp = true;
    }
    for (const workload of this.#workloads) yield* workload.check(this.#clientWorld);
  }

  #work(): void {
    this.#phase = 'working';
    this.#world.trace('world', 'checked', `${this.#statements()} statements`);
    this.#clients.forEach((client, index) => {
      if (!client.busy) this.#nextStep(client, index);
    });
  }

  #nextStep(client: SimulatedClient, index: number): void {
    if (this.#phase !== 'working' || client.busy) return;
    const enough =
      this.#statements() >= this.options.statements && this.#crashes >= this.options.crashes;
    if (enough) {
      this.#end();
      return;
    }
    const workload = this.#workloads[index % this.#workloads.length];
    assert(workload !== undefined, 'a client without a workload', index);
    client.run(workload.step(index, this.#clientWorld), () => {
      this.#world.after(this.#random.fraction() * this.options.thinkMsMax, () =>
        this.#nextStep(client, index),
      );
    });
  }

  #end(): void {
    this.#phase = 'ending';
    // Not after a turn: an idle node may never have another.
    this.#world.after(0, () => {
      if (this.#process.up) this.#process.crash();
    });
  }

  #jumpClocks(): void {
    if (this.options.clockJumps === 0) return;
    this.#world.after(1000 / this.options.clockJumps, () => {
      const minutes = this.#random.between(-10, 10);
      this.#process.clock.jumpWall(minutes * 60_000);
      this.#world.trace('world', 'clock', `jumps ${minutes} minutes`);
      this.#jumpClocks();
    });
  }
}
