/**
 * Storage: ordered key-value engines, what lies in them, and the directory that they lie in.
 *
 * Guarantees:
 * - Commits become durable in order, each whole; `commit` never waits for the device; nothing is
 *   called durable before the device has said so. What is waited for and what is not are two lanes
 *   without an order between them (engine.ts): on disk a log file and LMDB (store-engine.ts).
 * - A replica reads its newest applied state through an {@link Overlay} while the engine gets it
 *   later, in whole generations; a group's log through a {@link RaftLog}.
 * - Every value read was checked against the checksum it was written with; what a log has lost is
 *   known as lost, never taken for what a crash cut short.
 * - A directory belongs to one process at a time, and is refused, with an error that says what to do,
 *   when it is foreign, damaged, newer, locked or cannot be written.
 *
 * It must not know: SQL, transactions, Raft's rules, actors. Keys are bytes in the order of keys.ts;
 * values are bytes.
 */
export { checksum } from './checksum.js';
export {
  Directory,
  type DirectoryOptions,
  directoryFormat,
  openDirectory,
  openStore,
} from './directory.js';
export type { Batch, Engine, EngineStats, Put, Span, Ticket, Visit } from './engine.js';
export { LmdbEngine, type LmdbEngineOptions } from './lmdb.js';
export {
  type InstalledSnapshot,
  type LogOptions,
  type LogReader,
  type PlacedConfiguration,
  RaftLog,
} from './log.js';
export {
  type Configuration,
  decodeConfiguration,
  decodeHardState,
  decodeLogRecord,
  type EntryObject,
  encodeConfiguration,
  encodeHardState,
  encodeLogRecords,
  type HardState,
  type LogEntry,
  type LogEntryKind,
} from './log-entry.js';
export { type MemoryContents, MemoryEngine, type MemoryEngineOptions } from './memory.js';
export { MirrorEngine } from './mirror.js';
export { type Generation, Overlay } from './overlay.js';
export type { StoreOptions } from './store.js';
