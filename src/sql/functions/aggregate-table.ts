/** All aggregates by name. */
import type { TypeName } from '../types/index.js';
import type { ParameterType } from './definition.js';
import type { AggregateFunction } from './function.js';

export interface AggregateDefinition {
  readonly name: string;
  readonly parameters: readonly ParameterType[];
  readonly variadic: false;
  /** `count(*)`. */
  readonly star: boolean;
  readonly make: (parameters: readonly TypeName[]) => AggregateFunction;
}

const aggregates = new Map<string, readonly AggregateDefinition[]>();

export function aggregatesNamed(name: string): readonly AggregateDefinition[] {
  return aggregates.get(name) ?? [];
}
