import { assert, unreachable } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import type { ReplicaArguments } from '../shard/index.js';
import type { FollowMessage, InspectMessage } from '../shard/protocol.js';
import type { Changes } from './changes.js';
import { founding, genesisOf, mayTake } from './formation.js';
import { memberSpan } from './members.js';
import type {
  AdmitMessage,
  FormMessage,
  Formation,
  HelloMessage,
  RefuseMessage,
  ReplicaParts,
} from './protocol.js';
import type { Turn, View } from './view.js';

/** The arguments of a replica of the cluster; also for a node that starts as its member. */
export function replicaArguments(parts: ReplicaParts, formation: Formation): ReplicaArguments {
  const { clusterId, role } = formation;
  return { ...parts, clusterId, genesis: genesisOf(formation), witness: role === 'witness' };
}

export class Joining {
  readonly #view: View;
  readonly #changes: Changes;
  /** What an empty node waits for. */
  #waitsFor = 'it is starting';
  readonly #strangers = new Set<NodeId>();

  constructor(view: View, changes: Changes) {
    this.#view = view;
    this.#changes = changes;
  }

  /** Why SQL is not served; undefined while it is. */
  get notReady(): string | undefined {
    const { phase, refused, news, node } = this.#view;
    if (refused !== undefined) return refused;
    switch (phase) {
      case 'starting':
        return 'the node is starting';
      case 'empty':
        return `node ${node} belongs to no cluster: ${this.#waitsFor}`;
      case 'storing':
        return `node ${node} is about to belong to a cluster`;
      case 'formed':
        return news === undefined ? 'the replica is starting' : news.refusal?.text;
      default:
        return unreachable(phase);
    }
  }

  /** The composition has started the replica of this formation, or there is none yet. */
  begin(formation: Formation | undefined, context: Turn): void {
    const view = this.#view;
    view.phase = formation === undefined ? 'empty' : 'formed';
    if (formation === undefined) return;
    view.formation = formation;
    this.#attach(context);
  }

