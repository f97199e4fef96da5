/** From a statement to its plan: the cache, binding, compiling. */
import { bind, type Environment } from '../bind/index.js';
import { type Found, isAsFound, RecordingLookup, temporaryDatabase } from '../catalogue/index.js';
import { compileStatement } from '../execute/index.js';
import type { ParsedStatement } from '../parse/index.js';
import type { RelationColumn } from '../plan/relation.js';
import type { BoundStatement } from '../plan/statement.js';
import { baseTypeName, typeNamed, type TypeName } from '../types/index.js';
import { WitnessedFunctions } from './functions.js';
import { cachedTextMax } from './limits.js';
import type { Plan } from './plan-cache.js';
import type { Column, ParameterValue } from './protocol.js';
import type { Prepared, SessionState } from './state.js';
import type { Transaction } from './transaction.js';

/** One statement with its parameters. */
export interface Query {
  /** Its place in the plan cache; undefined when it is not to be kept. */
  readonly key: string | undefined;
  readonly parsed: () => ParsedStatement;
  readonly types: readonly (TypeName | undefined)[];
  readonly parameters: readonly ParameterValue[];
  /** Where it is kept under a name. */
  readonly prepared?: Prepared;
}

/** Where a text with these stated parameter types lies in the cache. */
export function planKey(text: string, types: readonly (string | null | undefined)[]): string {
  // No text has a NUL, so that no text and types look like another text.
  return types.length === 0 ? text : `${text}\0${types.join()}`;
}

/** A plan for what `catalogue` shows, kept for others where it is of use to them. */
export function planOf(state: SessionState, query: Query, transaction: Transaction): Plan {
  const { catalogue } = transaction;
  const { plans, metrics } = state.place;
  const kept = query.key === undefined ? undefined : plans.get(query.key);
  if (kept !== undefined && isValid(state, kept, transaction)) {
    metrics.planHits.value += 1;
    return kept;
  }
  metrics.planMisses.value += 1;
  const parsed = query.parsed();
  const lookup = new RecordingLookup(state.lookupOf(transaction));
  const { bound, shared } = bindWitnessed(state, parsed, query.types, lookup);
  const plan = makePlan(state, bound, lookup.found, parsed.text.length);
  const keeps = shared && catalogue.isCurrent && lasts(plan) && parsed.text.length <= cachedTextMax;
  if (query.key !== undefined && keeps && bound.statement.kind !== 'explain') {
    plans.set(query.key, plan);
  }
  return plan;
}

/** Binds; `shared` is false when a literal was read by something of this session or moment. */
export function bindWitnessed(
  state: SessionState,
  parsed: ParsedStatement,
  types: readonly (TypeName | undefined)[],
  catalogue: Environment['catalogue'],
): { readonly bound: BoundStatement; readonly shared: boolean } {
  const functions = new WitnessedFunctions(state.functions);
  const bound = bind(parsed, { catalogue, functions, parameterTypes: types });
  return { bound, shared: !functions.used };
}

/** Whether other sessions can use it: it is about nothing of this one. */
function lasts({ found }: Plan): boolean {
  return found.every(({ objects }) =>
    objects.every(({ database }) => database !== temporaryDatabase),
  );
}

/** Whether the plan's names mean what they meant when it was made. */
function isValid(state: SessionState, plan: Plan, transaction: Transaction): boolean {
  const { catalogue } = transaction;
  const { catalogueVersion } = state.access;
  const plain = catalogue.isCurrent && state.namesArePlain;
  if (plain && plan.catalogueVersion === catalogueVersion) return true;
  if (!isAsFound(state.lookupOf(transaction), plan.found)) return false;
  if (plain) {
    plan.catalogueVersion = catalogueVersion;
    plan.allowed = 0;
  }
  return true;
}

/** Bytes of a bound statement for each character of its text. An estimate. */
const bytesPerCharacter = 40;

function makePlan(
  state: SessionState,
  bound: BoundStatement,
  found: readonly Found[],
  textLength: number,
): Plan {
  const statement = compileStatement(bound);
  // The short way executes once.
  const compiled = bound.asks ? { ...statement, point: undefined } : statement;
  return {
    bound,
    found,
    compiled,
    columns: bound.columns && columnsOf(bound.columns),
    readsTimeZone: bound.columns?.some(({ type }) => dependsOnZone(type.name)) === true,
    writes: bound.writes,
    catalogueVersion: state.namesArePlain ? state.access.catalogueVersion : 0,
    allowed: 0,
    used: false,
    bytes: compiled.bytes + textLength * bytesPerCharacter,
  };
}

function dependsOnZone(type: string): boolean {
  return typeNamed(type).textDependsOnContext;
}

export function columnsOf(columns: readonly RelationColumn[]): readonly Column[] {
  return columns.map(({ name, type, origin }) => {
    // Clients see values of domains as those of the type below.
    const { form } = typeNamed(type.name);
    const base = baseTypeName(type.name as TypeName);
    const typeModifier = form?.kind === 'domain' ? form.modifier : type.modifier;
    const column = { name, type: base, typeOid: typeNamed(base).oid, typeModifier };
    if (origin === undefined) return column;
    return { ...column, tableOid: origin.tableOid, tableColumn: origin.column };
  });
}
