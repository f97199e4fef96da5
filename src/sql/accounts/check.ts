/** Whether a role has the rights that a statement needs (PostgreSQL's ExecCheckRTPerms). */
import { unreachable } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import {
  type Descriptor,
  type Grant,
  predefinedRole,
  type Principal,
  right,
} from '../catalogue/index.js';
import type { Need, RelationNeed } from '../plan/needs.js';

/** Where the objects of needs are read; undefined: gone since, which is no matter of rights. */
export type Objects = (object: ObjectId) => Descriptor | undefined;

/** Raises insufficient_privilege for the first need that is not met. */
export function checkNeeds(needs: readonly Need[], objects: Objects, principal: Principal): void {
  for (const need of needs) checkNeed(need, objects, principal);
}

function checkNeed(need: Need, objects: Objects, runs: Principal): void {
  if (need.kind === 'role') {
    const { role, text, detail, hint } = need;
    const has = role === undefined ? runs.isSuperuser : runs.hasPrivilegesOf(predefinedRole(role));
    if (has) return;
    raise('insufficient_privilege', text, {
      ...(detail !== undefined && { detail }),
      ...(hint !== undefined && { hint }),
    });
  }
  const principal = need.as === undefined ? runs : runs.as(need.as);
  if (principal.isSuperuser) return;
  const object = objects(need.object);
  switch (need.kind) {
    case 'relation':
      if (object === undefined || mayUse(object, need, principal)) return;
      break;
    case 'function':
      if (object?.kind !== 'function') return;
      if ((principal.rightsOn(object) & right.execute) !== 0) return;
      break;
    case 'sequence':
      if (object?.kind !== 'sequence') return;
      if ((principal.rightsOn(object) & (right.usage | right.update)) !== 0) return;
      break;
    default:
      unreachable(need);
  }
  denied(object);
}

/** Raises insufficient_privilege for want of a right on `object`. */
export function denied({ kind, name }: Pick<Descriptor, 'kind' | 'name'>): never {
  raise('insufficient_privilege', `permission denied for ${kind} ${name}`);
}

/** Raises insufficient_privilege for what only the owner of `object` may do. */
export function notOwner({ kind, name }: Pick<Descriptor, 'kind' | 'name'>): never {
  raise('insufficient_privilege', `must be owner of ${kind} ${name}`);
}

function mayUse(object: Descriptor, need: RelationNeed, principal: Principal): boolean {
  if (object.kind !== 'table' && object.kind !== 'view' && object.kind !== 'sequence') return true;
  const missing = need.rights & ~principal.rightsOn(object);
  if (missing === 0) return true;
  // These there are on whole relations only.
  if ((missing & ~(right.select | right.insert | right.update)) !== 0) return false;
  const columns = columnGrants(object);
  const has = (bit: number, positions: readonly number[]): boolean => {
    if ((missing & bit) === 0) return true;
    const mayColumn = (grants: readonly Grant[] | undefined): boolean =>
      (principal.rightsOf(grants) & bit) !== 0;
    if (positions.length === 0) return [...columns.values()].some(mayColumn);
    return positions.every((position) => mayColumn(columns.get(position)));
  };
  return (
    has(right.select, need.selected) &&
    has(right.insert, need.inserted) &&
    has(right.update, need.updated)
  );
}

/** What is granted on single columns, by position; those of a view are counted from 1. */
export function columnGrants(
  object: Descriptor,
): ReadonlyMap<number, readonly Grant[] | undefined> {
  if (object.kind === 'table') {
    return new Map(object.columns.map(({ position, privileges }) => [position, privileges]));
  }
  if (object.kind !== 'view') return new Map();
  return new Map(object.columns.map(({ privileges }, i) => [i + 1, privileges]));
}
