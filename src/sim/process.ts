/**
 * One process of a node under the simulator: the dispatcher and the composition of a real node on
 * virtual time, a simulated disk and a simulated network. A crash drops all of it but what had reached
 * the disk; a frozen process runs no code while time goes on.
 */
import type { LogLevel, PlaceId, Ref } from '../actors/actor.js';
import type { Dispatcher, DispatcherOptions } from '../actors/index.js';
import { AssertionError, assert, must } from '../base/assert.js';
import { DatabaseError } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import type { Random } from '../base/random.js';
import { shardPlace } from '../node/index.js';
import type { ProposeAnswer, ProposeMessage } from '../shard/protocol.js';
import type { SessionAnswer, SessionMessage } from '../sql/session/protocol.js';
import { SimulatedClock } from './clock.js';
import { compose, type Composed, type Membership, type NodeOptions } from './compose.js';
import { SimulatedDisk } from './disk.js';
import type { SimulatedNetwork, Station } from './network.js';
import {
  InterceptedDispatcher,
  type Interceptor,
  plantedEngine,
  plantedTamper,
  type Tamper,
} from './plant.js';
import type { World } from './world.js';

export interface Connection {
  post(message: SessionMessage): void;
  /** The client goes away. */
  close(): void;
}

export interface ProcessEvents {
  /** The node serves SQL, for the first time since it was started. */
  onUp(node: NodeId): void;
  /** It has died. */
  onDown(node: NodeId): void;
}

export interface ProcessParts {
  readonly world: World;
  readonly options: NodeOptions;
  readonly random: Random;
  readonly node: NodeId;
  readonly events: ProcessEvents;
  /** Both undefined: it is alone. */
  readonly network?: SimulatedNetwork;
  readonly membership?: Membership;
  /** Sees each replica that is made, and may put itself in front of it. */
  readonly intercept?: Interceptor;
  /** Whether a process may die of this error; any other is a broken promise. */
  readonly mayDieOf?: (error: DatabaseError) => boolean;
}

interface Running extends Composed {
  readonly dispatcher: Dispatcher;
  /** False once it has died: whatever was scheduled for it does not happen. */
  alive: boolean;
  up: boolean;
  stopping: boolean;
}

export class SimulatedProcess implements Station {
  readonly node: NodeId;
  readonly name: string;
  readonly probes = new Map<string, number>();
  readonly disk: SimulatedDisk;
  readonly clock: SimulatedClock;
  readonly #parts: ProcessParts;
  readonly #world: World;
  readonly #random: Random;
  /** How it comes to its cluster from the next start on. */
  membership: Membership | undefined;
  #running: Running | undefined;
  /** Turns until the crash; undefined for none. */
  #turnsLeft: number | undefined;
  #frozen = false;
  /** What it does, in this order, when it runs again or has caught up with its clock. */
  #waiting: (() => void)[] = [];
  /** What it dies of at the end of this event. */
  #dyingOf: DatabaseError | undefined;
  /** The broken invariant of an actor. */
  #failure: Error | undefined;

  constructor(parts: ProcessParts) {
    const { world, node, options, random } = parts;
    this.#parts = parts;
    this.#world = world;
    this.#random = random;
    this.membership = parts.membership;
    this.node = node;
    this.name = `node-${node}`;
    this.disk = new SimulatedDisk(world, node, options.disk, random.split());
    this.clock = new SimulatedClock(world, random.split(), options.clock);
  }

  get instance(): string {
    return this.disk.identity.instance;
  }

  get alive(): boolean {
    return this.#running !== undefined;
  }

  /** Whether it ever was. */
  get started(): boolean {
    return this.disk.identity.incarnation > 0;
  }

