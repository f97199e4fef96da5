/** Stored texts over a table's columns when one of these gets another name. */
import type { ColumnDescriptor, TableDescriptor } from '../catalogue/index.js';
import { kindOf, parseExpression, type ast, columnReferenceEnds } from '../parse/index.js';

/** The parts of the table that name the column, with its new name. */
export function renamedColumn(
  table: TableDescriptor,
  column: ColumnDescriptor,
  to: string,
): Partial<TableDescriptor> {
  const text = (sql: string): string => renamedText(sql, column.name, to);
  const optional = (sql: string | undefined): string | undefined =>
    sql === undefined ? undefined : text(sql);
  return {
    columns: table.columns.map((one) => ({
      ...one,
      name: one.position === column.position ? to : one.name,
      generated: optional(one.generated),
    })),
    checks: table.checks.map((check) => ({ ...check, expression: text(check.expression) })),
    indexes: table.indexes.map((index) => ({
      ...index,
      predicate: optional(index.predicate),
      keys: index.keys.map((key) => ({ ...key, expression: optional(key.expression) })),
    })),
  };
}

/** Bytes that `parseExpression` puts before a text. */
const before = 'SELECT ('.length;

function renamedText(sql: string, from: string, to: string): string {
  const { node } = parseExpression(sql, { statementBytes: Number.MAX_SAFE_INTEGER });
  const starts = referencesTo(node, from).map((location) => location - before);
  const bytes = Buffer.from(sql);
  const quoted = `"${to.replaceAll('"', '""')}"`;
  let renamed = '';
  let done = 0;
  for (const start of starts.sort((a, b) => a - b)) {
    const { from: begins, to: ends } = columnReferenceEnds(sql, start);
    renamed += bytes.subarray(done, begins).toString() + quoted;
    done = ends;
  }
  return renamed + bytes.subarray(done).toString();
}

/** Where columns of the name are named. */
function referencesTo(node: ast.Node, name: string): number[] {
  const found: number[] = [];
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) for (const element of part) visit(element);
    else if (typeof part === 'object' && part !== null) {
      const reference = (part as { ColumnRef?: ast.ColumnRef }).ColumnRef;
      const last = reference?.fields?.at(-1);
      if (last !== undefined && kindOf(last) === 'String') {
        const { String: text } = last as { String: { sval?: string } };
        if (text.sval === name) found.push(reference?.location ?? 0);
      }
      for (const value of Object.values(part)) visit(value);
    }
  };
  visit(node);
  return found;
}
