/**
 * Bad input never crashes a node: statements with tokens dropped, doubled and swapped, and frames with
 * bytes changed, go to a node in memory. Each request gets one last answer, never an internal error,
 * and the node answers rightly afterwards.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { WebSocket } from 'ws';
import { Random } from '#src/base/random.js';
import type { AnswerFrame } from '#src/net/protocol.js';
import { checkConfig, inMemory, type RunningNode, startNode } from '#src/node/index.js';

const statements = 4000;
const frames = 4000;

const schema = [
  'create table items (id int primary key, name text not null, price numeric(10,2), added timestamptz, data jsonb)',
  'create table orders (id serial primary key, item int, amount bigint default 1, note varchar(10))',
  "insert into items values (1, 'nail', 0.10, '2026-01-01', '{\"a\": [1, 2]}'), (2, 'saw', 12.50, null, null)",
  "insert into orders (item, amount, note) values (1, 100, 'x'), (2, 1, null), (7, 3, 'lost')",
];

/** Where mutations start from; together they use most of the language that is supported. */
const seeds = [
  'select * from items where id = 1',
  'select i.name, sum(o.amount) from items i join orders o on o.item = i.id group by i.name having count(*) > 0 order by 2 desc limit 3',
  "select distinct note, coalesce(note, '-') || 'x' from orders where amount between 1 and 50 or note is null",
  'select case when price > 1 then 1 else 0 end, price * 2 + 1, -price from items order by id desc offset 1',
  'insert into orders (item, amount) values (1, 5), (2, default) returning id, note',
  "insert into items values (1, 'x') on conflict (id) do update set name = excluded.name",
  'update orders set amount = amount + 1, note = null where item in (1, 2) returning *',
  'delete from orders using items where items.id = orders.item and price < 0',
  "select data -> 'a' ->> 0, data @> '{\"a\": []}' from items",
  "select added + interval '1 day', extract(year from added), date_trunc('month', added) from items",
  'select a.id from items a left join orders b on a.id = b.item and b.amount > 1 full join items c using (id)',
  "select cast('12' as int8), '1.50'::numeric, 'a' like 'A%', upper(substring('abc' from 2 for 1))",
  'create table if not exists more (id bigint generated always as identity primary key, t text)',
  'drop table if exists more, nothing',
  'begin',
  'commit',
  'rollback',
  'explain select * from items where id > 1 order by id',
  "set timezone = 'Europe/Berlin'",
];

const extras = [
  'null',
  "''",
  '-1',
  '9223372036854775808',
  '(',
  ')',
  ',',
  '$1',
  "'\\x'",
  '*',
  '::int',
  'select',
  '"',
  "'",
  '1e400',
  '--',
  '/*',
];

function mutate(random: Random, text: string, other: string): string {
  const tokens = text.match(/\w+|\s+|[^\w\s]/g) ?? [];
  for (let n = random.between(0, 4); n > 0; n -= 1) {
    const at = random.below(tokens.length + 1);
    const donor = other.match(/\w+|\s+|[^\w\s]/g) ?? [];
    switch (random.below(5)) {
      case 0:
        tokens.splice(at, random.between(1, 3));
        break;
      case 1:
        tokens.splice(at, 0, random.pick(extras), ' ');
        break;
      case 2:
        tokens.splice(at, 0, ...tokens.slice(at, at + random.between(1, 6)));
        break;
      case 3:
        tokens.splice(at, 1, ...donor.slice(random.below(donor.length)));
        break;
      default:
        tokens.splice(at, 0, String.fromCodePoint(random.below(0x11_0000)));
    }
  }
  return tokens.join('');
}

interface Peer {
  send(text: string): void;
  close(): void;
  /** The last answer to request `id`. */
  answer(id: number): Promise<AnswerFrame>;
  /** Answers that belong to no request. */
  readonly others: AnswerFrame[];
}

async function connect(node: RunningNode): Promise<Peer> {
  const waiting = new Map<number, (frame: AnswerFrame) => void>();
  const others: AnswerFrame[] = [];
  const socket = new WebSocket(`ws://${node.addresses[0]}/sql`, 'shardforge.sql.v1');
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data)) as AnswerFrame;
    if (!('id' in frame) || frame.id === null) others.push(frame);
    else if (!('more' in frame && frame.more === true)) {
      waiting.get(frame.id)?.(frame);
      waiting.delete(frame.id);
    }
  });
  await once(socket, 'open');
  return {
    send: (text) => socket.send(text),
    answer: (id) => new Promise((resolve) => waiting.set(id, resolve)),
    close: () => socket.terminate(),
    others,
  };
}

