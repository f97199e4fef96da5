/** Constraints that a transaction checks later than at the end of each statement: SET CONSTRAINTS. */
import { raise } from '../../base/errors.js';
import { userDatabase } from '../catalogue/index.js';
import type { ConstraintName, DeferredCheck, Deferral } from '../execute/index.js';
import type { MemoryAccount } from '../memory.js';
import type { SessionState } from './state.js';
import type { Transaction } from './transaction.js';
import type { Work } from './work.js';

/** A constraint as SET CONSTRAINTS names it. */
export interface NamedConstraint {
  readonly schema: string | undefined;
  readonly name: string;
}

export class DeferredConstraints implements Deferral {
  readonly #memory: MemoryAccount;
  /** What SET CONSTRAINTS has said of all, and then of some. */
  #all: boolean | undefined;
  #said: Map<string, boolean> | undefined;
  #pending: DeferredCheck[] = [];
  #chargedBytes = 0;

  constructor(memory: MemoryAccount) {
    this.#memory = memory;
  }

  isDeferred(constraint: ConstraintName): boolean {
    if (constraint.timing === 'immediate') return false;
    return this.#said?.get(keyOf(constraint)) ?? this.#all ?? constraint.timing === 'deferred';
  }

  add(check: DeferredCheck): void {
    this.#memory.charge(check.bytes);
    this.#chargedBytes += check.bytes;
    this.#pending.push(check);
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** How many checks wait: what came after can be taken back. */
  get mark(): number {
    return this.#pending.length;
  }

  takeBack(mark: number): void {
    if (mark >= this.#pending.length) return;
    this.#pending.splice(mark);
    this.#account();
  }

  #account(): void {
    const bytes = this.#pending.reduce((sum, check) => sum + check.bytes, 0);
    this.#memory.release(this.#chargedBytes - bytes);
    this.#chargedBytes = bytes;
  }

  /** Gives those of the checks that wait which are to be done now, and forgets them. */
  due(isDue: (check: DeferredCheck) => boolean): readonly DeferredCheck[] {
    const due = this.#pending.filter(isDue);
    this.#pending = this.#pending.filter((check) => !due.includes(check));
    this.#account();
    return due;
  }

  setAll(deferred: boolean): void {
    this.#said = undefined;
    this.#all = deferred;
  }

  set(constraint: Pick<ConstraintName, 'schema' | 'name'>, deferred: boolean): void {
    this.#said ??= new Map();
    this.#said.set(keyOf(constraint), deferred);
  }

  close(): void {
    this.takeBack(0);
  }
}

function keyOf({ schema, name }: Pick<ConstraintName, 'schema' | 'name'>): string {
  return `${schema}\0${name}`;
}

/** Does the checks that are due. Raises what they find broken. */
export function* runDeferred(
  state: SessionState,
  transaction: Transaction,
  isDue: (check: DeferredCheck) => boolean = () => true,
): Work<void> {
  const due = transaction.constraints.due(isDue);
  if (due.length === 0) return;
  transaction.beginExecution();
  try {
    const context = state.contextOf(transaction, []);
    for (const check of due) for (const _ of check.run(context)) yield 'turn';
  } catch (error) {
    transaction.endExecution(error);
  }
  transaction.endExecution();
}

/** SET CONSTRAINTS within a transaction; without names all that are deferrable. */
export function* setConstraints(
  state: SessionState,
  transaction: Transaction,
  names: readonly NamedConstraint[] | undefined,
  deferred: boolean,
): Work<void> {
  const { constraints } = transaction;
  if (names === undefined) {
    constraints.setAll(deferred);
  } else {
    for (const found of names.flatMap((name) => find(state, transaction, name))) {
      constraints.set(found, deferred);
    }
  }
  if (!deferred) {
    yield* runDeferred(state, transaction, ({ constraint }) => !constraints.isDeferred(constraint));
  }
}

/** The constraints of the name in the first schema of the path that has one. Raises 42704, 42809. */
function find(
  state: SessionState,
  transaction: Transaction,
  { schema, name }: NamedConstraint,
): readonly ConstraintName[] {
  const path = schema === undefined ? state.lookupOf(transaction).path : [schema];
  for (const searched of path) {
    const found = transaction.catalogue
      .inSchema('relation', userDatabase, searched)
      .flatMap((object) => (object.kind === 'table' ? object : []))
      .flatMap((table) => [
        ...table.foreignKeys.map((key) => ({ ...key, schema: searched })),
        ...table.indexes.flatMap((index) =>
          index.constraint === undefined
            ? []
            : [{ name: index.name, schema: searched, timing: index.constraint }],
        ),
        ...table.checks.map((check) => ({
          name: check.name,
          schema: searched,
          timing: 'immediate' as const,
        })),
      ])
      .filter((constraint) => constraint.name === name);
    if (found.length === 0) continue;
    const deferrable = found.filter(({ timing }) => timing !== 'immediate');
    if (deferrable.length > 0) return deferrable;
    raise('wrong_object_type', `constraint "${name}" is not deferrable`);
  }
  raise('undefined_object', `constraint "${name}" does not exist`);
}
