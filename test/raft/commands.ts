/**
 * The language of the golden scripts of the Raft core. Members have numbers; time is virtual.
 *
 * cluster 3 [learners=4] [witnesses=3] [spares=5] [disk=manual] [apply=manual] [hibernate=MS]
 *         [lease=no] [bytes=N] [flight=N] [rule=NAME]      members 1..3, 4 and 5, not yet started
 * given 1 terms=1,1,2 term=3 [applied=1]    the log of a member before it starts
 * start [1 2] | crash 1 [surviving=N] | rot 1 from=N         all, or those named
 * tick 1 | time MS | run MS      a member wakes | time passes | and members wake, messages arrive
 * campaign 1                     time passes for member 1 alone until it asks for votes
 * deliver | drop | duplicate [from=] [to=] [kind=] [count=N] [quiet=yes]
 * partition 1,2 3 | heal | messages
 * persist 1 | apply 1 N
 * propose 1 A B | read 1 N | transfer 1 [to=2] | reconfigure 1 voters= [learners=] [witnesses=] [joint=yes]
 * rollback 1 | disk 1 unhealthy | peerDown 1 peer=2 | clockJumped 1
 * snapshot 1 to=2 [torn=yes] | snapshotFails 1 to=2 | compact 1 N
 * step 1 KIND from=N term=N [match=N]        a message that nobody sent
 * status | log | progress 1
 */
import { must } from '#src/base/assert.js';
import type { LogIndex, NodeId, Term } from '#src/base/ids.js';
import { type RaftMessage, raftRules } from '#src/raft/index.js';
import type { Command } from '../golden.js';
import { ScriptCluster } from './cluster.js';
import { printConfiguration, printEntry, printMessage } from './print.js';

const timing = {
  heartbeatMs: 50,
  electionMsMin: 150,
  electionMsMax: 300,
  leaseMs: 150,
  clockDrift: 0.05,
};

const broken = {
  countsForCommit: { ...raftRules, countsForCommit: () => true },
} as const;

function ids(text: string | undefined): NodeId[] {
  return text === undefined || text === ''
    ? []
    : text.split(',').map((one) => Number(one) as NodeId);
}

export class Script {
  #cluster: ScriptCluster | undefined;

  get #now(): ScriptCluster {
    return must(this.#cluster, 'a script begins with cluster');
  }

