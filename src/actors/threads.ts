/** What main thread and worker threads say to each other, beside messages of actors. */
import type { MessagePort } from 'node:worker_threads';
import type { ErrorDetails, ErrorName } from '../base/errors.js';
import type { MailboxSetup } from '../mailbox/index.js';
import type { NodeId } from '../base/ids.js';
import type { MetricSample } from '../base/metrics.js';
import type { LogLevel, PlaceId } from './actor.js';
import type { ActorLimits } from './limits.js';

/** What one thread counts and what its boot module reports. */
export interface ThreadReport {
  /** 0 is the main thread. */
  readonly thread: number;
  readonly places: readonly PlaceId[];
  readonly metrics: readonly MetricSample[];
  /** What `Booted.report` gave. */
  readonly report: unknown;
}

/** What a thread is started with: plain data and ports. */
export interface ThreadSetup {
  readonly node: NodeId;
  readonly seed: number;
  readonly thread: number;
  /** Threads by place: place p is on thread `threadOfPlace[p]`. */
  readonly threadOfPlace: readonly number[];
  readonly limits: Partial<ActorLimits>;
  /** There are more cores than threads, so that a thread may look out for messages awake. */
  readonly spins: boolean;
  readonly logLevel: LogLevel;
  readonly bootModule: string;
  readonly bootOptions: unknown;
}

/** What a worker thread is given. */
export interface WorkerSetup {
  readonly thread: ThreadSetup;
  readonly mailbox: MailboxSetup;
  /** {@link Notice}s go to the main thread by it. */
  readonly notices: MessagePort;
}

/** What a worker tells the main thread unasked. */
export type Notice =
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly event: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  /** A store has failed: the process must end, but whoever waits may still be told. */
  | {
      readonly kind: 'failed';
      readonly error: ErrorName;
      readonly message: string;
      readonly details: ErrorDetails;
    };

/** How the main thread controls a worker (by comlink). Every call fails when the worker is dead. */
export interface ThreadControl {
  /** Runs the boot module; the thread serves messages from then on. */
  boot(): Promise<void>;
  inspect(): ThreadReport;
  control(command: unknown): unknown;
  setLogLevel(level: LogLevel): void;
  /** True when no message waits on the thread. */
  idle(): boolean;
  /** Ends the turns, then stops what the boot module started. */
  stop(): Promise<void>;
}
