/** The Raft log and the records in it. */
import fc from 'fast-check';
import t from 'tap';
import { assert } from '#src/base/assert.js';
import { DatabaseError } from '#src/base/errors.js';
import type { LogIndex, NodeId } from '#src/base/ids.js';
import {
  decodeConfiguration,
  decodeHardState,
  decodeLogRecord,
  encodeConfiguration,
  encodeHardState,
  encodeLogRecords,
  type Generation,
  MemoryEngine,
  RaftLog,
  type HardState,
  type LogEntry,
} from '#src/storage/index.js';
import { logKey, printKey } from '#src/storage/keys.js';
import { ComparedLog, entry, group, hardState, type LogStep, payloadText } from './log-model.js';
import { contents, durable } from './place.js';

const range = (log: RaftLog, from: number, to: number, bytesMax = 2 ** 30): string[] =>
  log.read(from as LogIndex, to as LogIndex, bytesMax).map(payloadText);

const recordOf = (...entries: LogEntry[]): Uint8Array => {
  const [record, ...others] = encodeLogRecords(entries);
  assert(record !== undefined && others.length === 0, 'one record');
  return record.bytes;
};

function entriesOf(record: Uint8Array): LogEntry[] {
  const entries: LogEntry[] = [];
  decodeLogRecord(record, (entry) => entries.push(entry) > 0);
  return entries;
}

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

t.test('entries appended together lie in one record, up to a bound', async (t) => {
  const engine = new MemoryEngine();
  const log = new RaftLog(engine, group);
  const lasts = ({ puts }: Generation): string[] =>
    puts.map(({ key, value }) => `${printKey(key)}${value === undefined ? ' removed' : ''}`);
  const flushed = async (generation: Generation): Promise<string[]> => {
    await durable(engine, engine.commit(generation.puts));
    log.markDurable(generation.number);
    return lasts(generation);
  };
  await flushed(log.append([], hardState(1)));
  const small = (from: number, to: number, term: number): LogEntry[] =>
    Array.from({ length: to + 1 - from }, (_, n) => entry(from + n, term));
  t.same(await flushed(log.append(small(1, 10, 1))), ['log/5/10']);
  t.same(await flushed(log.append(small(11, 20, 1))), ['log/5/20']);
  const huge = entry(22, 1, 'x'.repeat(70_000));
  const mixed = log.append([entry(21, 1), huge, ...small(23, 24, 1)]);
  t.same(await flushed(mixed), ['log/5/21', 'log/5/22', 'log/5/24'], 'a long one stands alone');
  t.same(
    await flushed(log.append([entry(25, 1, 'y'.repeat(40_000)), entry(26, 1, 'y'.repeat(40_000))])),
    ['log/5/25', 'log/5/26'],
  );

  t.same(
    await flushed(log.append([entry(15, 2)])),
    [20, 21, 22, 24, 25, 26].map((last) => `log/5/${last} removed`).concat('log/5/15'),
    'a suffix is replaced in the middle of a record: what was before it stays with it',
  );
  const texts = (from: number, to: number): string[] => small(from, to, 1).map(payloadText);
  t.same(range(new RaftLog(engine, group), 1, 15), [...texts(1, 14), 'entry 15 of 2']);

  const cut = log.compact(4 as LogIndex);
  t.same(await flushed(cut), ['hardState/5'], 'a record goes when all of it is compacted');
  const again = new RaftLog(engine, group);
  for (const each of [log, again]) {
    t.equal(each.firstIndex, 5);
    t.same(
      [3, 4, 5].map((index) => each.termAt(index as LogIndex)),
      [undefined, 1, 1],
    );
    t.same(range(each, 5, 12), texts(5, 12));
    t.throws(() => range(each, 4, 12), 'compacted, though its record is there');
  }
  t.same(await flushed(log.append([entry(7, 3)])), [
    'log/5/10 removed',
    'log/5/15 removed',
    'log/5/7',
  ]);
  t.same(range(new RaftLog(engine, group), 5, 7), [...texts(5, 6), 'entry 7 of 3']);
  t.same(await flushed(log.compact(7 as LogIndex)), ['hardState/5', 'log/5/7 removed']);
  t.equal(new RaftLog(engine, group).firstIndex, 8);
});

