/** Listens for other nodes: an HTTP server of its own, TLS where there are certificates. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions, Server as TlsServer } from 'node:tls';
import { WebSocketServer } from 'ws';
import { raise } from '../../base/errors.js';
import { isLoopback, type Material } from '../security/index.js';
import type { Refusal } from './handshake.js';
import { frameBytesMax, greetingsMax, requestMsMax } from './limits.js';
import { MeshSocket } from './socket.js';

export const meshPath = '/mesh';

export interface AcceptorParts {
  readonly host: string;
  readonly port: number;
  readonly material: Material;
  readonly accepted: (socket: MeshSocket) => void;
  /** A connection that did not come to a handshake. */
  readonly refused: (remote: string, reason: Refusal, detail: string) => void;
}

export class Acceptor {
  readonly #parts: AcceptorParts;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #connections = new Set<Socket>();
  #address = '';

  private constructor(parts: AcceptorParts) {
    this.#parts = parts;
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: frameBytesMax,
    });
    const { tls } = parts.material;
    const timeouts = {
      headersTimeout: requestMsMax,
      requestTimeout: requestMsMax,
      connectionsCheckingInterval: requestMsMax / 4,
    };
    const answer = (_: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(426, { connection: 'close', 'content-type': 'text/plain' });
      response.end('this port is for other nodes\n');
    };
    this.#server =
      tls === undefined
        ? createServer(timeouts, answer)
        : createTlsServer(
            {
              ...{ ...timeouts, ...tls, requestCert: true, rejectUnauthorized: true },
              ...{ minVersion: 'TLSv1.3', handshakeTimeout: requestMsMax },
            },
            answer,
          );
    this.#server.on('connection', (socket: Socket) => this.#connected(socket));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('clientError', (error: Error, socket: Duplex) => {
      this.#parts.refused(remoteOf(socket), 'malformed', error.message);
      socket.destroy();
    });
    this.#server.on('tlsClientError', (error: Error, socket: Duplex) => {
      this.#parts.refused(remoteOf(socket), 'unauthenticated', error.message);
      socket.destroy();
    });
  }

  /** Raises `address_in_use` when it cannot listen. */
  static async open(parts: AcceptorParts): Promise<Acceptor> {
    const acceptor = new Acceptor(parts);
    await acceptor.#listen();
    return acceptor;
  }

  /** `host:port` where it listens. */
  get address(): string {
    return this.#address;
  }

  /** Other certificates for connections from now on. */
  secure(context: SecureContextOptions): void {
    (this.#server as unknown as TlsServer).setSecureContext({ ...context, minVersion: 'TLSv1.3' });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#parts;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    }).catch((error: Error) => {
      raise('address_in_use', `cannot listen on ${host}:${port} for other nodes: ${error.message}`);
    });
    const bound = this.#server.address() as AddressInfo;
    this.#address = `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
  }

  #connected(socket: Socket): void {
    if (this.#connections.size >= 4 * greetingsMax) {
      this.#parts.refused(remoteOf(socket), 'too_many', 'connections');
      socket.destroy();
      return;
    }
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', () => undefined);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      this.#parts.refused(remoteOf(request.socket), refusal, request.url ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#parts.accepted(new MeshSocket(webSocket, request.socket, 'acceptor'));
    });
  }

  #refusal(request: IncomingMessage): Refusal | undefined {
    // A web page can reach a loopback port (pitfall 31), and browsers always say which page it is.
    if (request.headers.origin !== undefined) return 'origin';
    if (!(request.url ?? '').startsWith(`${meshPath}?`)) return 'malformed';
    const { kind } = this.#parts.material.security;
    if (kind === 'loopback' && !isLoopback(request.socket.remoteAddress ?? '')) {
      return 'not_loopback';
    }
    return undefined;
  }
}

function remoteOf(socket: Duplex): string {
  return (socket as Partial<Socket>).remoteAddress ?? 'unknown';
}
