/**
 * Functions that ask for rights (table 9.70 of PostgreSQL's manual): their signatures. What they do is in
 * ../system/functions/privileges.ts.
 */

/** Roles by name or OID, or the current one; objects by name or OID. */
function about(kind: string, middle: readonly string[] = []): readonly string[] {
  const between = middle.length === 0 ? [''] : middle.map((type) => `${type}, `);
  return ['name, ', 'oid, ', ''].flatMap((role) =>
    ['text', 'oid'].flatMap((object) =>
      between.map((one) => `has_${kind}_privilege(${role}${object}, ${one}text): bool`),
    ),
  );
}

export const privilegeSignatures: readonly string[] = [
  ...about('table'),
  ...about('any_column'),
  ...about('column', ['text', 'int2']),
  ...about('sequence'),
  ...about('database'),
  ...about('function'),
  ...about('schema'),
  ...about('type'),
  ...about('language'),
  ...about('tablespace'),
  ...about('foreign_data_wrapper'),
  ...about('server'),
  'pg_has_role(name, name, text): bool',
  'pg_has_role(name, oid, text): bool',
  'pg_has_role(oid, name, text): bool',
  'pg_has_role(oid, oid, text): bool',
  'pg_has_role(name, text): bool',
  'pg_has_role(oid, text): bool',
  'pg_get_userbyid(oid): name',
  'acldefault(char, oid): _aclitem',
  'makeaclitem(oid, oid, text, bool): aclitem',
  'aclcontains(_aclitem, aclitem): bool',
];

export const privilegeSetSignatures: readonly string[] = [
  'aclexplode(_aclitem): setof (grantor oid, grantee oid, privilege_type text, is_grantable bool)',
];
