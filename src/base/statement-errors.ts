/** The part of the error catalogue that is about statements: their text, names, values and constraints. */
import type { ErrorKind } from './error-kind.js';

export const statementErrors = {
  // SQL text and names
  syntax_error: {
    sqlstate: '42601',
    retry: 'never',
    advice: 'Correct the statement at the position shown.',
  },
  feature_not_supported: {
    sqlstate: '0A000',
    retry: 'never',
    advice: 'Rewrite the statement without the construct named.',
  },
  undefined_table: {
    sqlstate: '42P01',
    retry: 'never',
    advice: 'Create the table or correct its name.',
  },
  undefined_column: { sqlstate: '42703', retry: 'never', advice: 'Correct the column name.' },
  undefined_function: {
    sqlstate: '42883',
    retry: 'never',
    advice: 'Correct the function or operator, or cast its arguments.',
  },
  undefined_object: {
    sqlstate: '42704',
    retry: 'never',
    advice: 'Correct the name of the type or object.',
  },
  undefined_parameter: {
    sqlstate: '42P02',
    retry: 'never',
    advice: 'Number the parameters from $1 without gaps and bind each.',
  },
  ambiguous_column: {
    sqlstate: '42702',
    retry: 'never',
    advice: 'Qualify the column with its table.',
  },
  invalid_recursion: {
    sqlstate: '42P19',
    retry: 'never',
    advice: 'Write the table as a non-recursive query UNION [ALL] one that names the table once.',
  },
  ambiguous_parameter: {
    sqlstate: '42P08',
    retry: 'never',
    advice: 'Cast the parameter to one type wherever it is used.',
  },
  ambiguous_function: {
    sqlstate: '42725',
    retry: 'never',
    advice: 'Cast the arguments so that one function fits.',
  },
  duplicate_table: {
    sqlstate: '42P07',
    retry: 'never',
    advice: 'Choose another name or use IF NOT EXISTS.',
  },
  duplicate_column: { sqlstate: '42701', retry: 'never', advice: 'Name each column once.' },
  duplicate_alias: {
    sqlstate: '42712',
    retry: 'never',
    advice: 'Give each table of the statement its own alias.',
  },
  duplicate_prepared_statement: {
    sqlstate: '42P05',
    retry: 'never',
    advice: 'Close the prepared statement first or choose another name.',
  },
  invalid_sql_statement_name: {
    sqlstate: '26000',
    retry: 'never',
    advice: 'Prepare the statement before executing it.',
  },
  datatype_mismatch: {
    sqlstate: '42804',
    retry: 'never',
    advice: 'Cast the expression to the type wanted.',
  },
  cannot_coerce: {
    sqlstate: '42846',
    retry: 'never',
    advice: 'Use types between which a cast exists.',
  },
  indeterminate_datatype: {
    sqlstate: '42P18',
    retry: 'never',
    advice: 'Cast the parameter or literal to a type.',
  },
  windowing_error: {
    sqlstate: '42P20',
    retry: 'never',
    advice: 'Correct the window, or move the call to the select list or ORDER BY.',
  },
  grouping_error: {
    sqlstate: '42803',
    retry: 'never',
    advice: 'Add the column to GROUP BY or aggregate it.',
  },
  invalid_column_reference: {
    sqlstate: '42P10',
    retry: 'never',
    advice: 'Refer to a column that the statement provides there.',
  },
  invalid_table_definition: {
    sqlstate: '42P16',
    retry: 'never',
    advice: 'Correct the table definition.',
  },
  invalid_object_definition: {
    sqlstate: '42P17',
    retry: 'never',
    advice: 'Correct the definition of the object.',
  },
  duplicate_object: {
    sqlstate: '42710',
    retry: 'never',
    advice: 'Choose another name or drop the object first.',
  },
  duplicate_schema: {
    sqlstate: '42P06',
    retry: 'never',
    advice: 'Choose another name or use IF NOT EXISTS.',
  },
  duplicate_function: {
    sqlstate: '42723',
    retry: 'never',
    advice: 'Choose another name or use CREATE OR REPLACE.',
  },
  dependent_objects_still_exist: {
    sqlstate: '2BP01',
    retry: 'never',
    advice: 'Drop what depends on the object first, or use CASCADE.',
  },
  invalid_schema_definition: {
    sqlstate: '42P15',
    retry: 'never',
    advice: 'Name objects of the schema that is created.',
  },
  invalid_foreign_key: {
    sqlstate: '42830',
    retry: 'never',
    advice: 'Reference columns that a unique constraint or the primary key covers.',
  },
  object_in_use: {
    sqlstate: '55006',
    retry: 'later',
    advice: 'Try again when nothing else uses the object.',
  },
  invalid_savepoint_specification: {
    sqlstate: '3B001',
    retry: 'never',
    advice: 'Name a savepoint of the open transaction.',
  },
  invalid_function_definition: {
    sqlstate: '42P13',
    retry: 'never',
    advice: 'Correct the definition of the function.',
  },
  invalid_column_definition: {
    sqlstate: '42611',
    retry: 'never',
    advice: 'Correct the definition of the column.',
  },
  invalid_grant_operation: {
    sqlstate: '0LP01',
    retry: 'never',
    advice: 'Name privileges that the object has.',
  },
  invalid_schema_name: { sqlstate: '3F000', retry: 'never', advice: 'Use a schema that exists.' },
  invalid_catalog_name: {
    sqlstate: '3D000',
    retry: 'never',
    advice: 'Name a database that exists.',
  },
  invalid_name: { sqlstate: '42602', retry: 'never', advice: 'Correct the name.' },
  name_too_long: { sqlstate: '42622', retry: 'never', advice: 'Use names of at most 63 bytes.' },
  reserved_name: {
    sqlstate: '42939',
    retry: 'never',
    advice: 'Choose a name that the system does not use.',
  },
  generated_always: {
    sqlstate: '428C9',
    retry: 'never',
    advice: 'Leave the column out or use OVERRIDING SYSTEM VALUE.',
  },
  wrong_object_type: {
    sqlstate: '42809',
    retry: 'never',
    advice: 'Use an object of the kind that the statement takes.',
  },
  insufficient_privilege: {
    sqlstate: '42501',
    retry: 'never',
    advice: 'Use a role that has the privilege.',
  },
  // Values
  division_by_zero: {
    sqlstate: '22012',
    retry: 'never',
    advice: 'Guard the divisor, for example with NULLIF.',
  },
  numeric_value_out_of_range: {
    sqlstate: '22003',
    retry: 'never',
    advice: 'Use a wider type or smaller values.',
  },
  string_data_length_mismatch: {
    sqlstate: '22026',
    retry: 'never',
    advice: 'Give a bit string of the length of the type.',
  },
  string_data_right_truncation: {
    sqlstate: '22001',
    retry: 'never',
    advice: 'Shorten the value or widen the column.',
  },
  invalid_text_representation: {
    sqlstate: '22P02',
    retry: 'never',
    advice: 'Correct the text of the value.',
  },
  invalid_datetime_format: {
    sqlstate: '22007',
    retry: 'never',
    advice: 'Write dates and times in ISO 8601.',
  },
  datetime_field_overflow: {
    sqlstate: '22008',
    retry: 'never',
    advice: 'Use a date and time that exist and are in range.',
  },
  interval_field_overflow: {
    sqlstate: '22015',
    retry: 'never',
    advice: 'Use an interval whose fields are in range.',
  },
  invalid_time_zone_displacement_value: {
    sqlstate: '22009',
    retry: 'never',
    advice: 'Use a time zone offset within 15:59:59.',
  },
  invalid_parameter_value: {
    sqlstate: '22023',
    retry: 'never',
    advice: 'Use a value that the parameter takes.',
  },
  character_not_in_repertoire: {
    sqlstate: '22021',
    retry: 'never',
    advice: 'Send valid UTF-8 text without NUL characters.',
  },
  untranslatable_character: {
    sqlstate: '22P05',
    retry: 'never',
    advice: 'Leave out the character that the encoding does not have.',
  },
  invalid_regular_expression: {
    sqlstate: '2201B',
    retry: 'never',
    advice: 'Correct the regular expression.',
  },
  invalid_use_of_escape_character: {
    sqlstate: '2200C',
    retry: 'never',
    advice: 'Mark at most one part of the pattern with escaped double quotes.',
  },
  invalid_escape_sequence: {
    sqlstate: '22025',
    retry: 'never',
    advice: 'Correct the escape sequence.',
  },
  invalid_row_count_in_limit_clause: {
    sqlstate: '2201W',
    retry: 'never',
    advice: 'Use a LIMIT of 0 or more.',
  },
  invalid_row_count_in_result_offset_clause: {
    sqlstate: '2201X',
    retry: 'never',
    advice: 'Use an OFFSET of 0 or more.',
  },
  invalid_tablesample_argument: {
    sqlstate: '2202H',
    retry: 'never',
    advice: 'Give a percentage from 0 to 100.',
  },
  invalid_tablesample_repeat: {
    sqlstate: '2202G',
    retry: 'never',
    advice: 'Give REPEATABLE a number.',
  },
  invalid_preceding_or_following_size: {
    sqlstate: '22013',
    retry: 'never',
    advice: 'Give a frame an offset that is not negative.',
  },
  invalid_argument_for_ntile_function: {
    sqlstate: '22014',
    retry: 'never',
    advice: 'Give ntile a positive number.',
  },
  invalid_argument_for_nth_value_function: {
    sqlstate: '22016',
    retry: 'never',
    advice: 'Give nth_value a positive number.',
  },
  invalid_argument_for_logarithm: {
    sqlstate: '2201E',
    retry: 'never',
    advice: 'Take logarithms of positive numbers only.',
  },
  invalid_argument_for_power_function: {
    sqlstate: '2201F',
    retry: 'never',
    advice: 'Use a base and exponent whose power is a real number.',
  },
  bad_copy_file_format: {
    sqlstate: '22P04',
    retry: 'never',
    advice: 'Correct the data at the line shown, or say the format that they have.',
  },
  invalid_binary_representation: {
    sqlstate: '22P03',
    retry: 'never',
    advice: 'Correct the bytes: they are no value of the type.',
  },
  substring_error: { sqlstate: '22011', retry: 'never', advice: 'Use a length of 0 or more.' },
  null_value_not_allowed: {
    sqlstate: '22004',
    retry: 'never',
    advice: 'Give a value that is not null.',
  },
  invalid_argument_for_width_bucket_function: {
    sqlstate: '2201G',
    retry: 'never',
    advice: 'Give two different finite bounds and a count above zero.',
  },
  collation_mismatch: {
    sqlstate: '42P21',
    retry: 'never',
    advice: 'Give both sides one collation.',
  },
  indeterminate_collation: {
    sqlstate: '42P22',
    retry: 'never',
    advice: 'Say by COLLATE which collation is meant.',
  },
  data_exception: { sqlstate: '22000', retry: 'never', advice: 'Correct the value.' },
  array_subscript_error: {
    sqlstate: '2202E',
    retry: 'never',
    advice: 'Use array subscripts within bounds and arrays of equal dimensions.',
  },
  duplicate_json_object_key_value: {
    sqlstate: '22030',
    retry: 'never',
    advice: 'Give each key of an object once.',
  },
  invalid_sql_json_subscript: {
    sqlstate: '22033',
    retry: 'never',
    advice: 'Use a subscript within the array.',
  },
  non_numeric_sql_json_item: {
    sqlstate: '22036',
    retry: 'never',
    advice: 'Use the method on a number.',
  },
  singleton_sql_json_item_required: {
    sqlstate: '22038',
    retry: 'never',
    advice: 'Use a path that gives one value.',
  },
  sql_json_array_not_found: {
    sqlstate: '22039',
    retry: 'never',
    advice: 'Use the path on an array, or in lax mode.',
  },
  sql_json_member_not_found: {
    sqlstate: '2203A',
    retry: 'never',
    advice: 'Name a member that the object has, or use lax mode.',
  },
  sql_json_number_not_found: {
    sqlstate: '2203B',
    retry: 'never',
    advice: 'Use the operator on numbers.',
  },
  sql_json_object_not_found: {
    sqlstate: '2203C',
    retry: 'never',
    advice: 'Use the path on an object, or in lax mode.',
  },
  invalid_argument_for_sql_json_datetime_function: {
    sqlstate: '22031',
    retry: 'never',
    advice: 'Give a date or time in ISO 8601.',
  },
  invalid_json_text: { sqlstate: '22032', retry: 'never', advice: 'Correct the JSON text.' },
  cardinality_violation: {
    sqlstate: '21000',
    retry: 'never',
    advice: 'Make the subquery or the command meet each row once.',
  },
  sequence_generator_limit_exceeded: {
    sqlstate: '2200H',
    retry: 'never',
    advice: 'Use a wider sequence.',
  },
  cant_change_runtime_param: {
    sqlstate: '55P02',
    retry: 'never',
    advice: 'Leave the setting as it is: it tells what the server does.',
  },
  invalid_cursor_name: {
    sqlstate: '34000',
    retry: 'never',
    advice: 'Declare the cursor in this transaction, or WITH HOLD before it.',
  },
  duplicate_cursor: {
    sqlstate: '42P03',
    retry: 'never',
    advice: 'Choose another name or close the cursor first.',
  },
  object_not_in_prerequisite_state: {
    sqlstate: '55000',
    retry: 'never',
    advice: 'Bring the object into the state that the operation needs first.',
  },
  // Constraints
  foreign_key_violation: {
    sqlstate: '23503',
    retry: 'never',
    advice: 'Make the row that is referenced exist, or change the rows that reference it first.',
  },
  unique_violation: {
    sqlstate: '23505',
    retry: 'never',
    advice: 'Use another key or ON CONFLICT.',
  },
  not_null_violation: { sqlstate: '23502', retry: 'never', advice: 'Give the column a value.' },
  check_violation: {
    sqlstate: '23514',
    retry: 'never',
    advice: 'Use values that satisfy the constraint.',
  },
} as const satisfies Record<string, ErrorKind>;
