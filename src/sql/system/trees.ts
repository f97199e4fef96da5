/** Expressions as columns of type pg_node_tree hold them: their text, and the column that they are for. */

const pattern = /^\{EXPR :column (\d+) :sql (.*)\}$/s;

export function treeOf(sql: string, column = 0): string {
  return `{EXPR :column ${column} :sql ${sql}}`;
}

/** Column 0 is none. */
export function readTree(text: string): { readonly sql: string; readonly column: number } {
  const found = pattern.exec(text);
  return { sql: found?.[2] ?? text, column: Number(found?.[1] ?? 0) };
}
