/**
 * Functions that ask the system catalogue (chapter 9.26 of PostgreSQL's manual): their signatures. What
 * they do is in ../system/functions, by the same names.
 */
import { raise } from '../../base/errors.js';
import type { FunctionContext, Value } from '../types/index.js';
import { define, type Definition } from './definition.js';
import { privilegeSetSignatures, privilegeSignatures } from './privileges.js';
import { defineSet, type SetDefinition } from './set-definition.js';

const visible = `table type function operator opclass opfamily collation conversion statistics_obj
  ts_parser ts_dict ts_template ts_config`.split(/\s+/);

const signatures: readonly string[] = [
  ...visible.map((kind) => `pg_${kind}_is_visible(oid): bool`),
  'to_regclass(text): regclass',
  'to_regtype(text): regtype',
  'to_regproc(text): regproc',
  'to_regprocedure(text): regprocedure',
  'to_regoper(text): regoper',
  'to_regoperator(text): regoperator',
  'to_regnamespace(text): regnamespace',
  'to_regrole(text): regrole',
  'to_regcollation(text): regcollation',
  'pg_my_temp_schema(): oid',
  'pg_is_other_temp_schema(oid): bool',
  'obj_description(oid): text',
  'obj_description(oid, name): text',
  'shobj_description(oid, name): text',
  'col_description(oid, int4): text',
  'pg_get_expr(pg_node_tree, oid): text',
  'pg_get_expr(pg_node_tree, oid, bool): text',
  'pg_get_constraintdef(oid): text',
  'pg_get_constraintdef(oid, bool): text',
  'pg_get_indexdef(oid): text',
  'pg_get_indexdef(oid, int4, bool): text',
  'pg_get_viewdef(oid): text',
  'pg_get_viewdef(oid, bool): text',
  'pg_get_viewdef(oid, int4): text',
  'pg_get_viewdef(text): text',
  'pg_get_viewdef(text, bool): text',
  'pg_get_ruledef(oid): text',
  'pg_get_ruledef(oid, bool): text',
  'pg_get_triggerdef(oid): text',
  'pg_get_triggerdef(oid, bool): text',
  'pg_get_functiondef(oid): text',
  'pg_get_function_arguments(oid): text',
  'pg_get_function_identity_arguments(oid): text',
  'pg_get_function_result(oid): text',
  'pg_get_function_arg_default(oid, int4): text',
  'pg_get_function_sqlbody(oid): text',
  'pg_get_partkeydef(oid): text',
  'pg_get_partition_constraintdef(oid): text',
  'pg_get_serial_sequence(text, text): text',
  'pg_get_statisticsobjdef(oid): text',
  'pg_get_statisticsobjdef_columns(oid): text',
  'pg_get_replica_identity_index(regclass): regclass',
  'pg_relation_is_publishable(regclass): bool',
  'pg_relation_is_updatable(regclass, bool): int4',
  'pg_column_is_updatable(regclass, int2, bool): bool',
  'pg_partition_root(regclass): regclass',
  'pg_indexam_has_property(oid, text): bool',
  'pg_index_has_property(regclass, text): bool',
  'pg_index_column_has_property(regclass, int4, text): bool',
  'pg_relation_size(regclass): int8',
  'pg_relation_size(regclass, text): int8',
  'pg_table_size(regclass): int8',
  'pg_indexes_size(regclass): int8',
  'pg_total_relation_size(regclass): int8',
  'pg_database_size(oid): int8',
  'pg_database_size(name): int8',
  'pg_tablespace_size(oid): int8',
  'pg_tablespace_size(name): int8',
  'pg_relation_filenode(regclass): oid',
  'pg_relation_filepath(regclass): text',
  'pg_tablespace_location(oid): text',
  'pg_sequence_last_value(regclass): int8',
  'pg_collation_actual_version(oid): text',
  'pg_database_collation_actual_version(oid): text',
  'row_security_active(oid): bool',
  'row_security_active(text): bool',
  'pg_encoding_to_char(int4): name',
  'pg_char_to_encoding(name): int4',
  'pg_client_encoding(): name',
  'getdatabaseencoding(): name',
  'pg_is_in_recovery(): bool',
  'pg_is_wal_replay_paused(): bool',
  'pg_postmaster_start_time(): timestamptz',
  'pg_conf_load_time(): timestamptz',
];

function ask({ system }: FunctionContext, name: string, values: readonly Value[]): Value {
  if (system !== undefined) return system.call(name, values);
  raise('feature_not_supported', `${name}() is only supported in a session`);
}

function defined(signature: string): Definition {
  const name = signature.slice(0, signature.indexOf('('));
  const implementation = (context: FunctionContext, ...values: readonly Value[]): Value =>
    ask(context, name, values);
  return define(signature, implementation, { volatility: 'stable', usesContext: true });
}

/** Its second argument may be NULL: no modifier. */
const formatType = define(
  'format_type(oid, int4): text',
  (context: FunctionContext, oid: Value, modifier: Value) =>
    oid === null ? null : ask(context, 'format_type', [oid, modifier]),
  { volatility: 'stable', usesContext: true, strict: false },
);

export const systemFunctions: readonly Definition[] = [
  formatType,
  ...[...signatures, ...privilegeSignatures].map(defined),
];

const setSignatures: readonly string[] = [
  ...privilegeSetSignatures,
  'pg_get_keywords(): setof (word text, catcode char, barelabel bool, catdesc text, baredesc text)',
  'pg_partition_tree(regclass): setof (relid regclass, parentrelid regclass, isleaf bool, level int4)',
  'pg_partition_ancestors(regclass): setof (relid regclass)',
  'pg_options_to_table(_text): setof (option_name text, option_value text)',
  'pg_tablespace_databases(oid): setof oid',
  'pg_sequence_parameters(oid): setof (start_value int8, minimum_value int8, maximum_value int8, increment int8, cycle_option bool, cache_size int8, data_type oid)',
];

export const systemSetFunctions: readonly SetDefinition[] = setSignatures.map((signature) => {
  const name = signature.slice(0, signature.indexOf('('));
  return defineSet(
    signature,
    (values, { system }) => {
      if (system !== undefined) return system.rows(name, values);
      return raise('feature_not_supported', `${name}() is only supported in a session`);
    },
    { volatility: 'stable' },
  );
});
