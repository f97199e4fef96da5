/** Three processes from the configurations that are shipped, as a user starts them; with other ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { connect, type Database } from '#src/client/index.js';
import { freePort } from './processes/node-process.js';

const scratch = mkdtempSync(join(tmpdir(), 'shardforge-cluster-'));
t.setTimeout(240_000);
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

interface Member {
  readonly number: number;
  readonly http: number;
  readonly mesh: number;
  readonly postgres: number;
  readonly config: string;
  process: ChildProcess | undefined;
  output: string;
}

const members: Member[] = [];
t.teardown(() => {
  for (const { process } of members) process?.kill('SIGKILL');
});

async function addMember(number: number): Promise<Member> {
  const config = join(scratch, `cluster-${number}.json`);
  const [http, mesh, postgres] = [await freePort(), await freePort(), await freePort()];
  const member: Member = { number, http, mesh, postgres, config, process: undefined, output: '' };
  members.push(member);
  return member;
}

/** The shipped configuration with other ports and a directory of its own. */
function configure(member: Member, cluster: object): void {
  const shipped = `config/cluster-${Math.min(member.number, 3)}.json`;
  const config = JSON.parse(readFileSync(shipped, 'utf8')) as Record<string, object>;
  const changed = {
    ...{ ...config, node: { id: member.number }, workers: 0, cluster },
    data: { directory: join(scratch, `data-${member.number}`) },
    http: { ...config.http, port: member.http },
    mesh: { ...config.mesh, port: member.mesh },
    postgres: { ...config.postgres, port: member.postgres },
  };
  writeFileSync(member.config, JSON.stringify(changed));
}

function start(member: Member, ...args: string[]): void {
  const child = spawn(process.execPath, ['dist/main.js', '--config', member.config, ...args]);
  member.process = child;
  const collect = (chunk: Buffer): void => {
    member.output += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
}

function urlOf({ http }: Member): string {
  return `ws://127.0.0.1:${http}`;
}

async function ready({ http, output, process }: Member): Promise<boolean> {
  if (process?.exitCode !== null) throw new Error(`the node ended:\n${output}`);
  const response = await fetch(`http://127.0.0.1:${http}/ready`).catch(() => undefined);
  return response?.status === 200;
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1200; tries += 1) {
    if (await condition()) return;
    await sleep(50);
  }
  throw new Error(
    `${what} did not come:\n${members.map(({ output }) => output.slice(-3000)).join('\n')}`,
  );
}

async function shardforge(
  ...args: string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, ['dist/cli/bin.js', ...args]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  await once(child, 'close');
  return { code: child.exitCode, output };
}

async function status(database: Database): Promise<Record<string, unknown>> {
  const [row] = await database.query<{ s: Record<string, unknown> }>(
    'select shardforge.cluster_status() as s',
  );
  return must(row, 'a row').s;
}

t.test('three processes on empty directories form a cluster, lose one and go on', async (t) => {
  for (const number of [1, 2, 3]) await addMember(number);
  const seeds = members.map(({ mesh }) => `127.0.0.1:${mesh}`);
  for (const member of members) configure(member, { seeds });
  const [one, two, three] = members as [Member, Member, Member];
  start(three);
  start(one);
  let early: Response | undefined;
  await until('HTTP', async () => {
    early = await fetch(`http://127.0.0.1:${one.http}/ready`).catch(() => undefined);
    return early !== undefined;
  });
  t.equal(early?.status, 503, 'HTTP answers before there is a cluster');
  t.match(await early?.json(), { reason: /is not linked yet|starting/ });
  const alone = await shardforge('cluster', 'status', '--url', urlOf(one));
  t.match(alone.output, /belongs to no cluster/, 'operators are answered before there is one');
  start(two);
  await until('the cluster', async () => (await Promise.all(members.map(ready))).every(Boolean));

  const databases = await Promise.all(members.map((member) => connect(urlOf(member))));
  const [first, second, third] = databases as [Database, Database, Database];
  await first.query('create table register (id int primary key, value int)');
  await second.query('insert into register values (1, 10)');
  await third.query('update register set value = value + 1 where id = 1');
  for (const database of databases) {
    t.same([...(await database.query('select value from register'))], [{ value: 11 }]);
  }
  t.match(await status(first), { quorum: { reached: true, voters: [1, 2, 3] } });
  const shown = await shardforge('cluster', 'status', '--url', urlOf(two));
  t.match(shown, { code: 0, output: /majority {2}reached: 3 of 3/ });
  t.match(await shardforge('cluster', 'check', '--url', urlOf(three)), { code: 0 });

  const leader = must(
    members.find(({ number }) => number === shownLeader(shown.output)),
    'a leader',
  );
  leader.process?.kill('SIGKILL');
  const rest = members.filter((member) => member !== leader);
  const survivor = await connect(rest.map(urlOf));
  await survivor.query('insert into register values (2, 20)');
  t.same([...(await survivor.query('select count(*)::int as n from register'))], [{ n: 2 }]);
  start(leader);
  await until('the old leader', () => ready(leader));
  const back = await connect(urlOf(leader));
  t.same([...(await back.query('select count(*)::int as n from register'))], [{ n: 2 }]);

  const fourth = await addMember(4);
  configure(fourth, {});
  start(fourth, '--join', `127.0.0.1:${must(rest[0], 'one lives').mesh}`);
  await until('the fourth node', () => ready(fourth));
  const leaves = await shardforge(
    'cluster',
    'decommission',
    String(leader.number),
    '--wait',
    '60',
    '--url',
    urlOf(fourth),
  );
  t.match(leaves, { code: 0 });
  await until('a cluster without the old leader', async () => {
    const { quorum } = (await status(survivor)) as { quorum: { voters: number[] } };
    return quorum.voters.length === 3 && !quorum.voters.includes(leader.number);
  });
  for (const database of [...databases, survivor, back]) await database.close(0);
  t.match(await shardforge('node', 'stop', '--url', urlOf(fourth)), { code: 0 });
  await once(must(fourth.process, 'it runs'), 'exit');
  t.match(fourth.output, /"event":"node.stopped"/);
});

function shownLeader(output: string): number {
  return Number(/leader +node (\d+)/.exec(output)?.[1]);
}
