/**
 * A member of a simulated Raft group: a core, its disk, and what a driver has to do between them. Nothing happens by
 * itself: whoever owns the member decides when it is told something, when its disk flushes, when it applies.
 */
import { assert, must } from '../../base/assert.js';
import type { LogIndex, NodeId, Timestamp, TransactionId } from '../../base/ids.js';
import type { Random } from '../../base/random.js';
import {
  type EntryDraft,
  type RaftFlow,
  type RaftInput,
  type RaftMessage,
  RaftNode,
  type RaftRules,
  type RaftTiming,
  type Ready,
} from '../../raft/index.js';
import { type Configuration, encodeConfiguration, type LogEntry } from '../../storage/index.js';
import { type AppliedState, emptyState, MemberDisk, type Snapshot } from './disk.js';

/** What a member does to the world around it, and shows to who watches it. */
export interface Surroundings {
  nowMs(member: CoreMember): number;
  /** To another member. */
  send(message: RaftMessage): void;
  /** A batch waits to be flushed. */
  onWrite(member: CoreMember): void;
  /** What the core asks for, before it is carried out. */
  onReady(member: CoreMember, ready: Ready): void;
  /** After the core was told something and all it asked for was carried out. */
  onStepped(member: CoreMember): void;
  onApplied(member: CoreMember, entry: LogEntry): void;
  /** The state at `index` or later answers it; undefined: ask again. */
  onRead(member: CoreMember, read: number, index: LogIndex | undefined): void;
  onSnapshotWanted(member: CoreMember, to: NodeId): void;
}

export interface MemberSettings {
  /** The first members; nobody for one that joins later. */
  readonly configuration: Configuration;
  readonly timing: RaftTiming;
  readonly flow: RaftFlow;
  readonly rules: RaftRules | undefined;
}

export class CoreMember {
  readonly id: NodeId;
  readonly disk = new MemberDisk();
  settings: MemberSettings;
  /** Undefined while the process is down. */
  node: RaftNode | undefined;
  /** Processes that it was so far. */
  lives = 0;
  state: AppliedState = emptyState;
  /** The last entry handed out to be applied. */
  committedIndex = 0 as LogIndex;
  readonly #random: Random;
  readonly #around: Surroundings;
  /** What to do when the batch is durable, for each that waits. */
  #whenDurable: (() => void)[] = [];
  #reads: { readonly read: number; readonly index: LogIndex }[] = [];

  constructor(id: NodeId, settings: MemberSettings, random: Random, around: Surroundings) {
    this.id = id;
    this.settings = settings;
    this.#random = random;
    this.#around = around;
  }

  get nowMs(): number {
    return this.#around.nowMs(this);
  }

  get running(): RaftNode {
    return must(this.node, `member ${this.id} is down`);
  }

  /** The newest one that it knows of, committed or not. */
  get configuration(): Configuration {
    return this.node?.configuration ?? this.configurationAt(this.disk.lastIndex);
  }

  start(): void {
    assert(this.node === undefined, 'started twice', this.id);
    const { configuration, timing, flow, rules } = this.settings;
    this.state = this.disk.state;
    this.committedIndex = this.state.index;
    this.node = new RaftNode(this.disk, {
      id: this.id,
      ballot: this.disk.ballot,
      configuration,
      appliedIndex: this.state.index,
      timing,
      flow,
      random: this.#random.split(),
      nowMs: this.nowMs,
      mayHavePromised: this.disk.used,
      needsSnapshot: this.disk.installing,
      lostEntries: this.disk.lost,
      noop: () => draft('noop', this.id, new Uint8Array()),
      configurationDraft: (to) => draft('configuration', this.id, encodeConfiguration(to)),
      ...(rules === undefined ? {} : { rules }),
    });
    this.lives += 1;
  }

  crash(surviving: number, survivingLater: number): void {
    this.disk.crash(surviving, survivingLater);
    this.node = undefined;
    this.#whenDurable = [];
    this.#reads = [];
  }

  step(input: RaftInput): void {
    const node = this.running;
    node.step(input, this.nowMs);
    this.#drain(node);
  }

  /** One write with the text `key=value`. */
  propose(...texts: readonly string[]): void {
    const drafts = texts.map((text) => draft('write', this.id, Buffer.from(text)));
    this.step({ kind: 'raft.propose', drafts });
  }

