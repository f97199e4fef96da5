/** What goes wrong in a group, and what its operators do meanwhile, drawn from the seed. */
import { unreachable } from '../../base/assert.js';
import type { LogIndex, NodeId } from '../../base/ids.js';
import type { Random } from '../../base/random.js';
import type { Members } from '../../raft/index.js';
import type { Configuration } from '../../storage/index.js';
import { suffice } from '../suffice.js';
import type { World } from '../world.js';
import type { GroupEnemy, RaftGroup } from './group.js';
import type { CoreMember } from './member.js';
import { drawTiming, type GroupFault, type GroupOrder } from './options.js';

export class GroupFaults implements GroupEnemy {
  total = 0;
  readonly #world: World;
  readonly #random: Random;
  readonly #group: RaftGroup;
  #stopped = false;
  /** Until then each new leader is cut off from some as soon as it is elected. */
  #shortReignsUntilMs = 0;
  /** Until then members die as soon as they have voted. */
  #crashVotersUntilMs = 0;

  constructor(world: World, random: Random, group: RaftGroup) {
    this.#world = world;
    this.#random = random;
    this.#group = group;
    group.enemy = this;
  }

  start(): void {
    const { options } = this.#group;
    const { faults, faultPauseMsMax, bridgePauseMsMax, orders, orderPauseMsMax } = options;
    if (faults.length > 0)
      this.#repeat(faultPauseMsMax, () => this.#strike(this.#random.pick(faults)));
    if (bridgePauseMsMax < Number.POSITIVE_INFINITY) {
      this.#repeat(bridgePauseMsMax, () => {
        const { leader } = this.#group;
        if (leader?.running.serves === true) this.#bridge(leader);
      });
    }
    if (orders.length > 0)
      this.#repeat(orderPauseMsMax, () => this.#order(this.#random.pick(orders)));
  }

  stop(): void {
    this.#stopped = true;
  }

  onElected(member: CoreMember): void {
    if (this.#world.nowMs > this.#shortReignsUntilMs) return;
    const out = new Set(
      this.#group.members.filter(() => this.#random.chance(0.8)).map(({ id }) => id),
    );
    const both = this.#random.chance(0.5);
    const someRoundTripsMs = this.#random.fraction() * 6 * this.#group.options.delayMsMax;
    this.#world.after(this.#random.chance(0.5) ? 0 : someRoundTripsMs, () => {
      if (this.#stopped) return;
      this.#cut(this.#random.fraction() * 600, (from, to) => {
        return (from === member.id && out.has(to)) || (both && to === member.id && out.has(from));
      });
    });
    if (this.#random.chance(0.4)) this.#crashSoon(member, someRoundTripsMs, 50);
  }

  onVote(member: CoreMember): void {
    if (this.#world.nowMs > this.#crashVotersUntilMs || this.#random.chance(0.3)) return;
    this.#crashSoon(member, 0, 50);
  }

  /** Not within its own turn. */
  #crashSoon(member: CoreMember, delayMs: number, downMsMax: number): void {
    this.#world.after(delayMs, () => {
      if (this.#stopped) return;
      this.#group.crash(member, 0);
      this.#world.after(this.#random.fraction() * downMsMax, () => this.#group.restart(member));
    });
  }

  #repeat(pauseMsMax: number, act: () => void): void {
    this.#world.after(this.#random.fraction() * pauseMsMax, () => {
      if (this.#stopped) return;
      act();
      this.#repeat(pauseMsMax, act);
    });
  }

  /** The leader half of the time. */
  get #victim(): CoreMember {
    const { leader, members } = this.#group;
    return leader !== undefined && this.#random.chance(0.5) ? leader : this.#random.pick(members);
  }

  #strike(fault: GroupFault): void {
    const group = this.#group;
    const victim = this.#victim;
    const durationMs = this.#random.fraction() * group.options.faultMsMax;
    this.total += 1;
    group.count(`fault ${fault}`);
    group.trace(victim, 'fault', `${fault} ${durationMs.toFixed(0)} ms`);
    switch (fault) {
      case 'crash':
        this.#crash([victim], durationMs);
        return;
      case 'restartAtOnce':
        this.#crash([victim], this.#random.fraction() * 5);
        return;
      case 'crashAll':
        this.#crash(group.members, durationMs);
        return;
      case 'rot':
        this.#rot(victim, durationMs);
        return;
      case 'freeze':
      case 'suspend':
        group.freeze(victim, fault === 'suspend');
        this.#world.after(durationMs, () => group.thaw(victim));
        return;
      case 'isolate':
        this.#cut(durationMs, (from, to) => (from === victim.id) !== (to === victim.id));
        return;
      case 'oneWay': {
        const into = this.#random.chance(0.5);
        this.#cut(durationMs, (from, to) => (into ? to : from) === victim.id);
        return;
      }
      case 'split': {
        const left = new Set(
          group.members.filter(() => this.#random.chance(0.5)).map(({ id }) => id),
        );
        this.#cut(durationMs, (from, to) => left.has(from) !== left.has(to));
        return;
      }
      case 'links':
        this.#cutSome(durationMs);
        return;
      case 'shortReigns':
        this.#shortReignsUntilMs = this.#world.nowMs + 10 * durationMs;
        if (this.#random.chance(0.5)) this.#crashVotersUntilMs = this.#shortReignsUntilMs;
        return;
      case 'crashVoters':
        this.#crashVotersUntilMs = this.#world.nowMs + 10 * durationMs;
        return;
      case 'slowDisk':
        group.slowDisk(victim, true);
        this.#world.after(durationMs, () => group.slowDisk(victim, false));
        return;
      case 'tornInstall':
        group.tearInstall = true;
        return;
      case 'falseAlarm':
        if (group.isAwake(victim)) {
          const peer = this.#random.pick(group.members).id;
          if (peer !== victim.id) victim.step({ kind: 'raft.peerDown', peer });
        }
        return;
      default:
        unreachable(fault);
    }
  }

  /**
   * The leader reaches just a majority, which reaches all. Then those between start again and reach the
   * leader no more: whatever they had promised it is all that stands against the next election.
   */
  #bridge(leader: CoreMember): void {
    const group = this.#group;
    this.total += 1;
    group.count('fault bridge');
    const { leaseMs } = this.#group.options.timing;
    const durationMs = this.#random.between(2 * leaseMs, 6 * leaseMs);
    const { voters } = leader.configuration;
    const others = group.members.filter(({ id }) => id !== leader.id && voters.includes(id));
    const first = this.#random.below(others.length + 1);
    const turned = [...others.slice(first), ...others.slice(0, first)];
    const bridges = turned.slice(0, Math.floor(voters.length / 2));
    const beyond = turned.slice(bridges.length);
    const isBeyond = (id: NodeId): boolean => beyond.some((member) => member.id === id);
    this.#cut(durationMs, (from, to) => {
      return (from === leader.id && isBeyond(to)) || (isBeyond(from) && to === leader.id);
    });
    const restartMs = durationMs / 2 + (this.#random.fraction() * durationMs) / 2;
    for (const bridge of bridges) this.#crashSoon(bridge, restartMs, 3);
    this.#world.after(restartMs, () => {
      if (!this.#stopped) this.#cut(200, (from, to) => (from === leader.id) !== (to === leader.id));
    });
    this.#world.after(restartMs + 5, () => {
      for (const member of beyond) {
        if (group.isAwake(member)) member.step({ kind: 'raft.peerDown', peer: leader.id });
      }
    });
  }

  #crash(members: readonly CoreMember[], durationMs: number): void {
    for (const member of members) {
      this.#group.crash(member);
      this.#world.after(this.#random.fraction() * durationMs, () => this.#group.restart(member));
    }
  }

  /** One at a time, and only while the others are enough: a majority that rots has lost for good. */
  #rot(victim: CoreMember, durationMs: number): void {
    const group = this.#group;
    const { voters, outgoing, witnesses } = victim.configuration;
    if (victim.node === undefined || !bearsLoss(voters, witnesses)) return;
    if (outgoing.length > 0 && !bearsLoss(outgoing, witnesses)) return;
    group.crash(victim);
    const { disk } = victim;
    if (group.members.some((member) => member.disk.lostAfterCrash)) {
      this.#world.after(durationMs, () => group.restart(victim));
      return;
    }
    const from = (disk.state.index + 1) as LogIndex;
    if (from <= disk.lastIndex) {
      disk.rot(this.#random.between(from, disk.lastIndex) as LogIndex);
      group.count('logs rotten');
    }
    this.#world.after(durationMs, () => group.restart(victim));
  }

  #cutSome(durationMs: number): void {
    const cut = new Set<string>();
    for (const { id: from } of this.#group.members) {
      for (const { id: to } of this.#group.members) {
        if (this.#random.chance(0.3)) cut.add(`${from}>${to}`);
      }
    }
    this.#cut(durationMs, (from, to) => cut.has(`${from}>${to}`));
  }

  #cut(durationMs: number, isCut: (from: NodeId, to: NodeId) => boolean): void {
    const group = this.#group;
    const links: (readonly [NodeId, NodeId])[] = [];
    for (const { id: from } of group.members) {
      for (const { id: to } of group.members) if (isCut(from, to)) links.push([from, to]);
    }
    for (const [from, to] of links) group.cut(from, to);
    this.#world.after(durationMs, () => {
      for (const [from, to] of links) group.mend(from, to);
    });
  }

  #order(order: GroupOrder): void {
    const group = this.#group;
    const leaders = group.awake.filter(({ running }) => running.serves);
    if (leaders.length === 0) return;
    const leader = this.#random.pick(leaders);
    switch (order) {
      case 'transfer': {
        const others = group.members.filter((member) => member !== leader);
        const any = others.length === 0 || this.#random.chance(0.3);
        const to = any ? undefined : this.#random.pick(others).id;
        leader.step({ kind: 'raft.transfer', to });
        group.trace(leader, 'transfer', `to ${to}`);
        group.count('transfers');
        return;
      }
      case 'timing': {
        const member = this.#random.pick(group.awake);
        const { timing } = member.settings;
        const { hibernateMs, leaseReads } = timing;
        const drawn = { ...drawTiming(this.#random, timing.leaseMs), hibernateMs, leaseReads };
        member.settings = { ...member.settings, timing: drawn };
        member.step({ kind: 'raft.timing', timing: drawn });
        return;
      }
      case 'rollback': {
        const { outgoing } = leader.configuration;
        if (outgoing.length === 0) return;
        leader.step({ kind: 'raft.rollback' });
        group.count('rollbacks');
        return;
      }
      case 'reconfigure':
        this.#reconfigure(leader);
        return;
      default:
        unreachable(order);
    }
  }

  #reconfigure(leader: CoreMember): void {
    const group = this.#group;
    const from = leader.configuration;
    let members: Members = from;
    for (let steps = this.#random.pick([1, 1, 2, 3]); steps > 0; steps -= 1) {
      members = this.#changed(members);
    }
    const rots = group.options.faults.includes('rot');
    if (rots && !bearsLoss(members.voters, members.witnesses)) return;
    const refusal = leader.running.refusalOf(members);
    group.count(refusal === undefined ? 'changes of members' : 'changes of members refused');
    if (refusal !== undefined) return;
    for (const witness of members.witnesses) group.witnesses.add(witness);
    leader.step({ kind: 'raft.reconfigure', members, joint: this.#random.chance(0.5) });
    group.trace(leader, 'change', showMembers(members));
  }

  /** One node comes, goes, or takes another part. */
  #changed({ voters, learners, witnesses }: Members): Members {
    const random = this.#random;
    const outside = this.#group.members
      .map(({ id }) => id)
      .filter((id) => !voters.includes(id) && !learners.includes(id));
    const withData = outside.filter((id) => !this.#group.witnesses.has(id));
    const data = voters.filter((voter) => !witnesses.includes(voter));
    const kind = random.pick(['join', 'promote', 'demote', 'leave', 'dismiss', 'witness'] as const);
    if (kind === 'witness' && outside.length > 0) {
      const witness = random.pick(outside);
      return { voters: [...voters, witness], learners, witnesses: [...witnesses, witness] };
    }
    if (kind === 'join' && withData.length > 0) {
      return { voters, learners: [...learners, random.pick(withData)], witnesses };
    }
    if (kind === 'promote' && learners.length > 0) {
      const learner = random.pick(learners);
      const left = learners.filter((one) => one !== learner);
      return { voters: [...voters, learner], learners: left, witnesses };
    }
    if (kind === 'demote' && data.length > 1) {
      const voter = random.pick(data);
      const left = voters.filter((one) => one !== voter);
      return { voters: left, learners: [...learners, voter], witnesses };
    }
    if (kind === 'leave' && voters.length > 1) {
      const voter = random.pick(voters);
      const without = (nodes: readonly NodeId[]): NodeId[] => nodes.filter((one) => one !== voter);
      return { voters: without(voters), learners, witnesses: without(witnesses) };
    }
    if (kind === 'dismiss' && learners.length > 0) {
      return { voters, learners: learners.slice(1), witnesses };
    }
    return { voters, learners, witnesses };
  }
}

/** Whether such a group goes on when any one voter has lost its data. */
function bearsLoss(voters: readonly NodeId[], witnesses: readonly NodeId[]): boolean {
  const isWitness = (node: NodeId): boolean => witnesses.includes(node);
  const leaving: ReadonlySet<NodeId> = new Set();
  return voters.every((voter) => suffice(voters, { lost: new Set([voter]), leaving, isWitness }));
}

function showMembers({ voters, learners, witnesses }: Members | Configuration): string {
  return `voters ${voters} learners ${learners} witnesses ${witnesses}`;
}
