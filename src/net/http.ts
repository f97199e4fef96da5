/**
 * The HTTP server of a node: `/sql` for WebSockets, `/health`, `/ready`, `/metrics`, `/`. This file is
 * imported only by nodes that listen, because fastify and its kin take a tenth of a second to load.
 */
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import websocket from '@fastify/websocket';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { raise } from '../base/errors.js';
import type { Metrics } from '../base/metrics.js';
import type { ErrorFields } from '../sql/session/protocol.js';
import { doorError, writeError } from './answers.js';
import { closeTimeoutMs, lifeCheckMs, nameLengthMax } from './limits.js';
import { doorMetrics } from './metrics.js';
import { refuseOrigin } from './origin.js';
import { Exposition } from './prometheus.js';
import type {
  ConnectOptions,
  DoorLimits,
  Log,
  NodeStatus,
  RequestLog,
  SqlService,
} from './host.js';
import { SqlSocket } from './sql-socket.js';

const subprotocol = 'shardforge.sql.v1';
/** The only database, and the user of who names none. */
const defaultName = 'shardforge';
const queryParameters = ['user', 'database', 'application_name'];
const shuttingDown = 'the node shuts down';
const drainStepMs = 20;

export interface HttpDoorOptions {
  readonly host: string;
  readonly port: number;
  readonly allowedOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly limits: DoorLimits;
  readonly version: string;
  readonly service: SqlService;
  readonly status: NodeStatus;
  /** The door counts here. */
  readonly metrics: Metrics;
  readonly requestLog: RequestLog;
  readonly nowMs: () => number;
  readonly log: Log;
}

/** Listens; raises `address_in_use` when it cannot. */
export async function openHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const door = new HttpDoor(options);
  await door.listen();
  return door;
}

export class HttpDoor {
  readonly #options: HttpDoorOptions;
  readonly #server: FastifyInstance;
  readonly #exposition = new Exposition();
  readonly #sockets = new Set<SqlSocket>();
  readonly #lifeCheck: NodeJS.Timeout;
  #address = '';
  #draining = false;

