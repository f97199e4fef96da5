/** FOR VALUES of a partition: its values, and that no row can belong to two partitions. */
import { quotedText } from '../functions/index.js';
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { coerce } from '../bind/coerce.js';
import { bindExpression, type Clause, nodeLocation } from '../bind/expression.js';
import { bindPartitioning, compareEnds } from '../bind/partitions.js';
import { emptyScope } from '../bind/scope.js';
import type { BoundType } from '../bind/type-name.js';
import type {
  PartitionBound,
  Partitioning,
  PartitionKey,
  RangeDatum,
  TableDescriptor,
} from '../catalogue/index.js';
import { evaluateAll } from '../execute/index.js';
import { as, type ast, fields, locationOf, stringsOf } from '../parse/index.js';
import type { BoundEnd, BoundPart } from '../plan/partitions.js';
import { printType, typeNamed, type Value } from '../types/index.js';
import type { DdlContext } from './context.js';

/** A bound with its values and with what the catalogue keeps of them. */
interface NewBound {
  readonly stored: PartitionBound;
  readonly part: BoundPart;
}

const strategies: Readonly<Record<string, Partitioning['strategy']>> = {
  l: 'list',
  r: 'range',
  h: 'hash',
};

/** Reads the bound of a partition `name` of `parent`. Raises when it overlaps another one's. */
export function boundOf(
  context: DdlContext,
  parent: TableDescriptor,
  name: string,
  spec: ast.PartitionBoundSpec,
): PartitionBound {
  const { bind } = context;
  const partitioning = must(parent.partitioning, 'a partitioned table');
  const read = fields(bind.source, 'PartitionBoundSpec', spec, [
    ...(['strategy', 'is_default', 'modulus', 'remainder', 'listdatums'] as const),
    ...(['lowerdatums', 'upperdatums'] as const),
  ]);
  const at = locationOf(spec);
  const { strategy } = partitioning;
  if (read.is_default === true) {
    if (strategy === 'hash') {
      const text = 'a hash-partitioned table may not have a default partition';
      raise('invalid_table_definition', text);
    }
    const other = defaultOf(context, partitioning);
    if (other !== undefined) {
      const text = `partition "${name}" conflicts with existing default partition "${other.name}"`;
      bind.raise(at, 'invalid_object_definition', text);
    }
    return { kind: 'default' };
  }
  if (strategies[read.strategy ?? ''] !== strategy) {
    const text = `invalid bound specification for a ${strategy} partition`;
    bind.raise(at, 'invalid_table_definition', text);
  }
  const bound = newBound(context, parent, partitioning, read);
  // Of a range its lower end is to blame.
  const [lowest] = read.lowerdatums ?? [];
  const where = lowest === undefined ? at : nodeLocation(lowest);
  if (bound.part.kind === 'range' && bound.stored.kind === 'range') {
    checkRange(context, partitioning.keys, name, bound.part, bound.stored, where);
  }
  const overlapping = overlapped(context, parent, partitioning, bound.part);
  if (overlapping !== undefined) {
    const text = `partition "${name}" would overlap partition "${overlapping.name}"`;
    const datum = read.lowerdatums?.[differingKey(partitioning.keys, bound.part, overlapping.part)];
    bind.raise(datum === undefined ? at : nodeLocation(datum), 'invalid_object_definition', text);
  }
  return bound.stored;
}

function tableOf({ catalogue }: DdlContext, object: TableDescriptor['object']): TableDescriptor {
  return catalogue.object(object) as TableDescriptor;
}

/** The partition of all that belongs to no other. */
export function defaultOf(
  context: DdlContext,
  { partitions }: Partitioning,
): TableDescriptor | undefined {
  return partitions
    .map((object) => tableOf(context, object))
    .find(({ partitionOf }) => partitionOf?.bound.kind === 'default');
}

function newBound(
  context: DdlContext,
  parent: TableDescriptor,
  { strategy, keys }: Partitioning,
  read: ast.PartitionBoundSpec,
): NewBound {
  switch (strategy) {
    case 'hash':
      return hashBound(read);
    case 'list': {
      const values = (read.listdatums ?? []).map((node) => datumOf(context, parent, keys, 0, node));
      const distinct = values.filter(
        (one, i) => values.findIndex((other) => other.text === one.text) === i,
      );
      return {
        stored: { kind: 'list', values: distinct.map(({ text }) => text) },
        part: { kind: 'list', values: distinct.map(({ value }) => value) },
      };
    }
    case 'range': {
      const from = rangeEnd(context, parent, keys, read.lowerdatums, 'FROM');
      const to = rangeEnd(context, parent, keys, read.upperdatums, 'TO');
      return {
        stored: { kind: 'range', from: from.stored, to: to.stored },
        part: { kind: 'range', from: from.end, to: to.end },
      };
    }
    default:
      return strategy satisfies never;
  }
}

function hashBound({ modulus = 0, remainder = 0 }: ast.PartitionBoundSpec): NewBound {
  const invalid = (text: string): never => raise('invalid_table_definition', text);
  if (modulus <= 0) {
    invalid('modulus for hash partition must be an integer value greater than zero');
  }
  if (remainder < 0) {
    invalid('remainder for hash partition must be an integer value greater than or equal to zero');
  }
  if (remainder >= modulus) invalid('remainder for hash partition must be less than modulus');
  const bound = { kind: 'hash', modulus, remainder } as const;
  return { stored: bound, part: bound };
}

