/** How values of each type are written in json and become nodes of jsonb (PostgreSQL's json.c, jsonb.c). */
import { printDate, printTimestamp, printTimestamptz } from '../types/datetime-type.js';
import {
  type ArrayValue,
  baseTypeName,
  type FunctionContext,
  type Jsonb,
  Numeric,
  type RecordShape,
  type RecordValue,
  type TypeName,
  typeNamed,
  userTypeOf,
  type Value,
} from '../types/index.js';
import { type JsonNode, jsonObject, parseJsonb } from '../types/jsonb.js';
import { parseNumeric } from '../types/numeric-type.js';

/** A value as JSON text; NULL as `null`. */
export type ToJson = (context: FunctionContext, value: Value) => string;
/** A value as a node of jsonb. */
export type ToNode = (context: FunctionContext, value: Value) => JsonNode;

const numbers: ReadonlySet<TypeName> = new Set([
  'int2',
  'int4',
  'int8',
  'float4',
  'float8',
  'numeric',
]);

/** Arrays and records: json_agg() puts each on a line of its own. */
export function isStructure(name: TypeName): boolean {
  const base = baseTypeName(name);
  return elementOf(base) !== undefined || isRecord(base);
}

/** How values of a type are written in JSON. */
export function jsonWriter(name: TypeName): ToJson {
  const write = writerOf(baseTypeName(name));
  return (context, value) => (value === null ? 'null' : write(context, value));
}

function writerOf(name: TypeName): ToJson {
  const type = typeNamed(name);
  if (name === 'bool') return (_, value) => String(value);
  if (name === 'json' || name === 'jsonb') return (context, value) => type.print(value, context);
  const element = elementOf(name);
  if (element !== undefined) return arrayWriter(element, ',');
  if (isRecord(name)) return recordWriter(name, ',');
  const print = jsonPrinter(name);
  if (!numbers.has(name)) return (context, value) => JSON.stringify(print(context, value));
  return (context, value) => {
    const text = print(context, value);
    return /^-?[0-9]/.test(text) ? text : JSON.stringify(text);
  };
}

/** Arrays with `separator` between the items of the outermost dimension. */
export function arrayWriter(element: TypeName, separator: string): ToJson {
  const write = jsonWriter(element);
  return (context, value) =>
    nested(
      value as ArrayValue,
      (one) => write(context, one),
      (items, depth) => `[${items.join(depth === 0 ? separator : ',')}]`,
      '[]',
    );
}

/** Records with `separator` between their members. */
export function recordWriter(name: TypeName, separator: string): ToJson {
  const writers = shapeMemo(name, jsonWriter);
  return (context, value) => {
    const { shape, values } = value as RecordValue;
    const write = writers(shape);
    const members = values.map(
      (one, i) => `${JSON.stringify(shape.fields[i]?.name)}:${write[i]?.(context, one)}`,
    );
    return `{${members.join(separator)}}`;
  };
}

/** Dates and times in ISO 8601 whatever DateStyle says, all else as PostgreSQL prints it. */
export function jsonPrinter(name: TypeName): ToJson {
  if (name === 'date') return (_, value) => printDate(value as number);
  if (name === 'timestamp') return (_, value) => printTimestamp(value as bigint, 'T');
  if (name === 'timestamptz') {
    return ({ timeZone }, value) =>
      printTimestamptz(value as bigint, timeZone, 'T').replace(/([+-]\d\d)$/, '$1:00');
  }
  const type = typeNamed(name);
  return (context, value) => type.print(value, context);
}

/** How values of a type become nodes of jsonb. */
export function nodeWriter(name: TypeName): ToNode {
  const write = nodeWriterOf(baseTypeName(name));
  return (context, value) => (value === null ? null : write(context, value));
}

function nodeWriterOf(name: TypeName): ToNode {
  if (name === 'jsonb') return (_, value) => (value as Jsonb).root;
  if (name === 'json') return (_, value) => parseJsonb(value as string).root;
  if (name === 'bool') return (_, value) => value as boolean;
  const element = elementOf(name);
  if (element !== undefined) {
    const toNode = nodeWriter(element);
    return (context, value) =>
      nested<JsonNode>(
        value as ArrayValue,
        (one) => toNode(context, one),
        (items) => items,
        [],
      );
  }
  if (isRecord(name)) return recordNodeWriter(name);
  const print = jsonPrinter(name);
  const isNumber = numbers.has(name);
  return (context, value) => {
    if (value instanceof Numeric && value.isFinite) return value;
    const text = print(context, value);
    return isNumber && /^-?[0-9]/.test(text) ? parseNumeric(text) : text;
  };
}

function recordNodeWriter(name: TypeName): ToNode {
  const writers = shapeMemo(name, nodeWriter);
  return (context, value) => {
    const { shape, values } = value as RecordValue;
    const toNode = writers(shape);
    return jsonObject(
      values.map(
        (one, i) => [shape.fields[i]?.name ?? '', toNode[i]?.(context, one) ?? null] as const,
      ),
    );
  };
}

/** The writers of a record's fields, made once for each shape that comes by. */
function shapeMemo<W>(
  name: TypeName,
  make: (type: TypeName) => W,
): (shape: RecordShape) => readonly W[] {
  let last: { readonly shape: RecordShape; readonly writers: readonly W[] } | undefined;
  const user = userTypeOf(name);
  const known =
    user?.kind === 'composite' ? user.shape.fields.map(({ type }) => make(type)) : undefined;
  return (shape) => {
    if (known !== undefined) return known;
    if (last?.shape !== shape)
      last = { shape, writers: shape.fields.map(({ type }) => make(type)) };
    return last.writers;
  };
}

function elementOf(name: TypeName): TypeName | undefined {
  const { form } = typeNamed(name);
  return form?.kind === 'array' ? form.element : undefined;
}

function isRecord(name: TypeName): boolean {
  return name === 'record' || typeNamed(name).form?.kind === 'composite';
}

/** An array's elements folded dimension by dimension. */
function nested<T>(
  { dimensions, elements }: ArrayValue,
  leaf: (element: Value) => T,
  join: (items: readonly T[], depth: number) => T,
  empty: T,
): T {
  if (dimensions.length === 0) return empty;
  let at = 0;
  const fold = (depth: number): T => {
    if (depth === dimensions.length) {
      const element = elements[at] ?? null;
      at += 1;
      return leaf(element);
    }
    const items = Array.from({ length: dimensions[depth] ?? 0 }, () => fold(depth + 1));
    return join(items, depth);
  };
  return fold(0);
}
