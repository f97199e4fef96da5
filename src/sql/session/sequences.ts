/** The sequences as a session uses them: what it was given last, and what its transaction has set. */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { decodeCounter, encodeCounter } from '../../txn/index.js';
import { denied } from '../accounts/index.js';
import {
  type CatalogueLookup,
  firstOid,
  right,
  type SequenceDescriptor,
} from '../catalogue/index.js';
import { takeNumber, withinBounds } from '../execute/index.js';
import { sequenceKey } from '../storage-format/index.js';
import type { SequenceAccess } from '../types/index.js';
import type { Transaction } from './transaction.js';

/** What the sequences need of their session. */
export interface SequenceHome {
  readonly transaction: Transaction | undefined;
  lookupOf(transaction: Transaction): CatalogueLookup;
}

interface SetValue {
  last: bigint;
  isCalled: boolean;
}

export class SessionSequences implements SequenceAccess {
  readonly #home: SequenceHome;
  readonly #given = new Map<number, bigint>();
  #lastGiven: number | undefined;
  /** What setval has set in this transaction: from there on it counts by itself. */
  readonly #set = new Map<number, SetValue>();
  #setIn: Transaction | undefined;

  constructor(home: SequenceHome) {
    this.#home = home;
  }

  next(oid: number): bigint {
    const { sequence, transaction } = this.#find(oid);
    refuseReadOnly(transaction, sequence, 'nextval');
    this.#require(sequence, right.usage | right.update);
    const value = this.#take(sequence, transaction);
    this.given(sequence.object, value);
    return value;
  }

  given(object: number, value: bigint): void {
    this.#given.set(object, value);
    this.#lastGiven = object;
  }

  current(oid: number): bigint {
    const { sequence } = this.#find(oid);
    this.#require(sequence, right.select | right.usage);
    const value = this.#given.get(sequence.object);
    if (value !== undefined) return value;
    const text = `currval of sequence "${sequence.name}" is not yet defined in this session`;
    return raise('object_not_in_prerequisite_state', text);
  }

  last(): bigint {
    const object = this.#lastGiven;
    const isThere =
      object !== undefined && this.#lookup()?.object(object as ObjectId) !== undefined;
    const value = isThere ? this.#given.get(object) : undefined;
    if (value !== undefined) return value;
    const text = 'lastval is not yet defined in this session';
    return raise('object_not_in_prerequisite_state', text);
  }

  set(oid: number, value: bigint, called: boolean): bigint {
    const { sequence, transaction } = this.#find(oid);
    refuseReadOnly(transaction, sequence, 'setval');
    this.#require(sequence, right.update);
    this.setTo(sequence, value, called);
    if (called) this.#given.set(sequence.object, value);
    return value;
  }

  /** As setval, for RESTART. */
  setTo(sequence: SequenceDescriptor, value: bigint, called: boolean): void {
    const { minimum, maximum, name, object } = sequence;
    if (value < minimum || value > maximum) {
      const text = `setval: value ${value} is out of bounds for sequence "${name}" (${minimum}..${maximum})`;
      raise('numeric_value_out_of_range', text);
    }
    const transaction = this.#transaction();
    const set = { last: called ? value : value - sequence.increment, isCalled: called };
    this.#setHere(transaction).set(object, set);
    put(transaction, sequence, set);
  }

  state(oid: number): { readonly lastValue: bigint; readonly isCalled: boolean } {
    const { sequence, transaction } = this.#find(oid);
    const { last, isCalled } =
      this.#setHere(transaction).get(sequence.object) ?? stored(transaction, sequence);
    const lastValue = isCalled ? withinBounds(sequence, last) : last + sequence.increment;
    return { lastValue, isCalled };
  }

  /** DISCARD SEQUENCES. */
  forget(): void {
    this.#given.clear();
    this.#lastGiven = undefined;
  }

  /** Raises insufficient_privilege unless the session's role has one of the rights. */
  #require(sequence: SequenceDescriptor, rights: number): void {
    const principal = this.#lookup()?.principal;
    if (principal !== undefined && (principal.rightsOn(sequence) & rights) === 0) denied(sequence);
  }

  #take(sequence: SequenceDescriptor, transaction: Transaction): bigint {
    const set = this.#setHere(transaction).get(sequence.object);
    if (set === undefined) return takeNumber(sequence, transaction);
    const counted = set.last + sequence.increment;
    const value = withinBounds(sequence, counted);
    set.last = counted;
    set.isCalled = true;
    put(transaction, sequence, set);
    return value;
  }

  #setHere(transaction: Transaction): Map<number, SetValue> {
    if (this.#setIn !== transaction) this.#set.clear();
    this.#setIn = transaction;
    return this.#set;
  }

  #transaction(): Transaction {
    const { transaction } = this.#home;
    return transaction ?? raise('internal_error', 'a sequence is used outside of a transaction');
  }

  #lookup(): CatalogueLookup | undefined {
    const { transaction } = this.#home;
    return transaction && this.#home.lookupOf(transaction);
  }

  #find(oid: number): { sequence: SequenceDescriptor; transaction: Transaction } {
    const transaction = this.#transaction();
    const found = this.#home.lookupOf(transaction).object((oid - firstOid) as ObjectId);
    if (found?.kind === 'sequence') return { sequence: found, transaction };
    if (found === undefined) raise('undefined_table', `could not open relation with OID ${oid}`);
    return raise('wrong_object_type', `"${found.name}" is not a sequence`);
  }
}

function refuseReadOnly(
  { readOnly }: Transaction,
  { schema }: SequenceDescriptor,
  name: string,
): void {
  if (!readOnly || schema === 'pg_temp') return;
  raise('read_only_sql_transaction', `cannot execute ${name}() in a read-only transaction`);
}

/** Says beside a count that its number has not been given yet. */
function notCalledKey(sequence: SequenceDescriptor): Uint8Array {
  return Buffer.concat([sequenceKey(sequence.database, sequence), Buffer.of(1)]);
}

function put(transaction: Transaction, sequence: SequenceDescriptor, set: SetValue): void {
  const { buffer } = transaction;
  buffer.put(sequenceKey(sequence.database, sequence), encodeCounter(set.last));
  if (set.isCalled) buffer.delete(notCalledKey(sequence));
  else buffer.put(notCalledKey(sequence), encodeCounter(set.last));
}

function stored({ buffer }: Transaction, sequence: SequenceDescriptor): SetValue {
  const bytes = buffer.get(sequenceKey(sequence.database, sequence));
  if (bytes === undefined) return { last: sequence.start - sequence.increment, isCalled: false };
  const last = decodeCounter(bytes);
  const mark = buffer.get(notCalledKey(sequence));
  return { last, isCalled: mark === undefined || decodeCounter(mark) !== last };
}
