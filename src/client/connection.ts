/**
 * One session with a node: numbers requests, keeps them within the node's limit, hands answers to
 * whoever asked, and prepares texts that come again.
 */
import type {
  AnswerFrame,
  CompleteFrame,
  CopyFrame,
  FrameStatus,
  HelloFrame,
  NotificationFrame,
  PreparedFrame,
  RequestFrame,
  RowsFrame,
} from '../net/protocol.js';
import type { Target } from './addresses.js';
import type { CopyPart } from './copy.js';
import { clientError, errorOfFrame, type ShardForgeError } from './errors.js';
import { InFlight } from './in-flight.js';
import { type Notice, noticeOf } from './notice.js';
import { cancelGraceMs, preparedTextLengthMax, preparedTextsMax } from './limits.js';
import type { Statement } from './template.js';
import type { Transport } from './transport.js';

/** Who hears the answers to one request. */
export interface Handler {
  onRows(frame: RowsFrame): void;
  onComplete(frame: CompleteFrame): void;
  onPrepared(frame: PreparedFrame): void;
  /** COPY FROM STDIN takes more data; without it there are none. */
  onCopy?(frame: CopyFrame): void;
  /** The request has ended; nothing more comes. */
  onEnd(error: ShardForgeError | undefined): void;
  /** The connection was lost before the request was sent or taken; nothing more comes. */
  onUnsent(lost: ShardForgeError): void;
}

/** How a statement is sent. */
export interface SendOptions {
  /** Frames with rows that may come before {@link Connection.grant}; all when undefined. */
  readonly credit: number | undefined;
  /** `repeated`: prepare a text when it comes for the second time. */
  readonly prepare: 'never' | 'repeated';
}

/** Who hears what comes without being asked for. */
export interface Ear {
  onNotification(frame: NotificationFrame): void;
  onLost(): void;
}

/** How long a node may be silent while something is asked of it. */
export interface Liveness {
  /** After so much silence it is asked whether it lives. */
  readonly silenceMs: number;
  /** So long it then has to say anything. */
  readonly pongTimeoutMs: number;
}

/** A text under a name at the node, or on its way there. */
interface Prepared {
  readonly text: string;
  readonly name: string;
  /** Why the node did not prepare it: executions under the name fail for this reason. */
  error: ShardForgeError | undefined;
}

/** A text that was sent before. */
interface KnownText {
  /** Undefined when it was sent once. */
  prepared: Prepared | undefined;
  /** The request that used it last. */
  usedAt: number;
}

interface Pending {
  readonly handler: Handler;
  readonly op: 'execute' | 'prepare' | 'close';
  readonly prepared: Prepared | undefined;
}

/** Texts that can be prepared: one statement of these. */
const preparable = /^\s*(select|insert|update|delete|with|values)\b/i;

export class Connection {
  /** True while one session or transaction holds the connection for itself. */
  held = false;
  readonly target: Target;
  /** It was this side that ended it, or will when it is idle. */
  endedHere = false;
  /** Of whoever holds the connection and listens. */
  ear: Ear | undefined;
  #transport: Transport;
  #hello: HelloFrame | undefined;
  #status: FrameStatus = 'idle';
  #lost: ShardForgeError | undefined;
  #refusal: ShardForgeError | undefined;
  #next = 1;
  /** Why the connection ends with its last request. */
  #retiring: string | undefined;
  readonly #pending = new InFlight<Pending>();
  /** Requests over the node's limit, in order. */
  readonly #unsent = new Map<number, RequestFrame>();
  readonly #texts = new Map<string, KnownText>();
  #preparedCount = 0;
  /** How long the node may be silent while something is asked of it; undefined for ever. */
  readonly #liveness: Liveness | undefined;
  #watching = false;
  #heard = false;
  readonly #onOpen: () => void;
  readonly #onLeader: (url: string) => void;
  readonly #onLost: (error: ShardForgeError, wasOpen: boolean) => void;
  readonly #onIdle: () => void;
  readonly #onNotice: ((notice: Notice) => void) | undefined;

