/**
 * The SDK: `import { connect } from 'shardforge/client'`, and the face of an embedded database.
 *
 * It guarantees that values of templates are parameters and never text; that results come in the
 * order of the calls made on one connection; that nothing that was sent is sent again unless the
 * caller can see it (a transaction's function runs again); and that no rejection stays unhandled
 * but those of promises that the caller was given.
 *
 * It knows the frames of docs/protocol.md and nothing else of the server.
 */
export type { CallOptions } from './call.js';
export { type ConnectOptions, connect } from './connect.js';
export type { CopyData } from './copy.js';
export {
  Database,
  type DatabaseOptions,
  databaseOver,
  type PreparedStatement,
} from './database.js';
export { type Retry, ShardForgeError, type ShardForgeErrorFields } from './errors.js';
export type { ListenOptions, Notification, Subscription } from './listening.js';
export type { Notice } from './notice.js';
export { Query } from './query.js';
export { type Column, Result, type Row, type RowShape } from './result.js';
export { type Queryable, Session } from './session.js';
export type { Sql } from './sql.js';
export { Fragment, type Part } from './template.js';
export { Transaction, type TransactionOptions } from './transaction.js';
export type { Dial, Transport, TransportEvents } from './transport.js';
export type { Json, Parameter, TypeOptions, Value } from './values.js';
export type { TlsOptions } from './websocket.js';
