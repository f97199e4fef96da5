/** What a replica finds at its place; the composition root provides it. */
import type { ResourceToken } from '../actors/actor.js';
import type { Metrics } from '../base/metrics.js';
import type { Engine } from '../storage/index.js';
import type { ShardDoor } from './door.js';

/** The engine of the store; the place's journal commits to it. */
export const storeEngine: ResourceToken<Engine> = { name: 'store.engine' };
/** Where the shards of the place count. */
export const shardMetrics: ResourceToken<Metrics> = { name: 'shard.metrics' };
/** Where the replica of the place attaches what sessions find as `shardAccess`. */
export const shardDoor: ResourceToken<ShardDoor> = { name: 'shard.door' };
