/** Arrays in expressions: ARRAY[...], subscripts and slices, ANY and ALL of the elements. */
import { must } from '../../base/assert.js';
import {
  arrayConstructor,
  arraySlice,
  arraySubscript,
  overElements,
  resolveOperator,
  type SliceBounds,
} from '../functions/index.js';
import { as, type ast, fields, locationOf, the } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import {
  arrayDimensionsMax,
  ArrayValue,
  arrayTypeName,
  baseTypeName,
  elementTypeName,
  printType,
  tooManyDimensions,
  type TypeName,
} from '../types/index.js';
import { bool, coerce, coerceTo, commonType, isUnknown, nameOf } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause, nodeLocation } from './expression.js';
import type { BoundType } from './type-name.js';

/** ARRAY[...]; with `target` the elements become its elements as an explicit cast makes them. */
export function bindArray(
  context: BindContext,
  clause: Clause,
  body: ast.A_ArrayExpr,
  target?: BoundType,
): Expression {
  const read = fields(context.source, 'A_ArrayExpr', body, ['elements', 'list_start', 'list_end']);
  const at = locationOf(body);
  const parts = (read.elements ?? []).map((node) => {
    const inner = as(node, 'A_ArrayExpr');
    if (inner === undefined) return bindExpression(context, clause, node);
    return context.nested(() => bindArray(context, clause, inner, target));
  });
  if (parts.length === 0 && target === undefined) {
    context.raise(at, 'indeterminate_datatype', 'cannot determine type of empty array', {
      hint: 'Explicitly cast to the desired type, for example ARRAY[]::integer[].',
    });
  }
  const isNested = parts.some((part) => elementTypeName(nameOf(part)) !== undefined);
  const made =
    target === undefined
      ? commonElements(context, parts, isNested)
      : castElements(context, parts, isNested, target, at);
  return context.locate(arrayCall(made.type, made.parts, isNested), at);
}

interface Elements {
  /** Of the array. */
  readonly type: BoundType;
  readonly parts: readonly Expression[];
}

function commonElements(
  context: BindContext,
  parts: readonly Expression[],
  isNested: boolean,
): Elements {
  const common = commonType(context, parts, 'ARRAY');
  const array = isNested ? common.name : arrayTypeName(common.name);
  const coerced = parts.map((part) => {
    const result = coerce(context, part, common, 'implicit');
    return result ?? cannotCast(context, part, common.name);
  });
  return { type: { name: array, modifier: common.modifier }, parts: coerced };
}

function castElements(
  context: BindContext,
  parts: readonly Expression[],
  isNested: boolean,
  target: BoundType,
  at: number | undefined,
): Elements {
  const element = must(elementTypeName(target.name), 'the target is an array');
  const wanted: BoundType = isNested ? target : { name: element, modifier: target.modifier };
  const cast = parts.map((part) => {
    const result = coerce(context, part, wanted, 'explicit');
    return result ?? cannotCast(context, part, wanted.name, at);
  });
  return { type: target, parts: cast };
}

function cannotCast(context: BindContext, part: Expression, wanted: TypeName, at?: number): never {
  const types = `${printType(part.type.name, -1)} to ${printType(wanted, -1)}`;
  context.raise(context.locationOf(part) ?? at, 'cannot_coerce', `cannot cast type ${types}`);
}

function arrayCall(type: BoundType, parts: readonly Expression[], isNested: boolean): Expression {
  const made = arrayConstructor(type.name, parts.length, isNested);
  return { kind: 'call', type, function: made, arguments: parts };
}

/** `container[...]...`: the subscripts that follow each other. */
export function bindSubscripts(
  context: BindContext,
  clause: Clause,
  container: Expression,
  nodes: readonly ast.A_Indices[],
): Expression {
  const base = baseTypeName(nameOf(container));
  const element = elementTypeName(base);
  if (base === 'jsonb') return bindJsonPath(context, clause, container, nodes);
  if (element === undefined) {
    const type = printType(container.type.name, -1);
    const text = `cannot subscript type ${type} because it does not support subscripting`;
    context.raise(context.locationOf(container), 'datatype_mismatch', text);
  }
  const array = coerceTo(context, container, base);
  const { modifier } = container.type;
  const { bounds, given } = bindBounds(context, clause, nodes);
  if (bounds === undefined) {
    if (given.length > arrayDimensionsMax) tooManyDimensions(given.length);
    return {
      kind: 'call',
      type: { name: element, modifier },
      function: arraySubscript(base, given.length),
      arguments: [array, ...given],
    };
  }
  return {
    kind: 'call',
    type: { name: base, modifier },
    function: arraySlice(base, bounds),
    arguments: [array, ...given],
  };
}

/** Subscripts, and which bounds they are; `bounds` is undefined for subscripts of an element. */
export interface BoundSubscripts {
  readonly bounds: readonly SliceBounds[] | undefined;
  readonly given: readonly Expression[];
}

