/** What a mesh is given and what it tells. */
import type { NodeId } from '../../base/ids.js';
import type { Metrics } from '../../base/metrics.js';
import type { Log } from '../host.js';
import type { MeshSecurity } from '../security/index.js';
import type { Arrived } from './inbox.js';
import type { MeshLimits } from './limits.js';

/** Another node, as its hello tells. */
export interface MeshPeer {
  readonly node: NodeId;
  /** UUID of its directory. */
  readonly instance: string;
  readonly version: string;
  /** `host:port` of its mesh as it advertises it. */
  readonly address: string;
  /** The cluster that it belongs to as far as it has told. */
  readonly clusterId: string | undefined;
  /** The address that this node dialed; undefined when the peer dialed. */
  readonly via: string | undefined;
}

/** How a link stands. */
export interface LinkStatus extends MeshPeer {
  /** When it came up, in the clock of the mesh. */
  readonly sinceMs: number;
  /** Of the last ping; undefined before the first answer. */
  readonly roundTripMs: number | undefined;
  readonly queuedBytes: number;
  /** Bulk that was sent and not acknowledged. */
  readonly unackedBulkBytes: number;
  /** Whether the connection for bulk is up too. */
  readonly bulk: boolean;
}

export interface MeshClock {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Calls `tick` again and again; the result ends it. */
  every(ms: number, tick: () => void): () => void;
}

export interface MeshOptions {
  readonly node: NodeId;
  /** UUID of the node's directory. */
  readonly instance: string;
  /** Peers of another cluster are refused. Undefined on a node that belongs to none yet, see `setIdentity`. */
  readonly clusterId: string | undefined;
  /** The version of the program. */
  readonly version: string;
  readonly host: string;
  /** 0 takes any. */
  readonly port: number;
  /** `host:port` where others reach this node; empty: where it listens. */
  readonly advertise?: string;
  readonly security: MeshSecurity;
  /** The most that bulk sends to one peer; 0 is no limit. */
  readonly bulkBytesPerSecond?: number;
  /** Kinds of messages that are acknowledged, and sent again when a link breaks. */
  readonly reliable: readonly string[];
  readonly log: Log;
  readonly metrics: Metrics;
  /** Takes what comes in; valid during the call only. */
  readonly deliver: (parcel: Arrived) => void;
  /** There is a link now; told once until `onPeerLost`. */
  readonly onPeer?: (peer: MeshPeer) => void;
  readonly onPeerLost?: (node: NodeId, reason: string) => void;
  readonly clock?: MeshClock;
  readonly limits?: Partial<MeshLimits>;
  /** Versions of the protocol that it speaks; a test plays a later build. */
  readonly protocol?: { readonly oldest: number; readonly newest: number };
  /** In [0, 1), for jitter. */
  readonly random?: () => number;
}

export const processClock: MeshClock = {
  nowMs: () => performance.now(),
  every: (ms, tick) => {
    const timer = setInterval(tick, ms);
    return () => clearInterval(timer);
  },
};
