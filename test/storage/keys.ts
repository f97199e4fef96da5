/** The key map. */
import fc from 'fast-check';
import t from 'tap';
import type { DatabaseId, LogIndex, ShardId, StorageId, Timestamp } from '#src/base/ids.js';
import {
  dataPrefix,
  groupKey,
  historyKey,
  keyKind,
  logKey,
  parseKey,
  printKey,
  splitHistoryKey,
  storeKey,
} from '#src/storage/keys.js';
import { bytes } from './place.js';

t.test('keys are read back from their bytes and printed so that no two look alike', async (t) => {
  const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const number = fc.nat(Number.MAX_SAFE_INTEGER);
  fc.assert(
    fc.property(uint32, number, (group, last) => {
      const key = logKey(group as ShardId, last as LogIndex);
      t.same(parseKey(key), { space: 'log', group, last });
      t.equal(printKey(key), `log/${group}/${last}`);
    }),
  );
  fc.assert(
    fc.property(uint32, uint32, fc.uint8Array(), number, (database, storage, rest, timestamp) => {
      const prefix = dataPrefix(database as DatabaseId, storage as StorageId, keyKind.row);
      const row = Buffer.concat([prefix, rest]);
      const key = Buffer.from(rest);
      const common = { space: 'data', database, storage, key };
      t.same(parseKey(row), { ...common, kind: 'row', timestamp: undefined });
      const older = historyKey(row, timestamp as Timestamp);
      t.same(splitHistoryKey(older), { rowKey: row, timestamp });
      t.equal(printKey(older), `${printKey(row)}@${timestamp}`);
      t.same(parseKey(older), { ...common, kind: 'row', timestamp });
    }),
  );
  t.equal(printKey(groupKey('hardState', 4 as ShardId)), 'hardState/4');
  t.equal(printKey(groupKey('applied', 4 as ShardId)), 'applied/4');
  t.equal(printKey(storeKey('näme')), 'store/näme');
  t.equal(printKey(Buffer.of(1, 2)), 'bytes/0102');
  const some = fc.uint8Array({ maxLength: 24 });
  const likely = fc
    .tuple(fc.constantFrom(1, 2, 3, 4, 0x10), some)
    .map(([space, rest]) => Uint8Array.of(space, ...rest));
  fc.assert(
    fc.property(fc.oneof(some, likely), fc.oneof(some, likely), (one, other) => {
      return (Buffer.compare(one, other) === 0) === (printKey(one) === printKey(other));
    }),
    { numRuns: 2000 },
  );
  const row = Buffer.concat([dataPrefix(1 as DatabaseId, 1 as StorageId, keyKind.row), bytes('k')]);
  t.ok(
    Buffer.compare(historyKey(row, 9 as Timestamp), historyKey(row, 8 as Timestamp)) < 0,
    'newer versions come first',
  );
  t.throws(() => historyKey(storeKey('x'), 1 as Timestamp));
});
