/** The Raft log and the records in it. */
import fc from 'fast-check';
import t from 'tap';
import { DatabaseError } from '#src/base/errors.js';
import type {
  LogIndex,
  NodeId,
  ObjectId,
  ShardId,
  Term,
  Timestamp,
  TransactionId,
} from '#src/base/ids.js';
import {
  decodeConfiguration,
  decodeHardState,
  decodeLogEntry,
  encodeConfiguration,
  encodeHardState,
  encodeLogEntry,
  MemoryEngine,
  RaftLog,
  type HardState,
  type LogEntry,
} from '#src/storage/index.js';
import { logKey } from '#src/storage/keys.js';
import { contents, durable } from './place.js';

const group = 5 as ShardId;

function entry(index: number, term: number, payload = `entry ${index} of ${term}`): LogEntry {
  return {
    term: term as Term,
    index: index as LogIndex,
    kind: 'write',
    transaction: (2 ** 40 + index) as TransactionId,
    timestamp: (2 ** 45 + index) as Timestamp,
    origin: 3 as NodeId,
    wallMs: 1_700_000_000_000,
    objects: [{ object: 9 as ObjectId, version: 2 }],
    client: undefined,
    request: undefined,
    payload: Buffer.from(payload),
  };
}

function hardState(term: number): HardState {
  return {
    term: term as Term,
    vote: undefined,
    configuration: { voters: [1 as NodeId], outgoing: [], learners: [], witnesses: [] },
    clusterId: '00000000-0000-4000-8000-000000000001',
    lastSnapshot: { index: 0 as LogIndex, term: 0 as Term },
  };
}

const range = (log: RaftLog, from: number, to: number, bytesMax = 2 ** 30): string[] =>
  log
    .read(from as LogIndex, to as LogIndex, bytesMax)
    .map(({ payload }) => Buffer.from(payload).toString());

t.test('the log reads back what was appended, before and after it is durable', async (t) => {
  const engine = new MemoryEngine();
  const log = new RaftLog(engine, group);
  t.equal(log.hardState, undefined);
  t.equal(log.firstIndex, 1);
  t.equal(log.lastIndex, 0);
  t.equal(log.termAt(0 as LogIndex), 0);
  t.throws(() => log.append([entry(1, 1)]), 'entries need a hard state');
  const first = log.append([entry(1, 1), entry(2, 1), entry(3, 2)], hardState(2));
  const ticket = engine.commit(first.puts);
  t.same(range(log, 1, 3), ['entry 1 of 1', 'entry 2 of 1', 'entry 3 of 2']);
  t.same(contents(engine), [], 'from memory: the engine has nothing yet');
  await durable(engine, ticket);
  log.markDurable(first.number);

  const again = new RaftLog(engine, group);
  t.same(range(again, 1, 3), range(log, 1, 3), 'from the engine');
  t.same(again.hardState, log.hardState);
  t.same(
    [1, 2, 3, 4].map((i) => again.termAt(i as LogIndex)),
    [1, 1, 2, undefined],
  );
  t.same(range(again, 2, 3, 5), ['entry 2 of 1'], 'one entry at least, then by size');
  t.same(range(again, 1, 3, 24), ['entry 1 of 1', 'entry 2 of 1']);
  t.same(again.read(1 as LogIndex, 1 as LogIndex, 0), [entry(1, 1)], 'every field comes back');
  t.throws(() => again.append([entry(5, 2)]), 'a gap is a bug');
  t.throws(() => again.append([entry(4, 1)]), 'so is a term that falls');
  t.throws(() => again.append([], hardState(1)));
});

t.test('a suffix is replaced, in memory at once and in the engine as one batch', async (t) => {
  const engine = new MemoryEngine();
  const log = new RaftLog(engine, group);
  const flushed = async (generation: ReturnType<RaftLog['append']>): Promise<void> => {
    await durable(engine, engine.commit(generation.puts));
    log.markDurable(generation.number);
  };
  await flushed(log.append([entry(1, 1), entry(2, 1), entry(3, 1), entry(4, 1)], hardState(1)));
  const replaced = log.append([entry(3, 2)], hardState(2));
  t.equal(log.lastIndex, 3);
  t.same(range(log, 1, 3), ['entry 1 of 1', 'entry 2 of 1', 'entry 3 of 2']);
  t.same(
    [3, 4].map((i) => log.termAt(i as LogIndex)),
    [2, undefined],
  );
  t.same(range(new RaftLog(engine, group), 3, 4), ['entry 3 of 1', 'entry 4 of 1'], 'not yet');
  await flushed(replaced);
  const again = new RaftLog(engine, group);
  t.equal(again.lastIndex, 3);
  t.same(range(again, 1, 3), ['entry 1 of 1', 'entry 2 of 1', 'entry 3 of 2']);
  t.equal(again.hardState?.term, 2);
});

