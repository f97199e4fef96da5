/**
 * Sessions beside a replica that follows: what they ask of it before they read, how they come by
 * numbers of sequences, what they do with refusals, and what administration is told.
 */
import t from 'tap';
import { must } from '#src/base/assert.js';
import { DatabaseError, type ErrorName } from '#src/base/errors.js';
import type { SessionAnswer } from '#src/sql/session/protocol.js';
import { failureOf, tagsOf } from './sql/session-client.js';
import { refTo, rowsOf, ScriptedReplica, ScriptedSession } from './sql/scripted-replica.js';

const failed = (answers: readonly SessionAnswer[]): ErrorName | undefined =>
  failureOf(answers)?.kind;

/** A session on a follower, with a table that the leader knows. */
async function follower(...statements: readonly string[]): Promise<ScriptedSession> {
  const session = await ScriptedSession.start();
  for (const statement of statements) session.run(statement);
  session.replica.leads = false;
  session.replica.givesNumbers = false;
  return session;
}

const kv = ['CREATE TABLE kv (k int PRIMARY KEY, v int)', 'INSERT INTO kv VALUES (1, 10)'];

t.test('where it leads, nothing is asked before a read', async (t) => {
  const session = await ScriptedSession.start();
  for (const statement of kv) session.run(statement);
  for (const text of ['SELECT v FROM kv WHERE k = 1', 'SELECT v FROM kv WHERE k = 1', 'BEGIN']) {
    const request = session.execute(text);
    t.same(session.asked, []);
    t.not(session.answersTo(request).length, 0, `${text} is answered within its turn`);
  }
});

t.test(
  'a follower asks once before each snapshot, and sees what was committed by then',
  async (t) => {
    const session = await follower(...kv);
    const { replica } = session;
    const elsewhere = new ScriptedSession(replica, {}, {});
    const select = 'SELECT v FROM kv WHERE k = 1';
    // A plan that is not kept yet, one that is, and one with a snapshot.
    for (const text of [select, select, 'SELECT sum(v) FROM kv']) {
      replica.leads = true;
      elsewhere.execute('UPDATE kv SET v = v + 1 WHERE k = 1');
      const proposal = elsewhere.take('shard.propose');
      replica.commit(proposal.proposal);
      elsewhere.send({ kind: 'shard.committed', token: proposal.token, timestamp: 1 as never });
      replica.leads = false;
      t.ok(replica.applied < replica.committed, 'the replica lags');
      const request = session.execute(text);
      t.same(session.answersTo(request), [], 'it waits');
      session.answerRead();
      const [row] = rowsOf(session.answersTo(request)) as [[unknown]];
      t.equal(Number(row[0]), replica.committed - 3 + 10, 'it reads the newest');
      t.same(session.asked, [], 'one question is enough');
    }
    const begun = session.execute('BEGIN');
    session.answerRead();
    t.same(tagsOf([...session.answersTo(begun)]), ['BEGIN']);
    t.equal(rowsOf(session.answersTo(session.execute(select))).length, 1, 'none within a block');
    t.same(tagsOf([...session.run('COMMIT')]), ['COMMIT']);
    const described = session.prepare('one', 'SELECT k FROM kv');
    session.answerRead();
    t.match(session.answersTo(described), [{ kind: 'sql.prepared', columns: [{ name: 'k' }] }]);
    session.prepare('two', 'SELECT k FROM kv');
    session.send({ kind: 'sql.cancel', request: described + 1 });
    t.equal(failed(session.answersTo(described + 1)), 'query_canceled');
    session.execute("SET application_name = 'x'");
    t.equal(session.asked.splice(0).length, 1, 'what needs no table asks for nothing');
    t.equal(replica.openSnapshots, 0);
  },
);

