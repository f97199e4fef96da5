/** Which partition a row belongs to. */
import { must } from '../../base/assert.js';
import { ByteWriter } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import type { BoundEnd, BoundPartitioning, Partition } from '../plan/partitions.js';
import { type HashKey, type Row, typeNamed, type Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { keyText } from './row-text.js';
import { type Evaluate, scopeOf } from './scope.js';

type Choose = (values: readonly Value[]) => ObjectId | undefined;

/** One level of a partitioned table. */
export class PartitionRouter {
  readonly partitioning: BoundPartitioning;
  readonly #keys: readonly Evaluate[];
  readonly #choose: Choose;

  constructor(partitioning: BoundPartitioning) {
    const scope = scopeOf(partitioning.row, partitioning.table.database);
    this.partitioning = partitioning;
    this.#keys = partitioning.keys.map((key) => compileExpression(key, scope));
    this.#choose = compileChoose(partitioning);
  }

  /** The partition of a row of the table; undefined when there is none for it. */
  find(row: Row, context: ExecutionContext): ObjectId | undefined {
    return this.#choose(this.#valuesOf(row, context));
  }

  /** Raises 23514 as PostgreSQL does. */
  raiseNone(row: Row, context: ExecutionContext): never {
    const { table, keys, names } = this.partitioning;
    const values = this.#valuesOf(row, context);
    const shown = keys.map(({ type }, i) => ({ type: type.name, value: values[i] ?? null }));
    const key = keyText(names, shown, context.functions).replace(')=(', ') = (');
    raise('check_violation', `no partition of relation "${table.name}" found for row`, {
      detail: `Partition key of the failing row contains ${key}.`,
      schema: table.schema,
      table: table.name,
    });
  }

  #valuesOf(row: Row, context: ExecutionContext): readonly Value[] {
    return this.#keys.map((key) => key(row, context));
  }
}

function compileChoose({ keys, partitions, table }: BoundPartitioning): Choose {
  const otherwise = partitions.find(({ bound }) => bound.kind === 'default')?.table;
  const types = keys.map(({ type }) => type.name);
  switch (table.partitioning?.strategy) {
    case 'list':
      return chooseOfList(must(types[0], 'a list has one key'), partitions, otherwise);
    case 'hash':
      return chooseByHash(types, partitions);
    default:
      return chooseOfRanges(types, partitions, otherwise);
  }
}

function chooseOfList(
  type: string,
  partitions: readonly Partition[],
  otherwise: ObjectId | undefined,
): Choose {
  const hashKey = must(typeNamed(type).hashKey, 'values of a key can be told apart');
  const byValue = new Map<HashKey, ObjectId>();
  let ofNull: ObjectId | undefined;
  for (const { table, bound } of partitions) {
    for (const value of bound.kind === 'list' ? bound.values : []) {
      if (value === null) ofNull = table;
      else byValue.set(hashKey(value), table);
    }
  }
  return ([value]) => {
    const found = value === null || value === undefined ? ofNull : byValue.get(hashKey(value));
    return found ?? otherwise;
  };
}

function chooseOfRanges(
  types: readonly string[],
  partitions: readonly Partition[],
  otherwise: ObjectId | undefined,
): Choose {
  const compares = types.map((type) =>
    must(typeNamed(type).compare, 'values of a key have an order'),
  );
  /** Negative when the values lie before the end. */
  const against = (values: readonly Value[], end: BoundEnd): number => {
    for (const [i, datum] of end.entries()) {
      if (datum === 'minvalue') return 1;
      if (datum === 'maxvalue') return -1;
      const order = must(compares[i], 'a type per key')(values[i] as Value, datum.value);
      if (order !== 0) return order;
    }
    return 0;
  };
  const ranges = partitions.flatMap(({ table, bound }) =>
    bound.kind === 'range' ? [{ table, ...bound }] : [],
  );
  return (values) => {
    // NULL lies in no range.
    if (values.includes(null)) return otherwise;
    const found = ranges.find(
      ({ from, to }) => against(values, from) >= 0 && against(values, to) < 0,
    );
    return found?.table ?? otherwise;
  };
}

/** FNV-1a over the bytes that the values have in keys: the same for equal values. */
function chooseByHash(types: readonly string[], partitions: readonly Partition[]): Choose {
  const codecs = types.map((type) => must(typeNamed(type).key, 'the type can be part of a key'));
  const writer = new ByteWriter(64);
  return (values) => {
    writer.clear();
    for (const [i, value] of values.entries()) {
      if (value === null) writer.uint8(0);
      else must(codecs[i], 'a codec per key').encode(writer.uint8(1), value);
    }
    let hash = 0x811c9dc5;
    for (const byte of writer.view()) hash = Math.imul(hash ^ byte, 0x01000193);
    const found = partitions.find(
      ({ bound }) => bound.kind === 'hash' && (hash >>> 0) % bound.modulus === bound.remainder,
    );
    return found?.table;
  };
}
