/** The statements behind `\d`. */

export interface CatalogueQuery {
  readonly text: string;
  readonly parameters: readonly string[];
}

/** Every table and view that the user made. */
export function listRelations(): CatalogueQuery {
  return {
    text: `select table_schema as schema, table_name as name, table_type as type
      from information_schema.tables
      where table_schema not in ('pg_catalog', 'information_schema')
      order by 1, 2`,
    parameters: [],
  };
}

/** The columns of one, found by `name` or `schema.name`. */
export function describeRelation(name: string): CatalogueQuery {
  const [table = '', schema = ''] = name.split('.').reverse();
  return {
    text: `select column_name as column, data_type as type, is_nullable as nullable,
        column_default as default
      from information_schema.columns
      where table_name = $1 and ($2 = '' or table_schema = $2)
      order by ordinal_position`,
    parameters: [table, schema],
  };
}
