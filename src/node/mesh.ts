/** The mesh of a node as its configuration has it. */
import type { Runtime } from '../actors/index.js';
import type { Metrics } from '../base/metrics.js';
import type { NodeId } from '../base/ids.js';
import { type Peer, reliableMessages } from '../cluster/index.js';
import type { Log } from '../net/index.js';
import { type Mesh, type MeshOptions, openMesh } from '../net/mesh/index.js';
import type { NodeConfig } from './config.js';
import type { Identity } from './identity.js';

export interface NodeMeshParts {
  readonly config: NodeConfig;
  readonly identity: Identity;
  readonly runtime: Runtime;
  readonly version: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly onPeer: (peer: Peer) => void;
  readonly onPeerLost: (node: NodeId) => void;
}

/** Listens for other nodes, and has the runtime's messages to them carried. */
export async function openNodeMesh(parts: NodeMeshParts): Promise<Mesh> {
  const { config, identity, runtime, version, log, metrics, onPeer, onPeerLost } = parts;
  const { host, port, advertise, bulkBytesPerSecond } = config.mesh;
  const { node, instance, formations } = identity;
  const mesh = await openMesh({
    ...{ node, instance, version, host, port, advertise, bulkBytesPerSecond, log, metrics },
    clusterId: formations.formation?.clusterId,
    reliable: reliableMessages,
    security: securityOf(config.mesh),
    deliver: (parcel) => runtime.deliver(parcel),
    // Which nodes belong to the cluster is the cluster actor's to say: it can tell the others why.
    onPeer: ({ node: peer, instance: its }) => onPeer({ node: peer, instance: its }),
    onPeerLost,
  });
  runtime.carrier = mesh.carrier;
  runtime.afterDrain(mesh.flush);
  return mesh;
}

function securityOf(mesh: NodeConfig['mesh']): MeshOptions['security'] {
  const { security, secretFile, certificateFile, keyFile, caFile } = mesh;
  switch (security) {
    case 'loopback':
      return { kind: 'loopback' };
    case 'secret':
      return { kind: 'secret', secretFile };
    case 'tls':
      return { kind: 'tls', certificateFile, keyFile, caFile };
  }
}
