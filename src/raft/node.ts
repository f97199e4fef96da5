/**
 * One member of a Raft group as a pure state machine (Ongaro and Ousterhout, "In Search of an
 * Understandable Consensus Algorithm", 2014). See index.ts for its contract.
 */
import { assert, must, unreachable } from '../base/assert.js';
import type { LogIndex, NodeId, Term } from '../base/ids.js';
import type { LogEntry, LogReader } from '../storage/index.js';
import type { Ballot, EntryDraft } from './contract.js';
import type { AppendAnswer, RaftMessage, VoteAnswer } from './message.js';
import { commitQuorum, majority } from './quorum.js';

/** What a member is told: a message, the passing of time, or (a leader only) what to append. */
export type RaftInput =
  | VoteAnswer
  | AppendAnswer
  | { readonly kind: 'raft.tick' }
  | { readonly kind: 'raft.propose'; readonly drafts: readonly EntryDraft[] };

/**
 * What the driver has to do, in this order: write `ballot` and `entries` in one batch, send
 * `messages`, send `messagesAfterPersist` once the batch is on stable storage, apply `committed`.
 * Every Ready is carried out, in the order they were taken.
 */
export interface Ready {
  readonly ballot: Ballot | undefined;
  /** They continue the log, or replace its end from the first one's index on. */
  readonly entries: readonly LogEntry[];
  /** May leave before anything is written: entries to followers overtake the leader's own flush. */
  readonly messages: readonly RaftMessage[];
  /** Would break a promise after a crash if they left before the batch is durable. */
  readonly messagesAfterPersist: readonly RaftMessage[];
  /** The entries to apply next, both ends included, to be read from the log. */
  readonly committed: { readonly from: LogIndex; readonly to: LogIndex } | undefined;
  /** Whether the batch matters for the protocol's promises and must be flushed. */
  readonly mustSync: boolean;
}

export type Role =
  | { readonly kind: 'follower'; ticks: number }
  | { readonly kind: 'candidate'; readonly votes: Set<NodeId>; ticks: number }
  | {
      readonly kind: 'leader';
      /** The last entry that each voter holds durably and as the leader does. */
      readonly matchIndexes: Map<NodeId, LogIndex>;
      /** The leader's first entry. Before it is applied the leader does not know what is committed. */
      readonly noopIndex: LogIndex;
    };

export interface RaftOptions {
  readonly id: NodeId;
  readonly voters: readonly NodeId[];
  readonly ballot: Ballot;
  /** The last applied entry: it and those before it were committed. */
  readonly appliedIndex: LogIndex;
  /** Ticks without a leader before a member stands for election. */
  readonly electionTicks: number;
  /** The first entry of a new leader: kind `noop`. */
  readonly noop: () => EntryDraft;
}

/**
 * Invariants:
 * - `term` never falls, and in a term a member votes once.
 * - A ballot is handed out to be persisted no later than the messages that rest on it.
 * - `appliedIndex` <= `commitIndex` <= `lastIndex`, and none of them falls.
 * - A leader only appends: it never replaces or removes an entry of its own log.
 * - A leader commits by counting only entries of its own term (section 5.4.2): an older entry on a
 *   majority can still be replaced.
 */
export class RaftNode {
  readonly #id: NodeId;
  readonly #voters: readonly NodeId[];
  readonly #log: LogReader;
  readonly #electionTicks: number;
  readonly #noop: () => EntryDraft;
  #role: Role = { kind: 'follower', ticks: 0 };
  #term: Term;
  #vote: NodeId | undefined;
  #lastIndex: LogIndex;
  #commitIndex: LogIndex;
  #appliedIndex: LogIndex;
  /** The last entry handed out to be applied. */
  #deliveredIndex: LogIndex;
  #ballotChanged = false;
  #entries: LogEntry[] = [];
  #messages: RaftMessage[] = [];
  #messagesAfterPersist: RaftMessage[] = [];

