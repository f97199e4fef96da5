/** Functions that ask the catalogue, by name and number of arguments as functions/system.ts has them. */
import type { Value } from '../../types/index.js';
import type { SystemCatalogue } from '../system-catalogue.js';

export type SystemFunction = (view: SystemCatalogue, ...values: readonly Value[]) => Value;

const functions: ReadonlyMap<string, SystemFunction> = new Map<string, SystemFunction>([]);

export function systemFunction(name: string): SystemFunction | undefined {
  return functions.get(name);
}
