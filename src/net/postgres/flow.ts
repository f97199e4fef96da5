/** Where the exchange between a client and its session stands, and the steps that messages and answers share. */
import type { DatabaseError } from '../../base/errors.js';
import type {
  SessionAnswer,
  SessionMessage,
  TransactionStatus,
} from '../../sql/session/protocol.js';
import type { FunctionContext } from '../../sql/types/index.js';
import type { SessionListener, SqlConnection } from '../host.js';
import type { CopyIn } from './copy-in.js';
import { windowMessagesMax } from './limits.js';
import type { ClientMessage } from './messages.js';
import type { Portal } from './portal.js';
import { type Circumstances, Prepared } from './prepared.js';
import { Reading } from './reading.js';
import type { WireSessionOptions, WireSink } from './sink.js';
import { creditOf, type OmitRequest, type Task } from './task.js';
import * as write from './writer.js';

type Notification = Extract<SessionAnswer, { kind: 'sql.notification' }>;

export class Flow implements Circumstances {
  readonly sink: WireSink;
  readonly out: write.MessageWriter;
  readonly connection: SqlConnection;
  readonly prepared = new Prepared();
  readonly #reading = new Reading();
  /** What the session works on. */
  task: Task | undefined;
  /** Waits until the session has done something else first. */
  pending: ClientMessage | undefined;
  /** A portal whose request the session has not ended. */
  suspended: Portal | undefined;
  /** Requests have left an implicit transaction open, which Sync ends. */
  joined = false;
  /** After an error of the extended protocol all is skipped up to Sync. */
  skipping = false;
  copyIn: CopyIn | undefined;
  status: TransactionStatus = 'idle';
  /** Settings that the client has yet to be told of. */
  readonly #changed = new Map<string, string>();
  /** Notifications for when nothing is served; the session sends only so many before it hears of them. */
  #notifications: Notification[] = [];
  readonly #secret: Uint8Array;
  #requests = 0;

  constructor(
    { service, connect, secret }: WireSessionOptions,
    sink: WireSink,
    listener: SessionListener,
  ) {
    this.sink = sink;
    this.out = sink.out;
    this.#secret = secret;
    this.connection = service.connect(connect, listener);
  }

  /** Texts of parameters are read in it. */
  get context(): FunctionContext {
    return this.#reading.context;
  }

  /** A number for a request whose answer nobody waits for. */
  nextRequest(): number {
    this.#requests += 1;
    return this.#requests;
  }

  begin(task: OmitRequest<Task>): number {
    const request = this.nextRequest();
    this.task = { ...task, request };
    return request;
  }

  execute(statement: { readonly text: string }, task: OmitRequest<Task>): void {
    const request = this.begin(task);
    const execute = { kind: 'sql.execute', request, statement, parameters: [] } as const;
    this.connection.send({ ...execute, credit: windowMessagesMax } satisfies SessionMessage);
  }

  /** Executes a portal for the first time. */
  run(portal: Portal): void {
    const request = this.nextRequest();
    portal.state = 'running';
    portal.request = request;
    this.task = { kind: 'execute', request, portal };
    this.connection.send(portal.start());
  }

  /** Asks for more rows as far as the client takes them. */
  grant(task: Task): void {
    const credit = this.sink.congested ? 0 : creditOf(task);
    if (credit > 0) this.connection.send({ kind: 'sql.credit', request: task.request, credit });
  }

  /** Sends what the portal has and this Execute wants. */
  serve(portal: Portal): void {
    portal.writeRows(this.out);
    if (portal.wanted === 0) {
      this.task = undefined;
      if (portal.completion === undefined) {
        this.suspended = portal;
        this.connection.send({ kind: 'sql.rest', request: portal.request });
      }
      this.out.empty(write.codes.portalSuspended);
      return;
    }
    if (portal.completion === undefined) {
      if (this.task !== undefined) this.grant(this.task);
      return;
    }
    this.task = undefined;
    portal.state = 'done';
    portal.writeEnd(this.out);
    this.skipping = portal.failure !== undefined;
    if (portal.syncs) this.endExchange(portal);
  }

