/** A role as signing in sees it. */
import { unixMsOfTimestamp } from '../types/index.js';
import type { RoleDescriptor, TransactionCatalogue } from '../catalogue/index.js';
import { bootstrapRole, Principal, right } from '../catalogue/index.js';
import type { Login } from './protocol.js';

export function loginOf(catalogue: TransactionCatalogue, role: RoleDescriptor): Login {
  const { object, name, verifier, login, superuser, connectionLimit, version } = role;
  // A superuser may act as everyone, but is a member only of what it was made one of.
  const principal = new Principal(object, catalogue);
  const memberOf = [...principal.memberships].map((one) => catalogue.object(one).name);
  return {
    role: object,
    ...{ name, verifier, canLogin: login, superuser, memberOf, connectionLimit },
    validUntilMs: validUntilMs(role),
    mayConnect: (principal.rightsOn(catalogue.database) & right.connect) !== 0,
    settings: initialSettings(catalogue, role),
    initial: object === bootstrapRole && version === 0,
  };
}

/** What ALTER ROLE and ALTER DATABASE SET give sessions. Those of the role in the database come before those of the role, and these before the database's. */
export function initialSettings(
  { database }: TransactionCatalogue,
  role: RoleDescriptor | undefined,
): Readonly<Record<string, string>> {
  const own = role?.settings ?? [];
  const everywhere = own.filter(({ inDatabase }) => !inDatabase);
  const here = own.filter(({ inDatabase }) => inDatabase);
  const all = [...database.settings, ...everywhere, ...here];
  return Object.fromEntries(all.map(({ name, value }) => [name, value]));
}

/** `infinity` and its opposite lie beyond all dates. */
function validUntilMs({ validUntil }: RoleDescriptor): number | undefined {
  if (validUntil === undefined) return undefined;
  const ms = unixMsOfTimestamp(validUntil);
  return ms > 8.64e15 ? undefined : ms;
}
