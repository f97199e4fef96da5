/** Damage in the log file: found, told to the groups that it may concern, and never taken for a crash. */
import t from 'tap';
import { Random } from '#src/base/random.js';
import { parseKey } from '#src/storage/keys.js';
import type { LogFile } from '#src/storage/log-file.js';
import { damageNote, decodeDamage } from '#src/storage/log-damage.js';
import { groupKey } from '#src/storage/keys.js';
import type { ShardId } from '#src/base/ids.js';
import {
  copyWith,
  durably,
  listLog,
  openLog,
  put,
  readFiles,
  record,
  state,
  tinyBytes,
  tinyLog,
} from './log-place.js';
import { everything } from './place.js';

const damageOf = (log: LogFile, group: number): ReturnType<typeof decodeDamage> | undefined => {
  const value = log.get(groupKey('damage', group as ShardId));
  return value && decodeDamage(value);
};

/** What a reader is told of each key: its value, `damaged`, or nothing. */
function told(log: LogFile): Map<string, string> {
  const seen = new Map<string, string>();
  for (const key of log.keys(everything)) {
    const parsed = parseKey(key);
    const name = Buffer.from(key).toString('hex');
    if (parsed.space === 'damage') continue;
    try {
      seen.set(name, Buffer.from(log.get(key) ?? []).toString());
    } catch (error) {
      if ((error as { kind?: string }).kind !== 'data_corrupted') throw error;
      seen.set(name, 'damaged');
    }
  }
  return seen;
}

t.test('no flipped bit goes unnoticed', async (t) => {
  const { path, log } = await tinyLog(t);
  await durably(log, [put(state(1), 'term 1'), put(record(1, 1), 'one')]);
  await durably(log, [put(record(1, 2), 'two'), put(record(2, 1), 'of another group')]);
  await durably(log, [put(record(1, 1), undefined), put(record(1, 3), 'three')]);
  await durably(log, [put(state(1), 'term 2'), put(state(2), 'term 2')]);
  await durably(log, [put(record(1, 4), 'four'), put(record(2, 2), 'more of it')]);
  const expected = told(log);
  const crashed = readFiles(path);
  await log.close();
  const closed = readFiles(path);
  const segment = 'segment-0';
  const random = new Random(3);
  let flips = 0;
  const outcomes = { value: 0, frames: 0, nothing: 0, tail: 0 };
  for (const files of [closed, crashed]) {
    const whole = files.get(segment) ?? Buffer.alloc(0);
    let end = whole.length;
    while (whole[end - 1] === 0) end -= 1;
    for (let at = 0; at < end; at += random.between(2, 9)) {
      const content = Buffer.from(whole);
      content[at] = (content[at] ?? 0) ^ (1 << random.below(8));
      const copy = copyWith(t, path, new Map([...files, [segment, content]]));
      flips += 1;
      const opened = await openLog(copy);
      const seen = told(opened);
      const noted = [1, 2].map((group) => damageOf(opened, group));
      const differs = [...expected].filter(([name, value]) => seen.get(name) !== value);
      const onlyDamaged = differs.every(([name]) => seen.get(name) === 'damaged');
      if (noted.every((note) => note !== undefined)) outcomes.frames += 1;
      else if (differs.length === 1 && onlyDamaged) outcomes.value += 1;
      else if (differs.length === 0 && seen.size === expected.size) outcomes.nothing += 1;
      // After a crash the last frame may as well be a write cut short.
      else if (files === crashed && differs.length === 2) outcomes.tail += 1;
      else t.fail(`a flip at ${at} goes unnoticed: ${JSON.stringify([...seen])}`);
      await opened.close();
    }
  }
  t.comment(JSON.stringify(outcomes));
  t.ok(outcomes.value > 10 && outcomes.frames > 40, 'both kinds were met');
  t.ok(outcomes.nothing < flips / 6, 'only where nothing lies, or nothing that lives');
});

