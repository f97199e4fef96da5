/** aclitem[] of objects. */
import { grantText } from '../accounts/acl-text.js';
import type { Grant, OwnedDescriptor } from '../catalogue/index.js';
import { ArrayValue, type Value } from '../types/index.js';
import type { SystemCatalogue } from './system-catalogue.js';

/** NULL where nothing was granted or revoked. */
export function aclOf(
  view: SystemCatalogue,
  { privileges }: Pick<OwnedDescriptor, 'privileges'>,
): Value {
  return aclTextOf(view, privileges);
}

export function aclTextOf(view: SystemCatalogue, grants: readonly Grant[] | undefined): Value {
  if (grants === undefined) return null;
  return ArrayValue.of(grants.map((grant) => grantText(grant, (role) => view.roleName(role))));
}
