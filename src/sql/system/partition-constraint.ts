/** What rows of a partition satisfy, as pg_get_partition_constraintdef() prints it (partbounds.c). */
import {
  oidOf,
  type PartitionBound,
  type PartitionKey,
  type RangeDatum,
  type TableDescriptor,
} from '../catalogue/index.js';
import { quotedText, quoteIdentifier } from '../functions/index.js';
import { printType } from '../types/index.js';
import type { SystemCatalogue } from './system-catalogue.js';

/** NULL for what is not printed: ranges over several columns. */
export function partitionConstraint(
  view: SystemCatalogue,
  table: TableDescriptor,
): string | undefined {
  const conditions: string[] = [];
  for (let at: TableDescriptor | undefined = table; at?.partitionOf !== undefined; ) {
    const { parent: object, bound } = at.partitionOf;
    const parent = view.catalogue.objectIfThere(object);
    if (parent?.kind !== 'table') return undefined;
    const own = conditionsOf(view, parent, bound);
    if (own === undefined) return undefined;
    conditions.unshift(...own);
    at = parent;
  }
  if (conditions.length === 0) return undefined;
  return conditions.length === 1 ? conditions[0] : all(conditions);
}

function all(conditions: readonly string[]): string {
  return conditions.length === 1 ? (conditions[0] ?? '') : `(${conditions.join(' AND ')})`;
}

function any(conditions: readonly string[]): string {
  return conditions.length === 1 ? (conditions[0] ?? '') : `(${conditions.join(' OR ')})`;
}

function conditionsOf(
  view: SystemCatalogue,
  parent: TableDescriptor,
  bound: PartitionBound,
): readonly string[] | undefined {
  const keys = parent.partitioning?.keys ?? [];
  const names = keys.map((key) => nameOf(view, parent, key));
  const [key] = keys;
  const [name = ''] = names;
  if (key === undefined) return undefined;
  if (bound.kind === 'hash') {
    const { modulus, remainder } = bound;
    const oid = oidOf(parent.object);
    return [
      `satisfies_hash_partition('${oid}'::oid, ${modulus}, ${remainder}, ${names.join(', ')})`,
    ];
  }
  if (keys.length > 1) return undefined;
  switch (bound.kind) {
    case 'list':
      return [listed(name, key, bound.values)].flat();
    case 'range':
      return [`(${name} IS NOT NULL)`, ...within(name, key, bound.from[0], bound.to[0])];
    case 'default':
      return elsewhere(view, parent, name, key);
  }
}

function nameOf({ home }: SystemCatalogue, table: TableDescriptor, key: PartitionKey): string {
  const column = table.columns.find(({ position }) => position === key.column);
  if (column !== undefined) return quoteIdentifier(column.name);
  return home.deparse.expression(key.expression ?? '', table, false);
}

function constant({ type }: PartitionKey, text: string): string {
  if (type === 'int4' && !text.startsWith('-')) return text;
  if (type === 'bool') return text === 't' ? 'true' : 'false';
  return `${quotedText(text)}::${printType(type, -1)}`;
}

function listed(
  name: string,
  key: PartitionKey,
  values: readonly (string | null)[],
): readonly string[] {
  const texts = values.filter((value) => value !== null).map((value) => constant(key, value));
  const isOne =
    texts.length === 1 ? `(${name} = ${texts[0]})` : `(${name} = ANY (ARRAY[${texts.join(', ')}]))`;
  if (!values.includes(null)) return [`(${name} IS NOT NULL)`, isOne];
  return texts.length === 0 ? [`(${name} IS NULL)`] : [any([`(${name} IS NULL)`, isOne])];
}

function within(
  name: string,
  key: PartitionKey,
  from: RangeDatum | undefined,
  to: RangeDatum | undefined,
): readonly string[] {
  const bound = (sign: string, datum: RangeDatum | undefined): readonly string[] =>
    typeof datum === 'object' ? [`(${name} ${sign} ${constant(key, datum.text)})`] : [];
  return [...bound('>=', from), ...bound('<', to)];
}

/** What no other partition takes. */
function elsewhere(
  view: SystemCatalogue,
  parent: TableDescriptor,
  name: string,
  key: PartitionKey,
): readonly string[] {
  const others = (parent.partitioning?.partitions ?? []).flatMap((object) => {
    const child = view.catalogue.objectIfThere(object);
    const bound = child?.kind === 'table' ? child.partitionOf?.bound : undefined;
    return bound === undefined || bound.kind === 'default' ? [] : [bound];
  });
  if (others.length === 0) return [];
  const lists = others.flatMap((bound) => (bound.kind === 'list' ? [bound.values] : []));
  if (lists.length > 0) {
    const values = lists.flat().sort((a, b) => ((a ?? '') < (b ?? '') ? -1 : 1));
    return [`(NOT ${all(listed(name, key, values))})`];
  }
  const ranges = others.flatMap((bound) =>
    bound.kind === 'range' ? [all(within(name, key, bound.from[0], bound.to[0]))] : [],
  );
  return [`(NOT ${all([`(${name} IS NOT NULL)`, any(ranges)])})`];
}
