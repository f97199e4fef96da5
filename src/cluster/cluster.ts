/**
 * The cluster actor of a node: who belongs to the cluster, who lives, and what operators want.
 *
 * It owns no link, file or process; the composition does, and is told by messages. Its parts decide:
 * {@link Joining} how the node comes to a cluster, {@link Liveness} who lives, {@link Changes} what the
 * leader does so that the group becomes what the rows say, {@link Commands} what operators ask.
 */
import type { Actor } from '../actors/actor.js';
import { unreachable } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import { Changes } from './changes.js';
import { Commands } from './commands.js';
import { Checks } from './checks.js';
import { Gathering, ofStatus } from './gathering.js';
import { Joining } from './joining.js';
import type { ClusterLimits } from './limits.js';
import type { ClusterMessage } from './messages.js';
import type { ClusterSeries } from './metrics.js';
import { Pending } from './pending.js';
import type {
  AskMessage,
  BeatMessage,
  ClusterArguments,
  GivenMessage,
  HelloMessage,
  Peer,
  StateMessage,
  ToldMessage,
} from './protocol.js';
import { objectOf } from './status.js';
import { type Turn, View } from './view.js';

export class ClusterActor implements Actor<ClusterMessage> {
  readonly #view: View;
  readonly #series: ClusterSeries;
  readonly #pending = new Pending();
  readonly #changes: Changes;
  readonly #joining: Joining;
  readonly #gathering: Gathering;
  readonly #checks: Checks;
  readonly #commands: Commands;
  #tickedMs = Number.POSITIVE_INFINITY;
  /** The timer runs: setting it anew with each message would put beats off for ever. */
  #ticking = false;
  /** The timer for regular checks runs. */
  #checking = false;
  #beatMs = Number.NEGATIVE_INFINITY;
  #greetedMs = Number.NEGATIVE_INFINITY;
  /** What the composition was told last, as JSON. */
  #connected = '';
  #state = '';

