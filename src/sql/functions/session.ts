/** Functions about the session, and those that no other family holds. */
import { raise } from '../../base/errors.js';
import { splitTimestamp } from '../types/calendar.js';
import { fitTime, localOf, roundMicros, today } from '../types/datetime-type.js';
import type { FunctionContext } from '../types/index.js';
import { collationOf, NamedOid, printType, typeNamed } from '../types/index.js';
import { hyphenate } from '../types/plain.js';
import { fitZonedTime, zonedTimeOf } from '../types/zoned-time.js';
import type { Definition, DefinitionOptions } from './definition.js';
import { define, specialised } from './definition.js';

const stable: DefinitionOptions = { volatility: 'stable', usesContext: true };
const volatile: DefinitionOptions = { volatility: 'volatile', usesContext: true };

/** A random uuid of version 4. */
function randomUuid({ random }: FunctionContext): string {
  const hex = [1, 2, 3, 4].map(() => random.uint32().toString(16).padStart(8, '0')).join('');
  const variant = '89ab'[random.below(4)] ?? '8';
  return hyphenate(`${hex.slice(0, 12)}4${hex.slice(13, 16)}${variant}${hex.slice(17)}`);
}

/** `COLLATION FOR (x)`: NULL for a literal that has no type. */
const collationFor = specialised(
  'pg_collation_for(any): text',
  ([type = 'unknown']) => {
    const { category, sqlName } = typeNamed(type);
    if (type === 'unknown') return () => null;
    if (category !== 'S') {
      raise('datatype_mismatch', `collations are not supported by type ${sqlName}`);
    }
    const name = `"${collationOf(type)?.name ?? 'default'}"`;
    return () => name;
  },
  { strict: false, volatility: 'stable' },
);

/** A number of a normal distribution (Box and Muller's method). */
function randomNormal({ random }: FunctionContext, mean = 0, deviation = 1): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.fraction()));
  return mean + deviation * radius * Math.sin(2 * Math.PI * random.fraction());
}

export const sessionFunctions: readonly Definition[] = [
  collationFor,
  define('version(): text', (context: FunctionContext) => context.version, stable),
  define('current_database(): name', (context: FunctionContext) => context.database, stable),
  define('current_catalog(): name', (context: FunctionContext) => context.database, stable),
  define('current_schema(): name', ({ schema }: FunctionContext) => schema ?? null, stable),
  define('current_user(): name', (context: FunctionContext) => context.user, stable),
  define('session_user(): name', sessionUser, stable),
  define('gen_random_uuid(): uuid', randomUuid, volatile),
  define('uuidv4(): uuid', randomUuid, volatile),
  define('random_normal(): float8', randomNormal, volatile),
  define('random_normal(float8): float8', randomNormal, volatile),
  define('random_normal(float8, float8): float8', randomNormal, volatile),
  define('random(): float8', ({ random }: FunctionContext) => random.fraction(), volatile),
  specialised(
    'pg_typeof(any): regtype',
    ([type]) => {
      const { name, oid } = typeNamed(type ?? 'unknown');
      const value = new NamedOid(oid, printType(name, -1));
      return () => value;
    },
    { strict: false, volatility: 'stable' },
  ),
];

function sessionUser({ sessionUser: name, user }: FunctionContext): string {
  return name ?? user;
}

const user = () =>
  define('current_user(): name', (context: FunctionContext) => context.user, stable);
const database = () =>
  define('current_catalog(): name', (context: FunctionContext) => context.database, stable);
const schema = () =>
  define('current_schema(): name', ({ schema }: FunctionContext) => schema ?? null, stable);

function currentTimestamp(precision: number): Definition {
  const implementation = ({ transactionTimestamp }: FunctionContext) =>
    roundMicros(transactionTimestamp, precision);
  return define('current_timestamp(): timestamptz', implementation, stable);
}

function localTimestamp(precision: number): Definition {
  const implementation = ({ transactionTimestamp, timeZone }: FunctionContext) =>
    roundMicros(localOf(transactionTimestamp, timeZone), precision);
  return define('localtimestamp(): timestamp', implementation, stable);
}

function localTime(precision: number): Definition {
  const implementation = ({ transactionTimestamp, timeZone }: FunctionContext) =>
    fitTime(splitTimestamp(localOf(transactionTimestamp, timeZone)).time, precision);
  return define('localtime(): time', implementation, stable);
}

function currentTime(precision: number): Definition {
  const implementation = (context: FunctionContext) =>
    fitZonedTime(zonedTimeOf(context.transactionTimestamp, context), precision);
  return define('current_time(): timetz', implementation, stable);
}

/** The words of SQL that stand for a value, by their precision (-1 without). */
export const sqlValues: ReadonlyMap<string, (precision: number) => Definition> = new Map([
  ['current_user', user],
  ['current_role', user],
  ['user', user],
  ['session_user', () => define('session_user(): name', sessionUser, stable)],
  ['current_catalog', database],
  ['current_schema', schema],
  [
    'current_date',
    () => define('current_date(): date', (context: FunctionContext) => today(context), stable),
  ],
  ['current_timestamp', currentTimestamp],
  ['localtimestamp', localTimestamp],
  ['localtime', localTime],
  ['current_time', currentTime],
]);
