/** How the tables of set-returning functions are written down. */
import { must } from '../../base/assert.js';
import {
  elementTypeName,
  type FunctionContext,
  RecordValue,
  type Row,
  type TypeName,
  typeNamed,
  type Value,
} from '../types/index.js';
import type { ParameterType } from './definition.js';
import { define } from './definition.js';
import type { SetColumn, SetFunction, Volatility } from './function.js';

/** Gives values for a function of one column, rows for one of several. */
export type SetImplementation = (
  values: readonly Value[],
  context: FunctionContext,
  columns: readonly SetColumn[],
) => Iterable<Value | Row>;

export interface SetDefinition {
  readonly name: string;
  readonly parameters: readonly ParameterType[];
  readonly variadic: boolean;
  /** The type of the only column; `record` for several. */
  readonly result: ParameterType;
  /** Columns of the rows where there are several; undefined where the call lists them. */
  readonly columns: readonly SetColumn[] | undefined;
  readonly strict: boolean;
  readonly volatility: Volatility;
  readonly specialise: (parameters: readonly TypeName[], result: TypeName) => SetImplementation;
}

export interface SetOptions {
  /** Default true: a NULL argument gives no rows. */
  readonly strict?: boolean;
  /** Default immutable. */
  readonly volatility?: Volatility;
}

const signaturePattern = /^(.*): setof (?:(\w+)|\((.*)\))$/;

/**
 * One line of a table: `generate_series(int4, int4): setof int4`, `json_each(json): setof (key text,
 * value json)`, `json_array_elements(json): setof (value json)` for one column with a name, or `json_to_recordset(json): setof record` where the call lists the columns.
 */
export function defineSet(
  signature: string,
  implementation: SetImplementation,
  options: SetOptions = {},
): SetDefinition {
  return specialisedSet(signature, () => implementation, options);
}

/** As {@link defineSet} for one that depends on the types of its arguments. */
export function specialisedSet(
  signature: string,
  specialise: SetDefinition['specialise'],
  options: SetOptions = {},
): SetDefinition {
  const parts = must(signaturePattern.exec(signature), `no signature: ${signature}`);
  const [, call = '', alone, list] = parts;
  const columns = list?.split(', ').map(columnOf);
  const only = columns?.length === 1 ? columns[0]?.type : undefined;
  const single = alone ?? only ?? 'record';
  const isRecord = single === 'record';
  const typed = define(`${call}: ${isRecord ? 'void' : single}`, () => null);
  const { name, parameters, variadic, result } = typed;
  return {
    name,
    parameters,
    variadic,
    result: isRecord ? ('record' as ParameterType) : result,
    columns,
    strict: options.strict ?? true,
    volatility: options.volatility ?? 'immutable',
    specialise,
  };
}

function columnOf(text: string): SetColumn {
  const [name = '', type = ''] = text.split(' ');
  return { name, type: type as TypeName, modifier: -1 };
}

/** The function for argument types that have been chosen. */
export function makeSet(
  definition: SetDefinition,
  parameters: readonly TypeName[],
  result: TypeName,
): SetFunction {
  const { name, strict, volatility } = definition;
  const implementation = definition.specialise(parameters, result);
  const made = { name, form: 'set', parameters, result, strict, volatility } as const;
  if (definition.result === 'record') {
    const columns = definition.columns?.map((column) =>
      (column.type as string) === 'anyelement'
        ? { ...column, type: must(elementTypeName(parameters[0] ?? 'unknown'), 'of an array') }
        : column,
    );
    return { ...made, columns, rows: implementation as SetFunction['rows'] };
  }
  const { form } = typeNamed(result);
  if (form?.kind === 'composite') {
    const { fields } = form.shape;
    return {
      ...made,
      columns: fields,
      rows: (values, context, columns) =>
        spread(implementation(values, context, columns), fields.length),
    };
  }
  return {
    ...made,
    columns: [{ name: definition.columns?.[0]?.name ?? name, type: result, modifier: -1 }],
    rows: (values, context, columns) => wrapped(implementation(values, context, columns)),
  };
}

/** Records lie over the columns of their type; NULL is a row of NULLs. */
function* spread(values: Iterable<Value | Row>, width: number): Generator<Row, void, undefined> {
  for (const value of values) {
    yield value instanceof RecordValue ? value.values : new Array<Value>(width).fill(null);
  }
}

function* wrapped(values: Iterable<Value | Row>): Generator<Row, void, undefined> {
  for (const value of values) yield [value as Value];
}
