/** Views in FROM: the query that the catalogue keeps is bound in the view's place. */
import { must } from '../../base/assert.js';
import type { ObjectId } from '../../base/ids.js';
import type {
  ColumnDescriptor,
  Descriptor,
  FunctionDescriptor,
  Reference,
  RelationDescriptor,
  TableDescriptor,
  TypeDescriptor,
  ViewDescriptor,
} from '../catalogue/descriptor.js';
import { oidOf } from '../catalogue/index.js';
import type { CatalogueLookup } from '../catalogue/names.js';
import { parse, type ParsedStatement, the } from '../parse/index.js';
import type { NamedExpression } from '../plan/expression.js';
import type { Relation } from '../plan/relation.js';
import { coerce } from './coerce.js';
import { BindContext, ParameterTypes } from './context.js';
import { bindQuery } from './select.js';
import { columnExpression } from './scope.js';
import type { BoundType } from './type-name.js';

/** The statement that made the text was bounded already. */
const viewLimits = { statementBytes: Number.MAX_SAFE_INTEGER };

const parsedViews = new WeakMap<ViewDescriptor, ParsedStatement>();

function parsedView(view: ViewDescriptor): ParsedStatement {
  const known = parsedViews.get(view);
  if (known !== undefined) return known;
  const parsed = must(parse(view.query, viewLimits)[0], 'a view has a query');
  parsedViews.set(view, parsed);
  return parsed;
}

/** The view's rows, in the names and types that it has. */
export function bindView(context: BindContext, view: ViewDescriptor): Relation {
  const { node, source } = parsedView(view);
  const catalogue = new StoredNames(context.catalogue, view.references);
  const { functions } = context;
  const inner = new BindContext(source, catalogue, functions, new ParameterTypes([]), context);
  if (!view.securityInvoker) inner.checkAs = view.owner;
  const query = context.nested(() => bindQuery(inner, the(node, 'SelectStmt')));
  const expressions = view.columns.map(({ name, type, typeModifier }, i): NamedExpression => {
    const column = must(query.columns[i], 'a view has as many columns as its query');
    const wanted: BoundType = { name: type as BoundType['name'], modifier: typeModifier };
    const value = columnExpression(column);
    const expression = coerce(inner, value, wanted, 'explicit') ?? value;
    return { column: context.nextColumn(), name, expression };
  });
  const columns = expressions.map(({ column, name, expression }) => ({
    column,
    name,
    type: expression.type,
  }));
  context.origins.ofRelation(oidOf(view.object), columns);
  return { kind: 'project', columns, input: query, expressions };
}

/** Names of a stored text: they mean what they meant when it was stored, whatever is called so now. */
export class StoredNames implements CatalogueLookup {
  readonly #catalogue: CatalogueLookup;
  readonly #references: readonly Reference[];
  readonly creationSchema = undefined;
  readonly path = [];

  constructor(catalogue: CatalogueLookup, references: readonly Reference[]) {
    this.#catalogue = catalogue;
    this.#references = references;
  }

  get principal(): CatalogueLookup['principal'] {
    return this.#catalogue.principal;
  }

  relation(schema: string | undefined, name: string): RelationDescriptor | undefined {
    for (const { reference, object } of this.#named(schema, name)) {
      if (object.kind === 'table') return { ...object, name: reference.name };
      if (object.kind === 'view' || object.kind === 'sequence') return object;
    }
    return undefined;
  }

  type(schema: string | undefined, name: string): TypeDescriptor | undefined {
    for (const { object } of this.#named(schema, name)) {
      if (object.kind === 'type') return object;
    }
    return undefined;
  }

  functions(schema: string | undefined, name: string): readonly FunctionDescriptor[] {
    return this.#named(schema, name).flatMap(({ object }) =>
      object.kind === 'function' ? [object] : [],
    );
  }

  object(object: ObjectId): Descriptor | undefined {
    return this.#catalogue.object(object);
  }

  table(object: ObjectId): TableDescriptor | undefined {
    return this.#catalogue.table(object);
  }

  columnsOf(table: TableDescriptor): readonly ColumnDescriptor[] {
    const reference = this.#references.find(({ object }) => object === table.object);
    if (reference === undefined) return this.#catalogue.columnsOf(table);
    const names = new Map(reference.columns.map((column) => [column.position, column.name]));
    return table.columns.flatMap((column) => {
      const name = names.get(column.position);
      return name === undefined ? [] : [{ ...column, name }];
    });
  }

  hasSchema(name: string): boolean {
    return this.#catalogue.hasSchema(name);
  }

  mayCreateIn(schema: string): boolean {
    return this.#catalogue.mayCreateIn(schema);
  }

  #named(
    schema: string | undefined,
    name: string,
  ): readonly { readonly reference: Reference; readonly object: Descriptor }[] {
    return this.#references
      .filter((one) => one.schema === schema && one.name === name)
      .flatMap((reference) => {
        const object = this.#catalogue.object(reference.object);
        return object === undefined ? [] : [{ reference, object }];
      });
  }
}
