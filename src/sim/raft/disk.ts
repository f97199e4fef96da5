/**
 * The disk of a member of a simulated Raft group, and the log on it. What is written can be read at once; it is durable
 * when it is flushed, in order in each of the two lanes, and a crash keeps a prefix of what was not.
 */
import { assert, must } from '../../base/assert.js';
import type { LogIndex, Term } from '../../base/ids.js';
import type { Ballot } from '../../raft/index.js';
import {
  type Configuration,
  decodeConfiguration,
  type LogEntry,
  type LogReader,
  type PlacedConfiguration,
} from '../../storage/index.js';

/** What the entries up to `index` made of the data. Immutable. */
export interface AppliedState {
  readonly index: LogIndex;
  readonly values: ReadonlyMap<string, string>;
}

/** Everything that another member needs to go on from entry `index`. */
export interface Snapshot {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
  readonly values: ReadonlyMap<string, string>;
}

export const emptyState: AppliedState = { index: 0 as LogIndex, values: new Map() };

interface Contents {
  ballot: Ballot;
  /** Those after `compacted`. */
  readonly entries: LogEntry[];
  compacted: { readonly index: LogIndex; readonly term: Term };
  /** What the compacted part of the log says; undefined for a new group. */
  configuration: PlacedConfiguration | undefined;
  state: AppliedState;
  /** A snapshot has begun to arrive: the state is neither the old one nor the new. */
  installing: boolean;
  /** Entries that had been acknowledged have rotted. */
  lost: boolean;
}

type Change = (contents: Contents) => void;

export class MemberDisk implements LogReader {
  readonly #view = emptyContents();
  readonly #durable = emptyContents();
  readonly #pending: Change[] = [];
  readonly #pendingLater: Change[] = [];
  /** Whether anything was ever flushed: whether it may have promised something to somebody. */
  used = false;

  get ballot(): Ballot {
    return this.#view.ballot;
  }

  get state(): AppliedState {
    return this.#view.state;
  }

  /** What the state on stable storage holds. */
  get writtenIndex(): LogIndex {
    return this.#durable.state.index;
  }

  get installing(): boolean {
    return this.#view.installing;
  }

  get lost(): boolean {
    return this.#view.lost;
  }

  /** Whether a crash now would leave it without what it has lost. */
  get lostAfterCrash(): boolean {
    return this.#durable.lost;
  }

  /** Batches not yet flushed. */
  get pending(): number {
    return this.#pending.length;
  }

  get pendingLater(): number {
    return this.#pendingLater.length;
  }

  get firstIndex(): LogIndex {
    return (this.#view.compacted.index + 1) as LogIndex;
  }

  get lastIndex(): LogIndex {
    return lastOf(this.#view);
  }

  termAt(index: LogIndex): Term | undefined {
    return termIn(this.#view, index);
  }

  read(from: LogIndex, to: LogIndex, bytesMax: number): readonly LogEntry[] {
    assert(from >= this.firstIndex, 'entry was compacted away', from, this.firstIndex);
    assert(from <= to && to <= this.lastIndex, 'entry beyond the log', to, this.lastIndex);
    const entries: LogEntry[] = [];
    let bytes = 0;
    for (let index: number = from; index <= to; index += 1) {
      const entry = must(this.#view.entries[index - this.firstIndex], 'the log has no gap');
      bytes += entry.payload.length;
      if (entries.length > 0 && bytes > bytesMax) break;
      entries.push(entry);
    }
    return entries;
  }

  configurationAt(index: LogIndex): PlacedConfiguration | undefined {
    const found = this.#view.entries.findLast(
      (entry) => entry.kind === 'configuration' && entry.index <= index,
    );
    if (found === undefined) return this.#view.configuration;
    return { index: found.index, configuration: decodeConfiguration(found.payload) };
  }

  /** Whether the disk holds the entry, or a state that it went into. */
  holds(index: LogIndex, term: Term): boolean {
    return index <= this.#durable.compacted.index || termIn(this.#durable, index) === term;
  }

  /** One batch: continues the log or replaces its end. */
  append(ballot: Ballot | undefined, entries: readonly LogEntry[]): void {
    const first = entries[0];
    if (first !== undefined) {
      assert(first.index >= this.firstIndex, 'a compacted entry is never replaced', first.index);
      assert(first.index <= this.lastIndex + 1, 'entries without a gap', first.index);
    }
    this.#write((contents) => {
      if (ballot !== undefined) contents.ballot = ballot;
      if (first === undefined) return;
      contents.entries.length = first.index - contents.compacted.index - 1;
      contents.entries.push(...entries);
    });
  }

  /** Removes the entries up to `index`, whose effects are durable. */
  compact(index: LogIndex, configuration: PlacedConfiguration): void {
    assert(index <= this.#durable.state.index, 'compacts what a restart applies again', index);
    const term = must(this.termAt(index), 'an entry to compact');
    this.#write((contents) => {
      contents.entries.splice(0, index - contents.compacted.index);
      contents.compacted = { index, term };
      contents.configuration = configuration;
    });
  }

