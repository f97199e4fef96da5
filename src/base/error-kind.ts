/** What the error catalogue says of an error. */

/**
 * Who may try again, and what. `never`: the same request fails again until something is changed.
 * `statement`: the same statement may be sent again. `transaction`: roll back, run the whole
 * transaction again. `later`: the same request may succeed when the node or the load has changed.
 * `unknown`: it may or may not have happened; look before trying again.
 */
export type Retry = 'never' | 'statement' | 'transaction' | 'later' | 'unknown';

export interface ErrorKind {
  readonly sqlstate: string;
  readonly retry: Retry;
  /** One sentence: what to do. */
  readonly advice: string;
}
