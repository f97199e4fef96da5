/** A boot module for the tests of the runtime: actors that count, persist, fail and die. */
import { threadId } from 'node:worker_threads';
import type { Actor, Boot, Context, MessageType, PlaceJournal, Ref } from '#src/actors/index.js';
import { assert, unreachable } from '#src/base/assert.js';
import { DatabaseError } from '#src/base/errors.js';

export type Answer =
  | { readonly kind: 'test.answer'; readonly number: number; readonly text: string }
  | {
      readonly kind: 'actor.stopped';
      readonly actor: Ref<never>;
      readonly reason: 'stopped' | 'failed' | 'absent';
    }
  | { readonly kind: 'actor.refused'; readonly reason: 'full' | 'absent' };

export type Ask =
  /** Answered with what the actor has counted. */
  | { readonly kind: 'test.ask'; readonly number: number; readonly replyTo: Ref<Answer> }
  | { readonly kind: 'test.work'; readonly bytes: Uint8Array }
  | { readonly kind: 'test.persist'; readonly number: number; readonly replyTo: Ref<Answer> }
  | { readonly kind: 'test.failDisk' }
  | { readonly kind: 'test.throw' }
  | { readonly kind: 'test.invariant' }
  /** Asks the peer so many times and counts its answers. */
  | { readonly kind: 'test.flood'; readonly peer: Ref<Ask>; readonly count: number }
  | { readonly kind: 'test.answer'; readonly text: string }
  | { readonly kind: 'test.block'; readonly forMs: number };

const reply = { priority: 'normal', flow: 'reply' } as const;

export const answerTypes: readonly MessageType[] = [
  { kind: 'test.answer', ...reply },
  { kind: 'actor.stopped', ...reply },
  { kind: 'actor.refused', priority: 'high', flow: 'reply' },
];

export const askTypes: readonly MessageType[] = [
  { kind: 'test.ask', ...reply },
  { kind: 'test.work', priority: 'normal', flow: 'work' },
  { kind: 'test.persist', ...reply },
  { kind: 'test.failDisk', ...reply },
  { kind: 'test.throw', ...reply },
  { kind: 'test.invariant', ...reply },
  { kind: 'test.flood', ...reply },
  { kind: 'test.answer', ...reply },
  { kind: 'test.block', ...reply },
];

class Tester implements Actor<Ask> {
  #work = 0;
  #answers = 0;

  receive(message: Ask, context: Context<Ask>): void {
    switch (message.kind) {
      case 'test.ask': {
        const text = `work ${this.#work} answers ${this.#answers} thread ${threadId}`;
        context.send(message.replyTo, { kind: 'test.answer', number: message.number, text });
        return;
      }
      case 'test.work':
        this.#work += 1;
        return;
      case 'test.persist': {
        const persisted = context.persist([]);
        const { number, replyTo } = message;
        context.sendDurable(persisted, replyTo, { kind: 'test.answer', number, text: 'durable' });
        context.send(replyTo, { kind: 'test.answer', number, text: 'plain' });
        return;
      }
      case 'test.failDisk':
        context.persist(['fail']);
        return;
      case 'test.throw':
        throw new Error('thrown as asked');
      case 'test.invariant':
        assert(false, 'broken as asked');
        return;
      case 'test.flood': {
        const replyTo = context.self as Ref<never> as Ref<Answer>;
        for (let number = 0; number < message.count; number += 1) {
          context.send(message.peer, { kind: 'test.ask', number, replyTo });
        }
        return;
      }
      case 'test.answer':
        this.#answers += 1;
        return;
      case 'test.block': {
        const endMs = performance.now() + message.forMs;
        while (performance.now() < endMs);
        return;
      }
      default:
        unreachable(message);
    }
  }
}

/** Durable after some milliseconds, or never again after a batch that says so. */
class TimedJournal implements PlaceJournal {
  durableTicket = 0;
  readonly laterTicket = 0;
  #ticket = 0;
  #listener: (failure: Error | undefined) => void = () => undefined;

  commit(batch: readonly unknown[]): number {
    this.#ticket += 1;
    const ticket = this.#ticket;
    setTimeout(() => {
      if (batch.includes('fail')) {
        this.#listener(new DatabaseError('disk_full', 'no space'));
        return;
      }
      this.durableTicket = ticket;
      this.#listener(undefined);
    }, 3);
    return ticket;
  }

  commitLater(): number {
    return 1;
  }

  onDurable(listener: (failure: Error | undefined) => void): void {
    this.#listener = listener;
  }
}

/** `options.fails` names the place whose thread cannot start. */
export const boot: Boot = async ({ dispatcher, placeIds, options }) => {
  const { fails } = options as { readonly fails?: number };
  if (placeIds.some((placeId) => placeId === fails)) throw new Error('store cannot be opened');
  for (const placeId of placeIds) dispatcher.addPlace(placeId, new TimedJournal());
  for (const kind of ['tester', 'vital']) {
    dispatcher.registerKind<Ask, undefined>({
      kind,
      messages: askTypes,
      failStop: kind === 'vital',
      create: () => new Tester(),
    });
  }
  return {
    report: () => ({ places: placeIds }),
    control: (command) => `did ${String(command)}`,
    stop: async () => undefined,
  };
};