t.test('refusals are passed on, and answers to what was cancelled are dropped', async (t) => {
  const session = await follower(...kv);
  const { replica } = session;
  const select = 'SELECT v FROM kv WHERE k = 1';
  for (const text of [select, select, 'SELECT * FROM kv', 'BEGIN', 'DROP TABLE kv']) {
    const request = session.execute(text);
    session.refuse('no_quorum');
    t.equal(failed(session.answersTo(request)), 'no_quorum', text);
  }
  const cancelled = session.execute(select);
  const { token } = session.take('shard.read');
  session.send({ kind: 'sql.cancel', request: cancelled });
  t.equal(
    failed(session.answersTo(cancelled)),
    'query_canceled',
    'it can be cancelled as it waits',
  );
  const update = session.execute('UPDATE kv SET v = 0');
  session.send({ kind: 'shard.refused', token, reason: 'no_quorum', text: 'late' });
  t.same(session.answersTo(update), [], 'the late answer is not taken for its own');
  session.answerRead();
  session.send({ kind: 'shard.readable', token });
  t.equal(session.asked[0]?.kind, 'shard.propose');
  session.send({ kind: 'sql.cancel', request: update });
  session.answerProposal();
  t.same(tagsOf([...session.answersTo(update)]), ['UPDATE 1'], 'a commit on its way is told');

  // A commit that no majority answers: whoever cancels it does not wait for ever.
  const stuck = session.execute('UPDATE kv SET v = 1');
  session.answerRead();
  const commit = session.take('shard.propose');
  session.send({ kind: 'sql.cancel', request: stuck });
  t.same(session.answersTo(stuck), []);
  const { message: later } = must(session.timers.get('abandon'), 'a timer');
  session.send(later);
  t.equal(failed(session.answersTo(stuck)), 'statement_completion_unknown');
  session.send({ kind: 'shard.committed', token: commit.token, timestamp: 9 as never });
  const after = session.execute('UPDATE kv SET v = 2');
  session.answerRead();
  session.send(later);
  t.same(session.answersTo(after), [], 'the next one is not meant');
  session.answerProposal();
  t.same(tagsOf([...session.answersTo(after)]), ['UPDATE 1']);

  const alone = session.execute(select);
  const read = session.take('shard.read');
  session.send({
    ...{ kind: 'actor.refused', to: refTo('replica/1'), reason: 'absent', message: read },
  });
  t.equal(failed(session.answersTo(alone)), 'cannot_connect_now', 'nobody is there to be asked');
  replica.refusal = { reason: 'not_in_cluster', text: 'it waits' };
  t.equal(failed(session.answersTo(session.execute(select))), 'not_in_cluster');
  t.same(session.asked, [], 'known refusals need no question');
  t.equal(replica.openSnapshots, 0);
});

t.test('a session that cannot look into the catalogue says so, and lives', async (t) => {
  const first = await follower(...kv);
  const { replica } = first;
  const select = 'SELECT v FROM kv WHERE k = 1';
  for (let times = 0; times < 2; times += 1) first.rows(select);
  const another = new ScriptedSession(replica, {}, {}, first);
  replica.leads = true;
  const get = replica.get.bind(replica);
  replica.get = () => {
    throw new DatabaseError('cannot_connect_now', 'the node has no whole state to read');
  };
  t.equal(failed(another.answersTo(another.execute(select))), 'cannot_connect_now');
  replica.get = get;
  t.same(another.rows(select), [[10]]);
});

t.test('a conflict is met again at once, with the snapshot that has its cause', async (t) => {
  const session = await follower(...kv);
  const request = session.execute('UPDATE kv SET v = v + 1 WHERE k = 1');
  session.answerRead();
  const { proposal, token } = session.take('shard.propose');
  // Another was first.
  session.replica.commit({ ...proposal, writes: proposal.writes });
  session.replica.applied = session.replica.committed;
  session.send({ kind: 'shard.refused', token, reason: 'conflict', text: 'k' });
  t.equal(session.asked[0]?.kind, 'shard.propose', 'no leave to read is asked for again');
  session.answerProposal();
  t.same(tagsOf([...session.answersTo(request)]), ['UPDATE 1']);
  t.same(session.rows('SELECT v FROM kv'), [[12]]);
});

t.test('stale reads: at once, marked, also without a majority; writes as ever', async (t) => {
  const session = await follower(...kv);
  const { replica } = session;
  replica.refusal = { reason: 'no_quorum', text: 'no majority' };
  const select = 'SELECT v FROM kv WHERE k = 1';
  t.equal(failed(session.run(select)), 'no_quorum', 'only who asks for it');
  session.run('SET shardforge.stale_reads = on');
  t.same(session.rows('SHOW shardforge.stale_reads'), [['on']]);
  const stale = (text: string): readonly unknown[] =>
    session
      .answersTo(session.execute(text))
      .map((answer) =>
        'completion' in answer ? answer.completion?.stale : failureOf([answer])?.kind,
      );
  t.same(stale(select), [true]);
  t.same(stale(select), [true], 'the short way too');
  t.same(stale('SELECT count(*) FROM kv'), [true]);
  t.same(stale('BEGIN READ ONLY'), [undefined]);
  t.same(stale(select), [true], 'a block that only reads');
  t.same(stale('COMMIT'), [undefined]);
  for (const text of ['UPDATE kv SET v = 0', 'BEGIN', 'SELECT 1; SELECT 2']) {
    t.same(stale(text), ['no_quorum'], text);
  }
  session.run('RESET shardforge.stale_reads');
  t.equal(failed(session.run(select)), 'no_quorum');
  replica.refusal = undefined;
  session.run('SET shardforge.stale_reads = on');
  const update = session.execute('UPDATE kv SET v = v + 1');
  session.answerRead();
  session.answerProposal();
  t.same(tagsOf([...session.answersTo(update)]), ['UPDATE 1'], 'a write asks first');
  replica.leads = true;
  t.same(stale(select), [undefined], 'what is the newest is not said to be old');
  replica.leads = false;
  replica.readableStale = false;
  session.execute(select);
  t.equal(session.asked[0]?.kind, 'shard.read', 'without a whole state it waits');
  const wrong = session.run('SET shardforge.stale_reads = maybe');
  t.equal(failed(wrong), 'invalid_parameter_value');
});

