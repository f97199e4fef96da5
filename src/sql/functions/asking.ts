/** The functions that ask the session: their statements may be executed more than once. */
import { advisoryLockFunctions } from './advisory-lock.js';
import { backendFunctions } from './backend.js';

export const askingFunctions: ReadonlySet<string> = new Set(
  [...advisoryLockFunctions, ...backendFunctions].map(({ name }) => name),
);
