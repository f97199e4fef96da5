/** The functions behind SQL/JSON's syntax: JSON_OBJECT, JSON_ARRAY and IS JSON. */
import type { TypeName, Value } from '../types/index.js';
import { Jsonb } from '../types/index.js';
import { printNode } from '../types/jsonb.js';
import { checkedJson } from '../types/json-type.js';
import { type JsonTree, parseJson } from '../types/json-text.js';
import { DatabaseError } from '../../base/errors.js';
import { construct } from './construct.js';
import type { ScalarFunction } from './function.js';
import {
  arrayBuilder,
  type JsonClauses,
  jsonbArrayBuilder,
  jsonbObjectBuilder,
  objectBuilder,
} from './json-build.js';

export type { JsonClauses } from './json-build.js';

const builders = {
  object: { json: objectBuilder, jsonb: jsonbObjectBuilder },
  array: { json: arrayBuilder, jsonb: jsonbArrayBuilder },
} as const;

/** JSON_OBJECT of keys and values in turn, or JSON_ARRAY of values. */
export function jsonConstructor(
  kind: 'object' | 'array',
  parameters: readonly TypeName[],
  result: 'json' | 'jsonb',
  clauses: JsonClauses,
): ScalarFunction {
  const { absent, unique } = clauses;
  const name = `json_${kind} ${absent ? 'absent' : 'null'}${unique ? ' unique' : ''}`;
  const print = (operands: readonly string[]) =>
    `JSON_${kind.toUpperCase()}(${operands.join(', ')})`;
  const made = construct({ name, parameters, result, strict: false, print }, () => null);
  const implementation = builders[kind][result](parameters, clauses);
  return {
    ...made,
    usesContext: true,
    volatility: 'stable',
    implementation: implementation as ScalarFunction['implementation'],
  };
}

/** The bytes of a json or jsonb in UTF-8: RETURNING bytea. */
export function jsonBytes(parameter: 'json' | 'jsonb'): ScalarFunction {
  return construct(
    {
      name: 'json bytes',
      parameters: [parameter],
      result: 'bytea',
      strict: true,
      print: ([operand = '']) => operand,
    },
    (value) => Buffer.from(textOf(value), 'utf8'),
  );
}

/** FORMAT JSON of a bytea: the JSON that its bytes say in UTF-8. */
export const jsonOfBytes: ScalarFunction = construct(
  {
    name: 'json of bytes',
    parameters: ['bytea'],
    result: 'json',
    strict: true,
    print: ([operand = '']) => operand,
  },
  (value) => checkedJson(textOf(value)),
);

function textOf(value: Value): string {
  if (value instanceof Jsonb) return printNode(value.root);
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : (value as string);
}

export type JsonItemKind = 'any' | 'object' | 'array' | 'scalar';

/** `x IS JSON kind [WITH UNIQUE KEYS]` for a text, bytea, json or jsonb. */
export function isJson(parameter: TypeName, kind: JsonItemKind, unique: boolean): ScalarFunction {
  const words = `${kind === 'any' ? '' : ` ${kind.toUpperCase()}`}${unique ? ' WITH UNIQUE KEYS' : ''}`;
  return construct(
    {
      name: `is json${words}`,
      parameters: [parameter],
      result: 'bool',
      strict: true,
      print: ([operand = '']) => `(${operand} IS JSON${words})`,
    },
    (value) => {
      const tree = treeOf(textOf(value));
      if (tree === undefined) return false;
      const isScalar = tree.kind !== 'object' && tree.kind !== 'array';
      const fits = kind === 'any' || (kind === 'scalar' ? isScalar : tree.kind === kind);
      return fits && (!unique || hasUniqueKeys(tree));
    },
  );
}

function treeOf(text: string): JsonTree | undefined {
  try {
    return parseJson(text, false);
  } catch (error) {
    if (error instanceof DatabaseError && error.kind === 'invalid_text_representation') {
      return undefined;
    }
    throw error;
  }
}

function hasUniqueKeys(tree: JsonTree): boolean {
  if (tree.kind === 'array') return tree.items.every(hasUniqueKeys);
  if (tree.kind !== 'object') return true;
  const keys = new Set(tree.members.map(({ key }) => key));
  return (
    keys.size === tree.members.length && tree.members.every(({ value }) => hasUniqueKeys(value))
  );
}