t.test('numbers of sequences on a follower: 1, 2, 3, each taken is used', async (t) => {
  const session = await follower(
    'CREATE TABLE s (id serial PRIMARY KEY, v text NOT NULL)',
    "INSERT INTO s (v) VALUES ('leader')",
  );
  const { replica } = session;
  replica.term = 3 as never;
  let key: Uint8Array = new Uint8Array();
  const insert = (text: string): readonly string[] => {
    const request = session.execute(text);
    const seen: string[] = [];
    for (let next = session.asked[0]; next !== undefined; next = session.asked[0]) {
      t.equal(session.answersTo(request).length, 0, 'nothing leaves before it is committed');
      if (next.kind === 'shard.read') session.answerRead();
      else if (next.kind === 'shard.takeNumbers') {
        ({ key } = session.answerNumbers());
        seen.push(`take ${next.count}`);
      } else seen.push(`propose ${session.answerProposal().numbersTerm}`);
    }
    const answers = session.answersTo(request);
    const rows = answers.flatMap((answer) => (answer.kind === 'sql.rows' ? answer.rows : []));
    return [...seen, ...rows.map(String), failed(answers) ?? tagsOf([...answers])[0] ?? ''];
  };
  const one = "INSERT INTO s (v) VALUES ('a') RETURNING id";
  t.same(insert(one), ['take 1', 'propose 3', '2', 'INSERT 0 1']);
  t.same(insert(one), ['take 1', 'propose 3', '3', 'INSERT 0 1']);
  const many = "INSERT INTO s (v) SELECT 'm' FROM s RETURNING id";
  t.same(insert(many), ['take 3', 'propose 3', '4', '5', '6', 'INSERT 0 3']);
  const mixed = "INSERT INTO s VALUES (10000, 'x'), (DEFAULT, 'y'), (DEFAULT, 'z') RETURNING id";
  t.same(insert(mixed), ['take 2', 'propose 3', '10000', '7', '8', 'INSERT 0 3']);

  // A row that somebody put where the sequence comes next: the error is the real numbers'.
  t.same(insert("INSERT INTO s VALUES (9, 'in the way')"), ['propose undefined', 'INSERT 0 1']);
  t.same(insert(one), ['take 1', 'unique_violation'], 'as in PostgreSQL the number is lost');
  t.same(insert(one), ['take 1', 'propose 3', '10', 'INSERT 0 1']);
  t.same(insert('INSERT INTO s (v) VALUES (NULL)'), ['take 1', 'not_null_violation']);
  t.same(insert(one), ['take 1', 'propose 3', '12', 'INSERT 0 1']);
  // The leader has given numbers that this replica has not heard of: the guess is in the way of
  // what the transaction itself has written, and only the guess.
  session.run('BEGIN');
  t.same(insert(one), ['take 1', '13', 'INSERT 0 1']);
  t.same(insert("INSERT INTO s VALUES (14, 'own')"), ['INSERT 0 1']);
  replica.take(key, 1n, 1n, 1);
  t.same(insert(one), ['take 1', '15', 'INSERT 0 1'], 'an error of the guess does not count');
  const last = session.execute('COMMIT');
  t.equal(session.answerProposal().numbersTerm, 3);
  t.same(tagsOf([...session.answersTo(last)]), ['COMMIT']);
  const many2 = Array.from({ length: 1_500 }, () => "('b')").join(',');
  const bulk = insert(`INSERT INTO s (v) VALUES ${many2} RETURNING id`);
  t.same(bulk.slice(0, 3), ['take 1500', 'propose 3', '16']);
  t.equal(bulk.at(-2), '1515');
  t.equal(replica.openSnapshots, 0);
});