  /** From now on the old state is gone. */
  beginInstall(): void {
    this.#write((contents) => {
      contents.installing = true;
    });
  }

  install({ index, term, configuration, values }: Snapshot): void {
    this.#write((contents) => {
      const kept = termIn(contents, index) === term ? index - contents.compacted.index : undefined;
      contents.entries.splice(0, kept ?? contents.entries.length);
      contents.compacted = { index, term };
      contents.configuration = { index, configuration };
      contents.state = { index, values };
      contents.installing = false;
    });
  }

  /** What was lost has come back from others. */
  recovered(): void {
    this.#write((contents) => {
      contents.lost = false;
    });
  }

  /** Writes the state when there is time. False when the log on the disk does not reach so far. */
  writeStateLater(state: AppliedState): boolean {
    const durable =
      state.index <= this.#durable.compacted.index ||
      termIn(this.#durable, state.index) === this.termAt(state.index);
    if (!durable || this.#view.installing) return false;
    const change: Change = (contents) => {
      if (!contents.installing && contents.state.index < state.index) contents.state = state;
    };
    change(this.#view);
    this.#pendingLater.push(change);
    return true;
  }

  /** The oldest batch is on stable storage. False when there is none. */
  flush(): boolean {
    return this.#flush(this.#pending);
  }

  flushLater(): boolean {
    return this.#flush(this.#pendingLater);
  }

  /** Of the batches not yet flushed the first ones had reached the disk, the others are lost. */
  crash(surviving: number, survivingLater: number): void {
    for (let left = surviving; left > 0; left -= 1) this.flush();
    for (let left = survivingLater; left > 0; left -= 1) this.flushLater();
    this.#pending.length = 0;
    this.#pendingLater.length = 0;
    Object.assign(this.#view, this.#durable, { entries: [...this.#durable.entries] });
  }

  /** The end of the log rots while the process is down, entries that were acknowledged among it. */
  rot(from: LogIndex): void {
    assert(this.#pending.length === 0, 'a disk rots between two lives');
    assert(from > this.#durable.state.index, 'the applied state lies beyond the log', from);
    for (const contents of [this.#view, this.#durable]) {
      contents.entries.length = Math.max(0, from - contents.compacted.index - 1);
      contents.lost = true;
    }
  }

  #write(change: Change): void {
    change(this.#view);
    this.#pending.push(change);
  }

  #flush(lane: Change[]): boolean {
    const change = lane.shift();
    change?.(this.#durable);
    this.used ||= change !== undefined;
    return change !== undefined;
  }
}

function emptyContents(): Contents {
  return {
    ballot: { term: 0 as Term, vote: undefined },
    entries: [],
    compacted: { index: 0 as LogIndex, term: 0 as Term },
    configuration: undefined,
    state: emptyState,
    installing: false,
    lost: false,
  };
}

function lastOf({ compacted, entries }: Contents): LogIndex {
  return (compacted.index + entries.length) as LogIndex;
}

function termIn({ compacted, entries }: Contents, index: LogIndex): Term | undefined {
  return index === compacted.index ? compacted.term : entries[index - compacted.index - 1]?.term;
}
