/**
 * A WebSocket to another node, from the upgrade to its end. Its own frames go to the socket past ws, all
 * of a turn in one write; ws reads and answers what belongs to its protocol.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';
import { type CertificateLike, isLoopback, type Side } from '../security/index.js';
import type { Frame } from './frame.js';

/** Hears one socket. */
export interface SocketListener {
  /** The payload of one binary message; valid during the call only. */
  frame(payload: Buffer): void;
  /** What was written has left. */
  drained(): void;
  /** It is gone; called once. `bad`: the peer broke the protocol. */
  closed(reason: string, bad: boolean): void;
}

export class MeshSocket {
  readonly side: Side;
  /** `address:port` of the peer, for the log. */
  readonly remote: string;
  readonly loopback: boolean;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  #listener: SocketListener | undefined;
  #blocked = false;
  #ended: { readonly reason: string; readonly bad: boolean } | undefined;

  constructor(webSocket: WebSocket, socket: Socket, side: Side) {
    this.side = side;
    this.#webSocket = webSocket;
    this.#socket = socket;
    const address = socket.remoteAddress ?? '';
    this.remote = `${address}:${socket.remotePort ?? 0}`;
    this.loopback = isLoopback(address);
    webSocket.on('message', (data, isBinary) => {
      if (this.#ended !== undefined) return;
      if (isBinary && Buffer.isBuffer(data)) this.#listener?.frame(data);
      else this.cut('a message is not binary', true);
    });
    webSocket.on('error', (error) => {
      const { code } = error as { readonly code?: unknown };
      this.#end(error.message, typeof code === 'string' && code.startsWith('WS_ERR'));
    });
    webSocket.on('close', () => this.#end('closed', false));
    // The peer's process has ended: ws would first wait until what is left to write was written.
    socket.on('end', () => this.cut('closed by the peer'));
    socket.on('close', () => this.#end('closed', false));
    socket.on('drain', () => {
      this.#blocked = false;
      if (this.#ended === undefined) this.#listener?.drained();
    });
  }

  /** Who hears it from now on; one that is gone says so at once. */
  set listener(listener: SocketListener) {
    this.#listener = listener;
    const ended = this.#ended;
    if (ended !== undefined) listener.closed(ended.reason, ended.bad);
  }

  /** True while more should not be written. */
  get blocked(): boolean {
    return this.#blocked || this.#ended !== undefined;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  /** Of a TLS socket. */
  get certificate(): CertificateLike | undefined {
    const { getPeerCertificate } = this.#socket as Partial<TLSSocket>;
    return getPeerCertificate?.call(this.#socket as TLSSocket, false);
  }

  /** All in one write. */
  write(frames: readonly Frame[]): void {
    if (this.#ended !== undefined || frames.length === 0) return;
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
    const masked = this.side === 'dialer';
    const [first, ...others] = frames.map((frame) => frame.seal(masked));
    if (first === undefined) return;
    if (others.length === 0) this.#blocked = !this.#socket.write(first);
    else {
      this.#socket.cork();
      for (const bytes of [first, ...others]) this.#blocked = !this.#socket.write(bytes);
      this.#socket.uncork();
    }
  }

  /** Ends it after what was written; the listener hears `reason`. */
  finish(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#webSocket.close(1008, Buffer.from(reason).subarray(0, 123).toString());
    // Whoever does not answer the close frame keeps no socket of ours.
    setTimeout(() => this.#webSocket.terminate(), 1000).unref();
    this.#end(reason, false);
  }

  /** Ends it at once. */
  cut(reason: string, bad = false): void {
    this.#end(reason, bad);
    this.#webSocket.terminate();
  }

  #end(reason: string, bad: boolean): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason, bad };
    this.#listener?.closed(reason, bad);
  }
}
