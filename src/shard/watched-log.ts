/** A group's log as the Raft core and the applier read it: who reads what is damaged makes that known. */
import { DatabaseError } from '../base/errors.js';
import type { LogIndex, Term } from '../base/ids.js';
import type { LogEntry, LogReader, PlacedConfiguration } from '../storage/index.js';

export class WatchedLog implements LogReader {
  readonly #log: LogReader;
  readonly #onDamage: () => void;

  constructor(log: LogReader, onDamage: () => void) {
    this.#log = log;
    this.#onDamage = onDamage;
  }

  get firstIndex(): LogIndex {
    return this.#log.firstIndex;
  }

  get lastIndex(): LogIndex {
    return this.#log.lastIndex;
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#log.termAt(index);
  }

  read(from: LogIndex, to: LogIndex, bytesMax: number): readonly LogEntry[] {
    try {
      return this.#log.read(from, to, bytesMax);
    } catch (error) {
      if (error instanceof DatabaseError && error.kind === 'data_corrupted') this.#onDamage();
      throw error;
    }
  }

  configurationAt(index: LogIndex): PlacedConfiguration | undefined {
    return this.#log.configurationAt(index);
  }
}
