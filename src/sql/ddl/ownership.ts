/** Whose a new object is, and what others may do with it at once (ALTER DEFAULT PRIVILEGES). */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { mergedGrants } from '../accounts/acl.js';
import {
  type DefaultPrivileges,
  defaultGrants,
  type Grant,
  oidOf,
  temporarySchema,
  userDatabase,
} from '../catalogue/index.js';
import type { DdlContext } from './context.js';

export interface Ownership {
  readonly owner: ObjectId;
  readonly privileges: readonly Grant[] | undefined;
}

/** Of an object that the statement's role makes in `schema`. */
export function ownershipOf(
  { bind, catalogue }: DdlContext,
  kind: DefaultPrivileges['kind'],
  schema: string | undefined,
): Ownership {
  const { principal } = bind.catalogue;
  const owner = principal.role;
  if (principal.isGone) {
    raise('undefined_object', `role with OID ${oidOf(owner)} was concurrently dropped`);
  }
  if (schema === temporarySchema) return { owner, privileges: undefined };
  const all = principal.descriptor?.defaultPrivileges ?? [];
  if (all.length === 0) return { owner, privileges: undefined };
  const home = schema === undefined ? undefined : catalogue.schema(userDatabase, schema)?.object;
  const general = all.find((one) => one.kind === kind && one.schema === undefined);
  const here =
    home === undefined ? undefined : all.find((one) => one.kind === kind && one.schema === home);
  if (general === undefined && here === undefined) return { owner, privileges: undefined };
  const base = general?.privileges ?? defaultGrants(kind, owner);
  const privileges = mergedGrants(base, here?.privileges ?? [], { owner, principal });
  return { owner, privileges };
}
