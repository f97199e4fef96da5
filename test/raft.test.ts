/** The Raft core: golden scripts in test/golden/raft, and a random run with crashes. */
import t from 'tap';
import type { LogIndex, NodeId, ShardId, Term, Timestamp, TransactionId } from '#src/base/ids.js';
import { must } from '#src/base/assert.js';
import { Random } from '#src/base/random.js';
import { type EntryDraft, type RaftInput, type RaftMessage, RaftNode } from '#src/raft/index.js';
import { type HardState, MemoryEngine, RaftLog } from '#src/storage/index.js';
import { type Command, runScript, scripts } from './golden.js';

const id = 1 as NodeId;
const group = 1 as ShardId;
const alone = { voters: [id], outgoing: [], learners: [], witnesses: [] };

/** A member with its log on a memory engine. What it must persist waits until the script says so. */
class Member {
  #finish: (() => void)[] = [];
  #engine = this.#newEngine();
  #log = new RaftLog(this.#engine, group);
  #node: RaftNode | undefined;
  /** Messages that leave when the batch is durable, by batch. */
  #held: { readonly generation: number; readonly messages: readonly RaftMessage[] }[] = [];
  #applied = 0 as LogIndex;
  readonly #lines: string[] = [];

  get node(): RaftNode {
    return must(this.#node, 'the member is started');
  }

  get log(): RaftLog {
    return this.#log;
  }

  start(): void {
    const state = this.#log.hardState;
    this.#node = new RaftNode(this.#log, {
      id,
      configuration: alone,
      ballot: { term: state?.term ?? (0 as Term), vote: state?.vote },
      appliedIndex: this.#applied,
      timing: {
        heartbeatMs: 50,
        electionMsMin: 150,
        electionMsMax: 300,
        leaseMs: 120,
        clockDrift: 0.01,
        leaseReads: true,
        hibernateMs: Number.POSITIVE_INFINITY,
      },
      flow: { appendBytesMax: 1, inFlightBytesMax: 1, inFlightMessagesMax: 1 },
      random: new Random(1),
      nowMs: 0,
      mayHavePromised: false,
      needsSnapshot: false,
      lostEntries: false,
      noop: () => draft('noop', ''),
      configurationDraft: () => draft('noop', ''),
    });
  }

  /** Steps the core and carries out what it asks for; prints it. */
  step(act: (node: RaftNode) => void): void {
    const before = this.node.role;
    act(this.node);
    if (this.node.role !== before) this.#lines.push(`${before} -> ${this.node.role}`);
    while (this.node.hasReady) this.#carryOut();
  }

  /** The oldest batch reaches the disk. */
  persist(): void {
    this.#finish.shift()?.();
    const held = this.#held.shift();
    if (held === undefined) {
      this.#lines.push('nothing to persist');
      return;
    }
    this.#log.markDurable(held.generation);
    for (const message of held.messages) {
      this.#lines.push(`deliver ${print(message)}`);
      this.step((node) => node.step(message as RaftInput, 0));
    }
  }

  apply(to: number): void {
    this.node.applied(to as LogIndex);
    this.#applied = to as LogIndex;
  }

  crash(surviving: number): void {
    const contents = this.#engine.crash(surviving);
    this.#finish = [];
    this.#held = [];
    this.#engine = this.#newEngine(contents);
    this.#log = new RaftLog(this.#engine, group);
    this.#node = undefined;
  }

  takeLines(): string {
    return this.#lines.splice(0).join('\n');
  }

  status(): string {
    const { role, term, commitIndex, appliedIndex, lastIndex, serves } = this.node;
    return (
      `${role} term=${term} last=${lastIndex} commit=${commitIndex} applied=${appliedIndex}` +
      ` serves=${serves}`
    );
  }

  #carryOut(): void {
    const ready = this.node.ready();
    if (ready.ballot !== undefined) {
      this.#lines.push(`ballot term=${ready.ballot.term} vote=${ready.ballot.vote}`);
    }
    for (const { term, index, kind, payload } of ready.entries) {
      this.#lines.push(`append ${index} term=${term} ${kind} ${Buffer.from(payload)}`.trimEnd());
    }
    for (const message of ready.messagesAfterPersist) {
      this.#lines.push(`after persist: ${print(message)}`);
    }
    if (ready.mustSync) {
      const first: HardState = {
        term: 0 as Term,
        vote: undefined,
        clusterId: 'test',
        configuration: alone,
        lastSnapshot: { index: 0 as LogIndex, term: 0 as Term },
      };
      const state = ready.ballot && { ...first, ...this.#log.hardState, ...ready.ballot };
      const { number, puts } = this.#log.append(ready.entries, state);
      this.#engine.commit(puts);
      this.#held.push({ generation: number, messages: ready.messagesAfterPersist });
    }
    if (ready.committed !== undefined) {
      this.#lines.push(`committed ${ready.committed.from}..${ready.committed.to}`);
    }
  }

  #newEngine(contents?: ReturnType<MemoryEngine['crash']>): MemoryEngine {
    return new MemoryEngine({
      schedule: (finish) => this.#finish.push(finish),
      ...(contents === undefined ? {} : { contents }),
    });
  }
}

