/** The `shardforge` command, run as a user runs it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import t from 'tap';
import { exitCodes } from '#src/cli/report.js';
import { columnName } from '#src/cli/import/import.js';
import { typeOfColumn, typesOf } from '#src/cli/import/infer.js';
import { parsePiece } from '#src/cli/import/parse-job.js';
import { RecordSplitter } from '#src/cli/import/records.js';
import { program } from '#src/cli/index.js';
import { Shell } from '#src/cli/prompt.js';
import { cutStatements } from '#src/cli/statements.js';
import { connect } from '#src/client/index.js';
import { open } from '#src/embedded.js';
import { freePort } from './processes/node-process.js';

const bin = resolve('dist/cli/bin.js');
process.env.SHARDFORGE_HISTORY = '';
const folder = mkdtempSync(join(tmpdir(), 'shardforge-cli-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
t.setTimeout(120_000);

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs the command in the test's folder with `input` on its standard input. */
async function shardforge(args: readonly string[], input = '', env = {}): Promise<Ended> {
  const child = command(args, env);
  const collected = { output: '', errors: '' };
  child.stdout?.on('data', (chunk) => {
    collected.output += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    collected.errors += String(chunk);
  });
  child.stdin?.end(input);
  await once(child, 'close');
  return { code: child.exitCode, ...collected };
}

function command(args: readonly string[], env: Record<string, string>): ChildProcess {
  const settings = { ...process.env, SHARDFORGE_HISTORY: '', ...env };
  return spawn(process.execPath, [bin, ...args], { cwd: folder, env: settings });
}

