/** json and jsonb as types. */
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
import { type JsonPath, printPath } from './jsonpath.js';
import { parsePath } from './jsonpath-parser.js';
import { checkedText } from './text.js';
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

const jsonpath: Type = {
  ...common,
  name: 'jsonpath',
  oid: 4072,
  arrayOid: 4073,
  sqlName: 'jsonpath',
  category: 'U',
  parse: (text) => parsePath(checkedText(text)),
  print: (value) => printPath(value as JsonPath),
  compare: undefined,
  equals: undefined,
  hashKey: undefined,
  sizeOf: (value) => 16 + printPath(value as JsonPath).length * 8,
  key: undefined,
  encode: (writer, value) => {
    writer.varText(printPath(value as JsonPath));
  },
  decode: (reader) => parsePath(reader.varText()),
};

export const jsonTypes: readonly Type[] = [json, jsonb, jsonpath];
