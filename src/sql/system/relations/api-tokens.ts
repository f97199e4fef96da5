/** shardforge.api_tokens: one's own API tokens, for superusers all; never the tokens themselves. */
import type { ApiToken } from '../../accounts/index.js';
import { timestampOfUnixMs, type TypeName } from '../../types/index.js';
import { relationOf } from '../define.js';
import { oids } from '../oids.js';
import type { SystemCatalogue } from '../system-catalogue.js';

const columns: readonly (readonly [string, TypeName])[] = [
  ['name', 'text'],
  ['role', 'name'],
  ['created_at', 'timestamptz'],
  ['valid_until', 'timestamptz'],
];

interface ShownToken extends ApiToken {
  readonly roleName: string;
}

function* tokens({ home, lookup }: SystemCatalogue): Generator<ShownToken> {
  const { principal } = lookup;
  for (const token of home.apiTokens()) {
    const role = home.catalogue().objectIfThere(token.role);
    const isSeen = principal.isSuperuser || principal.role === token.role;
    if (role !== undefined && isSeen) yield { ...token, roleName: role.name };
  }
}

export const apiTokensRelation = relationOf<ShownToken>(
  {
    oid: oids.apiTokens,
    schema: 'shardforge',
    name: 'api_tokens',
    columns: columns.map(([name, type]) => ({ name, type, notNull: false })),
  },
  {
    items: tokens,
    values: {
      name: ({ name }) => name,
      role: ({ roleName }) => roleName,
      created_at: ({ createdMs }) => timestampOfUnixMs(Math.round(createdMs)),
      valid_until: ({ validUntilMs }) =>
        validUntilMs === undefined ? null : timestampOfUnixMs(Math.round(validUntilMs)),
    },
  },
);
