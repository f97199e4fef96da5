/**
 * Casts: pg_cast's rows for our types, conversion through text, and the fitting of values to a
 * type's modifier (src/backend/parser/parse_coerce.c).
 */
import type { FunctionContext, TypeName, Value } from '../types/index.js';
import { baseTypeName, elementTypeName, printType, typeNamed } from '../types/index.js';
import type { Cast } from './cast-table.js';
import { castsFrom, fitters } from './cast-table.js';
import { derivedCast, fitElements } from './derived-casts.js';
import type { CastContext, Coercion, Implementation, ScalarFunction } from './function.js';

const strength: Readonly<Record<CastContext, number>> = {
  implicit: 0,
  assignment: 1,
  explicit: 2,
};

/** The cast between two types without regard to modifiers; undefined when there is none. */
export function castPath(
  source: TypeName,
  target: TypeName,
  context: CastContext,
): Cast | undefined {
  if (source === target) return { context: 'implicit', implementation: undefined };
  const from = baseTypeName(source);
  const to = baseTypeName(target);
  if (from !== source || to !== target) return castPath(from, to, context);
  const cast = castsFrom(source).get(target);
  if (cast !== undefined) {
    return strength[cast.context] <= strength[context] ? cast : undefined;
  }
  if (source === 'unknown') return inputCast(target);
  const derived = derivedCast(source, target, context);
  if (derived !== undefined) return derived;
  if (source === 'void' || target === 'void' || target === 'unknown') return undefined;
  if (context !== 'implicit' && typeNamed(target).category === 'S') return outputCast(source);
  if (context === 'explicit' && typeNamed(source).category === 'S') return inputCast(target);
  return undefined;
}

/** True when an argument of type `source` may stand where `target` is wanted. */
export function canCoerce(source: TypeName, target: TypeName, context: CastContext): boolean {
  return source === 'unknown' || castPath(source, target, context) !== undefined;
}

function inputCast(target: TypeName): Cast {
  const type = typeNamed(target);
  return {
    context: 'explicit',
    implementation: ((context: FunctionContext, value: string) =>
      type.parse(value, -1, context)) as Implementation,
    usesContext: true,
    stable: type.textDependsOnContext,
  };
}

function outputCast(source: TypeName): Cast {
  const type = typeNamed(source);
  return {
    context: 'assignment',
    implementation: ((context: FunctionContext, value: Value) =>
      type.print(value, context)) as Implementation,
    usesContext: true,
    stable: type.textDependsOnContext,
  };
}

/**
 * How an expression of type `source` becomes a value of `target` with `modifier`; undefined when
 * there is no such cast in this context (the caller raises 42846 or 42804). The function includes
 * the fitting to the modifier: silent when explicit, 22001 on assignment. `unknown` expressions that
 * are no literals convert as text does.
 */
export function findCoercion(
  source: TypeName,
  target: TypeName,
  modifier: number,
  context: CastContext,
): Coercion | undefined {
  const cast = castPath(source, target, context);
  if (cast === undefined) return undefined;
  if (target === 'bit' && modifier >= 0 && (source === 'int4' || source === 'int8')) {
    const lowest = (value: Value) => lowestBits(BigInt(value as number | bigint), modifier);
    return called(source, target, modifier, cast, lowest as Implementation, false);
  }
  const explicit = context === 'explicit';
  const fit = fitterOf(target, modifier, explicit);
  if (fit === undefined) {
    if (cast.implementation === undefined) return { kind: 'relabel' };
    return called(source, target, -1, cast, cast.implementation, cast.usesContext === true);
  }
  const convert = cast.implementation;
  if (convert === undefined) {
    return called(source, target, modifier, cast, fit as Implementation, false);
  }
  const fitted = (value: Value) => (value === null ? null : fit(value));
  const both =
    cast.usesContext === true
      ? (functions: FunctionContext, value: Value) => fitted(convert(functions, value))
      : (value: Value) => fitted(convert(value));
  const usesContext = cast.usesContext === true;
  return called(source, target, modifier, cast, both as Implementation, usesContext);
}

/** An integer as bit(n): its last bits, while a longer bit string keeps its first. */
function lowestBits(value: bigint, count: number): string {
  return BigInt.asUintN(count, value).toString(2).padStart(count, '0');
}

/** What fits a value to the modifier; undefined where there is nothing to fit. */
function fitterOf(
  target: TypeName,
  modifier: number,
  explicit: boolean,
): ((value: Value) => Value) | undefined {
  if (modifier < 0) return undefined;
  const element = elementTypeName(target);
  const fit = fitters.get(baseTypeName(element ?? target));
  if (fit === undefined) return undefined;
  const fitOne = (value: Value) => fit(value, modifier, explicit);
  return element === undefined ? fitOne : fitElements(fitOne);
}

function called(
  source: TypeName,
  target: TypeName,
  modifier: number,
  cast: Cast,
  implementation: Implementation,
  usesContext: boolean,
): Coercion {
  const scalar: ScalarFunction = {
    name: printType(target, modifier),
    form: 'cast',
    parameters: [source],
    result: target,
    modifier,
    strict: true,
    volatility: cast.stable === true ? 'stable' : 'immutable',
    usesContext,
    implementation,
    commutator: undefined,
    negator: undefined,
    comparison: undefined,
  };
  return { kind: 'call', function: scalar };
}

/**
 * The value of an unknown literal as `target`, as the type's input function reads it, then fitted to
 * the modifier: silently when explicit. Raises the input's errors.
 */
export function readLiteral(
  text: string,
  target: TypeName,
  modifier: number,
  context: Exclude<CastContext, 'implicit'>,
  functions: FunctionContext,
): Value {
  const type = typeNamed(target);
  // An interval's modifier also says which unit a bare number is in, so its input needs it.
  const value = type.parse(text, target === 'interval' ? modifier : -1, functions);
  const fit = fitterOf(target, modifier, context === 'explicit');
  return fit === undefined || value === null ? value : fit(value);
}
