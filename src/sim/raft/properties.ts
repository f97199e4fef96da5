/**
 * The safety properties of Raft (Figure 3 of the paper) and what else must hold at every step of every member,
 * asserted from outside.
 */
import { must } from '../../base/assert.js';
import type { LogIndex, NodeId, Term } from '../../base/ids.js';
import type { RaftMessage, Ready } from '../../raft/index.js';
import type { Configuration, LogEntry } from '../../storage/index.js';
import { demand } from '../workload.js';
import type { CoreMember } from './member.js';

/** What every log that holds an entry of this index and term holds with it. */
interface Known {
  readonly previousTerm: Term;
  readonly kind: LogEntry['kind'];
  /** Undefined while only witnesses were seen to have it. */
  payload: string | undefined;
}

interface Committed {
  readonly term: Term;
  /** The term in which it was first known to be committed. */
  readonly inTerm: Term;
}

interface Seen {
  role: 'follower' | 'candidate' | 'leader';
  term: Term;
  commitIndex: LogIndex;
}

export class Properties {
  readonly leaders = new Map<Term, NodeId>();
  readonly #members: readonly CoreMember[];
  readonly #witnesses: ReadonlySet<NodeId>;
  readonly #seen = new Map<CoreMember, Seen>();
  readonly #votes = new Map<string, NodeId>();
  /** Elections that a leader asked for. */
  readonly #transfers = new Set<string>();
  /** When a member first heard of a round. */
  readonly #heard = new Map<string, number>();
  /** When a member last told a leader that it follows. */
  readonly #promises = new Map<
    NodeId,
    { readonly to: NodeId; readonly term: Term; readonly atMs: number }
  >();
  readonly #known = new Map<string, Known>();
  readonly #committed: (Committed | undefined)[] = [];
  readonly #states: string[] = [];
  #newestTerm = 0 as Term;

  /** `members`: all that there ever are; `witnesses`: those of them that have no data. */
  constructor(members: readonly CoreMember[], witnesses: ReadonlySet<NodeId>) {
    this.#members = members;
    this.#witnesses = witnesses;
  }

  get newestTerm(): Term {
    return this.#newestTerm;
  }

