/** Objects as PostgreSQL's messages name them (getObjectDescription). */
import { unreachable } from '../../base/assert.js';
import type { Descriptor, FunctionDescriptor } from '../catalogue/index.js';
import { isPolymorphic } from '../bind/sql-function.js';
import { printType } from '../types/index.js';
import type { DdlContext } from './context.js';

/** `table t`, `view s.v` where the search path does not find it. */
export function describe(context: DdlContext, object: Descriptor): string {
  return `${kindOf(object)} ${nameOf(context, object)}`;
}

function kindOf(object: Descriptor): string {
  return object.kind;
}

const plain = /^[a-z_][a-z0-9_$]*$/;

function quoted(name: string): string {
  return plain.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

export function nameOf({ bind }: DdlContext, object: Descriptor): string {
  const { catalogue } = bind;
  const full = `${quoted(object.schema)}.${quoted(object.name)}`;
  switch (object.kind) {
    case 'schema':
    case 'role':
    case 'database':
      return quoted(object.name);
    case 'type':
      return catalogue.type(undefined, object.name)?.object === object.object
        ? quoted(object.name)
        : full;
    case 'function': {
      const visible = catalogue
        .functions(undefined, object.name)
        .some((one) => one.object === object.object);
      return `${visible ? quoted(object.name) : full}(${argumentTypes(object).join(',')})`;
    }
    case 'table':
    case 'view':
    case 'sequence':
    case 'index':
      return catalogue.relation(undefined, object.name)?.object === object.object
        ? quoted(object.name)
        : full;
    default:
      return unreachable(object);
  }
}

/** The types that a function is called with. */
export function argumentTypes({ parameters }: FunctionDescriptor): readonly string[] {
  return parameters
    .filter(({ mode }) => mode !== 'out' && mode !== 'table')
    .map(({ type }) => (isPolymorphic(type) ? type : printType(type, -1)));
}
