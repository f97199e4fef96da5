/**
 * One client's session by PostgreSQL's message flow
 * (https://www.postgresql.org/docs/15/protocol-flow.html), without its socket: messages in, messages out.
 *
 * Messages are taken one after the other; while the session works on one the others wait unread, so what
 * a pipelining client can make the node hold is bounded by what is read ahead of it.
 */
import { unreachable } from '../../base/assert.js';
import { DatabaseError } from '../../base/errors.js';
import type { ErrorFields, SessionAnswer } from '../../sql/session/protocol.js';
import { doorError } from '../answers.js';
import type { SessionListener } from '../host.js';
import { isAside, takeAnswer, takeAside } from './answered.js';
import { Flow } from './flow.js';
import { FrameReader } from './frames.js';
import { takeExchange } from './lane.js';
import { windowMessagesMax } from './limits.js';
import type { BindMessage, ClientMessage, Message } from './messages.js';
import { statedTypes } from './parameters.js';
import type { Portal } from './portal.js';
import { raiseAborted } from './prepared.js';
import type { WireSessionOptions, WireSink } from './sink.js';
import * as write from './writer.js';

export class WireSession implements SessionListener {
  readonly #sink: WireSink;
  readonly #frames: FrameReader;
  readonly #flow: Flow;
  readonly #frameBytes: number;
  #inputEnded = false;
  #ended = false;

  constructor(options: WireSessionOptions, sink: WireSink) {
    this.#sink = sink;
    this.#frames = new FrameReader(sink.inbox, options.frameBytes);
    this.#frameBytes = options.frameBytes;
    this.#flow = new Flow(options, sink, this);
    // The end of an empty text says that the session is there, with its settings.
    this.#flow.execute({ text: '' }, { kind: 'greet' });
  }

  get session(): number {
    return this.#flow.connection.session;
  }

  /** Nothing under way and no transaction open: the session can end without loss. */
  get quiet(): boolean {
    const { task, suspended, status } = this.#flow;
    const free = task === undefined && suspended === undefined;
    return free && status === 'idle' && this.#sink.inbox.length === 0;
  }

  /** The session works: nothing is read meanwhile. */
  get busy(): boolean {
    return this.#flow.task !== undefined && this.#flow.copyIn?.takes !== true;
  }

  /** Bytes have come, or the client takes rows again. */
  pump(): void {
    const flow = this.#flow;
    while (!this.#ended && !this.#sink.congested) {
      if (this.busy) return;
      if (this.#mayExchange && takeExchange(this.#sink.inbox, flow, this.#frameBytes)) continue;
      const message = flow.pending ?? this.#read();
      flow.pending = undefined;
      if (message === undefined) {
        if (this.#inputEnded && !this.#ended) this.#close();
        return;
      }
      try {
        this.#take(message);
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        flow.refuse(message.kind === 'query', error);
      }
    }
  }

  /** The client is ready for more rows. */
  resume(): void {
    const { task } = this.#flow;
    if (task !== undefined) this.#flow.grant(task);
    this.#flow.writeNotifications();
    this.pump();
  }

  /** The client sends nothing more. */
  endInput(): void {
    this.#inputEnded = true;
    this.pump();
  }

  /** Writes what says nothing new, to hear whether the client is there. */
  probe(): void {
    if (!this.#ended) write.writeParameterStatus(this.#sink.out, 'in_hot_standby', 'off');
  }

  /** Asks to end what is being executed. */
  cancel(): void {
    const { kind, request } = this.#flow.task ?? { kind: undefined, request: 0 };
    if (kind === undefined || kind === 'greet' || kind === 'refuse') return;
    this.#flow.connection.send({ kind: 'sql.cancel', request });
  }

  /** The connection is gone. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#flow.connection.send({ kind: 'sql.end' });
  }

  died(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    write.writeError(this.#sink.out, doorError('internal_error', reason), 'FATAL');
    this.#sink.close();
  }

  answer(answer: SessionAnswer): void {
    const { task, suspended } = this.#flow;
    if (this.#ended) return;
    let fatal: ErrorFields | undefined;
    if (isAside(answer)) fatal = takeAside(this.#flow, answer);
    else if (task?.request === answer.request) fatal = takeAnswer(this.#flow, task, answer);
    else if (answer.kind === 'sql.failed' && suspended?.request === answer.request) {
      this.#flow.lose(suspended, answer.status);
    } else return;
    if (fatal !== undefined) this.fatal(fatal);
    this.pump();
    this.#sink.flushLater();
  }

  /** Ends the connection with an error. */
  fatal(error: ErrorFields | DatabaseError): void {
    if (this.#ended) return;
    write.writeError(this.#sink.out, error, 'FATAL');
    this.#close();
  }

  #close(): void {
    this.end();
    this.#sink.close();
  }

  /** Whatever the client asks is served, and nothing waits before it. */
  get #mayExchange(): boolean {
    const { pending, suspended, joined, skipping, copyIn, status } = this.#flow;
    const isFree = pending === undefined && suspended === undefined && copyIn === undefined;
    return isFree && !joined && !skipping && status !== 'failed';
  }

  /** As PostgreSQL: nobody knows what a client means that sends something else in the middle of its data. */
  #lost(code: string): void {
    const shown = code.charCodeAt(0).toString(16).toUpperCase();
    const text = `unexpected message type 0x${shown} during COPY from stdin`;
    write.writeError(this.#sink.out, doorError('protocol_violation', text));
    const lost = 'terminating connection because protocol synchronization was lost';
    this.fatal(doorError('protocol_violation', lost));
  }

  #read(): ClientMessage | undefined {
    const flow = this.#flow;
    while (!this.#ended) {
      const frame = this.#frames.next(this.#inputEnded);
      if (frame === undefined) return undefined;
      if ('fatal' in frame) {
        this.fatal(frame.fatal);
        return undefined;
      }
      const { code } = frame;
      if (flow.skipping && code !== 'S' && code !== 'X') continue;
      if (flow.copyIn === undefined && 'dcf'.includes(code)) continue;
      if (flow.copyIn !== undefined && !'dcfHSX'.includes(code)) {
        this.#lost(code);
        return undefined;
      }
      try {
        return frame.read();
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        flow.refuse('QFS'.includes(code), error);
        if (flow.task !== undefined) return undefined;
      }
    }
    return undefined;
  }

  #take(message: ClientMessage): void {
    const { copyIn, suspended } = this.#flow;
    const asks = message.kind === 'query' || message.kind === 'parse';
    if (message.kind === 'terminate') this.#close();
    else if (copyIn !== undefined) copyIn.take(message);
    else if (suspended === undefined || !asks) this.#perform(message);
    else if (message.kind === 'query' && isLastFor(suspended, message.text))
      this.#flow.finish(suspended, message);
    else this.#flow.hold(suspended, message);
  }

  #perform(message: Exclude<ClientMessage, Message<'terminate'>>): void {
    const flow = this.#flow;
    switch (message.kind) {
      case 'query': {
        flow.prepared.forget('');
        flow.drop('');
        const task = { kind: 'query', result: undefined, owed: windowMessagesMax } as const;
        flow.execute({ text: message.text }, task);
        return;
      }
      case 'parse':
        this.#parse(message);
        return;
      case 'bind':
        this.#bind(message);
        return;
      case 'describe':
        if (message.target === 'statement' && this.#learns(message.name, message)) return;
        flow.prepared.describe(flow.out, message, flow.status);
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
        this.#sink.flushLater();
        return;
      case 'copyData':
      case 'copyDone':
      case 'copyFail':
        return;
    }
    unreachable(message);
  }

  #parse({ name, text, typeOids }: Message<'parse'>): void {
    const { prepared, connection } = this.#flow;
    if (name === '') prepared.forget('');
    const stated = statedTypes(typeOids);
    const request = this.#flow.begin({ kind: 'parse', name, source: { text, stated } });
    const parse = { kind: 'sql.prepare', request, name, text, parameterTypes: stated } as const;
    connection.send({ ...parse, fixed: true });
  }