  /** The highest index that any member knew to be committed. */
  get lastCommitted(): LogIndex {
    return Math.max(0, this.#committed.length - 1) as LogIndex;
  }

  /** The member begins anew from its disk. */
  started(member: CoreMember): void {
    this.#seen.set(member, {
      role: 'follower',
      term: member.disk.ballot.term,
      commitIndex: member.state.index,
    });
  }

  onReady(member: CoreMember, { entries }: Ready): void {
    const first = entries[0];
    if (first === undefined) return;
    const { id, disk, running } = member;
    if (running.role === 'leader') {
      const { lastIndex } = disk;
      demand(first.index === lastIndex + 1, 'a leader only appends', id, first.index, lastIndex);
    }
    const { commitIndex } = this.#of(member);
    demand(first.index > commitIndex, 'what is committed is never replaced', id, first.index);
    let previousTerm = disk.termAt((first.index - 1) as LogIndex);
    for (const entry of entries) {
      if (previousTerm !== undefined) this.#onEntry(member, entry, previousTerm);
      previousTerm = entry.term;
    }
  }

  onStepped(member: CoreMember): void {
    const { role, term, commitIndex } = member.running;
    const seen = this.#of(member);
    demand(term >= seen.term, 'the term of a member never falls', member.id, term, seen.term);
    demand(commitIndex >= seen.commitIndex, 'the commit index never falls', member.id, commitIndex);
    const elected = role === 'leader' && (seen.role !== 'leader' || seen.term !== term);
    const { commitIndex: before } = seen;
    Object.assign(seen, { role, term, commitIndex });
    if (elected) this.#onLeader(member, term);
    if (commitIndex > before) this.#onCommit(member, before, commitIndex);
    if (role === 'leader' && term < this.#newestTerm) this.#checkLease(member);
  }

  /** `nowMs` is the time of the world. */
  onSend(message: RaftMessage, nowMs: number): void {
    if (message.kind === 'raft.vote' && message.transferRound !== undefined) {
      this.#transfers.add(`${message.from} in term ${message.term}`);
    }
    if (message.kind === 'raft.appendAnswer') {
      const { from, to, term, round } = message;
      const atMs = this.#heard.get(`${from} of ${to} in term ${term} round ${round}`);
      if (atMs !== undefined) this.#promises.set(from, { to, term, atMs });
    }
    if (message.kind !== 'raft.voteAnswer' || !message.granted || message.pre) return;
    this.#checkPromise(message, nowMs);
    const key = `${message.from} in term ${message.term}`;
    const before = this.#votes.get(key);
    demand(before === undefined || before === message.to, 'a member votes once', key, message.to);
    this.#votes.set(key, message.to);
  }

  onReceive(message: RaftMessage, nowMs: number): void {
    if (message.kind !== 'raft.append') return;
    const { from, to, term, round } = message;
    const key = `${to} of ${from} in term ${term} round ${round}`;
    if (!this.#heard.has(key)) this.#heard.set(key, nowMs);
  }

  /** Who has answered a leader votes for nobody else for a lease, whatever it has forgotten meanwhile. */
  #checkPromise({ from, to, term }: RaftMessage, nowMs: number): void {
    const promise = this.#promises.get(from);
    if (promise === undefined || this.#transfers.has(`${to} in term ${term}`)) return;
    // A vote that was given before may leave the disk after.
    if (term <= promise.term) return;
    const { leaseMs, clockDrift } = must(this.#members[0], 'a member').settings.timing;
    const kept = promise.to === to || nowMs >= promise.atMs + leaseMs * (1 - clockDrift);
    demand(kept, 'a promise to a leader outlives a restart', from, to, term, promise);
  }

  /** State machines that have applied the same entries are equal. */
  onApplied(member: CoreMember): void {
    if (this.#witnesses.has(member.id)) return;
    const { index, values } = member.state;
    const shown = JSON.stringify([...values].sort());
    const known = this.#states[index];
    this.#states[index] = shown;
    demand(known === undefined || known === shown, 'states at one index are equal', index, known);
  }

  /** Log matching: index and term decide an entry and the term of the one before it. */
  #onEntry(member: CoreMember, entry: LogEntry, previousTerm: Term): void {
    const key = `${entry.index}/${entry.term}`;
    const isWitness = this.#witnesses.has(member.id);
    const payload = isWitness ? undefined : Buffer.from(entry.payload).toString('latin1');
    const known = this.#known.get(key);
    if (known === undefined) {
      this.#known.set(key, { previousTerm, kind: entry.kind, payload });
      return;
    }
    const same =
      known.previousTerm === previousTerm &&
      known.kind === entry.kind &&
      (payload === undefined || known.payload === undefined || known.payload === payload);
    demand(same, 'logs that share an entry agree up to it', member.id, key, known, previousTerm);
    known.payload ??= payload;
  }

  #onLeader(member: CoreMember, term: Term): void {
    const other = this.leaders.get(term);
    demand(other === undefined, 'one leader in a term', term, member.id, other);
    this.leaders.set(term, member.id);
    if (term > this.#newestTerm) this.#newestTerm = term;
    for (let index: number = member.disk.firstIndex; index < this.#committed.length; index += 1) {
      const committed = this.#committed[index];
      if (committed === undefined || committed.inTerm >= term) continue;
      const own = member.disk.termAt(index as LogIndex);
      const text = 'a leader has all that was committed in earlier terms';
      demand(own === committed.term, text, { member: member.id, term, index, own }, committed);
    }
    for (const one of this.#members) {
      if (one.node?.role === 'leader' && one.node.term < term) this.#checkLease(one);
    }
  }

  /** A later leader may have committed what this one does not know of. */
  #checkLease(member: CoreMember): void {
    const { term } = member.running;
    const holds = member.running.leaseHolds(member.nowMs);
    demand(!holds, 'no lease outlasts the next election', member.id, term, this.#newestTerm);
  }

  #onCommit(member: CoreMember, before: LogIndex, commitIndex: LogIndex): void {
    const { disk, running, id } = member;
    const from = Math.max(before + 1, disk.firstIndex);
    for (let at = from; at <= commitIndex; at += 1) {
      const index = at as LogIndex;
      const term = disk.termAt(index);
      if (term === undefined) continue;
      const committed = this.#committed[index];
      if (committed !== undefined) {
        const text = 'one entry is committed at an index';
        demand(committed.term === term, text, { id, index, term }, committed);
        continue;
      }
      this.#committed[index] = { term, inTerm: running.term };
    }
    if (running.role !== 'leader') return;
    const newest = disk.termAt(commitIndex);
    const text = 'a leader commits by counting only entries of its own term (5.4.2)';
    demand(newest === undefined || newest === running.term, text, id, commitIndex, newest);
    this.#checkDurable(member, commitIndex);
  }

  /** What a leader calls committed survives the death of all processes, apart from what rots. */
  #checkDurable(member: CoreMember, index: LogIndex): void {
    const { configuration } = member;
    const term = member.disk.termAt(index);
    if (term === undefined) return;
    for (const voters of votersOf(configuration)) {
      const holders = this.#members.filter(
        ({ id, disk }) => voters.includes(id) && (disk.lost || disk.holds(index, term)),
      );
      const held = `${holders.length} of ${voters.length}`;
      const text = 'what is committed is durable on a majority';
      demand(2 * holders.length > voters.length, text, index, member.id, held);
    }
  }

  #of(member: CoreMember): Seen {
    const seen = this.#seen.get(member);
    demand(seen !== undefined, 'a member that acts was started', member.id);
    return seen as Seen;
  }
}

function votersOf({ voters, outgoing }: Configuration): readonly (readonly NodeId[])[] {
  return outgoing.length === 0 ? [voters] : [voters, outgoing];
}