  run(command: Command): string {
    const { name, words, options } = command;
    if (name === 'cluster') {
      this.#cluster = made(command);
      return '';
    }
    const cluster = this.#now;
    const numbers = words.map(Number);
    const picked = (): readonly number[] =>
      numbers.length > 0 ? numbers : [...cluster.members.keys()];
    switch (name) {
      case 'given':
        cluster.give(
          numbers[0] ?? 0,
          ids(options.get('terms')),
          Number(options.get('term')),
          Number(options.get('applied') ?? 0),
        );
        break;
      case 'start':
        for (const id of picked()) cluster.start(id);
        break;
      case 'crash':
        for (const id of picked()) {
          const member = cluster.member(id);
          member.crash(Number(options.get('surviving') ?? 0), member.disk.pendingLater);
        }
        break;
      case 'rot':
        cluster.member(numbers[0] ?? 0).disk.rot(Number(options.get('from')) as LogIndex);
        break;
      case 'status':
        for (const id of picked()) cluster.say(this.#status(id));
        break;
      case 'log':
        for (const id of picked()) cluster.say(this.#log(id));
        break;
      case 'partition':
        cluster.partition(words.map(ids));
        break;
      case 'heal':
        cluster.partition([]);
        break;
      case 'messages':
        for (const message of cluster.messages) cluster.say(printMessage(message));
        break;
      case 'time':
        cluster.clockMs += numbers[0] ?? 0;
        break;
      case 'run':
        cluster.run(cluster.clockMs + (numbers[0] ?? 0));
        break;
      case 'deliver':
      case 'drop':
      case 'duplicate':
        this.#mail(command);
        break;
      default:
        this.#tell(command, numbers[0] ?? 0);
    }
    return cluster.take();
  }

  #mail({ name, options }: Command): void {
    const cluster = this.#now;
    const wanted = (message: RaftMessage): boolean =>
      (!options.has('from') || Number(options.get('from')) === message.from) &&
      (!options.has('to') || ids(options.get('to')).includes(message.to)) &&
      (!options.has('kind') || `raft.${options.get('kind')}` === message.kind);
    const count = Number(options.get('count') ?? Number.POSITIVE_INFINITY);
    if (name === 'deliver') {
      cluster.deliver(wanted, count, options.get('quiet') === 'yes');
      return;
    }
    const these = cluster.messages.filter(wanted).slice(0, count);
    if (name === 'duplicate') cluster.messages.push(...these);
    else cluster.messages = cluster.messages.filter((message) => !these.includes(message));
    for (const message of these) cluster.say(printMessage(message));
  }

  /** What one member is told. */
  #tell({ name, words, options }: Command, id: number): void {
    const cluster = this.#now;
    const member = cluster.member(id);
    const to = options.has('to') ? (Number(options.get('to')) as NodeId) : undefined;
    switch (name) {
      case 'tick':
        member.step({ kind: 'raft.tick' });
        return;
      case 'campaign':
        for (let tries = 0; member.running.role === 'follower' && tries < 10; tries += 1) {
          cluster.clockMs = Math.max(cluster.clockMs, member.running.deadlineMs ?? 0);
          member.step({ kind: 'raft.tick' });
        }
        return;
      case 'persist':
        if (!member.flush()) cluster.say('nothing to persist');
        return;
      case 'apply':
        member.apply(Number(words[1]) as LogIndex);
        return;
      case 'compact': {
        member.disk.writeStateLater(member.state);
        member.disk.flushLater();
        member.compact(Number(words[1]) as LogIndex);
        return;
      }
      case 'propose':
        member.propose(...words.slice(1));
        return;
      case 'read':
        if (member.running.leaseHolds(cluster.clockMs)) cluster.say(`${id} reads under its lease`);
        else member.step({ kind: 'raft.read', read: Number(words[1]) });
        return;
      case 'transfer': {
        const refusal = member.running.transferRefusal(to);
        if (refusal === undefined) member.step({ kind: 'raft.transfer', to });
        else cluster.say(`refused: ${refusal}`);
        return;
      }
      case 'reconfigure': {
        const voters = ids(options.get('voters'));
        const learners = ids(options.get('learners'));
        const members = { voters, learners, witnesses: ids(options.get('witnesses')) };
        const refusal = member.running.refusalOf(members);
        const joint = options.get('joint') === 'yes';
        if (refusal === undefined) member.step({ kind: 'raft.reconfigure', members, joint });
        else cluster.say(`refused: ${refusal}`);
        return;
      }
      case 'rollback':
        member.step({ kind: 'raft.rollback' });
        return;
      case 'disk':
        member.step({ kind: 'raft.disk', healthy: words[1] === 'healthy' });
        return;
      case 'peerDown':
        member.step({ kind: 'raft.peerDown', peer: Number(options.get('peer')) as NodeId });
        return;
      case 'clockJumped':
        member.step({ kind: 'raft.clockJumped' });
        return;
      case 'snapshotFails':
        member.step({ kind: 'raft.snapshotSent', to: must(to, 'to whom'), index: undefined });
        return;
      case 'snapshot':
        this.#snapshot(id, must(to, 'to whom'), options.get('torn') === 'yes');
        return;
      case 'progress':
        for (const { node, role, state, matchIndex, nextIndex, active } of member.running.status(
          cluster.clockMs,
        ).progress) {
          cluster.say(
            `${node} ${role} ${state} match=${matchIndex} next=${nextIndex}${active ? '' : ' silent'}`,
          );
        }
        return;
      case 'step':
        member.step(forged(words[1] ?? '', id, options));
        return;
      default:
        throw new Error(`no command ${name}`);
    }
  }

