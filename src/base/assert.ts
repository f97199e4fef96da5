/**
 * Assertions. They stay on in production: a node that meets a broken invariant must stop before it
 * answers from, or writes down, a state that cannot be. Data from outside is validated instead, and
 * answered with an error of the catalogue.
 */

/** A broken invariant of our own: a bug, never the user's fault. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws {@link AssertionError} unless `condition` holds. `values` are printed after the message. */
export function assert(
  condition: boolean,
  message: string,
  ...values: readonly unknown[]
): asserts condition {
  if (!condition) fail(message, values);
}

/** Marks a branch that the types say cannot be taken. */
export function unreachable(value: never): never {
  fail('unreachable', [value]);
}

/** `value`, asserted to be there. */
export function must<T>(value: T | undefined | null, message: string): T {
  if (value === undefined || value === null) fail(message, []);
  return value;
}

function fail(message: string, values: readonly unknown[]): never {
  const shown = values.map((value) => (typeof value === 'bigint' ? `${value}n` : String(value)));
  throw new AssertionError(shown.length === 0 ? message : `${message}: ${shown.join(', ')}`);
}
