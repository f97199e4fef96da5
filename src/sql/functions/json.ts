/** Operators and functions of json and jsonb (src/backend/utils/adt/jsonfuncs.c, jsonb_op.c). */
import { raise } from '../../base/errors.js';
import { ArrayValue, textElements } from '../types/index.js';
import type { JsonTree } from '../types/json-text.js';
import { parseJson } from '../types/json-text.js';
import type { JsonNode, JsonObject } from '../types/jsonb.js';
import {
  compareJsonb,
  compareNodes,
  isArray,
  isObject,
  Jsonb,
  jsonObject,
  kindOfNode,
  printNode,
} from '../types/jsonb.js';
import { comparisons, ordered } from './comparison.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';
import { jsonBuilders } from './json-build.js';
import * as path from './json-path.js';
import { jsonPopulating } from './json-populate.js';
import { jsonOfArrays } from './json-sets.js';
import { jsonpathFunctions } from './jsonpath.js';

const keeps = (text: string) => parseJson(text, false);

/** True when the left value holds all of the right one. */
function contains({ root: a }: Jsonb, { root: b }: Jsonb): boolean {
  if (isArray(a) && !isArray(b) && !isObject(b)) return a.some((one) => compareNodes(one, b) === 0);
  return holds(a, b);
}

function holds(a: JsonNode, b: JsonNode): boolean {
  if (isObject(a)) {
    if (!isObject(b) || b.size > a.size) return false;
    for (const [key, value] of b as JsonObject) {
      const other = a.get(key);
      if (other === undefined || !holds(other, value)) return false;
    }
    return true;
  }
  if (isArray(a)) return isArray(b) && b.every((value) => a.some((one) => holds(one, value)));
  return compareNodes(a, b) === 0;
}

function exists({ root }: Jsonb, key: string): boolean {
  if (isObject(root)) return root.has(key);
  return isArray(root) ? root.includes(key) : root === key;
}

function texts(array: ArrayValue): string[] {
  return textElements(array).filter((element) => element !== null);
}

function concatenate({ root: a }: Jsonb, { root: b }: Jsonb): Jsonb {
  if (isObject(a) && isObject(b)) return new Jsonb(jsonObject([...a, ...b]));
  const items = (node: JsonNode) => (isArray(node) ? node : [node]);
  return new Jsonb([...items(a), ...items(b)]);
}

function arrayLength(count: number | undefined, isScalar: boolean): number {
  if (count !== undefined) return count;
  raise(
    'invalid_parameter_value',
    `cannot get array length of a ${isScalar ? 'scalar' : 'non-array'}`,
  );
}

function pretty(node: JsonNode, indent: string): string {
  const inner = `${indent}    `;
  if (isArray(node)) {
    const items = node.map((item) => `\n${inner}${pretty(item, inner)}`);
    return `[${items.join(',')}\n${indent}]`;
  }
  if (isObject(node)) {
    const members = [...node].map(
      ([key, value]) => `\n${inner}${JSON.stringify(key)}: ${pretty(value, inner)}`,
    );
    return `{${members.join(',')}\n${indent}}`;
  }
  return printNode(node);
}

function stripNulls(node: JsonNode): JsonNode {
  if (isArray(node)) return node.map(stripNulls);
  if (!isObject(node)) return node;
  const kept = [...node].filter(([, value]) => value !== null);
  return new Map(kept.map(([key, value]) => [key, stripNulls(value)]));
}

function stripTree(text: string, tree: JsonTree): string {
  if (tree.kind === 'array') {
    return `[${tree.items.map((item) => stripTree(text, item)).join(',')}]`;
  }
  if (tree.kind !== 'object') return text.slice(tree.start, tree.end);
  const members = tree.members
    .filter(({ value }) => value.kind !== 'null')
    .map(({ key, value }) => `${JSON.stringify(key)}:${stripTree(text, value)}`);
  return `{${members.join(',')}}`;
}

function pathOf(elements: readonly string[]): ArrayValue {
  return ArrayValue.of(elements);
}

