/** The mesh of a node as its configuration has it. */
import type { Runtime } from '../actors/index.js';
import type { Metrics } from '../base/metrics.js';
import { raise } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import type { Peer } from '../cluster/index.js';
import type { Log } from '../net/index.js';
import type { PeerAddress } from './cluster-host.js';
import type { NodeConfig } from './config.js';
import type { Identity } from './identity.js';

export interface Mesh {
  /** `host:port` where it listens. */
  readonly address: string;
  /** `host:port` where others reach it. */
  readonly advertise: string;
  connect(peers: readonly PeerAddress[]): void;
  close(): Promise<void>;
}

export interface NodeMeshParts {
  readonly config: NodeConfig;
  readonly identity: Identity;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly onPeer: (peer: Peer) => void;
  readonly onPeerLost: (node: NodeId) => void;
}

export async function openNodeMesh(_parts: NodeMeshParts): Promise<Mesh> {
  raise('feature_not_supported', 'no mesh yet');
}
