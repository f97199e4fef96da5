/** Boot module of bench/groups.ts: one store with many Raft groups, and nothing else of a node. */
import type { Boot, Place, PlaceId } from '#src/actors/index.js';
import type { NodeId, ShardId } from '#src/base/ids.js';
import { Metrics } from '#src/base/metrics.js';
import {
  defaultRaftTiming,
  type ReplicaArguments,
  replicaKind,
  ShardDoor,
  shardDoor,
  chunkPacker,
  shardMetrics,
  storeEngine,
} from '#src/shard/index.js';
import { zlibPacker } from '#src/node/index.js';
import { type Engine, openDirectory, openStore } from '#src/storage/index.js';

export interface GroupsOptions {
  readonly node: NodeId;
  readonly nodes: readonly NodeId[];
  readonly groups: number;
  readonly directory: string;
}

export const groupsPlace = 1 as PlaceId;

export function groupName(group: number): string {
  return `replica/${group}`;
}

export const beatType = {
  kind: 'bench.beat',
  priority: 'critical',
  flow: 'droppable',
} as const;

export const boot: Boot = async ({ dispatcher, placeIds, options }) => {
  const { node, nodes, groups, directory: path } = options as GroupsOptions;
  dispatcher.registerMessages([beatType]);
  if (!placeIds.includes(groupsPlace)) return { stop: () => Promise.resolve() };
  const directory = await openDirectory(path, { stores: 1, nodeId: node, createdBy: 'bench' });
  const engine: Engine = await openStore({ path: directory.storePath(0) });
  const metrics = new Metrics();
  const doors = new Map<string, ShardDoor>();
  dispatcher.registerKind({
    ...replicaKind,
    create(args: ReplicaArguments, place, self) {
      const door = new ShardDoor(args.shard, self);
      doors.set(self.name, door);
      // A place of a node has one replica of a shard, and one door for sessions: here each has its own.
      const own: Place = {
        id: place.id,
        provide: (token, resource) => place.provide(token, resource),
        resource: (token) =>
          (token.name === shardDoor.name ? door : place.resource(token)) as never,
      };
      return replicaKind.create(args, own, self);
    },
  });
  const place = dispatcher.addPlace(groupsPlace, engine);
  place.provide(storeEngine, engine);
  place.provide(shardMetrics, metrics);
  place.provide(chunkPacker, zlibPacker);
  for (let group = 1; group <= groups; group += 1) {
    const args: ReplicaArguments = {
      shard: group as ShardId,
      node,
      incarnation: directory.incarnation,
      clusterId: '00000000-0000-4000-8000-00000000be4c',
      genesis: { voters: nodes, learners: [], witnesses: [] },
      timing: { ...defaultRaftTiming, hibernateMs: 1000 },
    };
    dispatcher.spawn(replicaKind.kind, groupName(group), args, groupsPlace);
  }
  return {
    metrics: () => metrics.snapshot(),
    report: () => [...doors.values()].filter((door) => door.leader === undefined).length,
    stop: async () => {
      await engine.close();
      await directory.close();
    },
  };
};
