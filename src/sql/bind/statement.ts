/** From a parsed statement to a bound one. */
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { CatalogueLookup } from '../catalogue/names.js';
import { as, type ast, kindOf, nodeNotSupported, type ParsedStatement } from '../parse/index.js';
import type { RelationColumn } from '../plan/relation.js';
import type { BoundStatement, Statement } from '../plan/statement.js';
import type { FunctionContext, TypeName } from '../types/index.js';
import { bindAdminCall, isAdminCall } from './admin.js';
import {
  bindDeallocate,
  bindDiscard,
  bindExecute,
  bindPrepare,
  bindSet,
  bindShow,
  bindSetConstraints,
  bindTransaction,
  explained,
} from './command.js';
import { BindContext, ParameterTypes } from './context.js';
import { bindData } from './data.js';
import { bindNotification } from './notification.js';

/** What a statement is bound against. */
export interface Environment {
  readonly catalogue: CatalogueLookup;
  readonly functions: FunctionContext;
  /** Types of the parameters where the client states them. */
  readonly parameterTypes: readonly (TypeName | undefined)[];
}

/**
 * Resolves names and types. Raises PostgreSQL's errors with positions, and feature_not_supported
 * with the construct's name for whatever is not handled.
 */
export function bind(parsed: ParsedStatement, environment: Environment): BoundStatement {
  const parameters = new ParameterTypes(environment.parameterTypes);
  const context = new BindContext(
    parsed.source,
    environment.catalogue,
    environment.functions,
    parameters,
  );
  const statement = bindStatement(context, parsed);
  const types = parameters.decided().map((name) => ({ name, modifier: -1 }));
  const tables: TableDescriptor[] = [...context.used.values()];
  const writes = context.writes && statement.kind !== 'explain';
  const given = resultColumns(statement);
  const columns = given && context.origins.tell(given);
  const needs = context.needs.of(statement);
  const { takesNumbers, asks } = context;
  return { statement, writes, takesNumbers, asks, needs, parameters: types, columns, tables };
}

function bindStatement(context: BindContext, parsed: ParsedStatement): Statement {
  const { node } = parsed;
  if (isAdminCall(node)) return bindAdminCall(context, node);
  const data = bindData(context, node);
  if (data !== undefined) return data;
  const of = <K extends ast.NodeKind>(kind: K): ast.NodeOf<K> => as(node, kind) as ast.NodeOf<K>;
  switch (kindOf(node)) {
    case 'ConstraintsSetStmt':
      return bindSetConstraints(context, of('ConstraintsSetStmt'));
    case 'TransactionStmt':
      return bindTransaction(context, of('TransactionStmt'));
    case 'VariableSetStmt':
      return bindSet(context, of('VariableSetStmt'));
    case 'VariableShowStmt':
      return bindShow(context, of('VariableShowStmt'));
    case 'ExplainStmt': {
      const inner = explained(context, of('ExplainStmt'));
      const statement = bindData(context, inner);
      if (statement === undefined) nodeNotSupported(context.source, inner);
      return { kind: 'explain', statement };
    }
    case 'PrepareStmt':
      return bindPrepare(context, of('PrepareStmt'), parsed);
    case 'ExecuteStmt':
      return bindExecute(context, of('ExecuteStmt'));
    case 'ListenStmt':
    case 'UnlistenStmt':
    case 'NotifyStmt':
      return bindNotification(context, node);
    case 'DiscardStmt':
      return bindDiscard(context, of('DiscardStmt'));
    case 'DeallocateStmt':
      return bindDeallocate(context, of('DeallocateStmt'));
    default:
      return nodeNotSupported(context.source, node);
  }
}

const text = { name: 'text', modifier: -1 } as const;
const jsonb = { name: 'jsonb', modifier: -1 } as const;

/** A token is copied from where it is shown: without the quotes of JSON. */
function administeredType(name: string): typeof text | typeof jsonb {
  return name === 'create_api_token' ? text : jsonb;
}

function resultColumns(statement: Statement): readonly RelationColumn[] | undefined {
  switch (statement.kind) {
    case 'query':
      return statement.input.columns;
    case 'insert':
    case 'update':
    case 'delete':
      return statement.returning?.columns;
    case 'copyTo':
      return statement.columns;
    case 'show':
      return [{ column: 0, name: statement.name, type: text }];
    case 'administer':
      return [{ column: 0, name: statement.column, type: administeredType(statement.name) }];
    case 'explain':
      return [{ column: 0, name: 'QUERY PLAN', type: text }];
    default:
      return undefined;
  }
}
