/** Assignments to parts of columns: `a[1] = x`, `a[1:2] = x`, `c.field = x`, and chains of them. */
import type { ColumnDescriptor } from '../catalogue/descriptor.js';
import {
  elementAssignment,
  fieldAssignment,
  fieldOf,
  arraySubscript,
  sliceAssignment,
} from '../functions/index.js';
import { as, type ast, notSupported, stringOf } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { baseTypeName, elementTypeName, printType, typeNamed } from '../types/index.js';
import { bindBounds, leadingSubscripts } from './array.js';
import { coerce, nameOf } from './coerce.js';
import type { BindContext } from './context.js';
import type { Clause } from './expression.js';
import type { BoundType } from './type-name.js';

export interface Part {
  readonly column: ColumnDescriptor;
  /** Subscripts and names of fields. */
  readonly path: readonly ast.Node[];
  readonly given: Expression | 'default';
  /** The column before the assignment: NULL in INSERT, or what an earlier part made of it. */
  readonly before: Expression;
  readonly at: number | undefined;
}

interface PartAssignment {
  /** The name of the column, for errors. */
  readonly column: string;
  readonly value: Expression;
  /** Where the target stands. */
  readonly at: number | undefined;
}

/** The whole column with the part changed. */
export function assignedPart(context: BindContext, clause: Clause, part: Part): Expression {
  const { column, path, given, before, at } = part;
  if (given === 'default') {
    const what = as(path[0], 'A_Indices') === undefined ? 'a subfield' : 'an array element';
    context.raise(at, 'feature_not_supported', `cannot set ${what} to DEFAULT`);
  }
  const assignment = { column: column.name, value: given, at };
  const changed = change(context, clause, before, path, assignment);
  if (nameOf(changed) === nameOf(before)) return changed;
  // A domain over an array or a record: the whole is checked again.
  return coerce(context, changed, before.type as BoundType, 'assignment') ?? changed;
}

function change(
  context: BindContext,
  clause: Clause,
  current: Expression,
  chain: readonly ast.Node[],
  assignment: PartAssignment,
): Expression {
  const [first] = chain;
  if (first === undefined) return assignment.value;
  if (as(first, 'A_Star') !== undefined) {
    notSupported(context.source, 'assignment to .*', assignment.at);
  }
  return as(first, 'A_Indices') === undefined
    ? changeField(context, clause, current, chain, assignment)
    : changeElements(context, clause, current, chain, assignment);
}

function changeElements(
  context: BindContext,
  clause: Clause,
  current: Expression,
  chain: readonly ast.Node[],
  assignment: PartAssignment,
): Expression {
  const base = baseTypeName(nameOf(current));
  const element = elementTypeName(base);
  if (element === undefined) {
    if (base === 'jsonb')
      notSupported(context.source, 'assignment to a part of jsonb', assignment.at);
    const type = printType(nameOf(current), -1);
    const text = `cannot subscript type ${type} because it does not support subscripting`;
    context.raise(assignment.at, 'datatype_mismatch', text);
  }
  const nodes = leadingSubscripts(chain);
  const rest = chain.slice(nodes.length);
  const { modifier } = current.type;
  const whole = withoutChecks(current, { name: base, modifier });
  const { bounds, given } = bindBounds(context, clause, nodes);
  const type: BoundType = { name: base, modifier };
  if (bounds !== undefined) {
    const part = change(context, clause, whole, rest, assignment);
    const value = fitted(context, part, type, assignment);
    const made = sliceAssignment(base, bounds);
    return { kind: 'call', type, function: made, arguments: [whole, value, ...given] };
  }
  const one: Expression = {
    kind: 'call',
    type: { name: element, modifier },
    function: arraySubscript(base, given.length),
    arguments: [whole, ...given],
  };
  const part = change(context, clause, one, rest, assignment);
  const value = fitted(context, part, { name: element, modifier }, assignment);
  const made = elementAssignment(base, given.length);
  return { kind: 'call', type, function: made, arguments: [whole, value, ...given] };
}

/** What an earlier assignment to another part gave is checked with this one. */
function withoutChecks(current: Expression, type: BoundType): Expression {
  return current.kind === 'toDomain' ? current.operand : ({ ...current, type } as Expression);
}

function fitted(
  context: BindContext,
  part: Expression,
  wanted: BoundType,
  { column, at }: PartAssignment,
): Expression {
  const value = coerce(context, part, wanted, 'assignment');
  if (value !== undefined) return value;
  const types = `${printType(wanted.name, -1)} but expression is of type ${printType(part.type.name, -1)}`;
  const text = `subscripted assignment to "${column}" requires type ${types}`;
  context.raise(at, 'datatype_mismatch', text, {
    hint: 'You will need to rewrite or cast the expression.',
  });
}

function changeField(
  context: BindContext,
  clause: Clause,
  current: Expression,
  chain: readonly ast.Node[],
  assignment: PartAssignment,
): Expression {
  const [first, ...rest] = chain;
  const name = stringOf(first);
  const { at, column } = assignment;
  const base = baseTypeName(nameOf(current));
  const { form } = typeNamed(base);
  const shown = printType(base, -1);
  const target = `cannot assign to field "${name}" of column "${column}"`;
  if (form?.kind !== 'composite') {
    const text = `${target} because its type ${shown} is not a composite type`;
    context.raise(at, 'datatype_mismatch', text);
  }
  const index = form.shape.fields.findIndex((field) => field.name === name);
  const field = form.shape.fields[index];
  if (field === undefined) {
    const text = `${target} because there is no such column in data type ${shown}`;
    context.raise(at, 'undefined_column', text);
  }
  const type: BoundType = { name: base, modifier: -1 };
  const whole = withoutChecks(current, type);
  const wanted: BoundType = { name: field.type, modifier: field.modifier };
  const before: Expression = {
    kind: 'call',
    type: wanted,
    function: fieldOf(base, form.shape, index),
    arguments: [whole],
  };
  const part = change(context, clause, before, rest, assignment);
  const value = coerce(context, part, wanted, 'assignment');
  if (value === undefined) {
    const types = `${printType(field.type, -1)} but expression is of type ${printType(part.type.name, -1)}`;
    context.raise(at, 'datatype_mismatch', `subfield "${name}" is of type ${types}`, {
      hint: 'You will need to rewrite or cast the expression.',
    });
  }
  const made = fieldAssignment(base, form.shape, index);
  return { kind: 'call', type, function: made, arguments: [whole, value] };
}