  constructor(
    target: Target,
    liveness: Liveness | undefined,
    events: {
      onOpen(connection: Connection): void;
      onLost(connection: Connection, error: ShardForgeError, wasOpen: boolean): void;
      /** The node says where the leader is. */
      onLeader(url: string): void;
      /** A request has ended: there is room for another. */
      onIdle(): void;
      /** The node says something beside the answers. */
      readonly onNotice?: ((notice: Notice) => void) | undefined;
    },
  ) {
    this.target = target;
    this.#liveness = liveness;
    this.#onOpen = () => events.onOpen(this);
    this.#onLeader = (url) => events.onLeader(url);
    this.#onLost = (error, wasOpen) => events.onLost(this, error, wasOpen);
    this.#onIdle = () => events.onIdle();
    this.#onNotice = events.onNotice;
    this.#transport = target.dial({
      onFrame: (frame) => this.#receive(frame),
      onClose: (reason, nothingLost) => this.#lose(reason, nothingLost),
    });
  }

  /** Requests without an end, sent or not. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /** Where the session stood when it last answered. */
  get status(): FrameStatus {
    return this.#status;
  }

  get usable(): boolean {
    return this.#hello !== undefined && this.#lost === undefined;
  }

  /** Why the connection ended. */
  get lost(): ShardForgeError | undefined {
    return this.#lost;
  }

  /** The version of the node; undefined before its hello. */
  get version(): string | undefined {
    return this.#hello?.version;
  }

  /** Sends the statement; returns the number of the request. */
  execute(statement: Statement, options: SendOptions, handler: Handler): number {
    const { text, parameters } = statement;
    const prepared = options.prepare === 'repeated' ? this.#preparedFor(text) : undefined;
    const id = this.#number();
    this.#request(
      {
        op: 'execute',
        id,
        ...(prepared === undefined ? { sql: text } : { prepared: prepared.name }),
        ...(parameters.length === 0 ? {} : { params: parameters }),
        ...(options.credit === undefined ? {} : { credit: options.credit }),
      },
      { handler, op: 'execute', prepared },
    );
    return id;
  }

  /** Prepares the text, so that the following executions of it use the plan. */
  prepare(text: string, handler: Handler): void {
    this.#prepare(text, handler);
  }

  /** Allows `frames` more frames with rows. */
  grant(id: number, frames: number): void {
    if (this.#pending.get(id) !== undefined)
      this.#transport.send({ op: 'credit', id, credit: frames });
  }

  /** Sends data of COPY FROM STDIN that the node has asked for. */
  sendCopy(id: number, part: CopyPart): void {
    if (this.#pending.get(id) !== undefined) this.#transport.send({ ...part, id });
  }

  /** Asks the node to end the request; a node that does not answer loses the connection. */
  cancel(id: number): void {
    if (this.#pending.get(id) === undefined) return;
    if (this.#unsent.delete(id)) {
      this.#end(
        id,
        clientError('query_canceled', 'the statement was cancelled before it was sent'),
      );
      return;
    }
    this.#transport.send({ op: 'cancel', id });
    const timer = setTimeout(() => {
      if (this.#pending.get(id) === undefined) return;
      this.#lose(`no answer to a cancel within ${cancelGraceMs} ms`);
    }, cancelGraceMs);
    timer.unref();
  }

  /** Asks whether the node lives and where the leader is. */
  ping(): void {
    this.#transport.send({ op: 'ping', id: this.#number() });
  }

  /** Ends the connection; requests in flight fail. */
  close(reason: string): void {
    this.endedHere = true;
    this.#lose(reason);
  }

  /** Ends the connection when what is in flight has ended. It must be held, so that nothing follows. */
  retire(reason: string): void {
    this.endedHere = true;
    this.#retiring = reason;
    if (this.#pending.size === 0) this.#lose(reason);
  }

  #number(): number {
    const id = this.#next;
    this.#next += 1;
    return id;
  }

  #request(frame: RequestFrame & { readonly id: number }, pending: Pending): void {
    const room = this.#hello?.limits.requestsInFlight ?? 1;
    const sent = this.#pending.size - this.#unsent.size;
    this.#pending.add(frame.id, pending);
    if (this.#unsent.size > 0 || sent >= room) this.#unsent.set(frame.id, frame);
    else this.#transport.send(frame);
    if (this.#liveness !== undefined && !this.#watching) this.#watch(this.#liveness);
  }

  /** From a request on until none is left: asks a silent node, and leaves one that stays silent. */
  #watch(liveness: Liveness): void {
    this.#watching = true;
    this.#heard = false;
    let silentMs = 0;
    // Half of the time that silence may last, so that it is noticed soon after it.
    const stepMs = liveness.silenceMs / 2;
    const look = (): void => {
      if (this.#lost !== undefined || this.#pending.size === 0) {
        this.#watching = false;
        return;
      }
      silentMs = this.#heard ? 0 : silentMs + stepMs;
      this.#heard = false;
      if (silentMs < liveness.silenceMs) {
        setTimeout(look, stepMs).unref();
        return;
      }
      this.ping();
      // What came while this process itself was busy is read before the verdict.
      const decide = (): void => void setImmediate(() => setImmediate(verdict));
      setTimeout(decide, liveness.pongTimeoutMs).unref();
    };
    const verdict = (): void => {
      const allowedMs = liveness.silenceMs + liveness.pongTimeoutMs;
      if (!this.#heard) this.#lose(`the node was silent for ${allowedMs} ms`);
      look();
    };
    setTimeout(look, stepMs).unref();
  }

  /** The text as it is prepared; its second execution prepares it. */
  #preparedFor(text: string): Prepared | undefined {
    const known = this.#texts.get(text);
    if (known !== undefined) {
      known.usedAt = this.#next;
      return known.prepared ?? this.#prepare(text, ignoreAnswers);
    }
    if (text.length <= preparedTextLengthMax && preparable.test(text)) {
      this.#remember(text, undefined);
    }
    return undefined;
  }

  #remember(text: string, prepared: Prepared | undefined): void {
    this.#texts.set(text, { prepared, usedAt: this.#next });
    if (this.#texts.size <= preparedTextsMax) return;
    let oldest = text;
    let usedAt = this.#next;
    for (const [other, known] of this.#texts) {
      if (known.usedAt >= usedAt) continue;
      oldest = other;
      usedAt = known.usedAt;
    }
    const closed = this.#texts.get(oldest)?.prepared;
    this.#texts.delete(oldest);
    if (closed === undefined) return;
    const id = this.#number();
    const pending = { handler: ignoreAnswers, op: 'close', prepared: undefined } as const;
    this.#request({ op: 'close', id, name: closed.name }, pending);
  }

  #prepare(text: string, handler: Handler): Prepared {
    this.#preparedCount += 1;
    const prepared: Prepared = { text, name: `sdk${this.#preparedCount}`, error: undefined };
    this.#remember(text, prepared);
    const id = this.#number();
    const frame = { op: 'prepare', id, name: prepared.name, sql: text } as const;
    this.#request(frame, { handler, op: 'prepare', prepared });
    return prepared;
  }

  #receive(frame: AnswerFrame): void {
    if (this.#lost !== undefined) return;
    this.#heard = true;
    switch (frame.op) {
      case 'hello':
        this.#hello = frame;
        this.#onOpen();
        if (frame.leader !== undefined) this.#onLeader(frame.leader);
        return;
      case 'rows':
        if (frame.status !== undefined) this.#status = frame.status;
        this.#pending.get(frame.id)?.handler.onRows(frame);
        if (frame.status !== undefined && frame.more === undefined) this.#end(frame.id, undefined);
        return;
      case 'complete':
        this.#status = frame.status;
        this.#pending.get(frame.id)?.handler.onComplete(frame);
        if (frame.more === undefined) this.#end(frame.id, undefined);
        return;
      case 'prepared':
        this.#pending.get(frame.id)?.handler.onPrepared(frame);
        this.#end(frame.id, undefined);
        return;
      case 'closed':
        this.#end(frame.id, undefined);
        return;
      case 'copy':
        this.#copy(frame);
        return;
      case 'notification':
        this.ear?.onNotification(frame);
        return;
      case 'notice':
        this.#onNotice?.(noticeOf(frame));
        return;
      case 'pong':
        if (frame.leader !== undefined) this.#onLeader(frame.leader);
        return;
      case 'error':
        if (frame.status !== undefined) this.#status = frame.status;
        if (frame.id === null) this.#refusal = errorOfFrame(frame);
        else this.#end(frame.id, errorOfFrame(frame));
    }
  }

  #copy(frame: CopyFrame): void {
    const handler = this.#pending.get(frame.id)?.handler;
    if (handler?.onCopy !== undefined) handler.onCopy(frame);
    else this.sendCopy(frame.id, { op: 'copyEnd', failure: 'no data were given: use copyFrom' });
  }

  #end(id: number, error: ShardForgeError | undefined): void {
    const pending = this.#pending.take(id);
    if (pending === undefined) return;
    const { prepared } = pending;
    if (pending.op === 'prepare' && prepared !== undefined && error !== undefined) {
      prepared.error = error;
      this.#texts.delete(prepared.text);
    }
    if (this.#unsent.size > 0) this.#sendNext();
    pending.handler.onEnd(error === undefined ? undefined : (prepared?.error ?? error));
    if (this.#retiring !== undefined && this.#pending.size === 0) this.#lose(this.#retiring);
    this.#onIdle();
  }

  #sendNext(): void {
    const next = this.#unsent.entries().next().value;
    if (next === undefined) return;
    this.#unsent.delete(next[0]);
    this.#transport.send(next[1]);
  }

  #lose(reason: string, nothingLost = false): void {
    if (this.#lost !== undefined) return;
    const wasOpen = this.#hello !== undefined;
    this.#lost =
      this.#refusal ??
      (wasOpen
        ? clientError('connection_does_not_exist', `the connection has ended: ${reason}`)
        : clientError('sqlclient_unable_to_establish_sqlconnection', reason));
    this.#transport.close();
    const pending = this.#pending.takeAll();
    const unsent = new Set(this.#unsent.keys());
    this.#unsent.clear();
    for (const { id, value } of pending) {
      const { handler } = value;
      if (nothingLost || unsent.has(id)) handler.onUnsent(this.#lost);
      else handler.onEnd(unknownOutcome(reason));
    }
    this.#onLost(this.#lost, wasOpen);
    this.ear?.onLost();
  }
}

/** A request that was sent may or may not have been done: it is never sent again by itself. */
function unknownOutcome(reason: string): ShardForgeError {
  return clientError('connection_failure', `the connection was lost in mid-request: ${reason}`, {
    hint: 'Check whether the change is there before sending it again.',
  });
}

/** For requests of the SDK's own; their failure shows in the request that needed them. */
const ignoreAnswers: Handler = {
  onRows() {},
  onComplete() {},
  onPrepared() {},
  onEnd() {},
  onUnsent() {},
};

/** Waits for the answer to a preparation. */
export function prepareOn(connection: Connection, text: string): Promise<PreparedFrame> {
  return new Promise((resolve, reject) => {
    let frame: PreparedFrame | undefined;
    const handler: Handler = {
      onRows() {},
      onComplete() {},
      onPrepared(prepared) {
        frame = prepared;
      },
      onEnd(error) {
        if (frame !== undefined) resolve(frame);
        else reject(error ?? clientError('protocol_violation', 'prepare was answered otherwise'));
      },
      onUnsent: reject,
    };
    connection.prepare(text, handler);
  });
}
