/**
 * How the simulator puts a node together: with the same composition as a real one. This is the one
 * file that changes when that does.
 */
import type { Dispatcher, PlaceId } from '../actors/index.js';
import type { NodeId } from '../base/ids.js';
import type { ClusterLimits, ReplicaParts, Role } from '../cluster/index.js';
import { replicaArguments } from '../cluster/index.js';
import {
  ClusterHost,
  composePlace,
  loneReplica,
  onlyShard,
  registerKinds,
  replicaRef,
  Sessions,
  shardPlace,
} from '../node/index.js';
import type { RaftTiming } from '../raft/index.js';
import type { ShardLimits } from '../shard/index.js';
import type { Engine } from '../storage/index.js';
import type { ClockOptions } from './clock.js';
import type { DiskOptions, SimulatedDisk } from './disk.js';
import type { Plant } from './options.js';
import { MemoryFiles } from './temporary-files.js';

/** What a node is like in a run. */
export interface NodeOptions {
  readonly plant: Plant | undefined;
  readonly disk: DiskOptions;
  readonly clock: ClockOptions;
  /** Messages within a node travel as bytes too. */
  readonly encodesAll: boolean;
  /** The chance that a proposal reaches the replica a second time, as after a retry. */
  readonly repeatedProposals: number;
  /** Limits of the shard, small ones too, so that runs reach what is behind them. */
  readonly shardLimits: Partial<ShardLimits>;
}

/** How a node comes to its cluster. */
export interface Membership {
  readonly role: Role;
  /** Those who form the cluster, by node, the same at all of them. Empty: it joins. */
  readonly seeds: readonly NodeId[];
  /** Whom a node asks that joins. */
  readonly join: readonly NodeId[];
  readonly timing: RaftTiming;
  readonly limits: Partial<ClusterLimits>;
}

export interface ComposeParts {
  readonly engine: Engine;
  readonly disk: SimulatedDisk;
  readonly node: NodeId;
  readonly options: NodeOptions;
  /** Undefined: a cluster of its own, without a cluster actor. */
  readonly membership: Membership | undefined;
  /** The node wants links to these. */
  readonly connect: (peers: readonly NodeId[]) => void;
  /** Runs what the process learns from outside. */
  readonly enter: (run: () => void) => void;
}

/** A node whose actors run. */
export interface Composed {
  readonly sessions: Sessions;
  /** False until the node serves SQL. */
  readonly ready: () => boolean;
  readonly host: ClusterHost | undefined;
}

const doorPlace = 0 as PlaceId;
const loneCluster = '00000000-0000-4000-8000-000000000001';

export function compose(dispatcher: Dispatcher, parts: ComposeParts): Composed {
  registerKinds(dispatcher, {}, { spill: new MemoryFiles() });
  return parts.membership === undefined
    ? composeLone(dispatcher, parts)
    : composeMember(dispatcher, parts, parts.membership);
}

function composeLone(dispatcher: Dispatcher, parts: ComposeParts): Composed {
  const { engine, disk, node, options } = parts;
  const { incarnation } = disk.identity;
  const limits = options.shardLimits;
  const replica = loneReplica({ node, incarnation, clusterId: loneCluster, limits });
  const place = composePlace(dispatcher, shardPlace, { engine, node, replica });
  return {
    sessions: new Sessions(dispatcher, shardPlace),
    ready: () => place.ready(),
    host: undefined,
  };
}

function composeMember(
  dispatcher: Dispatcher,
  parts: ComposeParts,
  membership: Membership,
): Composed {
  const { engine, disk, node, options, connect, enter } = parts;
  const { instance, incarnation, formation } = disk.identity;
  const { role, seeds, join, timing, limits } = membership;
  const replicaParts: ReplicaParts = {
    shard: onlyShard,
    node,
    incarnation,
    timing,
    observer: { node, place: doorPlace, name: 'cluster' },
    limits: options.shardLimits,
  };
  const replica = formation && replicaArguments(replicaParts, formation);
  composePlace(dispatcher, shardPlace, { engine, node, replica });
  const host = new ClusterHost({
    doors: dispatcher,
    args: {
      ...{ node, instance, address: addressOf(node), role, limits },
      seeds: seeds.map(addressOf),
      join: join.map(addressOf),
      newClusterId: `c${instance.slice(1)}`,
      version: 'simulated',
      replica: { ref: replicaRef(node), place: shardPlace, parts: replicaParts },
    },
    links: { connect: (peers) => connect(peers.map(({ address }) => nodeAt(address))) },
    store: {
      get formation() {
        return disk.identity.formation;
      },
      write: (taken, done) => disk.writeFormation(taken, done, enter),
    },
    onState: () => undefined,
    onControl: () => undefined,
  });
  return {
    sessions: new Sessions(dispatcher, shardPlace, {
      notReady: () => host.state?.notReady,
      admin: host.admin,
    }),
    ready: () => host.state !== undefined && host.state.notReady === undefined,
    host,
  };
}

function addressOf(node: NodeId): string {
  return `node-${node}:7434`;
}

function nodeAt(address: string): NodeId {
  return Number(address.slice('node-'.length, address.indexOf(':'))) as NodeId;
}
