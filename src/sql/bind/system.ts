/** System relations in FROM. */
import { assert, must } from '../../base/assert.js';
import { bootstrapRole, temporarySchema } from '../catalogue/index.js';
import { type ast, parse, type ParsedStatement, the } from '../parse/index.js';
import type { Expression, NamedExpression } from '../plan/expression.js';
import type { Relation } from '../plan/relation.js';
import {
  catalogSchema,
  type SystemRelation,
  systemRelationNamed,
  type SystemViewText,
  systemViewNamed,
} from '../system/index.js';
import { baseTypeName } from '../types/index.js';
import { coerce } from './coerce.js';
import { BindContext, ParameterTypes } from './context.js';
import { columnExpression } from './scope.js';
import { bindQuery } from './select.js';
import { StoredNames } from './view.js';

/** Texts of ours need no bound. */
const textLimits = { statementBytes: Number.MAX_SAFE_INTEGER };

/** What a name means in a system schema: a relation that is computed, or a view over such. */
export type SystemTable = SystemRelation | SystemViewText;

/**
 * The system relation that a name in FROM means. Those of pg_catalog are found before all others but
 * temporary tables, unless search_path says another place for the schema.
 */
export function findSystemTable(
  context: BindContext,
  { schemaname, relname = '' }: ast.RangeVar,
): SystemTable | undefined {
  if (schemaname !== undefined) return named(schemaname, relname);
  const { path } = context.catalogue;
  const schemas = path.includes(catalogSchema) ? path : [catalogSchema, ...path];
  for (const [i, schema] of schemas.entries()) {
    const found = named(schema, relname);
    if (found === undefined) continue;
    const other = context.catalogue.relation(undefined, relname);
    const isBefore =
      other !== undefined &&
      (other.schema === temporarySchema || schemas.slice(0, i).includes(other.schema));
    return isBefore ? undefined : found;
  }
  return undefined;
}

function named(schema: string, name: string): SystemTable | undefined {
  return systemRelationNamed(schema, name) ?? systemViewNamed(schema, name);
}

/** With what nobody but superusers may see: passwords, samples of all columns. */
const forSuperusers: ReadonlySet<string> = new Set(['pg_authid', 'pg_shadow', 'pg_statistic']);

export function bindSystemTable(context: BindContext, found: SystemTable): Relation {
  if (context.checkAs === undefined && forSuperusers.has(found.name)) {
    const kind = 'query' in found ? 'view' : 'table';
    const text = `permission denied for ${kind} ${found.name}`;
    context.needs.add({ kind: 'role', role: undefined, text });
  }
  return 'query' in found ? bindView(context, found) : bindRelation(context, found);
}

function bindRelation(context: BindContext, relation: SystemRelation): Relation {
  if (relation.asks) context.noteQuestion();
  const columns = relation.columns.map(({ name, type }) => ({
    column: context.nextColumn(),
    name,
    type: { name: type, modifier: -1 },
  }));
  context.origins.ofRelation(relation.oid, columns);
  return { kind: 'system', columns, relation, places: columns.map((_, place) => place) };
}

const parsedViews = new WeakMap<SystemViewText, ParsedStatement>();

function parsedView(view: SystemViewText): ParsedStatement {
  const known = parsedViews.get(view);
  if (known !== undefined) return known;
  const parsed = must(parse(view.query, textLimits)[0], 'a view has a query');
  parsedViews.set(view, parsed);
  return parsed;
}

/** The view's query, in the names and types that PostgreSQL's view has. */
function bindView(context: BindContext, view: SystemViewText): Relation {
  const { node, source } = parsedView(view);
  const catalogue = new StoredNames(context.catalogue, []);
  const { functions } = context;
  const inner = new BindContext(source, catalogue, functions, new ParameterTypes([]), context);
  inner.checkAs = bootstrapRole;
  const query = context.nested(() => bindQuery(inner, the(node, 'SelectStmt')));
  const { length } = query.columns;
  assert(length === view.columns.length, 'a view has the columns of its query', view.name, length);
  const expressions = view.columns.map(({ name, type }, i): NamedExpression => {
    const column = must(query.columns[i], 'a view has as many columns as its query');
    const base = { name: baseTypeName(type), modifier: -1 };
    const value = coerce(inner, columnExpression(column), base, 'explicit');
    const given = must(value, `a column ${name} of the type wanted`);
    // Values of the domains of information_schema come from here alone and need no check.
    const expression = { ...given, type: { name: type, modifier: -1 } } as Expression;
    return { column: context.nextColumn(), name, expression };
  });
  const columns = expressions.map(({ column, name, expression }) => ({
    column,
    name,
    type: expression.type,
  }));
  context.origins.ofRelation(view.oid, columns);
  return { kind: 'project', columns, input: query, expressions };
}
