/** What the parts of the binder share while one statement is bound. */
import { DatabaseError, raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { CatalogueLookup } from '../catalogue/names.js';
import { type ast, raiseAt, type Source, tooDeep } from '../parse/index.js';
import type { ColumnId, Expression } from '../plan/expression.js';
import { type FunctionContext, printType, type TypeName } from '../types/index.js';
import type { Clause } from './expression.js';
import { nestingDepthMax, parametersMax } from './limits.js';
import { Needs } from './needs.js';
import { Origins } from './origins.js';
import type { OuterQuery } from './outer.js';
import type { HiddenScope, Scope } from './scope.js';
import type { WithScope } from './with-scope.js';

interface NamedTarget {
  readonly name: string;
  readonly expression: Expression;
}

/** Sees what becomes of each node of a text. */
export interface BindWitness {
  note(context: BindContext, clause: Clause, node: ast.Node, expression: Expression): void;
  /** A column of the result, or those that a star stands for. */
  noteTarget(
    target: ast.ResTarget,
    scope: Scope,
    columns: readonly NamedTarget[],
    star: boolean,
  ): void;
  /** The arguments of an aggregate as it takes them. */
  noteArguments(call: ast.FuncCall, given: readonly Expression[]): void;
  /** What the columns of a function in FROM are called. */
  noteColumns(called: ast.RangeFunction, names: readonly string[]): void;
}

export class BindContext {
  readonly source: Source;
  /** Names of objects as the statement's transaction and search path mean them. */
  readonly catalogue: CatalogueLookup;
  readonly functions: FunctionContext;
  readonly parameters: ParameterTypes;
  /** Tables that the statement names, each once. */
  readonly used: Map<TableDescriptor['object'], TableDescriptor>;
  /** The rights that it needs. */
  readonly needs: Needs;
  readonly origins: Origins;
  /** Undefined but where a stored text is printed again. */
  witness: BindWitness | undefined;
  /** Whose rights count; undefined: those of whoever runs the statement. */
  checkAs: ObjectId | undefined;
  /** The queries around the one that is bound, the innermost first. */
  outer: OuterQuery | undefined;
  /** Tables of WITH that can be named, the innermost first. */
  withTables: WithScope | undefined;
  /** Whether the statement or one in its WITH changes rows. */
  writes = false;
  /** What columns are called that are made of subqueries, by their nodes. */
  readonly subqueryNames = new Map<object, string>();
  /** Entries of FROM that cannot be named here: an error about a name tells of them. */
  hidden: readonly HiddenScope[] = [];
  /** What `$1`, `$2`, ... are within the body of a function: columns of a query around it. */
  functionParameters: readonly Expression[] | undefined;
  /** The functions whose bodies the bound one stands in. */
  functionsAround: readonly ObjectId[] = [];
  /** Byte offsets in the text of expressions, for errors found after they were bound. */
  readonly #locations = new Map<Expression, number>();
  readonly #columns: { last: ColumnId };
  readonly #numbers: { taken: boolean };
  readonly #questions: { asked: boolean };
  #depth: number;
  #queries = 0;

  constructor(
    source: Source,
    catalogue: CatalogueLookup,
    functions: FunctionContext,
    parameters: ParameterTypes,
    around?: BindContext,
  ) {
    this.used = around?.used ?? new Map<TableDescriptor['object'], TableDescriptor>();
    this.needs = around?.needs ?? new Needs();
    this.origins = around?.origins ?? new Origins();
    this.checkAs = around?.checkAs;
    this.witness = around?.witness;
    this.#columns = around === undefined ? { last: 0 } : around.#columns;
    this.#numbers = around === undefined ? { taken: false } : around.#numbers;
    this.#questions = around === undefined ? { asked: false } : around.#questions;
    this.#depth = around === undefined ? 0 : around.#depth;
    this.#queries = around === undefined ? 0 : around.#queries + 1;
    this.source = source;
    this.catalogue = catalogue;
    this.functions = functions;
    this.parameters = parameters;
  }

  /** Whether the statement calls what takes or sets numbers of sequences. */
  get takesNumbers(): boolean {
    return this.#numbers.taken;
  }

  noteNumbers(): void {
    this.#numbers.taken = true;
  }

  /** Whether the statement calls what asks the session ({@link Question}). */
  get asks(): boolean {
    return this.#questions.asked;
  }

  noteQuestion(): void {
    this.#questions.asked = true;
  }

  nextColumn(): ColumnId {
    this.#columns.last += 1;
    return this.#columns.last;
  }

  /** A column of what the expression gives. */
  columnFor(expression: Expression): ColumnId {
    return this.origins.follow(this.nextColumn(), expression);
  }

  /** Remembers where `expression` came from. */
  locate<E extends Expression>(expression: E, location: number | undefined): E {
    if (location !== undefined) this.#locations.set(expression, location);
    return expression;
  }

  locationOf(expression: Expression): number | undefined {
    return this.#locations.get(expression);
  }

  /** `copy`, said to come from where `original` came from. */
  relocate<E extends Expression>(copy: E, original: Expression): E {
    return this.locate(copy, this.#locations.get(original));
  }

  /** One level deeper; raises statement_too_complex beyond the limit. */
  enter(): void {
    if (this.#depth >= nestingDepthMax) throw tooDeep();
    this.#depth += 1;
  }

  /** Back from `enter`; an error ends the whole statement, so that it need not come back. */
  leave(): void {
    this.#depth -= 1;
  }

  /** A query begins; true when no other one is around it. */
  enterQuery(): boolean {
    this.#queries += 1;
    return this.#queries === 1;
  }

  leaveQuery(): void {
    this.#queries -= 1;
  }

  /** Runs `work` one level deeper. */
  nested<T>(work: () => T): T {
    this.enter();
    const result = work();
    this.leave();
    return result;
  }

  /** Raises with the position of a byte offset. */
  raise(location: number | undefined, ...error: Parameters<typeof raise>): never {
    raiseAt(this.source, location, ...error);
  }

  /** Runs `work`; errors that it raises without a position get that of `location`. */
  at<T>(location: number | undefined, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.details.position !== undefined) throw error;
      raiseAt(this.source, location, error.kind, error.message, error.details);
    }
  }

  /** The same statement seen through another text: a default or a view kept as SQL. */
  within(source: Source): BindContext {
    const { catalogue, functions } = this;
    return new BindContext(source, catalogue, functions, new ParameterTypes([]), this);
  }
}

/**
 * The types of `$1`, `$2`, ...: stated by the client, or that of the first place where one is used
 * (as PostgreSQL's parse_param.c).
 */
export class ParameterTypes {
  readonly #types: (TypeName | 'unknown' | undefined)[];

  constructor(stated: readonly (TypeName | undefined)[]) {
    this.#types = [...stated];
  }

  /** The type of a parameter that the statement names: `unknown` until a use decides. */
  typeOf(number: number): TypeName {
    if (number < 1 || number > parametersMax) {
      raise('undefined_parameter', `there is no parameter $${number}`);
    }
    const type = this.#types[number - 1] ?? 'unknown';
    this.#types[number - 1] = type;
    return type;
  }

  /** A use of the parameter as `type`. Uses of different types are an error. */
  decide(number: number, type: TypeName): void {
    const before = this.#types[number - 1];
    if (before !== undefined && before !== 'unknown' && before !== type) {
      raise('ambiguous_parameter', `inconsistent types deduced for parameter $${number}`, {
        detail: `${printType(before, -1)} versus ${printType(type, -1)}`,
      });
    }
    this.#types[number - 1] = type;
  }

  /** All types in order; raises indeterminate_datatype for a parameter that no use decided. */
  decided(): readonly TypeName[] {
    return Array.from(this.#types, (type, index) => {
      if (type === undefined || type === 'unknown') {
        const text = `could not determine data type of parameter $${index + 1}`;
        raise('indeterminate_datatype', text);
      }
      return type;
    });
  }
}
