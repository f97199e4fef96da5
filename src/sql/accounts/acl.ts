/** Granting and revoking: what becomes of the grants on an object (PostgreSQL's aclupdate and its kin). */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { everyone, type Grant, type Principal } from '../catalogue/index.js';

/** An object's owner, and how roles are looked at. */
export interface GrantScope {
  readonly owner: ObjectId;
  readonly principal: Principal;
}

/** The rights that `role` may grant on. */
function optionsOf(grants: readonly Grant[], role: ObjectId, scope: GrantScope): number {
  const principal = scope.principal.as(role);
  if (principal.hasPrivilegesOf(scope.owner)) return ~0;
  let options = 0;
  for (const { grantee, options: given } of grants) {
    if (grantee !== everyone && principal.acting.has(grantee)) options |= given;
  }
  return options;
}

function samePair(a: Grant, b: Grant): boolean {
  return a.grantee === b.grantee && a.grantor === b.grantor;
}

function replaced(grants: readonly Grant[], changed: Grant): readonly Grant[] {
  const isThere = grants.some((one) => samePair(one, changed));
  const all = isThere
    ? grants.map((one) => (samePair(one, changed) ? changed : one))
    : [...grants, changed];
  return all.filter(({ rights, options }) => rights !== 0 || options !== 0);
}

/** Adds rights. Raises invalid_grant_operation where options would be granted in a circle. */
export function granted(
  grants: readonly Grant[],
  added: Grant,
  scope: GrantScope,
): readonly Grant[] {
  if (added.options !== 0) checkCircle(grants, added, scope);
  const before = grants.find((one) => samePair(one, added));
  return replaced(grants, {
    ...added,
    rights: (before?.rights ?? 0) | added.rights,
    options: (before?.options ?? 0) | added.options,
  });
}

/** The grantor must have the options even without all that the grantee may have granted. */
function checkCircle(grants: readonly Grant[], added: Grant, scope: GrantScope): void {
  if (added.grantor === scope.owner) return;
  let rest = grants;
  for (;;) {
    const own = rest.find(({ grantee, options }) => grantee === added.grantee && options !== 0);
    if (own === undefined) break;
    rest = revoked(rest, { ...own, rights: own.options }, scope, true);
  }
  const missing = added.options & ~optionsOf(rest, added.grantor, scope);
  if (missing === 0) return;
  const text = 'grant options cannot be granted back to your own grantor';
  raise('invalid_grant_operation', text);
}

/**
 * Takes rights and options away; grants that rest on the options go too if `cascade`, else
 * dependent_objects_still_exist is raised.
 */
export function revoked(
  grants: readonly Grant[],
  taken: Grant,
  scope: GrantScope,
  cascade: boolean,
): readonly Grant[] {
  const before = grants.find((one) => samePair(one, taken));
  if (before === undefined) return grants;
  const after = {
    ...before,
    rights: before.rights & ~taken.rights,
    options: before.options & ~taken.options,
  };
  const rest = replaced(grants, after);
  const lost = before.options & ~after.options;
  return lost === 0 ? rest : revokedFrom(rest, taken.grantee, lost, scope, cascade);
}

/** `grantee` has lost options: what it has granted by them. */
function revokedFrom(
  grants: readonly Grant[],
  grantee: ObjectId,
  lost: number,
  scope: GrantScope,
  cascade: boolean,
): readonly Grant[] {
  if (grantee === scope.owner) return grants;
  const gone = lost & ~optionsOf(grants, grantee, scope);
  let rest = grants;
  for (;;) {
    const next = rest.find(({ grantor, rights }) => grantor === grantee && (rights & gone) !== 0);
    if (next === undefined) return rest;
    if (!cascade) {
      raise('dependent_objects_still_exist', 'dependent privileges exist', {
        hint: 'Use CASCADE to revoke them too.',
      });
    }
    rest = revoked(rest, { ...next, rights: gone, options: gone }, scope, true);
  }
}

/** Both lists, grants of the same pair as one. */
export function mergedGrants(
  grants: readonly Grant[],
  more: readonly Grant[],
  scope: GrantScope,
): readonly Grant[] {
  let all = grants;
  for (const one of more) all = granted(all, one, { ...scope, owner: one.grantor });
  return all;
}

/** The same with another owner: what the old one had and has granted is the new one's (aclnewowner). */
export function grantsOfNewOwner(
  grants: readonly Grant[] | undefined,
  from: ObjectId,
  to: ObjectId,
): readonly Grant[] | undefined {
  if (grants === undefined) return undefined;
  const all: Grant[] = [];
  for (const one of grants) {
    const moved = {
      ...one,
      grantor: one.grantor === from ? to : one.grantor,
      grantee: one.grantee === from ? to : one.grantee,
    };
    const at = all.findIndex((other) => samePair(other, moved));
    const other = all[at];
    if (other === undefined) all.push(moved);
    else {
      const rights = other.rights | moved.rights;
      all[at] = { ...other, rights, options: other.options | moved.options };
    }
  }
  return all;
}

/** Who grants, when it is not said: the owner, or the role that may grant the most of `rights`. */
export function bestGrantor(
  grants: readonly Grant[],
  rights: number,
  scope: GrantScope,
): { readonly grantor: ObjectId; readonly options: number } {
  const { principal, owner } = scope;
  if (principal.hasPrivilegesOf(owner)) return { grantor: owner, options: rights };
  let best = { grantor: principal.role, options: 0 };
  for (const role of principal.acting) {
    let options = 0;
    for (const one of grants) if (one.grantee === role) options |= one.options;
    options &= rights;
    if (options === rights) return { grantor: role, options };
    if (bitCount(options) > bitCount(best.options)) best = { grantor: role, options };
  }
  return best;
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
