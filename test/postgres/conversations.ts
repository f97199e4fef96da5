/** Conversations of clients for the fuzzer: valid ones, and what becomes of them on a bad day. */
import type { Random } from '#src/base/random.js';
import {
  bind,
  close,
  cstring,
  describe,
  execute,
  flush,
  int16,
  int32,
  message,
  parse,
  query,
  startup,
  sync,
} from './raw.js';

const texts = [
  'SELECT 1',
  'SELECT id, name FROM fuzz WHERE id = 1',
  "INSERT INTO fuzz VALUES (7, 'seven') ON CONFLICT DO NOTHING",
  'UPDATE fuzz SET name = name WHERE id < 3',
  'SELECT g FROM generate_series(1, 20) AS g',
  'SELECT 1; SELECT 1/0; SELECT 2',
  'BEGIN',
  'COMMIT',
  'ROLLBACK',
  'SAVEPOINT s',
  'ROLLBACK TO s',
  '',
  'SELEC',
  'COPY fuzz TO STDOUT',
  'COPY fuzz FROM STDIN',
  'COPY fuzz FROM STDIN (FORMAT binary)',
  "SET application_name = 'fuzz'",
  'SHOW TimeZone',
  'PREPARE p (int) AS SELECT $1',
  'EXECUTE p (1)',
  'DEALLOCATE ALL',
  'DECLARE c CURSOR FOR SELECT 1',
  'FETCH 1 FROM c',
  'EXPLAIN SELECT 1',
  'EXPLAIN EXECUTE p (1)',
  'SELECT shardforge.node_status()',
  'EXECUTE a',
  'LISTEN fuzz',
  "NOTIFY fuzz, 'x'",
  'SELECT pg_advisory_lock(1), pg_advisory_unlock(1)',
  'CREATE TEMP TABLE IF NOT EXISTS mine (id int)',
  'SELECT relname FROM pg_class LIMIT 3',
  'DISCARD ALL',
] as const;
const prepared = [
  'SELECT $1::int4',
  'SELECT id FROM fuzz WHERE id = $1',
  'SELECT $1::text, $2::jsonb',
  'INSERT INTO fuzz VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id',
  'SELECT g FROM generate_series(1, $1::int) AS g',
  'SELECT $1::timestamptz, $2::numeric, $3::int4[]',
] as const;
const values = ['1', '2', 'x', '{}', '{1,2}', '2026-11-21', '1.5', '', null] as const;
const names = ['', '', 'a', 'b', 'p'] as const;
const oids = [0, 23, 25, 1700, 705, 99_999] as const;

