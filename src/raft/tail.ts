/** The log as the core sees it: what the driver's log shows, and what the next Ready will add to it. */
import { assert, must } from '../base/assert.js';
import type { LogIndex, Term } from '../base/ids.js';
import {
  type Configuration,
  decodeConfiguration,
  type LogEntry,
  type LogReader,
  type PlacedConfiguration,
} from '../storage/index.js';
import type { LogEnd } from './rules.js';

/**
 * Invariants: the entries not yet handed out continue the driver's log, or replace its end; terms never
 * fall; a configuration holds from the moment its entry is here (section 6 of the paper).
 */
export class LogTail {
  readonly #log: LogReader;
  readonly #initial: PlacedConfiguration;
  #pending: LogEntry[] = [];
  #placed: PlacedConfiguration;
  #memo:
    | { from: LogIndex; to: LogIndex; bytesMax: number; entries: readonly LogEntry[] }
    | undefined;

  /** `initial` holds while the log says nothing. */
  constructor(log: LogReader, initial: Configuration) {
    this.#log = log;
    this.#initial = { index: 0 as LogIndex, configuration: initial };
    this.#placed = this.#configurationOfLog(log.lastIndex);
  }

  get firstIndex(): LogIndex {
    return this.#log.firstIndex;
  }

  get lastIndex(): LogIndex {
    return this.#pending.at(-1)?.index ?? this.#log.lastIndex;
  }

  get lastTerm(): Term {
    const pending = this.#pending.at(-1);
    if (pending !== undefined) return pending.term;
    return must(this.#log.termAt(this.#log.lastIndex), 'the last entry has a term');
  }

  get end(): LogEnd {
    return { lastIndex: this.lastIndex, lastTerm: this.lastTerm };
  }

  /** The newest configuration, whether committed or not, and where it lies. */
  get configuration(): Configuration {
    return this.#placed.configuration;
  }

  get configurationIndex(): LogIndex {
    return this.#placed.index;
  }

  /** The one before the newest. */
  get configurationBefore(): Configuration {
    return this.#configurationBefore(this.#placed.index).configuration;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** Undefined before the last compacted entry and beyond the end. */
  termAt(index: LogIndex): Term | undefined {
    const first = this.#pending[0]?.index;
    if (first !== undefined && index >= first) return this.#pending[index - first]?.term;
    return this.#log.termAt(index);
  }

  append(entry: LogEntry): void {
    const last = this.lastIndex;
    assert(entry.index === last + 1, 'entries continue the log', entry.index, last);
    assert(Number.isSafeInteger(entry.index), 'log index out of range', entry.index);
    assert(entry.term >= this.lastTerm, 'terms never fall', entry.term, this.lastTerm);
    this.#pending.push(entry);
    if (entry.kind === 'configuration') {
      const configuration = decodeConfiguration(entry.payload);
      this.#placed = { index: entry.index, configuration };
    }
  }

  /** Puts `entry` in the place of the one with its index, and forgets all that follows. */
  replace(entry: LogEntry): void {
    const { index } = entry;
    assert(index <= this.lastIndex, 'nothing to replace', index, this.lastIndex);
    assert(index >= this.#log.firstIndex, 'a compacted entry is never replaced', index);
    const before = (index - 1) as LogIndex;
    const termBefore = must(this.termAt(before), 'the entry before has a term');
    assert(entry.term >= termBefore, 'terms never fall', entry.term, termBefore);
    const first = this.#pending[0]?.index ?? index;
    this.#pending.length = Math.max(0, index - first);
    this.#pending.push(entry);
    this.#memo = undefined;
    if (entry.kind === 'configuration') {
      this.#placed = { index, configuration: decodeConfiguration(entry.payload) };
    } else if (this.#placed.index >= index) {
      this.#placed = this.#configurationBefore(index);
    }
  }

  /** Entries from..to, both included: at least one, then as many as `bytesMax` of payload allow. */
  read(from: LogIndex, to: LogIndex, bytesMax: number): readonly LogEntry[] {
    const memo = this.#memo;
    // Followers that are at the same place, as they mostly are, share what was read for the first.
    if (memo?.from === from && memo.to === to && memo.bytesMax === bytesMax) return memo.entries;
    const entries = this.#read(from, to, bytesMax);
    this.#memo = { from, to, bytesMax, entries };
    return entries;
  }

  /** Hands out what is new; the driver's log shows it before the next step. */
  take(): readonly LogEntry[] {
    const taken = this.#pending;
    this.#pending = [];
    this.#memo = undefined;
    return taken;
  }

  /** The driver has put a snapshot in the place of the log, or of its beginning. */
  installed(): void {
    assert(this.#pending.length === 0, 'a snapshot overtakes entries not handed out');
    this.#memo = undefined;
    this.#placed = this.#configurationOfLog(this.#log.lastIndex);
  }

  /** The last entry up to `index` whose term is at most `term`; the last compacted one if none is. */
  lastOfTermAtMost(term: Term, index: LogIndex): LogIndex {
    let low: number = this.#log.firstIndex - 1;
    let high: number = Math.min(index, this.lastIndex);
    if (high < low) return high as LogIndex;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const termOfMiddle = must(this.termAt(middle as LogIndex), 'an entry of the log has a term');
      if (termOfMiddle <= term) low = middle;
      else high = middle - 1;
    }
    return low as LogIndex;
  }

  #read(from: LogIndex, to: LogIndex, bytesMax: number): readonly LogEntry[] {
    assert(from <= to && to <= this.lastIndex, 'no such entries', from, to, this.lastIndex);
    const first = this.#pending[0]?.index ?? ((this.#log.lastIndex + 1) as LogIndex);
    const entries: LogEntry[] = [];
    let bytes = 0;
    if (from < first) {
      const last = Math.min(to, first - 1) as LogIndex;
      for (const entry of this.#log.read(from, last, bytesMax)) {
        entries.push(entry);
        bytes += entry.payload.length;
      }
      if (entries.length < last - from + 1) return entries;
    }
    for (let at = Math.max(from, first); at <= to; at += 1) {
      const entry = must(this.#pending[at - first], 'entries without a gap');
      bytes += entry.payload.length;
      if (entries.length > 0 && bytes > bytesMax) break;
      entries.push(entry);
    }
    return entries;
  }

  #configurationBefore(index: LogIndex): PlacedConfiguration {
    const pending = this.#pending.findLast(
      (entry) => entry.kind === 'configuration' && entry.index < index,
    );
    if (pending === undefined) return this.#configurationOfLog((index - 1) as LogIndex);
    return { index: pending.index, configuration: decodeConfiguration(pending.payload) };
  }

  #configurationOfLog(index: LogIndex): PlacedConfiguration {
    return this.#log.configurationAt(index) ?? this.#initial;
  }
}
