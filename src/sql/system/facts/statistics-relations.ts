/** More relations of pg_catalog. A line says OID, kind, name: columns with their types, `!` for NOT NULL, a type with a dot in front is a domain of information_schema. Written by scripts/system-facts.js. */
export const moreCatalogRelations = `
12222 v pg_stat_activity: datid oid, datname name, pid int4, leader_pid int4, usesysid oid, usename name,
  application_name text, client_addr inet, client_hostname text, client_port int4, backend_start timestamptz,
  xact_start timestamptz, query_start timestamptz, state_change timestamptz, wait_event_type text,
  wait_event text, state text, backend_xid xid, backend_xmin xid, query_id int8, query text,
  backend_type text
12183 v pg_stat_all_indexes: relid oid, indexrelid oid, schemaname name, relname name, indexrelname name,
  idx_scan int8, idx_tup_read int8, idx_tup_fetch int8
12142 v pg_stat_all_tables: relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8,
  idx_scan int8, idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, n_tup_hot_upd int8,
  n_live_tup int8, n_dead_tup int8, n_mod_since_analyze int8, n_ins_since_vacuum int8,
  last_vacuum timestamptz, last_autovacuum timestamptz, last_analyze timestamptz,
  last_autoanalyze timestamptz, vacuum_count int8, autovacuum_count int8, analyze_count int8,
  autoanalyze_count int8
12285 v pg_stat_archiver: archived_count int8, last_archived_wal text, last_archived_time timestamptz,
  failed_count int8, last_failed_wal text, last_failed_time timestamptz, stats_reset timestamptz
12289 v pg_stat_bgwriter: checkpoints_timed int8, checkpoints_req int8, checkpoint_write_time float8,
  checkpoint_sync_time float8, buffers_checkpoint int8, buffers_clean int8, maxwritten_clean int8,
  buffers_backend int8, buffers_backend_fsync int8, buffers_alloc int8, stats_reset timestamptz
12266 v pg_stat_database: datid oid, datname name, numbackends int4, xact_commit int8, xact_rollback int8,
  blks_read int8, blks_hit int8, tup_returned int8, tup_fetched int8, tup_inserted int8, tup_updated int8,
  tup_deleted int8, conflicts int8, temp_files int8, temp_bytes int8, deadlocks int8, checksum_failures int8,
  checksum_last_failure timestamptz, blk_read_time float8, blk_write_time float8, session_time float8,
  active_time float8, idle_in_transaction_time float8, sessions int8, sessions_abandoned int8,
  sessions_fatal int8, sessions_killed int8, stats_reset timestamptz
12271 v pg_stat_database_conflicts: datid oid, datname name, confl_tablespace int8, confl_lock int8,
  confl_snapshot int8, confl_bufferpin int8, confl_deadlock int8
12253 v pg_stat_gssapi: pid int4, gss_authenticated bool, principal text, encrypted bool
12297 v pg_stat_progress_analyze: pid int4, datid oid, datname name, relid oid, phase text,
  sample_blks_total int8, sample_blks_scanned int8, ext_stats_total int8, ext_stats_computed int8,
  child_tables_total int8, child_tables_done int8, current_child_table_relid oid
12317 v pg_stat_progress_basebackup: pid int4, phase text, backup_total int8, backup_streamed int8,
  tablespaces_total int8, tablespaces_streamed int8
12307 v pg_stat_progress_cluster: pid int4, datid oid, datname name, relid oid, command text, phase text,
  cluster_index_relid oid, heap_tuples_scanned int8, heap_tuples_written int8, heap_blks_total int8,
  heap_blks_scanned int8, index_rebuild_count int8
12322 v pg_stat_progress_copy: pid int4, datid oid, datname name, relid oid, command text, type text,
  bytes_processed int8, bytes_total int8, tuples_processed int8, tuples_excluded int8
12312 v pg_stat_progress_create_index: pid int4, datid oid, datname name, relid oid, index_relid oid,
  command text, phase text, lockers_total int8, lockers_done int8, current_locker_pid int8,
  blocks_total int8, blocks_done int8, tuples_total int8, tuples_done int8, partitions_total int8,
  partitions_done int8
12302 v pg_stat_progress_vacuum: pid int4, datid oid, datname name, relid oid, phase text,
  heap_blks_total int8, heap_blks_scanned int8, heap_blks_vacuumed int8, index_vacuum_count int8,
  max_dead_tuples int8, num_dead_tuples int8
12240 v pg_stat_recovery_prefetch: stats_reset timestamptz, prefetch int8, hit int8, skip_init int8,
  skip_new int8, skip_fpw int8, skip_rep int8, wal_distance int4, block_distance int4, io_depth int4
12227 v pg_stat_replication: pid int4, usesysid oid, usename name, application_name text, client_addr inet,
  client_hostname text, client_port int4, backend_start timestamptz, backend_xmin xid, state text,
  sent_lsn pg_lsn, write_lsn pg_lsn, flush_lsn pg_lsn, replay_lsn pg_lsn, write_lag interval,
  flush_lag interval, replay_lag interval, sync_priority int4, sync_state text, reply_time timestamptz
12262 v pg_stat_replication_slots: slot_name text, spill_txns int8, spill_count int8, spill_bytes int8,
  stream_txns int8, stream_count int8, stream_bytes int8, total_txns int8, total_bytes int8,
  stats_reset timestamptz
12232 v pg_stat_slru: name text, blks_zeroed int8, blks_hit int8, blks_read int8, blks_written int8,
  blks_exists int8, flushes int8, truncates int8, stats_reset timestamptz
12249 v pg_stat_ssl: pid int4, ssl bool, version text, cipher text, bits int4, client_dn text,
  client_serial numeric, issuer_dn text
12244 v pg_stat_subscription: subid oid, subname name, pid int4, relid oid, received_lsn pg_lsn,
  last_msg_send_time timestamptz, last_msg_receipt_time timestamptz, latest_end_lsn pg_lsn,
  latest_end_time timestamptz
12336 v pg_stat_subscription_stats: subid oid, subname name, apply_error_count int8, sync_error_count int8,
  stats_reset timestamptz
12188 v pg_stat_sys_indexes: relid oid, indexrelid oid, schemaname name, relname name, indexrelname name,
  idx_scan int8, idx_tup_read int8, idx_tup_fetch int8
12152 v pg_stat_sys_tables: relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8,
  idx_scan int8, idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, n_tup_hot_upd int8,
  n_live_tup int8, n_dead_tup int8, n_mod_since_analyze int8, n_ins_since_vacuum int8,
  last_vacuum timestamptz, last_autovacuum timestamptz, last_analyze timestamptz,
  last_autoanalyze timestamptz, vacuum_count int8, autovacuum_count int8, analyze_count int8,
  autoanalyze_count int8
12275 v pg_stat_user_functions: funcid oid, schemaname name, funcname name, calls int8, total_time float8,
  self_time float8
12192 v pg_stat_user_indexes: relid oid, indexrelid oid, schemaname name, relname name, indexrelname name,
  idx_scan int8, idx_tup_read int8, idx_tup_fetch int8
12161 v pg_stat_user_tables: relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8,
  idx_scan int8, idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, n_tup_hot_upd int8,
  n_live_tup int8, n_dead_tup int8, n_mod_since_analyze int8, n_ins_since_vacuum int8,
  last_vacuum timestamptz, last_autovacuum timestamptz, last_analyze timestamptz,
  last_autoanalyze timestamptz, vacuum_count int8, autovacuum_count int8, analyze_count int8,
  autoanalyze_count int8
12293 v pg_stat_wal: wal_records int8, wal_fpi int8, wal_bytes numeric, wal_buffers_full int8,
  wal_write int8, wal_sync int8, wal_write_time float8, wal_sync_time float8, stats_reset timestamptz
12236 v pg_stat_wal_receiver: pid int4, status text, receive_start_lsn pg_lsn, receive_start_tli int4,
  written_lsn pg_lsn, flushed_lsn pg_lsn, received_tli int4, last_msg_send_time timestamptz,
  last_msg_receipt_time timestamptz, latest_end_lsn pg_lsn, latest_end_time timestamptz, slot_name text,
  sender_host text, sender_port int4, conninfo text
12147 v pg_stat_xact_all_tables: relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8,
  idx_scan int8, idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, n_tup_hot_upd int8
12157 v pg_stat_xact_sys_tables: relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8,
  idx_scan int8, idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, n_tup_hot_upd int8
12280 v pg_stat_xact_user_functions: funcid oid, schemaname name, funcname name, calls int8,
  total_time float8, self_time float8
12166 v pg_stat_xact_user_tables: relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8,
  idx_scan int8, idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, n_tup_hot_upd int8
12196 v pg_statio_all_indexes: relid oid, indexrelid oid, schemaname name, relname name, indexrelname name,
  idx_blks_read int8, idx_blks_hit int8
12209 v pg_statio_all_sequences: relid oid, schemaname name, relname name, blks_read int8, blks_hit int8
12170 v pg_statio_all_tables: relid oid, schemaname name, relname name, heap_blks_read int8,
  heap_blks_hit int8, idx_blks_read int8, idx_blks_hit int8, toast_blks_read int8, toast_blks_hit int8,
  tidx_blks_read int8, tidx_blks_hit int8
12201 v pg_statio_sys_indexes: relid oid, indexrelid oid, schemaname name, relname name, indexrelname name,
  idx_blks_read int8, idx_blks_hit int8
12214 v pg_statio_sys_sequences: relid oid, schemaname name, relname name, blks_read int8, blks_hit int8
12175 v pg_statio_sys_tables: relid oid, schemaname name, relname name, heap_blks_read int8,
  heap_blks_hit int8, idx_blks_read int8, idx_blks_hit int8, toast_blks_read int8, toast_blks_hit int8,
  tidx_blks_read int8, tidx_blks_hit int8
12205 v pg_statio_user_indexes: relid oid, indexrelid oid, schemaname name, relname name, indexrelname name,
  idx_blks_read int8, idx_blks_hit int8
12218 v pg_statio_user_sequences: relid oid, schemaname name, relname name, blks_read int8, blks_hit int8
12179 v pg_statio_user_tables: relid oid, schemaname name, relname name, heap_blks_read int8,
  heap_blks_hit int8, idx_blks_read int8, idx_blks_hit int8, toast_blks_read int8, toast_blks_hit int8,
  tidx_blks_read int8, tidx_blks_hit int8
2619 r pg_statistic: starelid oid!, staattnum int2!, stainherit bool!, stanullfrac float4!, stawidth int4!,
  stadistinct float4!, stakind1 int2!, stakind2 int2!, stakind3 int2!, stakind4 int2!, stakind5 int2!,
  staop1 oid!, staop2 oid!, staop3 oid!, staop4 oid!, staop5 oid!, stacoll1 oid!, stacoll2 oid!,
  stacoll3 oid!, stacoll4 oid!, stacoll5 oid!, stanumbers1 _float4, stanumbers2 _float4, stanumbers3 _float4,
  stanumbers4 _float4, stanumbers5 _float4, stavalues1 anyarray, stavalues2 anyarray, stavalues3 anyarray,
  stavalues4 anyarray, stavalues5 anyarray
3381 r pg_statistic_ext: oid oid!, stxrelid oid!, stxname name!, stxnamespace oid!, stxowner oid!,
  stxstattarget int4!, stxkeys int2vector!, stxkind _char!, stxexprs pg_node_tree
3429 r pg_statistic_ext_data: stxoid oid!, stxdinherit bool!, stxdndistinct pg_ndistinct,
  stxddependencies pg_dependencies, stxdmcv pg_mcv_list, stxdexpr _pg_statistic
12053 v pg_stats: schemaname name, tablename name, attname name, inherited bool, null_frac float4,
  avg_width int4, n_distinct float4, most_common_vals anyarray, most_common_freqs _float4,
  histogram_bounds anyarray, correlation float4, most_common_elems anyarray, most_common_elem_freqs _float4,
  elem_count_histogram _float4
12058 v pg_stats_ext: schemaname name, tablename name, statistics_schemaname name, statistics_name name,
  statistics_owner name, attnames _name, exprs _text, kinds _char, inherited bool, n_distinct pg_ndistinct,
  dependencies pg_dependencies, most_common_vals _text, most_common_val_nulls _bool,
  most_common_freqs _float8, most_common_base_freqs _float8
12063 v pg_stats_ext_exprs: schemaname name, tablename name, statistics_schemaname name,
  statistics_name name, statistics_owner name, expr text, inherited bool, null_frac float4, avg_width int4,
  n_distinct float4, most_common_vals anyarray, most_common_freqs _float4, histogram_bounds anyarray,
  correlation float4, most_common_elems anyarray, most_common_elem_freqs _float4,
  elem_count_histogram _float4
6100 r pg_subscription: oid oid!, subdbid oid!, subskiplsn pg_lsn!, subname name!, subowner oid!,
  subenabled bool!, subbinary bool!, substream bool!, subtwophasestate char!, subdisableonerr bool!,
  subconninfo text!, subslotname name, subsynccommit text!, subpublications _text!
6102 r pg_subscription_rel: srsubid oid!, srrelid oid!, srsubstate char!, srsublsn pg_lsn
12033 v pg_tables: schemaname name, tablename name, tableowner name, tablespace name, hasindexes bool,
  hasrules bool, hastriggers bool, rowsecurity bool
1213 r pg_tablespace: oid oid!, spcname name!, spcowner oid!, spcacl _aclitem, spcoptions _text
12122 v pg_timezone_abbrevs: abbrev text, utc_offset interval, is_dst bool
12126 v pg_timezone_names: name text, abbrev text, utc_offset interval, is_dst bool
3576 r pg_transform: oid oid!, trftype oid!, trflang oid!, trffromsql regproc!, trftosql regproc!
2620 r pg_trigger: oid oid!, tgrelid oid!, tgparentid oid!, tgname name!, tgfoid oid!, tgtype int2!,
  tgenabled char!, tgisinternal bool!, tgconstrrelid oid!, tgconstrindid oid!, tgconstraint oid!,
  tgdeferrable bool!, tginitdeferred bool!, tgnargs int2!, tgattr int2vector!, tgargs bytea!,
  tgqual pg_node_tree, tgoldtable name, tgnewtable name
3602 r pg_ts_config: oid oid!, cfgname name!, cfgnamespace oid!, cfgowner oid!, cfgparser oid!
3603 r pg_ts_config_map: mapcfg oid!, maptokentype int4!, mapseqno int4!, mapdict oid!
3600 r pg_ts_dict: oid oid!, dictname name!, dictnamespace oid!, dictowner oid!, dicttemplate oid!,
  dictinitoption text
3601 r pg_ts_parser: oid oid!, prsname name!, prsnamespace oid!, prsstart regproc!, prstoken regproc!,
  prsend regproc!, prsheadline regproc!, prslextype regproc!
3764 r pg_ts_template: oid oid!, tmplname name!, tmplnamespace oid!, tmplinit regproc!, tmpllexize regproc!
1247 r pg_type: oid oid!, typname name!, typnamespace oid!, typowner oid!, typlen int2!, typbyval bool!,
  typtype char!, typcategory char!, typispreferred bool!, typisdefined bool!, typdelim char!, typrelid oid!,
  typsubscript regproc!, typelem oid!, typarray oid!, typinput regproc!, typoutput regproc!,
  typreceive regproc!, typsend regproc!, typmodin regproc!, typmodout regproc!, typanalyze regproc!,
  typalign char!, typstorage char!, typnotnull bool!, typbasetype oid!, typtypmod int4!, typndims int4!,
  typcollation oid!, typdefaultbin pg_node_tree, typdefault text, typacl _aclitem
12014 v pg_user: usename name, usesysid oid, usecreatedb bool, usesuper bool, userepl bool,
  usebypassrls bool, passwd text, valuntil timestamptz, useconfig _text
1418 r pg_user_mapping: oid oid!, umuser oid!, umserver oid!, umoptions _text
12327 v pg_user_mappings: umid oid, srvid oid, srvname name, umuser oid, usename name, umoptions _text
12028 v pg_views: schemaname name, viewname name, viewowner name, definition text
`;
