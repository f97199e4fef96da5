/** TLS on connections that have begun as plain ones, or with a handshake at once. */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ErrorFields } from '../../sql/session/protocol.js';
import { doorError } from '../answers.js';
import type { Log } from '../host.js';
import { certifiedClient, endPointHash, type ServerTls } from '../sign-in/index.js';

/** Name of the protocol in ALPN, by which a handshake meant for another service is not taken. */
const protocolName = 'postgresql';

/** What is known of a connection's encryption. */
export interface Transport {
  readonly encrypted: boolean;
  /** Hash of our certificate, which SCRAM is bound to. */
  readonly binding?: Buffer | undefined;
  /** Of the client's certificate. */
  readonly commonName?: string | undefined;
  /** Why the connection is refused whoever comes. */
  readonly fault?: ErrorFields | undefined;
}

export interface SecureSideOptions {
  readonly tls: ServerTls;
  /** For a handshake. */
  readonly timeoutMs: number;
  readonly log: Log;
  readonly secured: (socket: TLSSocket, transport: Transport) => void;
}

export class SecureSide {
  /** After a request for TLS, and without one. */
  readonly #asked: Server;
  readonly #direct: Server;

  constructor(options: SecureSideOptions) {
    this.#asked = this.#server(options, false);
    this.#direct = this.#server(options, true);
    options.tls.onChange((changed) => {
      this.#asked.setSecureContext(changed);
      this.#direct.setSecureContext(changed);
    });
  }

  /** Begins the handshake on a socket that nobody reads any more. */
  accept(socket: Socket, direct: boolean): void {
    // A client that ends in its handshake has gone; later it may still take the answers.
    socket.allowHalfOpen = false;
    (direct ? this.#direct : this.#asked).emit('connection', socket);
  }

  #server({ tls, timeoutMs, log, secured }: SecureSideOptions, direct: boolean): Server {
    const server = createServer({
      ...tls.options,
      ALPNProtocols: [protocolName],
      requestCert: tls.asksClients,
      // One without a certificate may have a password; one with a bad certificate is told so.
      rejectUnauthorized: false,
      handshakeTimeout: timeoutMs,
    });
    server.on('secureConnection', (socket) => {
      socket.allowHalfOpen = true;
      secured(socket, transportOf(socket, direct));
    });
    server.on('tlsClientError', (error) => {
      log('debug', 'tls.handshake_failed', { reason: error.message, protocol: 'postgres' });
    });
    return server;
  }
}

function transportOf(socket: TLSSocket, direct: boolean): Transport {
  const own = socket.getCertificate();
  const certificate = own !== null && 'raw' in own ? own.raw : undefined;
  const binding = certificate === undefined ? undefined : endPointHash(certificate);
  return {
    encrypted: true,
    binding,
    ...certifiedClient(socket),
    ...(direct ? alpnFault(socket) : {}),
  };
}

function alpnFault(socket: TLSSocket): Pick<Transport, 'fault'> {
  if (socket.alpnProtocol === protocolName) return {};
  const text = 'received direct SSL connection request without ALPN protocol negotiation extension';
  return { fault: doorError('protocol_violation', text) };
}
