/**
 * A random history of one replica against a naive model: sessions that read and write at snapshots,
 * clocks that jump, flushes that end late, crashes that keep a prefix of what was under way.
 *
 * Checked: what a session reads is the model's state at its snapshot under its own writes; a commit
 * had no conflict and a refusal had one; after a crash everything acknowledged is there, of the rest
 * a prefix, each whole; numbers of a sequence are not committed twice; the log replayed from its
 * beginning gives the same content.
 */
import { createHash } from 'node:crypto';
import { assert, must } from '#src/base/assert.js';
import type { LogIndex, Timestamp } from '#src/base/ids.js';
import { Random } from '#src/base/random.js';
import { MemoryEngine, Overlay, RaftLog } from '#src/storage/index.js';
import { GarbageQueue, type Proposal, ShardState, TransactionBuffer } from '#src/txn/index.js';
import { keyOf, spanOf } from './print.js';
import { ShardWorld, shard } from './world.js';

type Rows = ReadonlyMap<string, string>;

/** The rows after a commit, and the keys that it wrote, also those that it deleted in vain. */
interface Commit {
  readonly timestamp: Timestamp;
  readonly rows: Rows;
  readonly keys: ReadonlySet<string>;
  /** What it guarded. */
  readonly guards: ReadonlySet<string>;
}

interface Session {
  readonly snapshot: Timestamp;
  readonly buffer: TransactionBuffer;
  /** What the buffer holds, as the model sees it; undefined deletes. */
  readonly writes: Map<string, string | undefined>;
  readonly guards: Set<string>;
  readonly numbers: bigint[];
}

interface Pending {
  readonly session: Session;
  readonly proposal: Proposal;
}

const names = ['a', 'b', 'c', 'd', 'e', 'f'];

