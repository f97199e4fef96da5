/**
 * Functions in SQL: the query of the body is bound in the place of the call, so that planning sees
 * through it. The body's parameters are columns of a query around it.
 */
import { assert, must } from '../../base/assert.js';
import type { FunctionDescriptor, FunctionParameter } from '../catalogue/descriptor.js';
import { findCoercion, resolveFunction } from '../functions/index.js';
import { type ast, parse, parseExpression, type Source, the } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { mapOperands } from '../plan/map-operands.js';
import type { Relation } from '../plan/relation.js';
import type { Capture } from '../plan/subquery.js';
import {
  arrayTypeName,
  elementTypeName,
  printType,
  typeNamed,
  type TypeName,
  userTypeOf,
} from '../types/index.js';
import { bool, coerce, nameOf, typeOf } from './coerce.js';
import { BindContext, ParameterTypes } from './context.js';
import { bindExpression, type Clause, defaultClause } from './expression.js';
import { oneRow } from './from.js';
import { bindWithin } from './outer.js';
import { scopeOf } from './scope.js';
import { bindQuery } from './select.js';
import { bindSetCall } from './set-call.js';

/** The statement that made the text was bounded already. */
const bodyLimits = { statementBytes: Number.MAX_SAFE_INTEGER };

/** A call of a function of the catalogue: its arguments are in the types of its parameters. */
export interface SqlCall {
  readonly function: FunctionDescriptor;
  readonly arguments: readonly Expression[];
}

const parsedBodies = new WeakMap<
  FunctionDescriptor,
  { readonly query: ast.SelectStmt; readonly source: Source }
>();

function bodyOf(called: FunctionDescriptor) {
  const known = parsedBodies.get(called);
  if (known !== undefined) return known;
  const { node, source } = must(parse(called.body, bodyLimits)[0], 'a body has a query');
  const body = { query: the(node, 'SelectStmt'), source };
  parsedBodies.set(called, body);
  return body;
}

function inputsOf({ parameters }: FunctionDescriptor): readonly FunctionParameter[] {
  return parameters.filter(({ mode }) => mode !== 'out' && mode !== 'table');
}

/** The function that a call means; undefined when none fits. Raises ambiguous_function. */
export function findSqlFunction(
  context: BindContext,
  path: readonly string[],
  args: readonly Expression[],
  at: number | undefined,
): SqlCall | undefined {
  const name = path.at(-1) ?? '';
  const candidates = context.at(at, () => context.catalogue.functions(path.at(-2), name));
  const types = args.map(nameOf);
  let best: { readonly exact: number; readonly all: FunctionDescriptor[] } | undefined;
  for (const candidate of candidates) {
    const exact = fitOf(candidate, types);
    if (exact === undefined) continue;
    if (best === undefined || exact > best.exact) best = { exact, all: [candidate] };
    else if (exact === best.exact) best.all.push(candidate);
  }
  const [chosen, other] = best?.all ?? [];
  if (chosen === undefined) return undefined;
  // The schema that comes first on the path hides those behind it.
  if (other !== undefined && other.schema === chosen.schema) {
    const shown = `${name}(${types.map((type) => printType(type, -1)).join(', ')})`;
    context.raise(at, 'ambiguous_function', `function ${shown} is not unique`, {
      hint: 'Could not choose a best candidate function. You might need to add explicit type casts.',
    });
  }
  return { function: chosen, arguments: completed(context, chosen, args) };
}

/** How many arguments have just the types of their parameters; undefined when the call does not fit. */
function fitOf(called: FunctionDescriptor, types: readonly TypeName[]): number | undefined {
  const inputs = inputsOf(called);
  const needed = inputs.filter((input) => input.default === undefined).length;
  if (types.length > inputs.length || types.length < needed) return undefined;
  let exact = 0;
  for (const [i, type] of types.entries()) {
    const wanted = must(inputs[i], 'as many inputs').type as TypeName;
    if (wanted === type) exact += 1;
    else if (isPolymorphic(wanted)) {
      if (!fitsPolymorphic(type === 'unknown' ? 'text' : type, wanted)) return undefined;
    } else if (type !== 'unknown') {
      if (findCoercion(type, wanted, -1, 'implicit') === undefined) return undefined;
    }
  }
  return exact;
}

/** Types that stand for whatever the arguments of a call have. */
const polymorphic: ReadonlySet<string> = new Set([
  ...['anyelement', 'anyarray', 'anynonarray', 'anyenum'],
  ...['anycompatible', 'anycompatiblearray', 'anycompatiblenonarray'],
]);

export function isPolymorphic(type: string): boolean {
  return polymorphic.has(type) || typeNamed(type).category === 'P';
}

/** Whether a value of `type` may stand where a function says `wanted`, which is polymorphic. */
function fitsPolymorphic(type: TypeName, wanted: string): boolean {
  const { category } = typeNamed(type);
  if (wanted === 'anyarray' || wanted === 'anycompatiblearray') return category === 'A';
  if (wanted === 'anyenum') return category === 'E';
  return !wanted.endsWith('nonarray') || category !== 'A';
}

