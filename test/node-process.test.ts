/** How a node starts, tells about itself, stops, and fails to start; alone and as a process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { checkConfig, configOptions, loadConfig, startNode } from '#src/node/index.js';
import { Raw, start, urlOf } from './node/raw.js';

const scratch = mkdtempSync(join(tmpdir(), 'shardforge-node-'));
// Alone it takes a few seconds; on a machine that does other work too it may take many.
t.setTimeout(240_000);
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

t.test('options come from the file, the environment and the defaults, in this order', async (t) => {
  const file = join(scratch, 'options.json');
  writeFileSync(file, '{"http":{"port":1},"data":{"directory":"some/where"}}');
  const environment = {
    SHARDFORGE_HTTP_PORT: '2',
    SHARDFORGE_DATA_MAP_SIZE_BYTES: '33554432',
    SHARDFORGE_HTTP_ALLOWED_ORIGINS: 'https://a.example, https://b.example',
    SHARDFORGE_LOG_PARAMETERS: 'true',
    SHARDFORGE_WORKERS: 'auto',
    SHARDFORGE_SERVICE_HOST: 'not ours',
  };
  t.match(loadConfig(file, environment), {
    http: {
      port: 2,
      host: '127.0.0.1',
      allowedOrigins: ['https://a.example', 'https://b.example'],
    },
    data: { directory: join(process.cwd(), 'some/where'), mapSizeBytes: 33_554_432, stores: 4 },
    log: { parameters: true },
    workers: 'auto',
  });
  const refusals: readonly (readonly [object, RegExp])[] = [
    [[], /must be a JSON object/],
    [{ data: 3 }, /data must be a JSON object/],
    [{ port: 3 }, /unknown option port; did you mean http.port\?/],
    [{ http: { stores: 3 } }, /unknown option http.stores; did you mean data.stores\?/],
    [{ something: 3 }, /unknown option something$/],
    [{ workers: 65 }, /workers must be auto, 0 to 64 \(threads\)/],
    [{ limits: { frameBytes: 1.5 } }, /limits.frameBytes must be a whole number .* \(bytes\)/],
    [{ log: { level: 'loud' } }, /log.level must be one of debug, info, warn, error, silent/],
    [{ http: { allowedOrigins: [''] } }, /http.allowedOrigins must be a list of strings/],
    [{ http: { enabled: null } }, /http.enabled must be true, false/],
  ];
  for (const [config, message] of refusals) {
    t.throws(() => checkConfig(config), { kind: 'config_invalid', message });
  }
  t.throws(() => loadConfig(file, { SHARDFORGE_HTTP_PORT: '80a' }), {
    message: /SHARDFORGE_HTTP_PORT must be 0 to 65535/,
  });
  for (const { path, default: value, description } of configOptions()) {
    t.ok(description.endsWith('.'), `${path} is described`);
    const [section = '', key] = path.split('.');
    const config = key === undefined ? { [section]: value } : { [section]: { [key]: value } };
    t.doesNotThrow(() => checkConfig(config), `${path}: its default is allowed`);
  }
});

t.test('options that contradict each other are refused', async (t) => {
  const mesh = { enabled: true };
  const secret = { enabled: true, security: 'secret' };
  const three = ['127.0.0.1:7434', '127.0.0.1:7444', '127.0.0.1:7454'];
  const refusals: readonly (readonly [object, RegExp])[] = [
    [{ raft: { heartbeatMs: 100 } }, /electionMsMin must be at least twice raft.heartbeatMs/],
    [{ raft: { electionMsMin: 300 } }, /electionMsMax must be more than raft.electionMsMin/],
    [{ raft: { electionMsMin: 60 } }, /raft.electionMsMin must be a whole number from 120/],
    [{ mesh: { enabled: true, advertise: 'here' } }, /mesh.advertise must be host:port/],
    [{ mesh, data: { directory: ':memory:' } }, /mesh.enabled needs a data.directory/],
    [{ mesh: { ...mesh, host: '0.0.0.0' } }, /mesh.host 0.0.0.0 needs mesh.advertise/],
    [{ mesh: { ...mesh, host: '10.0.0.1' } }, /loopback needs a mesh.host on loopback/],
    [{ mesh: secret }, /secret needs mesh.secretFile/],
    [{ mesh: { enabled: true, security: 'tls', keyFile: 'k' } }, /tls needs mesh.certificateFile/],
    [{ cluster: { seeds: three } }, /cluster.seeds and cluster.join need mesh.enabled/],
    [{ mesh, cluster: { join: ['nowhere'] } }, /cluster.join must be host:port, not "nowhere"/],
    [{ mesh, cluster: { join: ['a:1', 'a:1'] } }, /cluster.join names a node twice/],
    [{ mesh, cluster: { seeds: three, join: ['a:1'] } }, /give one of them/],
    [{ mesh: { enabled: true, port: 9 }, cluster: { seeds: three } }, /must name this node as 127/],
  ];
  for (const [config, message] of refusals) {
    t.throws(() => checkConfig(config), { kind: 'config_invalid', message });
  }
  for (const number of [1, 2, 3]) {
    const { cluster, node, http, mesh: own } = loadConfig(`config/cluster-${number}.json`, {});
    t.same(cluster.seeds, three, 'the same seeds on all');
    t.match({ node, own, http }, { node: { id: number }, own: { enabled: true } });
    t.equal(own.port, http.port + 2);
  }
  const joining = loadConfig('config/cluster-3.json', {}, ['127.0.0.1:7434']);
  t.match(joining.cluster, { seeds: [], join: ['127.0.0.1:7434'] }, '--join goes before seeds');
});

t.test('requests are lines at debug, with parameters only when asked for', async (t) => {
  for (const parameters of [false, true]) {
    const lines: object[] = [];
    const config = checkConfig({
      ...{ data: { directory: ':memory:' }, http: { port: 0 }, workers: 0 },
      auth: { rules: [{ addresses: ['loopback'], method: 'trust' }] },
      log: { level: 'debug', parameters },
    });
    const node = await startNode(config, {
      log: (level, event, fields) => void lines.push({ level, event, ...fields }),
      fatal: (error) => {
        throw error;
      },
    });
    const raw = await Raw.open(node);
    await raw.sql('SELECT $1::text', 'secret');
    await raw.sql('SELECT 1/0');
    const requests = lines.filter((line) => (line as { event: string }).event === 'request');
    t.match(requests, [
      { level: 'debug', op: 'execute', sql: 'SELECT $1::text', tookMs: Number },
      { sql: 'SELECT 1/0', sqlstate: '22012' },
    ]);
    t.equal(JSON.stringify(lines).includes('secret'), parameters);
    await node.stop();
  }
});

for (const workers of [0, 2]) {
  t.test(`health, readiness and metrics, ${workers} workers`, async (t) => {
    const node = await start({ workers, directory: join(scratch, `metrics-${workers}`) });
    t.teardown(() => node.stop());
    const raw = await Raw.open(node);
    await raw.sql('CREATE TABLE m (id int PRIMARY KEY)');
    await raw.sql('INSERT INTO m VALUES (1)');
    await raw.sql('SELECT broken');
    const get = async (path: string): Promise<Response> => fetch(urlOf(node) + path);
    t.same(await (await get('/ready')).json(), { ready: true });
    t.match(await (await get('/health')).json(), {
      healthy: true,
      checks: {
        eventLoop: { ok: true },
        threads: { ok: true, detail: `${workers + 1} answered` },
        'store 0': { ok: true },
        'store 3': { ok: true },
      },
    });
    t.match(await (await get('/')).json(), { name: 'shardforge', links: { sql: '/sql' } });
    const response = await get('/metrics');
    t.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split('\n');
    const value = (series: string): number => {
      const line = lines.find((each) => each.startsWith(`${series} `));
      return Number(must(line, series).slice(series.length));
    };
    t.equal(value('shardforge_connections'), 1);
    t.equal(value('shardforge_request_seconds_count{operation="execute",outcome="ok"}'), 2);
    t.equal(value('shardforge_request_seconds_count{operation="execute",outcome="42703"}'), 1);
    t.equal(
      value('shardforge_request_seconds_bucket{operation="execute",outcome="ok",le="+Inf"}'),
      2,
    );
    t.equal(value('shardforge_sessions'), 1);
    t.equal(value('shardforge_statements_total{kind="insert",outcome="ok"}'), 1);
    t.ok(value('shardforge_store_used_bytes{store="0"}') > 0);
    t.ok(value('shardforge_store_flush_seconds_count{store="0"}') >= 2);
    // More where the disk is slower than an election.
    t.ok(value('shardforge_raft_term{shard="1"}') >= 1);
    t.ok(value('shardforge_raft_applied_index{shard="1"}') >= 3);
    t.ok(value('process_resident_memory_bytes') > 1_000_000);
    raw.close();
    await raw.closed;
  });
}

t.test('the number of workers may change between starts', async (t) => {
  const directory = join(scratch, 'moving');
  for (const [round, workers] of [1, 4, 2, 0].entries()) {
    const node = await start({ workers, directory });
    t.equal(node.workers, workers);
    const raw = await Raw.open(node);
    if (round === 0) await raw.sql('CREATE TABLE kept (id int PRIMARY KEY)');
    t.match(await raw.sql('SELECT count(*) FROM kept'), { rows: [[String(round)]] });
    await raw.sql('INSERT INTO kept VALUES ($1)', round);
    await node.stop();
  }
});

t.test('a stop lets statements end and rolls open transactions back', async (t) => {
  const directory = join(scratch, 'stopping');
  const node = await start({ directory });
  const [quiet, busy, open] = [await Raw.open(node), await Raw.open(node), await Raw.open(node)];
  await quiet.sql('CREATE TABLE s (id int PRIMARY KEY)');
  await open.ask({ op: 'execute', id: 1, sql: 'BEGIN' });
  await open.sql('INSERT INTO s VALUES (1)');
  await busy.sql('BEGIN');
  await busy.sql('INSERT INTO s VALUES (2)');
  const stopped = node.stop(300);
  t.match(await quiet.closed, [1012, 'the node shuts down']);
  t.match(await busy.sql('COMMIT'), { tag: 'COMMIT' }, 'what is under way may end');
  t.match(await busy.closed, [1012]);
  t.match(await open.closed, [1001]);
  await stopped;
  await t.rejects(fetch('http://127.0.0.1:1/ready'));
  const again = await start({ directory });
  const raw = await Raw.open(again);
  t.match(await raw.sql('SELECT id FROM s'), { rows: [[2]] });
  await again.stop();
});

/** Runs `dist/main.js` and gives what it printed and how it ended; `during` may end it. */
async function main(
  config: object | string,
  during?: (child: ReturnType<typeof spawn>, output: () => string) => Promise<void>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const file = join(scratch, `config-${Math.random()}.json`);
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  const child = spawn(process.execPath, ['dist/main.js', '--config', file], {
    env: { ...process.env, SHARDFORGE_WORKERS: '0' },
  });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const ended = once(child, 'close');
  await during?.(child, () => output);
  const [code] = (await ended) as [number | null];
  return { code, output };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

t.test('a node that cannot start says why and what to do, by code too', async (t) => {
  const http = { port: 0 };
  const cases: (readonly [string, object | string, number, RegExp])[] = [
    ['not JSON', '{', 2, /is not JSON/],
    ['unknown option', { htpp: {} }, 2, /unknown option htpp; did you mean http\?/],
    ['unknown key', { http: { prot: 1 } }, 2, /unknown option http.prot; did you mean http.port\?/],
    ['range', { http: { port: 70000 } }, 2, /http.port must be a whole number from 0 to 65535/],
  ];
  const foreign = join(scratch, 'foreign');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'holiday.jpg'), '');
  cases.push(['foreign', { http, data: { directory: foreign } }, 21, /holiday.jpg/]);
  const file = join(scratch, 'a-file');
  writeFileSync(file, '');
  cases.push(['a file', { http, data: { directory: file } }, 22, /cannot be written/]);
  if (process.getuid?.() !== 0) {
    const closed = join(scratch, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    cases.push(['no right', { http, data: { directory: closed } }, 22, /cannot be written/]);
  }
  const newer = join(scratch, 'newer');
  mkdirSync(newer);
  writeFileSync(join(newer, 'shardforge.json'), '{"product":"shardforge","format":999}');
  cases.push(['newer', { http, data: { directory: newer } }, 24, /format 999/]);
  const damaged = join(scratch, 'damaged');
  mkdirSync(damaged);
  writeFileSync(join(damaged, 'shardforge.json'), 'garbage');
  cases.push(['damaged', { http, data: { directory: damaged } }, 23, /shardforge.json/]);
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  cases.push(['port', { http: { port }, data: { directory: ':memory:' } }, 25, /cannot listen on/]);
  const endings = await Promise.all(cases.map(([, config]) => main(config)));
  for (const [i, [name, , code, message]] of cases.entries()) {
    const ended = must(endings[i], 'each case ends');
    t.equal(ended.code, code, `${name}: ${ended.output}`);
    t.match(ended.output, message, name);
  }
  server.close();
});

