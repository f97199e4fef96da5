/**
 * The settings as data, by category: `name @context | kind | first value | description`. Names, kinds,
 * bounds and descriptions are PostgreSQL 15's (pg_settings); those of newer versions that scripts set, and our own, are
 * among them. First values are ours. Settings of what PostgreSQL has and we have not are not listed: SET refuses them.
 */

/** Printing, limits of time, transactions, and what cannot be changed. */
export const clientSettings = `
# Client Connection Defaults / Locale and Formatting
client_encoding | text | UTF8 | Sets the client's character set encoding.
DateStyle | text | ISO, MDY | Sets the display format for date and time values.
default_text_search_config | text | pg_catalog.simple | Sets default text search configuration.
extra_float_digits | int -15..3 | 1 | Sets the number of digits displayed for floating-point values.
IntervalStyle | enum postgres,postgres_verbose,sql_standard,iso_8601 | postgres | Sets the display format for interval values.
lc_messages @superuser | text | C | Sets the language in which messages are displayed.
lc_monetary | text | C | Sets the locale for formatting monetary amounts.
lc_numeric | text | C | Sets the locale for formatting numbers.
lc_time | text | C | Sets the locale for formatting date and time values.
TimeZone | text | UTC | Sets the time zone for displaying and interpreting time stamps.
timezone_abbreviations | text | Default | Selects a file of time zone abbreviations.
# Client Connection Defaults / Other Defaults
gin_fuzzy_search_limit | int 0..2147483647 | 0 | Sets the maximum allowed result for exact search by GIN.
# Client Connection Defaults / Shared Library Preloading
local_preload_libraries | text |  | Lists unprivileged shared libraries to preload into each backend.
session_preload_libraries @superuser | text |  | Lists shared libraries to preload into each backend.
# Client Connection Defaults / Statement Behavior
bytea_output | enum escape,hex | hex | Sets the output format for bytea.
check_function_bodies | bool | on | Check routine bodies during CREATE FUNCTION and CREATE PROCEDURE.
client_min_messages | enum debug5,debug4,debug3,debug2,debug1,log,notice,warning,error | notice | Sets the message levels that are sent to the client.
default_table_access_method | text | heap | Sets the default table access method for new tables.
default_tablespace | text |  | Sets the default tablespace to create tables and indexes in.
default_toast_compression | enum pglz,lz4 | pglz | Sets the default compression method for compressible values.
default_transaction_deferrable | bool | off | Sets the default deferrable status of new transactions.
default_transaction_isolation | enum serializable,repeatable read,read committed,read uncommitted | read committed | Sets the transaction isolation level of each new transaction.
default_transaction_read_only | bool | off | Sets the default read-only status of new transactions.
gin_pending_list_limit | int 64..2147483647 kB | 4096 | Sets the maximum size of the pending list for GIN index.
idle_in_transaction_session_timeout | int 0..2147483647 ms | 0 | Sets the maximum allowed idle time between queries, when in a transaction.
idle_session_timeout | int 0..2147483647 ms | 0 | Sets the maximum allowed idle time between queries, when not in a transaction.
lock_timeout | int 0..2147483647 ms | 0 | Sets the maximum allowed duration of any wait for a lock.
createrole_self_grant | text |  | Sets whether a CREATEROLE user automatically grants the role to themselves, and with which options.
restrict_nonsystem_relation_kind | text |  | Prohibits access to non-system relations of specified kinds.
row_security | bool | on | Enable row security.
search_path | text | "$user", public | Sets the schema search order for names that are not schema-qualified.
session_replication_role @superuser | enum origin,replica,local | origin | Sets the session's behavior for triggers and rewrite rules.
statement_timeout | int 0..2147483647 ms | 0 | Sets the maximum allowed duration of any statement.
temp_tablespaces | text |  | Sets the tablespace(s) to use for temporary tables and sort files.
transaction_deferrable | bool | off | Whether to defer a read-only serializable transaction until it can be executed with no possible serialization failures.
transaction_isolation | enum serializable,repeatable read,read committed,read uncommitted | read committed | Sets the current transaction's isolation level.
transaction_read_only | bool | off | Sets the current transaction's read-only status.
transaction_timeout | int 0..2147483647 ms | 0 | Sets the maximum allowed duration of any transaction within a session (not a prepared transaction).
vacuum_failsafe_age | int 0..2100000000 | 1600000000 | Age at which VACUUM should trigger failsafe to avoid a wraparound outage.
vacuum_freeze_min_age | int 0..1000000000 | 50000000 | Minimum age at which VACUUM should freeze a table row.
vacuum_freeze_table_age | int 0..2000000000 | 150000000 | Age at which VACUUM should scan whole table to freeze tuples.
vacuum_multixact_failsafe_age | int 0..2100000000 | 1600000000 | Multixact age at which VACUUM should trigger failsafe to avoid a wraparound outage.
vacuum_multixact_freeze_min_age | int 0..1000000000 | 5000000 | Minimum age at which VACUUM should freeze a MultiXactId in a table row.
vacuum_multixact_freeze_table_age | int 0..2000000000 | 150000000 | Multixact age at which VACUUM should scan whole table to freeze tuples.
xmlbinary | enum base64,hex | base64 | Sets how binary values are to be encoded in XML.
xmloption | enum content,document | content | Sets whether XML data in implicit parsing and serialization operations is to be considered as documents or content fragments.
# Preset Options
block_size @internal | int 8192..8192 | 8192 | Shows the size of a disk block.
in_hot_standby @internal | bool | off | Shows whether hot standby is currently active.
integer_datetimes @internal | bool | on | Shows whether datetimes are integer based.
is_superuser @internal | bool | on | Shows whether the current user is a superuser.
lc_collate @internal | text | C | Shows the collation order locale.
lc_ctype @internal | text | C | Shows the character classification and case conversion locale.
max_function_args @internal | int 100..100 | 100 | Shows the maximum number of function arguments.
max_identifier_length @internal | int 63..63 | 63 | Shows the maximum identifier length.
max_index_keys @internal | int 32..32 | 32 | Shows the maximum number of index keys.
server_encoding @internal | text | UTF8 | Shows the server (database) character set encoding.
server_version @internal | text | 15.0 | Shows the server version.
server_version_num @internal | int 150000..150000 | 150000 | Shows the server version as an integer.
# ShardForge
shardforge.stale_reads | bool | off | Reads from a node that cannot know the newest commits may be old instead of failing.
# Ungrouped
role | text | none | Sets the current role.
session_authorization | text |  | Sets the session user name.
`;