export class History {
  readonly random: Random;
  readonly world: ShardWorld;
  readonly counts = { committed: 0, conflicts: 0, crashes: 0, collected: 0, survivors: 0 };
  readonly #compacts: boolean;
  /** Ascending by timestamp; the first is the empty state. */
  #commits: Commit[] = [this.#first(new Map())];
  #sessions: Session[] = [];
  #pending = new Map<number, Pending>();
  #answered = 0;
  #numbers = new Set<bigint>();
  #unique = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.#compacts = seed % 2 === 0;
    this.world = new ShardWorld({
      encodeAll: true,
      limits: {
        applyBatchBytes: this.random.between(1, 2000),
        applyDelayMs: this.random.between(1, 100),
        turnEntriesMax: this.random.between(1, 5),
        turnWritesMax: this.random.between(1, 10),
        logTailEntries: this.#compacts ? this.random.between(0, 10) : 1_000_000,
        collectDelayMs: this.random.between(1, 50),
        collectIdleDelayMs: 50,
        collectKeysMax: this.random.between(1, 5),
        garbageItemsMax: this.random.between(1, 10),
        sweepPairsMax: this.random.between(1, 5),
      },
    });
  }

  run(steps: number): void {
    this.world.settle();
    for (let step = 0; step < steps; step += 1) this.#step();
    this.world.settle();
    this.#takeAnswers();
    this.#checkReplay();
  }

  #step(): void {
    const { random, world } = this;
    const idle = this.#sessions.filter((session) => !this.#isPending(session));
    const session = idle.length === 0 ? undefined : random.pick(idle);
    const chance = random.below(100);
    if (world.access.refusal !== undefined) world.settle();
    else if (chance < 10 && this.#sessions.length < 5) this.#begin();
    else if (session !== undefined && chance < 35) this.#write(session);
    else if (session !== undefined && chance < 50) this.#read(session);
    else if (session !== undefined && chance < 70) this.#commit(session);
    else if (session !== undefined && chance < 75) this.#forget(session);
    else if (chance < 88) world.flush();
    else if (chance < 90) world.run();
    else if (chance < 96) world.advance(random.between(1, 200), random.chance(0.3));
    else if (chance < 98) world.wallMs += random.between(-600_000, 600_000);
    else this.#crash();
    this.#takeAnswers();
  }

  #begin(): void {
    const { access } = this.world;
    const snapshot = access.openSnapshot();
    const buffer = new TransactionBuffer({
      get: (key) => access.get(key, snapshot),
      scan: (span, visit, reverse) => access.scan(span, snapshot, visit, reverse),
    });
    const guards = new Set<string>();
    this.#sessions.push({ snapshot, buffer, writes: new Map(), guards, numbers: [] });
  }

  #write({ buffer, writes, guards, numbers }: Session): void {
    const { random } = this;
    const fresh = new Map<string, string | undefined>();
    buffer.beginStatement();
    for (let left = random.between(1, 3); left > 0; left -= 1) {
      const name = random.pick(names);
      if (random.chance(0.2)) {
        buffer.guard(keyOf(name));
        guards.add(name);
      } else if (random.chance(0.3)) {
        buffer.delete(keyOf(name));
        fresh.set(name, undefined);
      } else if (random.chance(0.1)) {
        const last = this.world.access.advanceSequence(keyOf('3/s'), 1n, 1n, 1);
        buffer.advance(keyOf('3/s'), last);
        numbers.push(last);
      } else {
        this.#unique += 1;
        buffer.put(keyOf(name), Buffer.from(`${this.#unique}`));
        fresh.set(name, `${this.#unique}`);
      }
    }
    if (random.chance(0.1)) buffer.abandonStatement();
    else {
      buffer.endStatement();
      for (const [name, value] of fresh) writes.set(name, value);
      return;
    }
    // The statement failed, and what it took from sequences is lost, as in PostgreSQL.
    numbers.length = 0;
  }

  #read(session: Session): void {
    const { random } = this;
    const expected = new Map(this.#rowsAt(session.snapshot));
    for (const [name, value] of session.writes) {
      if (value === undefined) expected.delete(name);
      else expected.set(name, value);
    }
    const name = random.pick(names);
    const value = session.buffer.get(keyOf(name));
    equal(value && Buffer.from(value).toString(), expected.get(name), `reading ${name}`);
    const from = random.pick(names);
    const to = random.pick([...names, 'z']);
    const reverse = random.chance(0.5);
    const max = random.between(1, 6);
    const wanted = [...expected]
      .filter(([key]) => key >= from && key < to)
      .sort(([one], [other]) => (one < other ? -1 : 1) * (reverse ? -1 : 1))
      .slice(0, max);
    const seen: [string, string][] = [];
    session.buffer.scan(
      spanOf(from, to),
      (key, found) => {
        seen.push([Buffer.from(key).toString('latin1', 10), Buffer.from(found).toString()]);
        return seen.length < max;
      },
      reverse,
    );
    equal(seen.join(), wanted.join(), `scanning ${from}..${to} ${reverse ? 'down' : 'up'}`);
  }

  #commit(session: Session): void {
    const { access } = this.world;
    session.buffer.beginStatement();
    // By its marker a transaction is recognised after a crash.
    this.#unique += 1;
    const marker = `2/m${this.#unique}`;
    session.buffer.put(keyOf(marker), Buffer.from(marker));
    session.buffer.endStatement();
    session.writes.set(marker, marker);
    const proposal = session.buffer.proposal(access.nextTransactionId(), session.snapshot);
    this.#pending.set(this.world.propose(proposal), { session, proposal });
  }

  #isPending(session: Session): boolean {
    return [...this.#pending.values()].some((pending) => pending.session === session);
  }

  #forget(session: Session): void {
    this.world.access.closeSnapshot(session.snapshot);
    this.#sessions = this.#sessions.filter((other) => other !== session);
  }

  #takeAnswers(): void {
    const { answers } = this.world;
    for (const answer of answers.slice(this.#answered)) {
      const { session } = must(this.#pending.get(answer.token), 'an answer to nothing');
      this.#pending.delete(answer.token);
      const conflicting = this.#conflicts(session);
      if (answer.kind === 'shard.committed') {
        equal(conflicting, false, `commit at ${answer.timestamp}`);
        this.#apply(session, answer.timestamp);
      } else {
        assert(answer.kind === 'shard.refused', 'a proposal is committed or refused');
        equal(answer.reason, 'conflict', 'refusal');
        equal(this.#overlaps(session), true, 'refusal as a conflict');
        this.counts.conflicts += 1;
      }
      this.#forget(session);
    }
    this.#answered = answers.length;
    for (const event of this.world.events) {
      if (event.startsWith('fatal')) throw new Error(event);
    }
  }

  /** Whether a key that the session writes or guards has changed since its snapshot. */
  #conflicts(session: Session): boolean {
    const then = this.#rowsAt(session.snapshot);
    const keys = [...session.guards, ...session.writes.keys()];
    const changed = this.#commits.some(
      ({ timestamp, rows }) =>
        timestamp > session.snapshot && keys.some((key) => rows.get(key) !== then.get(key)),
    );
    return changed || this.#takesWhatIsGuarded(session);
  }

  /** Whether somebody wrote such a key since, even if nothing came of it. */
  #overlaps({ guards, writes, snapshot }: Session): boolean {
    const mine = [...guards, ...writes.keys()];
    const written = this.#commits.some(
      ({ timestamp, keys }) => timestamp > snapshot && mine.some((key) => keys.has(key)),
    );
    return written || this.#takesWhatIsGuarded({ guards, writes, snapshot });
  }

  /** Whether a key that it both guards and writes was guarded by somebody since. */
  #takesWhatIsGuarded({
    guards,
    writes,
    snapshot,
  }: Pick<Session, 'guards' | 'writes' | 'snapshot'>): boolean {
    const taken = [...guards].filter((key) => writes.has(key));
    return this.#commits.some(
      (commit) => commit.timestamp > snapshot && taken.some((key) => commit.guards.has(key)),
    );
  }

  #first(rows: Rows): Commit {
    return { timestamp: 0 as Timestamp, rows, keys: new Set(), guards: new Set() };
  }

  #apply(session: Session, timestamp: Timestamp): void {
    const last = must(this.#commits.at(-1), 'a first state');
    if (timestamp <= last.timestamp) throw new Error(`timestamp ${timestamp} does not rise`);
    const rows = new Map(last.rows);
    for (const [name, value] of session.writes) {
      if (value === undefined) rows.delete(name);
      else rows.set(name, value);
    }
    const { writes, guards } = session;
    this.#commits.push({ timestamp, rows, keys: new Set(writes.keys()), guards });
    for (const number of session.numbers) {
      if (this.#numbers.has(number)) throw new Error(`number ${number} was committed twice`);
      this.#numbers.add(number);
    }
    this.counts.committed += 1;
  }

  #rowsAt(snapshot: Timestamp): Rows {
    const seen = this.#commits.findLast(({ timestamp }) => timestamp <= snapshot);
    return must(seen, 'a first state').rows;
  }

  #crash(): void {
    const { world, random } = this;
    this.counts.crashes += 1;
    const survivingLater = random.below(world.engine.pendingLater + 1);
    world.restart(random.below(world.engine.pending + 1), survivingLater);
    this.#answered = world.answers.length;
    world.settle();
    // Entries lie in the log in the order of the proposals: what survived is a prefix of them.
    const at = world.access.appliedTimestamp;
    let lost = false;
    for (const { session } of this.#pending.values()) {
      const marker = must(
        [...session.writes.keys()].findLast((key) => key.startsWith('2/m')),
        'm',
      );
      const isThere = world.access.get(keyOf(marker), at) !== undefined;
      if (!isThere) {
        lost ||= !this.#overlaps(session);
        continue;
      }
      equal(lost, false, 'a transaction survived one before it');
      equal(this.#conflicts(session), false, 'a survivor of a conflict');
      this.counts.survivors += 1;
      const last = must(this.#commits.at(-1), 'a first state');
      this.#apply(session, Math.max(at, last.timestamp + 1) as Timestamp);
    }
    // The model does not know when each survivor committed; snapshots begin after all of them.
    const rows = must(this.#commits.at(-1), 'a first state').rows;
    this.#commits = [this.#first(rows)];
    this.#pending.clear();
    this.#sessions = [];
    this.#begin();
    const session = must(this.#sessions[0], 'a session after the crash');
    for (let i = 0; i < 5; i += 1) this.#read(session);
  }

  /** A second replica that applies the log from its beginning ends with the same content. */
  #checkReplay(): void {
    const { world } = this;
    world.advance(10_000);
    for (const session of [...this.#sessions]) this.#forget(session);
    // Nothing is left to collect once no snapshot is open.
    world.advance(60_000);
    const pending = world.metrics
      .snapshot()
      .find((sample) => sample.name === 'shardforge_shard_history_pending');
    equal(pending?.value, 0, 'history that nobody needs');
    this.counts.collected += 1;
    if (this.#compacts) return;
    const log = new RaftLog(world.engine, shard);
    const overlay = new Overlay(new MemoryEngine());
    const state = new ShardState(overlay, new GarbageQueue(1), undefined);
    for (let index = 1; index <= log.lastIndex; index += 1) {
      for (const entry of log.read(index as LogIndex, index as LogIndex, 1)) {
        while (state.apply(entry, 2) === 'partly');
      }
    }
    equal(contentHash(overlay), contentHash(new Overlay(world.engine)), 'content of a replay');
  }
}

function contentHash(overlay: Overlay): string {
  const hash = createHash('sha256');
  overlay.scan({ from: Uint8Array.of(0x10), to: Uint8Array.of(0x11) }, (key, value) => {
    hash.update(key).update(value);
    return true;
  });
  return hash.digest('hex');
}

function equal<T>(is: T, expected: T, what: string): void {
  if (is !== expected) throw new Error(`${what}: ${is}, expected ${expected}`);
}
