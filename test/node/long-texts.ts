/** Texts so long that another thread parses them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import type { ErrorFrame } from '#src/net/protocol.js';
import type { RunningNode } from '#src/node/index.js';
import { Raw, urlOf } from './raw.js';

/** An INSERT of small rows of about so many bytes into `long (id, name)`. */
export function insertOf(bytes: number, from = 0): { readonly sql: string; readonly rows: number } {
  const values: string[] = [];
  let length = 0;
  while (length < bytes) {
    const value = `(${from + values.length},'née ${values.length}')`;
    values.push(value);
    length += value.length + 1;
  }
  return { sql: `INSERT INTO long VALUES ${values.join()}`, rows: values.length };
}

/** Limits that make tests short. */
export const longTextLimits = { statementBytes: 2_000_000, statementMemoryBytes: 16_000_000 };

/** What a client sees of long texts; `node` has {@link longTextLimits}. */
export async function longTexts(t: Test, node: RunningNode): Promise<void> {
  const raw = await Raw.open(node);
  const other = await Raw.open(node);
  await raw.sql('CREATE TABLE long (id int PRIMARY KEY, name text)');

  await t.test('the node answers others while it parses', async (t) => {
    const { sql, rows } = insertOf(400_000);
    let ended = false;
    const inserted = raw.sql(sql).then((answer) => {
      ended = true;
      return answer;
    });
    let answers = 0;
    while (!ended) {
      const { status } = await fetch(`${urlOf(node)}/health`);
      const { op } = await other.sql('SELECT 1 AS one');
      if (status === 200 && op === 'rows') answers += 1;
    }
    t.ok(answers > 5, `${answers} answers meanwhile`);
    t.match(await inserted, { op: 'complete', tag: `INSERT 0 ${rows}` });
    t.match(await raw.sql('SELECT count(*) FROM long'), { rows: [[`${rows}`]] });
    t.match(await raw.sql('SELECT name FROM long WHERE id = 7'), { rows: [['née 7']] });
  });

  await t.test('errors are those of short texts', async (t) => {
    const { sql } = insertOf(200_000);
    const broken = await raw.sql(`${sql}, (1,)`);
    t.match(broken, { op: 'error', sqlstate: '42601', message: 'syntax error at or near ")"' });
    t.equal((broken as ErrorFrame).position, sql.length + 6);
    t.match(await raw.sql('BEGIN'), { tag: 'BEGIN' });
    t.match(await raw.sql(`${sql} oops`), { sqlstate: '42601', status: 'failed' });
    t.match(await raw.sql('ROLLBACK'), { tag: 'ROLLBACK' });
    t.match(await raw.sql(`SELECT '\u0000${'x'.repeat(200_000)}'`), { sqlstate: '22021' });
    t.match(await raw.sql(`SELECT ${'('.repeat(140_000)}`), { sqlstate: '54001' });
    t.match(await raw.sql(`SELECT '${'x'.repeat(2_000_000)}'`), {
      ...{ sqlstate: '54000', message: /limits.statementBytes \(2000000\)/ },
    });
    t.match(await raw.sql(insertOf(1_000_000, 1_000_000).sql), {
      ...{ sqlstate: '53200', detail: /statementMemoryBytes/ },
    });
    t.match(await raw.sql(`SELECT length('${'x'.repeat(1_900_000)}')`), { rows: [[1_900_000]] });
  });

  await t.test('long prepared texts', async (t) => {
    const sql = `SELECT $1::int AS n, length('${'x'.repeat(200_000)}') AS l`;
    t.match(
      await raw.ask(
        { op: 'prepare', id: 1, name: 'long', sql },
        { op: 'execute', id: 2, prepared: 'long', params: [5] },
      ),
      [{ op: 'prepared', paramTypes: ['int4'] }, { rows: [[5, 200_000]] }],
    );
    t.match(await raw.sql('EXECUTE long(6)'), { rows: [[6, 200_000]] });
  });

  await t.test('a cancelled and an abandoned text leave nothing', async (t) => {
    const { sql } = insertOf(700_000, 2_000_000);
    raw.send({ op: 'execute', id: 1, sql });
    t.match(await other.sql('SELECT 2 AS two'), { rows: [[2]] });
    const startMs = performance.now();
    raw.send({ op: 'cancel', id: 1 });
    t.match(await raw.next(), { op: 'error', id: 1, sqlstate: '57014', status: 'idle' });
    t.ok(performance.now() - startMs < 1000, 'at once');
    other.send({ op: 'execute', id: 2, sql });
    // The session has the text by then: with workers it takes a while to cross.
    await sleep(300);
    t.match(await raw.sql('SELECT 3 AS three'), { rows: [[3]] });
    other.close();
    // It waits for the thread that ends with the abandoned text.
    t.match(await raw.sql(insertOf(150_000, 2_000_000).sql), { op: 'complete' });
    t.match(await raw.sql('SELECT max(id) < 2020000 AS only FROM long'), { rows: [[true]] });
  });
  raw.close();
}
