/**
 * What the cluster actor exchanges with the composition of its node, which owns links, files and
 * process (`cluster.begin` and so on), and with the cluster actors of other nodes.
 *
 * Every message between nodes carries the id of the cluster; who belongs to another one ignores it.
 * All may be lost and repeated: what matters is sent again until its effect is seen.
 */
import type { Message, PlaceId, Ref } from '../actors/actor.js';
import type { NodeId, Timestamp } from '../base/ids.js';
import type { RaftTiming } from '../raft/index.js';
import type { ReplicaArguments } from '../shard/index.js';
import type { ClusterLimits } from './limits.js';
import type { AdminMessage, AdminValue, ErrorFields } from '../sql/session/protocol.js';

/** `learner`: gets the data and has no vote. `witness`: votes and keeps no data. */
export type Role = 'voter' | 'learner' | 'witness';

/** One of those who formed a cluster. */
export interface Founder {
  readonly node: NodeId;
  /** UUID of its directory: the same number with another directory is another node. */
  readonly instance: string;
  /** `host:port` of its mesh. */
  readonly address: string;
  readonly role: Role;
}

/** That a node belongs to a cluster. Durable before the node starts its replica, and for good. */
export interface Formation {
  /** A UUID. */
  readonly clusterId: string;
  /** What this node is in it, for good. */
  readonly role: Role;
  /** By node, the first members of the group; empty on a node that joined later. */
  readonly founders: readonly Founder[];
  /**
   * `host:port` of the meshes of those who were members when this node joined; empty on a founder. Until it has a
   * state that says where the members are, it reaches them there: they may wait for its vote to tell it.
   */
  readonly contacts: readonly string[];
}

/** How the actor (kind `cluster`, name `cluster`, place 0) is spawned: plain data. */
export interface ClusterArguments {
  readonly node: NodeId;
  readonly instance: string;
  /** `host:port` under which other nodes reach this one; undefined: it talks to none. */
  readonly address: string | undefined;
  readonly role: Role;
  readonly seeds: readonly string[];
  readonly join: readonly string[];
  /** A fresh UUID, taken should this node be the one to form a cluster. */
  readonly newClusterId: string;
  readonly version: string;
  readonly host: Ref<HostMessage>;
  readonly replica: {
    readonly ref: Ref<never>;
    readonly place: PlaceId;
    /** What does not depend on the cluster that the node comes to belong to. */
    readonly parts: ReplicaParts;
  };
  readonly limits?: Partial<ClusterLimits>;
}

export type ReplicaParts = Omit<
  ReplicaArguments,
  'clusterId' | 'genesis' | 'witness' | 'timing'
> & {
  readonly timing: RaftTiming;
};

/** To the composition: the actor has started, also again after a failure. Answered by `cluster.given`. */
export interface BeginMessage extends Message {
  readonly kind: 'cluster.begin';
}

/** To the composition: keep links to these, and to no others by one's own doing. */
export interface ConnectMessage extends Message {
  readonly kind: 'cluster.connect';
  /** `node` is undefined where only the address is known. */
  readonly peers: readonly { readonly address: string; readonly node: NodeId | undefined }[];
}

/** To the composition: make this durable. Answered by `cluster.stored`. */
export interface StoreMessage extends Message {
  readonly kind: 'cluster.store';
  readonly formation: Formation;
}

/** To the composition: how the node stands, for readiness, health and metrics. Sent at each change. */
export interface StateMessage extends Message {
  readonly kind: 'cluster.state';
  /** Why SQL is not served; undefined while it is. */
  readonly notReady: string | undefined;
  readonly clusterId: string | undefined;
  readonly leader: NodeId | undefined;
  /** Where the leader takes SQL, `host:port`; undefined when unknown. */
  readonly leaderHttp: string | undefined;
  readonly leads: boolean;
  readonly voters: number;
  /** Voters that live, itself among them. */
  readonly votersAlive: number;
  readonly members: number;
}

/** To the composition: another leads, or none could be found in time. */
export interface HandedOverMessage extends Message {
  readonly kind: 'cluster.handedOver';
}

/** To the composition: the operator wants it so. */
export interface ControlMessage extends Message {
  readonly kind: 'cluster.control';
  readonly control: { readonly stop: true } | { readonly logLevel: string };
}

export type HostMessage =
  | BeginMessage
  | ConnectMessage
  | StoreMessage
  | StateMessage
  | HandedOverMessage
  | ControlMessage;

/** From the composition, at the start: what it knows. */
export interface GivenMessage extends Message {
  readonly kind: 'cluster.given';
  /** Its replica was started with it. */
  readonly formation: Formation | undefined;
  readonly peers: readonly Peer[];
}

export interface StoredMessage extends Message {
  readonly kind: 'cluster.stored';
}