function draft(kind: 'noop' | 'write', payload: string): EntryDraft {
  return {
    kind,
    transaction: 0 as TransactionId,
    timestamp: 0 as Timestamp,
    origin: id,
    wallMs: 0,
    objects: [],
    client: undefined,
    request: undefined,
    payload: Buffer.from(payload),
  };
}

function print(message: RaftMessage): string {
  const match = message.kind === 'raft.appendAnswer' ? ` match=${message.matchIndex}` : '';
  return `${message.kind.slice(5)} term=${message.term} ${message.from}->${message.to}${match}`;
}

/**
 * start               starts (or, after a crash, starts again) the member
 * tick | persist      a tick passes | the oldest batch reaches the disk and its messages are delivered
 * propose A B         appends a write per word, as one proposal
 * apply N             the driver has applied the entries up to N
 * step KIND term=T [match=M]   delivers a message, such as one of an earlier term
 * crash [surviving=N]
 * status
 */
function run(member: Member, { name, words, options }: Command): string {
  const number = (option: string, otherwise: number): number =>
    Number(options.get(option) ?? otherwise);
  switch (name) {
    case 'start':
      member.start();
      return member.status();
    case 'tick':
      member.step((node) => node.step({ kind: 'raft.tick' }, 0));
      return member.takeLines();
    case 'propose': {
      const drafts = words.map((word) => draft('write', word));
      member.step((node) => node.step({ kind: 'raft.propose', drafts }, 0));
      return member.takeLines();
    }
    case 'persist':
      member.persist();
      return member.takeLines();
    case 'apply':
      member.apply(Number(words[0]));
      return member.status();
    case 'step': {
      const term = number('term', 0) as Term;
      const common = { term, from: number('from', 1) as NodeId, to: id };
      const message: RaftMessage =
        words[0] === 'voteAnswer'
          ? { kind: 'raft.voteAnswer', ...common, granted: true, pre: false }
          : {
              kind: 'raft.appendAnswer',
              ...common,
              matchIndex: number('match', 0) as LogIndex,
              receivedIndex: number('match', 0) as LogIndex,
              round: 0,
              recovering: false,
              refused: undefined,
              needsSnapshot: false,
            };
      member.step((node) => node.step(message as RaftInput, 0));
      return member.takeLines();
    }
    case 'crash':
      member.crash(number('surviving', 0));
      return '';
    case 'status':
      return member.status();
    default:
      throw new Error(`no command ${name}`);
  }
}

for (const name of scripts('raft')) {
  t.test(`raft: ${name.replaceAll('_', ' ')}`, (test) => {
    const member = new Member();
    const { was, is } = runScript('raft', name, (command) => run(member, command));
    test.equal(is, was);
    test.end();
  });
}

t.test('raft: committed entries survive random crashes, in order', (test) => {
  let crashes = 0;
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = new Random(seed);
    const member = new Member();
    member.start();
    // All that was ever committed, and the highest term that led.
    let known: string[] = [];
    let led = 0;
    for (let step = 0; step < 200; step += 1) {
      const { node } = member;
      if (node.role !== 'leader') member.step((one) => one.step({ kind: 'raft.tick' }, 0));
      else if (random.chance(0.5)) {
        const drafts = [draft('write', `${seed}.${step}`)];
        member.step((one) => one.step({ kind: 'raft.propose', drafts }, 0));
      }
      if (node.role === 'leader') {
        if (node.term < led) test.fail(`seed ${seed}: a leader of term ${node.term} after ${led}`);
        led = node.term;
      }
      if (random.chance(0.6)) member.persist();
      if (node.commitIndex > node.appliedIndex && random.chance(0.3)) {
        member.apply(node.commitIndex);
      }
      const committed = contents(member, node.commitIndex);
      const common = Math.min(known.length, committed.length);
      if (known.slice(0, common).join() !== committed.slice(0, common).join()) {
        test.fail(`seed ${seed}: ${known.join()} became ${committed.join()}`);
      }
      if (committed.length > known.length) known = committed;
      if (!random.chance(0.1)) continue;
      crashes += 1;
      member.crash(0);
      member.start();
      const kept = contents(member, member.log.lastIndex).slice(0, known.length);
      if (kept.join() !== known.join()) test.fail(`seed ${seed}: a crash took ${known.join()}`);
    }
    test.ok(known.length > 10, `seed ${seed} committed ${known.length}`);
  }
  test.ok(crashes > 1000, `${crashes} crashes`);
  test.end();
});

function contents(member: Member, to: LogIndex): string[] {
  if (to === 0) return [];
  const entries = member.log.read(1 as LogIndex, to, Number.MAX_SAFE_INTEGER);
  return entries.map((entry) => `${entry.term} ${entry.kind} ${Buffer.from(entry.payload)}`);
}
