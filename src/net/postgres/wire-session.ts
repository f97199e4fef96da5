/**
 * One client's session by PostgreSQL's message flow
 * (https://www.postgresql.org/docs/15/protocol-flow.html), without its socket: messages in, messages out.
 *
 * Messages are taken one after the other; while the session works on one the others wait unread, so what
 * a pipelining client can make the node hold is bounded by what is read ahead of it.
 */
import { unreachable } from '../../base/assert.js';
import { DatabaseError } from '../../base/errors.js';
import type {
  Completion,
  ErrorFields,
  SessionAnswer,
  SessionMessage,
  TransactionStatus,
} from '../../sql/session/protocol.js';
import type { Row } from '../../sql/types/index.js';
import { doorError } from '../answers.js';
import type { SessionListener, SqlConnection } from '../host.js';
import { CopyIn } from './copy-in.js';
import { FrameReader } from './frames.js';
import { windowMessagesMax } from './limits.js';
import type { BindMessage, ClientMessage, Message } from './messages.js';
import { statedTypes } from './parameters.js';
import { type Portal, statementOf } from './portal.js';
import { Prepared } from './prepared.js';
import type { WireSessionOptions, WireSink } from './sink.js';
import {
  askSettings,
  creditOf,
  failHolding,
  holdsTooMany,
  type OmitRequest,
  type Task,
  writeQueryRows,
} from './task.js';
import { ReportedSettings } from './settings.js';
import * as write from './writer.js';

export class WireSession implements SessionListener {
  readonly #sink: WireSink;
  readonly #out: write.MessageWriter;
  readonly #frames: FrameReader;
  readonly #secret: number;
  readonly #connection: SqlConnection;
  readonly #prepared = new Prepared();
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
  #copyIn: CopyIn | undefined;
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
    this.#execute(...askSettings());
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
    return this.#task !== undefined && this.#copyIn?.takes !== true;
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
      try {
        this.#take(message);
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        this.#refuse(message.kind === 'query', error);
      }
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
        this.#parsed(task, answer);
        break;
      case 'sql.copyIn':
        if (this.#copyIn === undefined) {
          this.#copyIn = new CopyIn(this.#connection, answer.request);
          write.writeCopyResponse(this.#out, write.codes.copyIn, answer.copy);
        }
        this.#copyIn.grant(answer.credit);
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
    const asks = message.kind === 'query' || message.kind === 'parse';
    if (message.kind === 'terminate') this.#close();
    else if (this.#copyIn !== undefined) this.#copyIn.take(message);
    else if (this.#suspended !== undefined && asks) this.#hold(this.#suspended, message);
    else this.#perform(message);
  }

  #perform(message: Exclude<ClientMessage, Message<'terminate'>>): void {
    switch (message.kind) {
      case 'query': {
        const task = { kind: 'query', result: undefined, owed: windowMessagesMax } as const;
        this.#execute({ text: message.text }, task);
        return;
      }
      case 'parse':
        this.#parse(message);
        return;
      case 'bind':
        this.#bind(message);
        return;
      case 'describe':
        this.#prepared.describe(this.#out, message.target, message.name);
        return;
      case 'execute':
        this.#run(message);
        return;
      case 'close':
        this.#forget(message);
        return;
      case 'sync':
        this.#sync(message);
        return;
      case 'flush':
      case 'copyData':
      case 'copyDone':
      case 'copyFail':
        return;
    }
    unreachable(message);
  }

  #parse(message: Message<'parse'>): void {
    const { name, text } = message;
    const parameterTypes = statedTypes(message.typeOids);
    const request = this.#begin({ kind: 'parse', name });
    this.#connection.send({ kind: 'sql.prepare', request, name, text, parameterTypes });
  }