  /** Takes SQL. */
  get up(): boolean {
    return this.#running?.up === true && !this.#running.stopping;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** What the node is made of, while it lives. */
  get composed(): Composed {
    return must(this.#running, 'a node that is down');
  }

  start(): void {
    assert(this.#running === undefined, 'started twice', this.name);
    // The composition may already send: what it schedules asks for what is made here.
    const later: { running?: Running } = {};
    const enter = (run: () => void): void => this.#enter(later.running, run);
    const { options, node, network } = this.#parts;
    const engine = plantedEngine(options.plant, this.disk.open(enter), this.#world);
    const { incarnation } = this.disk.identity;
    this.#world.trace(this.name, 'starts', `incarnation ${incarnation}`);
    const dispatcher = this.#makeDispatcher(() => later.running);
    dispatcher.addPlace(0 as PlaceId);
    const composed = compose(dispatcher, {
      ...{ engine, node, options, enter, disk: this.disk, membership: this.membership },
      connect: (peers) => network?.want(node, peers),
    });
    this.#running = { ...composed, dispatcher, alive: true, up: false, stopping: false };
    later.running = this.#running;
    network?.onStarted(node);
  }

  connect(name: string, onAnswer: (answer: SessionAnswer) => void): Connection {
    const running = must(this.#running, 'connected to a node that is down');
    const options = { user: name, database: 'shardforge', settings: {} };
    let open = true;
    // It has said with which error it ends.
    let isEnded = false;
    const answers: SessionAnswer[] = [];
    const connection = running.sessions.connect(options, {
      // In an event of its own: what a checker throws must not be taken for the door's failure.
      answer: (answer) => {
        isEnded ||= answer.kind === 'sql.failed' && answer.fatal === true;
        answers.push(answer);
        // Events of one time come in any order; answers come in theirs.
        this.#world.after(this.clock.aheadMs, () => {
          const next = must(answers.shift(), 'an event for each answer');
          if (running.alive && open) onAnswer(next);
        });
      },
      died: (reason) => assert(!running.alive || isEnded, 'a session died', name, reason),
    });
    return {
      post: (message) => this.#enter(running, () => connection.send(message)),
      close: () => {
        open = false;
        this.#enter(running, () => connection.send({ kind: 'sql.end' }));
      },
    };
  }

  deliver(to: Ref<never>, from: Ref<never> | undefined, kind: string, bytes: Uint8Array): void {
    const running = this.#running;
    this.#enter(running, () => running?.dispatcher.deliverBytes(to, from, kind, bytes));
  }

  onLink(peer: Station, connected: boolean): void {
    const running = this.#running;
    const { node, instance } = peer;
    this.#enter(running, () => {
      if (connected) running?.host?.peerUp({ node, instance });
      else running?.host?.peerDown(node);
    });
  }

  /** Dies after so many more turns of its actors. */
  crashAfterTurns(turns: number): void {
    assert(turns >= 1, 'a crash takes a turn to come', turns);
    this.#turnsLeft = turns;
    this.#world.trace(this.name, 'crash in', `${turns} turns`);
  }

  /** Takes back {@link crashAfterTurns}. */
  calm(): void {
    this.#turnsLeft = undefined;
  }

  /** Dies now, also when it has nothing to do or is frozen. */
  crash(): void {
    const running = must(this.#running, 'crashed while it is down');
    this.#turnsLeft = undefined;
    this.#dyingOf = undefined;
    this.#frozen = false;
    this.#waiting = [];
    running.alive = false;
    running.up = false;
    this.#running = undefined;
    this.#world.trace(this.name, 'dies', this.disk.crash());
    this.#parts.network?.onDied(this.node);
    this.#parts.events.onDown(this.node);
  }

  /** Stops as its operator wants it: another leads first. */
  stop(): void {
    const running = this.#running;
    this.#enter(running, () => {
      const end = (): void => {
        // Called within a turn, which ends first.
        this.#world.after(this.clock.aheadMs, () => {
          if (running?.alive === true) this.crash();
        });
      };
      if (running === undefined || running.stopping) return;
      running.stopping = true;
      if (running.host === undefined) end();
      else running.host.handOver(end);
    });
  }

  /** Runs nothing until {@link thaw}, as after SIGSTOP. */
  freeze(): void {
    assert(this.alive && !this.#frozen, 'frozen twice', this.name);
    this.#frozen = true;
  }

  /** `stoodStillMs`: for so long its monotonic clock did not run, as when a machine is suspended. */
  thaw(stoodStillMs = 0): void {
    assert(this.#frozen, 'not frozen', this.name);
    this.#frozen = false;
    this.clock.stoodStill(stoodStillMs);
    this.#catchUp(this.#running);
  }

  failDisk(kind: 'disk_full' | 'io_error'): void {
    this.#enter(this.#running, () => this.disk.fail(kind));
  }

  /** Runs code of the process from outside its turns, when it can. */
  #enter(running: Running | undefined, run: () => void): void {
    if (running?.alive !== true) return;
    this.#waiting.push(run);
    // What came before it waits already, and for the same.
    if (this.#waiting.length === 1) this.#catchUp(running);
  }

  /** Does what waits, in order, as far as its clock lets it. */
  #catchUp(running: Running | undefined): void {
    while (running?.alive === true && !this.#frozen) {
      if (this.#waiting.length === 0) return;
      const { aheadMs } = this.clock;
      if (aheadMs > 0) {
        this.#world.after(aheadMs, () => this.#catchUp(running));
        return;
      }
      this.#waiting.shift()?.();
      this.#dieIfDying();
    }
  }

  #makeDispatcher(running: () => Running | undefined): Dispatcher {
    const { node, network, intercept, options: nodeOptions } = this.#parts;
    let asked = 0;
    const drain = (): void => {
      const current = running();
      if (current !== undefined) this.#drain(current);
    };
    const at = (dueMs: number): void => {
      asked += 1;
      const mine = asked;
      const wake = (): void => {
        if (mine !== asked) return;
        // Its clock may have stood still meanwhile.
        if (this.clock.untilMs(dueMs) > this.clock.aheadMs) at(dueMs);
        else drain();
      };
      this.#world.after(this.clock.untilMs(dueMs), () => this.#enter(running(), wake));
    };
    const options: DispatcherOptions = {
      node,
      seed: this.#random.below(0x1_0000),
      clock: this.clock,
      schedule: { soon: () => void this.#world.after(this.clock.aheadMs, drain), at },
      log: (level, event, fields) => this.#log(level, event, fields),
      fatal: (error) => this.#onFatal(error),
      probe: (name) => this.probes.set(name, (this.probes.get(name) ?? 0) + 1),
      encodeAll: nodeOptions.encodesAll,
      ...(network === undefined
        ? {}
        : { transmit: (envelope) => network.send(node, envelope, this.clock.aheadMs) }),
    };
    const tamper = plantedTamper(nodeOptions.plant) ?? this.#repeat(running);
    return new InterceptedDispatcher(options, nodeOptions.plant, tamper, intercept);
  }

  /** Some proposals arrive again, at once or later; the second answer goes nowhere. */
  #repeat(running: () => Running | undefined): Tamper {
    const { node, options } = this.#parts;
    const nobody: Ref<ProposeAnswer> = { node, place: 0 as PlaceId, name: 'nobody' };
    const replica: Ref<ProposeMessage> = { node, place: shardPlace, name: 'replica/1' };
    return (propose) => {
      if (this.#random.chance(options.repeatedProposals)) {
        const current = running();
        this.#world.after(this.#random.fraction() * 20, () => {
          this.#enter(current, () => {
            current?.dispatcher.post(replica, { ...propose, replyTo: nobody });
          });
        });
      }
      return [propose];
    };
  }

  #log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void {
    if (level === 'debug') return;
    this.#world.trace(this.name, level, `${event} ${JSON.stringify(fields)}`);
    const { error } = fields;
    // Its supervisor would start it again; here it is a broken invariant that nobody must miss.
    if (event === 'actor.failed' && error instanceof AssertionError) this.#failure ??= error;
  }

  #onFatal(error: Error): void {
    if (error instanceof DatabaseError && this.#parts.mayDieOf?.(error) === true) {
      this.#dyingOf ??= error;
      return;
    }
    throw error;
  }

  #dieIfDying(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#dyingOf === undefined || this.#running === undefined) return;
    this.#world.trace(this.name, 'fatal', this.#dyingOf.message);
    this.crash();
  }

  #drain(running: Running): void {
    if (!running.alive) return;
    if (this.#frozen) {
      this.#waiting.push(() => this.#drain(running));
      return;
    }
    const { aheadMs } = this.clock;
    if (aheadMs > 0) {
      this.#world.after(aheadMs, () => this.#drain(running));
      return;
    }
    // A few turns at a time, so that events come between turns that a real loop would run in a row.
    const turns = Math.min(this.#random.between(1, 64), this.#turnsLeft ?? 64);
    running.dispatcher.drain(turns);
    this.#dieIfDying();
    if (this.#turnsLeft !== undefined && running.alive) {
      this.#turnsLeft -= turns;
      if (this.#turnsLeft <= 0) {
        this.crash();
        return;
      }
    }
    if (running.alive && !running.up && running.ready()) {
      running.up = true;
      this.#world.trace(this.name, 'up', '');
      this.#parts.events.onUp(this.node);
    }
  }
}
