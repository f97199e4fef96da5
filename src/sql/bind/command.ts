/** Statements about the session: transactions, settings, EXPLAIN, PREPARE. */
import { must } from '../../base/assert.js';
import {
  as,
  type ast,
  fields,
  locationOf,
  notSupported,
  type ParsedStatement,
  the,
} from '../parse/index.js';
import type { Statement, TransactionModes } from '../plan/statement.js';
import { quoteNames } from '../settings/index.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause, nodeLocation } from './expression.js';
import { emptyScope } from './scope.js';
import { bindTypeName } from './type-name.js';

export function bindTransaction(context: BindContext, body: ast.TransactionStmt): Statement {
  const read = fields(context.source, 'TransactionStmt', body, [
    ...(['kind', 'options', 'savepoint_name', 'chain'] as const),
  ]);
  const name = read.savepoint_name ?? '';
  const chain = read.chain === true;
  switch (read.kind) {
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START': {
      const tag = read.kind === 'TRANS_STMT_START' ? 'START TRANSACTION' : 'BEGIN';
      return { kind: 'begin', tag, modes: transactionModes(context, read.options) };
    }
    case 'TRANS_STMT_COMMIT':
      return { kind: 'commit', chain };
    case 'TRANS_STMT_ROLLBACK':
      return { kind: 'rollback', chain };
    case 'TRANS_STMT_SAVEPOINT':
      return { kind: 'savepoint', name };
    case 'TRANS_STMT_RELEASE':
      return { kind: 'release', name };
    case 'TRANS_STMT_ROLLBACK_TO':
      return { kind: 'rollbackTo', name };
    default:
      return notSupported(context.source, transactionName(read.kind), locationOf(body));
  }
}

/** SET CONSTRAINTS. */
export function bindSetConstraints(
  context: BindContext,
  body: ast.ConstraintsSetStmt,
): Extract<Statement, { kind: 'setConstraints' }> {
  const { constraints, deferred = false } = fields(context.source, 'ConstraintsSetStmt', body, [
    'constraints',
    'deferred',
  ]);
  const names = constraints?.map((node) => {
    const { schemaname: schema, relname: name = '' } = fields(
      context.source,
      'RangeVar',
      the(node, 'RangeVar'),
      ['schemaname', 'relname'],
    );
    return { schema, name };
  });
  return { kind: 'setConstraints', names, deferred };
}

function transactionName(kind: ast.TransactionStmtKind | undefined): string {
  const words = (kind ?? '').replace('TRANS_STMT_', '').replaceAll('_', ' ');
  return words === 'PREPARE' ? 'PREPARE TRANSACTION' : words;
}

function transactionModes(
  context: BindContext,
  nodes: readonly ast.Node[] | undefined,
): TransactionModes {
  let isolation: string | undefined;
  let readOnly: boolean | undefined;
  let deferrable: boolean | undefined;
  for (const node of nodes ?? []) {
    const body = the(node, 'DefElem');
    const { defname, arg } = fields(context.source, 'DefElem', body, ['defname', 'arg']);
    const constant = as(arg, 'A_Const');
    const isOn = constant?.ival?.ival === 1;
    if (defname === 'transaction_isolation') isolation = constant?.sval?.sval;
    else if (defname === 'transaction_read_only') readOnly = isOn;
    else if (defname === 'transaction_deferrable') deferrable = isOn;
    else notSupported(context.source, `transaction mode ${defname}`, locationOf(body));
  }
  return { isolation, readOnly, deferrable };
}

export function bindSet(context: BindContext, body: ast.VariableSetStmt): Statement {
  const read = fields(context.source, 'VariableSetStmt', body, [
    'kind',
    'name',
    'args',
    'is_local',
    // Whether the values count for query statistics.
    'jumble_args',
  ]);
  const name = read.name ?? '';
  const local = read.is_local === true;
  switch (read.kind) {
    case 'VAR_SET_VALUE':
      return { kind: 'set', name, value: settingValue(context, name, read.args), local };
    case 'VAR_SET_DEFAULT':
      return { kind: 'set', name, value: undefined, local };
    case 'VAR_RESET':
      return { kind: 'reset', name };
    case 'VAR_RESET_ALL':
      return { kind: 'reset', name: undefined };
    case 'VAR_SET_MULTI':
      if (name !== 'TRANSACTION' && name !== 'SESSION CHARACTERISTICS') {
        notSupported(context.source, `SET ${name}`, undefined);
      }
      return {
        kind: 'setTransaction',
        modes: transactionModes(context, read.args),
        ofSession: name !== 'TRANSACTION',
      };
    default:
      return notSupported(context.source, 'SET ... FROM CURRENT', locationOf(body));
  }
}

