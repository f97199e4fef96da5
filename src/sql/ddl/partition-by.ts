/** PARTITION BY: by what a table's rows are divided. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { bindExpression } from '../bind/expression.js';
import type { Partitioning, PartitionKey } from '../catalogue/index.js';
import { type ast, fields, indexElementTexts, locationOf, the } from '../parse/index.js';
import { requireKeyType } from './constraint.js';
import type { TableDraft } from './draft.js';
import { isImmutable, positionsRead } from './generated.js';
import { usedWithin } from './uses.js';

const strategies: Readonly<Record<string, Partitioning['strategy']>> = {
  PARTITION_STRATEGY_LIST: 'list',
  PARTITION_STRATEGY_RANGE: 'range',
  PARTITION_STRATEGY_HASH: 'hash',
};

export function setPartitioning(draft: TableDraft, spec: ast.PartitionSpec): void {
  const { bind } = draft.context;
  const read = fields(bind.source, 'PartitionSpec', spec, ['strategy', 'partParams']);
  const strategy = strategies[read.strategy ?? ''] ?? 'list';
  const elements = (read.partParams ?? []).map((node) => the(node, 'PartitionElem'));
  if (strategy === 'list' && elements.length > 1) {
    const text = 'cannot use "list" partition strategy with more than one column';
    raise('invalid_object_definition', text);
  }
  const texts = indexElementTexts(bind.source, locationOf(spec) ?? 0);
  const keys = elements.map((element, i) => keyOf(draft, element, texts[i] ?? ''));
  draft.set({ partitioning: { strategy, keys, partitions: [] } });
  checkUnique(draft, keys);
}

function keyOf(draft: TableDraft, element: ast.PartitionElem, text: string): PartitionKey {
  const { bind } = draft.context;
  const read = fields(bind.source, 'PartitionElem', element, [
    ...(['name', 'expr', 'collation', 'opclass'] as const),
  ]);
  const at = locationOf(element);
  if (read.name !== undefined) {
    const column = draft.column(read.name);
    if (column === undefined) {
      const error = `column "${read.name}" named in partition key does not exist`;
      return bind.raise(at, 'undefined_column', error);
    }
    if (column.generated !== undefined) {
      return bind.raise(
        at,
        'invalid_object_definition',
        'cannot use generated column in partition key',
        {
          detail: `Column "${read.name}" is a generated column.`,
        },
      );
    }
    requireKeyType(column.type);
    const { position, type, typeModifier, collation } = column;
    return { column: position, expression: undefined, type, typeModifier, collation };
  }
  const scope = draft.scope();
  const clause = { scope, name: 'partition key expressions', aggregates: undefined };
  const node = must(read.expr, 'a key is a column or an expression');
  const { value, uses } = usedWithin(bind, (inner) => bindExpression(inner, clause, node));
  if (positionsRead(scope, value).length === 0) {
    raise('invalid_object_definition', 'cannot use constant expression as partition key');
  }
  if (!isImmutable(value)) {
    const error = 'functions in partition key expression must be marked IMMUTABLE';
    raise('invalid_object_definition', error);
  }
  requireKeyType(value.type.name);
  draft.set({ uses: [...new Set([...draft.table.uses, ...uses])] });
  const { name: type, modifier: typeModifier } = value.type;
  return { column: undefined, expression: text, type, typeModifier, collation: undefined };
}

/** A unique key must say which partition a row lies in. */
export function checkUnique(draft: TableDraft, keys: readonly PartitionKey[]): void {
  const { primaryKey, indexes, name } = draft.table;
  const unique = [
    ...(primaryKey.length === 0 ? [] : [{ word: 'PRIMARY KEY', columns: primaryKey }]),
    ...indexes
      .filter((index) => index.unique)
      .map(({ primary, keys: own }) => ({
        word: primary ? 'PRIMARY KEY' : 'UNIQUE',
        columns: own.flatMap(({ column }) => (column === undefined ? [] : [column])),
      })),
  ];
  for (const { word, columns } of unique) {
    for (const { column } of keys) {
      if (column === undefined) {
        const text = `unsupported ${word} constraint with partition key definition`;
        raise('feature_not_supported', text, {
          detail: `${word} constraints cannot be used when partition keys include expressions.`,
        });
      }
      if (columns.includes(column)) continue;
      const text = 'unique constraint on partitioned table must include all partitioning columns';
      raise('feature_not_supported', text, {
        detail: `${word} constraint on table "${name}" lacks column "${draft.columnAt(column).name}" which is part of the partition key.`,
      });
    }
  }
}
