/**
 * The overlay: what a replica has applied and the engine does not hold durably yet, in memory and in
 * key order. Every read of the replica goes through it and sees the newest applied state.
 *
 *     applied entries --set--> overlay --takeGeneration--> one engine batch
 *                                 ^                              |
 *                                 +------- markDurable ----------+   (leaves unless set again since)
 *
 * Invariants:
 * - A generation is everything set since the one before it. With the applied index among its puts
 *   it takes the engine from the state at one applied index to the state at another, whole: the
 *   engine never holds a state that the replica was not in.
 * - A key leaves the overlay only when the engine holds, durably, the value it has in the overlay.
 * - Generations become durable in order.
 */
import type { Engine, Put, Span, Visit } from './engine.js';

/** What is to be committed as (part of) one batch; `number` counts from 1. */
export interface Generation {
  readonly number: number;
  readonly puts: Put[];
}

export declare class Overlay {
  constructor(engine: Engine);
  /** Bytes held in memory, keys, values and bookkeeping. */
  get bytes(): number;
  /** The part of {@link bytes} that no generation has taken yet. */
  get dirtyBytes(): number;
  /** Sets or (undefined) deletes `key`. The overlay owns both arrays from the call on. */
  set(key: Uint8Array, value: Uint8Array | undefined): void;
  /** The newest value, valid until the next call of overlay or engine. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** As {@link Engine.scan}, over the newest state. `visit` must not call `set`. */
  scan(span: Span, visit: Visit, reverse?: boolean): void;
  /**
   * Everything set since the last generation, each key once with its newest value. The caller adds
   * its applied index and commits the puts as one batch, then calls markDurable with the number.
   */
  takeGeneration(): Generation;
  /** The generations up to `number` are durable in the engine. */
  markDurable(number: number): void;
}
