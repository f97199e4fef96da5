/**
 * The disk of one process, which outlives it: it loses what was not flushed when the process dies,
 * takes its time, stalls, fills up, and its values rot.
 */
import { must } from '../base/assert.js';
import type { Formation } from '../cluster/index.js';
import { DatabaseError } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import type { Random } from '../base/random.js';
import { onlyShard } from '../node/index.js';
import { type MemoryContents, MemoryEngine, type Span } from '../storage/index.js';
import { groupKey } from '../storage/keys.js';
import type { World } from './world.js';

export interface DiskOptions {
  /** A flush takes between these, drawn anew for each. */
  readonly flushMsMin: number;
  readonly flushMsMax: number;
  /** The chance that a batch not yet flushed survives a crash. */
  readonly unflushedSurvival: number;
}

/** What a node must not forget about itself, beside its store. */
export interface Identity {
  /** UUID of its directory. */
  readonly instance: string;
  /** Starts with this directory. */
  readonly incarnation: number;
  readonly formation: Formation | undefined;
}

const ballotKey = groupKey('hardState', onlyShard);
const everything: Span = { from: Buffer.of(0), to: Buffer.alloc(16, 0xff) };

export class SimulatedDisk {
  readonly #world: World;
  readonly #options: DiskOptions;
  readonly #random: Random;
  #engine: MemoryEngine | undefined;
  #contents: MemoryContents | undefined;
  #formation: Formation | undefined;
  #incarnation = 0;
  readonly #node: NodeId;
  /** Until then no flush ends. */
  #stalledUntilMs = 0;

  constructor(world: World, node: NodeId, options: DiskOptions, random: Random) {
    this.#world = world;
    this.#node = node;
    this.#options = options;
    this.#random = random;
  }

  /** The engine of the next life; `enter` runs what the process learns of a flush. */
  open(enter: (run: () => void) => void): MemoryEngine {
    this.#incarnation += 1;
    this.#engine = new MemoryEngine({
      schedule: (finish) => this.#flush(finish, enter),
      ...(this.#contents === undefined ? {} : { contents: this.#contents }),
    });
    return this.#engine;
  }

  /** The process dies; returns what became of the batches that were not flushed. */
  crash(): string {
    const engine = must(this.#engine, 'a disk without a process');
    const { pending, pendingLater } = engine;
    const surviving = this.#survivors(pending);
    const survivingLater = this.#survivors(pendingLater);
    this.#contents = engine.crash(surviving, survivingLater);
    this.#engine = undefined;
    return `${surviving} of ${pending} and ${survivingLater} of ${pendingLater} unflushed batches survive`;
  }

  /** What is durable under `key`, while the process lives. */
  durable(key: Uint8Array): Uint8Array | undefined {
    return this.#engine?.get(key);
  }

  stall(durationMs: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#world.nowMs + durationMs);
  }

  /** Nothing more becomes durable in this life. */
  fail(kind: 'disk_full' | 'io_error'): void {
    this.#engine?.fail(kind);
  }

  /** Lets up to `count` values rot; says how many did. The process is up. */
  rot(count: number): number {
    const engine = must(this.#engine, 'a disk without a process');
    // A rotten ballot is what nothing mends: a node without it does not start.
    const keys = engine.keys(everything).filter((key) => Buffer.compare(key, ballotKey) !== 0);
    let rotten = 0;
    while (rotten < count && keys.length > 0) {
      const [key] = keys.splice(this.#random.below(keys.length), 1);
      try {
        engine.damage(must(key, 'a key'));
        rotten += 1;
      } catch (error) {
        // It has rotted before.
        if (!(error instanceof DatabaseError)) throw error;
      }
    }
    return rotten;
  }

  get identity(): Identity {
    const digits = (value: number, length: number): string => String(value).padStart(length, '0');
    const instance = `${digits(this.#node, 8)}-0000-4000-8000-${digits(1, 12)}`;
    return { instance, incarnation: this.#incarnation, formation: this.#formation };
  }

  /** Makes the formation durable, if the process lives for so long. */
  writeFormation(formation: Formation, done: () => void, enter: (run: () => void) => void): void {
    const finish = (): void => {
      this.#formation = formation;
      done();
    };
    this.#flush(finish, enter);
  }

  #survivors(pending: number): number {
    let surviving = 0;
    while (surviving < pending && this.#random.chance(this.#options.unflushedSurvival)) {
      surviving += 1;
    }
    return surviving;
  }

  #flush(finish: () => void, enter: (run: () => void) => void): void {
    const { flushMsMin, flushMsMax } = this.#options;
    const delayMs = flushMsMin + this.#random.fraction() * (flushMsMax - flushMsMin);
    const end = (): void => {
      const leftMs = this.#stalledUntilMs - this.#world.nowMs;
      if (leftMs > 0) this.#world.after(leftMs, end);
      else enter(finish);
    };
    this.#world.after(delayMs, end);
  }
}
