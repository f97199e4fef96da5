/**
 * Choosing an operator or function by the types of its arguments, as chapters 10.2 and 10.3 of
 * PostgreSQL's manual and src/backend/parser/parse_func.c and parse_oper.c have it.
 */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { TypeName } from '../types/index.js';
import {
  baseTypeName,
  collationOf,
  mergeCollations,
  typeNamed,
  types,
  withCollation,
} from '../types/index.js';
import type { AggregateDefinition } from './aggregate-definition.js';
import { aggregatesNamed } from './aggregate-table.js';
import { castPath } from './casts.js';
import { ordered } from './comparison.js';
import { type Definition, isPseudoType, type ParameterType } from './definition.js';
import type { Implementation, ResolvedCall, ScalarFunction } from './function.js';
import { argumentsFit, type ConcreteTypes, concreteTypes } from './polymorphic.js';
import { refuseKnownFunction, refuseKnownOperator } from './missing.js';
import { sqlValues } from './session.js';
import { makeSet, type SetDefinition } from './set-definition.js';
import { setsNamed } from './set-table.js';
import { functionsNamed, operatorsNamed } from './table.js';
import { type WindowDefinition, windowsNamed } from './window.js';

/** What the choice needs to know of a candidate. */
interface Candidate {
  readonly parameters: readonly ParameterType[];
  readonly variadic: boolean;
}

/** A candidate whose parameters are spread over the arguments of a call. */
interface Spread<C extends Candidate> {
  readonly candidate: C;
  readonly parameters: readonly ParameterType[];
}

/**
 * The operator for these argument types; `left` is undefined for a prefix operator. Raises 42883 or
 * 42725 with PostgreSQL's text and hint.
 */
export function resolveOperator(
  name: string,
  left: TypeName | undefined,
  right: TypeName,
): ScalarFunction {
  const argumentTypes = left === undefined ? [right] : [left, right];
  const operator = name === '!=' ? '<>' : name;
  const candidates = spread(operatorsNamed(operator), argumentTypes.length);
  // A domain's values are compared and added as those of its base type.
  const bases = argumentTypes.map(baseTypeName);
  const chosen = exactOperator(candidates, bases) ?? choose(candidates, bases);
  if (chosen === 'none') {
    refuseKnownOperator(operator, argumentTypes);
    raise(
      'undefined_function',
      `operator does not exist: ${operatorText(operator, argumentTypes)}`,
      {
        hint: 'No operator matches the given name and argument types. You might need to add explicit type casts.',
      },
    );
  }
  if (chosen === 'ambiguous') {
    raise(
      'ambiguous_function',
      `operator is not unique: ${operatorText(operator, argumentTypes)}`,
      {
        hint: 'Could not choose a best candidate operator. You might need to add explicit type casts.',
      },
    );
  }
  return scalarFunction(chosen, argumentTypes);
}

function operatorText(name: string, argumentTypes: readonly TypeName[]): string {
  const shown = argumentTypes.map((type) => typeNamed(type).sqlName);
  return shown.length === 1 ? `${name} ${shown[0]}` : `${shown[0]} ${name} ${shown[1]}`;
}

/** An unknown operand is taken for the other's type when that fits exactly. */
function exactOperator<C extends Candidate>(
  candidates: readonly Spread<C>[],
  argumentTypes: readonly TypeName[],
): Spread<C> | undefined {
  const known = argumentTypes.find((type) => type !== 'unknown');
  if (known === undefined) return undefined;
  const assumed = argumentTypes.map((type) => (type === 'unknown' ? known : type));
  return candidates.find(({ parameters }) => sameTypes(parameters, assumed));
}

/** How a function is called. */
export interface CallForm {
  /** `count(*)`. */
  readonly star?: boolean;
}

/**
 * The function or aggregate for these argument types; `name` as the parser gives it. Raises 42883 or
 * 42725 with PostgreSQL's text and hint.
 */
export function resolveFunction(
  name: string,
  argumentTypes: readonly TypeName[],
  form: CallForm = {},
): ResolvedCall {
  if (form.star === true) return resolveStar(name);
  const scalars = spread(functionsNamed(name), argumentTypes.length);
  const aggregates = spread(aggregatesNamed(name), argumentTypes.length);
  const candidates: readonly Spread<NamedDefinition>[] = [
    ...scalars,
    ...aggregates.filter(({ candidate }) => !candidate.star),
    ...spread(setsNamed(name), argumentTypes.length),
    ...spread(windowsNamed(name), argumentTypes.length),
  ];
  const bases = argumentTypes.map(baseTypeName);
  const exact = candidates.find(({ parameters }) => sameTypes(parameters, bases));
  const target = exact === undefined ? castTarget(name, argumentTypes) : undefined;
  if (target !== undefined) return { kind: 'cast', target };
  const chosen = exact ?? choose(candidates, bases);
  if (chosen === 'none') undefinedFunction(name, argumentTypes);
  if (chosen === 'ambiguous') {
    raise('ambiguous_function', `function ${callText(name, argumentTypes)} is not unique`, {
      hint: 'Could not choose a best candidate function. You might need to add explicit type casts.',
    });
  }
  return made(chosen, argumentTypes);
}