t.test('a log with a hole, a foreign entry or a rotten one is refused by name', async (t) => {
  const damage = async (
    change: (engine: MemoryEngine) => Promise<void> | void,
    message: RegExp,
  ): Promise<void> => {
    const engine = new MemoryEngine();
    const log = new RaftLog(engine, group);
    const state = log.append([], hardState(4));
    const appended = [[1, 2], [3, 4], [5]].map((indexes) =>
      log.append(indexes.map((index) => entry(index, 4))),
    );
    for (const { puts } of [state, ...appended, log.compact(1 as LogIndex)]) {
      await durable(engine, engine.commit(puts));
    }
    log.verify();
    await change(engine);
    t.throws(() => log.verify(), { kind: 'data_corrupted', message });
    t.throws(() => new RaftLog(engine, group), { kind: 'data_corrupted', message });
  };
  const key = (index: number): Uint8Array => logKey(group, index as LogIndex);
  const put = (index: number, value: Uint8Array | undefined) => (engine: MemoryEngine) =>
    durable(engine, engine.commit([{ key: key(index), value }]));
  const two = recordOf(entry(3, 4), entry(4, 4));
  await damage(put(4, undefined), /log\/5\/5 holds entry 5; 3 is missing/);
  await damage(put(2, undefined), /log\/5\/4 holds entry 3; 2 is missing/);
  await damage(put(4, recordOf(entry(4, 4))), /log\/5\/4 holds entry 4; 3 is missing/);
  const twice = Buffer.concat([recordOf(entry(3, 4)), recordOf(entry(3, 4))]);
  await damage(put(4, twice), /log\/5\/4 holds entry 3; 4 is missing/);
  await damage(put(4, recordOf(entry(3, 4))), /log\/5\/4 ends with entry 3/);
  await damage(put(4, recordOf(entry(3, 3), entry(4, 4))), /entry 3 with the wrong term 3/);
  await damage(put(2, recordOf(entry(1, 3), entry(2, 4))), /entry 1 with the wrong term 3/);
  await damage(put(1, recordOf(entry(1, 4))), /log\/5\/1 was compacted and is still there/);
  await damage(put(4, Buffer.alloc(0)), /log\/5\/4 ends with entry 2/);
  await damage(put(4, Buffer.of(99)), /log entry of unknown format 99/);
  for (let length = 1; length < two.length; length += 1) {
    const message = /bytes end too early|log\/5\/4 ends with entry 3/;
    await damage(put(4, two.subarray(0, length)), message);
  }
  await damage((engine) => engine.damage(key(4)), /log\/5\/4 fails its checksum/);
});

t.test('a log is as an array of its entries, whatever is done to it', async () => {
  const part = fc.integer({ min: 0, max: 8 }).map((eighths) => eighths / 8);
  const length = fc.oneof(
    { weight: 20, arbitrary: fc.nat(300) },
    { weight: 2, arbitrary: fc.constantFrom(30_000, 70_000) },
    { weight: 1, arbitrary: fc.constant(1_500_000) },
  );
  const back = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(12));
  const lengths = fc.array(length, { minLength: 1, maxLength: 12 });
  const step: fc.Arbitrary<LogStep> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('append'), back, lengths }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('compact'), part }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('install'), part, same: fc.boolean() }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('flush'), count: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash'), part }) },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(step, part), { maxLength: 60, size: 'max' }), (steps) => {
      const log = new ComparedLog();
      for (const [each, readPart] of steps) {
        log.step(each);
        log.compare(readPart);
      }
    }),
    { numRuns: 100 },
  );
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
  fc.assert(fc.property(anEntry, (e) => t.same(entriesOf(recordOf(e)), [e])));
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
      for (const decode of [entriesOf, decodeConfiguration, decodeHardState]) {
        refuses(decode, input);
      }
    }),
  );
});