/** Memory, costs, logs and compatibility. */
export const serverSettings = `
# Connections and Authentication / Authentication
password_encryption | enum md5,scram-sha-256 | scram-sha-256 | Chooses the algorithm for encrypting passwords.
# Connections and Authentication / Connection Settings
client_connection_check_interval | int 0..2147483647 ms | 0 | Sets the time interval between checks for disconnection while running queries.
tcp_keepalives_count | int 0..2147483647 | 0 | Maximum number of TCP keepalive retransmits.
tcp_keepalives_idle | int 0..2147483647 s | 0 | Time between issuing TCP keepalives.
tcp_keepalives_interval | int 0..2147483647 s | 0 | Time between TCP keepalive retransmits.
tcp_user_timeout | int 0..2147483647 ms | 0 | TCP user timeout.
# Developer Options
allow_system_table_mods @superuser | bool | off | Allows modifications of the structure of system tables.
debug_parallel_query | enum off,on,regress | off | Forces the planner's use parallel query nodes.
jit_expressions | bool | on | Allow JIT compilation of expressions.
jit_tuple_deforming | bool | on | Allow JIT compilation of tuple deforming.
# Error Handling
exit_on_error | bool | off | Terminate session on any error.
# Lock Management
deadlock_timeout @superuser | int 1..2147483647 ms | 1000 | Sets the time to wait on a lock before checking for deadlock.
# Reporting and Logging / What to Log
application_name | text |  | Sets the application name to be reported in statistics and logs.
log_duration @superuser | bool | off | Logs the duration of each completed SQL statement.
log_statement @superuser | enum none,ddl,mod,all | none | Sets the type of statements logged.
# Reporting and Logging / When to Log
log_min_duration_statement @superuser | int -1..2147483647 ms | 1000 | Sets the minimum execution time above which all statements will be logged.
# Resource Usage / Asynchronous Behavior
backend_flush_after | int 0..256 8kB | 0 | Number of pages after which previously performed writes are flushed to disk.
effective_io_concurrency | int 0..1000 | 1 | Number of simultaneous requests that can be handled efficiently by the disk subsystem.
maintenance_io_concurrency | int 0..1000 | 10 | A variant of effective_io_concurrency that is used for maintenance work.
max_parallel_maintenance_workers | int 0..1024 | 2 | Sets the maximum number of parallel processes per maintenance operation.
max_parallel_workers | int 0..1024 | 8 | Sets the maximum number of parallel workers that can be active at one time.
max_parallel_workers_per_gather | int 0..1024 | 2 | Sets the maximum number of parallel processes per executor node.
parallel_leader_participation | bool | on | Controls whether Gather and Gather Merge also run subplans.
# Resource Usage / Cost-Based Vacuum Delay
vacuum_cost_delay | real 0..100 ms | 0 | Vacuum cost delay in milliseconds.
vacuum_cost_limit | int 1..10000 | 200 | Vacuum cost amount available before napping.
vacuum_cost_page_dirty | int 0..10000 | 20 | Vacuum cost for a page dirtied by vacuum.
vacuum_cost_page_hit | int 0..10000 | 1 | Vacuum cost for a page found in the buffer cache.
vacuum_cost_page_miss | int 0..10000 | 2 | Vacuum cost for a page not found in the buffer cache.
# Resource Usage / Disk
temp_file_limit @superuser | int -1..2147483647 kB | -1 | Limits the total size of all temporary files used by each process.
# Resource Usage / Memory
hash_mem_multiplier | real 1..1000 | 2 | Multiple of work_mem to use for hash tables.
logical_decoding_work_mem | int 64..2147483647 kB | 65536 | Sets the maximum memory to be used for logical decoding.
maintenance_work_mem | int 1024..2147483647 kB | 65536 | Sets the maximum memory to be used for maintenance operations.
max_prepared_transactions @postmaster | int 0..262143 | 0 | Sets the maximum number of simultaneously prepared transactions.
max_stack_depth @superuser | int 100..2147483647 kB | 2048 | Sets the maximum stack depth, in kilobytes.
temp_buffers | int 100..1073741823 8kB | 1024 | Sets the maximum number of temporary buffers used by each session.
work_mem | int 64..2147483647 kB | 4096 | Sets the maximum memory to be used for query workspaces.
# Statistics / Cumulative Query and Index Statistics
stats_fetch_consistency | enum none,cache,snapshot | cache | Sets the consistency of accesses to statistics data.
track_activities @superuser | bool | on | Collects information about executing commands.
track_counts @superuser | bool | on | Collects statistics on database activity.
# Statistics / Monitoring
compute_query_id @superuser | enum auto,regress,on,off | auto | Enables in-core computation of query identifiers.
# Version and Platform Compatibility / Other Platforms and Clients
transform_null_equals | bool | off | Treats "expr=NULL" as "expr IS NULL".
# Version and Platform Compatibility / Previous PostgreSQL Versions
default_with_oids | bool | off | Create new tables with OIDs by default.
array_nulls | bool | on | Enable input of NULL elements in arrays.
backslash_quote | enum safe_encoding,on,off | safe_encoding | Sets whether "\\'" is allowed in string literals.
escape_string_warning | bool | on | Warn about backslash escapes in ordinary string literals.
lo_compat_privileges @superuser | bool | off | Enables backward compatibility mode for privilege checks on large objects.
quote_all_identifiers | bool | off | When generating SQL fragments, quote all identifiers.
standard_conforming_strings | bool | on | Causes '...' strings to treat backslashes literally.
synchronize_seqscans | bool | on | Enable synchronized sequential scans.
# Write-Ahead Log / Settings
commit_delay @superuser | int 0..100000 | 0 | Sets the delay in microseconds between transaction commit and flushing WAL to disk.
commit_siblings | int 0..1000 | 5 | Sets the minimum number of concurrent open transactions required before performing commit_delay.
synchronous_commit | enum local,remote_write,remote_apply,on,off | on | Sets the current transaction's synchronization level.
wal_skip_threshold | int 0..2147483647 kB | 2048 | Minimum size of new file to fsync instead of writing WAL.
`;

