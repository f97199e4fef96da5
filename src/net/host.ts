/** What the networks need of a node: sessions, and what it tells about itself. */
import type { LogLevel } from '../actors/actor.js';
import type { MetricSample } from '../base/metrics.js';
import type { AuditEvent, Login } from '../sql/index.js';
import type { SessionAnswer, SessionMessage, SignedIn } from '../sql/session/protocol.js';

/** Who connects and how, before the first statement. */
export interface ConnectOptions {
  readonly user: string;
  readonly database: string;
  /** First settings, such as `application_name`. */
  readonly settings: Readonly<Record<string, string>>;
  /** Absent where nobody had to sign in: who opened the node in this process may do everything. */
  readonly signIn?: SignedIn;
  /** First settings that are the role's, under those of the client. */
  readonly roleSettings?: Readonly<Record<string, string>>;
}

/** The roles of the cluster, as the doors ask for them. */
export interface Accounts {
  /** Undefined for a name that no role has. Raises an error of the catalogue when it cannot tell. */
  find(name: string): Promise<Login | undefined>;
  /** Whose token it is, by its SHA-256 in hexadecimal; undefined when it is of no use. Raises as {@link find} does. */
  token(hash: string): Promise<Login | undefined>;
  audit(event: AuditEvent): void;
}

/** Hears one session. Neither call may throw. */
export interface SessionListener {
  answer(answer: SessionAnswer): void;
  /** The session is gone without having been asked to end; nothing more comes. */
  died(reason: string): void;
}

/** One session of a client, wherever it runs. */
export interface SqlConnection {
  /** Unique among the sessions of the cluster: what pg_backend_pid() gives. */
  readonly session: number;
  /** After `sql.end` nothing may be sent and nothing is heard. */
  send(message: SessionMessage): void;
}

/** Cancel requests of PostgreSQL's protocol for sessions of other nodes. */
export interface CancelForwarding {
  /** Hears those that came in elsewhere; the secret is whoever hears it's to check. */
  listen(cancel: (pid: number, secret: Uint8Array) => void): void;
  /** Sends one to the node of its session; nothing is told of what comes of it. */
  forward(pid: number, secret: Uint8Array): void;
}

/** Opens sessions. */
export interface SqlService {
  /** Absent where there is one node only. */
  readonly cancels?: CancelForwarding;
  /** Why SQL is not served; undefined while it is. Administration may be had nevertheless. */
  notReady(): string | undefined;
  /** Why no session can be opened at all; undefined while it can. */
  refusal(): string | undefined;
  connect(options: ConnectOptions, listener: SessionListener): SqlConnection;
}

/** The result of one check of `/health`. */
export interface HealthCheck {
  readonly ok: boolean;
  readonly detail: string;
}

/** Where a node stands in its cluster. */
export interface NodePlace {
  /** Its id; undefined where there is no cluster. */
  readonly node: number | undefined;
  /** Where the leader takes SQL (`ws://host:port`), itself included; undefined when unknown. */
  leaderUrl(): string | undefined;
}

/** What the HTTP door shows of its node. */
export interface NodeStatus extends NodePlace {
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
