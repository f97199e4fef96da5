/** A client's socket: start-up, sign-in, then its {@link WireSession}. Writes once per turn, holds back, cuts who does not read. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { DatabaseError, raise } from '../../base/errors.js';
import type { Metrics } from '../../base/metrics.js';
import type { ErrorFields } from '../../sql/session/protocol.js';
import { doorError } from '../answers.js';
import type { ConnectOptions, DoorLimits, Log, SqlService } from '../host.js';
import { congestedBytes } from '../limits.js';
import { doorMetrics } from '../metrics.js';
import type { Admission, SignIn } from '../sign-in/index.js';
import { atEndOfTurn } from '../write-turn.js';
import {
  goneProbeMs,
  longKeyBytes,
  longKeyVersion,
  shortKeyBytes,
  startupBytesMax,
  unreadBytesMax,
} from './limits.js';
import { Inbox } from './reader.js';
import type { Transport } from './secure.js';
import { WireSignIn } from './sign-in.js';
import { readStartup, type StartupPacket } from './startup.js';
import { readShared } from './shared-read.js';
import type { WireSink } from './sink.js';
import { WireSession } from './wire-session.js';
import { codes, MessageWriter, writeError } from './writer.js';

const lengthBytes = 4;
/** Answers to a request for TLS or GSS. */
const granted = 'S';
const refused = 'N';
/** First byte of a TLS handshake; no start-up packet is long enough to begin with it. */
const handshakeByte = 0x16;

export interface ConnectionOptions {
  readonly service: SqlService;
  readonly limits: DoorLimits;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly signIn: SignIn;
  /** From the beginning of the connection until it is signed in. */
  readonly timeoutMs: number;
  readonly transport: Transport;
  /** Goes on with TLS on the same socket, which this connection leaves alone then; undefined where that cannot be. */
  readonly encrypt: ((direct: boolean) => void) | undefined;
  /** Why nobody is let in now; undefined while somebody is. */
  readonly refusal: () => ErrorFields | undefined;
  /** Another connection asks to end what the session `process` executes. */
  readonly cancel: (process: number, secret: Buffer) => void;
}

