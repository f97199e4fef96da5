/**
 * The door for clients of PostgreSQL: its wire protocol, version 3.0 (docs/postgres-wire.md).
 *
 * Guarantees: whatever a client sends, the node lives on; nothing is executed before the start-up is
 * through; what a client can make the node hold is bounded; all messages of a turn leave in one write.
 *
 * Must not know: how statements are executed or what they mean. It sees sessions through `SqlService`.
 */
import { randomInt } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { raise } from '../../base/errors.js';
import type { Metrics } from '../../base/metrics.js';
import type { ErrorFields } from '../../sql/session/protocol.js';
import { doorError } from '../answers.js';
import type { ConnectOptions, DoorLimits, Log, SqlService } from '../host.js';
import { doorMetrics } from '../metrics.js';
import { Connection, shutdownError } from './connection.js';

/** The only database. */
const databaseName = 'shardforge';
const drainStepMs = 20;
const secretEnd = 2 ** 32;

export interface PostgresDoorOptions {
  readonly host: string;
  readonly port: number;
  readonly limits: DoorLimits;
  readonly service: SqlService;
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
  readonly #connections = new Set<Connection>();
  #address = '';
  #draining = false;

  constructor(options: PostgresDoorOptions) {
    this.#options = options;
    // A client may end its side and still take the answers.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#connected(socket));
  }

  /** `host:port`, with the port that was taken. */
  get address(): string {
    return this.#address;
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, resolve);
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
    await closed;
  }

  #connected(socket: Socket): void {
    const { service, limits, metrics, log } = this.#options;
    const connection = new Connection(socket, {
      ...{ service, limits, metrics },
      secret: randomInt(secretEnd),
      refusal: (connect) => this.#refused(connect),
      cancel: (process, secret) => this.#cancel(process, secret),
    });
    const open = metrics.cell(doorMetrics.connections);
    this.#connections.add(connection);
    open.value += 1;
    socket.on('close', () => {
      this.#connections.delete(connection);
      open.value -= 1;
      log('debug', 'connection closed', { session: connection.session, protocol: 'postgres' });
    });
  }

  #refused(connect: ConnectOptions): ErrorFields | undefined {
    const refusal = this.#refusal(connect);
    const { metrics } = this.#options;
    if (refusal !== undefined) {
      metrics.cell(doorMetrics.refused, { reason: refusal.kind }).value += 1;
    }
    return refusal;
  }

  #refusal({ database }: ConnectOptions): ErrorFields | undefined {
    const { limits, service } = this.#options;
    // The one that asks counts already.
    if (this.#connections.size > limits.connections) {
      const text = `limits.connections (${limits.connections}) is reached`;
      return doorError('too_many_connections', text);
    }
    if (database !== databaseName) {
      return doorError('invalid_catalog_name', `database "${database}" does not exist`);
    }
    if (this.#draining) return shutdownError;
    const reason = service.refusal();
    return reason === undefined ? undefined : doorError('cannot_connect_now', reason);
  }

  /** A wrong number or secret is not answered, as PostgreSQL does. */
  #cancel(process: number, secret: number): void {
    for (const connection of this.#connections) {
      if (connection.session === process && connection.secret === secret) connection.cancel();
    }
  }
}
