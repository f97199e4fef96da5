/**
 * WITH (...) of tables and indexes: PostgreSQL's parameters of its own storage. They change no answer, so
 * that those that are known are taken; their values are checked where statements are moved over.
 */
import type { BindContext } from '../bind/context.js';
import { as, type ast, fields, stringsOf, the } from '../parse/index.js';

const known =
  /^(fillfactor|parallel_workers|autovacuum_\w+|toast_tuple_target|vacuum_\w+|log_autovacuum_min_duration|user_catalog_table|deduplicate_items|security_barrier|security_invoker|check_option|buffering|fastupdate|gin_pending_list_limit|pages_per_range|autosummarize)$/;

export function checkStorageParameters(
  bind: BindContext,
  nodes: readonly ast.Node[] | undefined,
): void {
  for (const node of nodes ?? []) {
    const { defname = '' } = fields(bind.source, 'DefElem', the(node, 'DefElem'), [
      ...(['defnamespace', 'defname', 'arg'] as const),
    ]);
    if (known.test(defname)) continue;
    bind.raise(undefined, 'invalid_parameter_value', `unrecognized parameter "${defname}"`);
  }
}

/** WITH (security_invoker) of a view. */
export function isSecurityInvoker(nodes: readonly ast.Node[] | undefined): boolean {
  return (nodes ?? []).some((node) => {
    const { defname, arg } = the(node, 'DefElem');
    if (defname !== 'security_invoker') return false;
    const value = as(arg, 'String')?.sval ?? as(arg, 'TypeName')?.names;
    const word = typeof value === 'string' ? value : stringsOf(value).at(-1);
    return word === undefined || !['false', 'off', 'no', '0'].includes(word.toLowerCase());
  });
}
