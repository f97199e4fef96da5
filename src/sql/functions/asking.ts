/** The functions that ask the session: their statements may be executed more than once. */
import { advisoryLockFunctions } from './advisory-lock.js';

export const askingFunctions: ReadonlySet<string> = new Set(
  advisoryLockFunctions.map(({ name }) => name),
);