function rangeEnd(
  context: DdlContext,
  parent: TableDescriptor,
  keys: readonly PartitionKey[],
  nodes: readonly ast.Node[] = [],
  word: 'FROM' | 'TO',
): { readonly stored: readonly RangeDatum[]; readonly end: BoundEnd } {
  if (nodes.length !== keys.length) {
    const text = `${word} must specify exactly one value per partitioning column`;
    raise('invalid_table_definition', text);
  }
  let beyond: 'minvalue' | 'maxvalue' | undefined;
  const stored: RangeDatum[] = [];
  const end: BoundEnd[number][] = [];
  for (const [i, node] of nodes.entries()) {
    const said = stringsOf(as(node, 'ColumnRef')?.fields ?? [])[0];
    const datum = said === 'minvalue' || said === 'maxvalue' ? said : undefined;
    if (beyond !== undefined && datum !== beyond) {
      const bound = beyond.toUpperCase();
      const text = `every bound following ${bound} must also be ${bound}`;
      context.bind.raise(nodeLocation(node), 'datatype_mismatch', text);
    }
    beyond = datum;
    if (datum !== undefined) {
      stored.push(datum);
      end.push(datum);
      continue;
    }
    const { value, text } = datumOf(context, parent, keys, i, node);
    if (text === null) raise('invalid_object_definition', 'cannot specify NULL in range bound');
    stored.push({ text });
    end.push({ value });
  }
  return { stored, end };
}

/** The value of a bound in the key's type, and its text. */
function datumOf(
  context: DdlContext,
  parent: TableDescriptor,
  keys: readonly PartitionKey[],
  i: number,
  node: ast.Node,
): { readonly value: Value; readonly text: string | null } {
  const { bind, execution } = context;
  const key = must(keys[i], 'a value per key');
  const clause: Clause = { scope: emptyScope, name: 'partition bound', aggregates: undefined };
  const reference = as(node, 'ColumnRef');
  if (reference !== undefined) {
    const text = 'cannot use column reference in partition bound expression';
    bind.raise(locationOf(reference), 'feature_not_supported', text);
  }
  const type: BoundType = { name: key.type as BoundType['name'], modifier: key.typeModifier };
  const bound = coerce(bind, bindExpression(bind, clause, node), type, 'assignment');
  if (bound === undefined) {
    const column = parent.columns.find(({ position }) => position === key.column)?.name;
    const shown = column ?? key.expression ?? '';
    const text = `specified value cannot be cast to type ${printType(type.name, -1)} for column "${shown}"`;
    raise('datatype_mismatch', text);
  }
  const [value = null] = evaluateAll([bound], execution);
  const text = value === null ? null : typeNamed(type.name).print(value, execution.functions);
  return { value, text };
}

function checkRange(
  { bind }: DdlContext,
  keys: readonly PartitionKey[],
  name: string,
  part: Extract<BoundPart, { kind: 'range' }>,
  stored: Extract<PartitionBound, { kind: 'range' }>,
  at: number | undefined,
): void {
  if (compareEnds(keys, part.from, part.to) < 0) return;
  const shown = (data: readonly RangeDatum[]): string =>
    data
      .map((datum, i) =>
        typeof datum === 'string' ? datum.toUpperCase() : literal(keys[i]?.type, datum.text),
      )
      .join(', ');
  bind.raise(
    at,
    'invalid_object_definition',
    `empty range bound specified for partition "${name}"`,
    {
      detail: `Specified lower bound (${shown(stored.from)}) is greater than or equal to upper bound (${shown(stored.to)}).`,
    },
  );
}

function literal(type: string | undefined, text: string): string {
  return typeNamed(type ?? 'text').category === 'N' ? text : quotedText(text);
}

/** The name of a partition that a row of the new one could belong to. */
function overlapped(
  context: DdlContext,
  parent: TableDescriptor,
  { keys }: Partitioning,
  part: BoundPart,
): { readonly name: string; readonly part: BoundPart } | undefined {
  const row = context.bind.catalogue.columnsOf(parent).map((column) => ({
    column: context.bind.nextColumn(),
    name: column.name,
    type: { name: column.type, modifier: column.typeModifier },
  }));
  const bound = must(bindPartitioning(context.bind, parent, row), 'a partitioned table');
  const found = bound.partitions.find((one) => overlaps(keys, one.bound, part));
  return found && { name: tableOf(context, found.table).name, part: found.bound };
}

/** The first key in which the lower ends of two ranges differ; 0 where they do not. */
function differingKey(keys: readonly PartitionKey[], a: BoundPart, b: BoundPart): number {
  if (a.kind !== 'range' || b.kind !== 'range') return 0;
  const at = keys.findIndex((_, i) => compareEnds(keys.slice(0, i + 1), a.from, b.from) !== 0);
  return Math.max(at, 0);
}

function overlaps(keys: readonly PartitionKey[], a: BoundPart, b: BoundPart): boolean {
  if (a.kind === 'range' && b.kind === 'range') {
    return compareEnds(keys, a.from, b.to) < 0 && compareEnds(keys, b.from, a.to) < 0;
  }
  if (a.kind === 'list' && b.kind === 'list') {
    const { compare } = typeNamed(keys[0]?.type ?? 'text');
    return a.values.some((x) =>
      b.values.some((y) => (x === null || y === null ? x === y : compare?.(x, y) === 0)),
    );
  }
  if (a.kind === 'hash' && b.kind === 'hash') {
    const [small, large] = a.modulus < b.modulus ? [a, b] : [b, a];
    if (large.modulus % small.modulus !== 0) {
      const text = 'every hash partition modulus must be a factor of the next larger modulus';
      raise('invalid_object_definition', text);
    }
    return large.remainder % small.modulus === small.remainder;
  }
  return false;
}