function settingValue(
  context: BindContext,
  name: string,
  nodes: readonly ast.Node[] | undefined,
): string {
  const words = (nodes ?? []).map((node) => {
    const zone = name === 'timezone' ? zoneOfInterval(node) : undefined;
    if (zone !== undefined) return zone;
    const value = literalValue(context, node);
    return value === null ? '' : String(value);
  });
  return quoteNames(name, words);
}

/** The zone of SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE, in POSIX's form; hours and minutes are all it takes. */
function zoneOfInterval(node: ast.Node): string | undefined {
  const text = as(as(node, 'TypeCast')?.arg, 'A_Const')?.sval?.sval ?? '';
  const [, sign, hours, minutes] = /^([+-]?)(\d\d):(\d\d)$/.exec(text) ?? [];
  if (hours === undefined) return undefined;
  const distance = minutes === '00' ? hours : `${hours}:${minutes}`;
  return sign === '-' ? `<-${distance}>+${distance}` : `<+${distance}>-${distance}`;
}

/** A literal as its text; booleans as such, NULL as null. */
function literalValue(context: BindContext, node: ast.Node): string | boolean | null {
  const constant = as(node, 'A_Const');
  if (constant === undefined) {
    return notSupported(context.source, 'an expression in this place', nodeLocation(node));
  }
  const { ival, fval, boolval, sval, isnull } = fields(context.source, 'A_Const', constant, [
    'ival',
    'fval',
    'boolval',
    'sval',
    'isnull',
  ]);
  if (isnull) return null;
  if (ival !== undefined) return String(ival.ival ?? 0);
  if (boolval !== undefined) return boolval.boolval ?? false;
  return (fval === undefined ? sval?.sval : fval.fval) ?? '';
}

export function bindShow(context: BindContext, body: ast.VariableShowStmt): Statement {
  const { name = '' } = fields(context.source, 'VariableShowStmt', body, ['name']);
  return { kind: 'show', name };
}

/** The statement that EXPLAIN is about. Of its options only COSTS OFF changes nothing. */
export function explained(context: BindContext, body: ast.ExplainStmt): ast.Node {
  const { query, options } = fields(context.source, 'ExplainStmt', body, ['query', 'options']);
  for (const node of options ?? []) {
    const option = the(node, 'DefElem');
    const { defname = '', arg } = fields(context.source, 'DefElem', option, ['defname', 'arg']);
    const value = (as(arg, 'String')?.sval ?? String(as(arg, 'Integer')?.ival ?? '')).toLowerCase();
    if (defname === 'costs' && ['off', 'false', '0'].includes(value)) continue;
    if (defname === 'format' && value === 'text') continue;
    const construct = `EXPLAIN option ${defname.toUpperCase()}`;
    notSupported(context.source, construct, locationOf(option));
  }
  return must(query, 'EXPLAIN has a statement');
}

export function bindPrepare(
  context: BindContext,
  body: ast.PrepareStmt,
  parsed: ParsedStatement,
): Statement {
  const read = fields(context.source, 'PrepareStmt', body, ['name', 'argtypes', 'query']);
  const types = (read.argtypes ?? []).map((node) => bindTypeName(context, the(node, 'TypeName')));
  const node = must(read.query, 'PREPARE has a statement');
  return { kind: 'prepare', name: read.name ?? '', parsed: { ...parsed, node }, types };
}

export function bindExecute(context: BindContext, body: ast.ExecuteStmt): Statement {
  const { name = '', params } = fields(context.source, 'ExecuteStmt', body, ['name', 'params']);
  const clause: Clause = { scope: emptyScope, name: 'EXECUTE parameters', aggregates: undefined };
  const values = (params ?? []).map((node) => bindExpression(context, clause, node));
  return { kind: 'execute', name, arguments: values };
}

export function bindDiscard(context: BindContext, body: ast.DiscardStmt): Statement {
  const { target } = fields(context.source, 'DiscardStmt', body, ['target']);
  const what = (target ?? 'DISCARD_ALL').slice('DISCARD_'.length);
  return { kind: 'discard', what: what as 'ALL' | 'PLANS' | 'SEQUENCES' | 'TEMP' };
}

export function bindDeallocate(context: BindContext, body: ast.DeallocateStmt): Statement {
  const { name, isall } = fields(context.source, 'DeallocateStmt', body, ['name', 'isall']);
  return { kind: 'deallocate', name: isall ? undefined : name };
}
