/**
 * The disk of one process, which outlives it: it loses what was not flushed when the process dies,
 * takes its time, stalls, fills up, and its values rot.
 */
import { must } from '../base/assert.js';
import type { Random } from '../base/random.js';
import { type MemoryContents, MemoryEngine, type Span } from '../storage/index.js';
import type { World } from './world.js';

export interface DiskOptions {
  /** A flush takes between these, drawn anew for each. */
  readonly flushMsMin: number;
  readonly flushMsMax: number;
  /** The chance that a batch not yet flushed survives a crash. */
  readonly unflushedSurvival: number;
}

const everything: Span = { from: Buffer.of(0), to: Buffer.alloc(16, 0xff) };

export class SimulatedDisk {
  readonly #world: World;
  readonly #options: DiskOptions;
  readonly #random: Random;
  #engine: MemoryEngine | undefined;
  #contents: MemoryContents | undefined;
  /** Until then no flush ends. */
  #stalledUntilMs = 0;

  constructor(world: World, options: DiskOptions, random: Random) {
    this.#world = world;
    this.#options = options;
    this.#random = random;
  }

  /** The engine of the next life; `enter` runs what the process learns of a flush. */
  open(enter: (run: () => void) => void): MemoryEngine {
    this.#engine = new MemoryEngine({
      schedule: (finish) => this.#flush(finish, enter),
      ...(this.#contents === undefined ? {} : { contents: this.#contents }),
    });
    return this.#engine;
  }

  /** The process dies; returns what became of the batches that were not flushed. */
  crash(): string {
    const engine = must(this.#engine, 'a disk without a process');
    let surviving = 0;
    const { pending } = engine;
    while (surviving < pending && this.#random.chance(this.#options.unflushedSurvival)) {
      surviving += 1;
    }
    this.#contents = engine.crash(surviving);
    this.#engine = undefined;
    return `${surviving} of ${pending} unflushed batches survive`;
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
    const keys: Uint8Array[] = [];
    engine.scan(everything, (key) => keys.push(Buffer.from(key)) > 0);
    const rotten = Math.min(count, keys.length);
    for (let left = rotten; left > 0; left -= 1) {
      const [key] = keys.splice(this.#random.below(keys.length), 1);
      engine.damage(must(key, 'a key'));
    }
    return rotten;
  }

  /** The machine is replaced: an empty disk. */
  wipe(): void {
    this.#contents = undefined;
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