  /** The oldest batch is durable. False when none waits. */
  flush(): boolean {
    if (!this.disk.flush()) return false;
    must(this.#whenDurable.shift(), 'every batch has a sequel')();
    return true;
  }

  /** Applies what is committed, up to `to` at most. */
  apply(to: LogIndex = this.committedIndex): void {
    assert(to <= this.committedIndex, 'applies what is not committed', to, this.committedIndex);
    for (let index = this.state.index + 1; index <= to; index += 1) {
      const at = index as LogIndex;
      const entry = must(this.disk.read(at, at, 0)[0], 'a committed entry is in the log');
      this.state = { index: at, values: applied(this.state.values, entry) };
      this.#around.onApplied(this, entry);
    }
    const node = this.running;
    node.applied(this.state.index);
    this.#answerReads();
    this.#drain(node);
  }

  /** What brings another member up to this one's state; a witness gets no data. */
  snapshot(forWitness: boolean): Snapshot {
    const { index, values } = this.state;
    return {
      index,
      term: must(this.disk.termAt(index), 'the applied entry has a term'),
      configuration: this.configurationAt(index),
      values: forWitness ? emptyState.values : values,
    };
  }

  /** Whether the snapshot brings anything new. One older than the log's beginning leaves a gap. */
  wants({ index }: Snapshot): boolean {
    const fits = index >= this.disk.firstIndex - 1;
    return fits && (this.disk.installing || index > this.state.index);
  }

  /** From now on the old state is gone, also after a crash. */
  beginInstall(): void {
    while (this.flush());
    this.#write(() => this.disk.beginInstall());
    this.flush();
    this.step({ kind: 'raft.installing' });
  }

  install(snapshot: Snapshot): void {
    assert(this.disk.installing, 'an install begins before it ends', this.id);
    while (this.flush());
    this.#write(() => this.disk.install(snapshot));
    this.flush();
    const { index, term, configuration } = snapshot;
    this.state = this.disk.state;
    this.committedIndex = index;
    this.#answerReads();
    this.step({ kind: 'raft.installed', index, term, configuration });
  }

  compact(index: LogIndex): void {
    const configuration = this.configurationAt(index);
    this.#write(() => this.disk.compact(index, { index, configuration }));
  }

  configurationAt(index: LogIndex): Configuration {
    return this.disk.configurationAt(index)?.configuration ?? this.settings.configuration;
  }

  #write(write: () => void, whenDurable: () => void = () => {}): void {
    write();
    this.#whenDurable.push(whenDurable);
    this.#around.onWrite(this);
  }

  #drain(node: RaftNode): void {
    while (node.hasReady) this.#carryOut(node, node.ready());
    if (this.disk.lost && !node.recovering) this.#write(() => this.disk.recovered());
    this.#around.onStepped(this);
  }

  #carryOut(node: RaftNode, ready: Ready): void {
    this.#around.onReady(this, ready);
    const { ballot, entries, messages, messagesAfterPersist, committed } = ready;
    if (ready.mustSync) {
      this.#write(
        () => this.disk.append(ballot, entries),
        () => this.#sendAll(node, messagesAfterPersist),
      );
    }
    this.#sendAll(node, messages);
    if (committed !== undefined) this.committedIndex = committed.to;
    for (const { read, index } of ready.reads) {
      if (index === undefined) this.#around.onRead(this, read, undefined);
      else this.#reads.push({ read, index });
    }
    this.#answerReads();
    for (const to of ready.snapshots) this.#around.onSnapshotWanted(this, to);
  }

  #sendAll(node: RaftNode, messages: readonly RaftMessage[]): void {
    let toItself = false;
    for (const message of messages) {
      if (message.to !== this.id) {
        this.#around.send(message);
        continue;
      }
      node.step(message, this.nowMs);
      toItself = true;
    }
    if (toItself) this.#drain(node);
  }

  #answerReads(): void {
    const runnable = this.#reads.filter(({ index }) => index <= this.state.index);
    this.#reads = this.#reads.filter(({ index }) => index > this.state.index);
    for (const { read, index } of runnable) this.#around.onRead(this, read, index);
  }
}

function draft(kind: EntryDraft['kind'], origin: NodeId, payload: Uint8Array): EntryDraft {
  return {
    kind,
    transaction: 0 as TransactionId,
    timestamp: 0 as Timestamp,
    origin,
    wallMs: 0,
    objects: [],
    client: undefined,
    request: undefined,
    payload,
  };
}

/** A write sets a value; one without its payload, as witnesses have it, sets none. */
function applied(values: AppliedState['values'], entry: LogEntry): AppliedState['values'] {
  if (entry.kind !== 'write' || entry.payload.length === 0) return values;
  const [key = '', value = ''] = Buffer.from(entry.payload).toString().split('=');
  return new Map(values).set(key, value);
}
