/**
 * The node's side of its cluster actor: it starts it, keeps links and the formation for it, and knows
 * how the node stands. The same for a real node and in the simulator.
 */
import type { Door, Doors, PlaceId, Ref } from '../actors/index.js';
import { assert, unreachable } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import {
  type ClusterArguments,
  type ClusterInput,
  type Formation,
  type FromHostMessage,
  type HostMessage,
  hostMessages,
  type Peer,
  type StateMessage,
} from '../cluster/index.js';
import { activityAt, type PeersMessage } from '../sql/index.js';
import type { AdminMessage } from '../sql/session/protocol.js';

export interface PeerAddress {
  /** `host:port`. */
  readonly address: string;
  /** Undefined where only the address is known. */
  readonly node: NodeId | undefined;
}

/** What brings nodes together. */
export interface Links {
  /** Keep a link to each of these; links that others have made stay. */
  connect(peers: readonly PeerAddress[]): void;
}

/** Keeps the formation of the node. */
export interface FormationStore {
  /** What is durable. */
  readonly formation: Formation | undefined;
  /** Calls `done` when it is durable. */
  write(formation: Formation, done: () => void): void;
}

export interface ClusterHostParts {
  readonly doors: Doors;
  readonly args: Omit<ClusterArguments, 'host'>;
  readonly links: Links;
  readonly store: FormationStore;
  /** The state has changed. */
  readonly onState: (state: StateMessage) => void;
  /** An operator wants the node to stop, or to log more or less. */
  readonly onControl: (
    control: Extract<HostMessage, { kind: 'cluster.control' }>['control'],
  ) => void;
}

export class ClusterHost {
  /** Who answers functions of schema `shardforge`. */
  readonly admin: Ref<AdminMessage>;
  readonly #parts: ClusterHostParts;
  readonly #actor: Ref<ClusterInput>;
  readonly #door: Door<HostMessage>;
  readonly #peers = new Map<NodeId, Peer>();
  #state: StateMessage | undefined;
  #handedOver: (() => void) | undefined;

  constructor(parts: ClusterHostParts) {
    this.#parts = parts;
    const { doors, args } = parts;
    this.#door = doors.door<HostMessage>('cluster-host', hostMessages, (message) =>
      this.#take(message),
    );
    const whole: ClusterArguments = { ...args, host: this.#door.ref };
    this.#actor = doors.spawn<ClusterInput>('cluster', 'cluster', whole, 0 as PlaceId);
    this.admin = this.#actor;
  }

  /** How the node stands; undefined until the actor has told it. */
  get state(): StateMessage | undefined {
    return this.#state;
  }

  /** There is a link to the peer. */
  peerUp(peer: Peer): void {
    this.#peers.set(peer.node, peer);
    this.#tellActivity();
    this.#post({ kind: 'cluster.peerUp', peer });
  }

  /** There is none any more. */
  peerDown(node: NodeId): void {
    if (!this.#peers.delete(node)) return;
    this.#tellActivity();
    this.#post({ kind: 'cluster.peerDown', node });
  }

  /** This node takes SQL at `address`, `host:port`. */
  listens(address: string): void {
    this.#post({ kind: 'cluster.http', address });
  }

  /** Has another node lead, if this one does; `done` is called when that is so or was given up. */
  handOver(done: () => void): void {
    assert(this.#handedOver === undefined, 'a node hands over once');
    this.#handedOver = done;
    this.#post({ kind: 'cluster.handOver' });
  }

  /** Has all that is known of the cluster logged. */
  dump(): void {
    this.#post({ kind: 'cluster.dump' });
  }

  /** Whom sessions may ask what others do. */
  #tellActivity(): void {
    const { node, replica } = this.#parts.args;
    const nodes = [...this.#peers.keys()];
    this.#door.post<PeersMessage>(activityAt(node, replica.place), { kind: 'sql.peers', nodes });
  }

  #post(message: FromHostMessage): void {
    this.#door.post<FromHostMessage>(this.#actor, message);
  }

  #take(message: HostMessage): void {
    const { links, store, onState, onControl } = this.#parts;
    switch (message.kind) {
      case 'cluster.begin':
        this.#post({
          ...{ kind: 'cluster.given', formation: store.formation },
          peers: [...this.#peers.values()],
        });
        return;
      case 'cluster.connect':
        links.connect(message.peers);
        return;
      case 'cluster.store':
        store.write(message.formation, () => this.#post({ kind: 'cluster.stored' }));
        return;
      case 'cluster.state':
        this.#state = message;
        onState(message);
        return;
      case 'cluster.handedOver':
        this.#handedOver?.();
        return;
      case 'cluster.control':
        onControl(message.control);
        return;
      default:
        unreachable(message);
    }
  }
}