export class Connection implements WireSink {
  readonly inbox = new Inbox();
  readonly out = new MessageWriter();
  /** What this client must show to cancel. */
  secret = Buffer.alloc(0);
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #congestedBytes: number;
  readonly #deadline: NodeJS.Timeout;
  #probing: NodeJS.Timeout | undefined;
  /** What was asked for before the start-up packet, which may be once. */
  readonly #asked = new Set<'tls' | 'gss'>();
  #signIn: WireSignIn | undefined;
  #admission: Admission | undefined;
  #session: WireSession | undefined;
  /** The client sends nothing more. */
  #isEnded = false;
  #flushes = false;
  #congested = false;
  #closing = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#congestedBytes = Math.min(congestedBytes, options.limits.connectionBufferBytes / 2);
    this.#deadline = setTimeout(() => this.#late(), options.timeoutMs);
    socket.on('data', this.#receive);
    socket.on('end', this.#inputEnded);
    socket.on('drain', this.#drained);
    // A reset connection: 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', this.#closed);
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
    if (this.#session === undefined) this.#signIn?.end();
    this.inbox.clear();
    this.#socket.resume();
    this.#socket.end();
    // A client that does not close its side is not waited for.
    this.#socket.destroySoon();
  }

  readonly #closed = (): void => {
    clearTimeout(this.#deadline);
    clearInterval(this.#probing);
    this.#closing = true;
    this.#signIn?.end();
    this.#session?.end();
    this.#admission?.leave(this.session);
    this.#admission = undefined;
  };

  /** As PostgreSQL: who has not said who it is hears nothing. */
  #late(): void {
    const text = 'canceling authentication due to timeout';
    if (this.#signIn === undefined) this.#socket.destroy();
    else this.refuse(doorError('query_canceled', text));
  }

  readonly #receive = (chunk: Buffer): void => {
    if (this.#closing) return;
    this.inbox.push(chunk);
    this.#received();
  };

  /** As `#receive`; the bytes are gone after the call. */
  readonly #read = (length: number, bytes: Buffer): void => {
    if (this.#closing) return;
    this.inbox.lend(bytes, length);
    this.#received();
    this.inbox.endLoan();
  };

  #received(): void {
    this.#guarded(this.#work);
    // What is written before an answer leaves with it: a write costs more than all else of a small query.
    if (this.#session?.busy !== true) this.#written();
    if (this.inbox.length > this.#unreadBytesMax && this.#isBusy) this.#socket.pause();
  }

  readonly #work = (): void => {
    if (this.#session === undefined) this.#start();
    this.#session?.pump();
  };

  /** Who is not in yet has nothing to say that takes long. */
  get #unreadBytesMax(): number {
    return this.#session === undefined ? startupBytesMax : unreadBytesMax;
  }

  /** Bytes that it has are not being read: more of them help nobody. */
  get #isBusy(): boolean {
    if (this.#session === undefined) return this.#signIn?.waits === true;
    return this.#session.busy || this.#congested;
  }

  readonly #inputEnded = (): void => {
    this.#isEnded = true;
    if (this.#session !== undefined) this.#guarded(() => this.#session?.endInput());
    else if (this.#signIn?.waits !== true) this.close();
    this.#written();
    if (!this.#closing) this.#probing = setInterval(() => this.#probe(), goneProbeMs);
  };

  /** Behind the end of its input a socket says no more that the other side is gone, unless it is written to. */
  #probe(): void {
    this.#session?.probe();
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
    const { encrypt } = this.#options;
    const isFirst = this.#asked.size === 0 && this.#signIn === undefined;
    if (isFirst && encrypt !== undefined && this.inbox.peek(1)?.[0] === handshakeByte) {
      this.#handOver(() => encrypt(true));
      return;
    }
    while (this.#signIn === undefined && !this.#closing) {
      const head = this.inbox.peek(lengthBytes);
      if (head === undefined) return;
      const length = head.readUInt32BE();
      if (length < 2 * lengthBytes || length > startupBytesMax) {
        this.#options.metrics.cell(doorMetrics.badFrames).value += 1;
        raise('protocol_violation', 'invalid length of startup packet');
      }
      const bytes = this.inbox.take(length);
      if (bytes === undefined) return;
      this.#takeStartup(readStartup(bytes.subarray(lengthBytes)));
    }
    this.#signIn?.pump();
  }

  #takeStartup(packet: StartupPacket): void {
    const { cancel } = this.#options;
    switch (packet.kind) {
      case 'tls':
      case 'gss':
        this.#askedFor(packet.kind);
        return;
      case 'cancel':
        cancel(packet.process, packet.secret);
        this.close();
        return;
      case 'start':
        this.#introduced(packet);
    }
  }

  #askedFor(what: 'tls' | 'gss'): void {
    if (this.#asked.has(what)) raise('protocol_violation', 'encryption has been asked for before');
    this.#asked.add(what);
    const { encrypt, transport } = this.#options;
    if (transport.encrypted) raise('protocol_violation', 'the connection is encrypted already');
    if (this.inbox.length > 0) {
      // They could be of somebody between the two, to be taken for the client's.
      const detail =
        'This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.';
      const request = what === 'tls' ? 'SSL' : 'GSSAPI encryption';
      const text = `received unencrypted data after ${request} request`;
      raise('protocol_violation', text, { detail });
    }
    if (what === 'gss' || encrypt === undefined) {
      this.out.text(refused);
      return;
    }
    this.#socket.write(granted);
    this.#handOver(() => encrypt(false));
  }

  /** The socket belongs to `next` from now on, with the bytes that were not looked at. */
  #handOver(next: () => void): void {
    const socket = this.#socket;
    clearTimeout(this.#deadline);
    this.#closing = true;
    socket.pause();
    socket.off('data', this.#receive);
    socket.off('end', this.#inputEnded);
    socket.off('drain', this.#drained);
    socket.off('close', this.#closed);
    const rest = this.inbox.take(this.inbox.length);
    if (rest !== undefined && rest.length > 0) socket.unshift(rest);
    next();
  }

  #introduced(packet: Extract<StartupPacket, { kind: 'start' }>): void {
    const { transport, refusal, signIn, log } = this.#options;
    const { user, database, settings, unknown, version } = packet;
    const reason = transport.fault ?? refusal();
    if (reason !== undefined) {
      this.refuse(reason);
      return;
    }
    if (unknown !== undefined) this.#negotiate(version, unknown);
    this.secret = randomBytes(version < longKeyVersion ? shortKeyBytes : longKeyBytes);
    const { encrypted, binding, commonName } = transport;
    const { remoteAddress: address = '', remotePort: port = 0 } = this.#socket;
    this.#signIn = new WireSignIn({
      visitor: { door: 'postgres', user, database, address, port, encrypted, commonName },
      ...{ signIn, binding, inbox: this.inbox, out: this.out },
      admitted: (admission) => this.#admitted(admission, { user, database, settings }),
      failed: (error) => this.refuse(error),
      broken: (error) => log('error', 'auth.broken', { error }),
      written: () => {
        if (this.#isEnded && this.#session === undefined) this.close();
        else this.flushLater();
      },
    });
  }

  #admitted(admission: Admission, connect: Omit<ConnectOptions, 'signIn'>): void {
    const { service, limits } = this.#options;
    const { secret } = this;
    const { signedIn, roleSettings } = admission;
    clearTimeout(this.#deadline);
    this.#admission = admission;
    this.#session = new WireSession(
      {
        ...{ service, secret, frameBytes: limits.frameBytes },
        connect: { ...connect, signIn: signedIn, roleSettings },
      },
      this,
    );
    if (!this.#options.transport.encrypted) readShared(this.#socket, this.#read);
    this.#guarded(() => {
      if (this.#isEnded) this.#session?.endInput();
      else this.#session?.pump();
    });
    this.flushLater();
  }

  #negotiate(version: number, unknown: readonly string[]): void {
    const { out } = this;
    out.begin(codes.negotiateVersion).int32(version).int32(unknown.length);
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
    this.#socket.write(this.out.written);
    // As it mostly is, all of it is with the operating system already.
    if (this.#socket.writableLength === 0) this.out.reuse();
    else this.out.take();
    if (this.#socket.writableLength > this.#congestedBytes && !this.#congested) {
      this.#congested = true;
      this.#options.metrics.cell(doorMetrics.paused).value += 1;
    }
  };

  readonly #drained = (): void => {
    if (this.#closing) return;
    this.#congested = false;
    this.#guarded(() => this.#session?.resume());
    this.flushLater();
  };
}

/** Why a node that stops ends a connection. */
export const shutdownError = doorError(
  'admin_shutdown',
  'terminating connection due to administrator command',
);
