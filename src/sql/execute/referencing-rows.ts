/** Finds the rows that reference keys of a parent, by an index where one fits. */
import { must } from '../../base/assert.js';
import type { Span } from '../../storage/engine.js';
import { fitsKey } from '../rewrite/index.js';
import { IndexEncoder, KeyEncoder, rowSpan } from '../storage-format/index.js';
import type { Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import type { ForeignKey } from './foreign-keys.js';
import { keyFitter } from './key-values.js';
import { spanOfPrefix, TableRows } from './table-rows.js';
import { pause, type Pause } from './stream.js';
import type { StoredRow } from './table-writer.js';

/** Spans of an index or of the rows themselves; undefined values give none. */
interface Lookup {
  readonly by: 'rows' | 'entries';
  span(values: readonly Value[]): Span | undefined;
}

export class ReferencingRows {
  readonly #key: ForeignKey;
  readonly #rows: TableRows;
  readonly #lookup: Lookup | undefined;

  constructor(key: ForeignKey) {
    this.#key = key;
    this.#rows = new TableRows(key.child);
    this.#lookup = compileLookup(key);
  }

  /**
   * The rows that reference one of `keys`, with that key's place in the list. They are read as the
   * transaction sees them before the open command.
   */
  *find(
    keys: readonly (readonly Value[])[],
    context: ExecutionContext,
  ): Generator<Pause | readonly Referencing[], void, undefined> {
    const places = new Map(keys.map((values, place) => [this.#key.hash(values), place]));
    const matching = (rows: readonly StoredRow[]): readonly Referencing[] =>
      rows.flatMap((stored) => {
        const wanted = this.#key.wantedBy(stored.row, context);
        const place = wanted && places.get(this.#key.hash(wanted.values));
        return place === undefined ? [] : [{ ...stored, place }];
      });
    for (const { by, span } of this.#spans(keys)) {
      const rows =
        by === 'rows' ? this.#rows.ofRows(span, context) : this.#rows.ofEntries(span, context);
      for (const batch of rows) {
        if (batch === pause) {
          yield pause;
          continue;
        }
        const found = matching(batch);
        if (found.length > 0) yield found;
      }
    }
  }

  /** Where to look: at each key, or once at all rows. */
  *#spans(
    keys: readonly (readonly Value[])[],
  ): Generator<{ readonly by: Lookup['by']; readonly span: Span }, void, undefined> {
    const lookup = this.#lookup;
    if (lookup === undefined) {
      yield { by: 'rows', span: rowSpan(this.#key.child) };
      return;
    }
    for (const values of keys) {
      const span = lookup.span(values);
      if (span !== undefined) yield { by: lookup.by, span };
    }
  }
}

export interface Referencing extends StoredRow {
  readonly place: number;
}

/** By the primary key or an index whose first columns are those that reference. */
function compileLookup(key: ForeignKey): Lookup | undefined {
  const { child, types } = key;
  const columns = key.bound.key.columns;
  const columnTypes = key.childSlots.map((slot) => must(child.columns[slot], 'a column').type);
  if (!types.every((type, i) => fitsKey(type, columnTypes[i] ?? ''))) return undefined;
  const fits = types.map((type, i) => keyFitter(type, columnTypes[i] ?? ''));
  const spanBy = (
    order: readonly number[],
    encoder: { begin(): unknown; add(value: Value): unknown; search(): Uint8Array },
    values: readonly Value[],
  ): Span | undefined => {
    encoder.begin();
    for (const at of order) {
      const fitted = must(fits[at], 'a fit per column')(values[at] as Value);
      if (typeof fitted === 'string') return undefined;
      encoder.add(fitted.value);
    }
    return spanOfPrefix(encoder.search());
  };
  const leads = (leading: readonly (number | undefined)[]): boolean =>
    leading.length === columns.length && columns.every((one) => leading.includes(one));
  if (leads(child.primaryKey.slice(0, columns.length))) {
    const order = child.primaryKey.slice(0, columns.length).map((one) => columns.indexOf(one));
    const encoder = new KeyEncoder(child);
    return { by: 'rows', span: (values) => spanBy(order, encoder, values) };
  }
  for (const index of child.indexes) {
    const leading = index.keys.slice(0, columns.length).map(({ column }) => column);
    if (index.predicate !== undefined || !leads(leading)) continue;
    const order = leading.map((one) => columns.indexOf(one ?? 0));
    const encoder = new IndexEncoder(child.database, index);
    return { by: 'entries', span: (values) => spanBy(order, encoder, values) };
  }
  return undefined;
}
