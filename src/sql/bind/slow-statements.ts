/** The view shardforge.slow_statements: the statements of this node that took long, of one day. */
import type { ast } from '../parse/index.js';

export function isSlowStatements({ schemaname, relname }: ast.RangeVar): boolean {
  return schemaname === 'shardforge' && relname === 'slow_statements';
}

/** The function behind it, under the view's own name or its alias. */
export function slowStatementsCall({ alias }: ast.RangeVar): ast.RangeFunction {
  const name = 'slow_statements';
  const call: ast.Node = {
    FuncCall: { funcname: [{ String: { sval: name } }], funcformat: 'COERCE_EXPLICIT_CALL' },
  };
  return {
    functions: [{ List: { items: [call, {} as ast.Node] } }],
    alias: alias ?? { aliasname: name },
  };
}
