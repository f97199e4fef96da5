/** CREATE FUNCTION ... LANGUAGE SQL. */
import { DatabaseError, raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { bindExpression, defaultClause } from '../bind/expression.js';
import { bindSqlTable, isPolymorphic } from '../bind/sql-function.js';
import {
  type FunctionDescriptor,
  type FunctionParameter,
  userDatabase,
} from '../catalogue/index.js';
import {
  as,
  type ast,
  expressionAround,
  fields,
  notSupported,
  parse,
  the,
} from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { printType, typeNamed } from '../types/index.js';
import { type DdlContext, pathOf, placeOf } from './context.js';
import { argumentTypes } from './describe.js';
import { typeOfNode } from './find-function.js';
import { firstLocation } from './locations.js';
import { ownershipOf } from './ownership.js';
import { requireOwner, requireType } from './permission.js';

export function createFunction(context: DdlContext, body: ast.CreateFunctionStmt): string {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'CreateFunctionStmt', body, [
    ...(['is_procedure', 'replace', 'funcname', 'parameters', 'returnType', 'options'] as const),
    'sql_body',
  ]);
  if (read.is_procedure === true) notSupported(bind.source, 'CREATE PROCEDURE', undefined);
  const options = optionsOf(context, read.options);
  const { schema, name } = pathOf(context, read.funcname);
  const place = placeOf(bind, schema, name, undefined);
  const parameters = (read.parameters ?? []).map((node) =>
    parameterOf(context, the(node, 'FunctionParameter')),
  );
  const { returns, returnsSet } = resultOf(context, read.returnType, parameters);
  const text = read.sql_body === undefined ? options.text : standardBody(context, read.sql_body);
  const descriptor: FunctionDescriptor = {
    kind: 'function',
    object: catalogue.newId(userDatabase) as ObjectId,
    version: 1,
    ...place,
    comment: undefined,
    ...ownershipOf(context, 'function', place.schema),
    parameters,
    returns,
    returnsSet,
    strict: options.strict,
    volatility: options.volatility,
    securityDefiner: options.securityDefiner,
    body: inBody(context, text, () => queryOf(context, text, returns)),
  };
  const types = argumentTypes(descriptor).join(', ');
  const before = catalogue
    .functions(place.database, place.schema, name)
    .find((one) => argumentTypes(one).join(', ') === types);
  if (before !== undefined && read.replace !== true) {
    const shown = `function "${name}" already exists with same argument types`;
    raise('duplicate_function', shown);
  }
  if (before !== undefined) requireOwner(context, before);
  if (before !== undefined && before.returns !== returns) {
    raise('invalid_function_definition', 'cannot change return type of existing function', {
      hint: `Use DROP FUNCTION ${name}(${types}) first.`,
    });
  }
  inBody(context, text, () => checkBody(context, descriptor));
  const { object, owner, privileges } = before ?? descriptor;
  const version = (before?.version ?? 0) + 1;
  catalogue.put({ ...descriptor, object, owner, privileges, version }, before);
  return 'CREATE FUNCTION';
}

interface Options {
  readonly text: string;
  readonly strict: boolean;
  readonly volatility: FunctionDescriptor['volatility'];
  readonly securityDefiner: boolean;
}

/** Options that say how costly or how secret it is change no answer. */
const hints: ReadonlySet<string> = new Set([
  ...['leakproof', 'parallel', 'cost', 'rows', 'support'],
]);
/** PostgreSQL's languages that are not there; any other is unknown. */
const otherLanguages: ReadonlySet<string> = new Set(['c', 'internal', 'plpgsql']);

function optionsOf({ bind }: DdlContext, nodes: readonly ast.Node[] | undefined): Options {
  let options: Options = {
    ...{ text: '', strict: false, volatility: 'volatile', securityDefiner: false },
  };
  let language = 'sql';
  for (const node of nodes ?? []) {
    const option = the(node, 'DefElem');
    const { defname = '', arg } = fields(bind.source, 'DefElem', option, ['defname', 'arg']);
    if (defname === 'as') {
      const texts = as(arg, 'List')?.items ?? [];
      options = { ...options, text: as(texts[0], 'String')?.sval ?? '' };
    } else if (defname === 'language') language = (as(arg, 'String')?.sval ?? '').toLowerCase();
    else if (defname === 'strict') {
      options = { ...options, strict: as(arg, 'Boolean')?.boolval === true };
    } else if (defname === 'volatility') {
      options = { ...options, volatility: as(arg, 'String')?.sval as Options['volatility'] };
    } else if (defname === 'security') {
      options = { ...options, securityDefiner: as(arg, 'Boolean')?.boolval === true };
    } else if (!hints.has(defname)) {
      notSupported(bind.source, `function option ${defname.toUpperCase()}`, option.location);
    }
  }
  if (otherLanguages.has(language)) {
    notSupported(bind.source, `CREATE FUNCTION ... LANGUAGE ${language}`, undefined);
  }
  if (language !== 'sql') {
    raise('undefined_object', `language "${language}" does not exist`);
  }
  return options;
}

