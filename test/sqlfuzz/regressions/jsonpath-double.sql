SELECT jsonb_path_query('[1, "1.5", 1e3]', '$[*].double()');
SELECT jsonb_path_query('""', '$.double()');
SELECT jsonb_path_query('"0x10"', '$.double()');
SELECT jsonb_path_query('"inf"', '$.double()');
SELECT jsonb_path_query('"x"', '$.double()', '{}', true);
SELECT jsonb_path_query('[true, null, {}]', '$[*].type()');
SELECT jsonb_typeof('1'), jsonb_typeof('null'), jsonb_typeof('[]'), jsonb_typeof('true');
