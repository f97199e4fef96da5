/** The table of advisory locks under random operations: who holds what, who waits, and that it survives being stored. */
import t from 'tap';
import { ByteReader, ByteWriter } from '#src/base/bytes.js';
import type { NodeId } from '#src/base/ids.js';
import { Random } from '#src/base/random.js';
import {
  AdvisoryLocks,
  type AdvisoryMode,
  type AdvisoryOperation,
  type AdvisoryRow,
  type LifeId,
} from '#src/txn/index.js';

function drawOperation(random: Random, request: number): AdvisoryOperation {
  const life = random.between(1, 3) as LifeId;
  const owner = { life, session: random.between(1, 3) };
  const name = { database: 5, classId: 0, objectId: random.between(1, 3), isPair: false };
  const mode: AdvisoryMode = random.chance(0.5) ? 'shared' : 'exclusive';
  const waits = random.chance(0.8);
  const pid = life * 10 + owner.session;
  if (random.chance(0.05)) return { op: 'begin', life, node: random.between(1, 2) as NodeId };
  if (random.chance(0.03)) return { op: 'end', life };
  if (random.chance(0.05)) return { op: 'leave', owner };
  if (random.chance(0.4)) return { op: 'release', owner, request, name, mode };
  return { op: 'acquire', owner, request, name, mode, pid, waits };
}

const same = (a: AdvisoryRow, b: AdvisoryRow): boolean => a.pid === b.pid;
const apart = (a: AdvisoryRow, b: AdvisoryRow): boolean =>
  !same(a, b) && (a.mode === 'exclusive' || b.mode === 'exclusive');

/** Whoever waits has somebody against him, and following whom they wait for never comes back. */
function checkTable(rows: readonly AdvisoryRow[]): string | undefined {
  const against = new Map<number, number[]>();
  for (const [at, row] of rows.entries()) {
    const others = rows.filter((one) => one.name.objectId === row.name.objectId);
    const holders = others.filter((one) => one.granted && apart(one, row));
    if (row.granted && holders.length > 0) return `two hold ${row.name.objectId}`;
    if (row.granted) continue;
    const before = rows.slice(0, at).filter((one) => others.includes(one) && !one.granted);
    const blockers = [...holders, ...before.filter((one) => apart(one, row))];
    if (blockers.length === 0) return `${row.pid} waits for nobody`;
    if (against.has(row.pid)) return `${row.pid} waits twice`;
    against.set(
      row.pid,
      blockers.map(({ pid }) => pid),
    );
  }
  for (const start of against.keys()) {
    const seen = new Set<number>();
    const open = [...(against.get(start) ?? [])];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (at === start) return `a cycle through ${start}`;
      if (seen.has(at)) continue;
      seen.add(at);
      open.push(...(against.get(at) ?? []));
    }
  }
  return undefined;
}

t.test('any operations leave a sound table, and one that was stored goes on alike', async (t) => {
  const heard = new Set<string>();
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = new Random(seed);
    let locks = new AdvisoryLocks();
    locks.apply(
      [1, 2, 3].map((life) => ({ op: 'begin', life: life as LifeId, node: life as NodeId })),
    );
    for (let request = 1; request <= 80; request += 1) {
      const operation = drawOperation(random, request);
      const writer = new ByteWriter();
      locks.encode(writer);
      const stored = AdvisoryLocks.decode(new ByteReader(writer.finish()));
      const events = locks.apply([operation]);
      for (const { kind } of events) heard.add(kind);
      const wrong = checkTable([...locks.rows()]);
      const again = JSON.stringify(stored.apply([operation])) === JSON.stringify(events);
      if (wrong !== undefined || !again) {
        t.fail(`seed ${seed}, operation ${request}: ${wrong ?? 'the stored one does otherwise'}`);
        return;
      }
      if (random.chance(0.1)) locks = stored;
    }
  }
  const kinds = ['deadlock', 'ended', 'granted', 'lost', 'refused', 'waits'];
  t.same([...heard].sort(), kinds, 'everything happens but a full table');
});
