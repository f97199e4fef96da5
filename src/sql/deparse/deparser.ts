/** Prints the texts of catalogue objects, each once as long as the objects stay as they are. */
import { DatabaseError } from '../../base/errors.js';
import { must } from '../../base/assert.js';
import { coerce } from '../bind/coerce.js';
import { BindContext, ParameterTypes } from '../bind/context.js';
import { bindExpression, type Clause } from '../bind/expression.js';
import { tableRelation, tableScope } from '../bind/from.js';
import { emptyScope, type Scope } from '../bind/scope.js';
import { bindQuery } from '../bind/select.js';
import { nameOfNode } from '../bind/target.js';
import { StoredNames } from '../bind/view.js';
import type { CatalogueLookup, TableDescriptor, ViewDescriptor } from '../catalogue/index.js';
import { parse, parseExpression, type Source, the } from '../parse/index.js';
import { columnsRead } from '../rewrite/index.js';
import type { Deparse, Named } from '../system/index.js';
import { type FunctionContext, printType, type TypeName } from '../types/index.js';
import { CurrentNames } from './current-names.js';
import { ExpressionPrinter } from './expression.js';
import { type Printing, Unprintable, withLines } from './printing.js';
import { QueryPrinter } from './query.js';
import { Witness } from './witness.js';

/** The statements that made the texts were bounded already. */
const textLimits = { statementBytes: Number.MAX_SAFE_INTEGER };

/** Texts by the object that they are of; whoever asks next may have another search path. */
const known = new WeakMap<object, Map<string, string>>();

/** Texts that are kept of one object. */
const textsMax = 1000;

export class Deparser implements Deparse {
  readonly #lookup: () => CatalogueLookup;
  readonly #functions: FunctionContext;

  constructor(lookup: () => CatalogueLookup, functions: FunctionContext) {
    this.#lookup = lookup;
    this.#functions = functions;
  }

  expression(sql: string, named: Named, pretty: boolean, wanted?: string): string {
    const print = (): string =>
      printed(sql, () => this.#printExpression(sql, named, pretty, wanted));
    if (named?.kind !== 'table') return print();
    const path = this.#lookup().path.join();
    return kept(named, `${pretty}\0${path}\0${wanted ?? ''}\0${sql}`, print);
  }

  columnsRead(table: TableDescriptor, sql: string): readonly number[] {
    const { node, source } = parseExpression(sql, textLimits);
    const context = this.#context(source, this.#lookup());
    const relation = tableRelation(context, table);
    const clause = clauseOf(tableScope(context, relation, undefined));
    const read = columnsRead(bindExpression(context, clause, node));
    return relation.positions.filter((_, i) => {
      const column = relation.columns[i]?.column;
      return column !== undefined && read.has(column);
    });
  }

  columnName(sql: string): string {
    const { node, source } = parseExpression(sql, textLimits);
    return nameOfNode(this.#context(source, this.#lookup()), node)?.name ?? 'expr';
  }

  view(view: ViewDescriptor, pretty: boolean): string {
    const lookup = this.#lookup();
    const versions = view.references.map(({ object }) => lookup.object(object)?.version);
    const key = `${pretty}\0${lookup.path.join()}\0${versions.join()}`;
    return kept(view, key, () =>
      printed(` ${view.query};`, () => `${this.#printView(view, pretty)};`),
    );
  }

  #printExpression(sql: string, named: Named, pretty: boolean, type: string | undefined): string {
    const { node, source } = parseExpression(sql, textLimits);
    const context = this.#context(source, this.#lookup());
    const witness = new Witness();
    context.witness = witness;
    const bound = bindExpression(context, clauseOf(scopeOf(context, named)), node);
    const wanted =
      type === undefined
        ? undefined
        : coerce(context, bound, { name: type as TypeName, modifier: -1 }, 'assignment');
    const printing = this.#printing(witness, pretty, false);
    return withLines(new ExpressionPrinter(printing).top(node, wanted, false));
  }

  #printView(view: ViewDescriptor, pretty: boolean): string {
    const { node, source } = must(parse(view.query, textLimits)[0], 'a view has a query');
    const query = the(node, 'SelectStmt');
    const lookup = this.#lookup();
    const context = this.#context(source, new StoredNames(lookup, view.references));
    const witness = new Witness();
    context.witness = witness;
    bindQuery(context, query);
    const names = new CurrentNames(query, view.references, lookup);
    const queries: { printer?: QueryPrinter } = {};
    const printing: Printing = {
      ...this.#printing(witness, pretty, true),
      current: (column) => names.column(column),
      indent: () => queries.printer?.indent ?? 0,
      query: (inner) => must(queries.printer, 'made below').query(inner),
    };
    const expressions = new ExpressionPrinter(printing);
    queries.printer = new QueryPrinter(
      {
        witness,
        pretty,
        current: (column) => names.column(column),
        relation: (schema, name) => names.relation(schema, name),
      },
      expressions,
    );
    const text = queries.printer.query(
      query,
      view.columns.map(({ name }) => name),
    );
    return withLines(text);
  }

  #printing(witness: Witness, pretty: boolean, qualified: boolean): Printing {
    return {
      witness,
      pretty,
      qualified,
      functions: this.#functions,
      typeText: printType,
      current: (column) => column,
      indent: () => 0,
      query: () => {
        throw new Unprintable('a query');
      },
    };
  }

  #context(source: Source, catalogue: CatalogueLookup): BindContext {
    return new BindContext(source, catalogue, this.#functions, new ParameterTypes([]));
  }
}

function kept(of: object, key: string, print: () => string): string {
  const texts = known.get(of) ?? new Map<string, string>();
  known.set(of, texts);
  const before = texts.get(key);
  if (before !== undefined) return before;
  if (texts.size >= textsMax) texts.clear();
  const text = print();
  texts.set(key, text);
  return text;
}

/** As it was written where it cannot be printed: what it names may be gone. */
function printed(written: string, print: () => string): string {
  try {
    return print();
  } catch (error) {
    if (error instanceof Unprintable || error instanceof DatabaseError) return written;
    throw error;
  }
}

function clauseOf(scope: Scope): Clause {
  return { scope, name: 'stored expressions', aggregates: undefined };
}

function scopeOf(context: BindContext, named: Named): Scope {
  if (named === undefined) return emptyScope;
  if (named.kind === 'table') return tableScope(context, tableRelation(context, named), undefined);
  const type = { name: named.type, modifier: -1 };
  const expression = { kind: 'column', type, column: 0 } as const;
  return { relations: [], visible: [{ name: 'value', expression }] };
}
