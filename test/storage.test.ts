/**
 * Storage: the engine's contract kept by all three engines, what a crash and a full disk leave, the
 * overlay, the Raft log, the key map and the directory.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { byteString, bytesOfString, successor } from '#src/base/bytes.js';
import { DatabaseError } from '#src/base/errors.js';
import type {
  DatabaseId,
  LogIndex,
  NodeId,
  ObjectId,
  ShardId,
  StorageId,
  Term,
  Timestamp,
  TransactionId,
} from '#src/base/ids.js';
import { Random } from '#src/base/random.js';
import { SortedMap } from '#src/base/sorted-map.js';
import { checksum } from '#src/storage/checksum.js';
import {
  type Batch,
  decodeConfiguration,
  decodeHardState,
  decodeLogEntry,
  type Engine,
  encodeConfiguration,
  encodeHardState,
  encodeLogEntry,
  type HardState,
  LmdbEngine,
  type LogEntry,
  MemoryEngine,
  MirrorEngine,
  Overlay,
  RaftLog,
  type Span,
  type Ticket,
} from '#src/storage/index.js';
import {
  dataPrefix,
  groupKey,
  historyKey,
  keyBytesMax,
  keyKind,
  logKey,
  parseKey,
  printKey,
  storeKey,
} from '#src/storage/keys.js';

type Test = typeof t;

const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();
const bytes = (value: string): Uint8Array => Buffer.from(value);
const everything: Span = { from: Buffer.of(0), to: Buffer.alloc(9, 0xff) };

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'shardforge-storage-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Resolves when the engine's durable ticket has reached `ticket`; rejects with its failure. */
function durable(engine: Engine, ticket: Ticket): Promise<void> {
  if (engine.durableTicket >= ticket) return Promise.resolve();
  return new Promise((resolve, reject) => {
    engine.onDurable((failure) => {
      if (failure !== undefined) reject(failure);
      else if (engine.durableTicket >= ticket) resolve();
    });
  });
}

function contents(engine: Engine | Overlay, span = everything, reverse = false): string[] {
  const seen: string[] = [];
  const visit = (key: Uint8Array, value: Uint8Array): boolean => {
    seen.push(`${text(key)}=${text(value)}`);
    return true;
  };
  engine.scan(span, visit, reverse);
  return seen;
}

