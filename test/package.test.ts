/** What a newcomer meets: the README's tour, and the package as npm installs it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { freePort } from './processes/node-process.js';

const run = promisify(execFile);
const root = resolve('.');
const packedBytesMax = 2 * 1024 * 1024;

t.setTimeout(240_000);

function folder(test: Test, name: string): string {
  const made = mkdtempSync(join(tmpdir(), `shardforge-${name}-`));
  test.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function untilReady(port: number): Promise<void> {
  for (let tries = 0; tries < 1000; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(30);
  }
  throw new Error('the node never became ready');
}

t.test('the tour of README.md does what it says', async (test) => {
  const port = await freePort();
  const readme = readFileSync('README.md', 'utf8');
  const blocks = [...readme.matchAll(/<!-- tour -->\n```sh\n(.*?)```/gs)].map(([, block]) =>
    (block ?? '').replaceAll('ws://127.0.0.1:7432', `ws://127.0.0.1:${port}`),
  );
  test.equal(blocks.length, 5);
  const data = folder(test, 'tour');
  const shell = spawn('bash', ['-e'], {
    // A group of its own, so that the node in the background goes with it when the tour fails.
    detached: true,
    env: {
      ...process.env,
      SHARDFORGE_HTTP_PORT: String(port),
      SHARDFORGE_POSTGRES_PORT: '0',
      SHARDFORGE_DATA_DIRECTORY: data,
      SHARDFORGE_URL: `ws://127.0.0.1:${port}`,
    },
  });
  const group = shell.pid;
  test.teardown(() => {
    try {
      if (group !== undefined) process.kill(-group, 'SIGKILL');
    } catch {
      // The tour has stopped everything, as it should.
    }
  });
  let output = '';
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk);
    });
  }
  const ended = once(shell, 'close');
  const paste = async (block: string): Promise<string> => {
    const from = output.length;
    shell.stdin.write(`${block}\necho done-$((6 * 7))\n`);
    while (!output.slice(from).includes('done-42')) {
      if (shell.exitCode !== null) throw new Error(output);
      await sleep(20);
    }
    return output.slice(from);
  };
  const [start = '', load = '', program = '', kill = '', look = ''] = blocks;
  await paste(start);
  await untilReady(port);
  test.match(await paste(load), /imported 3376 rows into airports.* AK +\| +263\n.*\(3 rows\)/s);
  test.match(await paste(program), /New York 1\nSeattle 2\n/);
  await paste(kill);
  await untilReady(port);
  test.match(await paste(look), / JFK +\| +1\n SEA +\| +2\n\(2 rows\)/);
  shell.stdin.end();
  await ended;
  test.equal(shell.exitCode, 0);
});

const usesEsm = `
import { open } from 'shardforge';
import { connect, ShardForgeError } from 'shardforge/client';
const db = await open({ dir: './data' });
await db.query('create table t (id int primary key, name text)');
await db.sql\`insert into t values (\${1}, \${'one'})\`;
console.log(JSON.stringify(await db.sql\`select * from t\`));
await db.close();
await connect('127.0.0.1:1').catch((error) => console.log(error instanceof ShardForgeError));
`;

const usesRequire = `
const { open } = require('shardforge');
const { connect } = require('shardforge/client');
(async () => {
  const db = await open();
  console.log(JSON.stringify(await db.sql\`select 1 as one\`), typeof connect);
  await db.close();
})();
`;

const usesTypes = `
import { open, type Database, type Result } from 'shardforge';
import { connect, ShardForgeError, type TransactionOptions } from 'shardforge/client';
const db: Database = await open({ dir: 'x', config: { workers: 0 }, types: { int8: 'bigint' } });
const rows = await db.sql<{ id: number }>\`select id from t where id = \${1}\`;
const id: number | undefined = rows[0]?.id;
const typed: Result<{ id: number }> = rows;
const prepared = await db.prepare<{ n: string }>('select n from t where a = $1');
const n: string | undefined = (await prepared.execute([1n, new Date(), { a: [1] }]))[0]?.n;
for await (const row of db.query<{ a: Date }>('select a from t')) row.a.getTime();
const options: TransactionOptions = { isolation: 'serializable', attempts: 3 };
const sum: number = await db.transaction(async (tx) => (await tx.sql\`x\`).count, options);
const error = new ShardForgeError({ sqlstate: '', condition: '', message: '', retry: 'never' });
const remote: Database = await connect({ host: 'h', port: 1, max: 2 });
// @ts-expect-error undefined is no parameter
db.sql\`select \${undefined}\`;
// @ts-expect-error nor is a function
db.sql\`select \${() => 1}\`;
// @ts-expect-error no such column
rows[0]?.name;
// @ts-expect-error no such option
await open({ directory: 'x' });
console.log(id, typed, n, sum, error.position, remote.version);
`;

t.test('the package, installed into an empty folder', async (test) => {
  const place = folder(test, 'package');
  const environment = {
    ...{ ...process.env, npm_config_update_notifier: 'false' },
    ...{ SHARDFORGE_ADMIN_PASSWORD: 'of the test', SHARDFORGE_PASSWORD: 'of the test' },
  };
  const packed = await run('npm', ['pack', '--json', '--pack-destination', place], {
    env: environment,
  });
  const [tarball] = JSON.parse(packed.stdout) as { filename: string; size: number }[];
  test.ok((tarball?.size ?? 0) > 100_000, 'it holds the code');
  test.ok((tarball?.size ?? Number.NaN) < packedBytesMax, 'it is smaller than 2 MB');
  const app = join(place, 'app');
  mkdirSync(app);
  const write = (name: string, text: string): void => writeFileSync(join(app, name), text);
  const inApp = (program: string, args: string[]): Promise<{ stdout: string; stderr: string }> =>
    run(program, args, { cwd: app, env: environment });
  write('package.json', '{"name":"app","private":true}');
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const path = join(place, tarball?.filename ?? '');
  await inApp('npm', ['install', ...quiet, path]);

  write('esm.mjs', usesEsm);
  const esm = await inApp(process.execPath, ['esm.mjs']);
  test.same(esm, { stdout: '[{"id":1,"name":"one"}]\ntrue\n', stderr: '' }, 'from ESM');
  write('require.cjs', usesRequire);
  const required = await inApp(process.execPath, ['require.cjs']);
  test.same(required, { stdout: '[{"one":1}] function\n', stderr: '' }, 'from require()');

  write('types.mts', usesTypes);
  const compilerOptions = {
    ...{ module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: ['node'] },
    ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: true },
    typeRoots: [join(root, 'node_modules/@types')],
  };
  write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['types.mts'] }));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const checked = await inApp(process.execPath, [tsc, '-p', '.']).catch((error) => error);
  test.equal(checked.stdout, '', 'its types under NodeNext');

  const version = await inApp('npx', ['shardforge', '--version']);
  test.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  const port = await freePort();
  const url = `ws://127.0.0.1:${port}`;
  const env = { ...environment, SHARDFORGE_HTTP_PORT: String(port) };
  const bin = join(app, 'node_modules/.bin/shardforge');
  const node = spawn(bin, [], { cwd: app, env, stdio: 'ignore' });
  test.teardown(() => node.kill('SIGKILL'));
  await untilReady(port);
  const asked = await inApp('npx', ['shardforge', 'sql', '--url', url, '-c', 'select 6 * 7 as x']);
  test.equal(asked.stdout, '  x\n----\n 42\n(1 row)\n');
  node.kill('SIGTERM');
  await once(node, 'close');
  test.equal(node.exitCode, 0);
});
