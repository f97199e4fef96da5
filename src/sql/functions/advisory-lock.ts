/** Advisory locks (PostgreSQL's chapter 9.27.10): questions to the session, which waits for them. */
import { must } from '../../base/assert.js';
import type { AdvisoryKey, AdvisoryMode, FunctionContext, Question } from '../types/index.js';
import { define, type Definition, type DefinitionOptions } from './definition.js';

const volatile: DefinitionOptions = { volatility: 'volatile', usesContext: true };

/** The value of type void. */
const nothing = '';

function ask(context: FunctionContext, question: Question): boolean {
  const answer = must(context.ask, 'locks are taken within a session')(question, true);
  return answer === true;
}

/** Of one bigint, or of two int4. */
function keyOf(first: bigint | number, second: number | undefined): AdvisoryKey {
  if (typeof first === 'number') {
    return { classId: first >>> 0, objectId: (second ?? 0) >>> 0, isPair: true };
  }
  const bits = BigInt.asUintN(64, first);
  return { classId: Number(bits >> 32n), objectId: Number(bits & 0xffff_ffffn), isPair: false };
}

type Call = (
  context: FunctionContext,
  first: bigint | number,
  second?: number,
) => boolean | typeof nothing;

/** The function for both forms of keys. */
function forKeys(name: string, result: 'void' | 'bool', call: Call): readonly Definition[] {
  return ['int8', 'int4, int4'].map((parameters) =>
    define(`${name}(${parameters}): ${result}`, call, volatile),
  );
}

function lock(
  name: string,
  mode: AdvisoryMode,
  level: 'session' | 'transaction',
  waits: boolean,
): readonly Definition[] {
  return forKeys(name, waits ? 'void' : 'bool', (context, first, second) => {
    const key = keyOf(first, second);
    const taken = ask(context, { kind: 'lock', key, mode, level, waits });
    return waits ? nothing : taken;
  });
}

function unlock(name: string, mode: AdvisoryMode): readonly Definition[] {
  return forKeys(name, 'bool', (context, first, second) =>
    ask(context, { kind: 'unlock', key: keyOf(first, second), mode }),
  );
}

export const advisoryLockFunctions: readonly Definition[] = [
  ...lock('pg_advisory_lock', 'exclusive', 'session', true),
  ...lock('pg_advisory_lock_shared', 'shared', 'session', true),
  ...lock('pg_advisory_xact_lock', 'exclusive', 'transaction', true),
  ...lock('pg_advisory_xact_lock_shared', 'shared', 'transaction', true),
  ...lock('pg_try_advisory_lock', 'exclusive', 'session', false),
  ...lock('pg_try_advisory_lock_shared', 'shared', 'session', false),
  ...lock('pg_try_advisory_xact_lock', 'exclusive', 'transaction', false),
  ...lock('pg_try_advisory_xact_lock_shared', 'shared', 'transaction', false),
  ...unlock('pg_advisory_unlock', 'exclusive'),
  ...unlock('pg_advisory_unlock_shared', 'shared'),
  define(
    'pg_advisory_unlock_all(): void',
    (context: FunctionContext) => {
      ask(context, { kind: 'unlockAll' });
      return nothing;
    },
    volatile,
  ),
];
