/** The directory of a node: made once, locked, probed, refused. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import t from 'tap';
import { DatabaseError } from '#src/base/errors.js';
import type { LogIndex, NodeId, ShardId } from '#src/base/ids.js';
import { Random } from '#src/base/random.js';
import { openDirectory, openStore, RaftLog } from '#src/storage/index.js';
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
  const engine = openStore({ path: first.storePath(1) });
  await durable(engine, engine.commit([{ key: bytes('a'), value: bytes('1') }]));
  await engine.close();
  t.throws(() => first.storePath(2), 'the number of stores is fixed');
  await first.close();
  const second = await openDirectory(path, { ...directoryOptions, stores: 7, nodeId: 9 as NodeId });
  t.match(second, { nodeId: 1, stores: 2, incarnation: 2, clusterId: first.clusterId });
  const again = openStore({ path: second.storePath(1) });
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
      [changed('shardforge.json', field('format', 2)), 'directory_newer', /format 2.*reads 1/],
      [changed('shardforge.json', field('format', 0)), 'directory_damaged', /fields/],
      [changed('shardforge.json', field('stores', '2')), 'directory_damaged', /fields/],
      [changed('shardforge.json', field('clusterId', 'x')), 'directory_damaged', /fields/],
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
  const program = `
    const { openStore } = await import(${JSON.stringify(index)});
    try { openStore({ path: ${JSON.stringify(folder(t))} }); }
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
      const engine = openStore({ path: directory.storePath(0) });
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
  const engine = openStore({ path: directory.storePath(0) });
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

t.test('a directory of format 1 opens and holds what it held', async (t) => {
  const fixture = new URL('../../../test/fixtures/directory-v1', import.meta.url).pathname;
  const path = join(folder(t), 'data');
  cpSync(fixture, path, { recursive: true });
  const directory = await openDirectory(path, directoryOptions);
  t.match(directory, {
    nodeId: 1,
    stores: 1,
    incarnation: 2,
    clusterId: '00000000-0000-4000-8000-000000000001',
  });
  const engine = openStore({ path: directory.storePath(0) });
  t.same(listStore(engine), readFileSync(`${fixture}.txt`, 'utf8').trim().split('\n'));
  const log = new RaftLog(engine, 1 as ShardId);
  t.match(log.hardState, { term: 1, vote: 1, clusterId: directory.clusterId });
  const kinds = log.read(1 as LogIndex, 4 as LogIndex, 1000).map(({ kind }) => kind);
  t.same(kinds, ['noop', 'write', 'gc', 'configuration']);
  t.match(log.read(2 as LogIndex, 2 as LogIndex, 0), [
    { client: 'fixture', request: 'request-2', objects: [{ object: 100, version: 3 }] },
  ]);
  await engine.close();
  await directory.close();
});