t.test('the process: one at a directory, log lines, signals', async (t) => {
  const directory = join(scratch, 'process');
  const auth = { rules: [{ addresses: ['loopback'], method: 'trust' }] };
  const config = { http: { port: 0 }, data: { directory }, auth };
  const ended = await main(config, async (child, output) => {
    await until(() => output().includes('"event":"node.ready"'));
    const second = await main(config);
    t.equal(second.code, 20, second.output);
    const address = must(/"address":"([^"]+)"/.exec(output())?.[1], 'the address is logged');
    const raw = new Raw(`http://${address}`);
    t.match(await raw.next(), { op: 'hello' });
    await raw.sql('SELECT $1::text', 'quiet secret');
    child.kill('SIGUSR2');
    await until(() => output().includes('"event":"node.links"'));
    await until(() => output().includes('"event":"node.queues"'));
    await until(() => output().includes('"event":"node.state"'));
    await raw.sql(`SELECT shardforge.log_level('debug')`);
    await until(() => output().includes('"event":"log.level"'));
    await raw.sql('SELECT $1::text AS traced', 'traced secret');
    await until(() => output().includes('traced'));
    child.kill('SIGTERM');
    t.match(await raw.closed, [1012]);
  });
  t.equal(ended.code, 0, ended.output);
  t.notMatch(ended.output, /secret/, 'parameters are not logged');
  t.notMatch(ended.output, /SELECT \$1::text"/, 'statements are logged at debug only');
  for (const line of ended.output.trim().split('\n')) t.type(JSON.parse(line), 'object');
});

