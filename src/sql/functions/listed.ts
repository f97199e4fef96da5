/** All functions of the system, as pg_proc lists them. */
import { allAggregates } from './aggregate-table.js';
import type { ParameterType } from './definition.js';
import type { SetColumn, Volatility } from './function.js';
import { allSets } from './set-table.js';
import { allDefinitions } from './table.js';
import { allWindows } from './window.js';

export interface ListedFunction {
  readonly name: string;
  readonly parameters: readonly ParameterType[];
  readonly variadic: boolean;
  readonly result: ParameterType;
  /** As pg_proc.prokind. */
  readonly kind: 'f' | 'a' | 'w';
  readonly strict: boolean;
  readonly volatility: Volatility;
  /** Of a set: its columns where the call does not list them. */
  readonly columns: readonly SetColumn[] | undefined;
  readonly returnsSet: boolean;
}

const computed = { strict: false, volatility: 'immutable', columns: undefined } as const;

export function* listedFunctions(): Iterable<ListedFunction> {
  for (const definition of allDefinitions) {
    if (definition.form !== 'function') continue;
    yield { ...definition, kind: 'f', columns: undefined, returnsSet: false };
  }
  for (const definition of allSets) yield { ...definition, kind: 'f', returnsSet: true };
  for (const definition of allAggregates) {
    const parameters = definition.star ? [] : definition.parameters;
    yield { ...definition, ...computed, parameters, kind: 'a', returnsSet: false };
  }
  for (const definition of allWindows) {
    yield { ...definition, ...computed, variadic: false, kind: 'w', returnsSet: false };
  }
}

/** Whether there is an operator for just these types; `left` undefined for a prefix operator. */
export function hasOperator(name: string, left: string | undefined, right: string): boolean {
  return allDefinitions.some(
    ({ form, name: own, parameters }) =>
      form === 'operator' &&
      own === name &&
      parameters.length === (left === undefined ? 1 : 2) &&
      parameters.at(-1) === right &&
      (left === undefined || parameters[0] === left),
  );
}
