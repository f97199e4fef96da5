/** Who holds and who waits for advisory locks. */
import type { AdvisoryMode, AdvisoryName, AdvisoryOwner } from './advisory-operations.js';

/** A session that has a lock or waits for one. */
export interface Owner extends AdvisoryOwner {
  readonly pid: number;
  readonly holds: Set<Claim>;
  wait: Claim | undefined;
}

/** A hold or a wait. */
export interface Claim {
  readonly owner: Owner;
  readonly lock: Lock;
  readonly mode: AdvisoryMode;
  /** The last request for it. */
  request: number;
}

export interface Lock {
  readonly name: AdvisoryName;
  readonly holders: Claim[];
  /** The first is granted first. */
  readonly queue: Claim[];
}

/** Whether two claims of different owners cannot both be granted. */
export function conflict(a: Claim, b: Claim): boolean {
  return a.owner !== b.owner && (a.mode === 'exclusive' || b.mode === 'exclusive');
}

/** Whether no holder stands against the claim. */
export function isFree(claim: Claim): boolean {
  return !claim.lock.holders.some((hold) => conflict(hold, claim));
}