t.test('a store that is full ends the node; nothing acknowledged is lost', async (t) => {
  const directory = join(scratch, 'full');
  const mapSizeBytes = 16 * 1024 ** 2;
  let acknowledged = 0;
  const auth = { rules: [{ addresses: ['loopback'], method: 'trust' }] };
  const config = { http: { port: 0 }, data: { directory, mapSizeBytes }, auth };
  const ended = await main(config, async (child, output) => {
    await until(() => output().includes('"event":"node.ready"'));
    const address = must(/"address":"([^"]+)"/.exec(output())?.[1], 'the address is logged');
    const raw = new Raw(`http://${address}`);
    t.match(await raw.next(), { op: 'hello' });
    await raw.sql('CREATE TABLE f (id int PRIMARY KEY, filler text)');
    const filler = 'x'.repeat(500_000);
    for (;;) {
      const answer = await raw.sql('INSERT INTO f VALUES ($1, $2)', acknowledged + 1, filler);
      if (answer.op === 'error') {
        t.match(answer.sqlstate, /^(53100|40003)$/);
        break;
      }
      acknowledged += 1;
    }
    await once(child, 'exit');
  });
  t.equal(ended.code, 26, ended.output);
  t.ok(acknowledged > 5);
  const node = await start({ directory, mapSizeBytes: 8 * mapSizeBytes });
  const raw = await Raw.open(node);
  const sql = 'SELECT count(*), max(id) FROM f WHERE id <= $1';
  t.match(await raw.sql(sql, acknowledged), { rows: [[String(acknowledged), acknowledged]] });
  t.match(await raw.sql('INSERT INTO f VALUES (0, NULL)'), { tag: 'INSERT 0 1' });
  await node.stop();
});
