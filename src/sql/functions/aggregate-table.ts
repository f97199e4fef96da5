/** All aggregates by name. */
import { must } from '../../base/assert.js';
import type { TypeName, Value } from '../types/index.js';
import { typeNamed } from '../types/index.js';
import {
  type Accumulator,
  type AggregateDefinition,
  aggregate,
  aggregateOf,
} from './aggregate-definition.js';
import { arrayAggregates } from './aggregate-array.js';
import { orderedAggregates } from './aggregate-ordered.js';
import { statisticsAggregates } from './aggregate-statistics.js';
import { sumAggregates } from './aggregate-sum.js';

import { jsonAggregates } from './json-build.js';

const count: Accumulator<number, Value, Value> = {
  init: () => 0,
  step: (state) => state + 1,
  inverse: (state) => state - 1,
  final: (state) => BigInt(state),
  sizeOf: () => 8,
};

function extreme(name: TypeName, sign: 1 | -1): Accumulator<Value, Value, Value> {
  const type = typeNamed(name);
  const compare = must(type.compare, `${name} has no order`);
  return {
    init: () => null,
    // Of equal values the last one stays, which shows where their scales differ.
    step: (state, value) => (state === null || compare(value, state) * sign >= 0 ? value : state),
    final: (state) => state,
    sizeOf: (state) => (state === null ? 8 : type.sizeOf(state)),
    ignoresDuplicates: true,
  };
}

/** The types that PostgreSQL has min and max for. */
const ordered: readonly TypeName[] = [
  'int2',
  'int4',
  'int8',
  'oid',
  'float4',
  'float8',
  'numeric',
  'text',
  'bpchar',
  'bytea',
  'date',
  'time',
  'timetz',
  'timestamp',
  'timestamptz',
  'interval',
];

/** True, false, or null before the first value. */
function logical(decisive: boolean): Accumulator<boolean | null, boolean, Value> {
  return {
    init: () => null,
    step: (state, value) => (state === decisive || value === decisive ? decisive : !decisive),
    final: (state) => state,
    ignoresDuplicates: true,
  };
}

interface Joined {
  /** Undefined before the first value. */
  text: string | undefined;
}

const stringJoin: Accumulator<Joined, string | null, string | null> = {
  strict: false,
  init: () => ({ text: undefined }),
  step: (state, value, delimiter) => {
    if (value === null) return state;
    state.text = state.text === undefined ? value : state.text + (delimiter ?? '') + value;
    return state;
  },
  final: ({ text }) => text ?? null,
  sizeOf: ({ text }) => 48 + (text?.length ?? 0) * 2,
};

interface JoinedBytes {
  readonly parts: Uint8Array[];
  bytes: number;
}

const byteJoin: Accumulator<JoinedBytes, Uint8Array | null, Uint8Array | null> = {
  strict: false,
  init: () => ({ parts: [], bytes: 0 }),
  step: (state, value, delimiter) => {
    if (value === null) return state;
    if (state.parts.length > 0 && delimiter !== null) state.parts.push(delimiter);
    state.parts.push(value);
    state.bytes += value.length + (delimiter?.length ?? 0);
    return state;
  },
  final: ({ parts }) => (parts.length === 0 ? null : Buffer.concat(parts)),
  sizeOf: ({ parts, bytes }) => 64 + parts.length * 8 + bytes,
};

function bits<V extends number | bigint>(
  combine: (a: V, b: V) => V,
): Accumulator<V | null, V, Value> {
  return {
    init: () => null,
    step: (state, value) => (state === null ? value : combine(state, value)),
    final: (state) => state,
  };
}

function bitAggregates(type: 'int2' | 'int4'): AggregateDefinition[] {
  return [
    aggregate(
      `bit_and(${type}): ${type}`,
      bits((a: number, b: number) => a & b),
    ),
    aggregate(
      `bit_or(${type}): ${type}`,
      bits((a: number, b: number) => a | b),
    ),
    aggregate(
      `bit_xor(${type}): ${type}`,
      bits((a: number, b: number) => a ^ b),
    ),
  ];
}

export const allAggregates: readonly AggregateDefinition[] = [
  { ...aggregate('count(): int8', count), star: true },
  aggregate('count(any): int8', count),
  ...sumAggregates,
  ...statisticsAggregates,
  ...orderedAggregates,
  ...arrayAggregates,
  ...jsonAggregates,
  ...ordered.map((type) =>
    aggregateOf(`max(${type}): ${type}`, ([given = type]) => extreme(given, 1)),
  ),
  ...ordered.map((type) =>
    aggregateOf(`min(${type}): ${type}`, ([given = type]) => extreme(given, -1)),
  ),
  ...(['anyarray', 'anyenum'] as const).flatMap((family) => [
    aggregateOf(`max(${family}): ${family}`, ([type = 'text']) => extreme(type, 1)),
    aggregateOf(`min(${family}): ${family}`, ([type = 'text']) => extreme(type, -1)),
  ]),
  aggregate('bool_and(bool): bool', logical(false)),
  aggregate('every(bool): bool', logical(false)),
  aggregate('bool_or(bool): bool', logical(true)),
  ...bitAggregates('int2'),
  ...bitAggregates('int4'),
  aggregate(
    'bit_and(int8): int8',
    bits((a: bigint, b: bigint) => a & b),
  ),
  aggregate(
    'bit_or(int8): int8',
    bits((a: bigint, b: bigint) => a | b),
  ),
  aggregate(
    'bit_xor(int8): int8',
    bits((a: bigint, b: bigint) => a ^ b),
  ),
  aggregate('string_agg(text, text): text', stringJoin),
  aggregate('string_agg(bytea, bytea): bytea', byteJoin),
  aggregate('any_value(anyelement): anyelement', {
    init: () => null,
    step: (state: Value, value: Value) => state ?? value,
    final: (state) => state,
  }),
];

const aggregates = new Map<string, AggregateDefinition[]>();
for (const definition of allAggregates) {
  const list = aggregates.get(definition.name);
  if (list === undefined) aggregates.set(definition.name, [definition]);
  else list.push(definition);
}

export function aggregatesNamed(name: string): readonly AggregateDefinition[] {
  return aggregates.get(name) ?? [];
}