async function start(t: Tap): Promise<{ readonly node: RunningNode; readonly fatal: Error[] }> {
  const fatal: Error[] = [];
  const config = checkConfig({
    data: { directory: inMemory },
    http: { port: 0 },
    auth: { rules: [{ addresses: ['loopback'], method: 'trust' }] },
    log: { level: 'silent' },
  });
  const node = await startNode(config, {
    log: () => undefined,
    fatal: (error) => fatal.push(error),
  });
  t.teardown(() => node.stop());
  return { node, fatal };
}

interface Tap {
  teardown(stop: () => unknown): void;
}

function seedOfCommit(): number {
  try {
    const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' });
    return Number.parseInt(commit.slice(0, 8), 16);
  } catch {
    return 1;
  }
}

t.test('mutated statements get answers, never internal errors', async (t) => {
  const seed = seedOfCommit();
  const random = new Random(seed);
  const { node, fatal } = await start(t);
  const peer = await connect(node);
  t.teardown(() => peer.close());
  let id = 0;
  const execute = (sql: string): Promise<AnswerFrame> => {
    id += 1;
    const answer = peer.answer(id);
    peer.send(JSON.stringify({ op: 'execute', id, sql }));
    return answer;
  };
  for (const sql of schema) t.equal((await execute(sql)).op, 'complete', sql);
  const internal: string[] = [];
  const outcomes = new Map<string, number>();
  for (let n = 0; n < statements; n += 1) {
    const sql = mutate(random, random.pick(seeds), random.pick(seeds));
    const frame = await execute(sql);
    const outcome = frame.op === 'error' ? frame.sqlstate : frame.op;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (frame.op === 'error' && frame.name === 'internal_error') {
      internal.push(`${JSON.stringify(sql)}: ${frame.message}`);
    }
    // Not to stay in a transaction that an error has ended.
    if (frame.op === 'error' && frame.status === 'failed') await execute('rollback');
  }
  t.comment(`seed ${seed}: ${JSON.stringify(Object.fromEntries([...outcomes].sort()))}`);
  t.same(internal, [], `seed ${seed}`);
  t.same(fatal, []);
  t.ok((outcomes.get('rows') ?? 0) + (outcomes.get('complete') ?? 0) > statements / 20);
  await execute('rollback');
  const last = await execute('select 1 + 1');
  t.same(last.op === 'rows' && last.rows, [[2]]);
});

t.test('damaged frames get a clear error and the session lives on', async (t) => {
  const seed = seedOfCommit();
  const random = new Random(seed);
  const { node, fatal } = await start(t);
  const peer = await connect(node);
  t.teardown(() => peer.close());
  const bases = [
    { op: 'execute', id: 1, sql: 'select $1::int', params: [1], credit: 2 },
    { op: 'prepare', id: 2, name: 'p', sql: 'select 1' },
    { op: 'close', id: 3, name: 'p' },
    { op: 'credit', id: 1, credit: 1 },
    { op: 'cancel', id: 4 },
    { op: 'ping', id: 5 },
  ];
  for (let n = 0; n < frames; n += 1) {
    const characters = [...JSON.stringify({ ...random.pick(bases), id: 1_000_000 + n })];
    for (let changes = random.between(1, 4); changes > 0; changes -= 1) {
      const at = random.below(characters.length);
      const by = random.pick([
        '',
        '"',
        '{',
        '}',
        '[',
        '0',
        '-',
        'e9',
        'null',
        '\\',
        '\u0000',
        ':',
        'x',
      ]);
      characters.splice(at, random.below(3), by);
    }
    peer.send(characters.join(''));
    if (n % 100 !== 0) continue;
    const pong = peer.answer(n + 1);
    peer.send(JSON.stringify({ op: 'ping', id: n + 1 }));
    t.equal((await pong).op, 'pong');
  }
  t.ok(peer.others.some((frame) => frame.op === 'error' && frame.sqlstate === '08P01'));
  t.same(fatal, []);
  const last = peer.answer(9_000_001);
  peer.send(JSON.stringify({ op: 'execute', id: 9_000_001, sql: 'select 1 + 1' }));
  const frame = await last;
  t.same(frame.op === 'rows' && frame.rows, [[2]], `seed ${seed}`);
});