t.test('numbers of a term that has ended are refused and taken anew', async (t) => {
  const session = await follower('CREATE TABLE s (id serial PRIMARY KEY, v int)');
  const { replica } = session;
  const request = session.execute('INSERT INTO s (v) VALUES (1) RETURNING id');
  session.answerRead();
  session.answerNumbers();
  replica.term = 4 as never;
  session.answerProposal();
  t.same(session.answersTo(request), [], 'the statement goes on');
  session.answerNumbers();
  t.equal(session.answerProposal().numbersTerm, 4);
  t.same(tagsOf([...session.answersTo(request)]), ['INSERT 0 1']);

  session.run('BEGIN');
  session.run('INSERT INTO s (v) VALUES (2)');
  replica.term = 5 as never;
  session.run('INSERT INTO s (v) VALUES (3)');
  t.equal(failed(session.run('COMMIT')), 'serialization_failure', 'the oldest term counts');

  // It begins to lead, and stops, in the middle of a statement.
  const rows = Array.from({ length: 5_000 }, (_, i) => `(${i})`).join(',');
  replica.givesNumbers = true;
  replica.leads = true;
  let turns = 0;
  session.beforeTurn = () => {
    turns += 1;
    replica.givesNumbers = false;
  };
  const long = session.execute(`INSERT INTO s (v) VALUES ${rows}`);
  session.beforeTurn = () => undefined;
  while (session.asked.length > 0) {
    if (session.asked[0]?.kind === 'shard.takeNumbers') session.answerNumbers();
    else session.answerProposal();
  }
  t.same(tagsOf([...session.answersTo(long)]), ['INSERT 0 5000']);
  t.ok(turns > 0, `after ${turns} turns`);
  const refused = await follower('CREATE TABLE s (id serial PRIMARY KEY, v int)');
  const alone = refused.execute('INSERT INTO s (v) VALUES (1)');
  refused.answerRead();
  refused.refuse('no_quorum');
  t.equal(failed(refused.answersTo(alone)), 'no_quorum');
  const cancelled = refused.execute('INSERT INTO s (v) VALUES (1)');
  refused.answerRead();
  refused.send({ kind: 'sql.cancel', request: cancelled });
  t.equal(failed(refused.answersTo(cancelled)), 'query_canceled', 'also as it waits for numbers');
  t.equal(refused.replica.openSnapshots, 0);
});

t.test('tables are made on followers, with ids of the leader', async (t) => {
  const session = await follower('CREATE TABLE a (x serial)');
  const create = session.execute('CREATE TABLE b (x serial, y int)');
  session.answerRead();
  t.equal(session.answerNumbers().count, 6, 'objects and storages of table, row numbers, sequence');
  t.equal(session.answerProposal().numbersTerm, 3);
  t.same(tagsOf([...session.answersTo(create)]), ['CREATE TABLE']);
  session.run('INSERT INTO b (y) VALUES (7), (8)');
  t.same(session.rows('SELECT x, y FROM b'), [
    [1, 7],
    [2, 8],
  ]);
  t.same(session.rows('SELECT count(*) FROM a'), [[0n]], 'and no id was given twice');
  t.equal(failed(session.run('CREATE TABLE b (x int)')), 'duplicate_table');
  t.same(tagsOf([...session.run('DROP TABLE a, b')]), ['DROP TABLE']);
});

t.test('a snapshot that became too old is opened anew while nothing has left', async (t) => {
  const session = await follower(...kv);
  const { replica } = session;
  for (let from = 2; from < 4_000; from += 1_000) {
    const rows = Array.from({ length: 1_000 }, (_, i) => `(${from + i}, 0)`).join(',');
    session.run(`INSERT INTO kv VALUES ${rows}`);
  }
  let times = 2;
  /** All snapshots that are open become too old. */
  const age = (): void => {
    if (times === 0) return;
    times -= 1;
    replica.committed += 1;
    replica.applied = replica.committed;
    replica.horizon = replica.committed;
  };
  session.beforeTurn = age;
  const count = session.execute('SELECT count(*) FROM kv a JOIN kv b ON a.k = b.k');
  session.answerRead();
  t.same(rowsOf(session.answersTo(count)), [[4_001n]], 'read to the end by the third execution');
  t.same(session.probes, ['session.retry.snapshotTooOld', 'session.retry.snapshotTooOld']);
  t.same(session.asked, [], 'its snapshots are newer than the first leave to read');
  times = Number.POSITIVE_INFINITY;
  const never = session.execute('SELECT count(*) FROM kv a JOIN kv b ON a.k = b.k');
  session.answerRead();
  t.equal(failed(session.answersTo(never)), 'snapshot_too_old', 'but not for ever');
  times = 0;
  session.run('BEGIN');
  replica.committed += 1;
  replica.applied = replica.committed;
  replica.horizon = replica.committed;
  t.equal(failed(session.run('SELECT * FROM kv')), 'snapshot_too_old', 'a block has one snapshot');
  session.run('ROLLBACK');
  t.equal(replica.openSnapshots, 0);
});

