/**
 * What lies at the place of a store: engine, replica, SQL. The one composition that the main thread,
 * worker threads and the simulator use; it opens nothing and reads no clock.
 */
import type { Dispatcher, PlaceId, Ref } from '../actors/index.js';
import { assert } from '../base/assert.js';
import { DatabaseError, raise } from '../base/errors.js';
import type { NodeId, ShardId } from '../base/ids.js';
import { type MetricSample, Metrics } from '../base/metrics.js';
import { clusterKind, hostMessages } from '../cluster/index.js';
import {
  type EngineFailedMessage,
  type ReplicaArguments,
  type ReplicaMessage,
  replicaKind,
  ShardDoor,
  shardDoor,
  type ShardLimits,
  chunkPacker,
  shardMetrics,
  storeEngine,
} from '../shard/index.js';
import { zlibPacker } from './packer.js';
import { type Refusal, shardAccess } from '../shard/protocol.js';
import {
  accountsAnswers,
  accountsKind,
  accountsName,
  activityKind,
  activityName,
  parseMessageTypes,
  type SessionCapabilities,
  type SessionLimits,
  sessionAnswerTypes,
  sessionKind,
  SessionRegistry,
  sessionRegistry,
} from '../sql/index.js';
import type { Engine } from '../storage/index.js';
import { engineSamples } from './engine-metrics.js';
import { defaultTiming } from './timing.js';
import './value-classes.js';

/** The place of store 0, where the only shard lives, and with it all sessions. */
export const shardPlace = 1 as PlaceId;
export const onlyShard = 1 as ShardId;

export interface PlaceParts {
  readonly engine: Engine;
  readonly node: NodeId;
  /**
   * The replica that the place starts with; undefined while the node belongs to no cluster: its cluster
   * actor starts the replica then.
   */
  readonly replica: ReplicaArguments | undefined;
}

/** The replica of the node's place. */
export function replicaRef(node: NodeId): Ref<ReplicaMessage> {
  return { node, place: shardPlace, name: `replica/${onlyShard}` };
}

/** The replica of a node that is a cluster of its own. */
export function loneReplica(parts: {
  readonly node: NodeId;
  /** A number that no earlier start of any node had. */
  readonly incarnation: number;
  /** UUID of the cluster. */
  readonly clusterId: string;
  /** Other limits of the shard than the defaults: the simulator reaches the edges. */
  readonly limits?: Partial<ShardLimits>;
}): ReplicaArguments {
  const genesis = { voters: [parts.node], learners: [], witnesses: [] };
  return { shard: onlyShard, genesis, timing: defaultTiming, ...parts };
}

export interface ComposedPlace {
  readonly id: PlaceId;
  readonly engine: Engine;
  /** False until the shard of the place serves reads and writes; always true where none lives. */
  ready(): boolean;
  metrics(): readonly MetricSample[];
}

/**
 * Makes the actor kinds of a node known to a thread; once per dispatcher. What the sessions of the
 * thread count is counted in the metrics that it gives.
 */
export function registerKinds(
  dispatcher: Dispatcher,
  limits: Partial<SessionLimits> = {},
  capabilities: SessionCapabilities = {},
): Metrics {
  const metrics = new Metrics();
  dispatcher.registerKind(replicaKind);
  dispatcher.registerKind(activityKind);
  dispatcher.registerKind(sessionKind({ metrics, limits, ...capabilities }));
  dispatcher.registerKind(accountsKind);
  dispatcher.registerMessages(accountsAnswers);
  // Sessions send them to doors, which are on the main thread.
  dispatcher.registerMessages(sessionAnswerTypes);
  dispatcher.registerMessages(parseMessageTypes);
  dispatcher.registerKind(clusterKind(metrics));
  dispatcher.registerMessages(hostMessages);
  return metrics;
}

/**
 * Composes the place of one store and starts its replica. The SQL parser must be loaded, and the
 * kinds registered. Throws what the replica throws when its data are not sound.
 */
export function composePlace(
  dispatcher: Dispatcher,
  id: PlaceId,
  parts: PlaceParts,
): ComposedPlace {
  assert(id >= shardPlace, 'a store has a place', id);
  const { engine, node, replica: args } = parts;
  const metrics = new Metrics();
  const replica = replicaRef(node);
  if (id === shardPlace) {
    // Heard before the dispatcher, which ends the process: whoever waits for a commit is told.
    engine.onDurable((failure) => {
      if (failure !== undefined) dispatcher.post(replica, engineFailed(failure));
    });
  }
  const place = dispatcher.addPlace(id, engine);
  place.provide(storeEngine, engine);
  place.provide(shardMetrics, metrics);
  place.provide(chunkPacker, zlibPacker);
  const door = new ShardDoor(onlyShard, replica);
  if (id === shardPlace) {
    place.provide(shardAccess, door);
    place.provide(shardDoor, door);
    place.provide(sessionRegistry, new SessionRegistry());
    dispatcher.spawn(activityKind.kind, activityName, {}, shardPlace);
    if (args === undefined) door.refuse(notInCluster);
    else startReplica(dispatcher, replica, args, door);
    dispatcher.spawn(accountsKind.kind, accountsName, {}, id);
  }
  return {
    id,
    engine,
    ready: () => (id === shardPlace ? door.refusal === undefined : true),
    metrics: () => [...engineSamples(id - shardPlace, engine.stats()), ...metrics.snapshot()],
  };
}

const notInCluster: Refusal = {
  reason: 'not_in_cluster',
  text: 'the node belongs to no cluster yet',
};

/** A replica that throws when it is made is tried again by the runtime: here that is no start. */
function startReplica(
  dispatcher: Dispatcher,
  { name }: Ref<ReplicaMessage>,
  args: ReplicaArguments,
  door: ShardDoor,
): void {
  dispatcher.spawn(replicaKind.kind, name, args, shardPlace);
  if (!door.attached) raise('data_corrupted', 'the shard cannot be read; the log says why');
}

function engineFailed(failure: Error): EngineFailedMessage {
  const reason = failure instanceof DatabaseError ? failure.kind : 'io_error';
  return { kind: 'shard.engineFailed', reason, text: failure.message };
}
