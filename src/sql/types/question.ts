/**
 * What a function asks of its session that takes time or only others can say. The session answers after the
 * execution and executes again (session/questions.ts); until then the function goes on with a guess.
 */

/** A key of an advisory lock as pg_locks shows it: a bigint is cut in two halves. */
export interface AdvisoryKey {
  /** The high half, or the first of two keys; 32 bits without sign, as `objectId`. */
  readonly classId: number;
  readonly objectId: number;
  /** Two int4 and one bigint are different keys. */
  readonly isPair: boolean;
}

export type AdvisoryMode = 'shared' | 'exclusive';

export type Question =
  /** Takes an advisory lock: true, or false where it is to be had by waiting only and it does not wait. */
  | {
      readonly kind: 'lock';
      readonly key: AdvisoryKey;
      readonly mode: AdvisoryMode;
      /** Until when it is held: until it is unlocked, or the transaction ends. */
      readonly level: 'session' | 'transaction';
      readonly waits: boolean;
    }
  /** Gives a lock of the session back: whether it was held. */
  | { readonly kind: 'unlock'; readonly key: AdvisoryKey; readonly mode: AdvisoryMode }
  | { readonly kind: 'unlockAll' }
  /** Lets time pass; the answer is void's. */
  | { readonly kind: 'sleep'; readonly ms: number }
  /** What all sessions of the cluster do: JSON of a list of reports (session/report.ts). */
  | { readonly kind: 'sessions' }
  /** Ends a statement or a session: `done`, or `absent`, `lasting`, `silent` as session/activity-protocol.ts has it. */
  | {
      readonly kind: 'signal';
      readonly what: 'cancel' | 'terminate';
      readonly pid: number;
      readonly waitMs: number;
    };
