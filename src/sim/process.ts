/**
 * One process of the node under the simulator: the dispatcher and the composition of a real node on
 * virtual time and a simulated disk. A crash drops all of it but what had reached the disk.
 */
import type { PlaceId, Ref } from '../actors/actor.js';
import type { Dispatcher, DispatcherOptions } from '../actors/index.js';
import { assert, must } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import type { Random } from '../base/random.js';
import { composePlace, registerKinds, Sessions, shardPlace } from '../node/index.js';
import type { ProposeAnswer, ProposeMessage } from '../shard/protocol.js';
import type { SessionAnswer, SessionMessage } from '../sql/session/protocol.js';
import { type MemoryContents, MemoryEngine } from '../storage/index.js';
import type { RunOptions } from './options.js';
import { plantedEngine, plantedTamper, type Tamper, TamperedDispatcher } from './plant.js';
import type { World } from './world.js';

export interface Connection {
  post(message: SessionMessage): void;
}

export interface ProcessEvents {
  /** The node serves SQL. */
  onUp(): void;
  /** It has died. */
  onDown(): void;
}

interface Running {
  readonly dispatcher: Dispatcher;
  readonly disk: MemoryEngine;
  readonly sessions: Sessions;
  readonly ready: () => boolean;
  /** False once it has died: whatever was scheduled for it does not happen. */
  alive: boolean;
  up: boolean;
}

const node = 1 as NodeId;
const clusterId = '00000000-0000-4000-8000-000000000001';

export class SimulatedProcess {
  readonly probes = new Map<string, number>();
  readonly #world: World;
  readonly #options: RunOptions;
  readonly #random: Random;
  readonly #events: ProcessEvents;
  #running: Running | undefined;
  #contents: MemoryContents | undefined;
  #incarnation = 0;
  /** Turns until the crash; undefined for none. */
  #turnsLeft: number | undefined;

  constructor(world: World, options: RunOptions, random: Random, events: ProcessEvents) {
    this.#world = world;
    this.#options = options;
    this.#random = random;
    this.#events = events;
  }

  /** Serves SQL. */
  get up(): boolean {
    return this.#running?.up === true;
  }

  start(): void {
    assert(this.#running === undefined, 'started twice');
    this.#incarnation += 1;
    this.#world.trace('node', 'starts', `incarnation ${this.#incarnation}`);
    const disk = this.#openDisk();
    const engine = plantedEngine(this.#options.plant, disk, this.#world);
    const dispatcher = this.#makeDispatcher(() => running);
    dispatcher.addPlace(0 as PlaceId);
    registerKinds(dispatcher);
    const { shardLimits } = this.#options;
    const parts = { engine, node, incarnation: this.#incarnation, clusterId, shardLimits };
    const place = composePlace(dispatcher, shardPlace, parts);
    const sessions = new Sessions(dispatcher, shardPlace, () => undefined);
    const ready = place.ready;
    const running: Running = { dispatcher, disk, sessions, ready, alive: true, up: false };
    this.#running = running;
  }

  connect(name: string, onAnswer: (answer: SessionAnswer) => void): Connection {
    const running = must(this.#running, 'connected to a node that is down');
    const options = { user: name, database: 'shardforge', settings: {} };
    const connection = running.sessions.connect(options, {
      // In an event of its own: what a checker throws must not be taken for the door's failure.
      answer: (answer) => {
        this.#world.after(0, () => {
          if (running.alive) onAnswer(answer);
        });
      },
      died: (reason) => assert(!running.alive, 'a session died', name, reason),
    });
    return { post: (message) => connection.send(message) };
  }

  /** Dies after so many more turns of its actors. */
  crashAfterTurns(turns: number): void {
    assert(turns >= 1, 'a crash takes a turn to come', turns);
    this.#turnsLeft = turns;
    this.#world.trace('node', 'crash in', `${turns} turns`);
  }

  /** Dies now, also when it has nothing to do; it is up. */
  crash(): void {
    this.#crash(must(this.#running, 'crashed while it is down'));
  }

  #openDisk(): MemoryEngine {
    const { flushMsMin, flushMsMax } = this.#options;
    return new MemoryEngine({
      schedule: (finish) => {
        const delayMs = flushMsMin + this.#random.fraction() * (flushMsMax - flushMsMin);
        this.#world.after(delayMs, finish);
      },
      ...(this.#contents === undefined ? {} : { contents: this.#contents }),
    });
  }

  #makeDispatcher(running: () => Running): Dispatcher {
    let cancelTimer = (): void => undefined;
    const drain = (): void => {
      if (running().alive) this.#drain(running());
    };
    const options: DispatcherOptions = {
      node,
      seed: this.#random.below(0x1_0000),
      clock: {
        nowMs: () => {
          this.#world.spend(this.#random.fraction() * this.#options.clockReadMsMax);
          return this.#world.nowMs;
        },
        wallMs: () => this.#world.wallMs,
      },
      schedule: {
        soon: () => {
          this.#world.after(0, drain);
        },
        at: (dueMs) => {
          cancelTimer();
          cancelTimer = this.#world.after(Math.max(0, dueMs - this.#world.nowMs), drain);
        },
      },
      log: (level, event, fields) => {
        this.#world.trace('node', level, `${event} ${JSON.stringify(fields)}`);
      },
      fatal: (error) => {
        throw error;
      },
      probe: (name) => this.probes.set(name, (this.probes.get(name) ?? 0) + 1),
      encodeAll: true,
    };
    return new TamperedDispatcher(
      options,
      plantedTamper(this.#options.plant) ?? this.#repeat(running),
    );
  }

  /** Some proposals arrive again, at once or later; the second answer goes nowhere. */
  #repeat(running: () => Running): Tamper {
    const nobody: Ref<ProposeAnswer> = { node, place: 0 as PlaceId, name: 'nobody' };
    const replica: Ref<ProposeMessage> = { node, place: shardPlace, name: 'replica/1' };
    return (propose) => {
      if (this.#random.chance(this.#options.repeatedProposals)) {
        this.#world.after(this.#random.fraction() * 20, () => {
          if (!running().alive) return;
          running().dispatcher.post(replica, { ...propose, replyTo: nobody });
        });
      }
      return [propose];
    };
  }

  #drain(running: Running): void {
    // A few turns at a time, so that events come between turns that a real loop would run in a row.
    const turns = Math.min(this.#random.between(1, 64), this.#turnsLeft ?? 64);
    running.dispatcher.drain(turns);
    if (this.#turnsLeft !== undefined) {
      this.#turnsLeft -= turns;
      if (this.#turnsLeft <= 0) {
        this.#crash(running);
        return;
      }
    }
    if (!running.up && running.ready()) {
      running.up = true;
      this.#world.trace('node', 'up', '');
      this.#events.onUp();
    }
  }

  #crash(running: Running): void {
    this.#turnsLeft = undefined;
    running.alive = false;
    running.up = false;
    this.#running = undefined;
    let surviving = 0;
    const pending = running.disk.pending;
    while (surviving < pending && this.#random.chance(this.#options.unflushedSurvival)) {
      surviving += 1;
    }
    this.#contents = running.disk.crash(surviving);
    this.#world.trace('node', 'dies', `${surviving} of ${pending} unflushed batches survive`);
    this.#world.after(this.#random.between(1, 200), () => this.start());
    this.#events.onDown();
  }
}
