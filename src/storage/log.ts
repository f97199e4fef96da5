/**
 * The Raft log of one group: entries in order, from records in the engine.
 */
import { assert, must } from '../base/assert.js';
import { byteString } from '../base/bytes.js';
import { DatabaseError, raise } from '../base/errors.js';
import type { LogIndex, ShardId, Term } from '../base/ids.js';
import type { Engine, Put, Span, Visit } from './engine.js';
import { groupKey, logKey, printKey } from './keys.js';
import { damageNote, decodeDamage } from './log-damage.js';
import {
  type Configuration,
  decodeConfiguration,
  decodeHardState,
  decodeLogRecord,
  encodeHardState,
  encodeLogRecords,
  type HardState,
  type LogEntry,
} from './log-entry.js';
import type { Generation } from './overlay.js';

/** What the Raft core reads; {@link RaftLog} is one. */
export interface LogReader {
  /** The first entry that is still there; lastIndex + 1 when there is none. */
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  /** The term of the entry; also of the last one compacted away (0 for index 0). Undefined beyond. */
  termAt(index: LogIndex): Term | undefined;
  /** Entries from..to, both included: at least one, then as many as `bytesMax` of payload allow. */
  read(from: LogIndex, to: LogIndex, bytesMax: number): readonly LogEntry[];
  /**
   * The newest configuration that lies at or before `index`, and where; that of the compacted part at
   * firstIndex - 1. Undefined before the first hard state.
   */
  configurationAt(index: LogIndex): PlacedConfiguration | undefined;
}

export interface PlacedConfiguration {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

export interface LogOptions {
  /** Opens a log that has lost entries. */
  readonly tolerant?: boolean;
}

/** Where a log begins anew. */
export interface InstalledSnapshot {
  readonly index: LogIndex;
  readonly term: Term;
  /** The configuration at `index`. */
  readonly configuration: Configuration;
  /** Changed with it; that of the hard state when absent. */
  readonly ballot?: Pick<HardState, 'term' | 'vote'>;
}

/** Durable entries that stay in memory, for those who apply and replicate them next. */
const recentBytesMax = 4 * 1024 * 1024;
/** What an entry costs in memory beside its payload. */
const entryOverheadBytes = 200;

interface TailEntry {
  readonly entry: LogEntry;
  readonly generation: number;
}

/**
 * The log of a group in an engine. Methods that change it return the puts that the caller must commit
 * in one batch, in the order of the calls; the log itself shows the change at once, from memory,
 * until markDurable says that the engine has it.
 *
 * The entries of an append lie together, as a record under the index of the last of them: entry n is
 * in the first record at or after n. Compaction removes whole records, so that the first one may
 * begin before firstIndex; what lies before is checked and never handed out.
 *
 * Invariants: indexes from firstIndex to lastIndex have no gap, terms never fall; the tail ends at
 * lastIndex; every entry before the tail is durable in the engine; entries that are not durable are
 * in the tail; the last record ends at lastIndex, and every record holds an entry from firstIndex on.
 */
export class RaftLog implements LogReader {
  readonly #engine: Engine;
  readonly #group: ShardId;
  #hardState: HardState | undefined;
  #lastIndex = 0 as LogIndex;
  /** Where each term begins, ascending; the first is that of the last entry compacted away. */
  #terms: { readonly from: LogIndex; readonly term: Term }[] = [];
  /** The configurations that lie in the log, ascending. */
  #configurations: PlacedConfiguration[] = [];
  /** The last entry of each record, ascending. */
  #records: LogIndex[] = [];
  #tail: TailEntry[] = [];
  #tailBytes = 0;
  #durable = 0;
  #generation = 0;
  #damage: string | undefined;
  /** What lies in the engine behind damage; removed before other entries come in its place. */
  #hidden: readonly Uint8Array[] = [];
  /** The next open knows of the damage, and that what it finds is sound. */
  #noted = false;

