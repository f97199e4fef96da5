/** Functions by name and argument types, for DROP, ALTER and COMMENT. */
import { raise } from '../../base/errors.js';
import { isPolymorphic } from '../bind/sql-function.js';
import { bindTypeName } from '../bind/type-name.js';
import type { FunctionDescriptor } from '../catalogue/index.js';
import { type ast, fields, stringsOf, the } from '../parse/index.js';
import { printType } from '../types/index.js';
import { type DdlContext, pathOf, shownName } from './context.js';
import { argumentTypes } from './describe.js';

export function findFunction(
  context: DdlContext,
  body: ast.ObjectWithArgs,
  missingOk: boolean,
): FunctionDescriptor | undefined {
  const { bind } = context;
  const read = fields(bind.source, 'ObjectWithArgs', body, [
    ...(['objname', 'objargs', 'objfuncargs', 'args_unspecified'] as const),
  ]);
  const { schema, name } = pathOf(context, read.objname);
  const all = bind.catalogue.functions(schema, name);
  const shown = shownName(schema, name);
  if (read.args_unspecified === true) {
    const [only] = all;
    if (all.length > 1) {
      raise('ambiguous_function', `function name "${shown}" is not unique`, {
        hint: 'Specify the argument list to select the function unambiguously.',
      });
    }
    if (only === undefined && !missingOk) {
      raise('undefined_function', `could not find a function named "${shown}"`);
    }
    if (only === undefined) context.notice(`function ${shown}() does not exist, skipping`);
    return only;
  }
  const types = (read.objargs ?? []).map((node) => {
    const type = typeOfNode(bind, the(node, 'TypeName'));
    return isPolymorphic(type) ? type : printType(type, -1);
  });
  const found = all.find((one) => argumentTypes(one).join() === types.join());
  if (found === undefined && !missingOk) {
    raise('undefined_function', `function ${shown}(${types.join(', ')}) does not exist`);
  }
  if (found === undefined) {
    context.notice(`function ${shown}(${types.join(',')}) does not exist, skipping`);
  }
  return found;
}

/** A type, or a polymorphic one by its name. */
export function typeOfNode(bind: DdlContext['bind'], node: ast.TypeName | undefined): string {
  const path = stringsOf(node?.names);
  const name = path.at(-1) ?? '';
  const isPlain = path.length === 1 || path[0] === 'pg_catalog';
  if (isPlain && /^any(element|(non)?array|enum|compatible((non)?array)?)$/.test(name)) return name;
  return bindTypeName(bind, node).name;
}
