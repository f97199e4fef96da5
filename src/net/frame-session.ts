/**
 * One client's session as docs/protocol.md describes it, without its socket: frames in, frames out.
 *
 * At most {@link forwardedRequestsMax} requests lie at the session, the rest wait here; each of them
 * may owe {@link windowFramesMax} frames of rows. So what a client that does not read can make the
 * node hold is bounded by these two and the size of a batch, however much it has asked for.
 */
import { must, unreachable } from '../base/assert.js';
import { type ErrorName, errorCatalogue } from '../base/errors.js';
import type { HistogramCell, Metrics } from '../base/metrics.js';
import type {
  ErrorFields,
  SessionAnswer,
  SessionMessage,
  TransactionStatus,
} from '../sql/session/protocol.js';
import {
  doorError,
  type Layout,
  layoutOf,
  noticeFrame,
  notificationFrame,
  writeAnswer,
  writeError,
  writeHello,
  writePong,
} from './answers.js';
import { forwardedRequestsMax, largeFrameLength, windowFramesMax } from './limits.js';
import { doorMetrics } from './metrics.js';
import type {
  CancelFrame,
  CopyDataFrame,
  CopyEndFrame,
  CreditFrame,
  RequestFrame,
} from './protocol.js';
import { readRequest } from './requests.js';
import type {
  ConnectOptions,
  DoorLimits,
  NodePlace,
  RequestLog,
  SessionListener,
  SqlConnection,
  SqlService,
} from './host.js';

/** WebSocket: an error of the session's has ended it; a frame has told which. */
const endedCode = 4000;

type SessionRequest = Extract<RequestFrame, { op: 'execute' | 'prepare' | 'close' }>;

/** Where the frames of a session go. */
export interface FrameSink {
  frame(text: string): void;
  /** While true no more statements are started and no more rows are asked for. */
  readonly congested: boolean;
  /** No session answers any more; close the connection with this code of docs/protocol.md. */
  close(code: number, reason: string): void;
}

interface InFlight {
  readonly frame: SessionRequest;
  /** What the session calls it: clients may use an id again. 0 while it waits for its turn to be sent there. */
  number: number;
  readonly startMs: number;
  /** Frames of rows that the client still wants; Infinity when it did not say. */
  wanted: number;
  /** Frames of rows that the session was asked for and has not sent. */
  owed: number;
  /** The most that `owed` may be: one until it is known how large the frames are. */
  window: number;
  layout: Layout | undefined;
  /** The session has asked for data of COPY. */
  copies: boolean;
}

export interface FrameSessionOptions {
  readonly service: SqlService;
  readonly connect: ConnectOptions;
  readonly status: NodePlace;
  readonly limits: DoorLimits;
  readonly version: string;
  readonly metrics: Metrics;
  readonly requestLog: RequestLog;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

export class FrameSession implements SessionListener {
  readonly #sink: FrameSink;
  readonly #options: FrameSessionOptions;
  readonly #connection: SqlConnection;
  readonly #succeeded: Readonly<Record<SessionRequest['op'], HistogramCell>>;
  /** By id, in the order of arrival. */
  readonly #inFlight = new Map<number, InFlight>();
  /** Ids by the session's numbers of those that lie there. */
  readonly #forwarded = new Map<number, number>();
  #requests = 0;
  /** What the session calls its queries, before the number. */
  #queryIds = '';
  /** Notifications that were written, and not acknowledged. */
  #notifications = 0;
  #status: TransactionStatus = 'idle';
  #ended = false;

  /** Sends `hello`. The service must be ready. */
  constructor(options: FrameSessionOptions, sink: FrameSink) {
    this.#sink = sink;
    this.#options = options;
    this.#succeeded = {
      execute: this.#series('execute', 'ok'),
      prepare: this.#series('prepare', 'ok'),
      close: this.#series('close', 'ok'),
    };
    this.#connection = options.service.connect(options.connect, this);
    const { requestsInFlight, frameBytes, statementBytes } = options.limits;
    const limits = { requestsInFlight, frameBytes, statementBytes };
    const { session } = this.#connection;
    const { node } = options.status;
    const place = { ...(node === undefined ? {} : { node }), ...this.#leader() };
    sink.frame(writeHello({ version: options.version, session, limits, ...place }));
  }

  get session(): number {
    return this.#connection.session;
  }

  /** Nothing in flight and no transaction open: the session can end without loss. */
  get quiet(): boolean {
    return this.#inFlight.size === 0 && this.#status === 'idle';
  }

  /** Takes one frame as text. */
  receiveText(text: string): void {
    const frame = readRequest(text);
    if (frame.op === 'bad') this.refuseFrame(frame.id, frame.message);
    else this.receive(frame);
  }