  /** `log` shows the entries of every Ready from the moment it is carried out. */
  constructor(log: LogReader, options: RaftOptions) {
    const { id, voters, ballot, appliedIndex } = options;
    assert(voters.length === 1 && voters[0] === id, 'groups have one voter, this one', ...voters);
    assert(options.electionTicks >= 1, 'electionTicks below 1', options.electionTicks);
    assert(appliedIndex <= log.lastIndex, 'applied beyond the log', appliedIndex, log.lastIndex);
    assert(appliedIndex + 1 >= log.firstIndex, 'entries to apply are compacted', appliedIndex);
    const lastTerm = must(log.termAt(log.lastIndex), 'the last entry has a term');
    assert(lastTerm <= ballot.term, 'the log is ahead of the term', lastTerm, ballot.term);
    this.#id = id;
    this.#voters = voters;
    this.#log = log;
    this.#electionTicks = options.electionTicks;
    this.#noop = options.noop;
    this.#term = ballot.term;
    this.#vote = ballot.vote;
    this.#lastIndex = log.lastIndex;
    this.#commitIndex = appliedIndex;
    this.#appliedIndex = appliedIndex;
    this.#deliveredIndex = appliedIndex;
  }

  get role(): Role['kind'] {
    return this.#role.kind;
  }

  get term(): Term {
    return this.#term;
  }

