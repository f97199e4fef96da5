/** Making json and jsonb from values of other types: to_json(), the builders and the aggregates. */
import { raise } from '../../base/errors.js';
import type { FunctionContext, TypeName, Value } from '../types/index.js';
import { typeNamed } from '../types/index.js';
import type { JsonNode } from '../types/jsonb.js';
import { Jsonb, jsonObject } from '../types/jsonb.js';
import { type Accumulator, type AggregateDefinition, aggregateOf } from './aggregate-definition.js';
import type { Definition } from './definition.js';
import { specialised } from './definition.js';
import { isStructure, jsonPrinter, jsonWriter, nodeWriter, type ToJson } from './json-write.js';

function checkPairs(name: string, count: number): void {
  if (count % 2 === 0) return;
  raise('invalid_parameter_value', 'argument list must have even number of elements', {
    hint: `The arguments of ${name}() must consist of alternating keys and values.`,
  });
}

function checkKey(key: Value): void {
  if (key === null) raise('null_value_not_allowed', 'null value not allowed for object key');
}

/** The text of an object's key; JSON itself cannot be one. */
function keyWriter(name: TypeName): ToJson {
  const type = typeNamed(name);
  const print =
    name === 'bool' ? (_: FunctionContext, value: Value) => String(value) : jsonPrinter(name);
  return (context, value) => {
    checkKey(value);
    if (name === 'json' || name === 'jsonb' || type.category === 'A') {
      raise('invalid_parameter_value', 'key value must be scalar, not array, composite, or json');
    }
    return print(context, value);
  };
}

/** What the constructors of SQL/JSON may ask for beyond the builders. */
export interface JsonClauses {
  /** ABSENT ON NULL: members and items that are NULL are left out. */
  readonly absent: boolean;
  /** WITH UNIQUE KEYS. */
  readonly unique: boolean;
}

const plain: JsonClauses = { absent: false, unique: false };

type Build = (context: FunctionContext, ...values: Value[]) => Value;

/** An object of keys and values in turn, as json. */
export function objectBuilder(types: readonly TypeName[], clauses: JsonClauses): Build {
  const writers = types.map((type, i) => (i % 2 === 0 ? keyWriter(type) : jsonWriter(type)));
  return (context, ...values) => {
    const members: string[] = [];
    const keys = clauses.unique ? new Set<string>() : undefined;
    for (let i = 0; i < values.length; i += 2) {
      const key = writers[i]?.(context, values[i] ?? null) ?? '';
      if (keys !== undefined) addUnique(keys, key);
      if (clauses.absent && values[i + 1] === null) continue;
      const value = writers[i + 1]?.(context, values[i + 1] ?? null) ?? '';
      members.push(`${JSON.stringify(key)} : ${value}`);
    }
    return `{${members.join(', ')}}`;
  };
}

function addUnique(keys: Set<string>, key: string): void {
  if (keys.has(key)) {
    const text = `duplicate JSON object key value: ${JSON.stringify(key)}`;
    raise('duplicate_json_object_key_value', text);
  }
  keys.add(key);
}

/** As {@link objectBuilder} for jsonb. */
export function jsonbObjectBuilder(types: readonly TypeName[], clauses: JsonClauses): Build {
  const keys = types.map(keyWriter);
  const nodes = types.map(nodeWriter);
  return (context, ...values) => {
    const members: [string, JsonNode][] = [];
    const seen = new Set<string>();
    for (let i = 0; i < values.length; i += 2) {
      const key = keys[i]?.(context, values[i] ?? null) ?? '';
      if (clauses.unique && seen.has(key)) duplicateKey();
      seen.add(key);
      if (clauses.absent && values[i + 1] === null) continue;
      members.push([key, nodes[i + 1]?.(context, values[i + 1] ?? null) ?? null]);
    }
    return new Jsonb(jsonObject(members));
  };
}

function duplicateKey(): never {
  return raise('duplicate_json_object_key_value', 'duplicate JSON object key value');
}

