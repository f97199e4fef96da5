/**
 * Executes jsonpath as PostgreSQL does (src/backend/utils/adt/jsonpath_exec.c): lax mode unwraps arrays
 * and forgives what is not there, conditions are three-valued and turn errors into unknown.
 */
import { unreachable } from '../../base/assert.js';
import { DatabaseError, type ErrorName, raise } from '../../base/errors.js';
import { isArray, isObject, type JsonNode } from '../types/jsonb.js';
import type { JsonPath, PathItem, PathLevel } from '../types/jsonpath.js';
import { compilePathPattern } from '../types/jsonpath-pattern.js';
import {
  addNumeric,
  compareNumeric,
  divideNumeric,
  moduloNumeric,
  multiplyNumeric,
  negateNumeric,
  Numeric,
  numericOfInteger,
  numberOf,
  subtractNumeric,
  truncateNumeric,
} from '../types/numeric.js';
import { compareText } from '../types/text.js';
import { compareMoments, Moment, type PathValue, readMoment } from './jsonpath-datetime.js';
import { fail, PathFailure } from './jsonpath-failure.js';
import { pathMethod } from './jsonpath-methods.js';
import type { FunctionContext } from '../types/index.js';

/** True, false or unknown. */
type Truth = boolean | undefined;

/** What a path is executed with. */
export interface PathEnvironment {
  readonly root: JsonNode;
  readonly variables: JsonNode;
  /** Functions whose names end in _tz compare across time zones. */
  readonly usesZone: boolean;
  readonly context: FunctionContext;
}

/** All values that the path gives. Raises PathFailure. */
export function executePath(path: JsonPath, environment: PathEnvironment): PathValue[] {
  const { variables } = environment;
  if (!isObject(variables)) {
    raise('invalid_parameter_value', '"vars" argument is not an object', {
      detail: 'Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
    });
  }
  return new Executor(path.lax, environment).run(path.root, environment.root);
}

class Executor {
  readonly #lax: boolean;
  readonly #environment: PathEnvironment;
  #current: PathValue;
  /** Items of the innermost array that is subscripted, for `last`. */
  #size: number | undefined;
  /** Below `**` what is not there is no error even in strict mode. */
  #forgives: boolean;

  constructor(lax: boolean, environment: PathEnvironment) {
    this.#lax = lax;
    this.#forgives = lax;
    this.#environment = environment;
    this.#current = environment.root;
  }

  run(item: PathItem, value: PathValue): PathValue[] {
    return this.#execute(item, value, this.#lax);
  }

