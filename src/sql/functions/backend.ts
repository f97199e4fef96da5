/** Functions about sessions and time (PostgreSQL's chapters 9.9.5 and 9.27.2): questions to the session. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { FunctionContext, Interval, Question } from '../types/index.js';
import { define, type Definition, type DefinitionOptions } from './definition.js';

const volatile: DefinitionOptions = { volatility: 'volatile', usesContext: true };
const stable: DefinitionOptions = { volatility: 'stable', usesContext: true };

/** The value of type void. */
const nothing = '';
const microsPerDay = 86_400_000_000n;
const daysPerMonth = 30n;

function sleep({ ask }: FunctionContext, ms: number): string {
  if (ms > 0) must(ask, 'a session sleeps')({ kind: 'sleep', ms }, nothing);
  return nothing;
}

function sleepFor(context: FunctionContext, { months, days, micros }: Interval): string {
  const all = (BigInt(months) * daysPerMonth + BigInt(days)) * microsPerDay + BigInt(micros);
  return sleep(context, Number(all) / 1000);
}

function sleepUntil(context: FunctionContext, at: bigint): string {
  return sleep(context, Number(at - context.clockTimestamp()) / 1000);
}

function end(
  context: FunctionContext,
  what: 'cancel' | 'terminate',
  pid: number,
  waitMs: number,
): boolean {
  const { ask, notice } = context;
  const question: Question = { kind: 'signal', what, pid, waitMs };
  const outcome = must(ask, 'sessions are ended within a session')(question, 'done');
  switch (outcome) {
    case 'done':
      return true;
    case 'absent':
      notice?.('warning', '01000', `PID ${pid} is not a PostgreSQL backend process`);
      return false;
    case 'lasting': {
      const text = `backend with PID ${pid} did not terminate within ${waitMs} milliseconds`;
      notice?.('warning', '01000', text);
      return false;
    }
    default:
      notice?.('warning', '01000', `the node of PID ${pid} does not answer`);
      return false;
  }
}

function terminate(context: FunctionContext, pid: number, timeout: bigint): boolean {
  if (timeout < 0n) raise('numeric_value_out_of_range', '"timeout" must not be negative');
  return end(context, 'terminate', pid, Number(timeout));
}

export const backendFunctions: readonly Definition[] = [
  define(
    'pg_sleep(float8): void',
    (context, seconds: number) => sleep(context, seconds * 1000),
    volatile,
  ),
  define('pg_sleep_for(interval): void', sleepFor, volatile),
  define('pg_sleep_until(timestamptz): void', sleepUntil, volatile),
  define(
    'pg_cancel_backend(int4): bool',
    (context, pid: number) => end(context, 'cancel', pid, 0),
    volatile,
  ),
  define(
    'pg_terminate_backend(int4): bool',
    (context, pid: number) => terminate(context, pid, 0n),
    volatile,
  ),
  define('pg_terminate_backend(int4, int8): bool', terminate, volatile),
];

/** Those that the session knows itself. */
export const ownBackendFunctions: readonly Definition[] = [
  define('pg_backend_pid(): int4', ({ pid }: FunctionContext) => pid ?? 0, stable),
];