t.test('functions of schema shardforge go to administration', async (t) => {
  const replica = new ScriptedReplica();
  replica.leads = false;
  replica.refusal = { reason: 'not_in_cluster', text: 'it waits' };
  const session = await ScriptedSession.start(replica, { admin: refTo('cluster') });
  const call = (text: string, parameters: readonly (string | number | null)[] = []) => {
    const request = session.execute(text, parameters);
    const [asked] = session.asked.splice(0);
    return { request, asked };
  };
  const status = call('SELECT shardforge.cluster_status()');
  t.match(status.asked, { kind: 'sql.admin', name: 'cluster_status', arguments: [] });
  const answer = { nodes: [{ id: 1 }], leader: null };
  const number = (asked: unknown): number => (asked as { call: number }).call;
  session.send({ kind: 'sql.adminAnswer', call: number(status.asked), value: answer });
  const [result] = session.answersTo(status.request);
  t.match(result, { columns: [{ name: 'cluster_status', type: 'jsonb' }], last: true });
  t.match(result, { completion: { tag: 'SELECT 1', status: 'idle' } });
  const given = call(
    `SELECT shardforge.f(1, -2.5, 'text', NULL, true, '{"a": [1]}'::jsonb, 1 + 1)`,
  );
  const values = [1, -2.5, 'text', null, true, { a: [1] }, 2];
  t.match(given.asked, { name: 'f', arguments: values });
  session.send({
    kind: 'sql.adminAnswer',
    call: number(given.asked),
    error: { kind: 'cluster_change_refused', message: 'no', details: {} },
  });
  t.equal(failed(session.answersTo(given.request)), 'cluster_change_refused');
  const parameters = [2, 'two', '[3]', null];
  const sent = call('SELECT shardforge.g($1, $2, $3::jsonb, $4) AS named', parameters);
  t.match(sent.asked, { arguments: [2, 'two', [3], null] });
  session.send({ kind: 'sql.cancel', request: sent.request });
  t.equal(failed(session.answersTo(sent.request)), 'query_canceled');
  const next = call('SELECT shardforge.h()');
  session.send({ kind: 'sql.adminAnswer', call: number(sent.asked), value: 'late' });
  t.same(session.answersTo(next.request), [], 'a late answer is nobody’s');
  session.send({
    ...{ kind: 'actor.refused', to: refTo('cluster'), reason: 'absent' },
    message: next.asked as never,
  });
  t.equal(failed(session.answersTo(next.request)), 'cannot_connect_now');
  t.match(session.answersTo(session.prepare('p', 'SELECT shardforge.g($1)')), [
    { kind: 'sql.prepared', parameterTypes: [{ type: 'text' }], columns: [{ type: 'jsonb' }] },
  ]);
  for (const text of [
    'SELECT shardforge.f(), 1',
    'SELECT 1 + shardforge.f()',
    'SELECT shardforge.f() WHERE true',
    'SELECT shardforge.f(DISTINCT 1)',
  ]) {
    replica.refusal = undefined;
    replica.leads = true;
    t.equal(failed(session.run(text)), 'feature_not_supported', text);
  }
  t.equal(failed(session.run('SELECT shardforge.f(x)')), 'undefined_column');
  t.equal(failed(session.run('SELECT other.f()')), 'invalid_schema_name');
  session.run('BEGIN');
  const within = call('SELECT shardforge.f()');
  session.send({ kind: 'sql.adminAnswer', call: number(within.asked), value: 1 });
  t.match(session.answersTo(within.request), [{ completion: { status: 'open' } }]);
  session.run('SELECT 1/0');
  t.equal(failed(session.run('SELECT shardforge.f()')), 'in_failed_sql_transaction');
  session.run('ROLLBACK');
  const without = await ScriptedSession.start();
  t.equal(failed(without.run('SELECT shardforge.f()')), 'feature_not_supported');
});
