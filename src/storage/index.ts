/**
 * Storage.
 */
export type { Batch, Engine, EngineStats, Put, Span, Ticket, Visit } from './engine.js';
export type {
  Configuration,
  EntryObject,
  HardState,
  LogEntry,
  LogEntryKind,
  LogReader,
} from './log.js';
export { decodeConfiguration, encodeConfiguration, RaftLog } from './log.js';
export { type Generation, Overlay } from './overlay.js';