/** An array of the values, as json. */
export function arrayBuilder(types: readonly TypeName[], clauses: JsonClauses): Build {
  const writers = types.map(jsonWriter);
  return (context, ...values) => {
    const items = values.flatMap((value, i) =>
      clauses.absent && value === null ? [] : [writers[i]?.(context, value)],
    );
    return `[${items.join(', ')}]`;
  };
}

/** As {@link arrayBuilder} for jsonb. */
export function jsonbArrayBuilder(types: readonly TypeName[], clauses: JsonClauses): Build {
  const nodes = types.map(nodeWriter);
  return (context, ...values) =>
    new Jsonb(
      values.flatMap((value, i) =>
        clauses.absent && value === null ? [] : [nodes[i]?.(context, value) ?? null],
      ),
    );
}

function buildObject(types: readonly TypeName[]) {
  checkPairs('json_build_object', types.length);
  return objectBuilder(types, plain);
}

function buildJsonbObject(types: readonly TypeName[]) {
  checkPairs('jsonb_build_object', types.length);
  return jsonbObjectBuilder(types, plain);
}

const buildArray = (types: readonly TypeName[]): Build => arrayBuilder(types, plain);
const buildJsonbArray = (types: readonly TypeName[]): Build => jsonbArrayBuilder(types, plain);

const builder = { strict: false, volatility: 'stable', usesContext: true } as const;
const converter = { volatility: 'stable', usesContext: true } as const;

function first<T>(types: readonly TypeName[], make: (type: TypeName) => T): T {
  return make(types[0] ?? 'text');
}

export const jsonBuilders: readonly Definition[] = [
  specialised('to_json(anyelement): json', (types) => first(types, jsonWriter), converter),
  specialised(
    'to_jsonb(anyelement): jsonb',
    (types) => {
      const toNode = first(types, nodeWriter);
      return (context: FunctionContext, value: Value) => new Jsonb(toNode(context, value));
    },
    converter,
  ),
  specialised('json_build_object(): json', buildObject, builder),
  specialised('json_build_object(variadic any): json', buildObject, builder),
  specialised('jsonb_build_object(): jsonb', buildJsonbObject, builder),
  specialised('jsonb_build_object(variadic any): jsonb', buildJsonbObject, builder),
  specialised('json_build_array(): json', buildArray, builder),
  specialised('json_build_array(variadic any): json', buildArray, builder),
  specialised('jsonb_build_array(): jsonb', buildJsonbArray, builder),
  specialised('jsonb_build_array(variadic any): jsonb', buildJsonbArray, builder),
];

interface Parts {
  readonly parts: string[];
  /** Of the members so far, where they must differ. */
  readonly keys: Set<string>;
  bytes: number;
  rows: number;
}

interface Nodes {
  readonly nodes: JsonNode[];
  bytes: number;
  rows: number;
}

/** json_agg() and json_object_agg(): texts joined at the end. `write` gives undefined for what is left out. */
function jsonTexts(
  write: (
    context: FunctionContext,
    first: Value,
    second: Value,
    state: Parts,
  ) => string | undefined,
  open: string,
  close: string,
  separator = ', ',
): Accumulator<Parts> {
  return {
    strict: false,
    init: () => ({ parts: [], keys: new Set(), bytes: 0, rows: 0 }),
    step: (state, firstValue, second, context) => {
      const part = write(context, firstValue, second, state);
      state.rows += 1;
      if (part === undefined) return state;
      state.parts.push(part);
      state.bytes += 24 + part.length * 2;
      return state;
    },
    final: ({ parts, rows }) => (rows === 0 ? null : open + parts.join(separator) + close),
    sizeOf: ({ bytes }) => 64 + bytes,
  };
}

function jsonAgg(
  [type = 'text']: readonly TypeName[],
  { absent }: JsonClauses,
): Accumulator<Parts> {
  const toValue = jsonWriter(type);
  const write = (context: FunctionContext, value: Value) =>
    absent && value === null ? undefined : toValue(context, value);
  return jsonTexts(write, '[', ']', isStructure(type) ? ', \n ' : ', ');
}

