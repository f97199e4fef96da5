/** A log that begins anew after a snapshot, and one that has lost entries and gets them back. */
import t from 'tap';
import type { LogIndex, NodeId, Term } from '#src/base/ids.js';
import { type Engine, type Generation, MemoryEngine, RaftLog } from '#src/storage/index.js';
import { groupKey, logKey, printKey } from '#src/storage/keys.js';
import { damageNote } from '#src/storage/log-damage.js';
import { entry, group, hardState, payloadText } from './log-model.js';
import { durable, everything } from './place.js';

const commit = async (
  engine: Engine,
  log: RaftLog,
  { number, puts }: Generation,
): Promise<void> => {
  await durable(engine, engine.commit(puts));
  log.markDurable(number);
};
const shown = (log: RaftLog): string[] =>
  log.lastIndex < log.firstIndex
    ? []
    : log.read(log.firstIndex, log.lastIndex, 2 ** 30).map(payloadText);
const configuration = { ...hardState(1).configuration, learners: [4 as NodeId] };
const snapshot = (index: number, term: number) => ({
  index: index as LogIndex,
  term: term as Term,
  configuration,
});

async function threeRecords(): Promise<MemoryEngine> {
  const engine = new MemoryEngine();
  const log = new RaftLog(engine, group);
  await commit(engine, log, log.append([], hardState(2)));
  for (const indexes of [[1, 2], [3, 4], [5]]) {
    await commit(engine, log, log.append(indexes.map((index) => entry(index, 2))));
  }
  return engine;
}

t.test('a snapshot takes the place of the log, or of its beginning', async (t) => {
  for (const reopened of [false, true]) {
    const engine = await threeRecords();
    let log = new RaftLog(engine, group);
    await commit(engine, log, log.install(snapshot(3, 2)));
    if (reopened) log = new RaftLog(engine, group);
    t.same([log.firstIndex, log.lastIndex], [4, 5], 'what comes after that very entry stays');
    t.same(shown(log), ['entry 4 of 2', 'entry 5 of 2']);
    t.same(log.configuration, configuration);
    const vote = { term: 5 as Term, vote: 2 as NodeId };
    await commit(engine, log, log.install({ ...snapshot(4, 3), ballot: vote }));
    if (reopened) log = new RaftLog(engine, group);
    t.same([log.firstIndex, log.lastIndex], [5, 4], 'of another term: nothing stays');
    t.equal(log.termAt(4 as LogIndex), 3);
    t.match(log.hardState, vote);
    await commit(engine, log, log.install(snapshot(100, 4)));
    await commit(engine, log, log.append([entry(101, 5)]));
    t.throws(() => log.install(snapshot(50, 2)), /never takes the log back/);
    const again = new RaftLog(engine, group);
    t.same(shown(again), ['entry 101 of 5']);
    t.same(engine.keys(everything).map(printKey), ['log/5/101', 'hardState/5']);
  }
});

t.test(
  'a log that has lost entries shows those before, and takes others in their place',
  async (t) => {
    const damages: Record<string, (engine: MemoryEngine) => void> = {
      'a value rots': (engine) => engine.damage(logKey(group, 4 as LogIndex)),
      'a record is gone': (engine) => {
        engine.commit([{ key: logKey(group, 4 as LogIndex), value: undefined }]);
      },
    };
    for (const [name, damage] of Object.entries(damages)) {
      const engine = await threeRecords();
      damage(engine);
      await null;
      t.throws(() => new RaftLog(engine, group), { kind: 'data_corrupted', message: /log/ }, name);
      let log = new RaftLog(engine, group, { tolerant: true });
      t.match(log.damage, /log\/5\/(4|5) /, 'says which record');
      t.same(shown(log), ['entry 1 of 2', 'entry 2 of 2']);
      await commit(engine, log, log.append([entry(3, 3)], hardState(3)));
      log = new RaftLog(engine, group, { tolerant: true });
      t.ok(log.damage !== undefined, 'not forgotten by a restart: it has not got all back');
      t.same(shown(log), ['entry 1 of 2', 'entry 2 of 2', 'entry 3 of 3']);
      await commit(engine, log, log.append([entry(4, 3), entry(5, 3)]));
      await commit(engine, log, log.recovered());
      t.equal(log.damage, undefined);
      const sound = new RaftLog(engine, group);
      t.same(shown(sound).slice(2), ['entry 3 of 3', 'entry 4 of 3', 'entry 5 of 3']);
    }
  },
);

t.test('of a log in doubt nothing is shown; a snapshot alone does not end the doubt', async (t) => {
  const engine = await threeRecords();
  await durable(engine, engine.commit([damageNote(group, 'entries', 'frames 3 to 4 are gone')]));
  t.throws(() => new RaftLog(engine, group), { message: /lost data: frames 3 to 4 are gone/ });
  let log = new RaftLog(engine, group, { tolerant: true });
  t.same([log.damage, log.lastIndex], ['frames 3 to 4 are gone', 0]);
  await commit(engine, log, log.install(snapshot(4, 3)));
  log = new RaftLog(engine, group, { tolerant: true });
  t.same([log.firstIndex, log.lastIndex], [5, 4]);
  t.ok(log.damage !== undefined, 'entries behind the snapshot may have been acknowledged');
  await commit(engine, log, log.append([entry(5, 3)]));
  await commit(engine, log, log.recovered());
  t.same(shown(new RaftLog(engine, group)), ['entry 5 of 3']);
  t.same(engine.keys(everything).map(printKey), ['log/5/5', 'hardState/5']);
});

t.test('a hard state that may be out of date is refused by every reader', async (t) => {
  const engine = await threeRecords();
  await durable(engine, engine.commit([damageNote(group, 'hardState', 'frames are gone')]));
  const lost = { kind: 'data_corrupted', message: /frames are gone/ };
  t.throws(() => new RaftLog(engine, group, { tolerant: true }), lost);
  const rotten = await threeRecords();
  rotten.damage(groupKey('hardState', group));
  const unreadable = { kind: 'data_corrupted', message: /hardState\/5 fails/ };
  t.throws(() => new RaftLog(rotten, group, { tolerant: true }), unreadable);
});
