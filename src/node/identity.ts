/** Who a node is: what its directory remembers, or what is made up for a node in memory. */
import { randomUUID } from 'node:crypto';
import type { NodeId } from '../base/ids.js';
import { DatabaseError } from '../base/errors.js';
import { type Formation, formationOfRecord, type ReplicaParts } from '../cluster/index.js';
import { type Directory, openDirectory } from '../storage/index.js';
import type { FormationStore } from './cluster-host.js';
import { inMemory, type NodeConfig } from './config.js';
import { onlyShard } from './place.js';
import { timingOf } from './timing.js';

export interface Identity {
  readonly node: NodeId;
  /** UUID of the directory. */
  readonly instance: string;
  /** A number that no earlier start had. */
  readonly incarnation: number;
  /** Undefined in memory. */
  readonly directory: Directory | undefined;
  readonly formations: FormationStore;
}

/** Opens the directory of the node; raises what {@link openDirectory} raises. */
export async function openIdentity(config: NodeConfig, createdBy: string): Promise<Identity> {
  const node = config.node.id as NodeId;
  const { directory: path, stores } = config.data;
  if (path === inMemory) {
    const instance = randomUUID();
    const formation = alone(node, instance, randomUUID());
    const write = (): never => {
      throw new DatabaseError('internal_error', 'a node in memory belongs to its own cluster');
    };
    return {
      node,
      instance,
      incarnation: 1,
      directory: undefined,
      formations: { formation, write },
    };
  }
  // A node with a mesh waits until a cluster is formed; without one it is a cluster of its own.
  const unformed = config.mesh.enabled;
  const directory = await openDirectory(path, { stores, nodeId: node, createdBy, unformed });
  try {
    const { instance, incarnation } = directory;
    if (directory.nodeId !== node) {
      const belongs = `${directory.path} belongs to node ${directory.nodeId}`;
      throw new DatabaseError('directory_foreign', `${belongs}, and node.id is ${node}`);
    }
    return { node, instance, incarnation, directory, formations: formationsOf(directory) };
  } catch (error) {
    await directory.close();
    throw error;
  }
}

/** The arguments of the node's replica that do not depend on its cluster. */
export function replicaParts(config: NodeConfig, identity: Identity): ReplicaParts {
  const { node, incarnation } = identity;
  return {
    shard: onlyShard,
    node,
    incarnation,
    timing: timingOf(config.raft),
    packing: config.mesh.snapshotCompression,
    observer: { node, place: 0 as never, name: 'cluster' },
  };
}

function formationsOf(directory: Directory): FormationStore {
  let formation = formationIn(directory);
  return {
    get formation() {
      return formation;
    },
    write(taken, done) {
      directory.writeFormation(taken);
      formation = taken;
      done();
    },
  };
}

function formationIn(directory: Directory): Formation | undefined {
  const { formation, clusterId, nodeId, instance, path } = directory;
  if (formation === undefined) {
    return clusterId === undefined ? undefined : alone(nodeId, instance, clusterId);
  }
  try {
    return formationOfRecord(formation);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    throw new DatabaseError('directory_damaged', `cluster.json of ${path}: ${error.message}`);
  }
}

/** The formation of a node that is a cluster of its own. */
function alone(node: NodeId, instance: string, clusterId: string): Formation {
  return {
    clusterId,
    role: 'voter',
    founders: [{ node, instance, address: '', role: 'voter' }],
    contacts: [],
  };
}
