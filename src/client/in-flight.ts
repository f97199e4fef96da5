/**
 * What waits for an answer, by the number of its request. Numbers rise by one and are answered
 * nearly in order, so a ring holds them. A Map would be rebuilt every few requests, and its
 * discarded tables keep each other alive until a full garbage collection.
 */
export class InFlight<T> {
  #slots: (T | undefined)[] = new Array<T | undefined>(64).fill(undefined);
  /** No number below it is in flight. */
  #first = 1;
  /** The number after the last. */
  #next = 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `id` is the next number, or one that follows it. */
  add(id: number, value: T): void {
    while (id - this.#first >= this.#slots.length) this.#grow();
    this.#next = id + 1;
    this.#slots[id & (this.#slots.length - 1)] = value;
    this.#size += 1;
  }

  get(id: number): T | undefined {
    if (id < this.#first || id >= this.#next) return undefined;
    return this.#slots[id & (this.#slots.length - 1)];
  }

  /** Takes it out. */
  take(id: number): T | undefined {
    const value = this.get(id);
    if (value === undefined) return undefined;
    const mask = this.#slots.length - 1;
    this.#slots[id & mask] = undefined;
    this.#size -= 1;
    while (this.#first < this.#next && this.#slots[this.#first & mask] === undefined) {
      this.#first += 1;
    }
    return value;
  }

  /** Takes all out, in order. */
  takeAll(): { readonly id: number; readonly value: T }[] {
    const all: { id: number; value: T }[] = [];
    for (let id = this.#first; id < this.#next; id += 1) {
      const value = this.take(id);
      if (value !== undefined) all.push({ id, value });
    }
    return all;
  }

  #grow(): void {
    const grown = new Array<T | undefined>(this.#slots.length * 2).fill(undefined);
    for (let id = this.#first; id < this.#next; id += 1) {
      grown[id & (grown.length - 1)] = this.get(id);
    }
    this.#slots = grown;
  }
}