export function bindBounds(
  context: BindContext,
  clause: Clause,
  nodes: readonly ast.A_Indices[],
): BoundSubscripts {
  const read = nodes.map((node) =>
    fields(context.source, 'A_Indices', node, ['is_slice', 'lidx', 'uidx']),
  );
  const bind = (node: ast.Node | undefined): Expression[] =>
    node === undefined ? [] : [bindSubscript(context, clause, node)];
  if (!read.some((one) => one.is_slice)) {
    return { bounds: undefined, given: read.flatMap((one) => bind(one.uidx)) };
  }
  // A single subscript beside a slice is the slice that ends there.
  const one: Expression = { kind: 'constant', type: { name: 'int4', modifier: -1 }, value: 1 };
  const bounds: SliceBounds[] = [];
  const given: Expression[] = [];
  for (const { is_slice, lidx, uidx } of read) {
    const lower = is_slice ? bind(lidx) : [one];
    const upper = bind(uidx);
    bounds.push({ lower: lower.length > 0, upper: upper.length > 0 });
    given.push(...lower, ...upper);
  }
  return { bounds, given };
}

function bindSubscript(context: BindContext, clause: Clause, node: ast.Node): Expression {
  const bound = bindExpression(context, clause, node);
  const subscript = coerce(context, bound, { name: 'int4', modifier: -1 }, 'assignment');
  if (subscript !== undefined) return subscript;
  const text = 'array subscript must have type integer';
  return context.raise(nodeLocation(node), 'datatype_mismatch', text);
}

/** `jsonb['a'][1]` is the value at the path {a,1}. */
function bindJsonPath(
  context: BindContext,
  clause: Clause,
  container: Expression,
  nodes: readonly ast.A_Indices[],
): Expression {
  const steps = nodes.map((node) => {
    const read = fields(context.source, 'A_Indices', node, ['is_slice', 'lidx', 'uidx']);
    const index = read.uidx ?? read.lidx;
    if (read.is_slice || index === undefined) {
      const at = index && nodeLocation(index);
      context.raise(at, 'datatype_mismatch', 'jsonb subscript does not support slices');
    }
    const bound = bindExpression(context, clause, index);
    const text: BoundType = { name: 'text', modifier: -1 };
    const number = coerce(context, bound, { name: 'int4', modifier: -1 }, 'implicit');
    const step = isUnknown(bound)
      ? coerce(context, bound, text, 'implicit')
      : number && coerce(context, number, text, 'explicit');
    const direct = step ?? coerce(context, bound, text, 'implicit');
    if (direct !== undefined) return direct;
    const type = printType(bound.type.name, -1);
    return context.raise(
      nodeLocation(index),
      'datatype_mismatch',
      `subscript type ${type} is not supported`,
      { hint: 'jsonb subscript must be coercible to either integer or text.' },
    );
  });
  const path = arrayCall({ name: '_text', modifier: -1 }, steps, false);
  const chosen = resolveOperator('#>', 'jsonb', '_text');
  return {
    kind: 'call',
    type: { name: 'jsonb', modifier: -1 },
    function: chosen,
    arguments: [container, path],
  };
}

/** `operand op ANY (array)` and `operand op ALL (array)`. */
export function bindOverElements(
  context: BindContext,
  name: string,
  operand: Expression,
  array: Expression,
  all: boolean,
  at: number | undefined,
): Expression {
  const given = nameOf(array);
  const element = given === 'unknown' ? 'unknown' : elementTypeName(given);
  if (element === undefined) {
    const text = 'op ANY/ALL (array) requires array on right side';
    context.raise(at, 'wrong_object_type', text);
  }
  const chosen = context.at(at, () => resolveOperator(name, nameOf(operand), element));
  if (chosen.result !== 'bool') {
    const text = 'op ANY/ALL (array) requires operator to yield boolean';
    context.raise(at, 'wrong_object_type', text);
  }
  const [left, right] = chosen.parameters;
  const one = coerceTo(context, operand, must(left, 'an operator has two sides'));
  const elementType = must(right, 'an operator has two sides');
  const many = coerceTo(context, array, arrayTypeName(elementType));
  const list = !all && chosen.comparison === '=' ? elementsOf(many) : undefined;
  if (list !== undefined && left === right) {
    // With its elements known it is IN, which finds keys.
    return { kind: 'in', type: bool, operand: one, list, equals: chosen, negated: false };
  }
  const test = overElements(chosen, all);
  return { kind: 'call', type: bool, function: test, arguments: [one, many] };
}

/** The elements of an array that is written out; undefined for an empty one. */
function elementsOf(array: Expression): readonly Expression[] | undefined {
  if (array.kind === 'call' && array.function.name === 'array' && array.arguments.length > 0) {
    return array.arguments;
  }
  if (array.kind !== 'constant' || !(array.value instanceof ArrayValue)) return undefined;
  const name = elementTypeName(array.type.name as TypeName);
  if (name === undefined || array.value.elements.length === 0) return undefined;
  return array.value.elements.map((value) => ({
    kind: 'constant',
    type: { name, modifier: -1 },
    value,
  }));
}

/** The subscripts at the beginning of a chain of subscripts and fields. */
export function leadingSubscripts(nodes: readonly ast.Node[]): ast.A_Indices[] {
  const end = nodes.findIndex((node) => as(node, 'A_Indices') === undefined);
  return (end < 0 ? nodes : nodes.slice(0, end)).map((node) => the(node, 'A_Indices'));
}