t.test('lost frames are told to every group, with what else is in doubt', async (t) => {
  const { path, log } = await tinyLog(t);
  await durably(log, [put(state(1), 'voted'), put(state(2), 'voted'), put(record(2, 1), 'early')]);
  const before = readFiles(path).get('segment-0') ?? Buffer.alloc(0);
  await durably(log, [put(state(1), 'voted again'), put(record(1, 1), 'lost')]);
  const after = readFiles(path).get('segment-0') ?? Buffer.alloc(0);
  await durably(log, [put(state(2), 'voted again'), put(record(1, 2), 'late')]);
  const content = readFiles(path).get('segment-0') ?? Buffer.alloc(0);
  await log.close();
  const from = before.findIndex((byte, at) => byte !== after[at]);
  content.fill(0, from, from + 40);
  const copy = copyWith(t, path, new Map([['segment-0', content]]));
  let opened = await openLog(copy);
  t.match(damageOf(opened, 1), { what: 'hardState', text: /frames 3 to 3 of the log are damaged/ });
  t.match(damageOf(opened, 2), { what: 'entries' }, 'its hard state was written again since');
  await opened.close();
  opened = await openLog(copy);
  t.match(damageOf(opened, 1), { what: 'hardState' }, 'known for good, though the bytes are gone');
  const note = groupKey('damage', 1 as ShardId);
  await durably(opened, [...opened.keys(everything).map((key) => put(key, undefined))]);
  for (let n = 1; n < 100; n += 1) {
    await durably(opened, [
      put(record(1, n), 'x'.repeat(500)),
      put(record(1, n - 1 || 1000), undefined),
    ]);
  }
  t.equal(opened.get(note), undefined, 'until the group begins anew');
  await opened.close();
  opened = await openLog(copy);
  t.strictSame(listLog(opened), [`log/1/99=${'x'.repeat(500)}`]);
  await opened.close();
});

t.test('a damaged value is not moved on as if it were sound', async (t) => {
  const { path, log } = await tinyLog(t);
  await durably(log, [put(record(1, 1), 'precious'), put(record(2, 1), 'sound')]);
  await log.close();
  const content = readFiles(path).get('segment-0') ?? Buffer.alloc(0);
  content[content.indexOf('precious')] = 0x50;
  const copy = copyWith(t, path, new Map([['segment-0', content]]));
  const opened = await openLog(copy);
  t.throws(() => opened.get(record(1, 1)), { kind: 'data_corrupted', message: /log\/1\/1 fails/ });
  t.throws(() => listLog(opened), { kind: 'data_corrupted', message: /fails/ });
  for (let n = 1; n < 100; n += 1) {
    await durably(opened, [
      put(record(3, n), 'x'.repeat(500)),
      put(record(3, n - 1 || 1000), undefined),
    ]);
  }
  t.match(damageOf(opened, 1), { what: 'entries', text: /log\/1\/1 fails its checksum/ });
  t.equal(opened.get(record(1, 1)), undefined);
  t.equal(Buffer.from(opened.get(record(2, 1)) ?? []).toString(), 'sound', 'the others moved');
  await opened.close();
});

t.test('a doubt in the hard state outlives damage found later', async (t) => {
  const { path, log } = await tinyLog(t);
  const doubt = damageNote(1 as ShardId, 'hardState', 'frames are gone');
  await durably(log, [put(record(1, 1), 'precious'), doubt]);
  await log.close();
  const content = readFiles(path).get('segment-0') ?? Buffer.alloc(0);
  content[content.indexOf('precious')] = 0x50;
  const opened = await openLog(copyWith(t, path, new Map([['segment-0', content]])));
  for (let n = 1; n < 100; n += 1) {
    const removed = put(record(3, n - 1 || 1000), undefined);
    await durably(opened, [put(record(3, n), 'x'.repeat(500)), removed]);
  }
  t.match(damageOf(opened, 1), { what: 'hardState', text: /log\/1\/1 fails its checksum/ });
  await opened.close();
});

t.test('a log without its frames is refused, not taken for a new one', async (t) => {
  const { path, log } = await tinyLog(t);
  await durably(log, [put(record(1, 1), 'there')]);
  await log.close();
  const refused = async (name: string, content: Buffer): Promise<unknown> => {
    try {
      await openLog(copyWith(t, path, new Map([[name, content]])));
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const format = (fields: object): Buffer =>
    Buffer.from(JSON.stringify({ format: 1, salt: '0'.repeat(32), ...fields }));
  const damaged = 'directory_damaged';
  t.match(await refused('segment-0', Buffer.alloc(tinyBytes)), {
    kind: damaged,
    message: /no frame/,
  });
  t.match(await refused('format.json', format({})), { kind: damaged }, 'frames of another log');
  t.match(await refused('format.json', format({ format: 2 })), {
    kind: damaged,
    message: /format/,
  });
});
