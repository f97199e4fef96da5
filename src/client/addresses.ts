/** The nodes that a database can be reached at: which is dialled next, and which are left alone. */
import { addressesMax, backoffMsFirst, backoffMsMax, nodeBackoffMsFirst } from './limits.js';
import type { Dial } from './transport.js';

/** One node. */
export interface Address {
  /** `ws://host:port`; two of one name are one node. */
  readonly name: string;
  readonly dial: Dial;
}

/** What is known of one. */
export interface Target extends Address {
  failures: number;
  /** Not dialled before. */
  retryAtMs: number;
}

export class Addresses {
  readonly #targets: Target[];
  readonly #addressOf: (url: string) => Address | undefined;
  /** Whether there is another node to go to: only then is the leader looked for. */
  readonly several: boolean;
  /** The one that serves; it changes when it fails. */
  #current = 0;
  #leader: Target | undefined;

  /** `addressOf` makes an address of what a node calls its leader; undefined when it is none. */
  constructor(
    addresses: readonly Address[],
    addressOf: (url: string) => Address | undefined = () => undefined,
  ) {
    this.#targets = addresses.map((address) => ({ ...address, failures: 0, retryAtMs: 0 }));
    this.#addressOf = addressOf;
    this.several = addresses.length > 1;
  }

  get leader(): Target | undefined {
    return this.#leader;
  }

  /** The node to dial: the leader, else the one that served last; undefined while all are left alone. */
  next(nowMs: number): Target | undefined {
    if (this.#leader !== undefined && this.#leader.retryAtMs <= nowMs) return this.#leader;
    const count = this.#targets.length;
    for (let i = 0; i < count; i += 1) {
      const index = (this.#current + i) % count;
      const target = this.#targets[index];
      if (target === undefined || target.retryAtMs > nowMs) continue;
      this.#current = index;
      return target;
    }
    return undefined;
  }

  /** When the first of them may be dialled again. */
  get retryAtMs(): number {
    return Math.min(...this.#targets.map((target) => target.retryAtMs));
  }

  opened(target: Target): void {
    target.failures = 0;
    target.retryAtMs = 0;
  }

  /** Leaves the node alone for a pause that grows with each failure. */
  failed(target: Target, nowMs: number): void {
    // Several connections to one node fail together: that is one failure.
    if (target.retryAtMs > nowMs) return;
    const first = this.several ? nodeBackoffMsFirst : backoffMsFirst;
    const ceiling = Math.min(backoffMsMax, first * 2 ** target.failures);
    target.failures = Math.min(target.failures + 1, 20);
    // Half of the pause is drawn, so that clients of a node that comes back do not come at once.
    target.retryAtMs = nowMs + ceiling / 2 + (Math.random() * ceiling) / 2;
    if (this.#leader === target) this.#leader = undefined;
  }

  /** A node says where the leader is. */
  learn(url: string): void {
    if (!this.several) return;
    const address = this.#addressOf(url);
    if (address === undefined) return;
    let target = this.#targets.find(({ name }) => name === address.name);
    if (target === undefined) {
      if (this.#targets.length >= addressesMax) return;
      target = { ...address, failures: 0, retryAtMs: 0 };
      this.#targets.push(target);
    }
    this.#leader = target;
  }
}