type NamedDefinition = Definition | AggregateDefinition | SetDefinition | WindowDefinition;

function made(
  { candidate, parameters: chosen }: Spread<NamedDefinition>,
  argumentTypes: readonly TypeName[],
): ResolvedCall {
  if ('commutator' in candidate) {
    const definition = { candidate, parameters: chosen };
    return { kind: 'scalar', function: scalarFunction(definition, argumentTypes) };
  }
  const { parameters, result } = concreteTypes(chosen, argumentTypes, candidate.result);
  if ('make' in candidate) return madeAggregate(candidate, parameters, result, argumentTypes);
  return 'makeWindow' in candidate
    ? { kind: 'window', function: candidate.makeWindow(parameters, result) }
    : { kind: 'set', function: makeSet(candidate, parameters, result) };
}

/** min and max of texts go by the collation. */
function madeAggregate(
  candidate: AggregateDefinition,
  parameters: readonly TypeName[],
  result: TypeName,
  argumentTypes: readonly TypeName[],
): ResolvedCall {
  const collation = mergeCollations(argumentTypes.map(collationOf));
  const collate = (name: TypeName) => withCollation(name, collation);
  const made =
    collation === undefined
      ? candidate.make(parameters, result)
      : candidate.make(parameters.map(collate), collate(result));
  return { kind: 'aggregate', function: made };
}

function resolveStar(name: string): ResolvedCall {
  const definition = aggregatesNamed(name).find(({ star }) => star);
  if (definition !== undefined) return { kind: 'aggregate', function: definition.make([], 'int8') };
  const aggregate = aggregatesNamed(name).length > 0;
  if (!aggregate && functionsNamed(name).length > 0) {
    raise('wrong_object_type', `${name}(*) specified, but ${name} is not an aggregate function`);
  }
  undefinedFunction(name, []);
}

function undefinedFunction(name: string, argumentTypes: readonly TypeName[]): never {
  refuseKnownFunction(name);
  raise('undefined_function', `function ${callText(name, argumentTypes)} does not exist`, {
    hint: 'No function matches the given name and argument types. You might need to add explicit type casts.',
  });
}

function callText(name: string, argumentTypes: readonly TypeName[]): string {
  return `${name}(${argumentTypes.map((type) => typeNamed(type).sqlName).join(', ')})`;
}

/** `text(x)`, `int4('1')`: a call that is a cast because no function has these argument types. */
function castTarget(name: string, argumentTypes: readonly TypeName[]): TypeName | undefined {
  const [source] = argumentTypes;
  if (argumentTypes.length !== 1 || source === undefined) return undefined;
  if (!types.has(name as TypeName)) return undefined;
  const target = name as TypeName;
  if (source === 'unknown') return target;
  return castPath(source, target, 'explicit') === undefined ? undefined : target;
}

/** The candidates that take this many arguments. */
function spread<C extends Candidate>(candidates: readonly C[], count: number): Spread<C>[] {
  const found: Spread<C>[] = [];
  for (const candidate of candidates) {
    const { parameters, variadic } = candidate;
    if (parameters.length === count) found.push({ candidate, parameters });
    else if (variadic && count >= parameters.length) {
      const last = must(parameters.at(-1), 'variadic without parameter');
      const more = new Array<ParameterType>(count - parameters.length).fill(last);
      found.push({ candidate, parameters: [...parameters, ...more] });
    }
  }
  return found;
}

function sameTypes(parameters: readonly ParameterType[], argumentTypes: readonly TypeName[]) {
  return parameters.every((parameter, i) => parameter === argumentTypes[i]);
}

type Choice<C extends Candidate> = Spread<C> | 'none' | 'ambiguous';

function choose<C extends Candidate>(
  candidates: readonly Spread<C>[],
  argumentTypes: readonly TypeName[],
): Choice<C> {
  const possible = candidates.filter(({ parameters }) => argumentsFit(parameters, argumentTypes));
  if (possible.length === 0) return 'none';
  return only(possible) ?? chooseByKnown(possible, argumentTypes) ?? 'ambiguous';
}

function only<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined;
}

/** Those with the highest score. */
function best<C extends Candidate>(
  candidates: readonly Spread<C>[],
  score: (parameter: ParameterType, position: number) => boolean,
): readonly Spread<C>[] {
  const scores = candidates.map(({ parameters }) => parameters.filter(score).length);
  const highest = Math.max(...scores);
  return candidates.filter((_, i) => scores[i] === highest);
}

/** Most exact matches, then most exact or preferred, then the categories of unknown arguments. */
function chooseByKnown<C extends Candidate>(
  candidates: readonly Spread<C>[],
  argumentTypes: readonly TypeName[],
): Spread<C> | undefined {
  const known = (i: number) => argumentTypes[i] !== 'unknown';
  const exact = (parameter: ParameterType, i: number) => known(i) && parameter === argumentTypes[i];
  const matching = best(candidates, exact);
  const preferring = best(
    matching,
    (parameter, i) => exact(parameter, i) || (known(i) && prefers(argumentTypes[i], parameter)),
  );
  return only(matching) ?? only(preferring) ?? chooseByUnknown(preferring, argumentTypes);
}

