/** json, jsonb, and text[] as far as paths into JSON need it. */
import { raise } from '../../base/errors.js';
import { parseJson } from './json-text.js';
import {
  compareJsonb,
  hashOfNode,
  Jsonb,
  parseJsonb,
  printNode,
  readNode,
  sizeOfNode,
  writeNode,
} from './jsonb.js';
import { checkedText } from './text.js';
import { TextArray } from './text-array.js';
import type { Type } from './type.js';

const common = {
  length: -1,
  preferred: false,
  textDependsOnContext: false,
  modifierOf: undefined,
  printModifier: undefined,
} as const;

/** `text` if it is valid JSON; raises 22P02. */
export function checkedJson(text: string): string {
  parseJson(checkedText(text), false);
  return text;
}

const json: Type = {
  ...common,
  name: 'json',
  oid: 114,
  arrayOid: 199,
  sqlName: 'json',
  category: 'U',
  parse: checkedJson,
  print: (value) => value as string,
  compare: undefined,
  equals: undefined,
  hashKey: undefined,
  sizeOf: (value) => 24 + (value as string).length * 2,
  key: undefined,
  encode: (writer, value) => {
    writer.varText(value as string);
  },
  decode: (reader) => reader.varText(),
};

const jsonb: Type = {
  ...common,
  name: 'jsonb',
  oid: 3802,
  arrayOid: 3807,
  sqlName: 'jsonb',
  category: 'U',
  parse: (text) => parseJsonb(checkedText(text)),
  print: (value) => printNode((value as Jsonb).root),
  compare: (a, b) => compareJsonb(a as Jsonb, b as Jsonb),
  equals: (a, b) => compareJsonb(a as Jsonb, b as Jsonb) === 0,
  hashKey: (value) => hashOfNode((value as Jsonb).root),
  sizeOf: (value) => 16 + sizeOfNode((value as Jsonb).root),
  key: undefined,
  encode: (writer, value) => writeNode(writer, (value as Jsonb).root),
  decode: (reader) => new Jsonb(readNode(reader)),
};

const textArray: Type = {
  ...common,
  name: '_text',
  oid: 1009,
  arrayOid: 0,
  sqlName: 'text[]',
  category: 'A',
  parse: (text) => parseTextArray(checkedText(text)),
  print: (value) => printTextArray(value as TextArray),
  compare: undefined,
  equals: undefined,
  hashKey: undefined,
  sizeOf: (value) =>
    (value as TextArray).elements.reduce(
      (sum, element) => sum + 32 + (element ?? '').length * 2,
      64,
    ),
  key: undefined,
  encode: (writer, value) => {
    const { elements } = value as TextArray;
    writer.varint(elements.length);
    for (const element of elements) {
      writer.uint8(element === null ? 0 : 1);
      if (element !== null) writer.varText(element);
    }
  },
  decode: (reader) => {
    const elements: (string | null)[] = [];
    for (let left = reader.varint(); left > 0; left -= 1) {
      elements.push(reader.uint8() === 0 ? null : reader.varText());
    }
    return new TextArray(elements);
  },
};

const element =
  /\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^\\"{},\s]|\\.)(?:(?:[^\\"{},]|\\.)*(?:[^\\"{},\s]|\\.))?))\s*([,}])/sy;

/** `{a,"b c",NULL}`, of one dimension. */
function parseTextArray(text: string): TextArray {
  const open = /^\s*\{/.exec(text);
  if (open === null) malformed(text, 'Array value must start with "{" or dimension information.');
  if (/^\s*\{\s*\}\s*$/.test(text)) return new TextArray([]);
  if (/^\s*\{\s*\{/.test(text)) {
    raise('feature_not_supported', 'arrays of more than one dimension are not supported');
  }
  const elements: (string | null)[] = [];
  element.lastIndex = open[0].length;
  for (;;) {
    const match = element.exec(text);
    if (match === null) malformed(text, 'Unexpected array element.');
    const [, quoted, bare, end] = match;
    const raw = quoted ?? bare ?? '';
    const isNull = quoted === undefined && raw.toLowerCase() === 'null';
    elements.push(isNull ? null : raw.replace(/\\(.)/gs, '$1'));
    if (end === '}') break;
  }
  if (!/^\s*$/.test(text.slice(element.lastIndex))) {
    malformed(text, 'Junk after closing right brace.');
  }
  return new TextArray(elements);
}

function malformed(text: string, detail: string): never {
  raise('invalid_text_representation', `malformed array literal: "${text}"`, { detail });
}

function printTextArray({ elements }: TextArray): string {
  return `{${elements.map(printElement).join(',')}}`;
}

function printElement(value: string | null): string {
  if (value === null) return 'NULL';
  const bare = value !== '' && !/[{}",\\\s]/.test(value) && value.toLowerCase() !== 'null';
  return bare ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

export const jsonTypes: readonly Type[] = [json, jsonb, textArray];
