/** jsonb: a JSON value in canonical form; keys once, the last given wins, shorter keys first. */
import type { ByteReader, ByteWriter } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { JsonTree } from './json-text.js';
import { parseJson } from './json-text.js';
import { compareNumeric, Numeric, numericHashKey } from './numeric.js';
import { numericType, parseNumeric } from './numeric-type.js';
import { compareText } from './text.js';

export type JsonObject = ReadonlyMap<string, JsonNode>;
export type JsonNode = null | boolean | string | Numeric | readonly JsonNode[] | JsonObject;

/** A value of type jsonb. A class, so that JSON's null and texts are not taken for SQL's. */
export class Jsonb {
  readonly root: JsonNode;

  constructor(root: JsonNode) {
    this.root = root;
  }
}

export function isArray(node: JsonNode): node is readonly JsonNode[] {
  return Array.isArray(node);
}

export function isObject(node: JsonNode): node is JsonObject {
  return node instanceof Map;
}

/** What jsonb_typeof() gives. */
export function kindOfNode(node: JsonNode): string {
  if (node === null) return 'null';
  if (node instanceof Numeric) return 'number';
  if (isArray(node)) return 'array';
  return isObject(node) ? 'object' : typeof node;
}

/** Keys by their bytes in UTF-8: shorter ones first. */
export function compareKeys(a: string, b: string): number {
  const difference = Buffer.byteLength(a, 'utf8') - Buffer.byteLength(b, 'utf8');
  return difference === 0 ? compareText(a, b) : difference;
}

/** An object of these members in canonical order. */
export function jsonObject(members: Iterable<readonly [string, JsonNode]>): JsonObject {
  const last = new Map(members);
  return new Map([...last].sort(([a], [b]) => compareKeys(a, b)));
}

export function parseJsonb(text: string): Jsonb {
  return new Jsonb(nodeOfTree(parseJson(text, true)));
}

function nodeOfTree(tree: JsonTree): JsonNode {
  switch (tree.kind) {
    case 'null':
      return null;
    case 'boolean':
    case 'string':
      return tree.value;
    case 'number':
      return parseNumeric(tree.text);
    case 'array':
      return tree.items.map(nodeOfTree);
    case 'object':
      return jsonObject(tree.members.map(({ key, value }) => [key, nodeOfTree(value)] as const));
  }
}

/** `{"a": [1, 2]}` with one blank after each colon and comma. */
export function printNode(node: JsonNode): string {
  if (node === null || typeof node === 'boolean') return String(node);
  if (typeof node === 'string') return JSON.stringify(node);
  if (node instanceof Numeric) return node.toString();
  if (isArray(node)) return `[${node.map(printNode).join(', ')}]`;
  const members: string[] = [];
  for (const [key, value] of node as JsonObject) {
    members.push(`${JSON.stringify(key)}: ${printNode(value)}`);
  }
  return `{${members.join(', ')}}`;
}

/** The same text for equal values, whatever the scales of their numbers. */
export function hashOfNode(node: JsonNode): string {
  if (node instanceof Numeric) return String(numericHashKey(node));
  if (node === null || typeof node !== 'object') return JSON.stringify(node);
  if (isArray(node)) return `[${node.map(hashOfNode).join()}]`;
  const members = [...(node as JsonObject)];
  return `{${members.map(([key, value]) => `${JSON.stringify(key)}:${hashOfNode(value)}`).join()}}`;
}

/** Null, strings, numbers, booleans, arrays, objects, in this order. */
function rank(node: JsonNode): number {
  if (node === null) return 0;
  if (typeof node === 'string') return 1;
  if (node instanceof Numeric) return 2;
  if (typeof node === 'boolean') return 3;
  return isArray(node) ? 4 : 5;
}

/** An empty array at the top sorts below all else, by a quirk that PostgreSQL keeps. */
export function compareJsonb(a: Jsonb, b: Jsonb): number {
  const aIsEmpty = isArray(a.root) && a.root.length === 0;
  const bIsEmpty = isArray(b.root) && b.root.length === 0;
  if (aIsEmpty !== bIsEmpty && !isObject(aIsEmpty ? b.root : a.root)) return aIsEmpty ? -1 : 1;
  return compareNodes(a.root, b.root);
}

export function compareNodes(a: JsonNode, b: JsonNode): number {
  const difference = rank(a) - rank(b);
  if (difference !== 0) return difference;
  if (typeof a === 'string') return compareText(a, b as string);
  if (a instanceof Numeric) return compareNumeric(a, b as Numeric);
  if (typeof a === 'boolean') return Number(a) - Number(b);
  if (a === null) return 0;
  if (isArray(a)) return compareArrays(a, b as readonly JsonNode[]);
  return compareObjects(a as JsonObject, b as JsonObject);
}

function compareArrays(a: readonly JsonNode[], b: readonly JsonNode[]): number {
  if (a.length !== b.length) return a.length - b.length;
  for (const [i, item] of a.entries()) {
    const difference = compareNodes(item, b[i] ?? null);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareObjects(a: JsonObject, b: JsonObject): number {
  if (a.size !== b.size) return a.size - b.size;
  const others = b.entries();
  for (const [key, value] of a) {
    const [otherKey, otherValue] = others.next().value ?? ['', null];
    const difference = compareText(key, otherKey) || compareNodes(value, otherValue);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Approximate bytes of memory. */
export function sizeOfNode(node: JsonNode): number {
  if (node === null || typeof node === 'boolean') return 8;
  if (typeof node === 'string') return 24 + node.length * 2;
  if (node instanceof Numeric) return numericType.sizeOf(node);
  let size = 64;
  if (isArray(node)) {
    for (const item of node) size += 8 + sizeOfNode(item);
  } else {
    for (const [key, value] of node as JsonObject) {
      size += 64 + key.length * 2 + sizeOfNode(value);
    }
  }
  return size;
}

const tag = { null: 0, false: 1, true: 2, string: 3, number: 4, array: 5, object: 6 } as const;

export function writeNode(writer: ByteWriter, node: JsonNode): void {
  if (node === null) writer.uint8(tag.null);
  else if (typeof node === 'boolean') writer.uint8(node ? tag.true : tag.false);
  else if (typeof node === 'string') writer.uint8(tag.string).varText(node);
  else if (node instanceof Numeric) {
    writer.uint8(tag.number);
    numericType.encode(writer, node);
  } else if (isArray(node)) {
    writer.uint8(tag.array).varint(node.length);
    for (const item of node) writeNode(writer, item);
  } else {
    const object = node as JsonObject;
    writer.uint8(tag.object).varint(object.size);
    for (const [key, value] of object) {
      writer.varText(key);
      writeNode(writer, value);
    }
  }
}

export function readNode(reader: ByteReader): JsonNode {
  const kind = reader.uint8();
  switch (kind) {
    case tag.null:
      return null;
    case tag.false:
    case tag.true:
      return kind === tag.true;
    case tag.string:
      return reader.varText();
    case tag.number:
      return numericType.decode(reader) as Numeric;
    case tag.array: {
      const items: JsonNode[] = [];
      for (let left = reader.varint(); left > 0; left -= 1) items.push(readNode(reader));
      return items;
    }
    case tag.object: {
      const members = new Map<string, JsonNode>();
      for (let left = reader.varint(); left > 0; left -= 1) {
        members.set(reader.varText(), readNode(reader));
      }
      return members;
    }
    default:
      raise('data_corrupted', `no kind of JSON: ${kind}`);
  }
}
