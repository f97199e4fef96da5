/** Records and rows of JSON objects: json_populate_record() and its kin (PostgreSQL's jsonfuncs.c). */
import { raise } from '../../base/errors.js';
import {
  checkDomain,
  ArrayValue,
  baseTypeName,
  type FunctionContext,
  type RecordField,
  type RecordShape,
  RecordValue,
  type Row,
  type TypeName,
  typeNamed,
  userTypeOf,
  type Value,
} from '../types/index.js';
import type { JsonTree } from '../types/json-text.js';
import { parseJson } from '../types/json-text.js';
import { Jsonb, parseJsonb, printNode } from '../types/jsonb.js';
import { type Definition, specialised } from './definition.js';
import { treeField } from './json-path.js';
import { defineSet, type SetDefinition, specialisedSet } from './set-definition.js';

/** A JSON value within its text. */
interface Part {
  readonly text: string;
  readonly tree: JsonTree;
}

function partOf(value: Value): Part {
  const text = value instanceof Jsonb ? printNode(value.root) : (value as string);
  return { text, tree: parseJson(text, false) };
}

/** The values of `fields`; those that the object lacks are the base's. Raises for anything but an object. */
function populate(
  { text, tree }: Part,
  fields: readonly RecordField[],
  base: readonly Value[] | undefined,
  context: FunctionContext,
): Value[] {
  if (tree.kind !== 'object') {
    const what = tree.kind === 'array' ? 'an array' : 'a scalar';
    raise('invalid_parameter_value', `cannot call populate_composite on ${what}`);
  }
  return fields.map(({ name, type, modifier }, i) => {
    const member = treeField(tree, name);
    if (member === undefined && base !== undefined) return base[i] ?? null;
    const part = member && { text, tree: member };
    return fieldValue(part, type, modifier, `key "${name}"`, context);
  });
}

function fieldValue(
  part: Part | undefined,
  name: TypeName,
  modifier: number,
  place: string,
  context: FunctionContext,
): Value {
  const { form } = typeNamed(name);
  if (form?.kind === 'domain') {
    const value = fieldValue(part, form.base, form.modifier, place, context);
    checkDomain(context, typeNamed(name), value);
    return value;
  }
  if (part === undefined || part.tree.kind === 'null') return null;
  const { text, tree } = part;
  if (name === 'json') return text.slice(tree.start, tree.end);
  if (name === 'jsonb') return parseJsonb(text.slice(tree.start, tree.end));
  if (form?.kind === 'array' && tree.kind !== 'string') {
    return arrayOf(part, form.element, modifier, place, context);
  }
  if (form?.kind === 'composite' && tree.kind !== 'string') {
    return new RecordValue(form.shape, populate(part, form.shape.fields, undefined, context));
  }
  const given = tree.kind === 'string' ? tree.value : text.slice(tree.start, tree.end);
  return typeNamed(name).parse(given, modifier, context);
}

function arrayOf(
  { text, tree }: Part,
  element: TypeName,
  modifier: number,
  place: string,
  context: FunctionContext,
): ArrayValue {
  if (tree.kind !== 'array') notAnArray(`the value of ${place}`);
  const dimensions: number[] = [];
  const elements: Value[] = [];
  let depthOfLeaves: number | undefined;
  const descend = (items: readonly JsonTree[], depth: number, path: string): void => {
    for (const [i, item] of items.entries()) {
      const here = `${path}[${i}]`;
      if (item.kind === 'array' && (depthOfLeaves === undefined || depth < depthOfLeaves)) {
        descend(item.items, depth + 1, here);
        continue;
      }
      depthOfLeaves ??= depth;
      if (depth !== depthOfLeaves) notAnArray(`the array element ${here} of ${place}`);
      elements.push(fieldValue({ text, tree: item }, element, modifier, place, context));
    }
    depthOfLeaves ??= depth;
    dimensions[depth] ??= items.length;
    if (dimensions[depth] !== items.length) {
      raise('invalid_text_representation', 'malformed JSON array', {
        detail: 'Multidimensional arrays must have sub-arrays with matching dimensions.',
      });
    }
  };
  descend(tree.items, 0, '');
  if (elements.length === 0) return ArrayValue.of([]);
  return new ArrayValue(
    dimensions,
    dimensions.map(() => 1),
    elements,
  );
}