const access: readonly Definition[] = [
  define('json -> text: json', (text: string, key: string) =>
    path.sliceOf(text, path.treeField(keeps(text), key)),
  ),
  define('json -> int4: json', (text: string, index: number) =>
    path.sliceOf(text, path.treeItem(keeps(text), index)),
  ),
  define('json ->> text: text', (text: string, key: string) =>
    path.textOfSlice(text, path.treeField(keeps(text), key)),
  ),
  define('json ->> int4: text', (text: string, index: number) =>
    path.textOfSlice(text, path.treeItem(keeps(text), index)),
  ),
  define('json #> _text: json', (text: string, along: ArrayValue) =>
    path.sliceOf(text, path.treeAtPath(keeps(text), along)),
  ),
  define('json #>> _text: text', (text: string, along: ArrayValue) =>
    path.textOfSlice(text, path.treeAtPath(keeps(text), along)),
  ),
  define('jsonb -> text: jsonb', ({ root }: Jsonb, key: string) =>
    path.asJsonb(path.field(root, key)),
  ),
  define('jsonb -> int4: jsonb', ({ root }: Jsonb, index: number) =>
    path.asJsonb(path.item(root, index)),
  ),
  define('jsonb ->> text: text', ({ root }: Jsonb, key: string) =>
    path.asText(path.field(root, key)),
  ),
  define('jsonb ->> int4: text', ({ root }: Jsonb, index: number) =>
    path.asText(path.item(root, index)),
  ),
  define('jsonb #> _text: jsonb', ({ root }: Jsonb, along: ArrayValue) =>
    path.asJsonb(path.atPath(root, along)),
  ),
  define('jsonb #>> _text: text', ({ root }: Jsonb, along: ArrayValue) =>
    path.asText(path.atPath(root, along)),
  ),
  define('json_extract_path(json, variadic text): json', (text: string, ...keys: string[]) =>
    path.sliceOf(text, path.treeAtPath(keeps(text), pathOf(keys))),
  ),
  define('json_extract_path_text(json, variadic text): text', (text: string, ...keys: string[]) =>
    path.textOfSlice(text, path.treeAtPath(keeps(text), pathOf(keys))),
  ),
  define('jsonb_extract_path(jsonb, variadic text): jsonb', ({ root }: Jsonb, ...keys: string[]) =>
    path.asJsonb(path.atPath(root, pathOf(keys))),
  ),
  define(
    'jsonb_extract_path_text(jsonb, variadic text): text',
    ({ root }: Jsonb, ...keys: string[]) => path.asText(path.atPath(root, pathOf(keys))),
  ),
];

const tests: readonly Definition[] = [
  ...comparisons(
    'jsonb',
    'jsonb',
    ordered((a, b) => compareJsonb(a as Jsonb, b as Jsonb)),
  ),
  define('jsonb @> jsonb: bool', contains, { commutator: '<@' }),
  define('jsonb <@ jsonb: bool', (a: Jsonb, b: Jsonb) => contains(b, a), { commutator: '@>' }),
  define('jsonb ? text: bool', exists),
  define('jsonb ?| _text: bool', (target: Jsonb, keys: ArrayValue) =>
    texts(keys).some((key) => exists(target, key)),
  ),
  define('jsonb ?& _text: bool', (target: Jsonb, keys: ArrayValue) =>
    texts(keys).every((key) => exists(target, key)),
  ),
  define('jsonb_contains(jsonb, jsonb): bool', contains),
  define('jsonb_exists(jsonb, text): bool', exists),
];

const changes: readonly Definition[] = [
  define('jsonb || jsonb: jsonb', concatenate),
  define('jsonb - text: jsonb', (target: Jsonb, key: string) => path.deleteKeys(target, [key])),
  define('jsonb - _text: jsonb', (target: Jsonb, keys: ArrayValue) =>
    path.deleteKeys(target, texts(keys)),
  ),
  define('jsonb - int4: jsonb', path.deleteIndex),
  define('jsonb #- _text: jsonb', path.deletePath),
  define('jsonb_set(jsonb, _text, jsonb): jsonb', (a: Jsonb, along: ArrayValue, value: Jsonb) =>
    path.setPath(a, along, value, true),
  ),
  define('jsonb_set(jsonb, _text, jsonb, bool): jsonb', path.setPath),
  define('jsonb_insert(jsonb, _text, jsonb): jsonb', (a: Jsonb, along: ArrayValue, value: Jsonb) =>
    path.insertPath(a, along, value, false),
  ),
  define('jsonb_insert(jsonb, _text, jsonb, bool): jsonb', path.insertPath),
  define('jsonb_strip_nulls(jsonb): jsonb', ({ root }: Jsonb) => new Jsonb(stripNulls(root))),
  define('json_strip_nulls(json): json', (text: string) => stripTree(text, keeps(text))),
  define('jsonb_pretty(jsonb): text', ({ root }: Jsonb) => pretty(root, '')),
];

const about: readonly Definition[] = [
  define('json_typeof(json): text', (text: string) => keeps(text).kind),
  define('jsonb_typeof(jsonb): text', ({ root }: Jsonb) => kindOfNode(root)),
  define('json_array_length(json): int4', (text: string) => {
    const tree = keeps(text);
    return arrayLength(
      tree.kind === 'array' ? tree.items.length : undefined,
      tree.kind !== 'object',
    );
  }),
  define('jsonb_array_length(jsonb): int4', ({ root }: Jsonb) =>
    arrayLength(isArray(root) ? root.length : undefined, !isObject(root)),
  ),
];

export const jsonFunctions: readonly Definition[] = [
  ...access,
  ...tests,
  ...changes,
  ...about,
  ...jsonBuilders,
  ...jsonOfArrays,
  ...jsonPopulating,
  ...jsonpathFunctions,
];
