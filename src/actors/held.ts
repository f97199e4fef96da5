import type { Message, Ref } from './actor.js';
import type { TypeRecord } from './kinds.js';

/** A message that waits until what its sender persisted is on stable storage. */
export interface HeldSend {
  readonly from: Ref<never>;
  readonly to: Ref<never>;
  readonly message: Message;
  readonly type: TypeRecord;
}

/** The held messages of one place, by the ticket that they wait for. */
export class HeldSends {
  /** Ascending by ticket. */
  #groups: { readonly ticket: number; readonly sends: HeldSend[] }[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(ticket: number, send: HeldSend): void {
    this.#size += 1;
    // Nearly always the newest ticket, hence from the end.
    let at = this.#groups.length;
    while (at > 0) {
      const group = this.#groups[at - 1];
      if (group === undefined || group.ticket < ticket) break;
      if (group.ticket === ticket) {
        group.sends.push(send);
        return;
      }
      at -= 1;
    }
    this.#groups.splice(at, 0, { ticket, sends: [send] });
  }

  /** Hands over what waited for `durableTicket` or an earlier one, in order. */
  release(durableTicket: number, deliver: (send: HeldSend) => void): void {
    let count = 0;
    while ((this.#groups[count]?.ticket ?? Number.POSITIVE_INFINITY) <= durableTicket) count += 1;
    for (const group of this.#groups.splice(0, count)) {
      this.#size -= group.sends.length;
      for (const send of group.sends) deliver(send);
    }
  }
}