/** The arguments with the defaults of those that are not given, in the parameters' types. */
function completed(
  context: BindContext,
  called: FunctionDescriptor,
  args: readonly Expression[],
): readonly Expression[] {
  return inputsOf(called).map((input, i) => {
    const given = args[i] ?? defaultOf(context, input);
    if (isPolymorphic(input.type)) {
      return nameOf(given) === 'unknown'
        ? must(coerce(context, given, typeOf('text'), 'implicit'), 'text')
        : given;
    }
    const type = typeOf(input.type as TypeName);
    return must(coerce(context, given, type, 'implicit'), 'the call was found to fit');
  });
}

function defaultOf(context: BindContext, { default: sql = '' }: FunctionParameter): Expression {
  const { node, source } = parseExpression(sql, bodyLimits);
  return bindExpression(context.within(source), defaultClause, node);
}

interface Body {
  readonly relation: Relation;
  readonly captures: readonly Capture[];
}

/** The body with the arguments as what it takes of the query around. */
function bindBody(context: BindContext, call: SqlCall): Body {
  const { function: called, arguments: args } = call;
  const { query, source } = bodyOf(called);
  const { catalogue, functions } = context;
  const inner = new BindContext(source, catalogue, functions, new ParameterTypes([]), context);
  context.needs.add({ kind: 'function', object: called.object, as: context.checkAs });
  if (called.securityDefiner) inner.checkAs = called.owner;
  inner.functionsAround = [...context.functionsAround, called.object];
  if (context.functionsAround.includes(called.object)) {
    context.raise(
      undefined,
      'feature_not_supported',
      `the recursive function ${called.name} is not supported`,
    );
  }
  const inputs = inputsOf(called);
  const columns = args.map(({ type }, i) => ({
    column: context.nextColumn(),
    name: inputs[i]?.name ?? `$${i + 1}`,
    type,
  }));
  inner.functionParameters = columns.map(({ column, type }) => ({ kind: 'column', type, column }));
  const clause = { scope: scopeOf(columns, called.name), name: 'function', aggregates: undefined };
  const { bound, captures } = bindWithin(inner, clause, false, () =>
    context.nested(() => bindQuery(inner, query)),
  );
  const byColumn = new Map(columns.map(({ column }, i) => [column, args[i]]));
  return {
    relation: bound,
    captures: captures.map(({ column, expression }) => ({
      column,
      expression: must(
        expression.kind === 'column' ? byColumn.get(expression.column) : undefined,
        'a body knows its parameters only',
      ),
    })),
  };
}

/** The value of a call. */
export function bindSqlCall(
  context: BindContext,
  clause: Clause,
  call: SqlCall,
  at: number | undefined,
): Expression {
  const { function: called } = call;
  if (called.returnsSet) return bindSqlSet(context, clause, call, at);
  const { relation, captures } = bindBody(context, call);
  const [column, second] = relation.columns;
  if (column === undefined || second !== undefined) {
    return context.raise(
      at,
      'feature_not_supported',
      `the function ${called.name}, which returns several columns, in this place is not supported`,
    );
  }
  const plain = plainValue(relation, captures);
  const strict = called.strict ? call.arguments : [];
  if (plain !== undefined) {
    const value = returned(context, called, plain);
    return context.locate(unlessNull(value, strict), at);
  }
  const first: Relation = {
    kind: 'limit',
    columns: relation.columns,
    input: relation,
    limit: { kind: 'constant', type: typeOf('int8'), value: 1n },
    offset: undefined,
  };
  const subquery = {
    column: context.nextColumn(),
    question: { kind: 'row' as const },
    relation: first,
    captures,
    operands: [],
  };
  const value: Expression = { kind: 'subquery', type: column.type, subquery, index: 0 };
  return context.locate(unlessNull(returned(context, called, value), strict), at);
}

/** Rows in a select list: the elements of an array of them. */
function bindSqlSet(
  context: BindContext,
  clause: Clause,
  call: SqlCall,
  at: number | undefined,
): Expression {
  const { function: called } = call;
  const { relation, captures } = bindBody(context, call);
  const [column, second] = relation.columns;
  const isPlain = column !== undefined && second === undefined;
  if (!isPlain || elementTypeName(column.type.name as TypeName) !== undefined) {
    const text = `the set-returning function ${called.name} of rows in this place is not supported`;
    context.raise(at, 'feature_not_supported', text);
  }
  const type = typeOf(arrayTypeName(column.type.name as TypeName));
  const subquery = {
    column: context.nextColumn(),
    question: { kind: 'array' as const, type },
    relation,
    captures,
    operands: [],
  };
  const rows: Expression = { kind: 'subquery', type, subquery, index: 0 };
  const unnest = resolveFunction('unnest', [type.name]);
  assert(unnest.kind === 'set', 'unnest gives a set');
  const values = [unlessNull(rows, called.strict ? call.arguments : [])];
  return bindSetCall(context, clause, unnest.function, values, at);
}

