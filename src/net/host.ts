/** What the networks need of a node: sessions, and what it tells about itself. */
import type { LogLevel } from '../actors/actor.js';
import type { MetricSample } from '../base/metrics.js';
import type { SessionAnswer, SessionMessage } from '../sql/session/protocol.js';

/** Who connects and how, before the first statement. */
export interface ConnectOptions {
  readonly user: string;
  readonly database: string;
  /** First settings, such as `application_name`. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Hears one session. Neither call may throw. */
export interface SessionListener {
  answer(answer: SessionAnswer): void;
  /** The session is gone without having been asked to end; nothing more comes. */
  died(reason: string): void;
}

/** One session of a client, wherever it runs. */
export interface SqlConnection {
  /** Unique among the sessions since the node started. */
  readonly session: number;
  /** After `sql.end` nothing may be sent and nothing is heard. */
  send(message: SessionMessage): void;
}

/** Opens sessions. */
export interface SqlService {
  /** Why SQL is not served; undefined while it is. */
  notReady(): string | undefined;
  connect(options: ConnectOptions, listener: SessionListener): SqlConnection;
}

/** The result of one check of `/health`. */
export interface HealthCheck {
  readonly ok: boolean;
  readonly detail: string;
}

/** What the HTTP door shows of its node. */
export interface NodeStatus {
  /** By name of the check; healthy when all are. */
  health(): Promise<Readonly<Record<string, HealthCheck>>>;
  /** The samples of all threads. */
  metrics(): Promise<readonly MetricSample[]>;
}

export type Log = (
  level: LogLevel,
  event: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/** Where every request becomes a line once it has ended, while that is wanted. */
export interface RequestLog {
  readonly enabled: boolean;
  /** Whether lines show the parameters. */
  readonly parameters: boolean;
  write(fields: Readonly<Record<string, unknown>>): void;
}

/** The limits of the door, as docs/config.md describes them. */
export interface DoorLimits {
  readonly connections: number;
  readonly requestsInFlight: number;
  readonly frameBytes: number;
  readonly connectionBufferBytes: number;
  readonly statementBytes: number;
}