  #parsed(task: Task, answer: Extract<SessionAnswer, { kind: 'sql.prepared' }>): void {
    if (task.kind !== 'parse') return;
    const { name } = task;
    this.#prepared.statements.set(name, statementOf(name, answer));
    this.#task = undefined;
    this.#out.empty(write.codes.parseComplete);
  }

  #bind(message: BindMessage): void {
    // It would take the place of the unnamed one.
    if (message.portal === '' && this.#suspended?.name === '') {
      this.#finish(this.#suspended, message);
      return;
    }
    this.#prepared.bind(message);
    this.#out.empty(write.codes.bindComplete);
  }

  #run(message: Message<'execute'>): void {
    const portal = this.#prepared.portal(message.portal);
    if (this.#suspended !== undefined && this.#suspended !== portal) {
      this.#hold(this.#suspended, message);
      return;
    }
    portal.begin(message.rowsMax);
    if (portal.state !== 'bound') {
      this.#task = { kind: 'execute', request: portal.request, portal };
      this.#suspended = undefined;
      this.#serve(portal);
      return;
    }
    portal.state = 'running';
    portal.joins = !this.#frames.syncFollows;
    this.#joined ||= portal.joins;
    portal.request = this.#begin({ kind: 'execute', portal });
    this.#connection.send(portal.start());
  }

  #forget(message: Message<'close'>): void {
    const { target, name } = message;
    if (target === 'statement') {
      this.#prepared.statements.delete(name);
      // Nothing depends on the answer.
      this.#requests += 1;
      this.#connection.send({ kind: 'sql.close', request: this.#requests, name });
    } else {
      const portal = this.#prepared.portals.get(name);
      if (portal !== undefined && portal === this.#suspended) {
        this.#finish(portal, message);
        return;
      }
      this.#prepared.portals.delete(name);
    }
    this.#out.empty(write.codes.closeComplete);
  }

  #sync(message: ClientMessage): void {
    const inBlock = this.#status === 'open';
    if (this.#suspended !== undefined && !inBlock) {
      this.#finish(this.#suspended, message);
      return;
    }
    if (this.#joined && !this.#skipping) {
      this.#execute({ text: '' }, { kind: 'commit' });
      return;
    }
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
      this.#prepared.portals.delete(this.#suspended.name);
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

  #grant(task: Task): void {
    const credit = this.#sink.congested ? 0 : creditOf(task);
    if (credit > 0) this.#connection.send({ kind: 'sql.credit', request: task.request, credit });
  }

  #rows(task: Task, answer: Extract<SessionAnswer, { kind: 'sql.rows' }>): void {
    const { completion, last } = answer;
    switch (task.kind) {
      case 'settings':
        task.rows.push(...answer.rows);
        break;
      case 'query':
        writeQueryRows(this.#out, task, answer);
        if (!last && completion === undefined) this.#grant(task);
        break;
      case 'execute':
      case 'hold':
        task.portal.owed -= 1;
        if (answer.columns !== undefined && !task.portal.beginRows(this.#out, answer)) {
          this.#connection.send({ kind: 'sql.enough', request: task.request });
        }
        task.portal.push(answer.rows);
        if (completion !== undefined) break;
        if (task.kind === 'execute') this.#serve(task.portal);
        else this.#keep(task);
        return;
      default:
    }
    if (completion !== undefined) this.#completed(task, completion, last);
  }

  /** Sends what the portal has and this Execute wants. */
  #serve(portal: Portal): void {
    portal.writeRows(this.#out);
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
    portal.writeEnd(this.#out);
    this.#skipping = portal.failure !== undefined;
  }

  #keep(task: Extract<Task, { kind: 'hold' }>): void {
    if (!holdsTooMany(task)) this.#grant(task);
    else if (failHolding(task)) this.cancel();
  }

  #completed(task: Task, completion: Completion, last: boolean): void {
    this.#status = completion.status;
    this.#settings.noteTag(completion);
    this.#copyIn = undefined;
    switch (task.kind) {
      case 'query':
        write.writeTag(this.#out, completion.tag);
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
        if (task.kind === 'execute') {
          this.#serve(task.portal);
          return;
        }
        this.#suspended = undefined;
        this.#task = undefined;
        return;
      case 'commit':
        this.#joined = false;
        this.#ready();
        return;
      case 'settings':
        this.#reported(task.rows);
        return;
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
      this.#suspended = undefined;
      this.#prepared.portals.delete(task.portal.name);
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
    if (this.#status !== 'open') this.#prepared.portals.clear();
    if (this.#settings.isDue(this.#status) && this.#suspended === undefined) {
      this.#execute(...askSettings());
      return;
    }
    write.writeReady(this.#out, this.#status);
  }

  #reported(rows: readonly Row[]): void {
    this.#task = undefined;
    if (!this.#started) write.writeTrusted(this.#out);
    this.#settings.report(this.#out, rows);
    if (!this.#started) write.writeKey(this.#out, this.session, this.#secret);
    this.#started = true;
    write.writeReady(this.#out, this.#status);
  }
}