/** PostgreSQL's planner: taken, checked and shown, so that scripts run as they are. Our plans know none of them. */
export const plannerSettings = `
# Query Tuning / Genetic Query Optimizer
geqo | bool | on | Enables genetic query optimization.
geqo_effort | int 1..10 | 5 | GEQO: effort is used to set the default for other GEQO parameters.
geqo_generations | int 0..2147483647 | 0 | GEQO: number of iterations of the algorithm.
geqo_pool_size | int 0..2147483647 | 0 | GEQO: number of individuals in the population.
geqo_seed | real 0..1 | 0 | GEQO: seed for random path selection.
geqo_selection_bias | real 1.5..2 | 2 | GEQO: selective pressure within the population.
geqo_threshold | int 2..2147483647 | 12 | Sets the threshold of FROM items beyond which GEQO is used.
# Query Tuning / Other Planner Options
constraint_exclusion | enum partition,on,off | partition | Enables the planner to use constraints to optimize queries.
cursor_tuple_fraction | real 0..1 | 0.1 | Sets the planner's estimate of the fraction of a cursor's rows that will be retrieved.
default_statistics_target | int 1..10000 | 100 | Sets the default statistics target.
from_collapse_limit | int 1..2147483647 | 8 | Sets the FROM-list size beyond which subqueries are not collapsed.
jit | bool | on | Allow JIT compilation.
join_collapse_limit | int 1..2147483647 | 8 | Sets the FROM-list size beyond which JOIN constructs are not flattened.
plan_cache_mode | enum auto,force_generic_plan,force_custom_plan | auto | Controls the planner's selection of custom or generic plan.
recursive_worktable_factor | real 0.001..1000000 | 10 | Sets the planner's estimate of the average size of a recursive query's working table.
# Query Tuning / Planner Cost Constants
cpu_index_tuple_cost | real 0..max | 0.005 | Sets the planner's estimate of the cost of processing each index entry during an index scan.
cpu_operator_cost | real 0..max | 0.0025 | Sets the planner's estimate of the cost of processing each operator or function call.
cpu_tuple_cost | real 0..max | 0.01 | Sets the planner's estimate of the cost of processing each tuple (row).
effective_cache_size | int 1..2147483647 8kB | 524288 | Sets the planner's assumption about the total size of the data caches.
jit_above_cost | real -1..max | 100000 | Perform JIT compilation if query is more expensive.
jit_inline_above_cost | real -1..max | 500000 | Perform JIT inlining if query is more expensive.
jit_optimize_above_cost | real -1..max | 500000 | Optimize JIT-compiled functions if query is more expensive.
min_parallel_index_scan_size | int 0..715827882 8kB | 64 | Sets the minimum amount of index data for a parallel scan.
min_parallel_table_scan_size | int 0..715827882 8kB | 1024 | Sets the minimum amount of table data for a parallel scan.
parallel_setup_cost | real 0..max | 1000 | Sets the planner's estimate of the cost of starting up worker processes for parallel query.
parallel_tuple_cost | real 0..max | 0.1 | Sets the planner's estimate of the cost of passing each tuple (row) from worker to leader backend.
random_page_cost | real 0..max | 4 | Sets the planner's estimate of the cost of a nonsequentially fetched disk page.
seq_page_cost | real 0..max | 1 | Sets the planner's estimate of the cost of a sequentially fetched disk page.
# Query Tuning / Planner Method Configuration
enable_async_append | bool | on | Enables the planner's use of async append plans.
enable_bitmapscan | bool | on | Enables the planner's use of bitmap-scan plans.
enable_gathermerge | bool | on | Enables the planner's use of gather merge plans.
enable_group_by_reordering | bool | on | Enables reordering of GROUP BY keys.
enable_hashagg | bool | on | Enables the planner's use of hashed aggregation plans.
enable_hashjoin | bool | on | Enables the planner's use of hash join plans.
enable_incremental_sort | bool | on | Enables the planner's use of incremental sort steps.
enable_indexonlyscan | bool | on | Enables the planner's use of index-only-scan plans.
enable_indexscan | bool | on | Enables the planner's use of index-scan plans.
enable_material | bool | on | Enables the planner's use of materialization.
enable_memoize | bool | on | Enables the planner's use of memoization.
enable_mergejoin | bool | on | Enables the planner's use of merge join plans.
enable_nestloop | bool | on | Enables the planner's use of nested-loop join plans.
enable_parallel_append | bool | on | Enables the planner's use of parallel append plans.
enable_parallel_hash | bool | on | Enables the planner's use of parallel hash plans.
enable_partition_pruning | bool | on | Enables plan-time and execution-time partition pruning.
enable_partitionwise_aggregate | bool | off | Enables partitionwise aggregation and grouping.
enable_partitionwise_join | bool | off | Enables partitionwise join.
enable_presorted_aggregate | bool | on | Enables the planner's ability to produce plans that provide presorted input for ORDER BY / DISTINCT aggregate functions.
enable_seqscan | bool | on | Enables the planner's use of sequential-scan plans.
enable_sort | bool | on | Enables the planner's use of explicit sort steps.
enable_tidscan | bool | on | Enables the planner's use of TID scan plans.
`;
