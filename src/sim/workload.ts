/**
 * What a workload is: clients as generators that yield one statement at a time and are resumed with
 * its outcome, and a check that must hold whenever the node is up. A violation throws.
 */
import { errorCatalogue } from '../base/errors.js';
import type { ErrorFields } from '../sql/session/protocol.js';
import type { ParameterValue } from '../sql/session/protocol.js';
import type { Row } from '../sql/types/value.js';
import type { Random } from '../base/random.js';

export interface Request {
  readonly text: string;
  readonly parameters?: readonly ParameterValue[];
  /** It is for the session that served the one before: `refused` when that has ended. */
  readonly sameSession?: true;
}

/** Of a request that goes on in the session of the one before. */
export const sameSession = { sameSession: true } as const;

/**
 * How a statement ended. `unknown`: no answer came, so it may or may not have happened, or happen
 * later while the node that took it lives; the transaction is over either way. `refused`: the node cannot
 * serve now and has ended the open transaction; nothing of it happened (outside of one the client
 * sends the statement again by itself). After both the client has connected again.
 */
export type Outcome =
  | {
      readonly kind: 'rows';
      readonly rows: readonly Row[];
      readonly tag: string;
      /** It may be older than what was committed. */
      readonly stale: boolean;
      /** Payloads of the notifications that have come since the statement before. */
      readonly heard: readonly string[];
    }
  | { readonly kind: 'error'; readonly error: ErrorFields }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'refused' };

/** Yields statements, is resumed with their outcomes. */
export type Script = Generator<Request, void, Outcome>;

/** What a client's script may know of its world. */
export interface ClientWorld {
  readonly random: Random;
  /** Virtual time, for histories. */
  nowMs(): number;
  /** What has an unknown outcome has happened by the next read, or never will: a lone node died. */
  readonly settled: boolean;
}

export interface Workload {
  readonly name: string;
  /** Tables and first rows; repeated from its start after a crash, so it must bear that. */
  setUp(): Script;
  /** One step of a client: a few statements. Called again and again. */
  step(client: number, world: ClientWorld): Script;
  /** Run while no client of the workload has a statement in flight, after restarts and at the end. */
  check(world: ClientWorld): Script;
}

/** Characters of a value in the text of a violation. */
const shownMax = 3000;

/** A promise of the database was broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function demand(condition: boolean, promise: string, ...values: readonly unknown[]): void {
  if (!condition) throw new Violation(`${promise}: ${values.map(showShort).join(', ')}`);
}

function showShort(value: unknown): string {
  const shown = value === undefined ? 'undefined' : show(value);
  return shown.length <= shownMax ? shown : `${shown.slice(0, shownMax)}...`;
}

/** A value as one line, numbers of any size included. */
export function show(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'bigint' ? `${part}n` : part,
  );
}

/** The rows of an outcome that must not be an error; undefined when there was no answer. */
export function rowsOf(outcome: Outcome, what: string): readonly Row[] | undefined {
  if (outcome.kind === 'unknown' || outcome.kind === 'refused') return undefined;
  if (outcome.kind === 'error') {
    throw new Violation(`${what} failed: ${outcome.error.kind}: ${outcome.error.message}`);
  }
  return outcome.rows;
}

/** The transaction must be run again from its start: a conflict, or a snapshot that is kept no more. */
export function mustRunAgain(outcome: Outcome): boolean {
  return outcome.kind === 'error' && errorCatalogue[outcome.error.kind].retry === 'transaction';
}

/** Runs statements that must not fail, until the first of unknown outcome. */
export function* all(texts: readonly string[]): Script {
  for (const text of texts) {
    if (rowsOf(yield { text }, text) === undefined) return;
  }
}
