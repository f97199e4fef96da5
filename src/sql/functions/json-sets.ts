/** Set-returning functions of json and jsonb, and objects of arrays of texts (PostgreSQL's jsonfuncs.c, json.c). */
import { raise } from '../../base/errors.js';
import type { ArrayValue, Row, TypeName, Value } from '../types/index.js';
import { textElements, typeNamed } from '../types/index.js';
import type { JsonTree } from '../types/json-text.js';
import { parseJson } from '../types/json-text.js';
import { isArray, isObject, Jsonb, jsonObject, type JsonNode } from '../types/jsonb.js';
import { type Definition, define, specialised } from './definition.js';
import { asText, sliceOf, textOfSlice } from './json-path.js';
import { jsonPopulatingSets } from './json-populate.js';
import { arrayWriter, recordWriter } from './json-write.js';
import { defineSet, type SetDefinition } from './set-definition.js';

function refuse(text: string): never {
  return raise('invalid_parameter_value', text);
}

function kindIn(tree: JsonTree): 'an object' | 'an array' | 'a scalar' {
  if (tree.kind === 'object') return 'an object';
  return tree.kind === 'array' ? 'an array' : 'a scalar';
}

function kindOfNode(node: JsonNode): 'an object' | 'an array' | 'a scalar' {
  if (isObject(node)) return 'an object';
  return isArray(node) ? 'an array' : 'a scalar';
}

function treeOf(value: Value | undefined): { readonly text: string; readonly tree: JsonTree } {
  const text = value as string;
  return { text, tree: parseJson(text, false) };
}

function* eachOfJson(
  value: Value | undefined,
  show: (text: string, tree: JsonTree) => Value,
): Generator<Row, void, undefined> {
  const { text, tree } = treeOf(value);
  if (tree.kind !== 'object') {
    refuse(
      tree.kind === 'array'
        ? 'cannot deconstruct an array as an object'
        : 'cannot deconstruct a scalar',
    );
  }
  for (const { key, value: member } of tree.members) yield [key, show(text, member)];
}

function* eachOfJsonb(
  called: string,
  value: Value | undefined,
  show: (node: JsonNode) => Value,
): Generator<Row, void, undefined> {
  const { root } = value as Jsonb;
  if (!isObject(root)) refuse(`cannot call ${called} on a non-object`);
  for (const [key, member] of root) yield [key, show(member)];
}

function itemsOfJson(called: string, value: Value | undefined, show: typeof sliceOf): Value[] {
  const { text, tree } = treeOf(value);
  if (tree.kind !== 'array') {
    refuse(`cannot call ${called} on a ${tree.kind === 'object' ? 'non-array' : 'scalar'}`);
  }
  return tree.items.map((item) => show(text, item));
}

function itemsOfJsonb(value: Value | undefined): readonly JsonNode[] {
  const { root } = value as Jsonb;
  if (!isArray(root)) refuse(`cannot extract elements from ${kindOfNode(root)}`);
  return root;
}

export const jsonSetFunctions: readonly SetDefinition[] = [
  defineSet('json_each(json): setof (key text, value json)', ([given]) =>
    eachOfJson(given, sliceOf),
  ),
  defineSet('json_each_text(json): setof (key text, value text)', ([given]) =>
    eachOfJson(given, textOfSlice),
  ),
  defineSet('jsonb_each(jsonb): setof (key text, value jsonb)', ([given]) =>
    eachOfJsonb('jsonb_each', given, (node) => new Jsonb(node)),
  ),
  defineSet('jsonb_each_text(jsonb): setof (key text, value text)', ([given]) =>
    eachOfJsonb('jsonb_each_text', given, asText),
  ),
  defineSet('json_array_elements(json): setof (value json)', ([given]) =>
    itemsOfJson('json_array_elements', given, sliceOf),
  ),
  defineSet('json_array_elements_text(json): setof (value text)', ([given]) =>
    itemsOfJson('json_array_elements_text', given, textOfSlice),
  ),
  defineSet('jsonb_array_elements(jsonb): setof (value jsonb)', ([given]) =>
    itemsOfJsonb(given).map((node) => new Jsonb(node)),
  ),
  defineSet('jsonb_array_elements_text(jsonb): setof (value text)', ([given]) =>
    itemsOfJsonb(given).map(asText),
  ),
  defineSet('json_object_keys(json): setof text', ([given]) => {
    const { tree } = treeOf(given);
    if (tree.kind !== 'object') refuse(`cannot call json_object_keys on ${kindIn(tree)}`);
    return tree.members.map(({ key }) => key);
  }),
  defineSet('jsonb_object_keys(jsonb): setof text', ([given]) => {
    const { root } = given as Jsonb;
    if (!isObject(root)) refuse(`cannot call jsonb_object_keys on ${kindOfNode(root)}`);
    return root.keys();
  }),
  ...jsonPopulatingSets,
];