  /** The execution of the portal is over, and what its Sync asked for is done. */
  endExchange(portal: Portal): void {
    // Another Execute of it is followed by a Sync of its own.
    portal.syncs = false;
    // It lives as long as its transaction.
    if (this.status !== 'idle') this.prepared.portals.set(portal.name, portal);
    this.ready();
  }

  /** The session has ended the request of a portal that is suspended: for the client its block has failed. */
  lose(portal: Portal, status: TransactionStatus): void {
    portal.state = 'failed';
    this.suspended = undefined;
    this.status = status;
  }

  /** Has the session keep the rest of a suspended portal; then `pending` is taken. */
  hold(portal: Portal, pending: ClientMessage): void {
    this.pending = pending;
    this.task = { kind: 'hold', request: portal.request, portal };
    this.connection.send({ kind: 'sql.park', request: portal.request });
  }

  /** Goes on with a portal whose rest the session keeps. */
  fetch(portal: Portal): void {
    portal.writeRows(this.out);
    if (portal.wanted === 0) {
      this.out.empty(write.codes.portalSuspended);
      return;
    }
    const parked = portal.request;
    portal.state = 'running';
    portal.request = this.begin({ kind: 'execute', portal });
    portal.owed = portal.window;
    const { request, window: credit } = portal;
    this.connection.send({ kind: 'sql.fetch', request, parked, credit });
  }

  /** Forgets a portal, and what the session keeps of it. */
  drop(name: string): void {
    const portal = this.prepared.portals.get(name);
    if (portal?.state === 'parked') {
      this.connection.send({ kind: 'sql.enough', request: portal.request });
    }
    this.prepared.portals.delete(name);
  }

  /** Gives up the rest of a suspended portal; then `pending` is taken. */
  finish(portal: Portal, pending: ClientMessage): void {
    this.pending = pending;
    this.task = { kind: 'finish', request: portal.request, portal };
    this.connection.send({ kind: 'sql.enough', request: portal.request });
  }

  /** Answers an error of the client's; a transaction fails of it. */
  refuse(ready: boolean, error: DatabaseError): void {
    if (this.suspended !== undefined) {
      // The block may go back to a savepoint, and the portal go on.
      this.connection.send({ kind: 'sql.park', request: this.suspended.request });
      this.suspended.state = 'parked';
      this.suspended = undefined;
    }
    const { kind, message, details } = error;
    const request = this.begin({ kind: 'refuse', ready });
    this.connection.send({ kind: 'sql.refuse', request, error: { kind, message, details } });
  }

  /** Says that the next message is expected; before it, which settings have changed. */
  ready(): void {
    this.task = undefined;
    this.skipping = false;
    const { portals } = this.prepared;
    if (this.status === 'idle' && portals.size > 0) portals.clear();
    this.writeNotifications();
    this.#writeSettings();
    write.writeReady(this.out, this.status);
  }

  /** The session is there: its settings, and what a cancel has to show. */
  greet(): void {
    this.#writeSettings();
    write.writeKey(this.out, this.connection.session, this.#secret);
    this.ready();
  }

  noteNotification(notification: Notification): void {
    this.#notifications.push(notification);
    this.writeNotifications();
  }

  /** Between requests and outside of transactions; while the client reads. */
  writeNotifications(): void {
    const count = this.#notifications.length;
    const isIdle = this.task === undefined && !this.joined && this.status === 'idle';
    if (count === 0 || !isIdle || this.sink.congested) return;
    for (const one of this.#notifications) write.writeNotification(this.out, one);
    this.#notifications = [];
    this.connection.send({ kind: 'sql.heard', count });
  }

  /** Settings have changed: the client is told before the next ReadyForQuery, as PostgreSQL does. */
  noteSettings(values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values)) this.#changed.set(name, value);
    this.#reading.note(values);
  }

  #writeSettings(): void {
    if (this.#changed.size === 0) return;
    for (const [name, value] of this.#changed) write.writeParameterStatus(this.out, name, value);
    this.#changed.clear();
  }
}
