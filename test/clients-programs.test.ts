/** psql and pgbench of PostgreSQL 15 against a node; skipped where they are not installed. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { serve } from './clients/served.js';

t.setTimeout(180_000);

const { address, stop } = await serve(t);
const scratch = mkdtempSync(join(tmpdir(), 'shardforge-programs-'));
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

interface Ran {
  readonly status: number | null;
  /** Standard output and error in the order they were written. */
  readonly output: string;
}

function run(program: string, words: readonly string[], input = ''): Ran {
  const file = join(scratch, 'output');
  const output = openSync(file, 'w');
  const given = join(scratch, 'input');
  writeFileSync(given, input);
  const stdin = openSync(given, 'r');
  const { status } = spawnSync(program, words, {
    stdio: [stdin, output, output],
    timeout: 60_000,
    env: {
      ...{ PATH: process.env.PATH, LC_ALL: 'C.UTF-8', PAGER: '', HOME: scratch },
      ...{ PGHOST: address.host, PGPORT: String(address.port) },
      ...{ PGUSER: address.user, PGDATABASE: address.database },
    },
  });
  closeSync(output);
  closeSync(stdin);
  return { status, output: readFileSync(file, 'utf8') };
}

const psql = (words: readonly string[], input?: string): Ran =>
  run('psql', ['-X', ...words], input);
const skip = (program: string): string | false =>
  spawnSync(program, ['--version']).status === 0 ? false : `${program} is not installed`;

t.test(
  'psql runs a script and prints what it prints of PostgreSQL',
  { skip: skip('psql') },
  (t) => {
    const expected = 'test/clients/psql.txt';
    const books = '1,One,9.50,"{a,b}"\n1,Two,20,\n2,"Three, ""3""",,{}\n';
    const { status, output } = psql(['-a', '-f', 'test/clients/psql.sql'], books);
    t.equal(status, 0);
    const told = output.replaceAll(String(address.port), 'PORT').replace(/PID \d+/g, 'PID N');
    if (process.env.UPDATE === '1') writeFileSync(expected, told);
    t.equal(told, readFileSync(expected, 'utf8'));
    t.end();
  },
);

t.test('psql ends with the code of what happened', { skip: skip('psql') }, (t) => {
  t.match(psql(['-c', 'select 1']), { status: 0, output: '(1 row)' });
  t.match(psql(['-Atc', "select 1, 'x'"]), { status: 0, output: /^1\|x\n$/ });
  t.match(psql(['-c', 'select 1 / 0']), { status: 1, output: 'ERROR:  division by zero' });
  t.match(psql([], 'selec 1;\nselect 2 as after;'), { status: 0, output: /selec[\s\S]*after/ });
  const strict = psql(['-v', 'ON_ERROR_STOP=1'], 'selec 1;\nselect 2 as after;');
  t.match(strict, { status: 3, output: 'syntax error' });
  t.notMatch(strict.output, 'after');
  t.match(psql(['-d', 'elsewhere', '-c', 'select 1']), {
    ...{ status: 2, output: 'FATAL:  database "elsewhere" does not exist' },
  });
  t.match(psql(['-U', 'nobody', '-c', 'select 1']), {
    ...{ status: 2, output: 'FATAL:  role "nobody" does not exist' },
  });
  t.end();
});

t.test('psql -1 is one transaction', { skip: skip('psql') }, (t) => {
  const text = 'create table single (n int);\ninsert into single values (1);\n';
  t.equal(psql(['-1', '-v', 'ON_ERROR_STOP=1', '-f', '-'], `${text}select 1 / 0;\n`).status, 3);
  t.match(psql(['-c', 'select * from single']).output, 'relation "single" does not exist');
  t.equal(psql(['-1', '-f', '-'], text).status, 0);
  t.equal(psql(['-Atc', 'select * from single']).output, '1\n');
  t.end();
});

t.test(
  'pgbench fills its tables and loses nothing',
  { skip: skip('pgbench') || skip('psql') },
  (t) => {
    const filled = run('pgbench', ['-i', '-s', '1', '-q']);
    t.equal(filled.status, 0, filled.output);
    t.equal(psql(['-Atc', 'select count(*) from pgbench_accounts']).output, '100000\n');
    const select = run('pgbench', ['-n', '-S', '-M', 'prepared', '-c', '8', '-T', '1']);
    t.match(select, { status: 0, output: 'number of failed transactions: 0 ' });
    let done = 0;
    for (const mode of ['simple', 'extended', 'prepared']) {
      // Whoever meets another transaction (40001) does it again, as with PostgreSQL's REPEATABLE READ.
      const words = ['-n', '-M', mode, '-c', '4', '-T', '1', '--max-tries', '1000'];
      const { status, output } = run('pgbench', words);
      t.match({ status, output }, { status: 0, output: 'number of failed transactions: 0 ' }, mode);
      done += Number(/actually processed: (\d+)/.exec(output)?.[1]);
    }
    t.ok(done > 0, `${done} transactions`);
    const sums = ['accounts', 'tellers', 'branches'].map(
      (name) => `(select sum(${name[0]}balance) from pgbench_${name})`,
    );
    const text = `select ${sums.join(', ')}, (select sum(delta) from pgbench_history), (select count(*) from pgbench_history)`;
    const [accounts, tellers, branches, history, count] = psql(['-Atc', text])
      .output.trim()
      .split('|');
    t.same([accounts, tellers, branches], [history, history, history], 'the sums agree');
    t.equal(Number(count), done, 'each transaction that was counted happened, and no other');
    t.end();
  },
);

t.test('all ends in good order', (t) => stop(t));
