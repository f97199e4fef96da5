/**
 * Polymorphic parameters: which types of arguments agree with each other, and what they make of the
 * parameters and the result (check_generic_type_consistency and enforce_generic_type_consistency of
 * src/backend/parser/parse_coerce.c).
 */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { TypeName } from '../types/index.js';
import { arrayTypeName, baseTypeName, elementTypeName, typeNamed } from '../types/index.js';
import { canCoerce } from './casts.js';
import { commonTypeOrNone } from './common-type.js';
import { isPseudoType, type ParameterType, type PolymorphicType } from './definition.js';

/** Parameters of one family agree on one type of elements. */
type Family = 'exact' | 'compatible';

const families: Readonly<Record<PolymorphicType, Family>> = {
  anyelement: 'exact',
  anynonarray: 'exact',
  anyenum: 'exact',
  anyarray: 'exact',
  anycompatible: 'compatible',
  anycompatiblenonarray: 'compatible',
  anycompatiblearray: 'compatible',
};

function familyOf(parameter: ParameterType): Family | undefined {
  return isPseudoType(parameter) && parameter !== 'any' ? families[parameter] : undefined;
}

export function isPolymorphic(parameter: ParameterType | undefined): parameter is PolymorphicType {
  return parameter !== undefined && familyOf(parameter) !== undefined;
}

function isArray(parameter: ParameterType): boolean {
  return parameter === 'anyarray' || parameter === 'anycompatiblearray';
}

/** What the arguments of one family say. */
interface Agreement {
  /** The type of elements; undefined when all arguments are unknown. */
  readonly element: TypeName | undefined;
}

/** Undefined when the arguments of the family do not agree. */
function agree(
  family: Family,
  parameters: readonly ParameterType[],
  argumentTypes: readonly TypeName[],
): Agreement | undefined {
  const given: TypeName[] = [];
  for (const [i, parameter] of parameters.entries()) {
    const source = argumentTypes[i] ?? 'unknown';
    if (familyOf(parameter) !== family || source === 'unknown') continue;
    const element = isArray(parameter) ? elementTypeName(source) : source;
    if (element === undefined) return undefined;
    given.push(element);
  }
  const element =
    family === 'compatible'
      ? commonTypeOrNone(given)
      : given.every((one) => one === given[0])
        ? (given[0] ?? 'unknown')
        : undefined;
  if (element === undefined) return undefined;
  const known = given.length === 0 ? undefined : element;
  return allowed(family, parameters, known) ? { element: known } : undefined;
}

/** Whether the restricted parameters of the family take this type. */
function allowed(
  family: Family,
  parameters: readonly ParameterType[],
  element: TypeName | undefined,
): boolean {
  if (element === undefined) return true;
  const isElementArray = typeNamed(baseTypeName(element)).form?.kind === 'array';
  return parameters.every((parameter) => {
    if (familyOf(parameter) !== family) return true;
    if (parameter === 'anynonarray' || parameter === 'anycompatiblenonarray') {
      return !isElementArray;
    }
    if (parameter === 'anyenum') return typeNamed(element).form?.kind === 'enum';
    return !(isArray(parameter) && isElementArray);
  });
}

/** Whether arguments of these types may stand for the parameters. */
export function argumentsFit(
  parameters: readonly ParameterType[],
  argumentTypes: readonly TypeName[],
): boolean {
  const each = parameters.every((parameter, i) => {
    const source = argumentTypes[i] ?? 'unknown';
    return isPseudoType(parameter) || canCoerce(source, parameter, 'implicit');
  });
  return (
    each &&
    agree('exact', parameters, argumentTypes) !== undefined &&
    agree('compatible', parameters, argumentTypes) !== undefined
  );
}

/** The types that the arguments are to have, and the result's. */
export interface ConcreteTypes {
  readonly parameters: TypeName[];
  readonly result: TypeName;
}

/** Raises 42804 when a polymorphic type is undetermined. An unknown argument for `any` stays so. */
export function concreteTypes(
  parameters: readonly ParameterType[],
  argumentTypes: readonly TypeName[],
  result: ParameterType,
): ConcreteTypes {
  const elements = new Map<Family, TypeName>();
  for (const family of ['exact', 'compatible'] as const) {
    if (![...parameters, result].some((one) => familyOf(one) === family)) continue;
    const agreed =
      agree(family, parameters, argumentTypes) ??
      agree(family, parameters, argumentTypes.map(baseTypeName));
    const { element } = must(agreed, 'the arguments fit');
    // Unknown arguments of the second family are taken for texts.
    if (element !== undefined) elements.set(family, element);
    else if (family === 'compatible') elements.set(family, 'text');
    else undetermined();
  }
  const concrete = (parameter: ParameterType, source: TypeName): TypeName => {
    const family = familyOf(parameter);
    if (family === undefined) return isPseudoType(parameter) ? source : parameter;
    const element = must(elements.get(family), 'the family has an element type');
    return isArray(parameter) ? arrayTypeName(element) : element;
  };
  return {
    parameters: parameters.map((parameter, i) =>
      concrete(parameter, argumentTypes[i] ?? 'unknown'),
    ),
    result: concrete(result, argumentTypes[0] ?? 'unknown'),
  };
}

function undetermined(): never {
  raise('datatype_mismatch', 'could not determine polymorphic type because input has type unknown');
}