  /** Forms a cluster if it is this node's to do so now. */
  consider(context: Turn): void {
    const view = this.#view;
    if (view.phase !== 'empty' || view.refused !== undefined) return;
    const { seeds, newClusterId } = view.args;
    const before = this.#waitsFor;
    if (view.join.length > 0) {
      this.#waitsFor = `it asks ${view.join.join(', ')} to be made a member`;
    } else if (seeds.length === 0) {
      this.#waitsFor = 'it waits for `shardforge cluster init` or `cluster join`';
    } else {
      const decision = founding(view.hello(), [...view.greeted.values()], newClusterId);
      if (decision.kind === 'forms') {
        this.take(decision.formation, context);
        return;
      }
      this.#waitsFor = decision.reason;
    }
    if (this.#waitsFor !== before) {
      context.log('info', 'cluster.waits', { reason: this.#waitsFor });
    }
  }

  /** Takes a formation, once in the life of a node. It counts when it is durable. */
  take(formation: Formation, context: Turn): void {
    const view = this.#view;
    assert(view.phase === 'empty', 'a node belongs to one cluster', view.clusterId);
    view.phase = 'storing';
    view.formation = formation;
    context.log('info', 'cluster.forming', {
      clusterId: formation.clusterId,
      founders: formation.founders.map(({ node }) => node),
    });
    context.send(view.args.host, { kind: 'cluster.store', formation });
  }

  /** The formation is durable: the replica may start. */
  onStored(context: Turn): void {
    const view = this.#view;
    const { formation } = view;
    if (view.phase !== 'storing' || formation === undefined) return;
    view.phase = 'formed';
    view.join = [];
    const { ref, place, parts } = view.args.replica;
    context.spawn('replica', ref.name, replicaArguments(parts, formation), place);
    context.log('info', 'cluster.formed', { clusterId: formation.clusterId });
    this.#attach(context);
  }

  onForm({ from, instance, formation }: FormMessage, context: Turn): void {
    const view = this.#view;
    if (instance !== view.args.instance) return;
    if (view.phase === 'empty' && view.refused === undefined && mayTake(view.hello(), formation)) {
      context.probe('cluster.formationTaken');
      this.take(formation, context);
    } else if (view.clusterId !== undefined && view.clusterId !== formation.clusterId) {
      this.#warnOnce(from, `offers cluster ${formation.clusterId}`, context);
    }
  }

  onRefuse({ from, clusterId, instance, reason }: RefuseMessage, context: Turn): void {
    const view = this.#view;
    if (instance !== view.args.instance) return;
    if (view.clusterId !== undefined && view.clusterId !== clusterId) {
      this.#warnOnce(from, `belongs to cluster ${clusterId}: ${reason}`, context);
      return;
    }
    if (view.refused === reason) return;
    view.refused = reason;
    context.probe('cluster.refused');
    context.log('error', 'cluster.refused', { by: from, clusterId, reason });
  }

  /** What a member says to a node that has greeted it. */
  onGreeted(hello: HelloMessage, context: Turn): void {
    const view = this.#view;
    const { formation, phase } = view;
    if (phase !== 'formed' || formation === undefined) return;
    const { from: node, instance, clusterId } = hello;
    if (clusterId !== undefined && clusterId !== formation.clusterId) {
      this.#warnOnce(node, `belongs to cluster ${clusterId}`, context);
      this.#refuse(hello, `node ${view.node} belongs to cluster ${formation.clusterId}`, context);
      return;
    }
    const row = view.rows.get(node);
    const founder = formation.founders.find((each) => each.node === node);
    const known = row ?? founder;
    if (known === undefined) {
      if (hello.joins) this.#admit(hello, context);
    } else if (known.instance !== instance) {
      const reason = `node id ${node} was given to another directory of cluster ${formation.clusterId}`;
      this.#refuse(hello, reason, context);
    } else if (row?.state === 'gone') {
      this.#refuse(hello, `node ${node} was removed from cluster ${formation.clusterId}`, context);
    } else if (clusterId === undefined) {
      // Founders must have the founders' list: their logs begin with it.
      if (founder !== undefined) this.#form(hello, formation, context);
      else if (hello.joins) {
        const contacts = [...view.rows.values()]
          .filter(({ node: member, state }) => member !== node && state !== 'gone')
          .map(({ address }) => address);
        this.#form(hello, { ...formation, founders: [], contacts }, context);
      }
    }
  }

  /** A member that does not lead was asked for admission. */
  onAdmit({ clusterId, hello }: AdmitMessage, context: Turn): void {
    if (clusterId === this.#view.clusterId) this.#changes.admit(hello, context);
  }

  #admit(hello: HelloMessage, context: Turn): void {
    const { leader, leads, clusterId } = this.#view;
    if (leads) this.#changes.admit(hello, context);
    else if (leader !== undefined && clusterId !== undefined) {
      const message: AdmitMessage = { kind: 'cluster.admit', clusterId, hello };
      this.#view.toPeer(leader, message, context);
    }
  }

  #form({ from: to, instance, role }: HelloMessage, formation: Formation, context: Turn): void {
    const { node } = this.#view;
    const message: FormMessage = {
      ...{ kind: 'cluster.form', from: node, instance, formation: { ...formation, role } },
    };
    this.#view.toPeer(to, message, context);
  }

  #refuse({ from: to, instance }: HelloMessage, reason: string, context: Turn): void {
    const { node, clusterId = '' } = this.#view;
    const message: RefuseMessage = {
      ...{ kind: 'cluster.refuse', from: node, clusterId, instance, reason },
    };
    this.#view.toPeer(to, message, context);
  }

  /** Has the replica tell of itself and of the members' rows. */
  #attach(context: Turn): void {
    const follow: FollowMessage = {
      kind: 'shard.follow',
      span: memberSpan,
      replyTo: context.self,
    };
    this.#view.toReplica(follow, context);
    const inspect: InspectMessage = { kind: 'shard.inspect', token: 0, replyTo: context.self };
    this.#view.toReplica(inspect, context);
  }

  #warnOnce(node: NodeId, what: string, context: Turn): void {
    if (this.#strangers.has(node)) return;
    this.#strangers.add(node);
    context.probe('cluster.stranger');
    context.log('warn', 'cluster.stranger', { node, what });
  }
}
