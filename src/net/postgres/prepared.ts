/** The prepared statements and portals of a connection by their names. */
import { raise } from '../../base/errors.js';
import { binaryCodec } from '../../sql/copy/index.js';
import type { TransactionStatus } from '../../sql/session/protocol.js';
import type { FunctionContext } from '../../sql/types/index.js';
import { portalsMax } from './limits.js';
import type { BindMessage, Target } from './messages.js';
import { boundParameters } from './parameters.js';
import { Portal } from './portal.js';
import { checkFormats, formatAt } from './rows.js';
import { allText, type WireStatement } from './statement.js';
import * as write from './writer.js';

/** What an answer depends on beside the names. */
export interface Circumstances {
  readonly status: TransactionStatus;
  /** Parameters in text are read in it. */
  readonly context: FunctionContext;
}

export class Prepared {
  /** Those that the door has met: the session may have others, made by SQL's PREPARE. */
  readonly #statements = new Map<string, WireStatement>();
  readonly portals = new Map<string, Portal>();

  /** Whether it must be asked for at the session, which raises 26000 where there is none. */
  isUnknown(name: string): boolean {
    return name !== '' && !this.#statements.has(name);
  }

  keep(statement: WireStatement): void {
    this.forget(statement.name);
    this.#statements.set(statement.name, statement);
  }

  forget(name: string): void {
    const statement = this.#statements.get(name);
    if (statement === undefined) return;
    statement.isKept = false;
    this.#statements.delete(name);
  }

  /** Statements were given up by SQL: which, the session knows. The unnamed one is out of its reach. */
  forgetNamed(): void {
    for (const name of [...this.#statements.keys()]) if (name !== '') this.forget(name);
  }

  /** Makes a portal; raises what is wrong with the name, the parameters or the formats. */
  bind(message: BindMessage, { status, context }: Circumstances): void {
    const { portal: name, parameters, resultFormats } = message;
    const statement = this.statement(message.statement);
    const ends = statement.endsBlock && parameters.length === 0;
    if (status === 'failed' && !ends) raiseAborted();
    if (name !== '' && this.portals.has(name)) {
      raise('duplicate_cursor', `cursor "${name}" already exists`);
    }
    if (this.portals.size >= portalsMax) {
      raise('configuration_limit_exceeded', `a connection has at most ${portalsMax} portals`);
    }
    const values = boundParameters(message, statement, context);
    if (statement.copy === undefined && statement.columns !== undefined) {
      checkFormats(resultFormats, statement.columns.length);
      for (const [i, { type }] of statement.columns.entries()) {
        // Raises for a type without binary form, before anything is executed.
        if (formatAt(resultFormats, i) === 'binary') binaryCodec(type);
      }
    }
    this.portals.set(name, new Portal(name, statement, values, resultFormats));
  }

  /** Writes what Describe is answered with; raises 26000, 34000 and 25P02. */
  describe(
    out: write.MessageWriter,
    { target, name }: { readonly target: Target; readonly name: string },
    status: TransactionStatus,
  ): void {
    const portal = target === 'portal' ? this.portal(name) : undefined;
    const statement = portal?.statement ?? this.statement(name);
    const { columns, copy, parameterOids } = statement;
    const hasRows = columns !== undefined && copy === undefined;
    if (status === 'failed' && hasRows) raiseAborted();
    if (portal === undefined) write.writeParameterDescription(out, parameterOids);
    statement.describe(out, portal?.formats ?? allText);
  }

  /** Undefined where the door knows of none by this name. */
  known(name: string): WireStatement | undefined {
    return this.#statements.get(name);
  }

  /** Raises 26000. */
  statement(name: string): WireStatement {
    const statement = this.#statements.get(name);
    if (statement !== undefined) return statement;
    const shown = name === '' ? 'unnamed prepared statement' : `prepared statement "${name}"`;
    return raise('invalid_sql_statement_name', `${shown} does not exist`);
  }

  /** Raises 34000. */
  portal(name: string): Portal {
    const portal = this.portals.get(name);
    return portal ?? raise('invalid_cursor_name', `portal "${name}" does not exist`);
  }
}

/** Raises 25P02, as the session does for what reaches it. */
export function raiseAborted(): never {
  const text = 'current transaction is aborted, commands ignored until end of transaction block';
  return raise('in_failed_sql_transaction', text);
}