  receive(frame: RequestFrame): void {
    if (this.#ended) return;
    switch (frame.op) {
      case 'execute':
      case 'prepare':
      case 'close':
        this.#accept(frame);
        return;
      case 'credit':
        this.#credit(frame);
        return;
      case 'cancel':
        this.#cancel(frame);
        return;
      case 'copyData':
      case 'copyEnd':
        this.#copy(frame);
        return;
      case 'ping':
        this.#sink.frame(writePong({ id: frame.id, ...this.#leader() }));
        return;
    }
    unreachable(frame);
  }

  /** Answers a frame that could not be read; the session goes on. */
  refuseFrame(id: number | null, message: string): void {
    this.#options.metrics.cell(doorMetrics.badFrames).value += 1;
    this.#sink.frame(writeError(id, doorError('protocol_violation', message)));
  }

  /** To be called when {@link FrameSink.congested} has become false. */
  resume(): void {
    if (this.#ended) return;
    for (const request of this.#inFlight.values()) this.#ask(request);
    this.#acknowledge();
    this.#forwardWaiting();
  }

  /** The client has gone. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#connection.send({ kind: 'sql.end' });
  }

  answer(answer: SessionAnswer): void {
    if (this.#ended) return;
    if (answer.kind === 'sql.settings') {
      this.#queryIds = answer.queryIds;
      return;
    }
    const id = this.#forwarded.get(answer.request);
    if (answer.kind === 'sql.notice') {
      this.#sink.frame(JSON.stringify(noticeFrame(id ?? null, answer.notice)));
      return;
    }
    if (answer.kind === 'sql.notification') {
      this.#sink.frame(JSON.stringify(notificationFrame(answer)));
      this.#notifications += 1;
      this.#acknowledge();
      return;
    }
    if (answer.kind === 'sql.failed' && answer.fatal === true) {
      this.#endWith(answer.error);
      return;
    }
    if (id === undefined) return;
    const request = must(this.#inFlight.get(id), 'an answer belongs to a request in flight');
    let last = true;
    if (answer.kind === 'sql.rows') {
      if (answer.columns !== undefined) {
        request.layout = layoutOf(answer.columns, answer.timeZone, answer.style);
      }
      last = answer.last;
    } else if (answer.kind === 'sql.complete') {
      last = answer.last;
    } else if (answer.kind === 'sql.copyIn') {
      request.copies = true;
      last = false;
    }
    const text = writeAnswer(id, answer, request.layout);
    this.#sink.frame(text);
    this.#noteStatus(answer);
    if (last) {
      this.#finish(id, request, answer.kind === 'sql.failed' ? answer.error.kind : undefined);
    } else if (answer.kind === 'sql.rows') {
      request.owed -= 1;
      request.window = text.length > largeFrameLength ? 1 : windowFramesMax;
      if (request.owed <= request.window / 2) this.#ask(request);
    }
  }

  /** The session hears that notifications have left once its client reads. */
  #acknowledge(): void {
    if (this.#notifications === 0 || this.#sink.congested) return;
    this.#connection.send({ kind: 'sql.heard', count: this.#notifications });
    this.#notifications = 0;
  }

  /** The session has ended with an error. */
  #endWith(error: ErrorFields): void {
    this.#ended = true;
    this.#sink.frame(writeError(null, error));
    this.#sink.close(endedCode, error.message);
  }

  died(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#sink.close(1011, reason);
  }

  #leader(): { readonly leader?: string } {
    const leader = this.#options.status.leaderUrl();
    return leader === undefined ? {} : { leader };
  }

  #accept(frame: SessionRequest): void {
    const { id } = frame;
    if (this.#inFlight.has(id)) {
      this.refuseFrame(id, `id ${id} is in flight`);
      return;
    }
    const { requestsInFlight, statementBytes } = this.#options.limits;
    if (this.#inFlight.size >= requestsInFlight) {
      const text = `more than limits.requestsInFlight (${requestsInFlight}) requests`;
      this.#refuse(id, 'configuration_limit_exceeded', text);
      return;
    }
    const sql = frame.op === 'close' ? undefined : frame.sql;
    // A character takes three bytes of UTF-8 at most: short texts need no count.
    if (
      sql !== undefined &&
      sql.length > statementBytes / 3 &&
      Buffer.byteLength(sql) > statementBytes
    ) {
      const text = `statement is longer than limits.statementBytes (${statementBytes})`;
      this.#refuse(id, 'program_limit_exceeded', text);
      return;
    }
    const wanted = frame.op === 'execute' ? (frame.credit ?? Number.POSITIVE_INFINITY) : 0;
    const request: InFlight = {
      frame,
      startMs: this.#options.nowMs(),
      wanted,
      owed: 0,
      window: 1,
      layout: undefined,
      copies: false,
      number: 0,
    };
    this.#inFlight.set(id, request);
    if (this.#mayForward() && this.#inFlight.size === this.#forwarded.size + 1) {
      this.#forward(request);
    }
  }

