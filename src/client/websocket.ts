/** Frames as JSON over a WebSocket (docs/protocol.md). */
import { connect as connectSocket, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { AnswerFrame, RequestFrame, Subprotocol } from '../net/protocol.js';
import { goodbyeMs, heartbeatMs } from './limits.js';
import type { Dial, Transport, TransportEvents } from './transport.js';

const subprotocol: Subprotocol = 'shardforge.sql.v1';
/** The node goes, and what it has not answered has not happened. */
const nothingLostCode = 1012;

/** How a client shows who it is, and whom it believes. */
export interface Identification {
  readonly user: string;
  /** Undefined where none is asked for. */
  readonly password: string | undefined;
  /** An API token, in place of both. */
  readonly token: string | undefined;
  readonly tls: TlsOptions | undefined;
}

/** For `wss://` addresses; PEM. */
export interface TlsOptions {
  /** The authorities whose certificates are believed in place of the well-known ones. */
  readonly ca?: string | Buffer | undefined;
  /** The client's own certificate and its key. */
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  /** The name that the node's certificate must have, where it is not the address's. */
  readonly servername?: string | undefined;
}

/** The transport of `ws://` and `wss://` addresses. */
export function webSocketDial(url: string, identification: Identification): Dial {
  return (events) => new WebSocketTransport(url, identification, events);
}

function headersOf({ user, password, token }: Identification): Readonly<Record<string, string>> {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (password === undefined) return {};
  const text = Buffer.from(`${user}:${password}`).toString('base64');
  return { authorization: `Basic ${text}` };
}

class WebSocketTransport implements Transport {
  readonly #socket: WebSocket;
  readonly #events: TransportEvents;
  readonly #heartbeat: NodeJS.Timeout;
  #raw: Socket | undefined;
  #reason: string | undefined;
  #alive = true;
  #corked = false;

  constructor(url: string, identification: Identification, events: TransportEvents) {
    this.#events = events;
    this.#socket = new WebSocket(url, subprotocol, {
      perMessageDeflate: false,
      maxPayload: 0,
      headers: headersOf(identification),
      ...identification.tls,
      ...(url.startsWith('ws:') ? { createConnection: this.#openSocket } : {}),
    });
    this.#socket.on('message', (data) => this.#receive(String(data)));
    this.#socket.on('pong', () => {
      this.#alive = true;
    });
    this.#socket.on('error', (error) => {
      this.#reason ??= reasonOf(error);
    });
    this.#socket.on('close', (code, text) => {
      clearInterval(this.#heartbeat);
      const said = text.length > 0 ? `: ${text}` : '';
      const reason = this.#reason ?? `the node closed the connection (${code}${said})`;
      events.onClose(reason, code === nothingLostCode);
    });
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs);
    this.#heartbeat.unref();
  }

  send(frame: RequestFrame): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#cork();
    this.#socket.send(JSON.stringify(frame));
  }

  close(): void {
    this.#reason ??= 'closed by the client';
    if (this.#socket.readyState !== WebSocket.OPEN) {
      this.#socket.terminate();
      return;
    }
    this.#socket.close(1000);
    // A peer that does not say goodbye would keep the process alive.
    setTimeout(() => this.#socket.terminate(), goodbyeMs).unref();
  }

  readonly #openSocket: typeof connectSocket = ((options: { host: string; port: number }) => {
    this.#raw = connectSocket({ host: options.host, port: options.port, noDelay: true });
    return this.#raw;
  }) as typeof connectSocket;

  /** All frames sent before the event loop goes on leave in one write: system calls dominate. */
  #cork(): void {
    if (this.#corked || this.#raw === undefined) return;
    this.#corked = true;
    this.#raw.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#raw?.uncork();
    });
  }

  #receive(text: string): void {
    this.#alive = true;
    let frame: AnswerFrame;
    try {
      frame = JSON.parse(text) as AnswerFrame;
    } catch {
      this.#fail('the peer does not speak the protocol: its frame is no JSON');
      return;
    }
    this.#events.onFrame(frame);
  }

  #beat(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (!this.#alive) {
      this.#fail(`the node was silent for ${heartbeatMs / 1000} s`);
      return;
    }
    this.#alive = false;
    this.#socket.ping();
  }

  #fail(reason: string): void {
    this.#reason ??= reason;
    this.#socket.terminate();
  }
}

/** Node gives an AggregateError with an empty message when every address of a name refused. */
function reasonOf(error: Error): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.map((each) => String((each as Error).message)).join('; ');
  }
  return error.message;
}
