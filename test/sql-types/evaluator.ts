/**
 * Evaluates one SQL expression without tables through the registries of types and functions: a
 * model of what a binder does with them, small enough to be seen through.
 */
import { loadModule, parseSync } from 'libpg-query';
import { DatabaseError, raise } from '#src/base/errors.js';
import { Random } from '#src/base/random.js';
import {
  findCoercion,
  readLiteral,
  resolveCommonType,
  resolveFunction,
  resolveOperator,
  resolveSqlValue,
  type ScalarFunction,
} from '#src/sql/functions/index.js';
import {
  type FunctionContext,
  findTimeZone,
  type TypeName,
  typeNamed,
  types,
  type Value,
} from '#src/sql/types/index.js';

await loadModule();

/** What an expression came to; `literal` is the text of a bare literal, still without type. */
export interface Typed {
  readonly type: TypeName;
  readonly value: Value;
}

export function contextIn(zone: string): FunctionContext {
  const timeZone = findTimeZone(zone);
  if (timeZone === undefined) throw new Error(`no zone ${zone}`);
  return {
    statementTimestamp: 700_000_000_123_456n,
    transactionTimestamp: 700_000_000_123_456n,
    clockTimestamp: () => 700_000_000_123_456n,
    timeZone,
    random: new Random(1),
    user: 'postgres',
    database: 'postgres',
    schema: 'public',
    version: 'PostgreSQL 15',
    setting: () => undefined,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: libpg-query gives plain JSON whose shape the walk checks
type Node = any;

/** The answer as a client sees it: the type's OID and the text, or the error. */
export interface Answer {
  readonly oid?: number;
  readonly text?: string | null;
  readonly sqlstate?: string;
  readonly message?: string;
}

export function evaluate(expression: string, context: FunctionContext): Answer {
  try {
    const { stmts = [] } = parseSync(`select ${expression}`);
    const target = (stmts[0] as Node).stmt.SelectStmt.targetList[0].ResTarget.val;
    const result = new Evaluator(context).settled(target);
    const { oid } = typeNamed(result.type);
    const text = result.value === null ? null : typeNamed(result.type).print(result.value, context);
    return { oid, text };
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return { sqlstate: error.sqlstate, message: error.message };
  }
}

class Evaluator {
  readonly #context: FunctionContext;

  constructor(context: FunctionContext) {
    this.#context = context;
  }

  /** A bare literal left over becomes text. */
  settled(node: Node): Typed {
    const value = this.evaluate(node);
    return value.type === 'unknown' ? { type: 'text', value: value.value } : value;
  }

  evaluate(node: Node): Typed {
    const [kind, body] = Object.entries<Node>(node)[0] ?? raise('internal_error', 'empty node');
    switch (kind) {
      case 'A_Const':
        return this.#constant(body);
      case 'TypeCast':
        return this.#cast(body);
      case 'A_Expr':
        return this.#operator(body);
      case 'FuncCall':
        return this.#call(body);
      case 'BoolExpr':
        return this.#boolean(body);
      case 'CoalesceExpr':
        return this.#coalesce(body.args);
      case 'SQLValueFunction':
        return this.#sqlValue(body);
      case 'NullTest': {
        const { value } = this.evaluate(body.arg);
        return { type: 'bool', value: (value === null) === (body.nulltesttype === 'IS_NULL') };
      }
      default:
        throw new Error(`the evaluator does not know ${kind}`);
    }
  }

  #constant(body: Node): Typed {
    if (body.isnull) return { type: 'unknown', value: null };
    if (body.ival !== undefined) return { type: 'int4', value: body.ival.ival ?? 0 };
    if (body.boolval !== undefined) return { type: 'bool', value: body.boolval.boolval ?? false };
    if (body.sval !== undefined) return { type: 'unknown', value: body.sval.sval ?? '' };
    const text: string = body.fval.fval;
    const isInteger = /^-?[0-9]+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
    const isShort = isInteger && BigInt.asIntN(32, BigInt(text)) === BigInt(text);
    const type = isShort ? 'int4' : isInteger ? 'int8' : 'numeric';
    return { type, value: typeNamed(type).parse(text, -1, this.#context) };
  }

  #cast(body: Node): Typed {
    const { target, modifier } = this.#typeName(body.typeName);
    const source = this.evaluate(body.arg);
    return { type: target, value: this.#explicit(source, target, modifier) };
  }

  #typeName(body: Node): { readonly target: TypeName; readonly modifier: number } {
    const name: string = body.names.at(-1).String.sval;
    const target = (body.arrayBounds === undefined ? name : `_${name}`) as TypeName;
    if (!types.has(name as TypeName)) raise('undefined_object', `type "${name}" does not exist`);
    const type = typeNamed(target);
    if (body.typmods === undefined) return { target, modifier: -1 };
    if (type.modifierOf === undefined) {
      raise('syntax_error', `type modifier is not allowed for type "${name}"`);
    }
    const numbers = body.typmods.map((each: Node) => each.A_Const.ival.ival ?? 0);
    return { target, modifier: type.modifierOf(numbers) };
  }

  #explicit(source: Typed, target: TypeName, modifier: number): Value {
    if (source.value === null) return null;
    if (source.type === 'unknown') {
      return readLiteral(source.value as string, target, modifier, 'explicit', this.#context);
    }
    const coercion = findCoercion(source.type, target, modifier, 'explicit');
    if (coercion === undefined) {
      const [from, to] = [typeNamed(source.type).sqlName, typeNamed(target).sqlName];
      raise('cannot_coerce', `cannot cast type ${from} to ${to}`);
    }
    return coercion.kind === 'relabel'
      ? source.value
      : this.#apply(coercion.function, [source.value]);
  }

  #implicit(source: Typed, target: TypeName): Value {
    if (source.value === null || source.type === target) return source.value;
    if (source.type === 'unknown') {
      return readLiteral(source.value as string, target, -1, 'assignment', this.#context);
    }
    const coercion = findCoercion(source.type, target, -1, 'implicit');
    if (coercion === undefined) throw new Error(`no path from ${source.type} to ${target}`);
    return coercion.kind === 'relabel'
      ? source.value
      : this.#apply(coercion.function, [source.value]);
  }

  #apply(called: ScalarFunction, values: readonly Value[]): Value {
    if (called.strict && values.includes(null)) return null;
    return called.usesContext
      ? called.implementation(this.#context, ...values)
      : called.implementation(...values);
  }

  #callWith(called: ScalarFunction, args: readonly Typed[]): Typed {
    const values = args.map((arg, i) => this.#implicit(arg, called.parameters[i] ?? 'unknown'));
    return { type: called.result, value: this.#apply(called, values) };
  }

  #binary(name: string, left: Typed, right: Typed): Typed {
    return this.#callWith(resolveOperator(name, left.type, right.type), [left, right]);
  }

  #operator(body: Node): Typed {
    const name: string = body.name.at(-1).String.sval;
    if (body.kind === 'AEXPR_NULLIF') {
      const left = this.evaluate(body.lexpr);
      const equal = this.#binary('=', left, this.evaluate(body.rexpr));
      return equal.value === true ? { type: left.type, value: null } : left;
    }
    if (body.lexpr === undefined) {
      const right = this.evaluate(body.rexpr);
      return this.#callWith(resolveOperator(name, undefined, right.type), [right]);
    }
    if (body.kind.startsWith('AEXPR_BETWEEN')) throw new Error('no BETWEEN here');
    return this.#binary(name, this.evaluate(body.lexpr), this.evaluate(body.rexpr));
  }

  #call(body: Node): Typed {
    const name: string = body.funcname.at(-1).String.sval;
    const args: Typed[] = (body.args ?? []).map((arg: Node) => this.evaluate(arg));
    const resolved = resolveFunction(
      name,
      args.map((arg) => arg.type),
    );
    if (resolved.kind === 'scalar') return this.#callWith(resolved.function, args);
    if (resolved.kind !== 'cast') throw new Error('only functions of one row here');
    const [source] = args;
    if (source === undefined) throw new Error('a cast without argument');
    return { type: resolved.target, value: this.#explicit(source, resolved.target, -1) };
  }

  #boolean(body: Node): Typed {
    const values = body.args.map((arg: Node) => {
      const operand = this.evaluate(arg);
      if (operand.type !== 'bool' && operand.type !== 'unknown') {
        const [word] = body.boolop.split('_');
        const shown = typeNamed(operand.type).sqlName;
        raise('datatype_mismatch', `argument of ${word} must be type boolean, not type ${shown}`);
      }
      return this.#implicit(operand, 'bool');
    });
    if (body.boolop === 'NOT_EXPR') {
      return { type: 'bool', value: values[0] === null ? null : !values[0] };
    }
    const decisive = body.boolop === 'OR_EXPR';
    const value = values.includes(decisive) ? decisive : values.includes(null) ? null : !decisive;
    return { type: 'bool', value };
  }

  #coalesce(nodes: readonly Node[]): Typed {
    const args = nodes.map((node) => this.evaluate(node));
    const type = resolveCommonType(
      args.map((arg) => arg.type),
      'COALESCE',
    );
    const values = args.map((arg) => this.#implicit(arg, type));
    return { type, value: values.find((value) => value !== null) ?? null };
  }

  #sqlValue(body: Node): Typed {
    const name = body.op.replace('SVFOP_', '').replace(/_N$/, '').toLowerCase();
    return this.#callWith(resolveSqlValue(name, body.typmod ?? -1), []);
  }
}
