/**
 * Cycles among those who wait for advisory locks, found when somebody comes to wait: no cycle comes about
 * otherwise. So it is found at once, not after a timeout, and at all replicas alike.
 */
import { must } from '../base/assert.js';
import { type Claim, conflict, isFree, type Lock, type Owner } from './advisory-claims.js';
import type { AdvisoryMode } from './advisory-operations.js';

export type Deadlock =
  | { readonly kind: 'deadlock'; readonly detail: string }
  /** The claim could be granted but for those who came before: if it passes them there is no cycle. */
  | { readonly kind: 'jump'; readonly claim: Claim };

/** The cycle that the owner's wait closes; undefined: none. */
export function deadlockOf(owner: Owner): Deadlock | undefined {
  const hard = cycleThrough(owner, holdersAgainst);
  if (hard !== undefined) return { kind: 'deadlock', detail: detailOf(hard) };
  const soft = cycleThrough(owner, allAgainst);
  if (soft === undefined) return undefined;
  // In a cycle without others some claim waits for its turn only.
  for (const { wait } of soft) {
    if (wait !== undefined && isFree(wait)) return { kind: 'jump', claim: wait };
  }
  return { kind: 'deadlock', detail: detailOf(soft) };
}

type Against = (wait: Claim) => readonly Claim[];

const holdersAgainst: Against = (wait) => wait.lock.holders.filter((hold) => conflict(hold, wait));

/** Holders, and those who came before and want what does not go together. */
const allAgainst: Against = (wait) => {
  const { queue } = wait.lock;
  const before = queue.slice(0, queue.indexOf(wait));
  return [...holdersAgainst(wait), ...before.filter((other) => conflict(other, wait))];
};

/** The owners of a cycle, from the given one on: each waits for the next. */
function cycleThrough(start: Owner, against: Against): readonly Owner[] | undefined {
  const cameFrom = new Map<Owner, Owner>();
  const open: Owner[] = [start];
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    for (const { owner: next } of at.wait === undefined ? [] : against(at.wait)) {
      if (next === start) return pathTo(at, start, cameFrom);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, at);
      open.push(next);
    }
  }
  return undefined;
}

function pathTo(end: Owner, start: Owner, cameFrom: ReadonlyMap<Owner, Owner>): readonly Owner[] {
  const path: Owner[] = [end];
  for (let at = end; at !== start; path.unshift(at)) at = must(cameFrom.get(at), 'a way back');
  return path;
}

function detailOf(cycle: readonly Owner[]): string {
  const lines = cycle.map((owner, i) => {
    const next = must(cycle[(i + 1) % cycle.length], 'a cycle goes on');
    const { lock, mode } = must(owner.wait, 'who is in a cycle waits');
    const what = `${modeName(mode)} on advisory lock ${printLock(lock)}`;
    return `Process ${owner.pid} waits for ${what}; blocked by process ${next.pid}.`;
  });
  return lines.join('\n');
}

function printLock({ name: { database, classId, objectId, isPair } }: Lock): string {
  return `[${database},${classId},${objectId},${isPair ? 2 : 1}]`;
}

/** As PostgreSQL calls the modes of its locks. */
export function modeName(mode: AdvisoryMode): string {
  return mode === 'exclusive' ? 'ExclusiveLock' : 'ShareLock';
}