function notAnArray(place: string): never {
  return raise('invalid_text_representation', 'expected JSON array', { hint: `See ${place}.` });
}

/** The shape of the record that a base argument stands for. */
function shapeOf(called: string, name: TypeName, base: Value): RecordShape {
  const user = userTypeOf(baseTypeName(name));
  if (user?.kind === 'composite') return user.shape;
  if (base instanceof RecordValue) return base.shape;
  if (name === 'record') {
    raise('datatype_mismatch', `could not determine row type for result of ${called}`, {
      hint: 'Provide a non-null record argument, or call the function in the FROM clause using a column definition list.',
    });
  }
  return raise('datatype_mismatch', `first argument of ${called} must be a row type`);
}

function recordFunction(type: 'json' | 'jsonb'): Definition {
  const called = `${type}_populate_record`;
  return specialised(
    `${called}(anyelement, ${type}): anyelement`,
    ([name = 'record']) =>
      (context: FunctionContext, base: Value, given: Value) => {
        const shape = shapeOf(called, name, base);
        if (given === null) return base;
        const before = base === null ? undefined : (base as RecordValue).values;
        return new RecordValue(shape, populate(partOf(given), shape.fields, before, context));
      },
    { strict: false, usesContext: true, volatility: 'stable' },
  );
}

/** Objects of an array of them. */
function objectsOf(called: string, given: Value): Part[] {
  const { text, tree } = partOf(given);
  if (tree.kind !== 'array') {
    const what = tree.kind === 'object' ? 'an object' : 'a scalar';
    raise('invalid_parameter_value', `cannot call ${called} on ${what}`);
  }
  return tree.items.map((item) => {
    if (item.kind !== 'object') {
      const text = `argument of ${called} must be an array of objects`;
      raise('invalid_parameter_value', text);
    }
    return { text, tree: item };
  });
}

function recordsFunction(type: 'json' | 'jsonb'): SetDefinition {
  const called = `${type}_populate_recordset`;
  return specialisedSet(
    `${called}(anyelement, ${type}): setof anyelement`,
    ([name = 'record']) =>
      function* records([base = null, given = null], context) {
        const shape = shapeOf(called, name, base);
        if (given === null) return;
        const before = base === null ? undefined : (base as RecordValue).values;
        for (const part of objectsOf(called, given)) {
          yield new RecordValue(shape, populate(part, shape.fields, before, context));
        }
      },
    { strict: false, volatility: 'stable' },
  );
}

function rowFunctions(type: 'json' | 'jsonb'): SetDefinition[] {
  const options = { volatility: 'stable' } as const;
  const toRecord = `${type}_to_record`;
  const toRecords = `${type}_to_recordset`;
  return [
    defineSet(
      `${toRecord}(${type}): setof record`,
      ([given = null], context, columns): Row[] => [
        populate(partOf(given), columns, undefined, context),
      ],
      options,
    ),
    defineSet(
      `${toRecords}(${type}): setof record`,
      ([given = null], context, columns): Row[] =>
        objectsOf(toRecords, given).map((part) => populate(part, columns, undefined, context)),
      options,
    ),
  ];
}

export const jsonPopulating: readonly Definition[] = [
  recordFunction('json'),
  recordFunction('jsonb'),
];

export const jsonPopulatingSets: readonly SetDefinition[] = [
  recordsFunction('json'),
  recordsFunction('jsonb'),
  ...rowFunctions('json'),
  ...rowFunctions('jsonb'),
];