  #bind(message: BindMessage): void {
    const flow = this.#flow;
    if (this.#learns(message.statement, message)) return;
    // It would take the place of the unnamed one.
    if (message.portal === '' && flow.suspended?.name === '') {
      flow.finish(flow.suspended, message);
      return;
    }
    if (message.portal === '') flow.drop('');
    flow.prepared.bind(message, flow);
    flow.out.empty(write.codes.bindComplete);
  }

  /** Whether the session is asked first what statement it has under the name. */
  #learns(name: string, message: ClientMessage): boolean {
    const flow = this.#flow;
    if (!flow.prepared.isUnknown(name)) return false;
    if (flow.suspended !== undefined) {
      flow.hold(flow.suspended, message);
      return true;
    }
    flow.pending = message;
    const request = flow.begin({ kind: 'learn', name });
    flow.connection.send({ kind: 'sql.describe', request, name });
    return true;
  }

  #run(message: Message<'execute'>): void {
    const flow = this.#flow;
    const portal = flow.prepared.portal(message.portal);
    if (flow.status === 'failed' && !portal.statement.endsBlock) raiseAborted();
    if (flow.suspended !== undefined && flow.suspended !== portal) {
      const { source } = portal.statement;
      if (endsTransaction.test(source?.text ?? '')) flow.finish(flow.suspended, message);
      else flow.hold(flow.suspended, message);
      return;
    }
    portal.begin(message.rowsMax);
    if (portal.state === 'parked') {
      flow.fetch(portal);
      return;
    }
    if (portal.state !== 'bound') {
      flow.task = { kind: 'execute', request: portal.request, portal };
      flow.suspended = undefined;
      flow.serve(portal);
      return;
    }
    portal.joins = !this.#frames.syncFollows;
    flow.joined ||= portal.joins;
    flow.run(portal);
  }

  #forget(message: Message<'close'>): void {
    const { target, name } = message;
    const { prepared, connection, suspended, out } = this.#flow;
    if (target === 'statement') {
      prepared.forget(name);
      // Nothing depends on the answer.
      connection.send({ kind: 'sql.close', request: this.#flow.nextRequest(), name });
    } else {
      const portal = prepared.portals.get(name);
      if (portal !== undefined && portal === suspended) {
        this.#flow.finish(portal, message);
        return;
      }
      this.#flow.drop(name);
    }
    out.empty(write.codes.closeComplete);
  }

  #sync(message: ClientMessage): void {
    const flow = this.#flow;
    if (flow.suspended !== undefined && flow.status !== 'open') {
      flow.finish(flow.suspended, message);
      return;
    }
    if (flow.joined && !flow.skipping) {
      flow.execute({ text: '' }, { kind: 'commit' });
      return;
    }
    flow.ready();
  }
}

/** Whatever begins so ends the transaction or fails in it. */
const endsTransaction = /^\s*(commit|end|abort|rollback(?!\s+((work|transaction)\s+)?to\b))\b/i;

/** Whether nobody can ask for more of the portal once the text has run: it need not be computed. */
function isLastFor({ name }: Portal, text: string): boolean {
  // A simple query takes the place of the unnamed portal.
  return name === '' || endsTransaction.test(text);
}