  constructor(args: ClusterArguments, limits: ClusterLimits, series: ClusterSeries) {
    this.#view = new View(args, limits);
    this.#series = series;
    const view = this.#view;
    const pending = this.#pending;
    this.#changes = new Changes(view, pending);
    this.#joining = new Joining(view, this.#changes);
    const notReady = (): string | undefined => this.#joining.notReady;
    this.#gathering = new Gathering(view, pending, notReady);
    this.#checks = new Checks(view, pending, this.#gathering, series);
    this.#commands = new Commands({
      view,
      pending,
      checks: this.#checks,
      changes: this.#changes,
      gathering: this.#gathering,
      notReady,
      take: (formation, context) => this.#joining.take(formation, context),
      reach: (context) => this.#greetAll(context),
    });
  }

  receive(message: ClusterMessage, context: Turn): void {
    this.#take(message, context);
    if (message.kind === 'cluster.beat') return;
    this.#connect(context);
    this.#tellState(context);
    this.#scheduleTick(context);
    this.#scheduleCheck(context);
  }

  #take(message: ClusterMessage, context: Turn): void {
    const view = this.#view;
    switch (message.kind) {
      case 'actor.started':
        context.send(view.args.host, { kind: 'cluster.begin' });
        return;
      case 'cluster.given':
        this.#begin(message, context);
        return;
      case 'cluster.stored':
        this.#joining.onStored(context);
        this.#greetAll(context);
        return;
      case 'cluster.http':
        view.http = message.address;
        this.#greetAll(context);
        return;
      case 'cluster.peerUp':
        this.#linked(message.peer, context);
        return;
      case 'cluster.peerDown':
        view.linked.delete(message.node);
        view.greeted.delete(message.node);
        if (view.liveness.onLost(message.node))
          this.#down(message.node, 'its link is gone', context);
        return;
      case 'cluster.tick':
        this.#ticking = false;
        this.#tick(context);
        return;
      case 'cluster.check':
        this.#checking = false;
        this.#checks.onDue(context);
        return;
      case 'cluster.handOver':
        this.#handOver(context);
        return;
      case 'cluster.dump':
        this.#dump(context);
        return;
      case 'sql.admin':
        this.#commands.onAdmin(message, context);
        return;
      case 'cluster.hello':
      case 'cluster.admit':
      case 'cluster.form':
      case 'cluster.refuse':
      case 'cluster.beat':
      case 'cluster.command':
      case 'cluster.outcome':
      case 'cluster.ask':
      case 'cluster.told':
        this.#fromPeer(message, context);
        return;
      case 'shard.news':
      case 'shard.followed':
      case 'shard.status':
      case 'shard.changed':
      case 'shard.committed':
      case 'shard.refused':
      case 'shard.hashed':
        this.#fromReplica(message, context);
        return;
      default:
        unreachable(message);
    }
  }

  #fromPeer(
    message: Extract<
      ClusterMessage,
      {
        kind: `cluster.${'hello' | 'admit' | 'form' | 'refuse' | 'beat' | 'command' | 'outcome' | 'ask' | 'told'}`;
      }
    >,
    context: Turn,
  ): void {
    switch (message.kind) {
      case 'cluster.hello':
        this.#onHello(message, context);
        return;
      case 'cluster.form':
        this.#joining.onForm(message, context);
        return;
      case 'cluster.refuse':
        this.#joining.onRefuse(message, context);
        return;
      default:
    }
    // What follows is for members of the same cluster.
    if (message.clusterId !== this.#view.clusterId) {
      this.#series.foreign.value += 1;
      return;
    }
    switch (message.kind) {
      case 'cluster.admit':
        this.#joining.onAdmit(message, context);
        return;
      case 'cluster.beat':
        this.#onBeat(message, context);
        return;
      case 'cluster.command':
        this.#commands.onCommand(message, context);
        return;
      case 'cluster.ask':
        this.#onAsk(message, context);
        return;
      case 'cluster.outcome':
      case 'cluster.told':
        this.#pending.onAnswer(message, context);
        return;
      default:
        unreachable(message);
    }
  }

  #fromReplica(message: Extract<ClusterMessage, { kind: `shard.${string}` }>, context: Turn): void {
    const view = this.#view;
    switch (message.kind) {
      case 'shard.followed':
        view.onFollowed(message, context);
        if (view.rows.get(view.node)?.state === 'gone') {
          view.refused ??= `node ${view.node} was removed from cluster ${view.clusterId}`;
        }
        this.#changes.look(context);
        return;
      case 'shard.news':
        if (message.leader !== view.leader) {
          context.log('info', 'cluster.leader', { leader: message.leader, term: message.term });
        }
        view.news = message;
        this.#changes.look(context);
        return;
      case 'shard.status':
        view.news = { ...message.raft, refusal: message.refusal };
        this.#pending.onAnswer(message, context);
        return;
      default:
        this.#pending.onAnswer(message, context);
    }
  }

  #begin({ formation, peers }: GivenMessage, context: Turn): void {
    this.#joining.begin(formation, context);
    for (const { node, instance } of peers) this.#view.linked.set(node, instance);
    this.#greetAll(context);
  }

  #linked({ node, instance }: Peer, context: Turn): void {
    const { linked, greeted } = this.#view;
    if (linked.get(node) !== instance) greeted.delete(node);
    linked.set(node, instance);
    this.#greet(node, context);
  }

  #greet(node: NodeId, context: Turn, answers = false): void {
    const view = this.#view;
    if (view.phase === 'starting') return;
    const known = view.greeted.get(node);
    // What is known of it may be old: a greeting may be lost. An answer asks for none, or two clusters
    // would greet each other without end.
    const asks = !answers && (known === undefined || known.clusterId !== view.clusterId);
    const hello: HelloMessage = { ...view.hello(), asks };
    view.toPeer(node, hello, context);
  }

  #greetAll(context: Turn): void {
    for (const node of this.#view.linked.keys()) this.#greet(node, context);
    this.#joining.consider(context);
  }

  #onHello(hello: HelloMessage, context: Turn): void {
    const { linked, greeted } = this.#view;
    // Of a link that is gone, or of one that is told of later; it is greeted again.
    if (linked.get(hello.from) !== hello.instance) return;
    greeted.set(hello.from, hello);
    if (hello.asks) this.#greet(hello.from, context, true);
    this.#joining.consider(context);
    this.#joining.onGreeted(hello, context);
    this.#changes.look(context);
  }

  #onBeat({ from, hears }: BeatMessage, context: Turn): void {
    const { linked, liveness } = this.#view;
    if (!linked.has(from)) return;
    this.#series.beats.value += 1;
    if (!liveness.onBeat(from, hears, context.nowMs)) return;
    context.log('info', 'cluster.up', { node: from });
    this.#tellState(context);
  }

  #onAsk({ from, clusterId, token, ...question }: AskMessage, context: Turn): void {
    const view = this.#view;
    this.#gathering.own(question, context, (report = null, later) => {
      const told: ToldMessage = { kind: 'cluster.told', from: view.node, clusterId, token, report };
      view.toPeer(from, told, later);
    });
  }

  #tick(context: Turn): void {
    const view = this.#view;
    const { timing, liveness } = view;
    const { nowMs } = context;
    // The process slept: the beats that came meanwhile wait behind this tick.
    if (nowMs - this.#tickedMs > timing.electionMsMin) {
      context.probe('cluster.slept');
      liveness.forgive(nowMs);
    }
    this.#tickedMs = nowMs;
    // The longest of Raft's own timeouts: a group that is awake needs no hint that comes earlier, and an
    // election without need costs more than a late one. Links that end are told of at once.
    for (const node of liveness.check(nowMs, timing.electionMsMax)) {
      this.#down(node, `no beat for ${timing.electionMsMax} ms`, context);
    }
    // Three in the time after which silence counts; groups that are awake show life more often.
    if (nowMs - this.#beatMs >= timing.electionMsMax / 3 - 1) this.#beat(context);
    if (nowMs - this.#greetedMs >= view.limits.helloMs) this.#greetSome(context);
    this.#pending.expire(context);
    this.#joining.consider(context);
    this.#changes.look(context);
  }

  /** Greets those with whom it does not belong to one cluster yet; tells those who have left. */
  #greetSome(context: Turn): void {
    const { linked, greeted, clusterId, rows } = this.#view;
    this.#greetedMs = context.nowMs;
    for (const node of linked.keys()) {
      const hello = greeted.get(node);
      const agreed = hello?.clusterId !== undefined && hello.clusterId === clusterId;
      if (!agreed) this.#greet(node, context);
      else if (rows.get(node)?.state === 'gone') this.#joining.onGreeted(hello, context);
    }
  }

  #beat(context: Turn): void {
    const { clusterId, greeted, liveness, node } = this.#view;
    if (clusterId === undefined) return;
    this.#beatMs = context.nowMs;
    const hears = liveness.alive;
    for (const hello of greeted.values()) {
      if (hello.clusterId !== clusterId) continue;
      const beat: BeatMessage = { kind: 'cluster.beat', from: node, clusterId, hears };
      this.#view.toPeer(hello.from, beat, context);
    }
  }

  #down(node: NodeId, reason: string, context: Turn): void {
    this.#series.suspicions.value += 1;
    context.probe('cluster.peerDown');
    context.log('warn', 'cluster.down', { node, reason });
    if (this.#view.phase === 'formed') {
      this.#view.toReplica({ kind: 'shard.peerDown', node }, context);
    }
  }

  #handOver(context: Turn): void {
    const view = this.#view;
    const { voters = [], witnesses = [] } = view.configuration ?? {};
    const heirs = voters.filter(
      (voter) => !witnesses.includes(voter) && view.liveness.isAlive(voter),
    );
    const done = (refusal: string | undefined, later: Turn): void => {
      if (refusal !== undefined) later.log('warn', 'cluster.notHandedOver', { reason: refusal });
      later.send(view.args.host, { kind: 'cluster.handedOver' });
    };
    if (!view.leads || heirs.length === 0) done(undefined, context);
    else this.#changes.transfer(undefined, view.limits.handOverMs, context, done);
  }

  #dump(context: Turn): void {
    this.#gathering.own(ofStatus, context, (report, later) =>
      later.log('info', 'node.state', {
        ...objectOf(report),
        phase: this.#view.phase,
        members: [...this.#view.rows.values()],
        change: this.#changes.progress,
        questions: this.#pending.size,
      }),
    );
  }

  /** Tells the composition whom to keep links to, when that has changed. */
  #connect(context: Turn): void {
    const { args, rows, formation, join, phase } = this.#view;
    if (args.address === undefined) return;
    const peers = new Map<string, NodeId | undefined>();
    for (const address of [...args.seeds, ...(phase === 'empty' ? join : [])]) {
      peers.set(address, undefined);
    }
    for (const { node, address } of formation?.founders ?? []) {
      if (!rows.has(node)) peers.set(address, node);
    }
    if (rows.size === 0) {
      for (const address of formation?.contacts ?? []) peers.set(address, undefined);
    }
    for (const { node, address, state } of rows.values()) {
      if (state === 'gone') peers.delete(address);
      else peers.set(address, node);
    }
    peers.delete(args.address);
    peers.delete('');
    const list = [...peers].map(([address, node]) => ({ address, node }));
    const text = JSON.stringify(list);
    if (text === this.#connected) return;
    this.#connected = text;
    context.send(args.host, { kind: 'cluster.connect', peers: list });
  }

  #tellState(context: Turn): void {
    const view = this.#view;
    const voters = view.configuration?.voters ?? [];
    const { alive, leader } = view;
    const state: StateMessage = {
      kind: 'cluster.state',
      notReady: this.#joining.notReady,
      clusterId: view.clusterId,
      leader,
      leaderHttp: this.#httpOf(leader),
      leads: view.leads,
      voters: voters.length,
      votersAlive: voters.filter((voter) => alive.has(voter)).length,
      members: [...view.rows.values()].filter((row) => row.state !== 'gone').length,
    };
    const text = JSON.stringify(state);
    if (text === this.#state) return;
    this.#state = text;
    const series = this.#series;
    series.members.value = state.members;
    series.voters.value = state.voters;
    series.votersAlive.value = state.votersAlive;
    series.ready.value = state.notReady === undefined ? 1 : 0;
    context.send(view.args.host, state);
  }

  #httpOf(node: NodeId | undefined): string | undefined {
    if (node === undefined) return undefined;
    const { http, greeted, rows } = this.#view;
    const address =
      node === this.#view.node ? http : (greeted.get(node)?.http ?? rows.get(node)?.http);
    return address === '' ? undefined : address;
  }

  /** Each node has its own time, and who leads then checks. */
  #scheduleCheck(context: Turn): void {
    const { phase, limits } = this.#view;
    if (this.#checking || phase !== 'formed' || !Number.isFinite(limits.checkIntervalMs)) return;
    this.#checking = true;
    context.setTimer('check', limits.checkIntervalMs, { kind: 'cluster.check' });
  }

  /** A node that is alone with nothing to wait for has no timer. */
  #scheduleTick(context: Turn): void {
    const { args, linked, timing } = this.#view;
    const needed = args.address !== undefined || linked.size > 0 || this.#pending.size > 0;
    if (!needed || this.#ticking) return;
    this.#ticking = true;
    context.setTimer('tick', timing.heartbeatMs, { kind: 'cluster.tick' });
  }
}
