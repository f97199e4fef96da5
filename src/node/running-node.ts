import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LogLevel, processClock, Runtime } from '../actors/index.js';
import { DatabaseError, type ErrorName, errorCatalogue } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import { Metrics } from '../base/metrics.js';
import {
  type ConnectOptions,
  type HealthCheck,
  type HttpDoor,
  type Log,
  openHttpDoor,
  type RequestLog,
  type SessionListener,
  type SqlConnection,
} from '../net/index.js';
import { type Directory, openDirectory } from '../storage/index.js';
import type { BootOptions, BootReport } from './boot.js';
import { inMemory, type LogThreshold, type NodeConfig } from './config.js';
import { shardPlace } from './place.js';
import { Sessions } from './sessions.js';
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
}

/** A node that serves. */
export interface RunningNode {
  readonly version: string;
  /** `host:port` of each door; empty without HTTP. */
  readonly addresses: readonly string[];
  /** Worker threads that run. */
  readonly workers: number;
  /** Opens a session of this process; raises `cannot_connect_now` when the node stops. */
  connect(listener: SessionListener, options?: Partial<ConnectOptions>): SqlConnection;
  /** What is less grave than this is not even handed to the log. */
  setLogThreshold(threshold: LogThreshold): Promise<void>;
  /**
   * Takes no more sessions, lets those of the network end for `shutdown.drainMs` (or `drainMs`),
   * then closes everything. A second call waits for the first.
   */
  stop(drainMs?: number): Promise<void>;
}

const readyPollMs = 2;
const healthMs = 1000;

/** The runtime's own threshold; a silent log drops errors itself. */
function runtimeLevel(threshold: LogThreshold): LogLevel {
  return threshold === 'silent' ? 'error' : threshold;
}

/** Starts a node; resolves when it serves SQL. Throws errors of the catalogue. */
export async function startNode(config: NodeConfig, hooks: NodeHooks): Promise<RunningNode> {
  const version = packageVersion();
  const directory = await openData(config, version);
  let node: Node | undefined;
  try {
    const runtime = await startRuntime(config, hooks, directory);
    node = new Node(config, hooks, { version, directory, runtime });
    await Promise.all([node.becomeReady(), node.listen()]);
    return node;
  } catch (error) {
    if (node !== undefined) await node.stop(0);
    else await directory?.close();
    throw asDatabaseError(error);
  }
}

function openData(config: NodeConfig, createdBy: string): Promise<Directory> | undefined {
  const { directory, stores } = config.data;
  if (directory === inMemory) return undefined;
  return openDirectory(directory, { stores, nodeId: config.node.id as NodeId, createdBy });
}

function startRuntime(
  config: NodeConfig,
  hooks: NodeHooks,
  directory: Directory | undefined,
): Promise<Runtime> {
  const node = config.node.id as NodeId;
  const stores = directory?.stores ?? config.data.stores;
  const storePaths =
    directory && Array.from({ length: stores }, (_, store) => directory.storePath(store));
  const bootOptions: BootOptions = {
    node,
    incarnation: directory?.incarnation ?? 1,
    clusterId: directory?.clusterId ?? randomUUID(),
    storePaths,
    mapSizeBytes: config.data.mapSizeBytes,
    limits: config.limits,
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
  readonly directory: Directory | undefined;
  readonly runtime: Runtime;
}

class Node implements RunningNode {
  readonly version: string;
  readonly #config: NodeConfig;
  readonly #hooks: NodeHooks;
  readonly #directory: Directory | undefined;
  readonly #runtime: Runtime;
  readonly #sessions: Sessions;
  readonly #parser: TextParser;
  readonly #metrics = new Metrics();
  #logsRequests: boolean;
  #notReady: string | undefined = 'the node is starting';
  #http: HttpDoor | undefined;
  #stopped: Promise<void> | undefined;

  constructor(config: NodeConfig, hooks: NodeHooks, parts: NodeParts) {
    this.#config = config;
    this.#hooks = hooks;
    this.#logsRequests = config.log.level === 'debug';
    this.version = parts.version;
    this.#directory = parts.directory;
    this.#runtime = parts.runtime;
    const { statementBytes } = config.limits;
    this.#parser = new TextParser({ statementBytes }, hooks.log);
    const notReady = (): string | undefined => this.#notReady;
    // Trees in pieces would fill the way to a worker, and requests of others be refused.
    const parser = parts.runtime.workers === 0 ? this.#parser : undefined;
    this.#sessions = new Sessions(parts.runtime, shardPlace, notReady, parser);
  }

  get addresses(): readonly string[] {
    return this.#http === undefined ? [] : [this.#http.address];
  }

  get workers(): number {
    return this.#runtime.workers;
  }

  async becomeReady(): Promise<void> {
    while (!(await this.#storesReady())) await sleep(readyPollMs);
    this.#notReady = undefined;
  }

  async listen(): Promise<void> {
    const { enabled, ...http } = this.#config.http;
    if (!enabled) return;
    this.#http = await openHttpDoor({
      ...http,
      limits: this.#config.limits,
      version: this.version,
      service: this.#sessions,
      status: {
        node: undefined,
        leaderUrl: () => undefined,
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
  }

  connect(listener: SessionListener, options: Partial<ConnectOptions> = {}): SqlConnection {
    if (this.#notReady !== undefined) {
      throw new DatabaseError('cannot_connect_now', this.#notReady);
    }
    return this.#sessions.connect({ ...ownConnection, ...options }, listener);
  }

  setLogThreshold(threshold: LogThreshold): Promise<void> {
    this.#logsRequests = threshold === 'debug';
    return this.#runtime.setLogLevel(runtimeLevel(threshold));
  }

  stop(drainMs = this.#config.shutdown.drainMs): Promise<void> {
    this.#stopped ??= this.#stop(drainMs);
    return this.#stopped;
  }

  async #stop(drainMs: number): Promise<void> {
    this.#notReady = 'the node shuts down';
    await this.#http?.drain(drainMs);
    await this.#parser.close();
    await this.#runtime.stop();
    await this.#directory?.close();
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

  async #storesReady(): Promise<boolean> {
    const reports = await this.#runtime.inspect();
    return reports.every(({ report }) => (report as BootReport).stores.every((s) => s.ready));
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
        checks[`store ${store}`] = { ok: ready, detail };
      }
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
