/** Versions and the replica: golden scripts in test/golden/{mvcc,shard}, and random histories. */
import t from 'tap';
import type { ObjectId, Timestamp, TransactionId } from '#src/base/ids.js';
import { ImageSource, imageStart } from '#src/shard/image-source.js';
import { MemoryEngine, Overlay } from '#src/storage/index.js';
import { historyKey } from '#src/storage/keys.js';
import { encodeCounter, encodeVersion, TransactionBuffer } from '#src/txn/index.js';
import { type Run, runScript, scripts } from './golden.js';
import { GroupHistory } from './shard/group.js';
import { History } from './shard/history.js';
import { keyOf, printKey, printWrite } from './shard/print.js';
import { MvccScript } from './shard/mvcc-script.js';
import { ShardScript } from './shard/shard-script.js';
import { stories } from './shard/stories.js';

function golden(layer: string, start: () => Run): void {
  for (const name of scripts(layer)) {
    t.test(`${layer}: ${name.replaceAll('_', ' ')}`, (test) => {
      const { was, is } = runScript(layer, name, start());
      test.equal(is, was);
      test.end();
    });
  }
}

golden('mvcc', () => {
  const script = new MvccScript();
  return (command) => script.run(command);
});

stories(t);

golden('shard', () => {
  const script = new ShardScript();
  return (command) => script.run(command);
});

t.test('shard: random histories agree with a naive model', (test) => {
  const total = { committed: 0, conflicts: 0, crashes: 0, collected: 0, survivors: 0 };
  const seeds = Number(process.env.SEEDS ?? 150);
  for (let seed = 1; seed <= seeds; seed += 1) {
    const history = new History(seed);
    try {
      history.run(400);
    } catch (error) {
      test.fail(`seed ${seed}: ${(error as Error).stack}`);
    }
    for (const name of Object.keys(total) as (keyof typeof total)[]) {
      total[name] += history.counts[name];
    }
  }
  // What was never reached was not tested.
  for (const [name, count] of Object.entries(total)) test.ok(count > seeds / 5, `${name} ${count}`);
  test.end();
});

t.test('shard: random histories of groups', (test) => {
  const total = { committed: 0, refused: 0, unknown: 0, reads: 0, crashes: 0 };
  const probes = new Map<string, number>();
  const seeds = Number(process.env.SEEDS ?? 40);
  for (let seed = 1; seed <= seeds; seed += 1) {
    const history = new GroupHistory(seed);
    try {
      history.run(400);
    } catch (error) {
      test.fail(`seed ${seed}: ${(error as Error).stack}`);
    }
    total.committed += history.committed.size;
    total.refused += history.refused.size;
    total.unknown += history.unknown;
    total.reads += history.reads;
    total.crashes += history.crashes;
    for (const [name, count] of history.world.probes) {
      probes.set(name, (probes.get(name) ?? 0) + count);
    }
  }
  // What was never reached was not tested.
  for (const [name, count] of Object.entries(total)) test.ok(count > 0, `${name} ${count}`);
  for (const name of [
    'deposedWithFlights',
    'diskStalled',
    'epochGiven',
    'feedWaitsForLog',
    'forwarded',
    'logNotHeld',
    'noQuorum',
    'outcomeUnknown',
    'readWaits',
    'refusalWaits',
    'resent',
    'snapshotInstalled',
    'snapshotReported',
    'snapshotResumed',
    'stateDamaged',
    'suffixReplaced',
    'transactionKnown',
  ]) {
    test.ok((probes.get(`shard.${name}`) ?? 0) > 0, `shard.${name} was reached`);
  }
  test.end();
});

t.test('shard: a piece of an image that is read again is what it was', (test) => {
  const overlay = new Overlay(new MemoryEngine());
  const key = keyOf('a');
  const version = (at: number): Uint8Array =>
    encodeVersion('value', at as Timestamp, at as TransactionId, Buffer.from(`value ${at}`));
  const image = new ImageSource(overlay, 2 as Timestamp);
  const read = (): string[] =>
    image.next(imageStart, 1000, 10).pairs.map((pair) => printKey(pair.key));
  overlay.set(historyKey(key, 1 as Timestamp), version(1));
  overlay.set(key, version(2));
  test.strictSame(read(), ['a@1', 'a'].sort());
  overlay.set(historyKey(key, 2 as Timestamp), version(2));
  overlay.set(key, version(3));
  test.strictSame(
    read(),
    ['a@1', 'a'].sort(),
    'a version is not there twice, as newest and as older',
  );
  test.end();
});

t.test('txn: the buffer of a transaction', (test) => {
  const stored = new Map([
    ['a', 'old a'],
    ['b', 'old b'],
  ]);
  const buffer = new TransactionBuffer({
    get: (key) => {
      const value = stored.get(nameOf(key));
      return value === undefined ? undefined : Buffer.from(value);
    },
    scan: () => test.fail('nothing is scanned'),
  });
  const read = (value: Uint8Array | undefined) => value && Buffer.from(value).toString();
  test.ok(buffer.isEmpty);
  const emptyBytes = buffer.bytes;

  buffer.beginStatement();
  buffer.put(keyOf('a'), Buffer.from('new a'));
  buffer.delete(keyOf('b'));
  test.equal(read(buffer.get(keyOf('a'))), 'old a', 'a statement does not see itself');
  test.equal(read(buffer.getLatest(keyOf('a'))), 'new a', 'but uniqueness does');
  test.equal(buffer.getLatest(keyOf('b')), undefined);
  test.ok(buffer.writtenByStatement(keyOf('b')));
  test.notOk(buffer.isEmpty);
  test.throws(() => buffer.proposal(1 as TransactionId, 1 as Timestamp), /a statement is open/);
  buffer.abandonStatement();
  test.equal(read(buffer.get(keyOf('b'))), 'old b', 'an abandoned statement leaves nothing');
  test.equal(buffer.bytes, emptyBytes, 'and holds nothing');

  buffer.beginStatement();
  buffer.put(keyOf('a'), Buffer.from('newer a'));
  buffer.put(keyOf('s'), encodeCounter(5n));
  buffer.guard(keyOf('a'));
  buffer.guard(keyOf('c'));
  buffer.touch(7 as ObjectId, 1);
  buffer.endStatement();
  buffer.beginStatement();
  test.notOk(buffer.writtenByStatement(keyOf('a')), 'the next statement may change it again');
  buffer.delete(keyOf('a'));
  buffer.advance(keyOf('s'), 8n);
  buffer.advance(keyOf('t'), 3n);
  buffer.advance(keyOf('t'), 2n);
  buffer.advance(keyOf('d'), -3n, true);
  buffer.advance(keyOf('d'), -2n, true);
  buffer.touch(7 as ObjectId, 2);
  buffer.fence(7 as ObjectId, 2);
  buffer.endStatement();
  test.equal(buffer.get(keyOf('a')), undefined);
  test.ok(buffer.bytes > emptyBytes);

  const proposal = buffer.proposal(9 as TransactionId, 10 as Timestamp);
  test.strictSame(proposal.writes.map(printWrite), [
    'delete a',
    `put s='${Buffer.from(encodeCounter(8n)).toString('latin1')}'`,
    'advance t to 3',
    'descend d to -3',
  ]);
  test.strictSame(proposal.guards.map(nameOf), ['a', 'c'], 'also one that is written');
  test.strictSame(proposal.objects, [{ object: 7, version: 1 }], 'planned with the version it saw');
  test.strictSame(proposal.fences, [{ object: 7, version: 2 }]);
  test.end();
});

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1', 10);
}
