/** Prints the texts of catalogue objects, each once as long as the objects stay as they are. */
import { BindContext, ParameterTypes } from '../bind/context.js';
import { bindExpression } from '../bind/expression.js';
import { tableRelation, tableScope } from '../bind/from.js';
import type { CatalogueLookup, TableDescriptor, ViewDescriptor } from '../catalogue/index.js';
import { parseExpression, type Source } from '../parse/index.js';
import type { Deparse } from '../system/index.js';
import type { FunctionContext } from '../types/index.js';
import { columnsRead } from '../rewrite/index.js';

/** The statements that made the texts were bounded already. */
const textLimits = { statementBytes: Number.MAX_SAFE_INTEGER };

export class Deparser implements Deparse {
  readonly #lookup: () => CatalogueLookup;
  readonly #functions: FunctionContext;

  constructor(lookup: () => CatalogueLookup, functions: FunctionContext) {
    this.#lookup = lookup;
    this.#functions = functions;
  }

  expression(sql: string, _of: TableDescriptor | undefined, _pretty: boolean): string {
    return sql;
  }

  columnsRead(table: TableDescriptor, sql: string): readonly number[] {
    const { node, source } = parseExpression(sql, textLimits);
    const context = this.#context(source);
    const relation = tableRelation(context, table);
    const scope = tableScope(context, relation, undefined);
    const clause = { scope, name: 'stored expressions', aggregates: undefined };
    const read = columnsRead(bindExpression(context, clause, node));
    return relation.positions.filter((_, i) => {
      const column = relation.columns[i]?.column;
      return column !== undefined && read.has(column);
    });
  }

  view(view: ViewDescriptor, _pretty: boolean): string {
    return ` ${view.query};`;
  }

  #context(source: Source): BindContext {
    return new BindContext(source, this.#lookup(), this.#functions, new ParameterTypes([]));
  }
}
