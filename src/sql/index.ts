/**
 * SQL: PostgreSQL's language over shards. The door to parsing, binding, planning, executing, types,
 * functions, the catalogue and sessions; doors and nodes use sessions and types only.
 *
 * Guarantees: PostgreSQL's answers, errors and positions for what is there, 0A000 with the name of
 * the construct for what is not. Must not know: sockets, files, threads, clocks.
 */
export { loadModule as loadParser } from 'libpg-query';
export {
  accountsAnswers,
  accountsKind,
  accountsName,
  type AccountsMessage,
  type AuditEvent,
  type AuditMessage,
  type FindMessage,
  type FoundMessage,
  type Login,
  tokenHash,
  type TokenMessage,
  tokenPrefix,
} from './accounts/index.js';
export type { FileReader, FileWriter, ServerFiles } from './copy/index.js';
export type { SpillFile, SpillFiles } from './execute/index.js';
export { parsePieces } from './parse/index.js';
export {
  activityAt,
  activityKind,
  activityName,
  adminMessageTypes,
  defaultSessionLimits,
  nodeOfPid,
  parseMessageTypes,
  type PeersMessage,
  pidOf,
  type SessionCapabilities,
  type SessionLimits,
  sessionAnswerTypes,
  sessionKind,
  sessionMessages,
  sessionNumbers,
  SessionRegistry,
  sessionRegistry,
  type SlowStatement,
  type SlowStatements,
  type SessionOptions,
} from './session/index.js';
