/** How a replica stands: what it refuses and why, and who is told when that changes. */
import type { Context, Ref } from '../actors/actor.js';
import type { NodeId, ShardId, Timestamp } from '../base/ids.js';
import type { Configuration } from '../storage/index.js';
import type { Driver } from './driver.js';
import type { Epochs } from './epochs.js';
import type { ReplicaMessage } from './messages.js';
import { noLeaderText } from './outbox.js';
import type { NewsMessage, Refusal } from './protocol.js';

const refusals = {
  starting: { reason: 'cannot_connect_now', text: 'the database system is starting up' },
  catchingUp: {
    reason: 'cannot_connect_now',
    text: 'the node gets a copy of the data from another one',
  },
  witness: {
    reason: 'cannot_connect_now',
    text: 'the node is a witness: it keeps no data; connect to another one',
  },
  noQuorum: { reason: 'no_quorum', text: noLeaderText },
} as const satisfies Record<string, Refusal>;

export interface StandingParts {
  readonly shard: ShardId;
  readonly witness: boolean;
  readonly epochs: Epochs;
  readonly observer: Ref<NewsMessage> | undefined;
}

export class Standing {
  readonly #parts: StandingParts;
  /** No leader has been known for so long that nobody shall wait for one. */
  noQuorum = false;
  /** The engine has stopped. */
  failure: Refusal | undefined;
  /** The state can be read; false until a copy of it has come. */
  isWhole: boolean;
  /** Snapshots before it may miss versions, beside those below the horizon of the state. */
  readableFrom = 0 as Timestamp;
  /** What was found to be damaged and not dealt with yet. */
  damage: string | undefined;
  /** It is the log, not the state. */
  logDamaged = false;
  #news: Omit<NewsMessage, 'kind' | 'shard'> | undefined;

  constructor(parts: StandingParts, isWhole: boolean) {
    this.#parts = parts;
    this.isWhole = isWhole;
  }

  /** Why SQL is not served. */
  get refusal(): Refusal | undefined {
    const { witness, epochs } = this.#parts;
    if (this.failure !== undefined) return this.failure;
    if (witness) return refusals.witness;
    if (!this.isWhole) return refusals.catchingUp;
    if (this.noQuorum) return refusals.noQuorum;
    return epochs.current === undefined ? refusals.starting : undefined;
  }

  /** The bytes of a value or an entry are not those that were written. */
  noteDamage(text: string): void {
    this.damage ??= text;
  }

  /** An entry of the log cannot be read. */
  noteLogDamage(): void {
    this.logDamaged = true;
  }

  /** Tells the observer what has changed since the last time. */
  tell({ raft }: Driver, context: Context<ReplicaMessage>): void {
    const { observer, shard } = this.#parts;
    if (observer === undefined) return;
    const { role, term, leader, configuration } = raft;
    const { refusal } = this;
    const before = this.#news;
    if (
      before?.role === role &&
      before.term === term &&
      before.leader === leader &&
      before.configuration === configuration &&
      before.refusal?.reason === refusal?.reason
    ) {
      return;
    }
    this.#news = { role, term, leader, configuration, refusal };
    context.send(observer, { kind: 'shard.news', shard, ...this.#news });
  }
}

/** All that have a part in the group. */
export function membersOf({ voters, outgoing, learners }: Configuration): ReadonlySet<NodeId> {
  return new Set([...voters, ...outgoing, ...learners]);
}
