/** The sorted map. */
import fc from 'fast-check';
import t from 'tap';
import { byteString } from '#src/base/bytes.js';
import { Random } from '#src/base/random.js';
import { SortedMap } from '#src/base/sorted-map.js';

t.test('the sorted map behaves as a sorted array', async () => {
  const key = fc.integer({ min: 0, max: 900 }).map((n) => byteString(Buffer.of(n >> 8, n & 255)));
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ op: fc.constant('set' as const), key }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('delete' as const), key }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('scan' as const), key }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 1500, size: 'max' }), (steps) => {
      const map = new SortedMap<number>();
      const model = new Map<string, number>();
      const sorted = (): string[] => [...model.keys()].sort((a, b) => (a < b ? -1 : 1));
      for (const [at, { op, key }] of steps.entries()) {
        if (op === 'set') {
          map.set(key, at);
          model.set(key, at);
        } else if (op === 'delete') {
          if (map.delete(key) !== model.delete(key)) return false;
        } else {
          const up: string[] = [];
          for (const c = map.ascend(key); c.key !== undefined; c.next()) up.push(c.key);
          const down: string[] = [];
          for (const c = map.descend(key); c.key !== undefined; c.next()) down.push(c.key);
          const expected = sorted();
          if (up.join() !== expected.filter((k) => k >= key).join()) return false;
          if (
            down.join() !==
            expected
              .filter((k) => k < key)
              .reverse()
              .join()
          )
            return false;
        }
        if (map.get(key) !== model.get(key) || map.size !== model.size) return false;
      }
      map.checkInvariants();
      return true;
    }),
    { numRuns: 60 },
  );
});

t.test('a cursor goes on in order while the sorted map changes under it', async (t) => {
  for (const reverse of [false, true]) {
    const random = new Random(7);
    const map = new SortedMap<number>();
    const name = (n: number): string => String(n).padStart(4, '0');
    for (let n = 0; n < 1000; n += 2) map.set(name(n), n);
    const kept = new Set<string>();
    const seen: string[] = [];
    const cursor = reverse ? map.descend('9') : map.ascend('');
    for (; cursor.key !== undefined; cursor.next()) {
      seen.push(cursor.key);
      map.set(name(random.below(1000) | 1), 0);
      map.delete(name(random.below(1000) & ~1));
    }
    for (let n = 0; n < 1000; n += 2) if (map.get(name(n)) !== undefined) kept.add(name(n));
    const sorted = [...seen].sort();
    t.same(seen, reverse ? sorted.reverse() : sorted);
    t.equal(new Set(seen).size, seen.length, 'nothing is shown twice');
    t.same(
      [...kept].filter((key) => !seen.includes(key)),
      [],
      'what stayed was shown',
    );
    map.checkInvariants();
  }
});
