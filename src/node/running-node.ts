import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LogLevel, processClock, Runtime } from '../actors/index.js';
import { DatabaseError, type ErrorName, errorCatalogue } from '../base/errors.js';
import { Metrics } from '../base/metrics.js';
import { replicaArguments } from '../cluster/index.js';
import {
  type ConnectOptions,
  type HealthCheck,
  type HttpDoor,
  type Log,
  openHttpDoor,
  openPostgresDoor,
  type PostgresDoor,
  type RequestLog,
  Seats,
  ServerTls,
  type SessionListener,
  SignIn,
  type SqlConnection,
} from '../net/index.js';
import { NodeAccounts } from './accounts.js';
import type { BootOptions, BootReport } from './boot.js';
import { ClusterSide, type Control } from './cluster-side.js';
import type { LogThreshold, NodeConfig } from './config.js';
import { giveFirstPassword } from './first-start.js';
import { type Identity, openIdentity, replicaParts } from './identity.js';
import { shardPlace } from './place.js';
import { Sessions } from './sessions.js';
import { slowStatementsFile } from './slow-statements.js';
import { removeTemporaryFiles, temporaryDirectory } from './temporary-files.js';
import { TextParser } from './text-parser.js';
import { packageVersion } from './version.js';

/** What a node tells whoever started it. */
export interface NodeHooks {
  readonly log: Log;
  /**
   * Called once when the node cannot go on; nothing of it may be relied on afterwards. The process
   * should end: a thread may be gone or a disk full.
   */
  readonly fatal: (error: Error) => void;
  /** An operator wants the node to stop; without it the node stops by itself. */
  readonly onStop?: () => void;
  /** An operator wants the log to have more or less. */
  readonly onLogLevel?: (level: LogThreshold) => void;
}

/** A node that runs. */
export interface RunningNode {
  readonly version: string;
  /** `host:port` of each door; empty without HTTP. */
  readonly addresses: readonly string[];
  /** `host:port` where clients of PostgreSQL reach it; undefined when none may. */
  readonly postgresAddress: string | undefined;
  /** `host:port` where other nodes reach it; undefined without a mesh. */
  readonly meshAddress: string | undefined;
  /** Worker threads that run. */
  readonly workers: number;
  /** Why SQL is not served; undefined while it is. */
  readonly notReady: string | undefined;
  /** Resolves when SQL is served for the first time: at once but for a node of a cluster. */
  readonly served: Promise<void>;
  /** Opens a session of this process; raises `cannot_connect_now` when the node stops. */
  connect(listener: SessionListener, options?: Partial<ConnectOptions>): SqlConnection;
  /** What is less grave than this is not even handed to the log. */
  setLogThreshold(threshold: LogThreshold): Promise<void>;
  /** Has all that is known of the node and its cluster logged. */
  dump(): Promise<void>;
  /**
   * Takes no more sessions, hands the lead of shards over, lets sessions of the network end for
   * `shutdown.drainMs` (or `drainMs`), then closes everything. A second call waits for the first.
   */
  stop(drainMs?: number): Promise<void>;
}

const readyPollMs = 2;
const passwordRetryMs = 1000;
const healthMs = 1000;

/** The runtime's own threshold; a silent log drops errors itself. */
function runtimeLevel(threshold: LogThreshold): LogLevel {
  return threshold === 'silent' ? 'error' : threshold;
}

/**
 * Starts a node; resolves when it serves SQL, or, with a mesh, when it listens: then a cluster may have to
 * come about first. Throws errors of the catalogue.
 */
export async function startNode(config: NodeConfig, hooks: NodeHooks): Promise<RunningNode> {
  const version = packageVersion();
  const identity = await openIdentity(config, version);
  let node: Node | undefined;
  try {
    const runtime = await startRuntime(config, hooks, identity);
    node = new Node(config, hooks, { version, identity, runtime });
    await node.open();
    return node;
  } catch (error) {
    if (node !== undefined) await node.stop(0);
    else await identity.directory?.close();
    throw asDatabaseError(error);
  }
}

function startRuntime(config: NodeConfig, hooks: NodeHooks, identity: Identity): Promise<Runtime> {
  const { node, directory, formations } = identity;
  const { formation } = formations;
  const stores = directory?.stores ?? config.data.stores;
  const storePaths =
    directory && Array.from({ length: stores }, (_, store) => directory.storePath(store));
  const temporary = directory && temporaryDirectory(config.data.directory);
  if (temporary !== undefined) removeTemporaryFiles(temporary);
  const bootOptions: BootOptions = {
    node,
    replica: formation && replicaArguments(replicaParts(config, identity), formation),
    storePaths,
    mapSizeBytes: config.data.mapSizeBytes,
    limits: config.limits,
    temporary:
      temporary === undefined
        ? undefined
        : {
            directory: temporary,
            limitBytes: config.limits.temporaryFileBytes,
          },
    copyDirectories: config.copy.directories,
    slowStatementsFile: directory && slowStatementsFile(config.data.directory),
  };
  return Runtime.start({
    node,
    stores,
    workers: config.workers,
    bootModule: new URL('./boot.js', import.meta.url),
    bootOptions,
    log: hooks.log,
    logLevel: runtimeLevel(config.log.level),
    fatal: (error) => hooks.fatal(asDatabaseError(error)),
    seed: randomInt(2 ** 31),
  });
}