  #mayForward(): boolean {
    return this.#forwarded.size < forwardedRequestsMax && !this.#sink.congested;
  }

  #forwardWaiting(): void {
    if (this.#forwarded.size === this.#inFlight.size) return;
    for (const request of this.#inFlight.values()) {
      if (!this.#mayForward()) return;
      if (request.number === 0) this.#forward(request);
    }
  }

  #forward(request: InFlight): void {
    this.#requests += 1;
    request.number = this.#requests;
    this.#forwarded.set(request.number, request.frame.id);
    const owed = Math.min(1, request.wanted);
    request.owed = owed;
    request.wanted -= owed;
    this.#connection.send(sessionMessage(request.frame, request.number, owed));
  }

  /** Asks the session for as many frames as the client wants and the window allows. */
  #ask(request: InFlight): void {
    if (request.number === 0 || this.#sink.congested) return;
    const credit = Math.min(request.window - request.owed, request.wanted);
    if (credit <= 0) return;
    request.owed += credit;
    request.wanted -= credit;
    this.#connection.send({ kind: 'sql.credit', request: request.number, credit });
  }

  #credit(frame: CreditFrame): void {
    const request = this.#inFlight.get(frame.id);
    if (request === undefined) return;
    request.wanted += frame.credit;
    this.#ask(request);
  }

  /** Data for a statement that has ended are void: they were on their way. */
  #copy(frame: CopyDataFrame | CopyEndFrame): void {
    const request = this.#inFlight.get(frame.id);
    if (request === undefined) return;
    if (request.copies) this.#connection.send(copyMessage(frame, request.number));
    else this.refuseFrame(frame.id, `request ${frame.id} has not asked for data`);
  }

  #cancel(frame: CancelFrame): void {
    const request = this.#inFlight.get(frame.id);
    if (request === undefined) return;
    if (request.number > 0) {
      this.#connection.send({ kind: 'sql.cancel', request: request.number });
      return;
    }
    this.#inFlight.delete(frame.id);
    this.#refuse(frame.id, 'query_canceled', 'canceling statement due to user request');
  }

  #refuse(id: number, kind: ErrorName, message: string): void {
    this.#sink.frame(writeError(id, doorError(kind, message), this.#status));
  }

  #noteStatus(answer: SessionAnswer): void {
    if (answer.kind === 'sql.failed') this.#status = answer.status;
    else if ('completion' in answer && answer.completion !== undefined) {
      this.#status = answer.completion.status;
    }
  }

  #finish(id: number, request: InFlight, error: ErrorName | undefined): void {
    this.#inFlight.delete(id);
    this.#forwarded.delete(request.number);
    const { frame } = request;
    const sqlstate = error && errorCatalogue[error].sqlstate;
    const series =
      sqlstate === undefined ? this.#succeeded[frame.op] : this.#series(frame.op, sqlstate);
    const tookMs = this.#options.nowMs() - request.startMs;
    series.observe(tookMs / 1000);
    const { requestLog } = this.#options;
    if (requestLog.enabled) {
      const { params, ...shown } = { params: undefined, ...frame };
      const more = requestLog.parameters ? { params } : {};
      const queryId = `${this.#queryIds}.${request.number}`;
      requestLog.write({ session: this.session, queryId, ...shown, ...more, sqlstate, tookMs });
    }
    this.#forwardWaiting();
  }

  #series(operation: string, outcome: string): HistogramCell {
    return this.#options.metrics.histogram(doorMetrics.requests, { operation, outcome });
  }
}

/** The message that carries data of COPY to the session. */
export function copyMessage(frame: CopyDataFrame | CopyEndFrame, request: number): SessionMessage {
  if (frame.op === 'copyData') {
    const data =
      frame.base64 === undefined
        ? Buffer.from(frame.text ?? '', 'utf8')
        : Buffer.from(frame.base64, 'base64');
    return { kind: 'sql.copyData', request, data };
  }
  const { failure } = frame;
  return { kind: 'sql.copyEnd', request, ...(failure === undefined ? {} : { failure }) };
}

function sessionMessage(frame: SessionRequest, request: number, credit: number): SessionMessage {
  switch (frame.op) {
    case 'execute': {
      const { params, paramTypes: parameterTypes } = frame;
      return {
        kind: 'sql.execute',
        request,
        statement:
          frame.prepared === undefined ? { text: frame.sql ?? '' } : { prepared: frame.prepared },
        parameters: params ?? [],
        credit,
        ...(parameterTypes === undefined ? {} : { parameterTypes }),
      };
    }
    case 'prepare':
      return { kind: 'sql.prepare', request, name: frame.name, text: frame.sql };
    case 'close':
      return { kind: 'sql.close', request, name: frame.name };
  }
  return unreachable(frame);
}