function file(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

t.test('texts are cut at the semicolons between statements', async (test) => {
  const cut = (text: string): unknown => Object.values(cutStatements(text));
  test.same(cut('select 1; select 2'), [['select 1'], ' select 2']);
  test.same(cut(`select ';', ";", E'\\';', 'it''s;' ; x`), [
    [`select ';', ";", E'\\';', 'it''s;'`],
    ' x',
  ]);
  test.same(cut('a -- ;\n;/* ; /* ; */ ; */ b;'), [['a -- ;', '/* ; /* ; */ ; */ b'], '']);
  test.same(cut('$$;$$; $a$;$$;$a$; $1;a$b;$'), [['$$;$$', '$a$;$$;$a$', '$1', 'a$b'], '$']);
  test.same(cut(" ; ;-- nothing\n; 'open ;"), [[], " 'open ;"]);
  test.same(cut('select 1 -- more'), [[], 'select 1 -- more']);
  test.same(cut('-- only a comment\n /* and another */ '), [[], '']);
  test.same(cut('/* open ;'), [[], '/* open ;']);
});

t.test('CSV: records, their lines and what their columns may be', async (test) => {
  const parsed = (text: string, size: number): unknown[] => {
    const splitter = new RecordSplitter(0x2c);
    const found: unknown[] = [];
    const bytes = Buffer.from(text);
    const pieces = [];
    for (let at = 0; at < bytes.length; at += size) {
      pieces.push(...splitter.push(bytes.subarray(at, at + size)));
    }
    pieces.push(...splitter.finish());
    for (const piece of pieces) {
      const argument = { piece, delimiter: ',', nullText: '', fields: 2 };
      const { records, lines, bad } = parsePiece(argument);
      records.forEach((record, i) => void found.push([lines[i], ...record]));
      for (const { line, reason } of bad) found.push([line, reason]);
    }
    for (const { line, reason } of splitter.takeBad()) found.push([line, reason]);
    return found.sort((a, b) => Number((a as unknown[])[0]) - Number((b as unknown[])[0]));
  };
  const text =
    '\ufeffa,b\r\n1,"x\r\ny, ""z"""\n\n,""\n5\n6,7,8\n7,q"r\n"8"x,9\n9,é\n10,"open\n11,12';
  const expected = [
    [1, 'a', 'b'],
    [2, '1', 'x\r\ny, "z"'],
    [5, null, ''],
    [6, '1 fields instead of 2'],
    [7, '3 fields instead of 2'],
    [8, 'Invalid Opening Quote: a quote is found on field 1'],
    [9, /^Invalid Closing Quote/],
    [10, '9', 'é'],
    [11, 'the quote of a field of this record is never closed'],
    [12, '11', '12'],
  ];
  for (const size of [1, 7, 1000]) test.match(parsed(text, size), expected, `${size} bytes`);
  const endless = `1,2\n3,"${'x'.repeat(3_000_000)}\n5,6\n`;
  test.match(parsed(endless, 65_536), [
    [1, '1', '2'],
    [2, /longer than 1048576 bytes/],
    [3, '5', '6'],
  ]);
  const piece = { bytes: Buffer.from([0x31, 0x2c, 0xff, 0x0a]), line: 7 };
  test.match(parsePiece({ piece, delimiter: ',', nullText: '', fields: 2 }).bad, [
    { line: 7, reason: /UTF-8/ },
  ]);
  const type = (...values: string[]): string =>
    typeOfColumn(values.map(typesOf).reduce((all, set) => all & set));
  test.equal(type('1', '-2', '2147483647'), 'integer');
  test.equal(type('1', '2147483648'), 'bigint');
  test.equal(type('1', '9223372036854775808'), 'numeric');
  test.equal(type('1', '2.50', '.5'), 'numeric');
  test.equal(type('1', '2.5', '1e-7', 'NaN'), 'double precision');
  test.equal(type('00501', '12345'), 'text', 'leading zeros are part of a code');
  test.equal(type('true', 'FALSE'), 'boolean');
  test.equal(type('2024-02-29'), 'date');
  test.equal(type('2023-02-29'), 'text', 'no such day');
  test.equal(type('2024-02-29', '2024-02-29 10:00'), 'timestamp');
  test.equal(type('2024-02-29T10:00:00.5Z', '2024-02-29 10:00+02'), 'timestamptz');
  test.equal(type('2024-02-29 25:00'), 'text');
  test.equal(type('1', 'x'), 'text');
  test.equal(columnName('Cost Total $'), 'cost_total');
  test.equal(columnName('2nd'), '_2nd');
});

const asTable = ` id |              big |    n | name     | j        | ok
----+------------------+------+----------+----------+------
  1 | 9007199254740993 | 1.10 | a "b", c | {"k": 1} | true
  2 |             NULL | NULL |          | NULL     | NULL
(2 rows)
`;
const asCsv = `id,big,n,name,j,ok
1,9007199254740993,1.10,"a ""b"", c","{""k"": 1}",true
2,,,"",,
`;
const asVertical = `-[ 1 ]----
id   | 1
big  | 9007199254740993
n    | 1.10
name | a "b", c
j    | {"k": 1}
ok   | true
-[ 2 ]----
id   | 2
big  | NULL
n    | NULL
name |
j    | NULL
ok   | NULL
`;

t.test('CSV: however a file is cut, it gives the same records', async (test) => {
  const unit = fc.constantFrom('a', 'é', ',', '"', '\n', '\r\n', ' ');
  const field = fc.array(unit).map((units) => units.join(''));
  const file = fc.array(fc.tuple(field, fc.constantFrom('x', '1')), { minLength: 1 });
  const cuts = fc.infiniteStream(fc.integer({ min: 1, max: 9 }));
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  fc.assert(
    fc.property(file, cuts, fc.boolean(), (records, sizes, ended) => {
      const lines = records.map(([a, b]) => `${quoted(a)},${b}`);
      const bytes = Buffer.from(lines.join('\n') + (ended ? '\n' : ''));
      const splitter = new RecordSplitter(0x2c);
      const pieces = [];
      for (let at = 0; at < bytes.length; ) {
        const size = Number(sizes.next().value);
        pieces.push(...splitter.push(bytes.subarray(at, at + size)));
        at += size;
      }
      pieces.push(...splitter.finish());
      const found = pieces.flatMap((piece) => {
        const parsed = parsePiece({ piece, delimiter: ',', nullText: '', fields: 2 });
        return parsed.records.map((record, i) => [parsed.lines[i], ...record]);
      });
      let line = 1;
      const expected = records.map(([a, b]) => {
        const at = line;
        line += a.split('\n').length;
        return [at, a, b];
      });
      return JSON.stringify(found) === JSON.stringify(expected);
    }),
    { seed: 1, numRuns: 300 },
  );
  test.pass('300 files');
});

t.test('a node, SQL and an import from the command line', async (test) => {
  const port = String(await freePort());
  const url = `ws://127.0.0.1:${port}`;
  const password = 'of the test';
  const env = {
    ...{ SHARDFORGE_HTTP_PORT: port, SHARDFORGE_URL: url },
    ...{ SHARDFORGE_ADMIN_PASSWORD: password, SHARDFORGE_PASSWORD: password },
  };
  const refused = await shardforge(['sql', '-c', 'select 1'], '', env);
  test.match(refused, { code: 3, output: '', errors: /ERROR 08001: cannot connect.*\nHINT: / });
  const node = command([], env);
  test.teardown(() => node.kill('SIGKILL'));
  for await (const line of node.stdout ?? []) if (/node.ready/.test(String(line))) break;

  await test.test('sql', async (part) => {
    const sql = async (text: string, ...args: string[]): Promise<string> => {
      const ended = await shardforge(['sql', '-c', text, ...args], '', env);
      part.equal(ended.code, 0, text);
      part.equal(ended.errors, '');
      return ended.output;
    };
    const made = `create table t (id int, big int8, n numeric, name text, j jsonb, ok bool);
      insert into t values (1, 9007199254740993, 1.10, 'a "b", c', '{"k": 1}', true), (2, null, null, '', null, null)`;
    part.equal(await sql(made), 'CREATE TABLE\nINSERT 0 2\n');
    const all = 'select * from t order by id';
    part.equal(await sql(all), asTable);
    part.equal(await sql(all, '--format', 'csv'), asCsv);
    part.equal(await sql(all, '--format', 'vertical'), asVertical);
    const json = await sql(all, '--format', 'json');
    part.match(json, '"big": 9007199254740993, "n": 1.10', 'with all digits');
    part.same(JSON.parse(json)[1], { id: 2, big: null, n: null, name: '', j: null, ok: null });
    const piped = await shardforge(['sql'], 'select 1 as a;\nselect\n2 as b', env);
    part.equal(piped.code, 0);
    part.equal(piped.output, ' a\n---\n 1\n(1 row)\n b\n---\n 2\n(1 row)\n');
    const path = file('some.sql', 'select 3 as c;');
    part.match(await shardforge(['sql', '-f', path], '', env), { code: 0, output: / 3\n/ });
    const text = 'select 1;\nselect *\n\tfrom  nosuch;\nselect 2';
    const failed = await shardforge(['sql'], text, env);
    part.match(failed, { code: 1, output: /\(1 row\)\n$/ });
    const caret =
      'ERROR 42P01: relation "nosuch" does not exist\nLINE 2: \tfrom  nosuch\n        \t      ^\n';
    part.equal(failed.errors, caret);
    part.match(await shardforge(['sql', '-c', 'begin; select 1/0; commit'], '', env), {
      ...{ code: 1, output: 'BEGIN\n', errors: /22012/ },
    });
  });

  await test.test('import', async (part) => {
    const csv = file(
      'people.csv',
      'Person Id,Name,Born,Height\n1,Ann,1990-01-31,1.70\n2,"Bob, Jr.",,\n2,Cid,1991-01-01,1.8\n3,Dan\n4,Eve,1992-01-01,2\n',
    );
    const args = ['import', '--csv', csv, '--table', 'people', '--create'];
    const first = await shardforge([...args, '--primary-key', 'person_id'], '', env);
    part.match(first.output, /^imported 3 rows into people in .*; 2 bad lines\n$/);
    part.match(first.errors, `${csv}:5: 2 fields instead of 4\n`);
    part.match(
      first.errors,
      new RegExp(`${csv}:4: duplicate key .*\\(Key \\(person_id\\)=\\(2\\)`),
    );
    part.equal(first.code, 1);
    const db = await connect(url, { password });
    part.teardown(() => db.close());
    const rows = await db.query('select * from people order by 1');
    part.same(rows, [
      { person_id: 1, name: 'Ann', born: '1990-01-31', height: '1.70' },
      { person_id: 2, name: 'Bob, Jr.', born: null, height: null },
      { person_id: 4, name: 'Eve', born: '1992-01-01', height: '2' },
    ]);
    part.same(
      rows.columns.map((column) => column.type),
      ['int4', 'text', 'date', 'numeric'],
    );
    part.match(await shardforge(args, '', env), { code: 1, errors: /42P07/ });
    const more = file('more.tsv', '7\tFay\t-\t1.6\n8\tGus\tnever\t1\n9\tHal\t-\tx\n');
    const append = ['import', '--csv', more, '--table', 'people', '--delimiter', 'tab'];
    const form = ['--no-header', '--null', '-', '--batch-rows', '2'];
    const second = await shardforge([...append, ...form], '', env);
    part.match(second, {
      code: 1,
      output: /^imported 1 rows/,
      errors: /more\.tsv:2: .*date.*never/,
    });
    part.match(second.errors, /more\.tsv:3: .*"x"/);
    part.same(await db.query('select born from people where person_id = 7'), [{ born: null }]);
    const few = await shardforge([...append, ...form, '--max-errors', '0'], '', env);
    part.match(few, { code: 1, errors: 'stopped before the end: more than 0 bad lines' });
    const unknown = file('unknown.csv', 'person_id,shoe\n1,2\n');
    const into = (path: string): string[] => ['import', '--csv', path, '--table', 'people'];
    part.match(await shardforge(into(unknown), '', env), { code: 2, errors: /no column "shoe"/ });
    part.match(await shardforge(into('absent.csv'), '', env), {
      code: 2,
      errors: /cannot be read/,
    });
    const empty = file('empty.csv', '');
    part.match(await shardforge(into(empty), '', env), { code: 2, errors: /holds no record/ });
  });

  node.kill('SIGTERM');
  await once(node, 'close');
  test.equal(node.exitCode, 0);
});

t.test('the prompt', async (test) => {
  const database = await open({ types: { int8: 'string' } });
  test.teardown(() => database.close());
  const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
  let shown = '';
  for (const stream of [output, errors]) {
    stream.on('data', (chunk) => {
      shown += String(chunk);
    });
  }
  const shell = new Shell(database, { input, output, errors }, 'table');
  const ended = shell.talk();
  const type = async (line: string, awaited: string): Promise<string> => {
    shown = '';
    input.write(`${line}\n`);
    while (!shown.endsWith(awaited)) await new Promise((resolve) => setTimeout(resolve, 5));
    return shown.slice(0, -awaited.length);
  };
  const ready = 'shardforge=> ';
  await type('', ready);
  await type('create table t (a int, b text);', ready);
  await type('begin;', 'shardforge*=> ');
  test.equal(await type('select 1 as', `${' '.repeat(10)}*-> `), '');
  test.equal(await type('  one;', 'shardforge*=> '), ' one\n-----\n   1\n(1 row)\n');
  test.match(await type('selekt;', 'shardforge!=> '), /ERROR 42601.*\nLINE 1: selekt\n {8}\^\n/);
  test.equal(await type('rollback;', ready), 'ROLLBACK\n');
  const columns = ' column | type\n--------+------\n a      | int4\n b      | text\n(2 rows)\n';
  test.equal(await type('\\d t', ready), columns);
  test.match(await type('\\d nosuch', ready), /42P01/);
  await type('\\x', ready);
  test.equal(await type('select 1 as a;', ready), '-[ 1 ]-\na | 1\n');
  test.match(await type('\\timing', ready), /Timing is on/);
  test.match(await type('select 2 as a;', ready), /Time: \d+\.\d ms\n$/);
  test.match(await type('\\nonsense', ready), /no command/);
  test.match(await type('\\?', ready), /\\q +leave/);
  input.write('\\q\n');
  test.equal(await ended, 0);
});

t.test('mistakes on the command line', async (test) => {
  const version = await shardforge(['--version']);
  test.match(version, { code: 0, output: /^\d+\.\d+\.\d+\n$/ });
  test.match(await shardforge(['--help']), { code: 0, output: /^Usage: shardforge/ });
  test.match(await shardforge(['sqk']), { code: 2, errors: /unknown command sqk/ });
  test.match(await shardforge(['sql', '--format', 'xml']), { code: 2, errors: /table, csv, json/ });
  test.match(await shardforge(['sql', '-f', 'absent.sql']), { code: 2, errors: /cannot be read/ });
  test.match(await shardforge(['sql', '--url', 'ftp://x', '-c', '']), { code: 2, errors: /ftp/ });
  const badRows = ['import', '--csv', 'x', '--table', 't', '--batch-rows', '0'];
  test.match(await shardforge(badRows), { code: 2, errors: /whole number from 1/ });
  const good = file('good.json', '{"http": {"port": 9}}');
  const bad = file('bad.json', '{"http": {"prot": 9}}');
  test.match(await shardforge(['config', 'check', good]), { code: 0, output: /is a valid/ });
  test.match(await shardforge(['config', 'check', bad]), {
    code: 2,
    errors: /did you mean http\.port/,
  });
  const printed = await shardforge(['--print-config', '--config', good]);
  test.match(JSON.parse(printed.output), { http: { port: 9, host: '127.0.0.1' }, workers: 'auto' });
  test.match(await shardforge(['start', '--config', bad]), { code: 2, errors: /http\.port/ });
});

t.test('docs/cli.md names every command, option and exit code', async (test) => {
  const page = readFileSync(resolve('docs/cli.md'), 'utf8');
  const root = program(() => undefined);
  for (const command of [root, ...root.commands]) {
    test.match(page, `shardforge${command === root ? '' : ` ${command.name()}`}`);
    for (const { long } of command.options)
      test.match(page, `\`${long}`, `${command.name()} ${long}`);
    if (!['cluster', 'node'].includes(command.name())) continue;
    for (const each of command.commands) {
      test.match(page, `| \`${command.name()} ${each.name()}`);
      for (const { long } of each.options) test.match(page, `${long}`, `${each.name()} ${long}`);
    }
  }
  for (const code of Object.values(exitCodes)) test.match(page, `| ${code} |`);
});