  constructor(options: HttpDoorOptions) {
    this.#options = options;
    this.#server = fastify({ forceCloseConnections: true });
    const checkLife = (): void => {
      for (const socket of this.#sockets) socket.checkLife();
    };
    this.#lifeCheck = setInterval(checkLife, lifeCheckMs);
  }

  /** `host:port`, with the port that was taken. */
  get address(): string {
    return this.#address;
  }

  async listen(): Promise<void> {
    const { host, port, allowedHosts, allowedOrigins, limits } = this.#options;
    const allowed = { origins: allowedOrigins, hosts: [host, ...allowedHosts] };
    const serverOptions = {
      maxPayload: limits.frameBytes,
      perMessageDeflate: false,
      closeTimeout: closeTimeoutMs,
      handleProtocols: () => subprotocol,
    };
    await this.#server.register(websocket, {
      options: serverOptions,
      // `drain` has ended the connections by then.
      preClose: (done: () => void) => done(),
      errorHandler: (error, webSocket) => this.#failed(error, webSocket),
    });
    // After the plugin, whose hooks then know of the upgrade and end the socket when it is refused.
    this.#server.addHook('onRequest', async (request, reply) => {
      const refusal = refuseOrigin(request.headers, allowed);
      if (refusal !== undefined) await reply.code(403).send({ error: refusal });
    });
    this.#routes();
    try {
      await this.#server.listen({ host, port });
    } catch (error) {
      clearInterval(this.#lifeCheck);
      const reason = error instanceof Error ? error.message : String(error);
      raise('address_in_use', `cannot listen on ${host}:${port}: ${reason}`);
    }
    const bound = this.#server.server.address() as AddressInfo;
    const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
    this.#address = `${name}:${bound.port}`;
  }

  /**
   * Takes no more connections and closes each as soon as nothing is in flight and no transaction
   * open; after `drainMs` those that are left. Resolves when the server is closed.
   */
  async drain(drainMs: number): Promise<void> {
    this.#draining = true;
    clearInterval(this.#lifeCheck);
    const deadline = this.#options.nowMs() + drainMs;
    while (this.#sockets.size > 0) {
      const late = this.#options.nowMs() >= deadline;
      for (const socket of this.#sockets) {
        // Nothing is under way: what the client may have sent by now is not taken any more.
        if (socket.quiet) socket.close(1012, shuttingDown);
        else if (late) socket.close(1001, shuttingDown);
      }
      await sleep(drainStepMs);
    }
    await this.#server.close();
  }

  #routes(): void {
    const { status, version } = this.#options;
    this.#server.get('/', async () => ({
      name: 'shardforge',
      version,
      links: { sql: '/sql', health: '/health', ready: '/ready', metrics: '/metrics' },
    }));
    this.#server.get('/ready', async (_request, reply) => {
      const refusal = this.#notReady(this.#options.service.notReady());
      if (refusal === undefined) return { ready: true };
      return reply.code(503).send({ ready: false, reason: refusal.message });
    });
    this.#server.get('/health', async (_request, reply) => {
      const checks = await status.health();
      const healthy = Object.values(checks).every((check) => check.ok);
      return reply.code(healthy ? 200 : 503).send({ healthy, checks });
    });
    this.#server.get('/metrics', async (_request, reply) => {
      const text = await this.#exposition.text(await status.metrics());
      return reply.type(this.#exposition.contentType).send(text);
    });
    this.#server.route({
      method: 'GET',
      url: '/sql',
      preValidation: async (request, reply) => {
        const refusal = request.ws ? refuseUpgrade(request) : undefined;
        if (refusal !== undefined) await reply.code(400).send({ error: refusal });
      },
      handler: (_request, reply) => reply.code(426).send({ error: 'open a WebSocket here' }),
      wsHandler: (webSocket, request) => this.#connected(webSocket, request),
    });
  }

  #notReady(reason: string | undefined): ErrorFields | undefined {
    if (this.#draining) return doorError('admin_shutdown', shuttingDown);
    return reason === undefined ? undefined : doorError('cannot_connect_now', reason);
  }

  #refusal(connect: ConnectOptions): ErrorFields | undefined {
    const { connections } = this.#options.limits;
    if (this.#sockets.size >= connections) {
      return doorError('too_many_connections', `limits.connections (${connections}) is reached`);
    }
    if (connect.database !== defaultName) {
      const text = `database ${JSON.stringify(connect.database)} does not exist`;
      return doorError('invalid_catalog_name', text);
    }
    return this.#notReady(this.#options.service.refusal());
  }

  #connected(webSocket: WebSocket, request: FastifyRequest): void {
    const { metrics, log, ...options } = this.#options;
    const connect = connectOptions(request.query as Query);
    const refusal = this.#refusal(connect);
    if (refusal !== undefined) {
      metrics.cell(doorMetrics.refused, { reason: refusal.kind }).value += 1;
      webSocket.send(writeError(null, refusal));
      webSocket.close(1013, refusal.kind);
      return;
    }
    const session = new SqlSocket(webSocket, request.raw.socket, { ...options, metrics, connect });
    const connections = metrics.cell(doorMetrics.connections);
    this.#sockets.add(session);
    connections.value += 1;
    log('debug', 'connection opened', { session: session.session, user: connect.user });
    webSocket.on('close', (code) => {
      this.#sockets.delete(session);
      connections.value -= 1;
      log('debug', 'connection closed', { session: session.session, code });
    });
  }

  /** An oversize or broken frame, a reset connection: ws closes those itself. */
  #failed(error: Error, webSocket: WebSocket): void {
    if (webSocket.readyState !== webSocket.OPEN) {
      this.#options.log('debug', 'connection failed', { error: error.message });
      return;
    }
    this.#options.log('error', 'connection failed', { error: error.stack });
    webSocket.close(1011, 'internal error');
  }
}

/** Why the upgrade is answered with 400. */
function refuseUpgrade(request: FastifyRequest): string | undefined {
  const offered = request.headers['sec-websocket-protocol'];
  if (offered !== undefined && !offered.split(',').some((name) => name.trim() === subprotocol)) {
    return `the subprotocol is ${subprotocol}`;
  }
  for (const [name, value] of Object.entries(request.query as Query)) {
    if (!queryParameters.includes(name)) {
      return `unknown parameter ${name}: use ${queryParameters.join(', ')}`;
    }
    if (typeof value !== 'string' || value.length > nameLengthMax) {
      return `${name} must be given once, with at most ${nameLengthMax} characters`;
    }
  }
  return undefined;
}

type Query = Readonly<Record<string, string>>;

/** Of a query that {@link refuseUpgrade} has let pass. */
function connectOptions(query: Query): ConnectOptions {
  const { user = defaultName, database = defaultName, application_name } = query;
  return { user, database, settings: application_name === undefined ? {} : { application_name } };
}