t.test('compaction removes a prefix and remembers its term and configuration', async (t) => {
  const engine = new MemoryEngine();
  const log = new RaftLog(engine, group);
  const wider = { ...hardState(1).configuration, voters: [1 as NodeId, 2 as NodeId] };
  const change: LogEntry = {
    ...entry(2, 2),
    kind: 'configuration',
    payload: encodeConfiguration(wider),
  };
  const first = log.append([entry(1, 1), change, entry(3, 2), entry(4, 3)], hardState(3));
  t.same(log.configuration, wider, 'the newest in the log, committed or not');
  const second = log.compact(3 as LogIndex);
  t.equal(log.firstIndex, 4);
  t.same(
    [2, 3, 4].map((i) => log.termAt(i as LogIndex)),
    [undefined, 2, 3],
  );
  t.throws(() => log.read(3 as LogIndex, 4 as LogIndex, 100), 'compacted entries are gone');
  await durable(engine, engine.commit([...first.puts, ...second.puts]));
  log.markDurable(second.number);
  const again = new RaftLog(engine, group);
  t.equal(again.firstIndex, 4);
  t.equal(again.lastIndex, 4);
  t.same(
    [2, 3, 4].map((i) => again.termAt(i as LogIndex)),
    [undefined, 2, 3],
  );
  t.same(again.configuration, wider, 'also when its entry is compacted away');
  const third = again.compact(4 as LogIndex);
  await durable(engine, engine.commit(third.puts));
  const empty = new RaftLog(engine, group);
  t.equal(empty.firstIndex, 5);
  t.equal(empty.lastIndex, 4);
  t.equal(empty.termAt(4 as LogIndex), 3);
});

t.test('durable entries leave memory beyond a bound and are read from the engine', async (t) => {
  const engine = new MemoryEngine();
  const log = new RaftLog(engine, group);
  const payload = 'x'.repeat(100_000);
  const entries = Array.from({ length: 100 }, (_, n) => entry(n + 1, 1, `${n + 1} ${payload}`));
  const { number, puts } = log.append(entries, hardState(1));
  await durable(engine, engine.commit(puts));
  log.markDurable(number);
  const heads = range(log, 1, 100).map((payload) => Number.parseInt(payload, 10));
  t.same(
    heads,
    entries.map(({ index }) => index),
  );
  t.equal(range(log, 40, 80).length, 41, 'across the edge of memory');
  await durable(engine, engine.commit([{ key: logKey(group, 1 as LogIndex), value: undefined }]));
  t.throws(() => range(log, 1, 2), 'the first entries come from the engine');
});

t.test('a log with a hole, a foreign entry or a rotten one is refused by name', async (t) => {
  const damage = async (
    change: (engine: MemoryEngine) => Promise<void> | void,
    message: RegExp,
  ): Promise<void> => {
    const engine = new MemoryEngine();
    const log = new RaftLog(engine, group);
    const { puts } = log.append([entry(1, 1), entry(2, 1), entry(3, 1)], hardState(1));
    await durable(engine, engine.commit(puts));
    await change(engine);
    t.throws(() => log.verify(), { kind: 'data_corrupted', message });
    t.throws(() => new RaftLog(engine, group), { kind: 'data_corrupted', message });
  };
  const key = (index: number): Uint8Array => logKey(group, index as LogIndex);
  const put = (value: Uint8Array | undefined) => (engine: MemoryEngine) =>
    durable(engine, engine.commit([{ key: key(2), value }]));
  await damage(put(undefined), /log\/5\/3 holds entry 3; 2 is missing/);
  await damage(put(encodeLogEntry(entry(3, 1))), /log\/5\/2 holds entry 3/);
  await damage(put(Buffer.of(99)), /log entry of unknown format 99/);
  await damage(put(encodeLogEntry(entry(2, 1)).subarray(0, 20)), /bytes end too early/);
  await damage((engine) => engine.damage(key(2)), /log\/5\/2 fails its checksum/);
});

t.test('records of the log survive encoding; other bytes are refused, never misread', async (t) => {
  const number = fc.nat(Number.MAX_SAFE_INTEGER);
  const node = fc.integer({ min: 1, max: 2 ** 32 - 1 }) as fc.Arbitrary<NodeId>;
  const nodes = fc.array(node, { maxLength: 5 });
  const anEntry = fc.record({
    term: number,
    index: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    kind: fc.constantFrom('noop', 'write', 'gc', 'configuration'),
    transaction: number,
    timestamp: number,
    origin: node,
    wallMs: number,
    objects: fc.array(fc.record({ object: number, version: number }), { maxLength: 4 }),
    client: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
    request: fc.option(fc.string(), { nil: undefined }),
    payload: fc.uint8Array().map((array) => Buffer.from(array)),
  }) as unknown as fc.Arbitrary<LogEntry>;
  const configuration = fc.record({
    voters: nodes,
    outgoing: nodes,
    learners: nodes,
    witnesses: nodes,
  });
  const state = fc.record({
    term: number,
    vote: fc.option(node, { nil: undefined }),
    configuration,
    clusterId: fc.string(),
    lastSnapshot: fc.record({ index: number, term: number }),
  }) as unknown as fc.Arbitrary<HardState>;
  fc.assert(fc.property(anEntry, (e) => t.same(decodeLogEntry(encodeLogEntry(e)), e)));
  fc.assert(
    fc.property(configuration, (c) => t.same(decodeConfiguration(encodeConfiguration(c)), c)),
  );
  fc.assert(fc.property(state, (s) => t.same(decodeHardState(encodeHardState(s)), s)));
  const refuses = (decode: (bytes: Uint8Array) => unknown, input: Uint8Array): void => {
    try {
      decode(input);
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.kind !== 'data_corrupted') throw error;
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (noise) => {
      const input = Buffer.concat([Buffer.of(1), noise]);
      for (const decode of [decodeLogEntry, decodeConfiguration, decodeHardState]) {
        refuses(decode, input);
      }
    }),
  );
});
