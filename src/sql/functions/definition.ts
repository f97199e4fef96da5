/** How the tables of functions and operators are written down. */
import { assert, must } from '../../base/assert.js';
import type { TypeName } from '../types/index.js';
import { types } from '../types/index.js';
import type { Comparison, Implementation, Volatility } from './function.js';

/**
 * Parameters that take values of more than one type (chapter 38.2.5 of PostgreSQL's manual). `any`
 * takes each for itself; those of the family anyelement agree on one type exactly, those of the family
 * anycompatible on a common type.
 */
export type PseudoType = 'any' | PolymorphicType;

export type PolymorphicType =
  | 'anyelement'
  | 'anynonarray'
  | 'anyenum'
  | 'anyarray'
  | 'anycompatible'
  | 'anycompatiblenonarray'
  | 'anycompatiblearray';

export type ParameterType = TypeName | PseudoType;

const pseudoTypes: ReadonlySet<string> = new Set([
  'any',
  'anyelement',
  'anynonarray',
  'anyenum',
  'anyarray',
  'anycompatible',
  'anycompatiblenonarray',
  'anycompatiblearray',
]);

export function isPseudoType(parameter: ParameterType | undefined): parameter is PseudoType {
  return parameter !== undefined && pseudoTypes.has(parameter);
}

export interface Definition {
  readonly name: string;
  readonly form: 'function' | 'operator';
  readonly parameters: readonly ParameterType[];
  /** The last parameter may be given once or more. */
  readonly variadic: boolean;
  readonly result: ParameterType;
  readonly strict: boolean;
  readonly volatility: Volatility;
  readonly usesContext: boolean;
  /** Gives the implementation for the argument types; most need not look at them. */
  readonly specialise: (parameters: readonly TypeName[]) => Implementation;
  readonly commutator: string | undefined;
  readonly negator: string | undefined;
  readonly comparison: Comparison | undefined;
}

export interface DefinitionOptions {
  /** Default true. */
  readonly strict?: boolean;
  /** Default immutable. */
  readonly volatility?: Volatility;
  readonly usesContext?: boolean;
  readonly commutator?: string;
  readonly negator?: string;
  readonly comparison?: Comparison;
}

/** A typed implementation; the checks of the resolution make its arguments fit. */
export type TypedImplementation = (...args: never[]) => unknown;

const functionSignature = /^(\w+)\(([\w, ]*)\): (\w+)$/;
const operatorSignature = /^(?:(\w+) )?([-+*/<>=~!@#%^&|?]+) (\w+): (\w+)$/;

/**
 * One line of a table: `lpad(text, int4): text`, `concat(variadic any): text`, `int4 + int4: int4`
 * or `- int4: int4`.
 */
export function define(
  signature: string,
  implementation: TypedImplementation,
  options: DefinitionOptions = {},
): Definition {
  return specialised(signature, () => implementation, options);
}

/** As {@link define} for an implementation that depends on the types of the arguments. */
export function specialised(
  signature: string,
  specialise: (parameters: readonly TypeName[]) => TypedImplementation,
  options: DefinitionOptions = {},
): Definition {
  return {
    ...parseSignature(signature),
    strict: options.strict ?? true,
    volatility: options.volatility ?? 'immutable',
    usesContext: options.usesContext ?? false,
    specialise: specialise as unknown as (parameters: readonly TypeName[]) => Implementation,
    commutator: options.commutator,
    negator: options.negator,
    comparison: options.comparison,
  };
}

type Signature = Pick<Definition, 'name' | 'form' | 'parameters' | 'variadic' | 'result'>;

function parseSignature(signature: string): Signature {
  const called = functionSignature.exec(signature);
  if (called !== null) {
    const [, name = '', list = '', result = ''] = called;
    const parameters = list.replace('variadic ', '');
    return {
      name,
      form: 'function',
      parameters: parameters === '' ? [] : parameters.split(', ').map(parameterType),
      variadic: parameters !== list,
      result: parameterType(result),
    };
  }
  const [, left, name = '', right = '', result = ''] = must(
    operatorSignature.exec(signature),
    `no signature: ${signature}`,
  );
  return {
    name,
    form: 'operator',
    parameters: (left === undefined ? [right] : [left, right]).map(parameterType),
    variadic: false,
    result: parameterType(result),
  };
}

function parameterType(text: string): ParameterType {
  const element = text.startsWith('_') ? text.slice(1) : text;
  assert(pseudoTypes.has(text) || types.has(element as TypeName), 'no type', text);
  return text as ParameterType;
}