export class Chance {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  below(count: number): number {
    return this.#random.below(count);
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** True once in `count` times. */
  once(count: number): boolean {
    return this.below(count) === 0;
  }
}

const some = <T>(chance: Chance, most: number, make: () => T): T[] =>
  Array.from({ length: chance.below(most + 1) }, make);

function bound(chance: Chance): Buffer {
  const parameters = some(chance, 3, () => {
    const value = chance.one(values);
    return value === null ? null : Buffer.from(value);
  });
  const [portal, statement] = [chance.one(names), chance.one(names)];
  const [binary, results] = [chance.once(4), chance.once(4)];
  return bind({ portal, statement, binary, results, parameters });
}

/** A message as a client that knows the protocol sends it. */
export function validMessage(chance: Chance): Buffer {
  switch (chance.below(14)) {
    case 0:
    case 1:
      return query(chance.one(texts));
    case 2:
    case 3: {
      const types = some(chance, 2, () => chance.one(oids));
      return parse(chance.one(names), chance.one(chance.once(3) ? texts : prepared), ...types);
    }
    case 4:
    case 5:
      return bound(chance);
    case 6:
    case 7:
      return execute(chance.one(names), chance.below(4));
    case 8:
      return describe(chance.one(['S', 'P']), chance.one(names));
    case 9:
      return close(chance.one(['S', 'P']), chance.one(names));
    case 10:
      return chance.once(3) ? flush : sync;
    case 11:
      return message('d', Buffer.from(chance.one(['1\tx\n', '8\ty\n', '\\.\n', 'PGCOPY\n', ''])));
    case 12:
      return chance.once(2) ? message('c') : message('f', cstring('no more'));
    default:
      return sync;
  }
}

/** How a connection begins: as somebody who is let in. */
export const letIn = startup(0x0003_0000, {
  ...{ user: 'admin', database: 'shardforge', statement_timeout: '2000' },
});

/** What somebody sends who is not let in, before and in place of a password. */
export function outsider(chance: Chance): Buffer[] {
  const locked = startup(chance.once(4) ? 0x0003_0002 : 0x0003_0000, {
    ...{ user: 'locked', database: 'shardforge' },
  });
  const first = Buffer.from('n,,n=locked,r=abcdefghijklmnop');
  const answers = [
    message('p', cstring('SCRAM-SHA-256'), int32(first.length), first),
    message('p', cstring('SCRAM-SHA-256'), int32(-1)),
    message('p', Buffer.from('c=biws,r=abc,p=AAAA')),
    message('p', cstring('secret')),
    query("INSERT INTO canary VALUES ('before sign-in')"),
    parse('', "INSERT INTO canary VALUES ('before sign-in')"),
    Buffer.concat([int32(8), int32(80_877_103)]),
    Buffer.concat([int32(8), int32(80_877_104)]),
    Buffer.concat([int32(16), int32(80_877_102), int32(32_769), int32(chance.below(1000))]),
  ];
  const begin = chance.once(3) ? [chance.one(answers), locked] : [locked];
  return [...begin, ...some(chance, 4, () => chance.one(answers)), bound(chance), sync];
}

const lengths = [0, 1, 3, 4, 5, 8, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x00ff_ffff] as const;
const codes = 'QPBDECHSXdcfFp!\0\xffZ1';

/** A message that is still one, with something wrong within. */
function spoilt(bytes: Buffer, chance: Chance): Buffer {
  const copy = Buffer.from(bytes);
  switch (chance.below(4)) {
    case 0:
    case 1: {
      if (copy.length <= 5) return copy;
      for (let i = 0; i <= chance.below(4); i += 1) {
        const at = 5 + chance.below(copy.length - 5);
        copy[at] = chance.once(2) ? chance.below(256) : (copy[at] ?? 0) ^ (1 << chance.below(8));
      }
      return copy;
    }
    case 2: {
      const at = Math.min(5 + chance.below(copy.length), copy.length);
      const filled = Buffer.alloc(1 + chance.below(40), 0xff);
      const more = chance.one([int16(-1), int32(-1), filled, cstring('')]);
      return withLength(Buffer.concat([copy.subarray(0, at), more, copy.subarray(at)]));
    }
    default:
      return withLength(copy.subarray(0, Math.max(5, copy.length - 1 - chance.below(6))));
  }
}

function withLength(bytes: Buffer): Buffer {
  if (bytes.length >= 5) bytes.writeUInt32BE(bytes.length - 1, 1);
  return bytes;
}

/** A message that takes those behind it along. */
function broken(bytes: Buffer, chance: Chance): Buffer {
  const copy = Buffer.from(bytes);
  switch (chance.below(4)) {
    case 0:
      return copy.subarray(0, chance.below(copy.length));
    case 1:
      if (copy.length >= 5) copy.writeUInt32BE(chance.one(lengths), 1);
      return copy;
    case 2:
      if (copy.length >= 5) {
        copy.writeUInt32BE((copy.readUInt32BE(1) + chance.below(9) - 4) >>> 0, 1);
      }
      return copy;
    default:
      copy.write(codes.charAt(chance.below(codes.length)), 0, 'latin1');
      return copy;
  }
}

/** Messages of which one in five is lost, doubled, out of order or spoilt; some conversation breaks in the end. */
export function troubled(messages: readonly Buffer[], chance: Chance): Buffer[] {
  const list = [...messages];
  for (let i = 0; i <= messages.length / 5; i += 1) {
    const at = chance.below(list.length);
    const one = list[at];
    if (one === undefined) break;
    switch (chance.below(6)) {
      case 0:
        list.splice(at, 0, one);
        break;
      case 1:
        if (list.length > 1) list.splice(at, 1);
        break;
      case 2:
        list.splice(at, 1);
        list.splice(chance.below(list.length + 1), 0, one);
        break;
      default:
        list[at] = spoilt(one, chance);
    }
  }
  const last = Math.max(0, list.length - 1 - chance.below(5));
  const one = list[last];
  if (one !== undefined && one.length > 0 && !chance.once(3)) list[last] = broken(one, chance);
  return list;
}
