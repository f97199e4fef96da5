/**
 * Sessions: the actor that a client talks to through its door. It runs texts one after the other,
 * keeps the transaction and the prepared statements, and answers in batches under credit.
 *
 * Guarantees: one request at a time in order of arrival, each answered once; a transaction's snapshot
 * and memory are given back however it ends; an error of ours ends the statement, not the session.
 * Must not know: sockets and formats of the wire (protocol.ts carries values).
 */
import type { ActorKind, MessageType, Place } from '../../actors/actor.js';
import { runtimeMessages } from '../../actors/actor.js';
import type { Metrics } from '../../base/metrics.js';
import { Random } from '../../base/random.js';
import { proposeAnswers, sessionNews } from '../../shard/index.js';
import { shardAccess } from '../../shard/protocol.js';
import { CatalogueCache } from '../catalogue/index.js';
import type { ServerFiles } from '../copy/index.js';
import type { SpillFiles } from '../execute/index.js';
import { MemoryAccount } from '../memory.js';
import { Gate } from './gate.js';
import { defaultSessionLimits, type SessionLimits } from './limits.js';
import { SessionMetrics } from './metrics.js';
import { PlanCache } from './plan-cache.js';
import type { SlowStatements } from './slow-statements.js';
import type { SessionArguments } from './protocol.js';
import { Session, type SessionInput } from './session.js';
import { activityAnswers } from './activity-protocol.js';
import { sessionRegistry } from './registry.js';
import { type PlaceState, SessionState } from './state.js';

export { activityAt, activityKind, activityName } from './activity.js';
export type { PeersMessage } from './activity-protocol.js';
export { defaultSessionLimits, type SessionLimits } from './limits.js';
export { nodeOfPid, pidOf, sessionNumbers } from './pid.js';
export { SessionRegistry, sessionRegistry } from './registry.js';
export type { SlowStatement, SlowStatements } from './slow-statements.js';

/** What sessions may use of the machine; each is absent where they may not. */
export interface SessionCapabilities {
  /** Files that COPY reads and writes. */
  readonly files?: ServerFiles | undefined;
  /** Keeps the statements that took long. */
  readonly slowStatements?: SlowStatements | undefined;
  /** Temporary files for rows that memory does not hold. */
  readonly spill?: SpillFiles | undefined;
  /** So many bytes that nobody can guess; without it there are no API tokens. */
  readonly secretBytes?: ((count: number) => Uint8Array) | undefined;
}

export interface SessionOptions extends SessionCapabilities {
  /** Where the sessions of the thread count. */
  readonly metrics: Metrics;
  /** Other than the defaults. */
  readonly limits?: Partial<SessionLimits>;
}

/** What a session takes. */
export const sessionMessages: readonly MessageType[] = [
  { kind: 'sql.execute', priority: 'normal', flow: 'work' },
  { kind: 'sql.prepare', priority: 'normal', flow: 'work' },
  { kind: 'sql.close', priority: 'normal', flow: 'work' },
  { kind: 'sql.describe', priority: 'normal', flow: 'work' },
  { kind: 'sql.refuse', priority: 'normal', flow: 'work' },
  { kind: 'sql.copyData', priority: 'normal', flow: 'reply' },
  { kind: 'sql.copyEnd', priority: 'normal', flow: 'reply' },
  { kind: 'sql.credit', priority: 'normal', flow: 'reply' },
  { kind: 'sql.enough', priority: 'normal', flow: 'reply' },
  { kind: 'sql.rest', priority: 'normal', flow: 'reply' },
  { kind: 'sql.park', priority: 'normal', flow: 'reply' },
  { kind: 'sql.fetch', priority: 'normal', flow: 'work' },
  // With the requests, so that it never comes before the one that it is about.
  { kind: 'sql.cancel', priority: 'normal', flow: 'reply' },
  { kind: 'sql.end', priority: 'normal', flow: 'reply' },
  { kind: 'sql.continue', priority: 'normal', flow: 'reply' },
  { kind: 'sql.limit', priority: 'normal', flow: 'reply' },
  { kind: 'sql.interrupt', priority: 'normal', flow: 'reply' },
  { kind: 'sql.abandon', priority: 'normal', flow: 'reply' },
  { kind: 'sql.parsed', priority: 'normal', flow: 'reply' },
  { kind: 'sql.notParsed', priority: 'normal', flow: 'reply' },
  { kind: 'sql.adminAnswer', priority: 'normal', flow: 'reply' },
  ...activityAnswers,
  { kind: 'sql.heard', priority: 'normal', flow: 'reply' },
  ...proposeAnswers,
  ...sessionNews,
  runtimeMessages.refused,
  runtimeMessages.stopped,
];

/** What a session sends to its door. */
export const sessionAnswerTypes: readonly MessageType[] = [
  { kind: 'sql.rows', priority: 'normal', flow: 'reply' },
  { kind: 'sql.complete', priority: 'normal', flow: 'reply' },
  { kind: 'sql.prepared', priority: 'normal', flow: 'reply' },
  { kind: 'sql.copyIn', priority: 'normal', flow: 'reply' },
  { kind: 'sql.closed', priority: 'normal', flow: 'reply' },
  { kind: 'sql.parked', priority: 'normal', flow: 'reply' },
  { kind: 'sql.failed', priority: 'normal', flow: 'reply' },
  { kind: 'sql.notification', priority: 'normal', flow: 'reply' },
  { kind: 'sql.notice', priority: 'normal', flow: 'reply' },
  { kind: 'sql.settings', priority: 'normal', flow: 'reply' },
];

/** What a session sends to administration. */
export const adminMessageTypes: readonly MessageType[] = [
  { kind: 'sql.admin', priority: 'normal', flow: 'work' },
];

/** What a session sends to the parser of long texts. */
export const parseMessageTypes: readonly MessageType[] = [
  { kind: 'sql.parse', priority: 'normal', flow: 'reply' },
  { kind: 'sql.stopParsing', priority: 'normal', flow: 'reply' },
];

/**
 * The kind `session`, spawned with {@link SessionArguments} at a place that provides `shardAccess`.
 * The parser must have been loaded on its thread.
 */
export function sessionKind(options: SessionOptions): ActorKind<SessionInput, SessionArguments> {
  const limits: SessionLimits = { ...defaultSessionLimits, ...options.limits };
  const metrics = new SessionMetrics(options.metrics);
  const places = new WeakMap<Place, PlaceState>();
  return {
    kind: 'session',
    messages: sessionMessages,
    create(args, place, self) {
      let shared = places.get(place);
      if (shared === undefined) {
        shared = {
          limits,
          metrics,
          plans: new PlanCache(limits.planCacheBytes, metrics.planBytes),
          gate: new Gate(),
          catalogue: new CatalogueCache(),
          memory: new MemoryAccount('nodeMemoryBytes', limits.nodeMemoryBytes),
          files: options.files,
          slowStatements: options.slowStatements,
          spill: options.spill,
          secretBytes: options.secretBytes,
          listeners: new Set(),
          registry: place.resource(sessionRegistry),
        };
        places.set(place, shared);
      }
      const access = place.resource(shardAccess);
      return new Session(new SessionState(args, access, shared, new Random(0)), self);
    },
  };
}
