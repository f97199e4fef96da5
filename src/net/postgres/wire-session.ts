/**
 * One client's session by PostgreSQL's message flow
 * (https://www.postgresql.org/docs/15/protocol-flow.html), without its socket: messages in, messages out.
 *
 * Messages are taken one after the other; while the session works on one the others wait unread, so what
 * a pipelining client can make the node hold is bounded by what is read ahead of it.
 */
import { must, unreachable } from '../../base/assert.js';
import { DatabaseError, raise } from '../../base/errors.js';
import { binaryCodec } from '../../sql/copy/index.js';
import type {
  Completion,
  ErrorFields,
  SessionAnswer,
  SessionMessage,
  TransactionStatus,
} from '../../sql/session/protocol.js';
import type { Row } from '../../sql/types/index.js';
import { doorError } from '../answers.js';
import type { ConnectOptions, SessionListener, SqlConnection, SqlService } from '../host.js';
import { FrameReader } from './frames.js';
import { portalMessagesMax, portalsMax, windowMessagesMax } from './limits.js';
import type { BindMessage, ClientMessage } from './messages.js';
import { boundParameters, statedTypes } from './parameters.js';
import { Portal, type WireStatement } from './portal.js';
import type { Inbox } from './reader.js';
import { checkFormats, formatAt, type WriteRow, writerOf } from './rows.js';
import { ReportedSettings } from './settings.js';
import * as write from './writer.js';

type Rows = Extract<SessionAnswer, { kind: 'sql.rows' }>;
type Message<K extends ClientMessage['kind']> = Extract<ClientMessage, { kind: K }>;

export interface WireSink {
  readonly inbox: Inbox;
  readonly out: write.MessageWriter;
  /** While true nothing more is executed and no more rows are asked for. */
  readonly congested: boolean;
  /** What was written leaves at the end of the turn; what was read made room. */
  flushLater(): void;
  /** Ends the connection once what was written has left. */
  close(): void;
}

/** What the session is asked for; its answers carry the number. */
type Task = { readonly request: number } & (
  | { readonly kind: 'settings'; readonly rows: Row[] }
  | { readonly kind: 'query'; result: Result | undefined; owed: number }
  | { readonly kind: 'parse'; readonly name: string }
  | { readonly kind: 'execute'; readonly portal: Portal }
  /** The rest of a suspended portal is not wanted any more. */
  | { readonly kind: 'finish'; readonly portal: Portal }
  /** The rest of a suspended portal is kept, for the session to be free. */
  | { readonly kind: 'hold'; readonly portal: Portal; failure: ErrorFields | undefined }
  | { readonly kind: 'commit' }
  | { readonly kind: 'refuse'; readonly ready: boolean }
);

interface Result {
  readonly write: WriteRow;
  readonly isCopy: boolean;
}

export interface WireSessionOptions {
  readonly service: SqlService;
  readonly connect: ConnectOptions;
  readonly frameBytes: number;
  /** What a client must show to cancel. */
  readonly secret: number;
}

export class WireSession implements SessionListener {
  readonly #sink: WireSink;
  readonly #out: write.MessageWriter;
  readonly #frames: FrameReader;
  readonly #secret: number;
  readonly #connection: SqlConnection;
  readonly #statements = new Map<string, WireStatement>();
  readonly #portals = new Map<string, Portal>();
  readonly #settings: ReportedSettings;
  #requests = 0;
  #task: Task | undefined;
  /** Waits until the session has done something else first. */
  #pending: ClientMessage | undefined;
  /** A portal whose request the session has not ended. */
  #suspended: Portal | undefined;
  /** Requests have left an implicit transaction open, which Sync ends. */
  #joined = false;
  /** After an error of the extended protocol all is skipped up to Sync. */
  #skipping = false;
  /** COPY from the client: how many messages with data the session takes, and whether more may come. */
  #copyIn: { credit: number; open: boolean } | undefined;
  #status: TransactionStatus = 'idle';
  #started = false;
  #inputEnded = false;
  #ended = false;

  constructor({ service, connect, frameBytes, secret }: WireSessionOptions, sink: WireSink) {
    this.#sink = sink;
    this.#out = sink.out;
    this.#secret = secret;
    this.#frames = new FrameReader(sink.inbox, frameBytes);
    this.#settings = new ReportedSettings(connect.user);
    this.#connection = service.connect(connect, this);
    this.#askSettings();
  }

  get session(): number {
    return this.#connection.session;
  }

  /** Nothing under way and no transaction open: the session can end without loss. */
  get quiet(): boolean {
    const free = this.#task === undefined && this.#suspended === undefined;
    return free && this.#status === 'idle' && this.#sink.inbox.length === 0;
  }

