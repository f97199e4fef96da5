/**
 * The safety properties of Raft (Figure 3 of the paper), asserted from the outside: after every turn
 * of a replica its role, term, log and commit index are compared with all that was seen before.
 */
import type { Actor, Message, Ref } from '../actors/actor.js';
import type { LogIndex, NodeId, Term } from '../base/ids.js';
import type { RaftMessage } from '../raft/index.js';
import type { Configuration, HardState, LogEntry, RaftLog } from '../storage/index.js';
import type { Interceptor } from './plant.js';
import { demand } from './workload.js';

/** What a replica shows to whoever looks at it from outside. */
export interface ObservedReplica {
  readonly raft: {
    readonly role: 'follower' | 'candidate' | 'leader';
    readonly term: Term;
    readonly commitIndex: LogIndex;
    readonly leader: NodeId | undefined;
    readonly hibernating: boolean;
    readonly configuration: Configuration;
  };
  /** Whether a session would read under the lease: clocks that have moved apart end it. */
  readonly access: { readable(nowMs: number, wallMs: number): boolean };
  readonly log: RaftLog;
  readonly appliedIndex: LogIndex;
  stateHash(): string;
}

/** One life of a replica. */
export interface Member {
  readonly node: NodeId;
  readonly replica: ObservedReplica;
  /** As after its last turn. */
  role: 'follower' | 'candidate' | 'leader';
  term: number;
  commitIndex: number;
  configuration: Configuration | undefined;
}

/** What is seen of the world from outside. */
export interface Eyes {
  isWitness(node: NodeId): boolean;
  /** What the monotonic clock of a node shows. */
  nowMs(node: NodeId): number;
  wallMs(node: NodeId): number;
  worldMs(): number;
  /** What the disk of a node would tell its next life. */
  durableBallot(node: NodeId): Pick<HardState, 'term' | 'vote'>;
  /** So long a lease lasts at least, in the time of the world. */
  readonly leaseMs: number;
}

interface Committed {
  readonly term: number;
  /** The term in which it was first known to be committed. */
  readonly inTerm: number;
}

/** What every log that holds an entry of this index and term holds with it. */
interface Known {
  readonly previousTerm: number;
  readonly head: number;
  /** Undefined while only witnesses were seen to have it. */
  payload: number | undefined;
}

const votersRemembered = 4;

export class Safety {
  /** The replicas that live, by node. */
  readonly members = new Map<NodeId, Member>();
  readonly #leaders = new Map<number, Member>();
  readonly #committed = new Map<number, Committed>();
  readonly #known = new Map<string, Known>();
  /** By node and term, whom it has voted for, in all its lives. */
  readonly #votes = new Map<string, NodeId>();
  /** When the world first saw a leader's round; by leader, term and round. */
  readonly #rounds = new Map<string, number>();
  /** By voter, the newest round that it has answered. */
  readonly #promised = new Map<
    NodeId,
    { readonly leader: NodeId; readonly term: number; readonly sinceMs: number }
  >();
  /** Campaigns that a leader has asked for. */
  readonly #transfers = new Set<string>();
  readonly #eyes: Eyes;
  /** The last lists of voters that leaders had, the newest first. */
  voters: readonly (readonly NodeId[])[] = [];
  #lastCommitted = 0;
  #newest: Member | undefined;

  constructor(eyes: Eyes) {
    this.#eyes = eyes;
  }

  /** The leader of the highest term, when it lives and still leads. */
  get leader(): NodeId | undefined {
    const newest = this.#newest;
    if (newest === undefined || this.members.get(newest.node) !== newest) return undefined;
    return newest.role === 'leader' ? newest.node : undefined;
  }

  get elections(): number {
    return this.#leaders.size;
  }

  /** The process of the node is gone. */
  forget(node: NodeId): void {
    this.members.delete(node);
  }

  /** A node sends this to another: what has left is a promise, whatever becomes of the sender. */
  onSend(from: NodeId, message: Message): void {
    const inner = (message as { readonly message?: RaftMessage }).message;
    switch (inner?.kind) {
      case 'raft.vote':
        if (inner.pre) return;
        if (inner.transferRound !== undefined) this.#transfers.add(`${from}/${inner.term}`);
        this.#onVote(from, inner.term, from);
        return;
      case 'raft.voteAnswer':
        if (inner.granted && !inner.pre) this.#onVote(from, inner.term, inner.to);
        return;
      case 'raft.append':
        this.#noteRound(`${from}/${inner.term}/${inner.round}`);
        return;
      case 'raft.appendAnswer': {
        const sinceMs = this.#rounds.get(`${inner.to}/${inner.term}/${inner.round}`);
        const before = this.#promised.get(from);
        if (sinceMs === undefined || sinceMs <= (before?.sinceMs ?? -1)) return;
        this.#promised.set(from, { leader: inner.to, term: inner.term, sinceMs });
        return;
      }
      default:
    }
  }

  #noteRound(key: string): void {
    if (!this.#rounds.has(key)) this.#rounds.set(key, this.#eyes.worldMs());
  }

