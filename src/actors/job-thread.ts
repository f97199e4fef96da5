/** What runs on the threads of {@link Jobs}: finds the job, and carries errors of the catalogue. */
import { DatabaseError, type ErrorDetails, type ErrorName } from '../base/errors.js';

export interface Job {
  readonly module: string;
  readonly name: string;
  readonly argument: unknown;
}

/** Cloning an error between threads keeps its text only, hence the parts of ours. */
export type JobOutcome =
  | { readonly kind: 'done'; readonly result: unknown }
  | {
      readonly kind: 'failed';
      readonly error: ErrorName;
      readonly message: string;
      readonly details: ErrorDetails;
    };

export async function run({ module, name, argument }: Job): Promise<JobOutcome> {
  const exported = (await import(module)) as Record<string, (argument: unknown) => unknown>;
  const job = exported[name];
  if (job === undefined) throw new TypeError(`${module} exports no ${name}`);
  try {
    return { kind: 'done', result: await job(argument) };
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return { kind: 'failed', error: error.kind, message: error.message, details: error.details };
  }
}
