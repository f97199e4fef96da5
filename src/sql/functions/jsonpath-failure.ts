/** Errors of paths, apart from those of whoever calls: `silent` and conditions take them back. */
import { DatabaseError, type ErrorName } from '../../base/errors.js';

/** Raises an error that `silent` and conditions turn into nothing or unknown. */
export function fail(kind: ErrorName, message: string): never {
  throw new PathFailure(new DatabaseError(kind, message));
}

export class PathFailure extends Error {
  readonly error: DatabaseError;

  constructor(error: DatabaseError) {
    super(error.message);
    this.error = error;
  }
}
