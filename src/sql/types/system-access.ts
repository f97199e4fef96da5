/** What functions ask of the system catalogues, by OIDs as system relations show them. */
import type { Value } from './value.js';

export interface SystemAccess {
  /** The answer of a function that needs the catalogue; arguments as it was called with. */
  call(name: string, values: readonly Value[]): Value;
}