  /**
   * Reads what the engine holds and checks every entry; raises `data_corrupted` at the first that is
   * damaged, missing or out of order, or when `tolerant`, shows the log up to there and says so by
   * {@link damage}. A hard state that is damaged or may be out of date raises in any case: what the
   * member has promised is not known. No generation of an earlier RaftLog may be in flight.
   */
  constructor(engine: Engine, group: ShardId, { tolerant = false }: LogOptions = {}) {
    this.#engine = engine;
    this.#group = group;
    const noted = engine.get(groupKey('damage', group));
    const note = noted && decodeDamage(noted);
    if (note !== undefined && (!tolerant || note.what === 'hardState')) {
      raise('data_corrupted', `the log of group ${group} has lost data: ${note.text}`);
    }
    this.#damage = note?.text;
    const state = engine.get(groupKey('hardState', group));
    if (state !== undefined) this.#hardState = decodeHardState(state);
    const start = this.#snapshot;
    this.#terms.push({ from: start.index, term: start.term });
    this.#lastIndex = start.index;
    if (note?.what !== 'entries') this.#load(tolerant);
    if (this.#damage !== undefined) {
      const known = new Set(this.#records.map((last) => byteString(logKey(group, last))));
      const all = engine.keys(this.#spanFrom(0 as LogIndex));
      this.#hidden = all.filter((key) => !known.has(byteString(key)));
      this.#noted = note?.what === 'end' && this.#hidden.length === 0;
    }
    if (this.#lastIndex > 0 && this.#hardState === undefined) {
      raise('data_corrupted', `the log of group ${group} has entries and no hard state`);
    }
  }

  /**
   * What is damaged; undefined when all is sound. The log has lost entries that may have been
   * acknowledged, and the member must not vote or acknowledge until it has them back: then
   * {@link recovered} is called. Also known after a restart, once anything has been appended.
   */
  get damage(): string | undefined {
    return this.#damage;
  }

  /** Undefined when the group was never written here. */
  get hardState(): HardState | undefined {
    return this.#hardState;
  }

  /** The newest configuration, whether committed or not. Undefined before the first hard state. */
  get configuration(): Configuration | undefined {
    return this.#configurations.at(-1)?.configuration ?? this.#hardState?.configuration;
  }

  configurationAt(index: LogIndex): PlacedConfiguration | undefined {
    const held = this.#configurations.findLast((one) => one.index <= index);
    if (held !== undefined || this.#hardState === undefined) return held;
    return { index: this.#snapshot.index, configuration: this.#hardState.configuration };
  }

  get firstIndex(): LogIndex {
    return (this.#snapshot.index + 1) as LogIndex;
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  termAt(index: LogIndex): Term | undefined {
    if (index < this.#snapshot.index || index > this.#lastIndex) return undefined;
    let found: Term | undefined;
    for (let i = this.#terms.length - 1; i >= 0 && found === undefined; i -= 1) {
      const run = must(this.#terms[i], 'a run of terms');
      if (run.from <= index) found = run.term;
    }
    return found;
  }

  read(from: LogIndex, to: LogIndex, bytesMax: number): readonly LogEntry[] {
    assert(from >= this.firstIndex, 'entry was compacted away', from, this.firstIndex);
    assert(from <= to && to <= this.#lastIndex, 'entry beyond the log', to, this.#lastIndex);
    const entries: LogEntry[] = [];
    let bytes = 0;
    const take = (entry: LogEntry): boolean => {
      assert(entry.index === from + entries.length, 'the log has a gap', entry.index, from);
      bytes += entry.payload.length;
      if (entries.length > 0 && bytes > bytesMax) return false;
      entries.push(entry);
      return entry.index < to;
    };
    const tailStart = this.#tailStart;
    if (from < tailStart) {
      let more = true;
      const last = Math.min(to, tailStart - 1);
      this.#scan(from, (_key, value) => {
        let inEngine = true;
        decodeLogRecord(Buffer.from(value), (entry) => {
          if (entry.index < from) return true;
          more = take(entry);
          inEngine = more && entry.index < last;
          return inEngine;
        });
        return inEngine;
      });
      if (!more) return entries;
    }
    for (let at = Math.max(from, tailStart); at <= to; at += 1) {
      if (!take(must(this.#tail[at - tailStart], 'the tail has no gap').entry)) break;
    }
    return entries;
  }

  /**
   * Appends entries that continue the log, replacing those from the first one's index on (a follower
   * whose leader has other entries). With `hardState` both become durable together; an empty list
   * changes only the hard state.
   */
  append(entries: readonly LogEntry[], hardState?: HardState): Generation {
    const puts: Put[] = [];
    if (hardState !== undefined) puts.push(this.#setHardState(hardState));
    assert(this.#hardState !== undefined, 'the group has a hard state before entries');
    this.#generation += 1;
    const first = entries[0];
    if (first !== undefined) {
      this.#uncover(puts);
      const kept = first.index <= this.#lastIndex ? this.#truncate(first.index, puts) : [];
      for (const entry of entries) {
        this.#note(entry);
        this.#tail.push({ entry, generation: this.#generation });
        this.#tailBytes += entryOverheadBytes + entry.payload.length;
      }
      for (const { last, bytes } of encodeLogRecords([...kept, ...entries])) {
        this.#records.push(last);
        puts.push({ key: logKey(this.#group, last), value: bytes });
      }
    }
    return { number: this.#generation, puts };
  }

  /** Removes the entries up to `index`; whoever still needs them has been asked. */
  compact(index: LogIndex): Generation {
    const state = must(this.#hardState, 'the group has a hard state');
    const first = this.firstIndex;
    assert(index >= first && index <= this.#lastIndex, 'no such entry to compact', index);
    const term = must(this.termAt(index), 'an entry has a term');
    const covered = this.#configurations.filter((held) => held.index <= index);
    const configuration = covered.at(-1)?.configuration ?? state.configuration;
    this.#generation += 1;
    const puts = [this.#setHardState({ ...state, configuration, lastSnapshot: { index, term } })];
    const whole = this.#records.filter((last) => last <= index);
    for (const last of whole) puts.push({ key: logKey(this.#group, last), value: undefined });
    this.#records.splice(0, whole.length);
    this.#configurations.splice(0, covered.length);
    this.#terms = [{ from: index, term }, ...this.#terms.filter((run) => run.from > index)];
    this.#dropTail(Math.max(0, index + 1 - this.#tailStart));
    return { number: this.#generation, puts };
  }

  /**
   * Begins the log anew after the entry `index` of `term`: a snapshot has brought what the entries up to
   * there did. Entries after it stay if the log holds that very entry (section 7 of the paper), all go
   * otherwise. Damage stays known until {@link recovered}.
   */
  install(snapshot: InstalledSnapshot): Generation {
    const state = must(this.#hardState, 'the group has a hard state');
    const { index, term, configuration, ballot = state } = snapshot;
    assert(index >= this.#snapshot.index, 'a snapshot never takes the log back', index);
    const keeps = this.termAt(index) === term;
    const puts: Put[] = [];
    this.#generation += 1;
    this.#uncover(puts);
    const gone = keeps ? this.#records.filter((last) => last <= index) : this.#records;
    for (const last of gone) puts.push({ key: logKey(this.#group, last), value: undefined });
    if (!keeps) {
      this.#dropTail(this.#tail.length);
      this.#lastIndex = index;
    }
    this.#records = keeps ? this.#records.filter((last) => last > index) : [];
    this.#configurations = this.#configurations.filter((held) => keeps && held.index > index);
    this.#terms = [
      { from: index, term },
      ...this.#terms.filter(({ from }) => keeps && from > index),
    ];
    const { term: current, vote } = ballot;
    const lastSnapshot = { index, term };
    puts.push(this.#setHardState({ ...state, term: current, vote, configuration, lastSnapshot }));
    this.#dropTail(Math.max(0, index + 1 - this.#tailStart));
    return { number: this.#generation, puts };
  }

  /** The member holds again all that it may have acknowledged: the damage is no more. */
  recovered(): Generation {
    assert(this.#damage !== undefined, 'nothing was lost');
    const puts: Put[] = [];
    this.#generation += 1;
    this.#uncover(puts);
    this.#damage = undefined;
    this.#noted = false;
    puts.push({ key: groupKey('damage', this.#group), value: undefined });
    return { number: this.#generation, puts };
  }

  /** The generations up to `number` are durable in the engine. */
  markDurable(number: number): void {
    assert(number <= this.#generation, 'no such generation', number);
    this.#durable = Math.max(this.#durable, number);
    let count = 0;
    let bytes = this.#tailBytes;
    for (const { entry, generation } of this.#tail) {
      if (bytes <= recentBytesMax || generation > this.#durable) break;
      bytes -= entryOverheadBytes + entry.payload.length;
      count += 1;
    }
    this.#dropTail(count);
  }

  /**
   * Reads every record of the engine, which must have all generations; raises `data_corrupted`
   * naming the first that is wrong. Visits the entries that are not compacted, and after those of a
   * record the last one's index.
   */
  verify(
    visit: (entry: LogEntry) => void = () => {},
    onRecord: (last: LogIndex) => void = () => {},
  ): void {
    const { index: compacted, term: compactedTerm } = this.#snapshot;
    let previous: LogEntry | undefined;
    this.#scan(0 as LogIndex, (key, value) => {
      const place = printKey(key);
      decodeLogRecord(Buffer.from(value), (entry) => {
        const { index, term } = entry;
        const expected =
          previous === undefined ? Math.min(index, compacted + 1) : previous.index + 1;
        if (index !== expected) {
          raise('data_corrupted', `${place} holds entry ${index}; ${expected} is missing`);
        }
        const termMin = previous?.term ?? (index > compacted ? compactedTerm : 0);
        if (term < termMin || (index === compacted && term !== compactedTerm)) {
          raise('data_corrupted', `${place} holds entry ${index} with the wrong term ${term}`);
        }
        if (index > compacted) visit(entry);
        previous = entry;
        return true;
      });
      const last = previous?.index;
      if (last === undefined || Buffer.compare(key, logKey(this.#group, last)) !== 0) {
        raise('data_corrupted', `${place} ends with entry ${last}`);
      }
      if (last <= compacted) raise('data_corrupted', `${place} was compacted and is still there`);
      onRecord(last);
      return true;
    });
  }

  /** Takes whole records, so that a tolerant log ends with one. */
  #load(tolerant: boolean): void {
    let entries: LogEntry[] = [];
    const takeRecord = (last: LogIndex): void => {
      for (const entry of entries) this.#note(entry);
      this.#records.push(last);
      entries = [];
    };
    try {
      this.verify((entry) => entries.push(entry), takeRecord);
    } catch (error) {
      const damaged = error instanceof DatabaseError && error.kind === 'data_corrupted';
      if (!tolerant || !damaged) throw error;
      this.#damage ??= error.message;
    }
  }

  /** What lies behind damage goes; that it was there stays known. */
  #uncover(puts: Put[]): void {
    if (this.#damage === undefined || this.#noted) return;
    this.#noted = true;
    for (const key of this.#hidden) puts.push({ key, value: undefined });
    this.#hidden = [];
    puts.push(damageNote(this.#group, 'end', this.#damage));
  }

  get #snapshot(): HardState['lastSnapshot'] {
    return this.#hardState?.lastSnapshot ?? { index: 0 as LogIndex, term: 0 as Term };
  }

  get #tailStart(): number {
    return this.#lastIndex + 1 - this.#tail.length;
  }

  /** Visits the records from the one on that holds entry `from`. */
  #scan(from: LogIndex, visit: Visit): void {
    this.#engine.scan(this.#spanFrom(from), visit);
  }

  #spanFrom(from: LogIndex): Span {
    const end = logKey(this.#group, Number.MAX_SAFE_INTEGER as LogIndex);
    return { from: logKey(this.#group, from), to: end };
  }

  #setHardState(state: HardState): Put {
    const before = this.#hardState;
    assert(before === undefined || state.term >= before.term, 'the term never falls', state.term);
    assert(
      before === undefined ||
        before.term !== state.term ||
        (before.vote ?? state.vote) === state.vote,
      'one vote in a term',
      state.vote,
    );
    this.#hardState = state;
    return { key: groupKey('hardState', this.#group), value: encodeHardState(state) };
  }

  /** Takes `entry` as the last one. */
  #note(entry: LogEntry): void {
    assert(entry.index === this.#lastIndex + 1, 'entries continue the log', entry.index);
    const newest = must(this.#terms.at(-1), 'the log has a term');
    assert(entry.term >= newest.term, 'terms never fall', entry.term, newest.term);
    if (entry.term > newest.term) this.#terms.push({ from: entry.index, term: entry.term });
    if (entry.kind === 'configuration') {
      const configuration = decodeConfiguration(entry.payload);
      this.#configurations.push({ index: entry.index, configuration });
    }
    this.#lastIndex = entry.index;
  }

  /**
   * Forgets the entries from `index` on, and removes their records. Returns the entries before
   * `index` that shared a record with it: they must be written again.
   */
  #truncate(index: LogIndex, puts: Put[]): readonly LogEntry[] {
    assert(index >= this.firstIndex, 'a compacted entry is never replaced', index);
    const at = this.#records.findIndex((last) => last >= index);
    assert(at >= 0, 'an entry lies in a record', index);
    const before = this.#records[at - 1] ?? 0;
    const start = Math.max(before + 1, this.firstIndex) as LogIndex;
    const end = (index - 1) as LogIndex;
    const kept = start <= end ? this.read(start, end, Number.POSITIVE_INFINITY) : [];
    for (const last of this.#records.splice(at)) {
      puts.push({ key: logKey(this.#group, last), value: undefined });
    }
    const keep = Math.max(0, index - this.#tailStart);
    for (const { entry } of this.#tail.splice(keep)) {
      this.#tailBytes -= entryOverheadBytes + entry.payload.length;
    }
    this.#terms = this.#terms.filter((run) => run.from < index);
    this.#configurations = this.#configurations.filter((held) => held.index < index);
    this.#lastIndex = end;
    return kept;
  }

  #dropTail(count: number): void {
    for (const { entry } of this.#tail.splice(0, count)) {
      this.#tailBytes -= entryOverheadBytes + entry.payload.length;
    }
  }
}