t.test('the sorted map behaves as a sorted array', async (t) => {
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

/** The suite that every engine passes. `open` makes a fresh engine. */
function engineSuite(name: string, open: (t: Test) => Engine): void {
  t.test(`${name}: what is durable is read, in order, forwards and backwards`, async (t) => {
    const engine = open(t);
    t.equal(engine.durableTicket, 0);
    const first = engine.commit(
      ['b', 'd', 'a', 'c'].map((k) => ({ key: bytes(k), value: bytes(`1${k}`) })),
    );
    t.equal(first, 1);
    t.equal(engine.durableTicket, 0, 'commit does not wait');
    const second = engine.commit([
      { key: bytes('c'), value: bytes('2c') },
      { key: bytes('b'), value: undefined },
      { key: bytes('absent'), value: undefined },
      { key: bytes('e'), value: bytes('lost') },
      { key: bytes('e'), value: bytes('') },
    ]);
    await durable(engine, second);
    t.equal(engine.durableTicket, 2);
    t.same(contents(engine), ['a=1a', 'c=2c', 'd=1d', 'e=']);
    t.same(contents(engine, everything, true), ['e=', 'd=1d', 'c=2c', 'a=1a']);
    const span = { from: bytes('a'), to: bytes('d') };
    t.same(contents(engine, span), ['a=1a', 'c=2c'], 'from is in the span, to is not');
    t.same(contents(engine, span, true), ['c=2c', 'a=1a']);
    const inner = { from: bytes('aa'), to: bytes('cc') };
    t.same(contents(engine, inner, true), ['c=2c']);
    t.same(contents(engine, { from: bytes('x'), to: bytes('z') }, true), []);
    t.equal(text(engine.get(bytes('c'))), '2c');
    t.equal(text(engine.get(bytes('e'))), '', 'an empty value is a value');
    t.equal(engine.get(bytes('b')), undefined);
    let visits = 0;
    engine.scan(everything, () => {
      visits += 1;
      return visits < 2;
    });
    t.equal(visits, 2, 'visit ends the scan');
    const stats = engine.stats();
    t.ok(stats.flushes >= 1 && stats.usedBytes > 0);
    await engine.close();
  });

  t.test(`${name}: batches committed during a flush share the next one`, async (t) => {
    const engine = open(t);
    const risen: number[] = [];
    engine.onDurable(() => risen.push(engine.durableTicket));
    await durable(engine, engine.commit([{ key: bytes('a'), value: bytes('1') }]));
    engine.commit([{ key: bytes('b'), value: bytes('1') }]);
    await null;
    let last = 0 as Ticket;
    for (let n = 0; n < 100; n += 1)
      last = engine.commit([{ key: Buffer.of(65, n), value: bytes('1') }]);
    await durable(engine, last);
    t.equal(last, 102);
    t.ok(risen.length <= 5, `few flushes: ${risen}`);
    t.same(
      risen,
      [...risen].sort((a, b) => a - b),
      'tickets rise',
    );
    await engine.close();
  });

  t.test(`${name}: a visit may read and commit; its arrays stay what they were`, async (t) => {
    const engine = open(t);
    const batch: Batch = ['a', 'b', 'c'].map((k) => ({ key: bytes(k), value: bytes(k.repeat(9)) }));
    await durable(engine, engine.commit(batch));
    const seen: string[] = [];
    let last = 0 as Ticket;
    engine.scan(everything, (key, value) => {
      t.same(contents(engine).length, 3);
      t.equal(text(engine.get(bytes('c'))), 'ccccccccc');
      last = engine.commit([{ key: Buffer.concat([key, bytes('x')]), value }]);
      seen.push(`${text(key)}=${text(value)}`);
      return true;
    });
    t.same(seen, ['a=aaaaaaaaa', 'b=bbbbbbbbb', 'c=ccccccccc']);
    await durable(engine, last);
    t.equal(contents(engine).length, 6);
    await engine.close();
  });

  t.test(`${name}: random batches leave what a map would hold`, async (t) => {
    const engine = open(t);
    const random = new Random(11);
    const model = new Map<string, string>();
    let last = 0 as Ticket;
    for (let round = 0; round < 60; round += 1) {
      const batch = Array.from({ length: random.below(20) }, () => {
        const key = Buffer.alloc(random.between(1, 3), random.between(97, 122));
        key[0] = random.between(97, 122);
        const size = random.chance(0.05) ? 20_000 : random.below(50);
        const value = random.chance(0.3) ? undefined : Buffer.alloc(size, random.between(97, 122));
        return { key, value };
      });
      for (const { key, value } of batch) {
        if (value === undefined) model.delete(key.toString());
        else model.set(key.toString(), value.toString());
      }
      last = engine.commit(batch);
      if (random.chance(0.3)) await durable(engine, last);
    }
    await durable(engine, last);
    const expected = [...model].map(([key, value]) => `${key}=${value}`).sort();
    t.same(contents(engine).sort(), expected);
    t.same(contents(engine), contents(engine, everything, true).reverse());
    for (const [key, value] of model) t.equal(text(engine.get(bytes(key))), value);
    await engine.close();
  });

  t.test(`${name}: the longest key is taken, a longer one is a bug of the caller`, async (t) => {
    const engine = open(t);
    const longest = Buffer.alloc(keyBytesMax, 0x61);
    await durable(engine, engine.commit([{ key: longest, value: bytes('v') }]));
    t.equal(text(engine.get(longest)), 'v');
    const span = { from: longest, to: Buffer.of(0x62) };
    t.equal(contents(engine, span, true).length, 1);
    t.throws(() => engine.commit([{ key: Buffer.alloc(keyBytesMax + 1), value: bytes('v') }]));
    t.throws(() => engine.commit([{ key: Buffer.alloc(0), value: bytes('v') }]));
    await engine.close();
  });

  t.test(`${name}: close waits for what was committed`, async (t) => {
    const engine = open(t);
    const ticket = engine.commit([{ key: bytes('a'), value: bytes('1') }]);
    await engine.close();
    t.equal(engine.durableTicket, ticket);
    t.throws(() => engine.get(bytes('a')), 'a closed engine refuses');
    t.throws(() => engine.commit([]));
  });
}

engineSuite('memory', () => new MemoryEngine());
engineSuite('lmdb', (t) => new LmdbEngine({ path: folder(t) }));
engineSuite(
  'mirror',
  (t) => new MirrorEngine(new MemoryEngine(), new LmdbEngine({ path: folder(t) })),
);

t.test(
  'after a crash the engine holds a prefix of the tickets, and each batch whole',
  async (t) => {
    for (let surviving = 0; surviving <= 4; surviving += 1) {
      const held: (() => void)[] = [];
      const engine = new MemoryEngine({ schedule: (finish) => held.push(finish) });
      engine.commit([{ key: bytes('first'), value: bytes('1') }]);
      held.shift()?.();
      t.equal(engine.durableTicket, 1);
      for (const n of [2, 3, 4, 5]) {
        const value = bytes(String(n));
        engine.commit([
          { key: bytes('both'), value },
          { key: bytes('halves'), value },
          { key: bytes(`own ${n}`), value },
        ]);
      }
      t.equal(engine.pending, 4);
      t.equal(engine.get(bytes('both')), undefined, 'what is not flushed cannot be read');
      const left = engine.crash(surviving);
      t.throws(() => engine.get(bytes('first')), 'the dead engine refuses');
      held.shift()?.();
      t.equal(engine.durableTicket, 1, 'a flush that a crash overtook reports nothing');
      const next = new MemoryEngine({ contents: left });
      t.equal(text(next.get(bytes('first'))), '1');
      const newest = surviving === 0 ? undefined : String(surviving + 1);
      t.equal(text(next.get(bytes('both'))), newest);
      t.equal(text(next.get(bytes('halves'))), newest);
      for (const n of [2, 3, 4, 5]) {
        t.equal(next.get(bytes(`own ${n}`)) !== undefined, n <= surviving + 1);
      }
    }
  },
);

t.test('with the flush held back nothing is called durable', async (t) => {
  const held: (() => void)[] = [];
  const options = { path: folder(t), beforeFlush: (proceed: () => void) => held.push(proceed) };
  const engine = new LmdbEngine(options);
  let told = 0;
  engine.onDurable(() => {
    told += 1;
  });
  engine.commit([{ key: bytes('a'), value: bytes('1') }]);
  await new Promise((resolve) => setTimeout(resolve, 30));
  engine.commit([{ key: bytes('b'), value: bytes('1') }]);
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.equal(held.length, 1, 'one flush at a time');
  t.equal(told, 0);
  t.equal(engine.durableTicket, 0);
  t.same(contents(engine), []);
  held.shift()?.();
  await durable(engine, 1 as Ticket);
  t.same(contents(engine), ['a=1']);
  t.equal(told, 1);
  held.shift()?.();
  await durable(engine, 2 as Ticket);
  t.same(contents(engine), ['a=1', 'b=1']);
  await engine.close();
  const again = new LmdbEngine({ path: options.path });
  t.same(contents(again), ['a=1', 'b=1']);
  await again.close();
});

/** Fills the engine until it fails; what was called durable before must be there afterwards. */
async function fill(engine: Engine): Promise<{ durable: number; failure: DatabaseError }> {
  const failure = await new Promise<Error>((resolve) => {
    let n = 0;
    const next = (): void => {
      engine.commit([{ key: Buffer.of(65, n >> 8, n & 255), value: Buffer.alloc(50_000, n) }]);
      n += 1;
    };
    engine.onDurable((failure) => (failure === undefined ? next() : resolve(failure)));
    next();
  });
  if (!(failure instanceof DatabaseError)) throw failure;
  return { durable: engine.durableTicket, failure };
}

function mountSmall(path: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', path]).status === 0;
}

t.test('a full disk stops the engine; nothing acknowledged is lost', async (t) => {
  const reopened = async (path: string, count: number): Promise<void> => {
    const again = new LmdbEngine({ path });
    const found = contents(again).length;
    t.equal(found, count, 'what was acknowledged is there, and nothing else');
    await again.close();
  };
  t.test('the map is full', async (t) => {
    const path = folder(t);
    const engine = new LmdbEngine({ path, mapBytes: 4 * 1024 * 1024 });
    const { durable, failure } = await fill(engine);
    t.equal(failure.kind, 'disk_full');
    t.match(failure.message, /fills its map of 4194304 bytes/);
    engine.commit([{ key: bytes('z'), value: bytes('1') }]);
    await engine.close();
    t.equal(engine.durableTicket, durable, 'after the failure nothing becomes durable');
    await reopened(path, durable);
  });
  t.test('the disk is full', async (t) => {
    const path = join(folder(t), 'small');
    mkdirSync(path);
    if (!mountSmall(path)) return t.skip('a tmpfs cannot be mounted here');
    t.teardown(() => spawnSync('umount', [path]));
    const engine = new LmdbEngine({ path });
    const { durable, failure } = await fill(engine);
    t.equal(failure.kind, 'disk_full', failure.message);
    await engine.close();
    await reopened(path, durable);
  });
  t.test('the simulated disk is full', async (t) => {
    const engine = new MemoryEngine();
    const failures: unknown[] = [];
    engine.onDurable((failure) => failures.push(failure));
    engine.commit([{ key: bytes('a'), value: bytes('1') }]);
    engine.fail('disk_full');
    await null;
    t.equal(engine.durableTicket, 0);
    t.match(failures, [{ kind: 'disk_full' }]);
    t.equal(contents(new MemoryEngine({ contents: engine.crash(0) })).length, 0);
  });
});

t.test('a value that rots, or turns up under another key, is never returned', async (t) => {
  const path = folder(t);
  const key = Buffer.concat([
    dataPrefix(1 as DatabaseId, 7 as StorageId, keyKind.row),
    Buffer.of(0xab),
  ]);
  const engine = new LmdbEngine({ path });
  const value = Buffer.from('a value that can be found in the file');
  await durable(
    engine,
    engine.commit([
      { key, value },
      { key: bytes('sound'), value },
    ]),
  );
  await engine.close();
  const file = join(path, 'data.mdb');
  const content = readFileSync(file);
  for (let at = content.indexOf(value); at >= 0; at = content.indexOf(value, at + 1)) {
    const ofKey = content.subarray(at - 4 - key.length, at - 4).equals(key);
    if (ofKey) content[at + 3] = (content[at + 3] ?? 0) ^ 1;
  }
  writeFileSync(file, content);
  const again = new LmdbEngine({ path });
  const damaged = { kind: 'data_corrupted', message: /row\/1\/7\/ab fails its checksum/ };
  t.throws(() => again.get(key), damaged);
  t.throws(() => contents(again), damaged);
  t.throws(() => contents(again, everything, true), damaged);
  t.equal(text(again.get(bytes('sound'))), String(value), 'the engine goes on');
  await durable(again, again.commit([{ key, value }]));
  t.equal(text(again.get(key)), String(value));
  await again.close();

  const memory = new MemoryEngine();
  await durable(memory, memory.commit([{ key, value }]));
  memory.damage(key);
  t.throws(() => memory.get(key), damaged);
  t.throws(() => contents(memory), damaged);
  t.not(checksum(bytes('a'), value, 0, 5), checksum(bytes('b'), value, 0, 5));
});
