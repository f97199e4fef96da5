/**
 * Two engines that get the same and must show the same. Tests and the simulator run a store on it to
 * know that the engine in memory behaves as the one on disk.
 *
 * What is durable in one may be on its way in the other, so reads are compared only while neither has
 * anything pending; otherwise the first answers alone.
 */
import { assert } from '../base/assert.js';
import type { Batch, Engine, EngineStats, Span, Ticket, Visit } from './engine.js';
import { printKey } from './keys.js';

export class MirrorEngine implements Engine {
  readonly #first: Engine;
  readonly #second: Engine;
  #given = 0;
  #laterGiven = 0;

  constructor(first: Engine, second: Engine) {
    assert(first.durableTicket === 0 && second.durableTicket === 0, 'the engines are fresh');
    this.#first = first;
    this.#second = second;
  }

  get durableTicket(): Ticket {
    return Math.min(this.#first.durableTicket, this.#second.durableTicket) as Ticket;
  }

  get laterTicket(): Ticket {
    return Math.min(this.#first.laterTicket, this.#second.laterTicket) as Ticket;
  }

  /** Both engines show all that was committed. */
  get #settled(): boolean {
    return this.durableTicket === this.#given && this.laterTicket === this.#laterGiven;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const shown = this.#first.get(key);
    if (!this.#settled) return shown;
    // Copied, because two engines on LMDB show their values in the same buffer.
    const found = shown === undefined ? undefined : Buffer.from(shown);
    const other = this.#second.get(key);
    assert(sameValue(found, other), 'the engines differ at', printKey(key));
    return found;
  }

  scan(span: Span, visit: Visit, reverse = false): void {
    if (!this.#settled) {
      this.#first.scan(span, visit, reverse);
      return;
    }
    const others: { readonly key: Buffer; readonly value: Buffer }[] = [];
    this.#second.scan(
      span,
      (key, value) => others.push({ key: Buffer.from(key), value: Buffer.from(value) }) > 0,
      reverse,
    );
    let at = 0;
    let stopped = false;
    this.#first.scan(
      span,
      (key, value) => {
        const other = others[at];
        at += 1;
        assert(other?.key.equals(key) === true, 'the engines differ at', printKey(key));
        assert(other.value.equals(value), 'the engines differ at', printKey(key));
        stopped = !visit(key, value);
        return !stopped;
      },
      reverse,
    );
    assert(stopped || at === others.length, 'the second engine holds more', others.length - at);
  }

  keys(span: Span, keysMax?: number): readonly Uint8Array[] {
    return this.#first.keys(span, keysMax);
  }

  commit(batch: Batch): Ticket {
    this.#given += 1;
    const first = this.#first.commit(batch.map((put) => ({ ...put })));
    const second = this.#second.commit(batch);
    assert(first === this.#given && second === this.#given, 'tickets count alike', first, second);
    return first;
  }

  commitLater(batch: Batch): Ticket {
    this.#laterGiven += 1;
    this.#first.commitLater(batch.map((put) => ({ ...put })));
    this.#second.commitLater(batch);
    return this.#laterGiven as Ticket;
  }

  onDurable(listener: (failure: Error | undefined) => void): void {
    let told = 0;
    let toldLater = 0;
    const onRise = (failure: Error | undefined): void => {
      const { durableTicket, laterTicket } = this;
      if (failure === undefined && durableTicket === told && laterTicket === toldLater) return;
      told = durableTicket;
      toldLater = laterTicket;
      listener(failure);
    };
    this.#first.onDurable(onRise);
    this.#second.onDurable(onRise);
  }

  stats(): EngineStats {
    return this.#first.stats();
  }

  async close(): Promise<void> {
    await this.#first.close();
    await this.#second.close();
  }
}

function sameValue(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Buffer.compare(one, other) === 0;
}
