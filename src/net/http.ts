/**
 * The HTTP server of a node: `/sql` for WebSockets, `/health`, `/ready`, `/metrics`, `/`. This file is
 * imported only by nodes that listen, because fastify and its kin take a tenth of a second to load.
 */
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import websocket from '@fastify/websocket';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { must } from '../base/assert.js';
import { DatabaseError, raise } from '../base/errors.js';
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
import { defaultUser, provenCaller } from './http-sign-in.js';
import type { Attempt, ServerTls, SignIn } from './sign-in/index.js';
import { SqlSocket } from './sql-socket.js';

const subprotocol = 'shardforge.sql.v1';
/** The only database. */
const defaultDatabase = 'shardforge';
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
  readonly signIn: SignIn;
  /** Undefined: connections are not encrypted. */
  readonly tls: ServerTls | undefined;
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
  /** Of upgrades under way: the way in, or why there is none. */
  readonly #attempts = new WeakMap<object, Attempt | DatabaseError>();
  readonly #lifeCheck: NodeJS.Timeout;
  #address = '';
  #draining = false;

  constructor(options: HttpDoorOptions) {
    this.#options = options;
    this.#server = serverOf(options.tls);
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
    this.#server.get('/metrics', async (request, reply) => {
      const refusal = await this.#mayAsk(request);
      if (refusal !== undefined) {
        const { sqlstate, message } = refusal;
        reply.header('www-authenticate', 'Basic realm="shardforge"');
        return reply.code(401).send({ error: message, sqlstate });
      }
      const text = await this.#exposition.text(await status.metrics());
      return reply.type(this.#exposition.contentType).send(text);
    });
    this.#server.route({
      method: 'GET',
      url: '/sql',
      preValidation: async (request, reply) => {
        const refusal = request.ws ? refuseUpgrade(request) : undefined;
        if (refusal !== undefined) await reply.code(400).send({ error: refusal });
        else if (request.ws) this.#attempts.set(request, await this.#attempt(request, 'websocket'));
      },
      handler: (_request, reply) => reply.code(426).send({ error: 'open a WebSocket here' }),
      wsHandler: (webSocket, request) => this.#connected(webSocket, request),
    });
  }

  #notReady(reason: string | undefined): ErrorFields | undefined {
    if (this.#draining) return doorError('admin_shutdown', shuttingDown);
    return reason === undefined ? undefined : doorError('cannot_connect_now', reason);
  }

  #refusal(): ErrorFields | undefined {
    const { signIn, service } = this.#options;
    return signIn.full ?? this.#notReady(service.refusal());
  }

  /** The way in of who asks, who has proved who it is, or why it is not let in. */
  async #attempt(
    request: FastifyRequest,
    door: 'websocket' | 'http',
  ): Promise<Attempt | DatabaseError> {
    const { user = defaultUser, database = defaultDatabase } = request.query as Partial<Query>;
    const { authorization } = request.headers;
    const caller = { door, socket: request.raw.socket, authorization, user, database };
    try {
      return await provenCaller(this.#options.signIn, caller);
    } catch (error) {
      if (error instanceof DatabaseError) return error;
      throw error;
    }
  }

  async #mayAsk(request: FastifyRequest): Promise<DatabaseError | undefined> {
    const attempt = await this.#attempt(request, 'http');
    if (attempt instanceof DatabaseError) return attempt;
    try {
      attempt.check();
    } catch (error) {
      if (error instanceof DatabaseError) return error;
      throw error;
    }
    return undefined;
  }

  #connected(webSocket: WebSocket, request: FastifyRequest): void {
    const refusal = this.#refusal();
    const attempt = must(this.#attempts.get(request), 'who upgrades was asked who they are');
    try {
      if (refusal !== undefined) {
        throw new DatabaseError(refusal.kind, refusal.message, refusal.details);
      }
      if (attempt instanceof DatabaseError) throw attempt;
      this.#admit(webSocket, request, attempt);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const { kind, message, details } = error;
      this.#options.metrics.cell(doorMetrics.refused, { reason: kind }).value += 1;
      webSocket.send(writeError(null, { kind, message, details }));
      webSocket.close(1013, kind);
    }
  }

  /** Raises why not. */
  #admit(webSocket: WebSocket, request: FastifyRequest, attempt: Attempt): void {
    const { metrics, log, ...options } = this.#options;
    const { signedIn, roleSettings, leave } = attempt.admit();
    const given = connectOptions(request.query as Query);
    const connect = { ...given, user: signedIn.role, signIn: signedIn, roleSettings };
    const session = new SqlSocket(webSocket, request.raw.socket, { ...options, metrics, connect });
    const connections = metrics.cell(doorMetrics.connections);
    this.#sockets.add(session);
    connections.value += 1;
    log('debug', 'connection opened', { session: session.session, user: connect.user });
    webSocket.on('close', (code) => {
      this.#sockets.delete(session);
      connections.value -= 1;
      leave(session.session);
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
function connectOptions(query: Query): Omit<ConnectOptions, 'user'> {
  const { database = defaultDatabase, application_name } = query;
  return { database, settings: application_name === undefined ? {} : { application_name } };
}

/** With `tls` it speaks nothing else. */
function serverOf(tls: ServerTls | undefined): FastifyInstance {
  const common = { forceCloseConnections: true } as const;
  if (tls === undefined) return fastify(common);
  // Who has no certificate may have a password.
  const https = { ...tls.options, requestCert: tls.asksClients, rejectUnauthorized: false };
  const server = fastify({ ...common, https });
  tls.onChange((changed) => server.server.setSecureContext(changed));
  return server as unknown as FastifyInstance;
}
