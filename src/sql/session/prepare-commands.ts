/** SQL's own PREPARE and EXECUTE (https://www.postgresql.org/docs/15/sql-prepare.html). */
import { raise } from '../../base/errors.js';
import { BindContext, coerce, ParameterTypes } from '../bind/index.js';
import { evaluateAll } from '../execute/index.js';
import { Source } from '../parse/index.js';
import type { Expression, ExpressionType } from '../plan/expression.js';
import type { Statement } from '../plan/statement.js';
import { printType, type TypeName, typeNamed } from '../types/index.js';
import { openFor } from './blocks.js';
import { completed } from './command.js';
import { describe } from './describe.js';
import { isLong, parseElsewhere } from './long-text.js';
import { planOf } from './planning.js';
import { checkExecutable, keepPrepared, preparedNamed } from './prepared.js';
import type { ParameterValue } from './protocol.js';
import { readsOnly, type Run, runData, runInTransaction } from './run.js';
import type { Transaction } from './transaction.js';
import type { Work } from './work.js';

type Prepare = Extract<Statement, { kind: 'prepare' }>;
type Execute = Extract<Statement, { kind: 'execute' }>;

/** The statement is looked at, as the protocol's prepare does: what is wrong with it is told here. */
export function* prepare(run: Run, { name, parsed, types: given }: Prepare): Work<void> {
  const { state } = run;
  const types = given.map((type) => typeNamed(type.name).name);
  keepPrepared(state, name, parsed, types);
  if (!run.alone) yield* openFor(run);
  try {
    const { parameters, columns } = yield* describe(state, run.self, parsed, types);
    const prepared = preparedNamed(state, name);
    prepared.parameters = parameters;
    prepared.told = columns;
  } catch (error) {
    state.prepared.delete(name);
    throw error;
  }
  return yield* completed(run, 'PREPARE');
}

export function* executePrepared(run: Run, statement: Execute): Work<void> {
  const { state } = run;
  const prepared = preparedNamed(state, statement.name);
  const { key, text, parse, types } = prepared;
  const parsed = isLong(state, text) ? (yield* parseElsewhere(state, text))[0] : parse();
  if (parsed === undefined) return yield* completed(run, '');
  checkExecutable(parsed);
  const query = { key, parsed: () => parsed, types, parameters: [], prepared };
  yield* runInTransaction(run, readsOnly(parsed.node), (transaction) => {
    const wanted = planOf(state, query, transaction).bound.parameters;
    const parameters = argumentsOf(run, transaction, statement, wanted);
    return runData(run, transaction, { ...query, parameters }, { kind: 'other' });
  });
}

/** The arguments as the statement's own types read them, as they do what clients send. */
function argumentsOf(
  { state }: Run,
  transaction: Transaction,
  { name, arguments: given }: Execute,
  wanted: readonly ExpressionType[],
): readonly ParameterValue[] {
  // What is given to a statement that takes nothing PostgreSQL does not look at.
  if (wanted.length === 0) return [];
  if (wanted.length !== given.length) {
    const text = `wrong number of parameters for prepared statement "${name}"`;
    const detail = `Expected ${wanted.length} parameters but got ${given.length}.`;
    raise('syntax_error', text, { detail });
  }
  const { functions } = state;
  const lookup = state.lookupOf(transaction);
  const context = new BindContext(new Source(''), lookup, functions, new ParameterTypes([]));
  const coerced = given.map((argument, i) =>
    coerceArgument(context, argument, wanted[i] ?? argument.type, i + 1),
  );
  return evaluateAll(coerced, state.pointContext).map((value, i) => {
    const type = (coerced[i] as Expression).type.name;
    return value === null ? null : typeNamed(type).print(value, functions);
  });
}

function coerceArgument(
  context: BindContext,
  argument: Expression,
  wanted: ExpressionType,
  number: number,
): Expression {
  const target = { name: wanted.name as TypeName, modifier: -1 };
  const coerced = coerce(context, argument, target, 'assignment');
  if (coerced !== undefined) return coerced;
  const [has, expected] = [argument.type.name, target.name].map((one) => printType(one, -1));
  const text = `parameter $${number} of type ${has} cannot be coerced to the expected type ${expected}`;
  return raise('datatype_mismatch', text, {
    hint: 'You will need to rewrite or cast the expression.',
  });
}
