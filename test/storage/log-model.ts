/** A log beside an array of the entries that it should hold. */
import { deepEqual } from 'node:assert/strict';
import { must } from '#src/base/assert.js';
import type {
  LogIndex,
  NodeId,
  ObjectId,
  ShardId,
  Term,
  Timestamp,
  TransactionId,
} from '#src/base/ids.js';
import {
  type Generation,
  type HardState,
  type LogEntry,
  type MemoryContents,
  MemoryEngine,
  RaftLog,
} from '#src/storage/index.js';

export const group = 5 as ShardId;

export function entry(
  index: number,
  term: number,
  payload = `entry ${index} of ${term}`,
): LogEntry {
  return {
    term: term as Term,
    index: index as LogIndex,
    kind: 'write',
    transaction: (2 ** 40 + index) as TransactionId,
    timestamp: (2 ** 45 + index) as Timestamp,
    origin: 3 as NodeId,
    wallMs: 1_700_000_000_000,
    objects: [{ object: 9 as ObjectId, version: 2 }],
    client: undefined,
    request: undefined,
    payload: Buffer.from(payload),
  };
}

export function hardState(term: number): HardState {
  return {
    term: term as Term,
    vote: undefined,
    configuration: { voters: [1 as NodeId], outgoing: [], learners: [], witnesses: [] },
    clusterId: '00000000-0000-4000-8000-000000000001',
    lastSnapshot: { index: 0 as LogIndex, term: 0 as Term },
  };
}

export const payloadText = ({ payload }: LogEntry): string => Buffer.from(payload).toString();

/** Enough of an entry to tell it from every other. */
const summary = ({ index, term, payload }: LogEntry): string =>
  `${index} ${term} ${payload.length} ${Buffer.from(payload.subarray(0, 20))}`;

/** What a property test does to a log and to the array that it is compared with. */
export type LogStep =
  | { readonly do: 'append'; readonly back: number; readonly lengths: readonly number[] }
  | { readonly do: 'compact'; readonly part: number }
  | { readonly do: 'install'; readonly part: number; readonly same: boolean }
  | { readonly do: 'flush'; readonly count: number }
  | { readonly do: 'crash'; readonly part: number };

/** A log whose flushes end when the test says so, beside a plain array of the same entries. */
interface Model {
  /** The term of the entry before the first one. */
  readonly compactedTerm: Term;
  readonly first: number;
  readonly entries: readonly LogEntry[];
}

/** A log whose flushes end when the test says so, beside a plain array of the same entries. */
export class ComparedLog {
  #flushes: (() => void)[] = [];
  #engine = this.#engineWith(undefined);
  #log = new RaftLog(this.#engine, group);
  #term = 1;
  #model: Model = { compactedTerm: 0 as Term, first: 1, entries: [] };
  /** The model as of each batch that a crash may lose, and before the first of them. */
  #held: { readonly generation: number; readonly model: Model }[] = [];

  constructor() {
    this.#commit(this.#log.append([], hardState(1)));
    this.#flush(1);
  }

  step(step: LogStep): void {
    if (step.do === 'append') this.#append(step.back, step.lengths);
    else if (step.do === 'compact') this.#compact(step.part);
    else if (step.do === 'install') this.#install(step.part, step.same);
    else if (step.do === 'flush') this.#flush(step.count);
    else this.#crash(step.part);
  }

  /** Compares all that a reader can see, and reads from a part of the way on. */
  compare(readPart: number): void {
    const { compactedTerm, first, entries } = this.#model;
    const last = first + entries.length - 1;
    const terms = (indexes: readonly number[]): (Term | undefined)[] =>
      indexes.map((index) => this.#log.termAt(index as LogIndex));
    deepEqual([this.#log.firstIndex, this.#log.lastIndex], [first, last]);
    deepEqual(
      terms(entries.map(({ index }) => index)),
      entries.map(({ term }) => term),
    );
    deepEqual(terms([first - 2, first - 1, last + 1]), [undefined, compactedTerm, undefined]);
    if (entries.length === 0) return;
    const skipped = Math.floor(readPart * (entries.length - 1));
    const from = (first + skipped) as LogIndex;
    const read = this.#log.read(from, last as LogIndex, Number.POSITIVE_INFINITY);
    deepEqual(read.map(summary), entries.slice(skipped).map(summary));
  }

  #append(back: number, lengths: readonly number[]): void {
    const { first, entries } = this.#model;
    const kept = entries.slice(0, Math.max(0, entries.length - back));
    if (kept.length < entries.length) this.#term += 1;
    const from = first + kept.length;
    const added = lengths.map((length, n) => {
      const head = `${from + n} of ${this.#term} `;
      return entry(from + n, this.#term, head.padEnd(length, 'x'));
    });
    const state = { ...hardState(1), ...this.#log.hardState, term: this.#term as Term };
    this.#model = { ...this.#model, entries: [...kept, ...added] };
    this.#commit(this.#log.append(added, state));
  }

  #compact(part: number): void {
    const { first, entries } = this.#model;
    if (entries.length === 0) return;
    const count = 1 + Math.floor(part * (entries.length - 1));
    const { term: compactedTerm } = must(entries[count - 1], 'the last entry to go');
    this.#model = { compactedTerm, first: first + count, entries: entries.slice(count) };
    this.#commit(this.#log.compact((first + count - 1) as LogIndex));
  }

  /** A snapshot up to an entry that the log has, has otherwise, or has not yet. */
  #install(part: number, same: boolean): void {
    const { first, entries, compactedTerm } = this.#model;
    const index = first - 1 + Math.floor(part * (entries.length + 5));
    const own = entries[index - first]?.term ?? (index < first ? compactedTerm : undefined);
    if (index < first && !same) return;
    const keeps = same && own !== undefined;
    if (!keeps) this.#term += 1;
    const term = (keeps ? own : this.#term) as Term;
    const kept = keeps ? entries.slice(index + 1 - first) : [];
    this.#model = { compactedTerm: term, first: index + 1, entries: kept };
    const ballot = { term: this.#term as Term, vote: undefined };
    const { configuration } = hardState(1);
    this.#commit(this.#log.install({ index: index as LogIndex, term, configuration, ballot }));
  }

  #engineWith(contents: MemoryContents | undefined): MemoryEngine {
    const schedule = (finish: () => void): void => void this.#flushes.push(finish);
    return new MemoryEngine(contents === undefined ? { schedule } : { schedule, contents });
  }

  #commit({ number: generation, puts }: Generation): void {
    this.#engine.commit(puts);
    this.#held.push({ generation, model: this.#model });
  }

  #flush(count: number): void {
    for (let left = count; left > 0; left -= 1) this.#flushes.shift()?.();
    this.#held = this.#held.slice(-1 - this.#engine.pending);
    this.#log.markDurable(must(this.#held[0], 'what is durable').generation);
    if (this.#engine.pending === 0) this.#log.verify();
  }

  #crash(part: number): void {
    const surviving = Math.round(part * this.#engine.pending);
    const { model } = must(this.#held[surviving], 'a model for each batch');
    this.#flushes = [];
    this.#engine = this.#engineWith(this.#engine.crash(surviving));
    this.#log = new RaftLog(this.#engine, group);
    this.#model = model;
    this.#held = [{ generation: 0, model }];
  }
}