interface NodeParts {
  readonly version: string;
  readonly identity: Identity;
  readonly runtime: Runtime;
}

class Node implements RunningNode {
  readonly version: string;
  readonly served: Promise<void>;
  readonly #config: NodeConfig;
  readonly #hooks: NodeHooks;
  readonly #identity: Identity;
  readonly #runtime: Runtime;
  readonly #sessions: Sessions;
  readonly #parser: TextParser;
  readonly #metrics = new Metrics();
  readonly #cluster: ClusterSide;
  #logsRequests: boolean;
  /** Why no session can be opened. */
  #refusal: string | undefined = 'the node is starting';
  #serves: () => void = () => undefined;
  readonly #accounts: NodeAccounts;
  readonly #signIn: SignIn;
  /** Of all doors for clients. */
  #tls: ServerTls | undefined;
  #http: HttpDoor | undefined;
  #postgres: PostgresDoor | undefined;
  #stopped: Promise<void> | undefined;

  constructor(config: NodeConfig, hooks: NodeHooks, parts: NodeParts) {
    const { version, identity, runtime } = parts;
    this.#config = config;
    this.#hooks = hooks;
    this.#logsRequests = config.log.level === 'debug';
    this.version = version;
    this.#identity = identity;
    this.#runtime = runtime;
    this.served = new Promise((resolve) => {
      this.#serves = resolve;
    });
    const { statementBytes } = config.limits;
    this.#parser = new TextParser({ statementBytes }, hooks.log);
    this.#cluster = new ClusterSide({
      ...{ config, identity, runtime, version, log: hooks.log, metrics: this.#metrics },
      onState: ({ notReady }) => {
        if (notReady === undefined) this.#serves();
      },
      onControl: (control) => this.#onControl(control),
    });
    this.#accounts = new NodeAccounts(runtime, identity.node);
    this.#signIn = new SignIn({
      accounts: this.#accounts,
      rules: config.auth.rules,
      seats: new Seats(config.limits),
      secret: () => Buffer.from(identity.formations.formation?.clusterId ?? ''),
      nowMs: Date.now,
      log: hooks.log,
    });
    this.#sessions = new Sessions(runtime, shardPlace, {
      refusal: () => this.#refusal,
      notReady: () => this.notReady,
      // Trees in pieces would fill the way to a worker, and requests of others be refused.
      ...(runtime.workers === 0 ? { parser: this.#parser } : {}),
      admin: this.#cluster.admin,
    });
  }

  get addresses(): readonly string[] {
    return this.#http === undefined ? [] : [this.#http.address];
  }

  get postgresAddress(): string | undefined {
    return this.#postgres?.address;
  }

  get meshAddress(): string | undefined {
    return this.#cluster.meshAddress;
  }

  get workers(): number {
    return this.#runtime.workers;
  }

  get notReady(): string | undefined {
    return this.#refusal ?? this.#cluster.notReady;
  }

  async open(): Promise<void> {
    const { mesh, tls } = this.#config;
    this.#tls = tls.certificateFile === '' ? undefined : new ServerTls(tls, this.#hooks.log);
    await this.#cluster.open();
    // Listening takes a while; so does a shard that must be recovered first.
    await Promise.all([
      mesh.enabled ? undefined : this.#storesReady(),
      this.#listen(),
      this.#listenPostgres(),
    ]);
    this.#refusal = undefined;
    if (mesh.enabled) {
      void this.served.then(() => this.#givePasswordAgain());
      return;
    }
    try {
      await this.#givePassword();
    } catch (error) {
      if (error instanceof DatabaseError && error.kind === 'config_invalid') throw error;
      // What is there can be read nevertheless, on a full disk for one.
      void this.#givePasswordAgain();
    }
    this.#serves();
  }

  #givePassword(): Promise<void> {
    return giveFirstPassword({
      ...{ config: this.#config, identity: this.#identity, accounts: this.#accounts },
      connect: (listener) => this.connect(listener, { user: 'admin' }),
      log: this.#hooks.log,
    });
  }

  /** Members that come and go may fail it, and disks. */
  async #givePasswordAgain(): Promise<void> {
    while (this.#stopped === undefined) {
      try {
        await this.#givePassword();
        return;
      } catch (error) {
        this.#hooks.log('warn', 'auth.first_password_failed', { error });
        await sleep(passwordRetryMs, undefined, { ref: false });
      }
    }
  }

  async #listen(): Promise<void> {
    const { enabled, ...http } = this.#config.http;
    if (!enabled) return;
    this.#http = await openHttpDoor({
      ...http,
      limits: this.#config.limits,
      version: this.version,
      service: this.#sessions,
      signIn: this.#signIn,
      tls: this.#tls,
      status: {
        node: this.#config.mesh.enabled ? this.#identity.node : undefined,
        leaderUrl: () => this.#cluster.leaderUrl,
        health: () => this.#health(),
        metrics: async () => {
          const reports = await this.#runtime.inspect();
          return [...this.#metrics.snapshot(), ...reports.flatMap((report) => report.metrics)];
        },
      },
      metrics: this.#metrics,
      requestLog: this.#requestLog(),
      nowMs: processClock.nowMs,
      log: this.#hooks.log,
    });
    this.#cluster.listens(this.#http.address);
  }

  async #listenPostgres(): Promise<void> {
    const { postgres, auth, limits } = this.#config;
    const { enabled, host, port } = postgres;
    if (!enabled) return;
    this.#postgres = await openPostgresDoor({
      ...{ host, port, limits, signIn: this.#signIn, signInTimeoutMs: auth.timeoutMs },
      ...{ service: this.#sessions, metrics: this.#metrics, tls: this.#tls },
      nowMs: processClock.nowMs,
      log: this.#hooks.log,
    });
  }

  connect(listener: SessionListener, options: Partial<ConnectOptions> = {}): SqlConnection {
    if (this.#refusal !== undefined) {
      throw new DatabaseError('cannot_connect_now', this.#refusal);
    }
    return this.#sessions.connect({ ...ownConnection, ...options }, listener);
  }

  setLogThreshold(threshold: LogThreshold): Promise<void> {
    this.#logsRequests = threshold === 'debug';
    return this.#runtime.setLogLevel(runtimeLevel(threshold));
  }

  async dump(): Promise<void> {
    this.#cluster.dump();
    const threads = await this.#runtime.inspect();
    const samples = [...this.#metrics.snapshot(), ...threads.flatMap(({ metrics }) => metrics)];
    const queues = samples.filter(({ name }) =>
      /^shardforge_(actor_(queue|held)_messages|mesh_(links|queue_bytes))$/.test(name),
    );
    this.#hooks.log('info', 'node.queues', {
      queues: queues.map(({ name, labels, value }) => ({ name, ...labels, value })),
    });
  }

  stop(drainMs = this.#config.shutdown.drainMs): Promise<void> {
    this.#stopped ??= this.#stop(drainMs);
    return this.#stopped;
  }

  async #stop(drainMs: number): Promise<void> {
    this.#refusal = 'the node shuts down';
    await this.#cluster.handOver();
    await Promise.all([this.#http?.drain(drainMs), this.#postgres?.drain(drainMs)]);
    this.#tls?.close();
    await this.#parser.close();
    await this.#cluster.close();
    await this.#runtime.stop();
    await this.#identity.directory?.close();
  }

  #onControl(control: Control): void {
    if ('stop' in control) {
      if (this.#hooks.onStop === undefined) void this.stop();
      else this.#hooks.onStop();
      return;
    }
    const level = control.logLevel as LogThreshold;
    this.#hooks.onLogLevel?.(level);
    void this.setLogThreshold(level);
  }

  #requestLog(): RequestLog {
    const enabled = (): boolean => this.#logsRequests;
    const { log } = this.#hooks;
    return {
      get enabled() {
        return enabled();
      },
      parameters: this.#config.log.parameters,
      write: (fields) => log('debug', 'request', fields),
    };
  }

  async #storesReady(): Promise<void> {
    for (;;) {
      const reports = await this.#runtime.inspect();
      if (reports.every(({ report }) => (report as BootReport).stores.every((s) => s.ready)))
        return;
      await sleep(readyPollMs);
    }
  }

  async #health(): Promise<Readonly<Record<string, HealthCheck>>> {
    const startMs = performance.now();
    await sleep(1);
    const delayMs = Math.max(0, performance.now() - startMs - 1);
    const checks: Record<string, HealthCheck> = {
      eventLoop: { ok: delayMs < healthMs, detail: `delayed by ${delayMs.toFixed(1)} ms` },
    };
    const late = sleep(healthMs, undefined, { ref: false });
    const reports = await Promise.race([this.#runtime.inspect(), late]);
    checks.threads =
      reports === undefined
        ? { ok: false, detail: `not all answered within ${healthMs} ms` }
        : { ok: true, detail: `${reports.length} answered` };
    for (const { report } of reports ?? []) {
      for (const { store, ready } of (report as BootReport).stores) {
        const detail = ready ? 'reads' : 'its shard is not ready';
        // Without a majority the node is as well as it can be; to restart it would help nobody.
        checks[`store ${store}`] = { ok: ready || this.#config.mesh.enabled, detail };
      }
    }
    if (this.#config.mesh.enabled) {
      checks.cluster = { ok: true, detail: this.notReady ?? this.#cluster.summary };
    }
    return checks;
  }
}

const ownConnection: ConnectOptions = { user: 'shardforge', database: 'shardforge', settings: {} };

/** Errors of other threads arrive without their class: by their fields, or by their name. */
function asDatabaseError(error: unknown): Error {
  if (error instanceof DatabaseError) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  const { kind = error.name } = error as Error & { kind?: unknown };
  if (typeof kind !== 'string' || !Object.hasOwn(errorCatalogue, kind)) return error;
  return new DatabaseError(kind as ErrorName, error.message);
}