  /** Includes entries that the next Ready hands out. */
  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  get commitIndex(): LogIndex {
    return this.#commitIndex;
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  /** Leads and has applied an entry of its own term: what it has applied is all that is committed. */
  get serves(): boolean {
    return this.#role.kind === 'leader' && this.#appliedIndex >= this.#role.noopIndex;
  }

  /** Takes one input. What follows from it gathers in the next Ready. Only a leader may propose. */
  step(input: RaftInput): void {
    switch (input.kind) {
      case 'raft.tick':
        this.#onTick();
        return;
      case 'raft.propose':
        for (const draft of input.drafts) this.#append(draft);
        this.#answerAppend();
        return;
      case 'raft.voteAnswer':
        this.#onVoteAnswer(input);
        return;
      case 'raft.appendAnswer':
        this.#onAppendAnswer(input);
        return;
      default:
        unreachable(input);
    }
  }

  get hasReady(): boolean {
    return (
      this.#ballotChanged ||
      this.#entries.length > 0 ||
      this.#messages.length > 0 ||
      this.#messagesAfterPersist.length > 0 ||
      this.#deliveredIndex < this.#commitIndex
    );
  }

  /** Everything to do since the Ready before; the caller carries it out before the next call. */
  ready(): Ready {
    const ready: Ready = {
      ballot: this.#ballotChanged ? { term: this.#term, vote: this.#vote } : undefined,
      entries: this.#entries,
      messages: this.#messages,
      messagesAfterPersist: this.#messagesAfterPersist,
      committed:
        this.#deliveredIndex < this.#commitIndex
          ? { from: next(this.#deliveredIndex), to: this.#commitIndex }
          : undefined,
      mustSync: this.#ballotChanged || this.#entries.length > 0,
    };
    assert(
      ready.committed === undefined || ready.committed.to <= this.#log.lastIndex,
      'a committed entry is not in the log',
      this.#commitIndex,
    );
    this.#ballotChanged = false;
    this.#entries = [];
    this.#messages = [];
    this.#messagesAfterPersist = [];
    this.#deliveredIndex = this.#commitIndex;
    return ready;
  }

  /** The driver has applied the entries up to `index`. */
  applied(index: LogIndex): void {
    assert(index >= this.#appliedIndex, 'applied index falls', index, this.#appliedIndex);
    assert(index <= this.#deliveredIndex, 'applied before it was handed out', index);
    this.#appliedIndex = index;
  }

  #onTick(): void {
    if (this.#role.kind === 'leader') return;
    this.#role.ticks += 1;
    if (this.#role.ticks >= this.#electionTicks) this.#becomeCandidate();
  }

  #becomeCandidate(): void {
    assert(this.#role.kind !== 'leader', 'a leader does not campaign');
    assert(this.#entries.length === 0, 'a follower has nothing to append');
    this.#term = (this.#term + 1) as Term;
    this.#vote = this.#id;
    this.#ballotChanged = true;
    this.#role = { kind: 'candidate', votes: new Set(), ticks: 0 };
    this.#messagesAfterPersist.push({
      kind: 'raft.voteAnswer',
      term: this.#term,
      from: this.#id,
      to: this.#id,
      granted: true,
      pre: false,
    });
  }

  #onVoteAnswer(answer: VoteAnswer): void {
    this.#checkSender(answer);
    // Answers to an election that is over say nothing about this one.
    if (answer.term < this.#term || this.#role.kind !== 'candidate') return;
    assert(answer.term === this.#term, 'a vote for a term to come', answer.term, this.#term);
    this.#role.votes.add(answer.from);
    if (this.#role.votes.size >= majority(this.#voters.length)) this.#becomeLeader();
  }

  #becomeLeader(): void {
    assert(this.#role.kind === 'candidate', 'only a candidate wins', this.#role.kind);
    assert(this.#vote === this.#id, 'a winner voted for itself', this.#vote);
    assert(!this.#ballotChanged, 'elected before the term was persisted', this.#term);
    this.#role = { kind: 'leader', matchIndexes: new Map(), noopIndex: next(this.#lastIndex) };
    this.#append(this.#noop());
    this.#answerAppend();
  }

  #append(draft: EntryDraft): void {
    assert(this.#role.kind === 'leader', 'only a leader appends', this.#role.kind);
    this.#lastIndex = next(this.#lastIndex);
    assert(Number.isSafeInteger(this.#lastIndex), 'log index out of range', this.#lastIndex);
    this.#entries.push({
      term: this.#term,
      index: this.#lastIndex,
      kind: draft.kind,
      transaction: draft.transaction,
      timestamp: draft.timestamp,
      origin: draft.origin,
      wallMs: draft.wallMs,
      objects: draft.objects,
      client: draft.client,
      request: draft.request,
      payload: draft.payload,
    });
  }

  /** The leader's answer to itself covers all entries of the Ready: one is enough. */
  #answerAppend(): void {
    const last = this.#messagesAfterPersist.at(-1);
    if (last?.kind === 'raft.appendAnswer') this.#messagesAfterPersist.pop();
    this.#messagesAfterPersist.push({
      kind: 'raft.appendAnswer',
      term: this.#term,
      from: this.#id,
      to: this.#id,
      matchIndex: this.#lastIndex,
      round: 0,
      refused: undefined,
      needsSnapshot: false,
    });
  }

  #onAppendAnswer(answer: AppendAnswer): void {
    this.#checkSender(answer);
    // In a later term other entries may lie at these indexes: only this term's answers count.
    if (answer.term < this.#term || this.#role.kind !== 'leader') return;
    assert(answer.term === this.#term, 'an answer to a leader to come', answer.term, this.#term);
    assert(answer.matchIndex <= this.#lastIndex, 'a match beyond the log', answer.matchIndex);
    const { matchIndexes } = this.#role;
    const before = matchIndexes.get(answer.from) ?? 0;
    if (answer.matchIndex <= before) return;
    matchIndexes.set(answer.from, answer.matchIndex);
    const index = commitQuorum(this.#voters, matchIndexes);
    if (index <= this.#commitIndex) return;
    const term = must(this.#log.termAt(index), 'a matched entry is in the log');
    assert(term <= this.#term, 'an entry of a term to come', term, this.#term);
    if (term === this.#term) this.#commitIndex = index;
  }

  #checkSender(message: RaftMessage): void {
    assert(message.to === this.#id, 'a message for another member', message.to);
    assert(this.#voters.includes(message.from), 'a message of no voter', message.from);
  }
}

function next(index: LogIndex): LogIndex {
  return (index + 1) as LogIndex;
}