/** Another node, as the link to it has found out. */
export interface Peer {
  readonly node: NodeId;
  readonly instance: string;
}

/** From the composition: there is a link to the node. */
export interface PeerUpMessage extends Message {
  readonly kind: 'cluster.peerUp';
  readonly peer: Peer;
}

/** From the composition: there is none any more. */
export interface PeerDownMessage extends Message {
  readonly kind: 'cluster.peerDown';
  readonly node: NodeId;
}

/** From the composition: where this node takes SQL, `host:port`. */
export interface HttpMessage extends Message {
  readonly kind: 'cluster.http';
  readonly address: string;
}

/** From the composition: the node is about to stop. Answered by `cluster.handedOver`. */
export interface HandOverMessage extends Message {
  readonly kind: 'cluster.handOver';
}

/** From the composition: log all that is known. */
export interface DumpMessage extends Message {
  readonly kind: 'cluster.dump';
}

/** Purpose: who one is. To every linked node, when the link is up and again until both agree. */
export interface HelloMessage extends Message {
  readonly kind: 'cluster.hello';
  readonly from: NodeId;
  readonly instance: string;
  readonly address: string;
  /** Where it takes SQL; empty when nowhere. */
  readonly http: string;
  readonly role: Role;
  /** The cluster that it belongs to, or is about to: set before that is durable. */
  readonly clusterId: string | undefined;
  readonly seeds: readonly string[];
  /** It asks to be made a member. */
  readonly joins: boolean;
  /** The sender knows too little of the receiver, which shall greet it. */
  readonly asks: boolean;
  readonly version: string;
}

/** Purpose: a node that wants to join has greeted a member that does not lead. To the leader. */
export interface AdmitMessage extends Message {
  readonly kind: 'cluster.admit';
  readonly clusterId: string;
  readonly hello: HelloMessage;
}

/** Purpose: the receiver belongs to this cluster. From a founder or the leader to an empty node. */
export interface FormMessage extends Message {
  readonly kind: 'cluster.form';
  readonly from: NodeId;
  /** The receiver it is meant for. */
  readonly instance: string;
  readonly formation: Formation;
}

/** Purpose: the receiver does not belong to this cluster, and why. */
export interface RefuseMessage extends Message {
  readonly kind: 'cluster.refuse';
  readonly from: NodeId;
  readonly clusterId: string;
  readonly instance: string;
  readonly reason: string;
}

/** Purpose: the sender's process lives, and whose beats it hears. To every linked member. */
export interface BeatMessage extends Message {
  readonly kind: 'cluster.beat';
  readonly from: NodeId;
  readonly clusterId: string;
  readonly hears: readonly NodeId[];
}

/** Purpose: a command for the leader. Sent again, also to the next leader; carrying it out twice does no harm. */
export interface CommandMessage extends Message {
  readonly kind: 'cluster.command';
  readonly from: NodeId;
  readonly clusterId: string;
  readonly token: number;
  readonly name: string;
  readonly arguments: readonly AdminValue[];
}

/** Purpose: what came of a command. `again`: the sender does not lead, or could not do it now. */
export interface OutcomeMessage extends Message {
  readonly kind: 'cluster.outcome';
  readonly clusterId: string;
  readonly token: number;
  readonly value?: AdminValue;
  readonly error?: ErrorFields;
  readonly again?: boolean;
}

/** Purpose: asks how a node stands, or for the hash of a piece of what its replica holds. */
export interface AskMessage extends Message {
  readonly kind: 'cluster.ask';
  readonly from: NodeId;
  readonly clusterId: string;
  readonly token: number;
  readonly about: 'status' | 'hash';
  /** Of a hash: as of this timestamp; undefined: of now, whose timestamp comes with the answer. */
  readonly at: Timestamp | undefined;
  /** Of a hash, in hex: where the piece begins; empty is the beginning of the key space. */
  readonly start: string;
  /** Where it ends; undefined: with the key space, or, without `at`, where the replica likes. */
  readonly end: string | undefined;
}

/** Purpose: how it stands. */
export interface ToldMessage extends Message {
  readonly kind: 'cluster.told';
  readonly from: NodeId;
  readonly clusterId: string;
  readonly token: number;
  readonly report: AdminValue;
}

export type PeerMessage =
  | HelloMessage
  | AdmitMessage
  | FormMessage
  | RefuseMessage
  | BeatMessage
  | CommandMessage
  | OutcomeMessage
  | AskMessage
  | ToldMessage;

export type FromHostMessage =
  | GivenMessage
  | StoredMessage
  | PeerUpMessage
  | PeerDownMessage
  | HttpMessage
  | HandOverMessage
  | DumpMessage;

/** What others than the replica send to a cluster actor. */
export type ClusterInput = FromHostMessage | PeerMessage | AdminMessage;
