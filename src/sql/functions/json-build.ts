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

function buildObject(types: readonly TypeName[]) {
  checkPairs('json_build_object', types.length);
  const writers = types.map((type, i) => (i % 2 === 0 ? keyWriter(type) : jsonWriter(type)));
  return (context: FunctionContext, ...values: Value[]) => {
    const members: string[] = [];
    for (let i = 0; i < values.length; i += 2) {
      const key = writers[i]?.(context, values[i] ?? null) ?? '';
      const value = writers[i + 1]?.(context, values[i + 1] ?? null) ?? '';
      members.push(`${JSON.stringify(key)} : ${value}`);
    }
    return `{${members.join(', ')}}`;
  };
}

function buildJsonbObject(types: readonly TypeName[]) {
  checkPairs('jsonb_build_object', types.length);
  const keys = types.map(keyWriter);
  const nodes = types.map(nodeWriter);
  return (context: FunctionContext, ...values: Value[]) => {
    const members: [string, JsonNode][] = [];
    for (let i = 0; i < values.length; i += 2) {
      const key = keys[i]?.(context, values[i] ?? null) ?? '';
      members.push([key, nodes[i + 1]?.(context, values[i + 1] ?? null) ?? null]);
    }
    return new Jsonb(jsonObject(members));
  };
}

function buildArray(types: readonly TypeName[]) {
  const writers = types.map(jsonWriter);
  return (context: FunctionContext, ...values: Value[]) =>
    `[${values.map((value, i) => writers[i]?.(context, value)).join(', ')}]`;
}

function buildJsonbArray(types: readonly TypeName[]) {
  const nodes = types.map(nodeWriter);
  return (context: FunctionContext, ...values: Value[]) =>
    new Jsonb(values.map((value, i) => nodes[i]?.(context, value) ?? null));
}

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
  bytes: number;
}

interface Nodes {
  readonly nodes: JsonNode[];
  bytes: number;
}

/** json_agg() and json_object_agg(): texts joined at the end. */
function jsonTexts(
  write: (context: FunctionContext, first: Value, second: Value) => string,
  open: string,
  close: string,
  separator = ', ',
): Accumulator<Parts> {
  return {
    strict: false,
    init: () => ({ parts: [], bytes: 0 }),
    step: (state, firstValue, second, context) => {
      const part = write(context, firstValue, second);
      state.parts.push(part);
      state.bytes += 24 + part.length * 2;
      return state;
    },
    final: ({ parts }) => (parts.length === 0 ? null : open + parts.join(separator) + close),
    sizeOf: ({ bytes }) => 64 + bytes,
  };
}

function jsonAgg([type = 'text']: readonly TypeName[]): Accumulator<Parts> {
  return jsonTexts(jsonWriter(type), '[', ']', isStructure(type) ? ', \n ' : ', ');
}

function jsonObjectAgg([key = 'text', type = 'text']: readonly TypeName[]): Accumulator<Parts> {
  const toKey = keyWriter(key);
  const toValue = jsonWriter(type);
  return jsonTexts(
    (context, name, value) =>
      `${JSON.stringify(toKey(context, name))} : ${toValue(context, value)}`,
    '{ ',
    ' }',
  );
}

function jsonbAgg([type = 'text']: readonly TypeName[]): Accumulator<Nodes> {
  const toNode = nodeWriter(type);
  const { sizeOf } = typeNamed(type);
  return {
    strict: false,
    init: () => ({ nodes: [], bytes: 0 }),
    step: (state, value, _, context) => {
      state.nodes.push(toNode(context, value));
      state.bytes += 8 + (value === null ? 0 : sizeOf(value));
      return state;
    },
    final: ({ nodes }) => (nodes.length === 0 ? null : new Jsonb(nodes)),
    sizeOf: ({ bytes }) => 64 + bytes,
  };
}

interface Members {
  readonly members: Map<string, JsonNode>;
  bytes: number;
}

function jsonbObjectAgg([key = 'text', type = 'text']: readonly TypeName[]): Accumulator<Members> {
  const toKey = keyWriter(key);
  const toNode = nodeWriter(type);
  const { sizeOf } = typeNamed(type);
  return {
    strict: false,
    init: () => ({ members: new Map(), bytes: 0 }),
    step: (state, name, value, context) => {
      const text = toKey(context, name);
      state.members.set(text, toNode(context, value));
      state.bytes += 64 + text.length * 2 + (value === null ? 0 : sizeOf(value));
      return state;
    },
    final: ({ members }) => (members.size === 0 ? null : new Jsonb(jsonObject(members))),
    sizeOf: ({ bytes }) => 64 + bytes,
  };
}

export const jsonAggregates: readonly AggregateDefinition[] = [
  aggregateOf('json_agg(anyelement): json', jsonAgg),
  aggregateOf('jsonb_agg(anyelement): jsonb', jsonbAgg),
  aggregateOf('json_object_agg(any, any): json', jsonObjectAgg),
  aggregateOf('jsonb_object_agg(any, any): jsonb', jsonbObjectAgg),
];
