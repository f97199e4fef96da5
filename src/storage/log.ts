/**
 * The Raft log of one group: what an entry and the hard state are, and the log's own interface, so
 * that its rows in the engine may later become an append file.
 */
import type {
  LogIndex,
  NodeId,
  ObjectId,
  ShardId,
  Term,
  Timestamp,
  TransactionId,
} from '../base/ids.js';
import type { Engine, Put } from './engine.js';
import type { Generation } from './overlay.js';

/**
 * `noop`: a new leader's first entry. `write`: the evaluated changes of one transaction. `gc`: versions
 * older than a timestamp may go. `configuration`: the payload is an encoded {@link Configuration}.
 */
export type LogEntryKind = 'noop' | 'write' | 'gc' | 'configuration';

/** An object that the writes touch, with the version of its schema (pitfall 12). */
export interface EntryObject {
  readonly object: ObjectId;
  readonly version: number;
}

export interface LogEntry {
  readonly term: Term;
  readonly index: LogIndex;
  readonly kind: LogEntryKind;
  /** 0 when no transaction stands behind the entry. */
  readonly transaction: TransactionId;
  /** The commit timestamp; of other kinds the newest one before it. */
  readonly timestamp: Timestamp;
  /** The node that proposed it. */
  readonly origin: NodeId;
  /** Wall clock of the proposer, milliseconds since 1970: shown, never decides. */
  readonly wallMs: number;
  readonly objects: readonly EntryObject[];
  /** Who asked, when the client said so: for audit and for recognising repeated requests. */
  readonly client: string | undefined;
  readonly request: string | undefined;
  /** Bytes that only the writer's layer understands. */
  readonly payload: Uint8Array;
}

/** Who takes part in a group. */
export interface Configuration {
  readonly voters: readonly NodeId[];
  /** The voters being left during a joint change; otherwise empty. */
  readonly outgoing: readonly NodeId[];
  /** Get the log and do not vote. */
  readonly learners: readonly NodeId[];
  /** Those voters that keep the log's metadata and no data. */
  readonly witnesses: readonly NodeId[];
}

/** What a member must not forget; written in one batch with the entries it goes with. */
export interface HardState {
  readonly term: Term;
  readonly vote: NodeId | undefined;
  /** The configuration at `lastSnapshot`; entries of kind `configuration` after it supersede it. */
  readonly configuration: Configuration;
  /** UUID of the cluster that the group belongs to. */
  readonly clusterId: string;
  /** The last entry that compaction removed; {0, 0} before. */
  readonly lastSnapshot: { readonly index: LogIndex; readonly term: Term };
}

export declare function encodeLogEntry(entry: LogEntry): Uint8Array;
/** Raises `data_corrupted` when the bytes are not what encodeLogEntry made. */
export declare function decodeLogEntry(bytes: Uint8Array): LogEntry;
export declare function encodeConfiguration(configuration: Configuration): Uint8Array;
export declare function decodeConfiguration(bytes: Uint8Array): Configuration;

/** What the Raft core reads; {@link RaftLog} is one. */
export interface LogReader {
  /** The first entry that is still there; lastIndex + 1 when there is none. */
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  /** The term of the entry; also of the last one compacted away (0 for index 0). Undefined beyond. */
  termAt(index: LogIndex): Term | undefined;
  /** Entries from..to, both included, at least one, then up to `bytesMax` of payload. */
  read(from: LogIndex, to: LogIndex, bytesMax: number): readonly LogEntry[];
}

/**
 * The log of a group in an engine. Methods that change it return the puts that the caller must commit
 * in one batch, in the order of the calls; the log itself shows the change at once, from memory,
 * until markDurable says that the engine has it.
 */
export declare class RaftLog implements LogReader {
  /** Reads what the engine holds; checks that the log has no gap and that its terms rise. */
  constructor(engine: Engine, group: ShardId);
  /** Undefined when the group was never written here. */
  get hardState(): HardState | undefined;
  get firstIndex(): LogIndex;
  get lastIndex(): LogIndex;
  termAt(index: LogIndex): Term | undefined;
  read(from: LogIndex, to: LogIndex, bytesMax: number): readonly LogEntry[];
  /**
   * Appends entries that continue the log; those at or after the first one's index are replaced
   * (truncate suffix). With `hardState` both become durable together. An empty list changes only
   * the hard state.
   */
  append(entries: readonly LogEntry[], hardState?: HardState): Generation;
  /** Removes the entries up to `index`, which is applied everywhere it must be. */
  compact(index: LogIndex): Generation;
  /** The generations up to `number` are durable in the engine. */
  markDurable(number: number): void;
  /** Reads and checks every entry; raises `data_corrupted` naming the first bad one. */
  verify(): void;
  /** The keys of the group's log, for tests and tools. */
  static puts(batch: readonly Put[]): readonly LogEntry[];
}