type Members = readonly (readonly [string, string | null])[];

function wrongSubscripts(): never {
  return raise('array_subscript_error', 'wrong number of array subscripts');
}

function membersOfOne(array: ArrayValue): Members {
  const [rows, columns] = array.dimensions;
  if (array.dimensions.length > 2) wrongSubscripts();
  if (columns !== undefined && columns !== 2) {
    raise('array_subscript_error', 'array must have two columns');
  }
  if (columns === undefined && (rows ?? 0) % 2 !== 0) {
    raise('array_subscript_error', 'array must have even number of elements');
  }
  const elements = textElements(array);
  const members: [string, string | null][] = [];
  for (let i = 0; i < elements.length; i += 2) {
    members.push([keyOf(elements[i] ?? null), elements[i + 1] ?? null]);
  }
  return members;
}

function membersOfTwo(keys: ArrayValue, values: ArrayValue): Members {
  if (keys.dimensions.length > 1 || keys.dimensions.length !== values.dimensions.length) {
    wrongSubscripts();
  }
  if (keys.elements.length !== values.elements.length) {
    raise('array_subscript_error', 'mismatched array dimensions');
  }
  const texts = textElements(values);
  return textElements(keys).map((key, i) => [keyOf(key), texts[i] ?? null]);
}

function keyOf(key: string | null): string {
  if (key === null) raise('null_value_not_allowed', 'null value not allowed for object key');
  return key;
}

function jsonOf(members: Members): string {
  const texts = members.map(([key, value]) => `${JSON.stringify(key)} : ${JSON.stringify(value)}`);
  return `{${texts.join(', ')}}`;
}

function lineWriter(type: TypeName, pretty: boolean) {
  const separator = pretty ? ',\n ' : ',';
  const { form } = typeNamed(type);
  return form?.kind === 'array'
    ? arrayWriter(form.element, separator)
    : recordWriter(type, separator);
}

const whole = { usesContext: true, volatility: 'stable' } as const;

function linesOf(signature: string): Definition[] {
  const make = ([type = 'record']: readonly TypeName[]) => {
    const writers = [lineWriter(type, false), lineWriter(type, true)] as const;
    return (context: Parameters<(typeof writers)[0]>[0], value: Value, pretty = false) =>
      writers[pretty ? 1 : 0](context, value);
  };
  return [
    specialised(`${signature}): json`, make, whole),
    specialised(`${signature}, bool): json`, make, whole),
  ];
}

/** json_object(), jsonb_object(), array_to_json() and row_to_json(). */
export const jsonOfArrays: readonly Definition[] = [
  define('json_object(_text): json', (array: ArrayValue) => jsonOf(membersOfOne(array))),
  define('json_object(_text, _text): json', (keys: ArrayValue, values: ArrayValue) =>
    jsonOf(membersOfTwo(keys, values)),
  ),
  define(
    'jsonb_object(_text): jsonb',
    (array: ArrayValue) => new Jsonb(jsonObject(membersOfOne(array))),
  ),
  define(
    'jsonb_object(_text, _text): jsonb',
    (keys: ArrayValue, values: ArrayValue) => new Jsonb(jsonObject(membersOfTwo(keys, values))),
  ),
  ...linesOf('array_to_json(anyarray'),
  ...linesOf('row_to_json(record'),
];