function returned(
  context: BindContext,
  { returns }: FunctionDescriptor,
  value: Expression,
): Expression {
  if (isPolymorphic(returns)) return value;
  return coerce(context, value, typeOf(returns as TypeName), 'assignment') ?? value;
}

/** NULL where one of a strict function's arguments is. */
function unlessNull(value: Expression, args: readonly Expression[]): Expression {
  const tests = args
    .filter((one) => one.kind !== 'constant' || one.value === null)
    .map((operand): Expression => ({ kind: 'isNull', type: bool, operand, negated: false }));
  const [first] = tests;
  if (first === undefined) return value;
  const when: Expression = tests.length === 1 ? first : { kind: 'or', type: bool, operands: tests };
  return {
    kind: 'case',
    type: value.type,
    // biome-ignore lint/suspicious/noThenProperty: a branch of CASE, never awaited
    branches: [{ when, then: { kind: 'constant', type: value.type, value: null } }],
    otherwise: value,
  };
}

/** The value of a body that is one expression over arguments that cost nothing to read again. */
function plainValue(relation: Relation, captures: readonly Capture[]): Expression | undefined {
  if (relation.kind !== 'project' || relation.input !== oneRow) return undefined;
  const value = relation.expressions[0]?.expression;
  if (value === undefined || hasSubquery(value)) return undefined;
  const uses = new Map<number, number>();
  countOuter(value, uses);
  for (const { column, expression } of captures) {
    const cheap = ['column', 'constant', 'parameter', 'outer'].includes(expression.kind);
    if (!cheap && (uses.get(column) ?? 0) > 1) return undefined;
  }
  const replacements = new Map(captures.map((one) => [one.column, one.expression]));
  return replaced(value, replacements);
}

function hasSubquery(expression: Expression): boolean {
  if (expression.kind === 'subquery') return true;
  let found = false;
  mapOperands(expression, (operand) => {
    found ||= hasSubquery(operand);
    return operand;
  });
  return found;
}

function countOuter(expression: Expression, uses: Map<number, number>): void {
  if (expression.kind === 'outer') {
    uses.set(expression.column, (uses.get(expression.column) ?? 0) + 1);
  }
  mapOperands(expression, (operand) => {
    countOuter(operand, uses);
    return operand;
  });
}

function replaced(
  expression: Expression,
  replacements: ReadonlyMap<number, Expression>,
): Expression {
  if (expression.kind === 'outer') return replacements.get(expression.column) ?? expression;
  return mapOperands(expression, (operand) => replaced(operand, replacements));
}

/** The rows of a call in FROM. */
export function bindSqlTable(context: BindContext, call: SqlCall): Relation {
  const { function: called, arguments: args } = call;
  const { relation, captures } = bindBody(context, call);
  const names = outputNames(called, relation.columns.length);
  const values = args.map((expression) => ({
    column: context.nextColumn(),
    name: 'argument',
    expression,
  }));
  const left: Relation = {
    kind: 'project',
    columns: values.map(({ column, name, expression }) => ({
      column,
      name,
      type: expression.type,
    })),
    input: oneRow,
    expressions: values,
  };
  const apply: Relation = {
    kind: 'apply',
    columns: [...left.columns, ...relation.columns],
    join: called.returnsSet ? 'inner' : 'left',
    left,
    right: relation,
    captures: captures.map(({ column, expression }) => {
      const at = args.indexOf(expression);
      const source = must(left.columns[at], 'a capture is an argument');
      return { column, expression: { kind: 'column', type: source.type, column: source.column } };
    }),
    condition: undefined,
  };
  const expressions = relation.columns.map((column, i) => {
    const value: Expression = { kind: 'column', type: column.type, column: column.column };
    const wanted = outputType(called, i, relation.columns.length);
    const expression =
      wanted === undefined
        ? value
        : (coerce(context, value, typeOf(wanted), 'assignment') ?? value);
    return { column: context.nextColumn(), name: names[i] ?? column.name, expression };
  });
  return {
    kind: 'project',
    columns: expressions.map(({ column, name, expression }) => ({
      column,
      name,
      type: expression.type,
    })),
    input: apply,
    expressions,
  };
}

function outputNames(called: FunctionDescriptor, count: number): readonly string[] {
  const outputs = called.parameters.filter(({ mode }) => mode !== 'in' && mode !== 'variadic');
  if (outputs.length > 0) return outputs.map(({ name }, i) => name ?? `column${i + 1}`);
  const type = userTypeOf(called.returns);
  if (type?.kind === 'composite' && count === type.shape.fields.length) {
    return type.shape.fields.map(({ name }) => name);
  }
  return [called.name];
}

function outputType(called: FunctionDescriptor, i: number, count: number): TypeName | undefined {
  const outputs = called.parameters.filter(({ mode }) => mode !== 'in' && mode !== 'variadic');
  const type = userTypeOf(called.returns);
  const wanted =
    outputs.length > 0
      ? outputs[i]?.type
      : type?.kind === 'composite' && count === type.shape.fields.length
        ? type.shape.fields[i]?.type
        : called.returns;
  return wanted === undefined || isPolymorphic(wanted) ? undefined : (wanted as TypeName);
}