  /** A vote is durable, the only one in its term, and breaks no lease that the voter has promised. */
  #onVote(node: NodeId, term: number, candidate: NodeId): void {
    const key = `${node}/${term}`;
    const before = this.#votes.get(key);
    demand(before === undefined || before === candidate, 'one vote in a term', key, candidate);
    this.#votes.set(key, candidate);
    const { vote, term: durableTerm } = this.#eyes.durableBallot(node);
    const isDurable = durableTerm > term || (durableTerm === term && vote === candidate);
    demand(isDurable, 'a vote leaves when it is on the disk', key, candidate, durableTerm, vote);
    const promised = this.#promised.get(node);
    // A vote that waited for the disk while another won its term elects nobody.
    if (promised === undefined || promised.leader === candidate || promised.term >= term) return;
    if (this.#transfers.has(`${candidate}/${term}`)) return;
    const passedMs = this.#eyes.worldMs() - promised.sinceMs;
    const text = 'nobody votes within a lease that it has promised';
    demand(passedMs >= this.#eyes.leaseMs, text, key, candidate, promised, passedMs);
  }

  readonly intercept: Interceptor = (replica, self) => {
    const observed = replica as unknown as ObservedReplica;
    const { node } = self;
    const member: Member = {
      node,
      replica: observed,
      role: 'follower',
      term: 0,
      commitIndex: 0,
      configuration: undefined,
    };
    this.members.set(node, member);
    const { log } = observed;
    const append = log.append.bind(log);
    log.append = (entries, hardState) => {
      this.#onAppend(member, entries);
      return append(entries, hardState);
    };
    return this.#watch(replica, self, member);
  };

  #watch(replica: Actor<Message>, _self: Ref<Message>, member: Member): Actor<Message> {
    return {
      receive: (message, context) => {
        replica.receive(message, context);
        this.#look(member);
      },
      stopped: () => replica.stopped?.(),
    };
  }

  #onAppend(member: Member, entries: readonly LogEntry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const { node, replica } = member;
    const { lastIndex } = replica.log;
    if (replica.raft.role === 'leader') {
      demand(first.index === lastIndex + 1, 'a leader only appends', node, first.index, lastIndex);
    }
    const kept = member.commitIndex;
    demand(first.index > kept, 'what is committed is never replaced', node, first.index, kept);
    let previousTerm: number = replica.log.termAt((first.index - 1) as LogIndex) ?? 0;
    for (const entry of entries) {
      this.#onEntry(node, entry, previousTerm);
      previousTerm = entry.term;
    }
  }

  /** Log matching: index and term decide an entry and the term of the one before it. */
  #onEntry(node: NodeId, entry: LogEntry, previousTerm: number): void {
    const key = `${entry.index}/${entry.term}`;
    const head = hashOf([entry.transaction, entry.timestamp, entry.origin, entry.kind.length]);
    const payload = this.#eyes.isWitness(node) ? undefined : hashOf(entry.payload);
    const known = this.#known.get(key);
    if (known === undefined) {
      this.#known.set(key, { previousTerm, head, payload });
      return;
    }
    const same =
      known.previousTerm === previousTerm &&
      known.head === head &&
      (payload === undefined || known.payload === undefined || known.payload === payload);
    demand(same, 'logs that share an entry agree up to it', node, key, known, previousTerm);
    known.payload ??= payload;
  }

  #look(member: Member): void {
    const { raft } = member.replica;
    const { role, term, commitIndex } = raft;
    demand(term >= member.term, 'the term of a member never falls', member.node, term);
    if (role === 'leader' && member.role === 'leader' && member.term === term) {
      const entryTerm = member.replica.log.termAt(commitIndex);
      const text = 'a leader commits by counting only entries of its own term';
      demand(commitIndex === member.commitIndex || entryTerm === term, text, member.node, term);
    }
    const isNew = role === 'leader' && (member.role !== 'leader' || member.term !== term);
    member.role = role;
    member.term = term;
    if (isNew) this.#onLeader(member);
    if (role === 'leader' && raft.configuration !== member.configuration) {
      member.configuration = raft.configuration;
      this.voters = [raft.configuration.voters, ...this.voters].slice(0, votersRemembered);
    }
    if (commitIndex > member.commitIndex) this.#onCommit(member, commitIndex);
  }

  #onLeader(member: Member): void {
    const { node, term } = member;
    const other = this.#leaders.get(term);
    demand(other === undefined, 'one leader in a term', term, node, other?.node);
    this.#leaders.set(term, member);
    if (term > (this.#newest?.term ?? 0) || this.#newest?.role !== 'leader') this.#newest = member;
    for (const old of this.members.values()) {
      if (old.term >= term) continue;
      const { nowMs, wallMs } = this.#eyes;
      const reads = old.replica.access.readable(nowMs(old.node), wallMs(old.node));
      demand(!reads, 'no lease holds when a later leader is there', old.node, old.term, node, term);
    }
    const { log } = member.replica;
    for (let index: number = log.firstIndex; index <= this.#lastCommitted; index += 1) {
      const committed = this.#committed.get(index);
      if (committed === undefined || committed.inTerm >= term) continue;
      const own = log.termAt(index as LogIndex);
      const text = 'a leader has all that was committed in earlier terms';
      demand(own === committed.term, text, { node, term, index, own }, committed);
    }
  }

  /** State machine safety: nobody ever commits anything else at an index. */
  #onCommit(member: Member, commitIndex: LogIndex): void {
    const { node, replica } = member;
    const from = Math.max(member.commitIndex + 1, replica.log.firstIndex);
    for (let index = from; index <= commitIndex; index += 1) {
      const term = replica.log.termAt(index as LogIndex);
      if (term === undefined) continue;
      const committed = this.#committed.get(index);
      if (committed === undefined) {
        this.#committed.set(index, { term, inTerm: member.term });
        this.#lastCommitted = Math.max(this.#lastCommitted, index);
      } else {
        const text = 'one entry is committed at an index';
        demand(committed.term === term, text, { node, index, term }, committed);
      }
    }
    member.commitIndex = commitIndex;
  }
}

function hashOf(values: Iterable<number>): number {
  let hash = 0x811c_9dc5;
  for (const value of values) hash = Math.imul(hash ^ value ^ (value / 0x1_0000_0000), 0x0100_0193);
  return hash >>> 0;
}
