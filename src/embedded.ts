/**
 * A node in this process: `import { open } from 'shardforge'`.
 *
 * It is the same node and the same SDK as over the network; frames pass as objects.
 */
import {
  type Database,
  type DatabaseOptions,
  databaseOver,
  type Dial,
  ShardForgeError,
  type Transport,
  type TransportEvents,
} from './client/index.js';
import { must } from './base/assert.js';
import { DatabaseError } from './base/errors.js';
import {
  copyMessage,
  errorFrame,
  noticeFrame,
  notificationFrame,
  type FrameLayout,
  frameLayoutOf,
  type SqlConnection,
} from './net/index.js';
import type { CompleteFrame, RequestFrame, RowsFrame } from './net/protocol.js';
import {
  checkConfig,
  inMemory,
  type NodeConfig,
  type PartialConfig,
  type RunningNode,
  startNode,
} from './node/index.js';
import type { SessionAnswer } from './sql/session/protocol.js';
import { shortTypeName } from './sql/types/index.js';

export {
  type CallOptions,
  type Column,
  type CopyData,
  Database,
  type DatabaseOptions,
  type Json,
  type Parameter,
  type Part,
  type PreparedStatement,
  Query,
  type Queryable,
  type Result,
  type Row,
  Session,
  ShardForgeError,
  type Sql,
  Transaction,
  type TransactionOptions,
  type TypeOptions,
  type Value,
} from './client/index.js';

/** How a database is opened in this process. */
export interface OpenOptions extends DatabaseOptions {
  /** The directory of the data, made when absent. Without it everything is kept in memory. */
  readonly dir?: string | undefined;
  /** Options of the node by section, as in a configuration file: see docs/config.md. */
  readonly config?: PartialConfig | undefined;
  /** Hears what the node reports; nothing is printed otherwise. */
  readonly onLog?: ((level: string, event: string, fields: object) => void) | undefined;
}

/** Sessions of this process cost little: more of them than over the network. */
const sessionsMax = 16;

/**
 * Opens a database in this process: in memory, or in a directory that no other process has open.
 *
 * @example
 * const db = await open({ dir: './data' });
 * await db.sql`create table if not exists visit (at timestamptz primary key)`;
 * await db.sql`insert into visit values (${new Date()})`;
 * await db.close();
 *
 * @throws ShardForgeError with the SQLSTATEs of docs/errors.md, such as SF001 for a locked directory
 */
export async function open(options: OpenOptions = {}): Promise<Database> {
  const { dir, config, onLog, max = sessionsMax, ...rest } = options;
  const transports = new Set<InProcessTransport>();
  let failure: string | undefined;
  try {
    const checked = checkConfig({
      workers: 0,
      ...config,
      data: { ...config?.data, directory: dir ?? inMemory },
      http: { enabled: false, ...config?.http },
    });
    const node = await startNode(checked, {
      log: (level, event, fields = {}) => onLog?.(level, event, fields),
      fatal: (error) => {
        failure = `the node has failed: ${error.message}`;
        for (const transport of transports) transport.fail(failure);
      },
    });
    const host = { node, transports, limits: checked.limits, failure: () => failure };
    const dial: Dial = (events) => new InProcessTransport(host, events);
    return await databaseOver(dial, { ...rest, max }, () => node.stop(0));
  } catch (error) {
    throw error instanceof DatabaseError ? shardForgeError(error) : error;
  }
}

function shardForgeError(error: DatabaseError): ShardForgeError {
  const frame = errorFrame(null, error);
  return new ShardForgeError({ ...frame, condition: frame.name }, { cause: error });
}

/** Requests that lie at the session; the others wait in the SDK. */
const requestsInFlight = 32;
/** Batches of rows that the session may send when the reader of the result wants them all. */
const creditOfAll = 2 ** 30;

/** What the sessions of an embedded node share. */
interface Host {
  readonly node: RunningNode;
  readonly transports: Set<InProcessTransport>;
  readonly limits: NodeConfig['limits'];
  /** Why the node is dead. */
  failure(): string | undefined;
}

/** A session of the node without a network. */
class InProcessTransport implements Transport {
  readonly #events: TransportEvents;
  readonly #host: Host;
  #connection: SqlConnection | undefined;
  /** By request, the layout of the result under way. */
  readonly #layouts = new Map<number, FrameLayout>();
  #closed = false;

  constructor(host: Host, events: TransportEvents) {
    this.#events = events;
    this.#host = host;
    host.transports.add(this);
    // Whoever dials has not got the transport yet.
    queueMicrotask(() => {
      const failure = host.failure();
      if (failure === undefined) this.#connect();
      else this.#refuse(failure);
    });
  }