  /** The session works: nothing is read meanwhile. */
  get busy(): boolean {
    const takesData = this.#copyIn?.open === true && this.#copyIn.credit > 0;
    return this.#task !== undefined && !takesData;
  }

  /** Bytes have come, or the client takes rows again. */
  pump(): void {
    while (!this.#ended && !this.#sink.congested) {
      if (this.busy) return;
      const message = this.#pending ?? this.#read();
      this.#pending = undefined;
      if (message === undefined) {
        if (this.#inputEnded && !this.#ended) this.#close();
        return;
      }
      this.#guarded(message, () => this.#take(message));
    }
  }

  /** The client is ready for more rows. */
  resume(): void {
    if (this.#task !== undefined) this.#grant(this.#task);
    this.pump();
  }

  /** The client sends nothing more. */
  endInput(): void {
    this.#inputEnded = true;
    this.pump();
  }

  /** Asks to end what is being executed. */
  cancel(): void {
    const { kind, request } = this.#task ?? { kind: undefined, request: 0 };
    if (kind === undefined || kind === 'settings' || kind === 'refuse') return;
    this.#connection.send({ kind: 'sql.cancel', request });
  }

  /** The connection is gone. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#connection.send({ kind: 'sql.end' });
  }

  died(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    write.writeError(this.#out, doorError('internal_error', reason), 'FATAL');
    this.#sink.close();
  }

  answer(answer: SessionAnswer): void {
    const task = this.#task;
    if (this.#ended || task?.request !== answer.request) return;
    switch (answer.kind) {
      case 'sql.rows':
        this.#rows(task, answer);
        break;
      case 'sql.complete':
        this.#completed(task, answer.completion, answer.last);
        break;
      case 'sql.prepared':
        this.#prepared(task, answer);
        break;
      case 'sql.copyIn':
        if (this.#copyIn === undefined) {
          this.#copyIn = { credit: 0, open: true };
          write.writeCopyResponse(this.#out, write.codes.copyIn, answer.copy);
        }
        this.#copyIn.credit += answer.credit;
        break;
      case 'sql.failed':
        this.#status = answer.status;
        this.#failed(task, answer.error);
        break;
      case 'sql.closed':
        break;
      default:
        unreachable(answer);
    }
    this.pump();
    this.#sink.flushLater();
  }

  /** Ends the connection with an error. */
  fatal(error: ErrorFields | DatabaseError): void {
    if (this.#ended) return;
    write.writeError(this.#out, error, 'FATAL');
    this.#close();
  }

  #close(): void {
    this.end();
    this.#sink.close();
  }

  #guarded(message: ClientMessage | undefined, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      this.#refuse(message?.kind === 'query', error);
    }
  }

  #read(): ClientMessage | undefined {
    while (!this.#ended) {
      const frame = this.#frames.next(this.#inputEnded);
      if (frame === undefined) return undefined;
      if ('fatal' in frame) {
        this.fatal(frame.fatal);
        return undefined;
      }
      const { code } = frame;
      if (this.#skipping && code !== 'S' && code !== 'X') continue;
      if (this.#copyIn === undefined && 'dcf'.includes(code)) continue;
      try {
        return frame.read();
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        this.#refuse(code === 'Q' || code === 'F', error);
        if (this.#task !== undefined) return undefined;
      }
    }
    return undefined;
  }

  #take(message: ClientMessage): void {
    if (message.kind === 'terminate') return void this.#close();
    if (this.#copyIn !== undefined) return void this.#takeCopy(this.#copyIn, message);
    switch (message.kind) {
      case 'query':
        if (this.#suspended !== undefined) return void this.#hold(this.#suspended, message);
        return void this.#execute(
          { text: message.text },
          { kind: 'query', result: undefined, owed: windowMessagesMax },
        );
      case 'parse':
        return void this.#parse(message);
      case 'bind':
        return void this.#bind(message);
      case 'describe':
        return void this.#describe(message);
      case 'execute':
        return void this.#run(message);
      case 'close':
        return void this.#forget(message);
      case 'flush':
        return;
      case 'sync':
        return void this.#sync(message);
      case 'copyData':
      case 'copyDone':
      case 'copyFail':
        return;
    }
    unreachable(message);
  }

  #takeCopy(copyIn: { credit: number; open: boolean }, message: ClientMessage): void {
    const { request } = must(this.#task, 'COPY has its request');
    switch (message.kind) {
      case 'copyData':
        copyIn.credit -= 1;
        this.#connection.send({ kind: 'sql.copyData', request, data: Buffer.from(message.data) });
        return;
      case 'flush':
      case 'sync':
        return;
      default: {
        copyIn.open = false;
        if (message.kind === 'copyDone') {
          this.#connection.send({ kind: 'sql.copyEnd', request });
          return;
        }
        const unexpected = `unexpected message ${message.kind} during COPY from stdin`;
        const failure = message.kind === 'copyFail' ? message.reason : unexpected;
        this.#connection.send({ kind: 'sql.copyEnd', request, failure });
      }
    }
  }

  #parse(message: Message<'parse'>): void {
    if (this.#suspended !== undefined) return void this.#hold(this.#suspended, message);
    const { name, text } = message;
    const parameterTypes = statedTypes(message.typeOids);
    const request = this.#begin({ kind: 'parse', name });
    this.#connection.send({ kind: 'sql.prepare', request, name, text, parameterTypes });
  }

  #prepared(task: Task, answer: Extract<SessionAnswer, { kind: 'sql.prepared' }>): void {
    if (task.kind !== 'parse') return;
    const { name } = task;
    const { parameterTypes: types, columns, copy } = answer;
    const parameterTypes = types.map(({ type }) => type);
    const parameterOids = types.map(({ typeOid }) => typeOid);
    this.#statements.set(name, { name, parameterTypes, parameterOids, columns, copy });
    this.#task = undefined;
    this.#out.empty(write.codes.parseComplete);
  }

  #bind(message: BindMessage): void {
    const { portal: name, parameters, resultFormats } = message;
    const statement = this.#statementNamed(message.statement);
    const before = this.#portals.get(name);
    if (before !== undefined) {
      if (name !== '') raise('duplicate_cursor', `cursor "${name}" already exists`);
      if (before === this.#suspended) return void this.#finish(before, message);
    } else if (this.#portals.size >= portalsMax) {
      raise('configuration_limit_exceeded', `a connection has at most ${portalsMax} portals`);
    }
    const values = boundParameters(statement.name, parameters, statement.parameterTypes);
    const columns = statement.copy === undefined ? (statement.columns ?? []) : [];
    checkFormats(resultFormats, columns.length);
    for (const [i, { type }] of columns.entries()) {
      if (formatAt(resultFormats, i) === 'binary') binaryCodec(type);
    }
    this.#portals.set(name, new Portal(name, statement, values, resultFormats));
    this.#out.empty(write.codes.bindComplete);
  }

  #describe({ target, name }: Message<'describe'>): void {
    const portal = target === 'portal' ? this.#portalNamed(name) : undefined;
    const { columns, copy, parameterOids } = portal?.statement ?? this.#statementNamed(name);
    if (portal === undefined) write.writeParameterDescription(this.#out, parameterOids);
    const formats = portal?.formats ?? [];
    if (columns === undefined || copy !== undefined) this.#out.empty(write.codes.noData);
    else write.writeRowDescription(this.#out, columns, (i) => formatAt(formats, i));
  }

  #run(message: Message<'execute'>): void {
    const portal = this.#portalNamed(message.portal);
    if (this.#suspended !== undefined && this.#suspended !== portal) {
      return void this.#hold(this.#suspended, message);
    }
    const { statement } = portal;
    if (portal.state === 'done' && statement.columns === undefined) {
      raise('object_not_in_prerequisite_state', `portal "${portal.name}" cannot be run`);
    }
    portal.begin(message.rowsMax);
    if (portal.state !== 'bound') {
      this.#task = { kind: 'execute', request: portal.request, portal };
      this.#suspended = undefined;
      return void this.#serve(portal);
    }
    portal.state = 'running';
    const joined = this.#frames.syncFollows ? {} : ({ joined: true } as const);
    portal.joins = !this.#frames.syncFollows;
    this.#joined ||= portal.joins;
    portal.owed = portal.window;
    portal.request = this.#begin({ kind: 'execute', portal });
    this.#connection.send({
      kind: 'sql.execute',
      request: portal.request,
      statement: { prepared: statement.name },
      parameters: portal.parameters,
      credit: portal.owed,
      ...joined,
    });
  }

