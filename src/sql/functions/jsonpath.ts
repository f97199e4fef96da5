/** Functions and operators of jsonpath over jsonb (PostgreSQL's chapter 9.16.2). */
import { DatabaseError } from '../../base/errors.js';
import type { FunctionContext, Value } from '../types/index.js';
import { Jsonb } from '../types/index.js';
import type { JsonNode } from '../types/jsonb.js';
import type { JsonPath } from '../types/jsonpath.js';
import { type Definition, define } from './definition.js';
import { Moment, type PathValue } from './jsonpath-datetime.js';
import { executePath } from './jsonpath-execute.js';
import { PathFailure } from './jsonpath-failure.js';
import { defineSet, type SetDefinition } from './set-definition.js';

/** What the functions beside target and path may be told. */
interface Options {
  readonly variables: JsonNode;
  readonly silent: boolean;
  readonly usesZone: boolean;
}

/** All values; undefined when an error was passed over. */
function query(
  context: FunctionContext,
  target: Jsonb,
  path: JsonPath,
  { variables, silent, usesZone }: Options,
): readonly PathValue[] | undefined {
  try {
    return executePath(path, { root: target.root, variables, usesZone, context });
  } catch (error) {
    if (!(error instanceof PathFailure)) throw error;
    if (silent) return undefined;
    const { kind, message, details } = error.error;
    throw new DatabaseError(kind, message, details);
  }
}

function nodeOf(value: PathValue): JsonNode {
  return value instanceof Moment ? value.text : value;
}

type Answer = (context: FunctionContext, target: Jsonb, path: JsonPath, options: Options) => Value;

const exists: Answer = (...given) => {
  const found = query(...given);
  return found === undefined ? null : found.length > 0;
};

const match: Answer = (context, target, path, options) => {
  const found = query(context, target, path, options);
  const [only] = found ?? [];
  if (found?.length === 1 && (only === null || typeof only === 'boolean')) return only;
  if (options.silent) return null;
  throw new DatabaseError('singleton_sql_json_item_required', 'single boolean result is expected');
};

const queryArray: Answer = (...given) => new Jsonb((query(...given) ?? []).map(nodeOf));

const queryFirst: Answer = (...given) => {
  const [first] = query(...given) ?? [];
  return first === undefined ? null : new Jsonb(nodeOf(first));
};

const noVariables: JsonNode = new Map();
const stable = { usesContext: true, volatility: 'stable' } as const;

/** The function without and with `vars` and `silent`, and its _tz twin. */
function family(name: string, result: string, answer: Answer): Definition[] {
  return [false, true].flatMap((usesZone) => {
    const called = `jsonb_path_${name}${usesZone ? '_tz' : ''}`;
    const implementation = (
      context: FunctionContext,
      target: Jsonb,
      path: JsonPath,
      variables?: Jsonb,
      silent = false,
    ) =>
      answer(context, target, path, {
        variables: variables?.root ?? noVariables,
        silent,
        usesZone,
      });
    return ['', ', jsonb', ', jsonb, bool'].map((more) =>
      define(`${called}(jsonb, jsonpath${more}): ${result}`, implementation, stable),
    );
  });
}

const silently: Options = { variables: noVariables, silent: true, usesZone: false };

export const jsonpathFunctions: readonly Definition[] = [
  ...family('exists', 'bool', exists),
  ...family('match', 'bool', match),
  ...family('query_array', 'jsonb', queryArray),
  ...family('query_first', 'jsonb', queryFirst),
  define(
    'jsonb @? jsonpath: bool',
    (context: FunctionContext, target: Jsonb, path: JsonPath) =>
      exists(context, target, path, silently),
    stable,
  ),
  define(
    'jsonb @@ jsonpath: bool',
    (context: FunctionContext, target: Jsonb, path: JsonPath) =>
      match(context, target, path, silently),
    stable,
  ),
];

export const jsonpathSets: readonly SetDefinition[] = [false, true].flatMap((usesZone) =>
  ['', ', jsonb', ', jsonb, bool'].map((more) =>
    defineSet(
      `jsonb_path_query${usesZone ? '_tz' : ''}(jsonb, jsonpath${more}): setof jsonb`,
      ([target, path, variables = null, silent = false], context) => {
        const found = query(context, target as Jsonb, path as unknown as JsonPath, {
          variables: (variables as Jsonb | null)?.root ?? noVariables,
          silent: silent === true,
          usesZone,
        });
        return (found ?? []).map((value) => new Jsonb(nodeOf(value)));
      },
      { volatility: 'stable' },
    ),
  ),
);
