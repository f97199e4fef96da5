/** Roles as statements name them. */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { everyone, type RoleDescriptor } from '../catalogue/index.js';
import { type ast, the } from '../parse/index.js';
import type { DdlContext } from './context.js';
import { principalOf, roleNamed, roleOf, sessionRole } from './permission.js';

/** The role that is meant. Raises undefined_object; PUBLIC is none. */
export function roleSpec(context: DdlContext, spec: ast.RoleSpec): RoleDescriptor {
  switch (spec.roletype) {
    case 'ROLESPEC_CURRENT_USER':
    case 'ROLESPEC_CURRENT_ROLE':
      return roleOf(context, principalOf(context).role);
    case 'ROLESPEC_SESSION_USER':
      return sessionRole(context) ?? roleOf(context, principalOf(context).role);
    case 'ROLESPEC_PUBLIC':
      return raise('undefined_object', 'role "public" does not exist');
    default:
      return roleNamed(context, spec.rolename ?? '');
  }
}

export function roleSpecs(
  context: DdlContext,
  nodes: readonly ast.Node[] | undefined,
): readonly RoleDescriptor[] {
  return (nodes ?? []).map((node) => roleSpec(context, the(node, 'RoleSpec')));
}

/** Whom rights are granted to: PUBLIC is everyone. */
export function grantee(context: DdlContext, node: ast.Node): ObjectId {
  const spec = the(node, 'RoleSpec');
  return spec.roletype === 'ROLESPEC_PUBLIC' ? everyone : roleSpec(context, spec).object;
}
