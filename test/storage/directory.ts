/** The directory of a node: made once, locked, probed, refused. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import t, { type Test as Tap } from 'tap';
import { DatabaseError } from '#src/base/errors.js';
import type { LogIndex, NodeId, ShardId } from '#src/base/ids.js';
import { Random } from '#src/base/random.js';
import { openDirectory, openStore, RaftLog } from '#src/storage/index.js';
import { makeStore } from '#src/storage/store.js';
import { listStore } from '../fixtures/list-store.js';
import { bytes, durable, folder, skipMounts, smallDisk, text, type Test } from './place.js';

const directoryOptions = { stores: 2, nodeId: 1 as NodeId, createdBy: '0.1.0' };

async function refusal(path: string): Promise<DatabaseError> {
  try {
    await openDirectory(path, directoryOptions);
  } catch (error) {
    if (error instanceof DatabaseError) return error;
    throw error;
  }
  throw new Error(`${path} was opened`);
}

t.test('a directory is made once, and every start has a number of its own', async (t) => {
  const path = join(folder(t), 'deep', 'data');
  const first = await openDirectory(path, directoryOptions);
  t.match(first, { nodeId: 1, stores: 2, createdBy: '0.1.0', incarnation: 1, afterCrash: false });
  t.match(first.clusterId, /^[0-9a-f]{8}-/);
  const engine = await openStore({ path: first.storePath(1) });
  await durable(engine, engine.commit([{ key: bytes('a'), value: bytes('1') }]));
  await engine.close();
  t.throws(() => first.storePath(2), 'the number of stores is fixed');
  await first.close();
  const second = await openDirectory(path, { ...directoryOptions, stores: 7, nodeId: 9 as NodeId });
  t.match(second, { nodeId: 1, stores: 2, incarnation: 2, clusterId: first.clusterId });
  const again = await openStore({ path: second.storePath(1) });
  t.equal(text(again.get(bytes('a'))), '1');
  await again.close();
  await second.close();
  const run: unknown = JSON.parse(readFileSync(join(path, 'run.json'), 'utf8'));
  t.same(run, { incarnation: 2, running: false });
});

t.test(
  'a directory that is not ours, damaged or newer is refused and left as it was',
  async (t) => {
    const made = folder(t);
    await (await openDirectory(made, directoryOptions)).close();
    const changed = (name: string, change: (text: string) => string): string => {
      const path = join(folder(t), 'copy');
      cpSync(made, path, { recursive: true });
      writeFileSync(join(path, name), change(readFileSync(join(path, name), 'utf8')));
      return path;
    };
    const field = (name: string, value: unknown) => (json: string) =>
      JSON.stringify({ ...(JSON.parse(json) as object), [name]: value });
    const cases: readonly [string, string, RegExp][] = [
      [changed('shardforge.json', field('product', 'other')), 'directory_foreign', /not made by/],
      [changed('shardforge.json', field('format', 3)), 'directory_newer', /format 3.*reads 2/],
      [changed('shardforge.json', field('format', 0)), 'directory_damaged', /fields/],
      [changed('shardforge.json', field('stores', '2')), 'directory_damaged', /fields/],
      [changed('shardforge.json', field('clusterId', 'x')), 'directory_damaged', /fields/],
      [changed('shardforge.json', field('instance', 7)), 'directory_damaged', /fields/],
      [changed('shardforge.json', (json) => json.slice(9)), 'directory_damaged', /JSON/],
      [changed('run.json', () => ''), 'directory_damaged', /run\.json/],
      [changed('run.json', field('incarnation', -1)), 'directory_damaged', /run\.json/],
    ];
    for (const [path, kind, message] of cases) {
      const before = readdirSync(path, { recursive: true }).sort();
      t.match(await refusal(path), { kind, message });
      t.same(readdirSync(path, { recursive: true }).sort(), before, 'nothing was added');
    }
    const store = join('store-0', 'data.mdb');
    const lost = changed('run.json', (json) => json);
    rmSync(join(lost, store));
    t.match(await refusal(lost), { kind: 'directory_damaged', message: /holds no store/ });
    const withoutLog = changed('run.json', (json) => json);
    rmSync(join(withoutLog, 'store-0', 'log'), { recursive: true });
    t.match(await refusal(withoutLog), { kind: 'directory_damaged', message: /holds no log/ });
    for (const bytes of [100, 9000]) {
      const path = changed('run.json', (json) => json);
      writeFileSync(join(path, store), Buffer.alloc(bytes, 9));
      t.match(await refusal(path), { kind: 'directory_damaged', message: /begin as an LMDB/ });
    }
    const withoutLock = changed('run.json', (json) => json);
    writeFileSync(join(withoutLock, 'lock', 'data.mdb'), Buffer.alloc(9000, 9));
    await (await openDirectory(withoutLock, directoryOptions)).close();

    const foreign = folder(t);
    writeFileSync(join(foreign, 'thesis.txt'), 'precious');
    const error = await refusal(foreign);
    t.match(error, { kind: 'directory_foreign', message: /holds thesis\.txt/ });
    t.same(readdirSync(foreign), ['thesis.txt'], 'nothing was written beside it');

    const cutShort = join(folder(t), 'cut');
    cpSync(made, cutShort, { recursive: true });
    rmSync(join(cutShort, 'shardforge.json'));
    const whole = await openDirectory(cutShort, directoryOptions);
    t.equal(whole.incarnation, 1, 'a start that died while making it is made good');
    await whole.close();
  },
);

t.test('a directory that cannot be written says so', async (t) => {
  const path = folder(t);
  writeFileSync(join(path, 'file'), '');
  t.match(await refusal(join(path, 'file', 'data')), { kind: 'directory_unwritable' });
  t.match(await refusal(join(path, 'file')), { kind: 'directory_unwritable' });
});

t.test('a disk without room, or read-only, says so', { skip: skipMounts }, async (t) => {
  const path = smallDisk(t, '8k');
  t.match(await refusal(path), { kind: 'disk_full' });
  spawnSync('mount', ['-o', 'remount,ro,size=8m', path]);
  t.match(await refusal(path), { kind: 'directory_unwritable' });
});

t.test('a map beyond the address space is refused, not crashed over', async (t) => {
  const index = new URL('../../../dist/storage/index.js', import.meta.url).href;
  const path = folder(t);
  await makeStore(path, 1024 * 1024);
  const program = `
    const { openStore } = await import(${JSON.stringify(index)});
    try { await openStore({ path: ${JSON.stringify(path)} }); }
    catch (error) { console.log(error.kind); }`;
  const limited = `ulimit -v 90000000 && exec "$0" --input-type=module -e "$1"`;
  const { stdout } = spawnSync('sh', ['-c', limited, execPath, program]);
  t.equal(String(stdout).trim(), process.platform === 'linux' ? 'config_invalid' : '');
});

/** Another process that opens the directory and then waits; it prints its incarnation. */
async function opener(t: Test, path: string, under: readonly string[] = []): Promise<Opener> {
  const index = new URL('../../../dist/storage/index.js', import.meta.url).href;
  const program = `
    import { openDirectory, openStore } from ${JSON.stringify(index)};
    try {
      const directory = await openDirectory(${JSON.stringify(path)}, ${JSON.stringify(directoryOptions)});
      const engine = await openStore({ path: directory.storePath(0) });
      engine.onDurable(() => console.log('open ' + directory.incarnation));
      engine.commit([{ key: Buffer.from('by'), value: Buffer.from(String(directory.incarnation)) }]);
      setInterval(() => {}, 1000);
    } catch (error) {
      console.log(error.kind ?? String(error));
    }`;
  const command = [...under, execPath, '--input-type=module', '-e', program];
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    said: String(said).trim(),
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

interface Opener {
  readonly said: string;
  kill(): Promise<void>;
}

t.test('one process has the directory; kill -9 frees it', async (t) => {
  const path = folder(t);
  const first = await opener(t, path);
  t.equal(first.said, 'open 1');
  t.equal((await opener(t, path)).said, 'directory_locked');
  t.match(await refusal(path), { kind: 'directory_locked', message: /process \d+/ });
  await first.kill();
  const directory = await openDirectory(path, directoryOptions);
  t.match(directory, { incarnation: 2, afterCrash: true });
  const engine = await openStore({ path: directory.storePath(0) });
  t.equal(text(engine.get(bytes('by'))), '1', 'what the killed process acknowledged is there');
  t.match(await refusal(path), { kind: 'directory_locked' }, 'this process counts as another');
  t.equal((await opener(t, path)).said, 'directory_locked');
  await engine.close();
  await directory.close();
  const next = await opener(t, path);
  t.equal(next.said, 'open 3');
  await next.kill();
});

const unshare = ['unshare', '--pid', '--fork', '--kill-child'];
const namespaces = spawnSync('unshare', [...unshare.slice(1), 'true']).status === 0;
const skipNamespaces = namespaces ? false : 'pid namespaces cannot be made here';

t.test('a pid used again neither locks out nor lets in', { skip: skipNamespaces }, async (t) => {
  const path = folder(t);
  const first = await opener(t, path, unshare);
  t.equal(first.said, 'open 1', 'as process 1 of its namespace');
  await first.kill();
  const second = await opener(t, path, unshare);
  t.equal(second.said, 'open 2', 'the dead process 1 does not lock out the next one');
  t.equal((await opener(t, path)).said, 'directory_locked');
  await second.kill();
});

t.test('after a crash a damaged store is found by a child process, not by this one', async (t) => {
  const made = folder(t);
  const writer = await opener(t, made);
  await writer.kill();
  const random = new Random(23);
  const outcomes = new Map<string, number>();
  const pageBytes = 4096;
  for (let round = 0; round < 3; round += 1) {
    const path = join(folder(t), 'copy');
    cpSync(made, path, { recursive: true });
    const file = join(path, 'store-0', 'data.mdb');
    const content = readFileSync(file);
    for (let page = 2; page * pageBytes < content.length; page += 1) {
      for (let at = 0; at < 64; at += 1) content[page * pageBytes + at] = random.below(256);
    }
    if (round === 2) writeFileSync(file, content.subarray(0, 2 * pageBytes));
    else writeFileSync(file, content);
    const error = await refusal(path);
    t.match(error, { kind: 'directory_damaged', message: /store 0 of .* is damaged/ });
    const reason = error.message.replace(/^.*is damaged: /, '').slice(0, 40);
    outcomes.set(reason, (outcomes.get(reason) ?? 0) + 1);
    t.match(await refusal(path), { kind: 'directory_damaged' }, 'also at the next start');
  }
  t.comment(JSON.stringify([...outcomes]));
  const sound = await openDirectory(made, directoryOptions);
  t.match(sound, { afterCrash: true, incarnation: 2 });
  await sound.close();
});

t.test('a directory tells itself from others, and what cluster its node belongs to', async (t) => {
  const path = folder(t);
  const first = await openDirectory(path, { ...directoryOptions, unformed: true });
  t.equal(first.clusterId, undefined, 'made to join a cluster');
  t.match(first.instance, /^[0-9a-f]{8}-/);
  t.equal(first.formation, undefined);
  first.writeFormation({ clusterId: 'made', members: [1, 2, 3] });
  t.match(first.formation, { members: [1, 2, 3] });
  await first.close();
  const second = await openDirectory(path, directoryOptions);
  t.match(second, { instance: first.instance, clusterId: undefined });
  t.same(second.formation, { clusterId: 'made', members: [1, 2, 3] }, 'it was durable');
  await second.close();
  writeFileSync(join(path, 'cluster.json'), '{"clusterId": ');
  t.match(await refusal(path), { kind: 'directory_damaged', message: /cluster\.json/ });
  const other = await openDirectory(folder(t), directoryOptions);
  t.not(other.instance, first.instance);
  await other.close();
});

const fixture = new URL('../../../test/fixtures/directory-v1', import.meta.url).pathname;
const fixtureOf = (format: number): string => fixture.replace(/1$/, String(format));
const listed = (format = 1): string[] =>
  readFileSync(`${fixtureOf(format)}.txt`, 'utf8')
    .trim()
    .split('\n');

t.test('an upgrade that was cut short is made good, wherever it was', async (t) => {
  const upgraded = folder(t);
  cpSync(fixture, upgraded, { recursive: true });
  await (await openDirectory(upgraded, directoryOptions)).close();
  const format = JSON.parse(readFileSync(join(upgraded, 'shardforge.json'), 'utf8')) as object;
  t.match(format, { format: 2, upgradingFrom: undefined }, 'older versions refuse it');
  const half = JSON.stringify({ ...format, upgradingFrom: 1 });
  const log = join('store-0', 'log');
  const cuts: Record<string, (path: string) => void> = {
    'the format is noted': () => {},
    'the log is begun': (path) => {
      cpSync(join(upgraded, log), join(path, log), { recursive: true });
      rmSync(join(path, log, 'format.json'));
    },
    'LMDB has its keys still': (path) => {
      cpSync(join(upgraded, log), join(path, log), { recursive: true });
    },
    'only the end is missing': (path) => {
      cpSync(join(upgraded, 'store-0'), join(path, 'store-0'), { recursive: true });
    },
  };
  for (const [name, cut] of Object.entries(cuts)) {
    const path = join(folder(t), 'copy');
    cpSync(fixture, path, { recursive: true });
    writeFileSync(join(path, 'shardforge.json'), half);
    cut(path);
    const directory = await openDirectory(path, directoryOptions);
    const engine = await openStore({ path: directory.storePath(0) });
    t.same(listStore(engine), listed(), name);
    await engine.close();
    await directory.close();
    t.notMatch(readFileSync(join(path, 'shardforge.json'), 'utf8'), /upgradingFrom/);
  }
});

for (const format of [1, 2]) {
  t.test(`a directory of format ${format} opens and holds what it held`, (t) => opens(t, format));
}

async function opens(t: Tap, format: number): Promise<void> {
  const path = join(folder(t), 'data');
  cpSync(fixtureOf(format), path, { recursive: true });
  const directory = await openDirectory(path, directoryOptions);
  t.match(directory, {
    nodeId: 1,
    stores: 1,
    incarnation: 2,
    clusterId: '00000000-0000-4000-8000-000000000001',
  });
  const engine = await openStore({ path: directory.storePath(0) });
  t.same(listStore(engine), listed(format));
  const log = new RaftLog(engine, 1 as ShardId);
  t.match(log.hardState, { term: 1, vote: 1, clusterId: directory.clusterId });
  const kinds = log.read(1 as LogIndex, 4 as LogIndex, 1000).map(({ kind }) => kind);
  t.same(kinds, ['noop', 'write', 'gc', 'configuration']);
  t.match(log.read(2 as LogIndex, 2 as LogIndex, 0), [
    { client: 'fixture', request: 'request-2', objects: [{ object: 100, version: 3 }] },
  ]);
  await engine.close();
  await directory.close();
}
