/** What the relations and columns that a stored query names are called now. */
import type { CatalogueLookup, Descriptor, Reference } from '../catalogue/index.js';
import { quoteIdentifier } from '../functions/index.js';
import type { ast } from '../parse/index.js';
import { Unprintable } from './printing.js';
import type { ColumnName } from './witness.js';

/** An entry of FROM, by the name that the text has for it. */
interface Entry {
  readonly relation: string;
  readonly columns: ReadonlyMap<string, string>;
}

export class CurrentNames {
  readonly #references: readonly Reference[];
  readonly #lookup: CatalogueLookup;
  readonly #entries = new Map<string, Entry>();

  /** Raises Unprintable where one name stands for entries that were renamed differently. */
  constructor(query: ast.SelectStmt, references: readonly Reference[], lookup: CatalogueLookup) {
    this.#references = references;
    this.#lookup = lookup;
    this.#walk(query);
  }

  column(column: ColumnName): ColumnName {
    const entry = column.relation === undefined ? undefined : this.#entries.get(column.relation);
    if (entry === undefined) return column;
    const { relation, columns } = entry;
    return { relation, name: columns.get(column.name) ?? column.name };
  }

  /** With its schema where the search path does not find it. */
  relation(schema: string | undefined, name: string): string {
    const { object } = this.#find(schema, name);
    if (object === undefined) {
      const isPlain = schema === undefined || schema === 'pg_catalog';
      const own = quoteIdentifier(name);
      return isPlain ? own : `${quoteIdentifier(schema)}.${own}`;
    }
    const own = quoteIdentifier(object.name);
    const isSeen = this.#lookup.relation(undefined, object.name)?.object === object.object;
    return isSeen ? own : `${quoteIdentifier(object.schema)}.${own}`;
  }

  #find(
    schema: string | undefined,
    name: string,
  ): { readonly reference?: Reference; readonly object?: Descriptor | undefined } {
    const reference = this.#references.find((one) => one.schema === schema && one.name === name);
    return reference === undefined
      ? {}
      : { reference, object: this.#lookup.object(reference.object) };
  }

  #walk(node: unknown): void {
    if (typeof node !== 'object' || node === null) return;
    if ('RangeVar' in node) this.#note(node.RangeVar as ast.RangeVar);
    for (const part of Object.values(node)) this.#walk(part);
  }

  #note({ schemaname, relname = '', alias }: ast.RangeVar): void {
    const { reference, object } = this.#find(schemaname, relname);
    if (reference === undefined || object === undefined) return;
    const now = object.kind === 'table' ? object.columns : [];
    // Names that the entry gives its columns hide theirs.
    const renamed = (alias?.colnames ?? []).length > 0 ? [] : reference.columns;
    const columns = new Map(
      renamed.flatMap(({ position, name }) => {
        const column = now.find((one) => one.position === position);
        return column === undefined || column.name === name ? [] : [[name, column.name] as const];
      }),
    );
    const name = alias?.aliasname ?? relname;
    const relation = alias?.aliasname ?? object.name;
    const known = this.#entries.get(name);
    const isSame =
      known === undefined || (known.relation === relation && sameNames(known.columns, columns));
    if (!isSame) throw new Unprintable('two entries of one name');
    this.#entries.set(name, { relation, columns });
  }
}

function sameNames(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, now]) => b.get(name) === now);
}