  #snapshot(from: number, to: NodeId, torn: boolean): void {
    const receiver = this.#now.member(to);
    const sender = this.#now.member(from);
    const snapshot = sender.snapshot(sender.configuration.witnesses.includes(to));
    if (!receiver.wants(snapshot)) {
      this.#now.say(`${to} does not want a snapshot at ${snapshot.index}`);
      return;
    }
    receiver.beginInstall();
    if (torn) return;
    receiver.install(snapshot);
    this.#now.say(`${to} installed a snapshot at ${snapshot.index}`);
    sender.step({ kind: 'raft.snapshotSent', to, index: snapshot.index });
  }

  #status(id: number): string {
    const member = this.#now.member(id);
    if (member.node === undefined) return `${id} down`;
    const { node } = member;
    const { clockMs } = this.#now;
    const status = node.status(clockMs);
    const { role, term, vote, leader, lastIndex, commitIndex, appliedIndex } = status;
    const marks = [
      node.serves ? 'serves' : '',
      node.leaseHolds(clockMs) ? 'lease' : '',
      node.hibernating ? 'asleep' : '',
      node.recovering ? 'recovering' : '',
      member.disk.installing ? 'installing' : '',
      status.failedElections > 0 ? `failed=${status.failedElections}` : '',
    ].filter((mark) => mark !== '');
    return (
      `${id} ${role} term=${term} vote=${vote ?? 'none'} leader=${leader ?? 'none'} ` +
      `last=${lastIndex} commit=${commitIndex} applied=${appliedIndex} ${marks.join(' ')}`
    ).trimEnd();
  }

  #log(id: number): string {
    const { disk, configuration } = this.#now.member(id);
    const { firstIndex, lastIndex } = disk;
    const entries = firstIndex > lastIndex ? [] : disk.read(firstIndex, lastIndex, 1e9);
    const shown = entries.map(printEntry).join(', ');
    return `${id} ${printConfiguration(configuration)}: ${shown === '' ? `nothing after ${lastIndex}` : shown}`;
  }
}

function made({ words, options }: Command): ScriptCluster {
  const voters = Array.from({ length: Number(words[0]) }, (_, at) => (at + 1) as NodeId);
  const rule = options.get('rule');
  return new ScriptCluster({
    configuration: {
      voters,
      outgoing: [],
      learners: ids(options.get('learners')),
      witnesses: ids(options.get('witnesses')),
    },
    timing: {
      ...timing,
      leaseReads: options.get('lease') !== 'no',
      hibernateMs: Number(options.get('hibernate') ?? Number.POSITIVE_INFINITY),
    },
    flow: {
      appendBytesMax: Number(options.get('bytes') ?? 100_000),
      inFlightBytesMax: 1_000_000,
      inFlightMessagesMax: Number(options.get('flight') ?? 64),
    },
    rules: rule === undefined ? undefined : broken[rule as keyof typeof broken],
    spares: ids(options.get('spares')),
    manualDisk: options.get('disk') === 'manual',
    manualApply: options.get('apply') === 'manual',
  });
}

function forged(kind: string, to: number, options: Command['options']): RaftMessage {
  const common = {
    from: Number(options.get('from')) as NodeId,
    to: to as NodeId,
    term: Number(options.get('term')) as Term,
  };
  if (kind === 'voteAnswer')
    return { kind: 'raft.voteAnswer', ...common, granted: true, pre: false };
  if (kind === 'readIndexAnswer')
    return { kind: 'raft.readIndexAnswer', ...common, read: 1, index: undefined };
  const index = Number(options.get('match') ?? 0) as LogIndex;
  return {
    kind: 'raft.appendAnswer',
    ...common,
    matchIndex: index,
    receivedIndex: index,
    round: 0,
    refused: undefined,
    needsSnapshot: false,
    recovery: 0,
  };
}