/** True when the parameter is the preferred type of the argument's category. */
function prefers(argument: TypeName | undefined, parameter: ParameterType): boolean {
  if (argument === undefined || isPseudoType(parameter)) return false;
  const type = typeNamed(parameter);
  return type.preferred && type.category === typeNamed(argument).category;
}

function chooseByUnknown<C extends Candidate>(
  candidates: readonly Spread<C>[],
  argumentTypes: readonly TypeName[],
): Spread<C> | undefined {
  const unknown = [...argumentTypes.keys()].filter((i) => argumentTypes[i] === 'unknown');
  if (unknown.length === 0) return undefined;
  const slots = unknown.map((position) => unknownSlot(candidates, position));
  let left = candidates;
  if (slots.every((slot) => slot !== undefined)) {
    const fitting = candidates.filter(({ parameters }) =>
      slots.every((slot) => {
        const { category, preferred } = traits(parameters[slot.position]);
        return category === slot.category && (preferred || !slot.preferred);
      }),
    );
    if (fitting.length > 0) left = fitting;
    const single = only(left);
    if (single !== undefined) return single;
  }
  return chooseBySameType(left, argumentTypes);
}

interface Slot {
  readonly position: number;
  readonly category: string;
  readonly preferred: boolean;
}

/** The category that all candidates have at the position; string wins when they differ. */
function unknownSlot<C extends Candidate>(
  candidates: readonly Spread<C>[],
  position: number,
): Slot | undefined {
  const all = candidates.map(({ parameters }) => traits(parameters[position]));
  const strings = all.filter(({ category }) => category === 'S');
  const considered = strings.length > 0 ? strings : all;
  const category = considered[0]?.category ?? '';
  if (considered.some((other) => other.category !== category)) return undefined;
  return { position, category, preferred: considered.some(({ preferred }) => preferred) };
}

function traits(parameter: ParameterType | undefined): {
  readonly category: string;
  readonly preferred: boolean;
} {
  if (parameter === undefined || isPseudoType(parameter)) {
    return { category: 'P', preferred: false };
  }
  return typeNamed(parameter);
}

/** The last attempt: the unknown arguments are of the type that all others share. */
function chooseBySameType<C extends Candidate>(
  candidates: readonly Spread<C>[],
  argumentTypes: readonly TypeName[],
): Spread<C> | undefined {
  const known = new Set(argumentTypes.filter((type) => type !== 'unknown'));
  const [type] = known;
  if (known.size !== 1 || type === undefined) return undefined;
  const assumed = argumentTypes.map(() => type);
  return only(candidates.filter(({ parameters }) => argumentsFit(parameters, assumed)));
}

function scalarFunction(
  { candidate, parameters }: Spread<Definition>,
  argumentTypes: readonly TypeName[],
): ScalarFunction {
  const concrete = concreteTypes(parameters, argumentTypes, candidate.result);
  const collation = mergeCollations(argumentTypes.map(collationOf));
  const chosen = plainFunction(candidate, concrete);
  if (collation === undefined) return chosen;
  const texts = withCollation('text', collation);
  const collated = collatedComparison(chosen, texts);
  return collated ?? { ...chosen, result: withCollation(chosen.result, collation) };
}

/**
 * A comparison that orders texts by a collation; undefined for a function that does not, or that
 * orders them as their bytes do.
 */
function collatedComparison(chosen: ScalarFunction, texts: TypeName): ScalarFunction | undefined {
  const { comparison } = chosen;
  const { compare, key } = typeNamed(texts);
  if (comparison === undefined || compare === undefined || key !== undefined) return undefined;
  const isEquality = comparison === '=' || comparison === '<>';
  // Equality needs no order, but a collation all the same.
  if (isEquality && collationOf(texts)?.strength !== 'conflict') return undefined;
  const implementation = ordered(compare)[comparison] as Implementation;
  return { ...chosen, implementation, comparison: undefined };
}

function plainFunction(candidate: Definition, concrete: ConcreteTypes): ScalarFunction {
  return {
    name: candidate.name,
    form: candidate.form,
    parameters: concrete.parameters,
    result: concrete.result,
    modifier: -1,
    strict: candidate.strict,
    volatility: candidate.volatility,
    usesContext: candidate.usesContext,
    implementation: candidate.specialise(concrete.parameters),
    commutator: candidate.commutator,
    negator: candidate.negator,
    comparison: candidate.comparison,
  };
}

/**
 * CURRENT_DATE, CURRENT_TIMESTAMP, CURRENT_USER...: `name` is the SQL word in lower case without its
 * precision, such as `current_timestamp` or `localtime`; `precision` is -1 without.
 */
export function resolveSqlValue(name: string, precision: number): ScalarFunction {
  const make = sqlValues.get(name);
  if (make === undefined) raise('feature_not_supported', `${name.toUpperCase()} is not supported`);
  return scalarFunction({ candidate: make(precision), parameters: [] }, []);
}