const modes: Readonly<Record<string, FunctionParameter['mode']>> = {
  FUNC_PARAM_IN: 'in',
  FUNC_PARAM_DEFAULT: 'in',
  FUNC_PARAM_OUT: 'out',
  FUNC_PARAM_INOUT: 'inout',
  FUNC_PARAM_VARIADIC: 'variadic',
  FUNC_PARAM_TABLE: 'table',
};

function parameterOf(context: DdlContext, body: ast.FunctionParameter): FunctionParameter {
  const { bind } = context;
  const read = fields(bind.source, 'FunctionParameter', body, [
    ...(['name', 'argType', 'mode', 'defexpr'] as const),
  ]);
  const mode = modes[read.mode ?? 'FUNC_PARAM_IN'] ?? 'in';
  if (mode === 'variadic') notSupported(bind.source, 'VARIADIC parameter', undefined);
  const type = typeOfNode(bind, read.argType);
  requireType(context, type);
  let value: string | undefined;
  if (read.defexpr !== undefined) {
    bindExpression(bind, defaultClause, read.defexpr);
    value = defaultText(bind.source, read.defexpr);
  }
  return { name: read.name, mode, type, default: value };
}

/** It stands behind DEFAULT or the sign of equality. */
function defaultText(source: DdlContext['bind']['source'], node: ast.Node): string {
  const at = firstLocation(node);
  const before = source.slice(0, at).trimEnd().toLowerCase();
  return expressionAround(source, before.endsWith('default') ? 'default' : '=', at);
}

function resultOf(
  context: DdlContext,
  node: ast.TypeName | undefined,
  parameters: readonly FunctionParameter[],
): Pick<FunctionDescriptor, 'returns' | 'returnsSet'> {
  const outputs = parameters.filter(({ mode }) => mode !== 'in');
  if (node !== undefined) {
    const { setof, ...plain } = node;
    const returns = typeOfNode(context.bind, plain);
    requireType(context, returns);
    return { returns, returnsSet: setof === true };
  }
  const [only] = outputs;
  if (only === undefined) {
    raise('invalid_function_definition', 'function result type must be specified');
  }
  return { returns: outputs.length === 1 ? only.type : 'record', returnsSet: false };
}

/** The text of RETURN expression or of the query in BEGIN ATOMIC ... END. */
function standardBody({ bind }: DdlContext, node: ast.Node): string {
  const returned = as(node, 'ReturnStmt')?.returnval;
  if (returned !== undefined) {
    return `SELECT ${expressionAround(bind.source, 'return', firstLocation(returned))}`;
  }
  return notSupported(bind.source, 'a function body of BEGIN ATOMIC', undefined);
}

/** The body's only query. */
function queryOf({ bind }: DdlContext, text: string, returns: string): string {
  const statements = parse(text, { statementBytes: Number.MAX_SAFE_INTEGER });
  const [only, second] = statements;
  if (second !== undefined) {
    notSupported(bind.source, 'a function body of several statements', undefined);
  }
  if (only === undefined) {
    if (returns === 'void')
      return notSupported(bind.source, 'a function that does nothing', undefined);
    mismatch(
      returns,
      "Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.",
    );
  }
  const select = as(only.node, 'SelectStmt');
  if (select === undefined || select.intoClause !== undefined) {
    notSupported(bind.source, 'a function body that is not a SELECT', undefined);
  }
  return text;
}

/** Errors in a body that stands in the statement as it is have their positions there. */
function inBody<T>({ bind }: DdlContext, text: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const { position } = error.details;
    const at = bind.source.text.indexOf(text);
    if (position === undefined || at < 0) throw error;
    const before = [...bind.source.text.slice(0, at)].length;
    return raise(error.kind, error.message, { ...error.details, position: before + position });
  }
}

function mismatch(returns: string, detail: string): never {
  const shown = printType(returns, -1);
  const text = `return type mismatch in function declared to return ${shown}`;
  raise('invalid_function_definition', text, { detail });
}

/** Binds the body with parameters that have no value, to see that it can be. */
function checkBody(context: DdlContext, called: FunctionDescriptor): void {
  const inputs = called.parameters.filter(({ mode }) => mode !== 'out' && mode !== 'table');
  if (inputs.some(({ type }) => isPolymorphic(type))) return;
  const args = inputs.map(
    ({ type }): Expression => ({
      kind: 'constant',
      type: { name: type, modifier: -1 },
      value: null,
    }),
  );
  const { columns } = bindSqlTable(context.bind, { function: called, arguments: args });
  const [first, second] = columns;
  const { returns } = called;
  if (
    returns === 'record' ||
    returns === 'void' ||
    isPolymorphic(returns) ||
    typeNamed(returns).category === 'C'
  )
    return;
  if (second !== undefined) mismatch(returns, 'Final statement must return exactly one column.');
  const type = first?.type.name ?? 'void';
  if (type === returns) return;
  mismatch(returns, `Actual return type is ${printType(type, -1)}.`);
}