  send(frame: RequestFrame): void {
    if (this.#closed) return;
    const { statementBytes } = this.#host.limits;
    const text = 'sql' in frame ? (frame.sql ?? '') : '';
    if (text.length > statementBytes / 3 && Buffer.byteLength(text) > statementBytes) {
      const message = `statement is longer than limits.statementBytes (${statementBytes})`;
      const error = new DatabaseError('program_limit_exceeded', message);
      queueMicrotask(() => this.#events.onFrame(errorFrame(frame.id, error)));
      return;
    }
    switch (frame.op) {
      case 'execute':
        this.#connection?.send({
          kind: 'sql.execute',
          request: frame.id,
          statement: frame.prepared === undefined ? { text } : { prepared: frame.prepared },
          parameters: frame.params ?? [],
          credit: frame.credit ?? creditOfAll,
          ...(frame.paramTypes === undefined ? {} : { parameterTypes: frame.paramTypes }),
        });
        return;
      case 'prepare':
        this.#connection?.send({ kind: 'sql.prepare', request: frame.id, name: frame.name, text });
        return;
      case 'close':
        this.#connection?.send({ kind: 'sql.close', request: frame.id, name: frame.name });
        return;
      case 'credit':
        this.#connection?.send({ kind: 'sql.credit', request: frame.id, credit: frame.credit });
        return;
      case 'cancel':
        this.#connection?.send({ kind: 'sql.cancel', request: frame.id });
        return;
      case 'copyData':
      case 'copyEnd':
        this.#connection?.send(copyMessage(frame, frame.id));
        return;
      case 'ping':
        queueMicrotask(() => this.#events.onFrame({ op: 'pong', id: frame.id }));
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#connection?.send({ kind: 'sql.end' });
    queueMicrotask(() => this.fail('closed by the client'));
  }

  fail(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.transports.delete(this);
    this.#events.onClose(reason);
  }

  /** Waiting for a node that is dead would be in vain, so nobody is told to try again later. */
  #refuse(failure: string): void {
    const frame = errorFrame(null, new DatabaseError('connection_failure', failure));
    this.#events.onFrame({ ...frame, retry: 'never' });
    this.fail(failure);
  }

  #connect(): void {
    if (this.#closed) return;
    const { node, limits } = this.#host;
    try {
      this.#connection = node.connect({
        answer: (answer) => this.#answer(answer),
        died: (reason) => this.fail(reason),
      });
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      this.#events.onFrame(errorFrame(null, error));
      this.fail(error.message);
      return;
    }
    this.#events.onFrame({
      ...{ op: 'hello', protocol: 1, version: node.version, status: 'idle' },
      session: this.#connection.session,
      limits: { ...limits, requestsInFlight },
    });
  }

  #answer(answer: SessionAnswer): void {
    if (this.#closed) return;
    const id = answer.request;
    if (answer.kind === 'sql.failed' && answer.fatal === true) {
      this.#events.onFrame(errorFrame(null, answer.error));
      this.fail(answer.error.message);
      return;
    }
    switch (answer.kind) {
      case 'sql.rows':
        this.#events.onFrame(this.#rows(answer));
        return;
      case 'sql.complete': {
        const { tag, status } = answer.completion;
        const frame: Writable<CompleteFrame> = { op: 'complete', id, tag, status };
        if (!answer.last) frame.more = true;
        this.#events.onFrame(frame);
        return;
      }
      case 'sql.prepared': {
        const paramTypes = answer.parameterTypes.map(({ type }) => shortTypeName(type));
        const columns = answer.columns && frameLayoutOf(answer.columns).columns;
        this.#events.onFrame({ op: 'prepared', id, paramTypes, columns: columns ?? null });
        return;
      }
      case 'sql.parked':
      case 'sql.closed':
        this.#events.onFrame({ op: 'closed', id });
        return;
      case 'sql.copyIn':
        this.#events.onFrame({ op: 'copy', id, credit: answer.credit });
        return;
      case 'sql.notice':
        this.#events.onFrame(noticeFrame(id || null, answer.notice));
        return;
      case 'sql.notification':
        this.#events.onFrame(notificationFrame(answer));
        this.#connection?.send({ kind: 'sql.heard', count: 1 });
        return;
      case 'sql.settings':
        return;
      case 'sql.failed':
        this.#layouts.delete(id);
        this.#events.onFrame(errorFrame(id, answer.error, answer.status));
    }
  }

  #rows(answer: Extract<SessionAnswer, { kind: 'sql.rows' }>): RowsFrame {
    const { request: id, columns, completion, last } = answer;
    let layout = this.#layouts.get(id);
    if (columns !== undefined) {
      layout = frameLayoutOf(columns, answer.timeZone, answer.style);
      if (!last) this.#layouts.set(id, layout);
    }
    const { values } = must(layout, 'columns come before rows');
    // Grown in place: spreading takes longer than all the rest of a short result.
    const frame: Writable<RowsFrame> = { op: 'rows', id, rows: answer.rows.map(values) };
    if (columns !== undefined && layout !== undefined) frame.columns = layout.columns;
    if (completion !== undefined) {
      frame.tag = completion.tag;
      frame.status = completion.status;
      if (completion.stale === true) frame.stale = true;
    }
    if (last) this.#layouts.delete(id);
    else frame.more = true;
    return frame;
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