  #forget(message: Message<'close'>): void {
    const { target, name } = message;
    if (target === 'statement') {
      this.#statements.delete(name);
      // Nothing depends on the answer.
      this.#requests += 1;
      this.#connection.send({ kind: 'sql.close', request: this.#requests, name });
    } else {
      const portal = this.#portals.get(name);
      if (portal !== undefined && portal === this.#suspended) return void this.#finish(portal, message);
      this.#portals.delete(name);
    }
    this.#out.empty(write.codes.closeComplete);
  }

  #sync(message: ClientMessage): void {
    const inBlock = this.#status === 'open';
    if (this.#suspended !== undefined && !inBlock) return void this.#finish(this.#suspended, message);
    if (this.#joined && !this.#skipping) return void this.#execute({ text: '' }, { kind: 'commit' });
    this.#ready();
  }

  #hold(portal: Portal, pending: ClientMessage): void {
    this.#pending = pending;
    this.#task = { kind: 'hold', request: portal.request, portal, failure: undefined };
    this.#grant(this.#task);
  }

  #finish(portal: Portal, pending: ClientMessage): void {
    this.#pending = pending;
    this.#task = { kind: 'finish', request: portal.request, portal };
    this.#connection.send({ kind: 'sql.enough', request: portal.request });
  }

  /** Answers an error of the client's; a transaction fails of it. */
  #refuse(ready: boolean, error: DatabaseError): void {
    if (this.#suspended !== undefined) {
      const { request } = this.#suspended;
      this.#connection.send({ kind: 'sql.enough', request });
      this.#portals.delete(this.#suspended.name);
      this.#suspended = undefined;
    }
    const { kind, message, details } = error;
    const request = this.#begin({ kind: 'refuse', ready });
    this.#connection.send({ kind: 'sql.refuse', request, error: { kind, message, details } });
  }

  #begin(task: OmitRequest<Task>): number {
    this.#requests += 1;
    this.#task = { ...task, request: this.#requests };
    return this.#requests;
  }

  #execute(statement: { readonly text: string }, task: OmitRequest<Task>): void {
    const request = this.#begin(task);
    const execute = { kind: 'sql.execute', request, statement, parameters: [] } as const;
    this.#connection.send({ ...execute, credit: windowMessagesMax } satisfies SessionMessage);
  }

  #askSettings(): void {
    this.#execute({ text: 'SHOW ALL' }, { kind: 'settings', rows: [] });
  }

  /** Asks for the rows that a task may have beside those that are on their way. */
  #grant(task: Task): void {
    if (this.#sink.congested) return;
    const holder = task.kind === 'query' ? task : 'portal' in task ? task.portal : undefined;
    if (holder === undefined || task.kind === 'finish') return;
    const window = task.kind === 'execute' ? task.portal.window : windowMessagesMax;
    if (holder.owed > window / 2) return;
    const credit = window - holder.owed;
    holder.owed = window;
    this.#connection.send({ kind: 'sql.credit', request: task.request, credit });
  }

  #rows(task: Task, answer: Rows): void {
    const { completion, last } = answer;
    switch (task.kind) {
      case 'settings':
        task.rows.push(...answer.rows);
        break;
      case 'query':
        this.#queryRows(task, answer);
        if (!last && completion === undefined) this.#grant(task);
        break;
      case 'execute':
      case 'hold':
        task.portal.owed -= 1;
        if (answer.columns !== undefined) this.#beginRows(task.portal, answer);
        task.portal.push(answer.rows);
        if (completion !== undefined) break;
        if (task.kind === 'execute') this.#serve(task.portal);
        else this.#keep(task);
        return;
      default:
    }
    if (completion !== undefined) this.#completed(task, completion, last);
  }

  #queryRows(task: Extract<Task, { kind: 'query' }>, answer: Rows): void {
    const { columns, copy, completion } = answer;
    if (columns !== undefined) {
      if (copy === undefined) write.writeRowDescription(this.#out, columns, () => 'text');
      else write.writeCopyResponse(this.#out, write.codes.copyOut, copy);
      task.result = { write: writerOf(answer, []), isCopy: copy !== undefined };
    }
    task.owed -= 1;
    const result = must(task.result, 'rows come after their columns');
    for (const row of answer.rows) result.write(this.#out, row);
    if (completion !== undefined && result.isCopy) this.#out.empty(write.codes.copyDone);
  }

  #beginRows(portal: Portal, answer: Rows): void {
    const { copy } = answer;
    const mismatch = portal.mismatch(answer.columns ?? [], copy);
    if (mismatch !== undefined) {
      this.#connection.send({ kind: 'sql.enough', request: portal.request });
      return;
    }
    if (copy !== undefined) write.writeCopyResponse(this.#out, write.codes.copyOut, copy);
    portal.write = writerOf(answer, portal.formats);
  }

  /** Sends what the portal has and this Execute wants. */
  #serve(portal: Portal): void {
    if (portal.failure !== undefined) portal.drop();
    for (let row = portal.next(); row !== undefined; row = portal.next()) {
      portal.write?.(this.#out, row);
    }
    if (portal.wanted === 0) {
      this.#task = undefined;
      if (portal.completion === undefined) this.#suspended = portal;
      this.#out.empty(write.codes.portalSuspended);
      return;
    }
    if (portal.completion === undefined) {
      if (this.#task !== undefined) this.#grant(this.#task);
      return;
    }
    this.#task = undefined;
    portal.state = 'done';
    const { failure } = portal;
    if (failure !== undefined) {
      write.writeError(this.#out, failure);
      this.#skipping = true;
      return;
    }
    if (portal.statement.copy !== undefined) this.#out.empty(write.codes.copyDone);
    this.#tag(portal.tag);
  }

  #keep(task: Extract<Task, { kind: 'hold' }>): void {
    if (task.portal.held <= portalMessagesMax) {
      this.#grant(task);
    } else if (task.failure === undefined) {
      const text = `portal "${task.portal.name}" has more rows than are kept for other statements to run`;
      task.failure = doorError('configuration_limit_exceeded', text);
      this.cancel();
    }
  }

  #completed(task: Task, completion: Completion, last: boolean): void {
    this.#status = completion.status;
    this.#settings.noteTag(completion);
    this.#copyIn = undefined;
    switch (task.kind) {
      case 'query':
        this.#tag(completion.tag);
        task.result = undefined;
        if (!last) return;
        this.#joined = false;
        this.#ready();
        return;
      case 'execute':
      case 'hold':
      case 'finish':
        task.portal.completion = completion;
        if (!task.portal.joins) this.#joined = false;
        if (task.kind === 'execute') return void this.#serve(task.portal);
        this.#suspended = undefined;
        this.#task = undefined;
        return;
      case 'commit':
        this.#joined = false;
        this.#ready();
        return;
      case 'settings':
        return void this.#reported(task.rows);
      case 'parse':
      case 'refuse':
        return;
    }
    unreachable(task);
  }

  #failed(task: Task, error: ErrorFields): void {
    this.#joined = false;
    this.#copyIn = undefined;
    this.#task = undefined;
    if (task.kind === 'settings') {
      if (this.#started) this.#ready();
      else this.fatal(error);
      return;
    }
    if ('portal' in task) {
      task.portal.state = 'done';
      task.portal.drop();
      this.#suspended = undefined;
      this.#portals.delete(task.portal.name);
    }
    const { kind: pending } = this.#pending ?? {};
    if (pending !== 'sync') this.#pending = undefined;
    write.writeError(this.#out, (task.kind === 'hold' ? task.failure : undefined) ?? error);
    const ready =
      task.kind === 'refuse' ? task.ready : task.kind === 'query' || task.kind === 'commit';
    if (ready || pending === 'query') this.#ready();
    else this.#skipping = true;
  }

  /** Says that the next message is expected; before it, which settings have changed. */
  #ready(): void {
    this.#task = undefined;
    this.#skipping = false;
    if (this.#status !== 'open') this.#portals.clear();
    if (this.#settings.isDue(this.#status) && this.#suspended === undefined) {
      this.#askSettings();
      return;
    }
    this.#writeReady();
  }

  #reported(rows: readonly Row[]): void {
    this.#task = undefined;
    const first = !this.#started;
    this.#started = true;
    if (first) this.#out.begin(write.codes.authentication).int32(0).end();
    for (const [name, value] of this.#settings.changed(rows)) {
      write.writeParameterStatus(this.#out, name, value);
    }
    if (first) {
      this.#out.begin(write.codes.backendKey).int32(this.session).int32(this.#secret).end();
    }
    this.#writeReady();
  }

  #writeReady(): void {
    const status = { idle: 'I', open: 'T', failed: 'E' }[this.#status];
    this.#out.begin(write.codes.ready).byte(status.charCodeAt(0)).end();
  }

  #tag(tag: string): void {
    if (tag === '') this.#out.empty(write.codes.emptyQuery);
    else write.writeTag(this.#out, tag);
  }

  #statementNamed(name: string): WireStatement {
    const statement = this.#statements.get(name);
    if (statement !== undefined) return statement;
    const shown = name === '' ? 'unnamed prepared statement' : `prepared statement "${name}"`;
    return raise('invalid_sql_statement_name', `${shown} does not exist`);
  }

  #portalNamed(name: string): Portal {
    const portal = this.#portals.get(name);
    return portal ?? raise('invalid_cursor_name', `portal "${name}" does not exist`);
  }
}

type OmitRequest<T> = T extends unknown ? Omit<T, 'request'> : never;
