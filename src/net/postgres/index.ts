/**
 * The door for clients of PostgreSQL: its wire protocol, versions 3.0 to 3.2 (docs/postgres-wire.md).
 *
 * Guarantees: whatever a client sends, the node lives on; nothing is executed before its user has signed in;
 * what a client can make the node hold is bounded; all messages of a turn leave in one write.
 *
 * Must not know: how statements are executed or what they mean, where roles are kept. It sees sessions through
 * `SqlService` and roles through `SignIn`.
 */
import { timingSafeEqual } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { raise } from '../../base/errors.js';
import type { Metrics } from '../../base/metrics.js';
import type { ErrorFields } from '../../sql/session/protocol.js';
import { doorError } from '../answers.js';
import type { DoorLimits, Log, SqlService } from '../host.js';
import { doorMetrics } from '../metrics.js';
import type { ServerTls, SignIn } from '../sign-in/index.js';
import { Connection, shutdownError } from './connection.js';
import { socketsPerSeat } from './limits.js';
import { SecureSide, type Transport } from './secure.js';

const drainStepMs = 20;
const keepAliveMs = 60_000;
/** What Node takes where nothing is said. */
const backlogMin = 511;

export interface PostgresDoorOptions {
  readonly host: string;
  readonly port: number;
  readonly limits: DoorLimits;
  readonly service: SqlService;
  readonly signIn: SignIn;
  /** Undefined: connections are not encrypted. */
  readonly tls: ServerTls | undefined;
  /** That a client has to sign in. */
  readonly signInTimeoutMs: number;
  /** The door counts here. */
  readonly metrics: Metrics;
  readonly nowMs: () => number;
  readonly log: Log;
}

/** Listens; raises `address_in_use` when it cannot. */
export async function openPostgresDoor(options: PostgresDoorOptions): Promise<PostgresDoor> {
  const door = new PostgresDoor(options);
  await door.listen();
  return door;
}

export class PostgresDoor {
  readonly #options: PostgresDoorOptions;
  readonly #server: Server;
  readonly #secure: SecureSide | undefined;
  /** All that are open, encrypted or not. */
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<Connection>();
  #address = '';
  #draining = false;

  constructor(options: PostgresDoorOptions) {
    this.#options = options;
    // A client may end its side and still take the answers.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#connected(socket));
    const { tls, log, signInTimeoutMs: timeoutMs } = options;
    const secured = (socket: Socket, transport: Transport): void => this.#open(socket, transport);
    this.#secure = tls && new SecureSide({ tls, log, timeoutMs, secured });
  }

  /** `host:port`, with the port that was taken. */
  get address(): string {
    return this.#address;
  }

  async listen(): Promise<void> {
    const { host, port, limits, service } = this.#options;
    // A pool that opens all at once should not wait for the kernel's second try.
    const backlog = Math.max(backlogMin, limits.connections);
    service.cancels?.listen((process, secret) => this.#cancel(process, secret));
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog }, resolve);
    }).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      raise('address_in_use', `cannot listen on ${host}:${port}: ${reason}`);
    });
    const bound = this.#server.address() as AddressInfo;
    const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
    this.#address = `${name}:${bound.port}`;
  }

  /**
   * Takes no more connections and ends each as soon as nothing is in flight and no transaction open;
   * after `drainMs` those that are left. Resolves when the server is closed.
   */
  async drain(drainMs: number): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const deadline = this.#options.nowMs() + drainMs;
    while (this.#connections.size > 0) {
      const late = this.#options.nowMs() >= deadline;
      for (const connection of this.#connections) {
        if (connection.quiet || late) connection.refuse(shutdownError);
      }
      await sleep(drainStepMs);
    }
    // Handshakes that are under way.
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #connected(socket: Socket): void {
    const { limits, metrics } = this.#options;
    const open = metrics.cell(doorMetrics.connections);
    this.#sockets.add(socket);
    open.value += 1;
    socket.on('close', () => {
      this.#sockets.delete(socket);
      open.value -= 1;
    });
    if (this.#sockets.size > socketsPerSeat * limits.connections) {
      this.#refused(doorError('too_many_connections', 'sorry, too many clients already'));
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveMs);
    this.#open(socket, { encrypted: false });
  }

  #open(socket: Socket, transport: Transport): void {
    const { service, limits, metrics, log, signIn, signInTimeoutMs: timeoutMs } = this.#options;
    const secure = transport.encrypted ? undefined : this.#secure;
    const connection = new Connection(socket, {
      ...{ service, limits, metrics, log, signIn, timeoutMs, transport },
      refusal: () => this.#refused(this.#refusal()),
      cancel: (process, secret) => {
        if (!this.#cancel(process, secret)) service.cancels?.forward(process, secret);
      },
      encrypt:
        secure &&
        ((direct) => {
          this.#connections.delete(connection);
          secure.accept(socket, direct);
        }),
    });
    this.#connections.add(connection);
    socket.on('close', () => {
      if (!this.#connections.delete(connection)) return;
      log('debug', 'connection closed', { session: connection.session, protocol: 'postgres' });
    });
  }

  #refused(refusal: ErrorFields | undefined): ErrorFields | undefined {
    const { metrics } = this.#options;
    if (refusal !== undefined) {
      metrics.cell(doorMetrics.refused, { reason: refusal.kind }).value += 1;
    }
    return refusal;
  }

  #refusal(): ErrorFields | undefined {
    if (this.#draining) return shutdownError;
    const { signIn, service } = this.#options;
    if (signIn.full !== undefined) return signIn.full;
    const reason = service.refusal();
    return reason === undefined ? undefined : doorError('cannot_connect_now', reason);
  }

  /** A wrong number or secret is not answered, as PostgreSQL does. False when no session has the number. */
  #cancel(process: number, secret: Uint8Array): boolean {
    for (const connection of this.#connections) {
      if (connection.session !== process) continue;
      const isSame =
        connection.secret.length === secret.length && timingSafeEqual(connection.secret, secret);
      if (isSame) connection.cancel();
      return true;
    }
    return false;
  }
}
