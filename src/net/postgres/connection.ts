/** A client's socket: start-up, then its {@link WireSession}. Writes once per turn, holds back, cuts who does not read. */
import type { Socket } from 'node:net';
import { DatabaseError } from '../../base/errors.js';
import type { Metrics } from '../../base/metrics.js';
import type { ErrorFields } from '../../sql/session/protocol.js';
import { doorError } from '../answers.js';
import type { ConnectOptions, DoorLimits, SqlService } from '../host.js';
import { congestedBytes } from '../limits.js';
import { doorMetrics } from '../metrics.js';
import { atEndOfTurn } from '../write-turn.js';
import {
  authenticationTimeoutMs,
  protocolVersion,
  startupBytesMax,
  unreadBytesMax,
} from './limits.js';
import { Inbox } from './reader.js';
import { readStartup, type StartupPacket } from './startup.js';
import type { WireSink } from './sink.js';
import { WireSession } from './wire-session.js';
import { codes, MessageWriter, writeError } from './writer.js';

const lengthBytes = 4;
/** Answer to a request for TLS or GSS: there is none. */
const refused = 'N';
const keepAliveMs = 60_000;

export interface ConnectionOptions {
  readonly service: SqlService;
  readonly limits: DoorLimits;
  readonly metrics: Metrics;
  /** Why the connection is not taken; undefined when it is. */
  readonly refusal: (connect: ConnectOptions) => ErrorFields | undefined;
  /** Another connection asks to end what the session `process` executes. */
  readonly cancel: (process: number, secret: number) => void;
  /** What this client must show to cancel. */
  readonly secret: number;
}

export class Connection implements WireSink {
  readonly inbox = new Inbox();
  readonly out = new MessageWriter();
  readonly secret: number;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #congestedBytes: number;
  readonly #deadline: NodeJS.Timeout;
  #session: WireSession | undefined;
  #flushes = false;
  #congested = false;
  #closing = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.secret = options.secret;
    this.#congestedBytes = Math.min(congestedBytes, options.limits.connectionBufferBytes / 2);
    this.#deadline = setTimeout(() => socket.destroy(), authenticationTimeoutMs);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveMs);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('end', () => this.#inputEnded());
    socket.on('drain', () => this.#drained());
    // A reset connection: 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(this.#deadline);
      this.#closing = true;
      this.#session?.end();
    });
  }

  /** The session's number; undefined before the start-up. */
  get session(): number | undefined {
    return this.#session?.session;
  }

  get quiet(): boolean {
    return this.#session?.quiet ?? true;
  }

  get congested(): boolean {
    return this.#congested || this.#closing;
  }

  cancel(): void {
    this.#session?.cancel();
  }

  /** Ends the connection with an error. */
  refuse(error: ErrorFields | DatabaseError): void {
    if (this.#session !== undefined) {
      this.#session.fatal(error);
      return;
    }
    writeError(this.out, error, 'FATAL');
    this.close();
  }

  close(): void {
    if (this.#closing) return;
    this.#flush();
    this.#closing = true;
    clearTimeout(this.#deadline);
    this.inbox.clear();
    this.#socket.resume();
    this.#socket.end();
    // A client that does not close its side is not waited for.
    this.#socket.destroySoon();
  }

  #receive(chunk: Buffer): void {
    if (this.#closing) return;
    this.inbox.push(chunk);
    this.#guarded(() => {
      if (this.#session === undefined) this.#start();
      this.#session?.pump();
    });
    this.#written();
    if (this.inbox.length > unreadBytesMax && this.#isBusy) this.#socket.pause();
  }

  /** Bytes that it has are not being read: more of them help nobody. */
  get #isBusy(): boolean {
    return this.#session?.busy === true || this.#congested;
  }

  #inputEnded(): void {
    if (this.#session === undefined) this.close();
    else this.#guarded(() => this.#session?.endInput());
    this.#written();
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      this.refuse(error);
    }
  }

  #start(): void {
    while (this.#session === undefined && !this.#closing) {
      const head = this.inbox.peek(lengthBytes);
      if (head === undefined) return;
      const length = head.readUInt32BE();
      if (length < 2 * lengthBytes || length > startupBytesMax) {
        this.#options.metrics.cell(doorMetrics.badFrames).value += 1;
        throw new DatabaseError('protocol_violation', 'invalid length of startup packet');
      }
      const bytes = this.inbox.take(length);
      if (bytes === undefined) return;
      this.#takeStartup(readStartup(bytes.subarray(lengthBytes)));
    }
  }

  #takeStartup(packet: StartupPacket): void {
    const { service, limits, refusal, cancel, secret } = this.#options;
    switch (packet.kind) {
      case 'encrypt':
        this.out.text(refused);
        return;
      case 'cancel':
        cancel(packet.process, packet.secret);
        this.close();
        return;
      case 'start': {
        const { user, database, settings, unknown } = packet;
        const connect = { user, database, settings };
        const reason = refusal(connect);
        if (reason !== undefined) {
          this.refuse(reason);
          return;
        }
        clearTimeout(this.#deadline);
        if (unknown !== undefined) this.#negotiate(unknown);
        const { frameBytes } = limits;
        this.#session = new WireSession({ service, connect, frameBytes, secret }, this);
      }
    }
  }

  #negotiate(unknown: readonly string[]): void {
    const { out } = this;
    out.begin(codes.negotiateVersion).int32(protocolVersion).int32(unknown.length);
    for (const name of unknown) out.string(name);
    out.end();
  }

  flushLater(): void {
    this.#written();
    if (this.#socket.isPaused() && !this.#isBusy) this.#socket.resume();
  }

  #written(): void {
    if (this.out.length === 0 || this.#flushes || this.#closing) return;
    this.#flushes = true;
    atEndOfTurn(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushes = false;
    if (this.out.length === 0 || this.#closing || this.#socket.destroyed) return;
    // What one turn adds does not count: a row may be larger than the limit.
    if (this.#socket.writableLength > this.#options.limits.connectionBufferBytes) {
      this.#socket.destroy();
      return;
    }
    this.#socket.write(this.out.take());
    if (this.#socket.writableLength > this.#congestedBytes && !this.#congested) {
      this.#congested = true;
      this.#options.metrics.cell(doorMetrics.paused).value += 1;
    }
  };

  #drained(): void {
    if (this.#closing) return;
    this.#congested = false;
    this.#guarded(() => this.#session?.resume());
    this.flushLater();
  }
}

/** Why a node that stops ends a connection. */
export const shutdownError = doorError(
  'admin_shutdown',
  'terminating connection due to administrator command',
);
