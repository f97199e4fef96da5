/** What statements ask of the settings each time, computed once after a change. */
import type { Settings } from './settings.js';

/** Settings that say how values are printed. */
const printSettings = ['datestyle', 'intervalstyle', 'bytea_output', 'extra_float_digits'] as const;

/** Messages beside the answer, by weight; a client is sent those from `client_min_messages` on. */
export type Severity =
  | 'debug5'
  | 'debug4'
  | 'debug3'
  | 'debug2'
  | 'debug1'
  | 'log'
  | 'info'
  | 'notice'
  | 'warning';

const weights: readonly string[] = [
  ...['debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'log', 'notice', 'warning', 'error'],
];

/** Limits of time in milliseconds; 0 is none. */
export interface TimeLimits {
  readonly statementMs: number;
  readonly lockMs: number;
  readonly transactionMs: number;
  readonly idleInTransactionMs: number;
  readonly idleSessionMs: number;
}

export class Derived {
  /** Settings of printing that are not as every session has them at first; undefined for none. */
  readonly style: Readonly<Record<string, string>> | undefined;
  /** Undefined when there is no limit at all. */
  readonly limits: TimeLimits | undefined;
  /** Statements that take as long are noted; negative for none. */
  readonly slowStatementMs: number;
  readonly takesStaleReads: boolean;
  /** search_path is not as every session has it at first. */
  readonly hasOwnPath: boolean;
  readonly #weight: number;

  constructor(settings: Settings) {
    const number = (name: string): number => Number(settings.get(name));
    const limits = {
      statementMs: number('statement_timeout'),
      lockMs: number('lock_timeout'),
      transactionMs: number('transaction_timeout'),
      idleInTransactionMs: number('idle_in_transaction_session_timeout'),
      idleSessionMs: number('idle_session_timeout'),
    };
    this.limits = Object.values(limits).some((ms) => ms > 0) ? limits : undefined;
    this.slowStatementMs = number('log_min_duration_statement');
    this.takesStaleReads = settings.get('shardforge.stale_reads') === 'on';
    this.hasOwnPath = settings.isSet('search_path');
    const changed = printSettings.filter((name) => settings.isSet(name));
    this.style =
      changed.length === 0
        ? undefined
        : Object.fromEntries(changed.map((name) => [name, settings.get(name) ?? '']));
    this.#weight = weights.indexOf(settings.get('client_min_messages') ?? 'notice');
  }

  /** Whether the client is sent messages of this weight; INFO always. */
  wants(severity: Severity): boolean {
    return severity === 'info' || weights.indexOf(severity) >= this.#weight;
  }
}
