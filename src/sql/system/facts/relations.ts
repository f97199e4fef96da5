/** The relations of pg_catalog. A line says OID, kind, name: columns with their types, `!` for NOT NULL, a type with a dot in front is a domain of information_schema. Written by scripts/system-facts.js. */
export const catalogRelations = `
2600 r pg_aggregate: aggfnoid regproc!, aggkind char!, aggnumdirectargs int2!, aggtransfn regproc!,
  aggfinalfn regproc!, aggcombinefn regproc!, aggserialfn regproc!, aggdeserialfn regproc!,
  aggmtransfn regproc!, aggminvtransfn regproc!, aggmfinalfn regproc!, aggfinalextra bool!,
  aggmfinalextra bool!, aggfinalmodify char!, aggmfinalmodify char!, aggsortop oid!, aggtranstype oid!,
  aggtransspace int4!, aggmtranstype oid!, aggmtransspace int4!, agginitval text, aggminitval text
2601 r pg_am: oid oid!, amname name!, amhandler regproc!, amtype char!
2602 r pg_amop: oid oid!, amopfamily oid!, amoplefttype oid!, amoprighttype oid!, amopstrategy int2!,
  amoppurpose char!, amopopr oid!, amopmethod oid!, amopsortfamily oid!
2603 r pg_amproc: oid oid!, amprocfamily oid!, amproclefttype oid!, amprocrighttype oid!, amprocnum int2!,
  amproc regproc!
2604 r pg_attrdef: oid oid!, adrelid oid!, adnum int2!, adbin pg_node_tree!
1249 r pg_attribute: attrelid oid!, attname name!, atttypid oid!, attstattarget int4!, attlen int2!,
  attnum int2!, attndims int4!, attcacheoff int4!, atttypmod int4!, attbyval bool!, attalign char!,
  attstorage char!, attcompression char!, attnotnull bool!, atthasdef bool!, atthasmissing bool!,
  attidentity char!, attgenerated char!, attisdropped bool!, attislocal bool!, attinhcount int4!,
  attcollation oid!, attacl _aclitem, attoptions _text, attfdwoptions _text, attmissingval anyarray
1261 r pg_auth_members: roleid oid!, member oid!, grantor oid!, admin_option bool!
1260 r pg_authid: oid oid!, rolname name!, rolsuper bool!, rolinherit bool!, rolcreaterole bool!,
  rolcreatedb bool!, rolcanlogin bool!, rolreplication bool!, rolbypassrls bool!, rolconnlimit int4!,
  rolpassword text, rolvaliduntil timestamptz
12085 v pg_available_extension_versions: name name, version text, installed bool, superuser bool,
  trusted bool, relocatable bool, schema name, requires _name, comment text
12081 v pg_available_extensions: name name, default_version text, installed_version text, comment text
12138 v pg_backend_memory_contexts: name text, ident text, parent text, level int4, total_bytes int8,
  total_nblocks int8, free_bytes int8, free_chunks int8, used_bytes int8
2605 r pg_cast: oid oid!, castsource oid!, casttarget oid!, castfunc oid!, castcontext char!,
  castmethod char!
1259 r pg_class: oid oid!, relname name!, relnamespace oid!, reltype oid!, reloftype oid!, relowner oid!,
  relam oid!, relfilenode oid!, reltablespace oid!, relpages int4!, reltuples float4!, relallvisible int4!,
  reltoastrelid oid!, relhasindex bool!, relisshared bool!, relpersistence char!, relkind char!,
  relnatts int2!, relchecks int2!, relhasrules bool!, relhastriggers bool!, relhassubclass bool!,
  relrowsecurity bool!, relforcerowsecurity bool!, relispopulated bool!, relreplident char!,
  relispartition bool!, relrewrite oid!, relfrozenxid xid!, relminmxid xid!, relacl _aclitem,
  reloptions _text, relpartbound pg_node_tree
3456 r pg_collation: oid oid!, collname name!, collnamespace oid!, collowner oid!, collprovider char!,
  collisdeterministic bool!, collencoding int4!, collcollate text, collctype text, colliculocale text,
  collversion text
12130 v pg_config: name text, setting text
2606 r pg_constraint: oid oid!, conname name!, connamespace oid!, contype char!, condeferrable bool!,
  condeferred bool!, convalidated bool!, conrelid oid!, contypid oid!, conindid oid!, conparentid oid!,
  confrelid oid!, confupdtype char!, confdeltype char!, confmatchtype char!, conislocal bool!,
  coninhcount int4!, connoinherit bool!, conkey _int2, confkey _int2, conpfeqop _oid, conppeqop _oid,
  conffeqop _oid, confdelsetcols _int2, conexclop _oid, conbin pg_node_tree
2607 r pg_conversion: oid oid!, conname name!, connamespace oid!, conowner oid!, conforencoding int4!,
  contoencoding int4!, conproc regproc!, condefault bool!
12077 v pg_cursors: name text, statement text, is_holdable bool, is_binary bool, is_scrollable bool,
  creation_time timestamptz
1262 r pg_database: oid oid!, datname name!, datdba oid!, encoding int4!, datlocprovider char!,
  datistemplate bool!, datallowconn bool!, datconnlimit int4!, datfrozenxid xid!, datminmxid xid!,
  dattablespace oid!, datcollate text!, datctype text!, daticulocale text, datcollversion text,
  datacl _aclitem
2964 r pg_db_role_setting: setdatabase oid!, setrole oid!, setconfig _text
826 r pg_default_acl: oid oid!, defaclrole oid!, defaclnamespace oid!, defaclobjtype char!,
  defaclacl _aclitem!
2608 r pg_depend: classid oid!, objid oid!, objsubid int4!, refclassid oid!, refobjid oid!,
  refobjsubid int4!, deptype char!
2609 r pg_description: objoid oid!, classoid oid!, objsubid int4!, description text!
3501 r pg_enum: oid oid!, enumtypid oid!, enumsortorder float4!, enumlabel name!
3466 r pg_event_trigger: oid oid!, evtname name!, evtevent name!, evtowner oid!, evtfoid oid!,
  evtenabled char!, evttags _text
3079 r pg_extension: oid oid!, extname name!, extowner oid!, extnamespace oid!, extrelocatable bool!,
  extversion text!, extconfig _oid, extcondition _text
12110 v pg_file_settings: sourcefile text, sourceline int4, seqno int4, name text, setting text,
  applied bool, error text
2328 r pg_foreign_data_wrapper: oid oid!, fdwname name!, fdwowner oid!, fdwhandler oid!, fdwvalidator oid!,
  fdwacl _aclitem, fdwoptions _text
1417 r pg_foreign_server: oid oid!, srvname name!, srvowner oid!, srvfdw oid!, srvtype text, srvversion text,
  srvacl _aclitem, srvoptions _text
3118 r pg_foreign_table: ftrelid oid!, ftserver oid!, ftoptions _text
12010 v pg_group: groname name, grosysid oid, grolist _oid
12114 v pg_hba_file_rules: line_number int4, type text, database _text, user_name _text, address text,
  netmask text, auth_method text, options _text, error text
12118 v pg_ident_file_mappings: line_number int4, map_name text, sys_name text, pg_username text, error text
2610 r pg_index: indexrelid oid!, indrelid oid!, indnatts int2!, indnkeyatts int2!, indisunique bool!,
  indnullsnotdistinct bool!, indisprimary bool!, indisexclusion bool!, indimmediate bool!,
  indisclustered bool!, indisvalid bool!, indcheckxmin bool!, indisready bool!, indislive bool!,
  indisreplident bool!, indkey int2vector!, indcollation oidvector!, indclass oidvector!,
  indoption int2vector!, indexprs pg_node_tree, indpred pg_node_tree
12043 v pg_indexes: schemaname name, tablename name, indexname name, tablespace name, indexdef text
2611 r pg_inherits: inhrelid oid!, inhparent oid!, inhseqno int4!, inhdetachpending bool!
3394 r pg_init_privs: objoid oid!, classoid oid!, objsubid int4!, privtype char!, initprivs _aclitem!
2612 r pg_language: oid oid!, lanname name!, lanowner oid!, lanispl bool!, lanpltrusted bool!,
  lanplcallfoid oid!, laninline oid!, lanvalidator oid!, lanacl _aclitem
2613 r pg_largeobject: loid oid!, pageno int4!, data bytea!
2995 r pg_largeobject_metadata: oid oid!, lomowner oid!, lomacl _aclitem
12073 v pg_locks: locktype text, database oid, relation oid, page int4, tuple int2, virtualxid text,
  transactionid xid, classid oid, objid oid, objsubid int2, virtualtransaction text, pid int4, mode text,
  granted bool, fastpath bool, waitstart timestamptz
12038 v pg_matviews: schemaname name, matviewname name, matviewowner name, tablespace name, hasindexes bool,
  ispopulated bool, definition text
2615 r pg_namespace: oid oid!, nspname name!, nspowner oid!, nspacl _aclitem
2616 r pg_opclass: oid oid!, opcmethod oid!, opcname name!, opcnamespace oid!, opcowner oid!, opcfamily oid!,
  opcintype oid!, opcdefault bool!, opckeytype oid!
2617 r pg_operator: oid oid!, oprname name!, oprnamespace oid!, oprowner oid!, oprkind char!,
  oprcanmerge bool!, oprcanhash bool!, oprleft oid!, oprright oid!, oprresult oid!, oprcom oid!,
  oprnegate oid!, oprcode regproc!, oprrest regproc!, oprjoin regproc!
2753 r pg_opfamily: oid oid!, opfmethod oid!, opfname name!, opfnamespace oid!, opfowner oid!
6243 r pg_parameter_acl: oid oid!, parname text!, paracl _aclitem
3350 r pg_partitioned_table: partrelid oid!, partstrat char!, partnatts int2!, partdefid oid!,
  partattrs int2vector!, partclass oidvector!, partcollation oidvector!, partexprs pg_node_tree
12018 v pg_policies: schemaname name, tablename name, policyname name, permissive text, roles _name,
  cmd text, qual text, with_check text
3256 r pg_policy: oid oid!, polname name!, polrelid oid!, polcmd char!, polpermissive bool!, polroles _oid!,
  polqual pg_node_tree, polwithcheck pg_node_tree
12095 v pg_prepared_statements: name text, statement text, prepare_time timestamptz,
  parameter_types _regtype, from_sql bool, generic_plans int8, custom_plans int8
12090 v pg_prepared_xacts: transaction xid, gid text, prepared timestamptz, owner name, database name
1255 r pg_proc: oid oid!, proname name!, pronamespace oid!, proowner oid!, prolang oid!, procost float4!,
  prorows float4!, provariadic oid!, prosupport regproc!, prokind char!, prosecdef bool!, proleakproof bool!,
  proisstrict bool!, proretset bool!, provolatile char!, proparallel char!, pronargs int2!,
  pronargdefaults int2!, prorettype oid!, proargtypes oidvector!, proallargtypes _oid, proargmodes _char,
  proargnames _text, proargdefaults pg_node_tree, protrftypes _oid, prosrc text!, probin text,
  prosqlbody pg_node_tree, proconfig _text, proacl _aclitem
6104 r pg_publication: oid oid!, pubname name!, pubowner oid!, puballtables bool!, pubinsert bool!,
  pubupdate bool!, pubdelete bool!, pubtruncate bool!, pubviaroot bool!
6237 r pg_publication_namespace: oid oid!, pnpubid oid!, pnnspid oid!
6106 r pg_publication_rel: oid oid!, prpubid oid!, prrelid oid!, prqual pg_node_tree, prattrs int2vector
12068 v pg_publication_tables: pubname name, schemaname name, tablename name, attnames _name, rowfilter text
3541 r pg_range: rngtypid oid!, rngsubtype oid!, rngmultitypid oid!, rngcollation oid!, rngsubopc oid!,
  rngcanonical regproc!, rngsubdiff regproc!
6000 r pg_replication_origin: roident oid!, roname text!
12332 v pg_replication_origin_status: local_id oid, external_id text, remote_lsn pg_lsn, local_lsn pg_lsn
12257 v pg_replication_slots: slot_name name, plugin name, slot_type text, datoid oid, database name,
  temporary bool, active bool, active_pid int4, xmin xid, catalog_xmin xid, restart_lsn pg_lsn,
  confirmed_flush_lsn pg_lsn, wal_status text, safe_wal_size int8, two_phase bool
2618 r pg_rewrite: oid oid!, rulename name!, ev_class oid!, ev_type char!, ev_enabled char!,
  is_instead bool!, ev_qual pg_node_tree!, ev_action pg_node_tree!
12000 v pg_roles: rolname name, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool,
  rolcanlogin bool, rolreplication bool, rolconnlimit int4, rolpassword text, rolvaliduntil timestamptz,
  rolbypassrls bool, rolconfig _text, oid oid
12023 v pg_rules: schemaname name, tablename name, rulename name, definition text
3596 r pg_seclabel: objoid oid!, classoid oid!, objsubid int4!, provider text!, label text!
12099 v pg_seclabels: objoid oid, classoid oid, objsubid int4, objtype text, objnamespace oid, objname text,
  provider text, label text
2224 r pg_sequence: seqrelid oid!, seqtypid oid!, seqstart int8!, seqincrement int8!, seqmax int8!,
  seqmin int8!, seqcache int8!, seqcycle bool!
12048 v pg_sequences: schemaname name, sequencename name, sequenceowner name, data_type regtype,
  start_value int8, min_value int8, max_value int8, increment_by int8, cycle bool, cache_size int8,
  last_value int8
12104 v pg_settings: name text, setting text, unit text, category text, short_desc text, extra_desc text,
  context text, vartype text, source text, min_val text, max_val text, enumvals _text, boot_val text,
  reset_val text, sourcefile text, sourceline int4, pending_restart bool
12005 v pg_shadow: usename name, usesysid oid, usecreatedb bool, usesuper bool, userepl bool,
  usebypassrls bool, passwd text, valuntil timestamptz, useconfig _text
1214 r pg_shdepend: dbid oid!, classid oid!, objid oid!, objsubid int4!, refclassid oid!, refobjid oid!,
  deptype char!
2396 r pg_shdescription: objoid oid!, classoid oid!, description text!
12134 v pg_shmem_allocations: name text, off int8, size int8, allocated_size int8
3592 r pg_shseclabel: objoid oid!, classoid oid!, provider text!, label text!
`;
