/** f(a, VARIADIC array): a variadic function that gets its last arguments as the elements of an array. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { type ArrayValue, elementTypeName, type FunctionContext } from '../types/index.js';
import type { TypeName, Value } from '../types/index.js';
import { canCoerce } from './casts.js';
import type { Definition } from './definition.js';
import type { Implementation, ScalarFunction } from './function.js';
import { functionsNamed } from './table.js';

/** Undefined where no variadic function of the name takes these. Raises 42804 for no array. */
export function resolveVariadic(
  name: string,
  argumentTypes: readonly TypeName[],
): ScalarFunction | undefined {
  const found = functionsNamed(name).find(
    ({ variadic, parameters }) =>
      variadic &&
      parameters.length === argumentTypes.length &&
      parameters
        .slice(0, -1)
        .every((one, i) => canCoerce(argumentTypes[i] ?? 'unknown', one as TypeName, 'implicit')),
  );
  if (found === undefined) return undefined;
  const array = must(argumentTypes.at(-1), 'a variadic call has arguments');
  const element = elementTypeName(array);
  if (element === undefined) raise('datatype_mismatch', 'VARIADIC argument must be an array');
  const fixed = found.parameters.slice(0, -1) as TypeName[];
  return {
    name,
    form: 'function',
    parameters: [...fixed, array],
    result: found.result as TypeName,
    modifier: -1,
    strict: false,
    volatility: found.volatility,
    usesContext: found.usesContext,
    implementation: spreading(found, fixed, element),
    commutator: undefined,
    negator: undefined,
    comparison: undefined,
  };
}

/** Numbers of elements that are kept ready for one call. */
const knownMax = 100;

/** An implementation for each number of elements that is met. */
function spreading(
  found: Definition,
  fixed: readonly TypeName[],
  element: TypeName,
): Implementation {
  const known = new Map<number, Implementation>();
  const given = (count: number): Implementation => {
    const before = known.get(count);
    if (before !== undefined) return before;
    const made = found.specialise([...fixed, ...new Array<TypeName>(count).fill(element)]);
    if (known.size >= knownMax) known.clear();
    known.set(count, made);
    return made;
  };
  const call = (leading: readonly FunctionContext[], values: readonly Value[]): Value => {
    const array = values.at(-1) ?? null;
    // format() takes what follows as absent, all others as unknown.
    if (array === null && found.name !== 'format') return null;
    const elements = array === null ? [] : (array as ArrayValue).elements;
    const all = [...values.slice(0, -1), ...elements];
    if (found.strict && all.includes(null)) return null;
    return given(elements.length)(...leading, ...all);
  };
  return found.usesContext
    ? (...[context, ...values]) => call([context as FunctionContext], values as Value[])
    : (...values) => call([], values as Value[]);
}