function jsonObjectAgg(
  [key = 'text', type = 'text']: readonly TypeName[],
  { absent, unique }: JsonClauses,
): Accumulator<Parts> {
  const toKey = keyWriter(key);
  const toValue = jsonWriter(type);
  return jsonTexts(
    (context, name, value, state) => {
      const text = toKey(context, name);
      if (unique) {
        addUnique(state.keys, text);
        state.bytes += 64 + text.length * 2;
      }
      if (absent && value === null) return undefined;
      return `${JSON.stringify(text)} : ${toValue(context, value)}`;
    },
    '{ ',
    ' }',
  );
}

function jsonbAgg(
  [type = 'text']: readonly TypeName[],
  { absent }: JsonClauses,
): Accumulator<Nodes> {
  const toNode = nodeWriter(type);
  const { sizeOf } = typeNamed(type);
  return {
    strict: false,
    init: () => ({ nodes: [], bytes: 0, rows: 0 }),
    step: (state, value, _, context) => {
      state.rows += 1;
      if (absent && value === null) return state;
      state.nodes.push(toNode(context, value));
      state.bytes += 8 + (value === null ? 0 : sizeOf(value));
      return state;
    },
    final: ({ nodes, rows }) => (rows === 0 ? null : new Jsonb(nodes)),
    sizeOf: ({ bytes }) => 64 + bytes,
  };
}

interface Members {
  /** A key that is left out is there too, without a value. */
  readonly members: Map<string, JsonNode | undefined>;
  bytes: number;
}

function jsonbObjectAgg(
  [key = 'text', type = 'text']: readonly TypeName[],
  { absent, unique }: JsonClauses,
): Accumulator<Members> {
  const toKey = keyWriter(key);
  const toNode = nodeWriter(type);
  const { sizeOf } = typeNamed(type);
  return {
    strict: false,
    init: () => ({ members: new Map(), bytes: 0 }),
    step: (state, name, value, context) => {
      if (name === null) raise('invalid_parameter_value', 'field name must not be null');
      const text = toKey(context, name);
      if (unique && state.members.has(text)) duplicateKey();
      const isAbsent = absent && value === null;
      if (!isAbsent || unique)
        state.members.set(text, isAbsent ? undefined : toNode(context, value));
      state.bytes += 64 + text.length * 2 + (value === null ? 0 : sizeOf(value));
      return state;
    },
    final: ({ members, bytes }) => {
      if (bytes === 0) return null;
      const present = [...members].filter(
        (member): member is [string, JsonNode] => member[1] !== undefined,
      );
      return new Jsonb(jsonObject(present));
    },
    sizeOf: ({ bytes }) => 64 + bytes,
  };
}

const variants: readonly (readonly [string, JsonClauses])[] = [
  ['', plain],
  ['_strict', { absent: true, unique: false }],
  ['_unique', { absent: false, unique: true }],
  ['_unique_strict', { absent: true, unique: true }],
];

/** With the variants that PostgreSQL 16 has for JSON_ARRAYAGG and JSON_OBJECTAGG. */
export const jsonAggregates: readonly AggregateDefinition[] = [
  ...variants
    .filter(([, { unique }]) => !unique)
    .flatMap(([suffix, clauses]) => [
      aggregateOf(`json_agg${suffix}(anyelement): json`, (types) => jsonAgg(types, clauses)),
      aggregateOf(`jsonb_agg${suffix}(anyelement): jsonb`, (types) => jsonbAgg(types, clauses)),
    ]),
  ...variants.flatMap(([suffix, clauses]) => [
    aggregateOf(`json_object_agg${suffix}(any, any): json`, (types) =>
      jsonObjectAgg(types, clauses),
    ),
    aggregateOf(`jsonb_object_agg${suffix}(any, any): jsonb`, (types) =>
      jsonbObjectAgg(types, clauses),
    ),
  ]),
];
