/** OIDs that are not those of objects of the catalogue: of schemas of the system, roles, methods. */
export const oids = {
  catalogSchema: 11,
  toastSchema: 99,
  publicSchema: 2200,
  informationSchema: 13_207,
  /** The schema of a session's temporary objects. */
  temporarySchema: 13_999,
  /** The schema of the functions of administration. */
  ownSchema: 13_998,
  /** shardforge.api_tokens. */
  apiTokens: 13_988,
  /** shardforge.audit. */
  auditTable: 13_989,
  /** shardforge.sessions. */
  sessionsView: 13_990,
  bootstrapRole: 10,
  heap: 2,
  btree: 403,
  defaultTablespace: 1663,
  defaultCollation: 100,
  byteCollation: 950,
} as const;

/** OIDs of the catalogues themselves, as pg_depend and pg_description name them. */
export const catalogs = {
  pg_type: 1247,
  pg_attribute: 1249,
  pg_proc: 1255,
  pg_class: 1259,
  pg_attrdef: 2604,
  pg_constraint: 2606,
  pg_namespace: 2615,
  pg_authid: 1260,
  pg_database: 1262,
  pg_index: 2610,
  pg_rewrite: 2618,
} as const;
