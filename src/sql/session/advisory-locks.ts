/**
 * The advisory locks of a session (https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS). The
 * shard knows which locks a session has; how often, and until when, is known here only: taking a lock once more
 * costs nothing, and it goes back when the last of it is given up.
 */
import { unreachable } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { LockMessage, UnlockMessage } from '../../shard/protocol.js';
import type { AdvisoryMode, AdvisoryName } from '../../txn/index.js';
import { modeName } from '../../txn/index.js';
import { databaseObject, oidOf } from '../catalogue/index.js';
import type { AdvisoryKey, Question } from '../types/index.js';
import { type Asker, refusalOf } from './replica.js';
import type { SessionState } from './state.js';
import type { Work } from './work.js';

type Lock = Extract<Question, { kind: 'lock' }>;
type Unlock = Extract<Question, { kind: 'unlock' }>;

interface Held {
  readonly name: AdvisoryName;
  readonly mode: AdvisoryMode;
  /** How often it was taken until it is unlocked, and until the transaction ends. */
  session: number;
  transaction: number;
}

export class SessionLocks {
  readonly #held = new Map<string, Held>();
  /** Taken until the end of the transaction, in order. */
  readonly #ofTransaction: Held[] = [];
  /** Taken by the statement that runs, until they are unlocked. */
  readonly #ofStatement: Held[] = [];
  readonly #giveBack: (locks: UnlockMessage['locks']) => void;

  constructor(giveBack: (locks: UnlockMessage['locks']) => void) {
    this.#giveBack = giveBack;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  /** Takes it once more if the session has it. */
  again(name: AdvisoryName, mode: AdvisoryMode, level: Lock['level']): boolean {
    const held = this.#held.get(keyOf(name, mode));
    if (held === undefined) return false;
    this.#take(held, level);
    return true;
  }

  /** The shard has granted it. */
  granted(name: AdvisoryName, mode: AdvisoryMode, level: Lock['level']): void {
    const held: Held = { name, mode, session: 0, transaction: 0 };
    this.#held.set(keyOf(name, mode), held);
    this.#take(held, level);
  }

  /** False when the session has not taken it until it is unlocked. */
  unlock(name: AdvisoryName, mode: AdvisoryMode): boolean {
    const held = this.#held.get(keyOf(name, mode));
    if (held === undefined || held.session === 0) return false;
    held.session -= 1;
    this.#drop([held]);
    return true;
  }

  unlockAll(): void {
    const all = [...this.#held.values()];
    for (const held of all) held.session = 0;
    this.#drop(all);
  }

  beginStatement(): void {
    this.#ofStatement.length = 0;
  }

  /** The statement is executed anew in another transaction: it takes its locks again. */
  takeBackStatement(): void {
    const taken = this.#ofStatement.splice(0);
    for (const held of taken) held.session = Math.max(0, held.session - 1);
    this.#drop(taken);
  }

  /** What came after can be taken back: a savepoint. */
  get mark(): number {
    return this.#ofTransaction.length;
  }

  /** Back to a savepoint, or to nothing at the end of the transaction. */
  takeBack(mark: number): void {
    if (mark >= this.#ofTransaction.length) return;
    const taken = this.#ofTransaction.splice(mark);
    for (const held of taken) held.transaction -= 1;
    this.#drop(taken);
  }

  #take(held: Held, level: Lock['level']): void {
    held[level] += 1;
    (level === 'session' ? this.#ofStatement : this.#ofTransaction).push(held);
  }

  /** Gives back those of them that are not held any more. */
  #drop(some: readonly Held[]): void {
    const gone = [...new Set(some)].filter((held) => held.session + held.transaction === 0);
    if (gone.length === 0) return;
    for (const { name, mode } of gone) this.#held.delete(keyOf(name, mode));
    this.#giveBack(gone.map(({ name, mode }) => ({ name, mode })));
  }
}

function keyOf({ classId, objectId, isPair }: AdvisoryName, mode: AdvisoryMode): string {
  return `${classId}/${objectId}/${isPair}/${mode}`;
}

function nameOf({ classId, objectId, isPair }: AdvisoryKey): AdvisoryName {
  return { database: oidOf(databaseObject), classId, objectId, isPair };
}

/** Takes a lock, by waiting for it if that is asked for. */
export function* takeLock(state: SessionState, self: Asker, lock: Lock): Work<boolean> {
  const { key, mode, level, waits } = lock;
  const name = nameOf(key);
  state.locks ??= new SessionLocks((locks) => giveBack(state, self, locks));
  const { locks } = state;
  if (locks.again(name, mode, level)) return true;
  const token = state.nextToken();
  const { access, turn } = state;
  const { pid } = state.progress;
  const message: LockMessage = {
    kind: 'shard.lock',
    ...{ token, name, mode, waits, pid, replyTo: self },
  };
  state.watchReplica(self);
  turn.send(access.replica, message);
  let isAnswered = false;
  try {
    const answer = yield 'lock';
    isAnswered = true;
    if (answer?.kind !== 'shard.locked') return refusalOf(answer);
    switch (answer.outcome) {
      case 'granted':
        locks.granted(name, mode, level);
        return true;
      case 'refused':
        return false;
      case 'deadlock':
        return raise('deadlock_detected', 'deadlock detected', {
          detail: answer.detail ?? '',
          hint: 'See server log for query details.',
        });
      case 'full':
        return raise('out_of_memory', 'out of shared memory', {
          hint: 'The sessions of the cluster hold as many advisory locks as there can be.',
        });
      default:
        return unreachable(answer);
    }
  } finally {
    // Cancelled, or out of time: what is granted from now on nobody wants.
    if (!isAnswered) giveBack(state, self, [{ name, mode }]);
  }
}

/** pg_advisory_unlock: whether the session had it. */
export function unlock(state: SessionState, { key, mode }: Unlock): boolean {
  if (state.locks?.unlock(nameOf(key), mode) === true) return true;
  state.notice('warning', '01000', `you don't own a lock of type ${modeName(mode)}`);
  return false;
}

function giveBack(state: SessionState, self: Asker, locks: UnlockMessage['locks']): void {
  const message: UnlockMessage = { kind: 'shard.unlock', locks, replyTo: self };
  state.turn.send(state.access.replica, message);
}
