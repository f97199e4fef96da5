/** What a session asks of the replica beside it: leave to read, numbers of sequences, commits. */
import type { GatheredMessage, SignalledMessage } from './activity-protocol.js';
import type { ActorRefused, ActorStopped, Message, Ref } from '../../actors/actor.js';
import { DatabaseError, type ErrorName, raise } from '../../base/errors.js';
import type { Timestamp } from '../../base/ids.js';
import type {
  LockedMessage,
  LockSessionMessage,
  NumbersAnswer,
  ProposeAnswer,
  ReadAnswer,
  ReadMessage,
  ProposeMessage,
  TakeNumbersMessage,
} from '../../shard/protocol.js';
import { hasLostLocks, lostLocks } from './locks-lost.js';
import { runDeferred } from './deferred.js';
import type { Numbers } from './numbers.js';
import { endTemporaryRows } from './temporary-rows.js';
import { splitProposal } from './temporary.js';
import { NewestOf } from './transaction.js';
import type { SessionState } from './state.js';
import type { Answer, Work } from './work.js';

/** What the replica says to one of these, or the runtime in its place. */
export type ReplicaAnswer =
  | ReadAnswer
  | NumbersAnswer
  | ProposeAnswer
  | LockedMessage
  | ActorRefused;

/** Where the replica's answers go. */
export type Asker = Ref<
  | ReadAnswer
  | NumbersAnswer
  | ProposeAnswer
  | LockSessionMessage
  | ActorStopped
  | GatheredMessage
  | SignalledMessage
>;

/** The commit was refused because others were first; nothing of it happened. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly reason: 'conflict' | 'staleObject';

  constructor(reason: 'conflict' | 'staleObject', text: string) {
    super(text);
    this.reason = reason;
  }

  /** As its client sees it when it cannot be tried again. */
  toError(): DatabaseError {
    return new DatabaseError(
      'serialization_failure',
      'could not serialize access due to concurrent update',
      { detail: this.message },
    );
  }
}

/** Whether {@link awaitSnapshot} would wait for nothing. */
export function sees({ access, turn }: SessionState): boolean {
  return access.readable(turn.nowMs, turn.wallMs);
}

/**
 * Waits until a snapshot opened here sees all that was committed when the statement came: no time
 * where the replica leads. True when it does not because `mayBeStale` and nothing better is at hand.
 */
export function* awaitSnapshot(
  state: SessionState,
  self: Asker,
  mayBeStale: boolean,
): Work<boolean> {
  const { access, turn } = state;
  if (sees(state)) return false;
  if (mayBeStale && state.takesStaleReads && access.readableStale) return true;
  const { refusal } = access;
  if (refusal !== undefined) raise(refusal.reason, refusal.text);
  const token = state.nextToken();
  turn.send<ReadMessage>(access.replica as Ref<Message>, {
    kind: 'shard.read',
    token,
    replyTo: self,
  });
  answerOf(yield 'read', 'shard.readable');
  return false;
}

/** Takes what the last execution of a statement was short of. */
export function* takeNumbers(state: SessionState, self: Asker, numbers: Numbers): Work<void> {
  for (const wanted of numbers.wanted) {
    const { key, start, increment } = wanted;
    const token = state.nextToken();
    state.turn.send<TakeNumbersMessage>(state.access.replica as Ref<Message>, {
      kind: 'shard.takeNumbers',
      token,
      ...{ key, start, increment, count: wanted.wanted, replyTo: self },
    });
    const { last, term } = answerOf(yield 'numbers', 'shard.numbers');
    numbers.given(wanted, last, term);
  }
}

/**
 * Commits the open transaction. Raises what deferred constraints find broken, Refused, and the shard's
 * errors; it is over in any case.
 */
export function* commit(state: SessionState, self: Asker): Work<void> {
  const { transaction, access } = state;
  let committed = false;
  try {
    if (transaction?.constraints.hasPending === true) yield* runDeferred(state, transaction);
    const { notifications } = state;
    const sent = notifications.isPending ? notifications.prepare() : undefined;
    if (transaction !== undefined && (sent !== undefined || !transaction.buffer.isEmpty)) {
      const id = access.nextTransactionId();
      const { buffer, snapshot, numbers } = transaction;
      const { lasting, own } = splitProposal(buffer.proposal(id, snapshot, numbers.term));
      const changes = lasting.writes.length > 0 || (lasting.fences ?? []).length > 0;
      if (changes || sent !== undefined) {
        if (hasLostLocks(state)) throw lostLocks();
        const holder = state.locks?.isEmpty === false ? access.lockHolder(self.name) : undefined;
        // What only tells something rests on nothing that was read.
        const at = changes || lasting.guards.length > 0 ? snapshot : noSnapshot;
        const message: ProposeMessage = {
          kind: 'shard.propose',
          shard: access.shard,
          token: id,
          // Field by field: what commits one statement after the other pays for a spread each time.
          proposal: {
            transaction: id,
            snapshot: at,
            writes: lasting.writes,
            guards: lasting.guards,
            objects: lasting.objects,
            fences: lasting.fences ?? [],
            numbersTerm: lasting.numbersTerm,
            notifications: sent,
            holder,
          },
          replyTo: self,
        };
        state.awaited = id;
        state.turn.send(access.replica, message);
        answerOf(yield 'commit', 'shard.committed');
        // Its own comes with the others, when it is applied here.
        while (notifications.awaitsOwn) yield 'notification';
      }
      state.temporary.apply(own);
    }
    if (!state.temporary.isEmpty) {
      endTemporaryRows(state.temporary, new NewestOf(access, state.temporary));
    }
    committed = true;
  } finally {
    state.end(committed);
    if (committed) state.notifications.deliver();
  }
}

/** Of a proposal that nothing can have come before. */
const noSnapshot = Number.MAX_SAFE_INTEGER as Timestamp;

/** Raises what came in the place of an answer. */
export function refusalOf(answer: Answer | undefined): never {
  answerOf(answer, 'shard.locked');
  return raise('internal_error', 'an answer that is none');
}

/** The answer of `kind`; raises what stands in its place. */
function answerOf<K extends ReplicaAnswer['kind']>(
  answer: Answer | undefined,
  kind: K,
): Extract<ReplicaAnswer, { kind: K }> {
  if (answer?.kind === kind) return answer as Extract<ReplicaAnswer, { kind: K }>;
  switch (answer?.kind) {
    case 'actor.refused':
      if (answer.reason === 'full') {
        raise('configuration_limit_exceeded', 'too many requests wait at the shard');
      }
      return raise('cannot_connect_now', 'the shard is not there');
    case 'shard.refused': {
      const { reason, text } = answer;
      if (reason === 'conflict' || reason === 'staleObject') throw new Refused(reason, text);
      return raise(reason as ErrorName, text);
    }
    default:
      return raise('internal_error', 'resumed without an answer of the shard');
  }
}
