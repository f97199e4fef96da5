/** Functions that ask the catalogue, by name: signatures are in ../../functions/system.ts. */
import type { Row, Value } from '../../types/index.js';
import type { SystemCatalogue } from '../system-catalogue.js';
import { definitionFunctions } from './definitions.js';
import { factFunctions, factSets } from './facts.js';
import { namingFunctions } from './naming.js';
import { privilegeFunctions, privilegeSets } from './privileges.js';
import { routineFunctions } from './routines.js';

/** Takes the arguments of any of the signatures that have its name. */
export type SystemFunction = (
  view: SystemCatalogue,
  ...values: readonly (Value | undefined)[]
) => Value;

/** The same for one that returns a set. */
export type SystemSet = (
  view: SystemCatalogue,
  ...values: readonly (Value | undefined)[]
) => Iterable<Value | Row>;

const functions: ReadonlyMap<string, SystemFunction> = new Map(
  Object.entries({
    ...namingFunctions,
    ...definitionFunctions,
    ...routineFunctions,
    ...factFunctions,
    ...privilegeFunctions,
  }),
);

const sets: ReadonlyMap<string, SystemSet> = new Map(
  Object.entries({ ...factSets, ...privilegeSets }),
);

export function systemFunction(name: string): SystemFunction | undefined {
  return functions.get(name);
}

export function systemSet(name: string): SystemSet | undefined {
  return sets.get(name);
}