  /** The values of the rest of the path. */
  #next(item: PathItem, value: PathValue): PathValue[] {
    return item.next === undefined ? [value] : this.#execute(item.next, value, this.#lax);
  }

  /** Executes the step on each item of an array. */
  #each(item: PathItem, items: readonly JsonNode[]): PathValue[] {
    return items.flatMap((one) => this.#execute(item, one, false));
  }

  #execute(item: PathItem, value: PathValue, unwraps: boolean): PathValue[] {
    switch (item.kind) {
      case 'and':
      case 'or':
      case 'not':
      case 'isUnknown':
      case 'compare':
      case 'startsWith':
      case 'likeRegex':
      case 'exists':
        return this.#next(item, this.#test(item, value) ?? null);
      case 'root':
        return this.#next(item, this.#environment.root);
      case 'current':
        return this.#next(item, this.#current);
      case 'literal':
        return this.#next(item, item.value);
      case 'variable':
        return this.#next(item, this.#variable(item.name));
      case 'last':
        if (this.#size === undefined) {
          raise('internal_error', 'evaluating jsonpath LAST outside of array subscript');
        }
        return this.#next(item, numericOfInteger(this.#size - 1));
      case 'arithmetic':
        return this.#next(item, this.#calculate(item, value));
      case 'sign':
        return this.#sign(item, value);
      case 'subscripts':
        return this.#subscript(item, value);
      case 'anyArray':
        return this.#allItems(item, value);
      case 'any':
        return this.#descend(item, value);
      case 'key':
      case 'anyKey':
      case 'filter':
      case 'datetime':
      case 'method':
        return this.#step(item, value, unwraps);
      default:
        return unreachable(item);
    }
  }

  /** Steps that lax mode takes on the items of an array instead of the array. */
  #step(item: PathItem, value: PathValue, unwraps: boolean): PathValue[] {
    const takesArrays = item.kind === 'method' && (item.name === 'type' || item.name === 'size');
    if (unwraps && !takesArrays && !(value instanceof Moment) && isArray(value)) {
      return this.#each(item, value);
    }
    switch (item.kind) {
      case 'key':
        return this.#key(item, value);
      case 'filter':
        return this.#testWith(item.operand, value) === true ? this.#next(item, value) : [];
      case 'datetime':
        return this.#next(item, readMoment(value, item.template, this.#environment.context));
      case 'method':
        return pathMethod(item.name, value, this.#lax).flatMap((one) => this.#next(item, one));
      case 'anyKey':
        if (!(value instanceof Moment) && isObject(value)) {
          return [...value.values()].flatMap((member) => this.#next(item, member));
        }
        return this.#missing(
          'sql_json_object_not_found',
          'jsonpath wildcard member accessor can only be applied to an object',
        );
      default:
        return raise('internal_error', `${item.kind} is no step into a value`);
    }
  }

  #variable(name: string): JsonNode {
    const { variables } = this.#environment;
    const value = isObject(variables) ? variables.get(name) : undefined;
    if (value !== undefined) return value;
    return raise('undefined_object', `could not find jsonpath variable "${name}"`);
  }

  /** What is not there: an error in strict mode. */
  #missing(kind: ErrorName, message: string): PathValue[] {
    return this.#forgives ? [] : fail(kind, message);
  }

  #key(item: Extract<PathItem, { readonly name: string }>, value: PathValue): PathValue[] {
    if (value instanceof Moment || !isObject(value)) {
      const text = 'jsonpath member accessor can only be applied to an object';
      return this.#missing('sql_json_member_not_found', text);
    }
    const member = value.get(item.name);
    if (member !== undefined) return this.#next(item, member);
    const text = `JSON object does not contain key ${JSON.stringify(item.name)}`;
    return this.#missing('sql_json_member_not_found', text);
  }

  #allItems(item: PathItem, value: PathValue): PathValue[] {
    if (!(value instanceof Moment) && isArray(value)) {
      return value.flatMap((one) => this.#next(item, one));
    }
    if (this.#lax) return this.#next(item, value);
    return this.#missing(
      'sql_json_array_not_found',
      'jsonpath wildcard array accessor can only be applied to an array',
    );
  }

  #subscript(item: Extract<PathItem, { kind: 'subscripts' }>, value: PathValue): PathValue[] {
    const items = !(value instanceof Moment) && isArray(value) ? value : undefined;
    if (items === undefined && !this.#lax) {
      const text = 'jsonpath array accessor can only be applied to an array';
      return this.#missing('sql_json_array_not_found', text);
    }
    const around = this.#size;
    const length = items?.length ?? 1;
    const found: PathValue[] = [];
    for (const range of item.ranges) {
      this.#size = length;
      const from = this.#index(range.from, value);
      const to = range.to === undefined ? from : this.#index(range.to, value);
      if (!this.#forgives && (from < 0 || from > to || to >= length)) {
        fail('invalid_sql_json_subscript', 'jsonpath array subscript is out of bounds');
      }
      for (let i = Math.max(from, 0); i <= Math.min(to, length - 1); i += 1) {
        found.push(...this.#next(item, items === undefined ? value : (items[i] ?? null)));
      }
    }
    this.#size = around;
    return found;
  }

  #index(item: PathItem, value: PathValue): number {
    const [index, ...more] = this.run(item, value);
    if (more.length > 0 || !(index instanceof Numeric)) {
      fail('invalid_sql_json_subscript', 'jsonpath array subscript is not a single numeric value');
    }
    const whole = numberOf(truncateNumeric(index, 0));
    if (Math.abs(whole) > 0x7fff_ffff) {
      fail('invalid_sql_json_subscript', 'jsonpath array subscript is out of integer range');
    }
    return whole;
  }

  /** `**{from to to}`. */
  #descend(item: Extract<PathItem, { kind: 'any' }>, value: PathValue): PathValue[] {
    const forgives = this.#forgives;
    this.#forgives = true;
    const own = item.from === 0 ? this.#next(item, value) : [];
    const below = item.to === 0 ? [] : this.#children(item, value, 1);
    this.#forgives = forgives;
    return [...own, ...below];
  }

  #children(
    item: Extract<PathItem, { kind: 'any' }>,
    value: PathValue,
    level: number,
  ): PathValue[] {
    const { from, to } = item;
    const found: PathValue[] = [];
    for (const child of childrenOf(value)) {
      const isLeaf = !isArray(child) && !isObject(child);
      if (isWithin(level, from, isLeaf)) found.push(...this.#next(item, child));
      if (!isLeaf && (to === undefined || level < to)) {
        found.push(...this.#children(item, child, level + 1));
      }
    }
    return found;
  }

  #sign(item: Extract<PathItem, { kind: 'sign' }>, value: PathValue): PathValue[] {
    return this.#unwrapped(item.operand, value).flatMap((one) => {
      if (one instanceof Numeric) return this.#next(item, item.negative ? negateNumeric(one) : one);
      const sign = item.negative ? '-' : '+';
      const text = `operand of unary jsonpath operator ${sign} is not a numeric value`;
      return fail('sql_json_number_not_found', text);
    });
  }

  #calculate(item: Extract<PathItem, { kind: 'arithmetic' }>, value: PathValue): Numeric {
    const operand = (side: 'left' | 'right'): Numeric => {
      const [only, ...more] = this.#unwrapped(item[side], value);
      if (only instanceof Numeric && more.length === 0) return only;
      const text = `${side} operand of jsonpath operator ${item.operator} is not a single numeric value`;
      return fail('singleton_sql_json_item_required', text);
    };
    const left = operand('left');
    const right = operand('right');
    try {
      return arithmetic[item.operator](left, right);
    } catch (error) {
      // A division by zero is the path's error, so that `silent` covers it.
      throw error instanceof DatabaseError ? new PathFailure(error) : error;
    }
  }

  /** The values of a step; in lax mode those of arrays one by one. */
  #unwrapped(item: PathItem, value: PathValue): PathValue[] {
    const found = this.run(item, value);
    if (!this.#lax) return found;
    return found.flatMap((one): readonly PathValue[] =>
      !(one instanceof Moment) && isArray(one) ? one : [one],
    );
  }

  #testWith(item: PathItem, current: PathValue): Truth {
    const saved = this.#current;
    this.#current = current;
    const result = this.#test(item, current);
    this.#current = saved;
    return result;
  }

  #test(item: PathItem, value: PathValue): Truth {
    switch (item.kind) {
      case 'and': {
        const left = this.#test(item.left, value);
        if (left === false) return false;
        const right = this.#test(item.right, value);
        return left === true ? right : right === false ? false : undefined;
      }
      case 'or': {
        const left = this.#test(item.left, value);
        if (left === true) return true;
        const right = this.#test(item.right, value);
        return left === false ? right : right === true ? true : undefined;
      }
      case 'not': {
        const operand = this.#test(item.operand, value);
        return operand === undefined ? undefined : !operand;
      }
      case 'isUnknown':
        return this.#test(item.operand, value) === undefined;
      case 'exists':
        return this.#guarded(() => this.#unwrapped(item.operand, value))?.some(() => true);
      case 'compare': {
        const { usesZone, context } = this.#environment;
        return this.#somePair(item, value, (a, b) => {
          if (a instanceof Moment && b instanceof Moment) {
            const order = compareMoments(a, b, usesZone, context);
            return order === undefined ? undefined : holds(item.operator, order);
          }
          return compareItems(item.operator, a, b);
        });
      }
      case 'startsWith':
        return this.#somePair(item, value, (a, b) =>
          typeof a === 'string' && typeof b === 'string' ? a.startsWith(b) : undefined,
        );
      case 'likeRegex': {
        const pattern = compilePathPattern(item.pattern, item.flags);
        const pair = { left: item.operand, right: undefined };
        return this.#somePair(pair, value, (a) =>
          typeof a === 'string' ? pattern.test(a) : undefined,
        );
      }
      default:
        return raise('internal_error', 'a value stands where the grammar has a condition');
    }
  }

  /** Undefined when it fails. */
  #guarded<T>(work: () => T): T | undefined {
    const saved = { size: this.#size, forgives: this.#forgives, current: this.#current };
    try {
      return work();
    } catch (error) {
      if (!(error instanceof PathFailure)) throw error;
      this.#size = saved.size;
      this.#forgives = saved.forgives;
      this.#current = saved.current;
      return undefined;
    }
  }

  /** Lax mode stops at the first pair that holds; strict mode wants all of them to be decided. */
  #somePair(
    { left, right }: { readonly left: PathItem; readonly right: PathItem | undefined },
    value: PathValue,
    decide: (a: PathValue, b: PathValue) => Truth,
  ): Truth {
    const lefts = this.#guarded(() => this.#unwrapped(left, value));
    if (lefts === undefined) return undefined;
    const rights =
      right === undefined ? [null] : this.#guarded(() => this.#unwrapped(right, value));
    if (rights === undefined) return undefined;
    let isUnknown = false;
    let isFound = false;
    for (const a of lefts) {
      for (const b of rights) {
        const decided = this.#guarded(() => ({ truth: decide(a, b) }))?.truth;
        if (decided === undefined) {
          if (!this.#lax) return undefined;
          isUnknown = true;
        } else if (decided) {
          if (this.#lax) return true;
          isFound = true;
        }
      }
    }
    if (isFound) return true;
    return isUnknown ? undefined : false;
  }
}

const arithmetic = {
  '+': addNumeric,
  '-': subtractNumeric,
  '*': multiplyNumeric,
  '/': divideNumeric,
  '%': moduloNumeric,
} as const;

function childrenOf(value: PathValue): Iterable<JsonNode> {
  if (value instanceof Moment) return [];
  if (isArray(value)) return value;
  return isObject(value) ? value.values() : [];
}

/** `last` means the leaves. */
function isWithin(level: number, from: PathLevel, isLeaf: boolean): boolean {
  return from === undefined ? isLeaf : level >= from;
}

type Operator = Extract<PathItem, { kind: 'compare' }>['operator'];

function holds(operator: Operator, order: number): boolean {
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      return unreachable(operator);
  }
}

/** Null is unequal to all else and in no order with it; values of two types cannot be compared. */
function compareItems(operator: Operator, a: PathValue, b: PathValue): Truth {
  if (a === null || b === null) {
    if (a === b) return holds(operator, 0);
    return operator === '!=';
  }
  if (typeof a === 'boolean' && typeof b === 'boolean')
    return holds(operator, Number(a) - Number(b));
  if (typeof a === 'string' && typeof b === 'string') return holds(operator, compareText(a, b));
  if (a instanceof Numeric && b instanceof Numeric) return holds(operator, compareNumeric(a, b));
  return undefined;
}
