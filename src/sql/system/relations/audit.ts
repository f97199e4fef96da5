/** shardforge.audit: who signed in, who could not, and how rights changed. */
import { type AuditEntry, denied } from '../../accounts/index.js';
import { timestampOfUnixMs, type TypeName } from '../../types/index.js';
import { relationOf } from '../define.js';
import { oids } from '../oids.js';
import type { SystemCatalogue } from '../system-catalogue.js';

const columns: readonly (readonly [string, TypeName])[] = [
  ['at', 'timestamptz'],
  ['event', 'text'],
  ['role', 'name'],
  ['database', 'name'],
  ['address', 'text'],
  ['door', 'text'],
  ['method', 'text'],
  ['encrypted', 'bool'],
  ['detail', 'text'],
  ['pid', 'int4'],
];

/** Superusers only. Raises insufficient_privilege. */
function entries({ home, lookup }: SystemCatalogue): readonly AuditEntry[] {
  if (!lookup.principal.isSuperuser) denied({ kind: 'table', name: 'audit' });
  return home.audit();
}

const said = (text: string): string | null => (text === '' ? null : text);

export const auditRelation = relationOf<AuditEntry>(
  {
    oid: oids.auditTable,
    schema: 'shardforge',
    name: 'audit',
    columns: columns.map(([name, type]) => ({ name, type, notNull: false })),
  },
  {
    items: entries,
    guess: 1000,
    values: {
      at: ({ atMs }) => timestampOfUnixMs(atMs),
      event: ({ kind }) => kind,
      role: ({ role }) => role,
      database: ({ database }) => database,
      address: ({ address }) => said(address),
      door: ({ door }) => door,
      method: ({ method }) => said(method),
      encrypted: ({ encrypted }) => encrypted,
      detail: ({ reason }) => reason ?? null,
      pid: ({ session }) => session ?? null,
    },
  },
);
