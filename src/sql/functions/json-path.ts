/** Reaching into json and jsonb: ->, ->>, #>, #>> and jsonb's changes along a path. */
import { raise } from '../../base/errors.js';
import { type ArrayValue, textElements } from '../types/index.js';
import type { JsonTree } from '../types/json-text.js';
import { parseJson } from '../types/json-text.js';
import type { JsonNode, JsonObject } from '../types/jsonb.js';
import { isArray, isObject, Jsonb, jsonObject, printNode } from '../types/jsonb.js';

/** The number that a path's element is for an array; undefined when it is none. */
function subscript(element: string): number | undefined {
  const text = element.trim();
  if (!/^[+-]?[0-9]{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= -0x8000_0000 && value <= 0x7fff_ffff ? value : undefined;
}

/** Negative subscripts count from the end. */
function itemOf<T>(items: readonly T[], index: number): T | undefined {
  return items[index < 0 ? items.length + index : index];
}

export function field(node: JsonNode, key: string): JsonNode | undefined {
  return isObject(node) ? node.get(key) : undefined;
}

/** A scalar counts as an array of itself. */
export function item(node: JsonNode, index: number): JsonNode | undefined {
  if (isObject(node)) return undefined;
  return itemOf(isArray(node) ? node : [node], index);
}

/** The value at a path; undefined when there is none or the path holds a NULL. */
export function atPath(node: JsonNode, path: ArrayValue): JsonNode | undefined {
  let current: JsonNode | undefined = node;
  for (const element of textElements(path)) {
    if (current === undefined || element === null) return undefined;
    if (isArray(current)) {
      const index = subscript(element);
      current = index === undefined ? undefined : itemOf(current, index);
    } else current = field(current, element);
  }
  return current;
}

export function asJsonb(node: JsonNode | undefined): Jsonb | null {
  return node === undefined ? null : new Jsonb(node);
}

/** As text: strings without quotes, JSON's null as NULL. */
export function asText(node: JsonNode | undefined): string | null {
  if (node === undefined || node === null) return null;
  return typeof node === 'string' ? node : printNode(node);
}

/** The last member of the key counts. */
export function treeField(tree: JsonTree, key: string): JsonTree | undefined {
  if (tree.kind !== 'object') return undefined;
  return tree.members.findLast((member) => member.key === key)?.value;
}

export function treeItem(tree: JsonTree, index: number): JsonTree | undefined {
  return tree.kind === 'array' ? itemOf(tree.items, index) : undefined;
}

export function treeAtPath(tree: JsonTree, path: ArrayValue): JsonTree | undefined {
  let current: JsonTree | undefined = tree;
  for (const element of textElements(path)) {
    if (current === undefined || element === null) return undefined;
    if (current.kind === 'array') {
      const index = subscript(element);
      current = index === undefined ? undefined : itemOf(current.items, index);
    } else current = treeField(current, element);
  }
  return current;
}

/** A part of a text of type json, as it is written there. */
export function sliceOf(text: string, tree: JsonTree | undefined): string | null {
  return tree === undefined ? null : text.slice(tree.start, tree.end);
}

export function textOfSlice(text: string, tree: JsonTree | undefined): string | null {
  if (tree === undefined || tree.kind === 'null') return null;
  // The text of a string may need decoding that json put off.
  if (tree.kind === 'string') {
    const decoded = parseJson(text.slice(tree.start, tree.end), true);
    return decoded.kind === 'string' ? decoded.value : null;
  }
  return text.slice(tree.start, tree.end);
}

function scalarError(verb: string): never {
  raise('invalid_parameter_value', `cannot ${verb} scalar`);
}

function isScalar(node: JsonNode): boolean {
  return !isArray(node) && !isObject(node);
}

/** What a path's last element does to the array or object that holds it. */
interface Change {
  readonly member: (object: JsonObject, key: string) => JsonNode;
  readonly element: (array: readonly JsonNode[], index: number) => JsonNode;
}

function changeAt(node: JsonNode, path: ArrayValue, depth: number, change: Change): JsonNode {
  const element = textElements(path)[depth];
  if (element === undefined || isScalar(node)) return node;
  if (element === null) {
    raise('null_value_not_allowed', `path element at position ${depth + 1} is null`);
  }
  const last = depth === path.elements.length - 1;
  if (isObject(node)) {
    if (last) return change.member(node, element);
    const child = node.get(element);
    if (child === undefined) return node;
    return new Map(node).set(element, changeAt(child, path, depth + 1, change));
  }
  const array = node as readonly JsonNode[];
  const index = subscript(element);
  if (index === undefined) {
    raise(
      'invalid_text_representation',
      `path element at position ${depth + 1} is not an integer: "${element}"`,
    );
  }
  const at = index < 0 ? array.length + index : index;
  if (last) return change.element(array, at);
  const child = array[at];
  if (child === undefined) return node;
  return array.with(at, changeAt(child, path, depth + 1, change));
}

export function setPath(
  target: Jsonb,
  path: ArrayValue,
  value: Jsonb,
  createMissing: boolean,
): Jsonb {
  if (isScalar(target.root)) scalarError('set path in');
  const result = changeAt(target.root, path, 0, {
    member: (object, key) => {
      if (!object.has(key) && !createMissing) return object;
      return jsonObject([...object, [key, value.root]]);
    },
    element: (array, index) => {
      if (index >= 0 && index < array.length) return array.with(index, value.root);
      if (!createMissing) return array;
      return index < 0 ? [value.root, ...array] : [...array, value.root];
    },
  });
  return new Jsonb(result);
}

export function insertPath(target: Jsonb, path: ArrayValue, value: Jsonb, after: boolean): Jsonb {
  if (isScalar(target.root)) scalarError('set path in');
  const result = changeAt(target.root, path, 0, {
    member: (object, key) => {
      if (object.has(key)) {
        raise('invalid_parameter_value', 'cannot replace existing key', {
          hint: 'Try using the function jsonb_set to replace key value.',
        });
      }
      return jsonObject([...object, [key, value.root]]);
    },
    element: (array, index) => {
      const at = Math.max(0, Math.min(after && index >= 0 ? index + 1 : index, array.length));
      return array.toSpliced(index < 0 ? 0 : at, 0, value.root);
    },
  });
  return new Jsonb(result);
}

export function deletePath(target: Jsonb, path: ArrayValue): Jsonb {
  if (isScalar(target.root)) scalarError('delete path in');
  const result = changeAt(target.root, path, 0, {
    member: (object, key) => {
      const rest = new Map(object);
      rest.delete(key);
      return rest;
    },
    element: (array, index) => (index < 0 ? array : array.filter((_, i) => i !== index)),
  });
  return new Jsonb(result);
}

export function deleteKeys(target: Jsonb, keys: readonly (string | null)[]): Jsonb {
  const { root } = target;
  const gone = new Set(keys);
  if (isArray(root)) {
    return new Jsonb(root.filter((value) => typeof value !== 'string' || !gone.has(value)));
  }
  if (!isObject(root)) scalarError('delete from');
  return new Jsonb(new Map([...root].filter(([key]) => !gone.has(key))));
}

export function deleteIndex(target: Jsonb, index: number): Jsonb {
  const { root } = target;
  if (isObject(root)) {
    raise('invalid_parameter_value', 'cannot delete from object using integer index');
  }
  if (!isArray(root)) scalarError('delete from');
  const at = index < 0 ? root.length + index : index;
  return new Jsonb(root.filter((_, i) => i !== at));
}
